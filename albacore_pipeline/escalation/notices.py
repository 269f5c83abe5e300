"""Notices as effects: a mail that asks, before it leaves, whether what it says is still true.

One that is not is taken back with its step, and what of it is still true is said anew in the same transaction.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from albacore_pipeline.database import locks
from albacore_pipeline.effects.interface import Cancelled, Effect, Outcome
from albacore_pipeline.effects.mail import MailHandler
from albacore_pipeline.escalation import queries
from albacore_pipeline.escalation.debtors import load
from albacore_pipeline.escalation.evaluate import Document, Facts
from albacore_pipeline.escalation.queries import NoticeClaim
from albacore_pipeline.escalation.run import decide, went_steadily
from albacore_pipeline.escalation.steps import NOTICE
from albacore_pipeline.escalation.tasks import close_tasks
from albacore_pipeline.periods import Clock
from albacore_pipeline.registry.stages import Does

SAYS_WHAT_IS_DONE = (Does.PAUSE,)  # its machines were read to be off: that stays true


@dataclass(kw_only=True)
class NoticeHandler:
    """Sends notices by a relay, those that are still true."""

    mail: MailHandler
    engine: sa.Engine
    clock: Clock
    name: str = NOTICE
    batch: int = 20

    def send(self, effects: Sequence[Effect]) -> list[Outcome]:
        """Ask of each whether it is true, and hand over those that are."""
        with self.engine.begin() as connection:
            untrue = why_untrue(connection, effects=[effect.effect_id for effect in effects], now=self.clock.now())
        true = [effect for effect in effects if effect.effect_id not in untrue]
        sent = iter(self.mail.send(true) if true else [])
        return [Cancelled(untrue[effect.effect_id]) if effect.effect_id in untrue else next(sent) for effect in effects]

    def look_up(self, effects: Sequence[Effect]) -> list[Outcome]:
        """As of any mail."""
        return self.mail.look_up(effects)

    def settle(self, connection: sa.Connection, *, effect: Effect, outcome: Outcome, now: datetime) -> None:
        """Take back the step of a notice that is not true, and say the rest anew."""
        if isinstance(outcome, Cancelled):
            locks.hold(connection, locks.ESCALATION)
            for claim in queries.notices_of(connection, effects=[effect.effect_id])[:1]:
                withdraw(connection, step_id=claim.step_id, why=outcome.reason, now=now)


def why_untrue(connection: sa.Connection, *, effects: Sequence[int], now: datetime) -> dict[int, str]:
    """Of these notices, those that say what is not so any more, with why."""
    claims = queries.notices_of(connection, effects=effects)
    customers = sorted({claim.customer for claim in claims})
    facts = {debtor.row.customer: debtor.facts for debtor in load(connection, now=now, customers=customers)}
    untrue: dict[int, str] = {}
    for claim in claims:
        if why := _why_untrue(claim, facts.get(claim.customer)):
            untrue.setdefault(claim.effect_id, f"{claim.number}: {why}")
    return untrue


def _why_untrue(claim: NoticeClaim, facts: Facts | None) -> str:
    if claim.does in SAYS_WHAT_IS_DONE:
        return ""
    if claim.superseded:
        return "it is said anew"
    document = _document(facts, claim.number)
    if document is None or document.ended:
        return document.ended if document else "paid"
    if document.stopped or (facts and facts.stopped):
        return document.stopped or (facts.stopped if facts else "")
    return "" if document.owed == claim.owed else f"{document.owed:.2f} is owed, not {claim.owed:.2f}"


def _document(facts: Facts | None, number: str) -> Document | None:
    return next((document for document in facts.documents if document.number == number), None) if facts else None


def withdraw(connection: sa.Connection, *, step_id: int, why: str, now: datetime) -> None:
    """Take a step back that the customer has not been told of; what still holds enters its stage anew.

    Where he has it, only the copies that have not left are not sent any more. The caller holds the lock.
    """
    queries.cancel_notices(connection, step_id=step_id, why=why, now=now)
    customer = queries.withdraw_step(connection, step_id=step_id, why=why, now=now)
    if customer is None:
        return
    numbers = queries.supersede_step(connection, step_id=step_id, why=f"withdrawn: {why}", now=now)
    queries.fall_items(
        connection,
        fallen=[queries.FallenDocument(number=number, why="its notice was withdrawn") for number in numbers],
        now=now,
    )
    queries.close_plans(connection, now=now)
    close_tasks(connection, keys=[f"step:{step_id}"], why=f"the notice was withdrawn: {why}", now=now)
    if went_steadily(connection, now=now):  # else the next evaluation says it anew, once it believes the Clock
        decide(connection, now=now, customers=[customer])
