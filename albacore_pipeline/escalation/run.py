"""The evaluation of every document, and what follows from it, in one transaction.

As often as you like: what was decided before and is decided again writes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import sqlalchemy as sa

from albacore_pipeline.database import locks
from albacore_pipeline.effects import audit
from albacore_pipeline.escalation import plans, queries, returned, unmatched
from albacore_pipeline.escalation.debtors import Debtor, load
from albacore_pipeline.escalation.evaluate import Close, Decision, Enter, Wait
from albacore_pipeline.escalation.holds import warn_of_expiry
from albacore_pipeline.escalation.steps import enter, facts_sha256
from albacore_pipeline.registry.stages import Does

JUMP = timedelta(days=1)  # a Clock that went farther since the last evaluation is not believed alone
AGREED = timedelta(minutes=2)  # how far two sources of time may be apart

SecondClock = Callable[[], datetime | None]


class ClockInDoubt(Exception):
    """The Clock went ahead, and no second source of time agrees. One line, with the mend."""


@dataclass(frozen=True, kw_only=True)
class Decided:
    """What was decided on a document."""

    customer: str
    number: str
    decision: Decision


def escalate(
    connection: sa.Connection,
    *,
    now: datetime,
    second_clock: SecondClock,
    customers: Sequence[str] | None = None,
) -> list[Decided]:
    """Evaluate every document (of these customers) and enter what is due, but for the pause itself.

    The pause has gates of its own (`machine_power`). In the caller's transaction: a step, its notices and their intents
    are written together. `second_clock` is asked only where the Clock went far ahead. Raises ClockInDoubt.
    """
    locks.hold(connection, locks.ESCALATION)
    believe(connection, now=now, second_clock=second_clock)
    decided = decide(connection, now=now, customers=customers)
    queries.note_evaluation(connection, now=now)
    return decided


def decide(connection: sa.Connection, *, now: datetime, customers: Sequence[str] | None = None) -> list[Decided]:
    """As `escalate`, for a caller who holds the lock and believes the Clock."""
    queries.open_cases(connection, customers=customers, now=now)
    queries.supersede_reversed(connection, now=now)
    returned.note_refused(connection, now=now)
    unmatched.hold(connection, now=now)
    warn_of_expiry(connection, now=now)
    debtors = load(connection, now=now, customers=customers)
    plans.fall(connection, debtors=debtors, now=now)
    decided = [(debtor, decision) for debtor in debtors for decision in debtor.decide(now=now).values()]
    _note(connection, decided, now=now)
    _close(connection, decided, now=now)
    enter(
        connection,
        entered=[
            (debtor, each) for debtor, each in decided if isinstance(each, Enter) and each.stage.does is not Does.PAUSE
        ],
        now=now,
    )
    return [Decided(customer=debtor.row.customer, number=each.number, decision=each) for debtor, each in decided]


def believe(connection: sa.Connection, *, now: datetime, second_clock: SecondClock) -> None:
    """Make sure of the Clock at the first evaluation, and where it went more than a day ahead since the last one.

    Raises ClockInDoubt.
    """
    if went_steadily(connection, now=now):
        return
    last = queries.evaluated_at(connection)
    other = second_clock()
    if other is None or abs(other - now) > AGREED:
        second = f"Xero's says {other:%Y-%m-%d %H:%M}" if other else "Xero does not say what time it is"
        before = f" the last evaluation was on {last:%Y-%m-%d %H:%M}," if last else ""
        raise ClockInDoubt(
            f"the clock says {now:%Y-%m-%d %H:%M} UTC,{before} and {second}: nothing is evaluated until the two agree;"
            " check the host's time"
        )


def went_steadily(connection: sa.Connection, *, now: datetime) -> bool:
    """Whether the Clock went no more than a day ahead since the last evaluation, so that it needs no second source."""
    last = queries.evaluated_at(connection)
    return last is not None and now - last <= JUMP


def _note(connection: sa.Connection, decided: Iterable[tuple[Debtor, Decision]], *, now: datetime) -> None:
    """Write the decisions that are not those of before."""
    changed = [
        _changed(debtor, decision, case_id=case_id)
        for debtor, decision in decided
        if (case_id := debtor.documents[decision.number].case_id) is not None and differs(debtor, decision)
    ]
    if changed:
        queries.note_decisions(connection, decisions=changed, now=now)


def differs(debtor: Debtor, decision: Decision) -> bool:
    """Whether a decision is another one than was written last, or by another version of the policy."""
    document = debtor.documents[decision.number]
    before = (document.decision, document.stage, document.reason, document.next_stage, document.next_on)
    by = (document.policy, document.policy_from)
    return before != _written(decision) or by != (debtor.row.policy, debtor.policy.from_day)


def _changed(debtor: Debtor, decision: Decision, *, case_id: int) -> queries.ChangedDecision:
    kind, stage, reason, next_stage, next_on = _written(decision)
    return queries.ChangedDecision(
        case_id=case_id,
        decision=kind,
        stage=stage,
        reason=reason,
        next_stage=next_stage,
        next_on=next_on,
        policy=debtor.row.policy,
        policy_from=debtor.policy.from_day,
        facts_sha256=facts_sha256(debtor, decision.number),
    )


def _written(decision: Decision) -> tuple[str, str, str, str, date | None]:
    """A decision as it is kept: kind, stage, reason, next stage and its day."""
    match decision:
        case Enter(stage=stage):
            return "enter", stage.stage, f"{stage.stage} is due", "", None
        case Close(reason=reason):
            return "close", "", reason, "", None
        case Wait(state=state, reason=reason, next_stage=next_stage, next_on=next_on):
            return state, "", reason, next_stage, next_on


def _close(connection: sa.Connection, decided: Iterable[tuple[Debtor, Decision]], *, now: datetime) -> None:
    """End the cases that are over, with their tasks."""
    ended = [
        (debtor.row.customer, decision.number, queries.EndedCase(case_id=case_id, reason=decision.reason))
        for debtor, decision in decided
        if isinstance(decision, Close) and (case_id := debtor.documents[decision.number].case_id) is not None
    ]
    if not ended:
        return
    queries.close_cases(connection, cases=[case for _, _, case in ended], now=now)
    queries.close_tasks_of_cases(connection, cases=[case.case_id for _, _, case in ended], now=now)
    entries = [
        audit.Entry(action="close_case", subject=customer, details={"number": number, "reason": case.reason})
        for customer, number, case in ended
    ]
    audit.record_many(connection, entries=entries, now=now)
