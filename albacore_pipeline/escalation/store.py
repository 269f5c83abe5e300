"""Cases, steps, notices and holds in the database."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

import sqlalchemy as sa

from albacore_pipeline.database import locks
from albacore_pipeline.effects import audit, keys
from albacore_pipeline.effects.mail import MAIL
from albacore_pipeline.effects.outbox import fingerprint, prepare
from albacore_pipeline.escalation import queries
from albacore_pipeline.escalation.evaluate import Close, Debt, Decision, Enter, Facts, Step, Wait, evaluate
from albacore_pipeline.escalation.notices import notice, recipients
from albacore_pipeline.registry.policies import Policy, Stage
from albacore_pipeline.registry.store import policy_in_force


@dataclass(frozen=True, kw_only=True)
class Case:
    """A customer with what a decision needs, and whom a notice goes to."""

    facts: Facts
    policy_name: str
    policy: Policy
    name: str
    email: str
    account_manager: str


@dataclass(frozen=True, kw_only=True)
class Decided:
    """What was decided for a customer, and why."""

    customer: str
    decision: Decision


def cases(connection: sa.Connection, *, now: datetime, customer: str | None = None) -> list[Case]:
    """The facts of every customer with an open document or case (or of one)."""
    rows = queries.customers(connection, customer=customer)
    names = [row.customer for row in rows]
    debts, steps = _debts(connection, names, now=now), _steps(connection, names)
    held = set(queries.held_customers(connection, customers=names, now=now))
    policies = {name: policy_in_force(connection, name=name, now=now) for name in {row.policy for row in rows}}
    return [
        Case(
            facts=Facts(
                customer=row.customer,
                country=row.country,
                currency=row.currency,
                debts=tuple(debts[row.customer]),
                steps=tuple(steps[row.customer]),
                case_open=row.case_id is not None,
                customer_held=row.customer in held,
            ),
            policy_name=row.policy,
            policy=policies[row.policy],
            name=row.name,
            email=row.email,
            account_manager=row.account_manager,
        )
        for row in rows
    ]


def _debts(connection: sa.Connection, customers: Sequence[str], *, now: datetime) -> defaultdict[str, list[Debt]]:
    debts: defaultdict[str, list[Debt]] = defaultdict(list)
    for row in queries.debts(connection, customers=customers, now=now):
        debts[row.customer].append(
            Debt(number=row.number, due_on=row.due_on, amount_due=row.amount_due, as_of=row.as_of, held=row.held)
        )
    return debts


def _steps(connection: sa.Connection, customers: Sequence[str]) -> defaultdict[str, list[Step]]:
    steps: defaultdict[str, list[Step]] = defaultdict(list)
    for row in queries.steps(connection, customers=customers):
        steps[row.customer].append(
            Step(
                stage=row.stage,
                sent_at=row.sent_at,
                delivered_at=row.delivered_at,
                acts_after=row.acts_after,
                outcome=row.outcome,
            )
        )
    return steps


def escalate(connection: sa.Connection, *, now: datetime) -> list[Decided]:
    """Evaluate every customer and enter what is due, but for the pause itself, which has gates of its own.

    In the caller's transaction: the step, its notices and their intents are written together.
    """
    locks.hold(connection, locks.ESCALATION)
    decided = []
    for case in cases(connection, now=now):
        decision = evaluate(facts=case.facts, policy=case.policy, as_of=now)
        if isinstance(decision, Enter) and decision.stage is Stage.PAUSED:
            decision = Wait("the pause is due")
        elif isinstance(decision, Enter):
            enter(connection, case=case, decision=decision, now=now)
        elif isinstance(decision, Close):
            close(connection, customer=case.facts.customer, reason=decision.reason, now=now)
        decided.append(Decided(customer=case.facts.customer, decision=decision))
    return decided


def enter(connection: sa.Connection, *, case: Case, decision: Enter, now: datetime) -> int | None:
    """Write a step with its notices; returns its id, or None when the case has entered the stage already."""
    case_id = queries.open_case(connection, customer=case.facts.customer, now=now)
    facts = json.loads(json.dumps(asdict(case.facts), default=str))
    step_id = queries.insert_step(
        connection,
        case_id=case_id,
        number=decision.number,
        stage=decision.stage,
        now=now,
        policy=case.policy_name,
        policy_from=case.policy.from_day,
        facts=json.dumps(facts),
        facts_sha256=fingerprint(facts),
        owner=case.policy.owner(decision.stage),
        due_by=decision.due_by,
        acts_after=decision.acts_after,
    )
    if step_id is not None:
        _write_notices(connection, step_id=step_id, case=case, decision=decision, now=now)
        details = {"stage": decision.stage, "number": decision.number, "facts_sha256": fingerprint(facts)}
        audit.record(connection, now=now, action="escalate", subject=case.facts.customer, details=details)
    return step_id


def close(connection: sa.Connection, *, customer: str, reason: str, now: datetime) -> None:
    """End the customer's case; what a pause of it stopped is resumed by whoever asks next."""
    if queries.close_case(connection, customer=customer, reason=reason, now=now) is not None:
        audit.record(connection, now=now, action="close_case", subject=customer, details={"reason": reason})


def _write_notices(connection: sa.Connection, *, step_id: int, case: Case, decision: Enter, now: datetime) -> None:
    customer = case.facts.customer
    invoices = queries.open_invoices(connection, customer=customer)
    machines = [f"{row.site} {row.machine}" for row in queries.pausable(connection, customer=customer, now=now)]
    subject, text = notice(
        stage=decision.stage,
        name=case.name,
        invoices=invoices,
        machines=machines,
        policy=case.policy,
        acts_after=decision.acts_after,
    )
    for recipient in recipients(
        stage=decision.stage, email=case.email, account_manager=case.account_manager, policy=case.policy
    ):
        payload = {"to": recipient, "subject": subject, "text": text, "attachments": []}
        key = keys.notice(step_id=step_id, recipient=recipient)
        effect_id = prepare(connection, kind=MAIL, business_key=key, payload=payload, now=now)
        queries.insert_notice(
            connection, step_id=step_id, recipient=recipient, template=decision.stage, effect_id=effect_id
        )


def place_hold(
    connection: sa.Connection,
    *,
    customer: str,
    number: str | None,
    kind: str,
    reason: str,
    owner: str,
    until_at: datetime,
    now: datetime,
) -> int:
    """Keep a customer, or one document, out of escalation until an instant; returns the hold's id.

    Raises LookupError for a customer who is not known, or a document that is not his.
    """
    if not queries.hold_target(connection, customer=customer, number=number):
        raise LookupError(f"{number or customer} is not known{f' as a document of {customer}' if number else ''}")
    return queries.place_hold(
        connection, customer=customer, number=number, kind=kind, reason=reason, owner=owner, until_at=until_at, now=now
    )


def release_hold(connection: sa.Connection, *, customer: str, number: str | None, actor: str, now: datetime) -> int:
    """End the holds of a customer, or of one document; returns how many. Raises LookupError when there is none."""
    count = queries.release_hold(connection, customer=customer, number=number, actor=actor, now=now)
    if not count:
        raise LookupError(f"no hold on {number or customer} is in force")
    return count
