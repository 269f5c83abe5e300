"""Two people's word for a plan: each has a one-time code by mail, drawn when the mail leaves.

The outbox holds a placeholder. The handler commits the slow hash of a new code before the mail is handed over, so that
a mail that is sent once more brings a new code, and the old one is worth nothing. A code has 40 bits, is good for one
plan while that stands, and for five tries.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from typing import Any

import sqlalchemy as sa

from albacore_pipeline.effects import keys
from albacore_pipeline.effects.interface import Cancelled, Effect, Outcome
from albacore_pipeline.effects.mail import MailHandler
from albacore_pipeline.effects.outbox import prepare
from albacore_pipeline.escalation.letters.facts import Task, WayOn
from albacore_pipeline.escalation.letters.write import write_task
from albacore_pipeline.machine_power import queries
from albacore_pipeline.machine_power.gates import Caps
from albacore_pipeline.machine_power.queries import Approval, PlanSize
from albacore_pipeline.mailboxes import same_mailbox
from albacore_pipeline.registry.policies import Policy
from albacore_pipeline.registry.stages import Does, Need
from albacore_pipeline.registry.store import policy_in_force

APPROVAL = "mail.approval"  # the kind of effect
PLACEHOLDER = "{code}"
MOST_TRIES = 5
BITS = 40


@dataclass(kw_only=True)
class ApprovalHandler:
    """Mails the codes, each drawn as it leaves."""

    mail: MailHandler
    engine: sa.Engine
    name: str = APPROVAL
    batch: int = 20

    def send(self, effects: Sequence[Effect]) -> list[Outcome]:
        """Draw a code for each, commit its hash, and hand the mail over."""
        return [self._send(effect) for effect in effects]

    def _send(self, effect: Effect) -> Outcome:
        code = base64.b32encode(secrets.token_bytes(BITS // 8)).decode()
        with self.engine.begin() as connection:
            if not queries.draw_code(connection, effect_id=effect.effect_id, code_hash=_hash(code)):
                return Cancelled("the plan is over, or he has approved it")
        return replace(self.mail, fill=lambda _: {"code": code}).send([effect])[0]

    def look_up(self, effects: Sequence[Effect]) -> list[Outcome]:
        """As of any mail; sent once more, it brings another code."""
        return self.mail.look_up(effects)

    def settle(self, connection: sa.Connection, *, effect: Effect, outcome: Outcome, now: datetime) -> None:
        """Nothing more than the effect itself."""


def ask_where_needed(connection: sa.Connection, *, now: datetime) -> None:
    """Ask two people about each plan that exceeds its policy's caps alone, or whose policy wants it; once a plan."""
    sizes: defaultdict[int, list[PlanSize]] = defaultdict(list)
    for size in queries.plans_without_approval(connection):
        sizes[size.plan_id].append(size)
    if not sizes:
        return
    fleet = {row.site: row.machines for row in queries.fleet(connection)}
    for plan_id, parts in sizes.items():
        policy = policy_in_force(connection, name=parts[0].policy, now=now)
        why = _why_needed(parts, policy, fleet)
        if why:
            ask(connection, plan_id=plan_id, customer=parts[0].customer, policy=policy, why=why, now=now)


def _why_needed(parts: Sequence[PlanSize], policy: Policy, fleet: dict[str, int]) -> str:
    rule = policy.rule(Does.PAUSE)
    if rule and Need.APPROVAL in rule.needs:
        return "the policy wants two people's word for every pause"
    caps = caps_of(policy)
    for part in parts:
        most = caps.machines_at(fleet.get(part.site, 0))
        if part.machines > most:
            return f"{part.machines} machines at {part.site} would be paused, {most} are allowed in a day"
    return ""


def caps_of(policy: Policy) -> Caps:
    """The blast radius of a policy."""
    return Caps(
        machines_per_site=policy.machines_per_site_and_day,
        share_of_site=policy.share_of_site_and_day,
        customers=policy.customers_per_day,
    )


def ask(connection: sa.Connection, *, plan_id: int, customer: str, policy: Policy, why: str, now: datetime) -> None:
    """Mail each approver of the policy that he is asked, with a place for his code."""
    (plan,) = [plan for plan in queries.plan_of(connection, customer=customer) if plan.plan_id == plan_id]
    for approver in policy.approvers():
        form = (("plan", plan_id), ("approver", approver), ("code", PLACEHOLDER))
        mail = write_task(
            Task(
                subject=f"approve the pause of {customer} (plan {plan_id})?",
                what=f"Approve it only if you know that it is right. Machines: {', '.join(plan.machines)}."
                f" Nothing is paused before {plan.not_before}. If you do nothing, only what the caps allow is paused.",
                why=why,
                due_by=max(datetime.combine(plan.not_before, time(), UTC), now + timedelta(hours=4)),
                ways_on=(
                    WayOn(words="If you approve", job="approve_pause", form=form),
                    WayOn(words="If it must not happen", job="veto_pause", form=(("customer", customer),)),
                ),
            )
        )
        payload: dict[str, Any] = {
            "to": approver,
            "subject": mail.subject,
            "text": mail.text,
            "html": mail.html,
            "attachments": [],
        }
        key = keys.approval(plan_id=plan_id, approver=approver)
        effect_id = prepare(connection, kind=APPROVAL, business_key=key, payload=payload, now=now)
        queries.insert_approval(connection, plan_id=plan_id, approver=approver, effect_id=effect_id, now=now)


class WrongCode(LookupError):
    """The code does not approve. One line; the try is counted."""


def approve(
    connection: sa.Connection, *, plan_id: int, approver: str, code: str, actor: str, now: datetime
) -> str | WrongCode:
    """Take a person's approval of a plan: the customer, or why it is none, which the caller raises once it is counted.

    Raises LookupError for a plan that nobody was asked about.
    """
    asked = {row.approver: row for row in queries.approval(connection, plan_id=plan_id)}
    ours = next((row for each, row in asked.items() if same_mailbox(each, approver)), None)
    if ours is None:
        raise LookupError(f"{approver} was not asked to approve plan {plan_id}")
    if refused := _refused(ours, list(asked.values()), actor=actor):
        raise LookupError(refused)
    right = hmac.compare_digest(_hash_like(code, ours.code_hash or ""), ours.code_hash or "-")
    queries.note_try(connection, plan_id=plan_id, approver=ours.approver, right=right, actor=actor, now=now)
    if right:
        return ours.customer
    left = MOST_TRIES - ours.tries - 1
    return WrongCode(f"the code of {approver} for plan {plan_id} is wrong: {left} tries are left")


def _refused(ours: Approval, asked: Sequence[Approval], *, actor: str) -> str:
    if ours.closed_at is not None:
        return f"plan {ours.plan_id} is over"
    if ours.approved_at is not None:
        return f"{ours.approver} has approved plan {ours.plan_id} already"
    if ours.code_hash is None:
        return "the mail with the code has not left yet"
    if ours.tries >= MOST_TRIES:
        return f"the code of {ours.approver} for plan {ours.plan_id} had {MOST_TRIES} wrong tries and is worth nothing"
    if any(each.actor and same_mailbox(each.actor, actor) for each in asked):
        return f"{actor} has approved plan {ours.plan_id} already: it needs two people"
    return ""


def _hash(code: str, salt: bytes | None = None) -> str:
    """A slow hash (scrypt, RFC 7914) with its salt, in hex."""
    salt = salt if salt is not None else secrets.token_bytes(16)
    digest = hashlib.scrypt(code.strip().upper().encode(), salt=salt, n=2**14, r=8, p=1)
    return f"{salt.hex()}:{digest.hex()}"


def _hash_like(code: str, code_hash: str) -> str:
    """The hash of a code under the salt of another's."""
    return _hash(code, bytes.fromhex(code_hash.partition(":")[0]))
