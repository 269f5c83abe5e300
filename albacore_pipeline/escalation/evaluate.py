"""Which stage a customer's debt enters next: a pure function of facts, policy and time.

Evaluate as often as you like: the same facts give the same decision, one evaluation enters one stage, and a late run
moves all later dates, because each stage waits for the documented delivery of the one before.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

from albacore_pipeline.periods import add_business_days
from albacore_pipeline.registry.policies import CHAIN, Policy, Stage

FRESH = timedelta(hours=24)  # older words of Xero escalate nothing


@dataclass(frozen=True, kw_only=True)
class Debt:
    """An issued document that the customer was sent and has not paid in full."""

    number: str
    due_on: date
    amount_due: Decimal
    as_of: datetime
    held: bool  # disputed, or otherwise kept out by a hold of its own


@dataclass(frozen=True, kw_only=True)
class Step:
    """A stage that was entered. Empty instants: not yet; `delivered_at` may lie ahead."""

    stage: Stage
    sent_at: datetime | None
    delivered_at: datetime | None
    acts_after: datetime | None = None
    outcome: str = "open"


@dataclass(frozen=True, kw_only=True)
class Facts:
    """All that a decision may depend on."""

    customer: str
    country: str
    currency: str
    debts: tuple[Debt, ...]
    steps: tuple[Step, ...]  # of the open case, in order
    case_open: bool
    customer_held: bool


@dataclass(frozen=True, kw_only=True)
class Enter:
    """Enter a stage, anchored to the oldest debt; `acts_after` is set for a scheduled pause."""

    stage: Stage
    number: str
    due_by: datetime
    acts_after: datetime | None = None


@dataclass(frozen=True)
class Close:
    """The case is over."""

    reason: str


@dataclass(frozen=True)
class Wait:
    """Nothing is due."""

    reason: str


Decision = Enter | Close | Wait


def standing(*, facts: Facts, policy: Policy, as_of: datetime) -> Close | Wait | Debt:
    """The oldest debt that may be escalated now, else why there is none: settled, on hold, or not known freshly."""
    minimum = policy.minimum(facts.currency)
    if _sum(facts.debts) < minimum:
        return Close("settled") if facts.case_open else Wait("nothing to collect")
    in_chain = any(step.stage in CHAIN for step in facts.steps)
    if in_chain and _sum(_overdue(facts.debts, on=_noticed_on(facts.steps, as_of=as_of))) < minimum:
        return Close("paid")  # what became overdue later begins a chain of its own
    if facts.customer_held:
        return Wait("on hold")
    debts = sorted((debt for debt in facts.debts if not debt.held), key=lambda debt: (debt.due_on, debt.number))
    if _sum(debts) < minimum:
        return Wait("what is left is on hold")
    if as_of - debts[0].as_of > FRESH:
        return Wait(f"Xero's word on {debts[0].number} is older than {FRESH}")
    return debts[0]


def evaluate(*, facts: Facts, policy: Policy, as_of: datetime) -> Decision:
    """The decision for a customer as of an instant."""
    anchor = standing(facts=facts, policy=policy, as_of=as_of)
    if not isinstance(anchor, Debt):
        return anchor
    entered = {step.stage: step for step in facts.steps}
    due_by = _at(add_business_days(day=as_of.date(), count=policy.owner_business_days, country=facts.country))
    if not entered and anchor.due_on - timedelta(days=policy.upcoming_days_before) <= as_of.date() <= anchor.due_on:
        return Enter(stage=Stage.UPCOMING, number=anchor.number, due_by=due_by)
    stage = next((stage for stage in CHAIN if stage not in entered), None)
    if stage is None:
        return _recovery(facts=facts, policy=policy, anchor=anchor, due_by=due_by, as_of=as_of)
    free = [debt for debt in facts.debts if not debt.held]
    if _sum(_overdue(free, on=as_of.date())) < policy.minimum(facts.currency):
        return Wait("what is overdue is below the minimum")
    obstacle = _obstacle(stage, entered=entered, anchor=anchor, policy=policy, country=facts.country, as_of=as_of)
    if obstacle:
        return Wait(obstacle)
    acts_after = None
    if stage is Stage.PAUSE_SCHEDULED:
        acts_after = _at(add_business_days(day=as_of.date(), count=policy.veto_business_days, country=facts.country))
    return Enter(stage=stage, number=anchor.number, due_by=due_by, acts_after=acts_after)


def _obstacle(
    stage: Stage, *, entered: dict[Stage, Step], anchor: Debt, policy: Policy, country: str, as_of: datetime
) -> str:
    """Why a stage of the chain can't be entered yet; empty when it can."""
    reminder_day = add_business_days(day=anchor.due_on, count=policy.reminder_business_days, country=country)
    if stage is Stage.REMINDER:
        return "" if as_of.date() >= reminder_day else f"the reminder is due on {reminder_day}"
    before = entered[CHAIN[CHAIN.index(stage) - 1]]
    if before.outcome == "vetoed":
        return "the pause was vetoed"
    missing = undelivered(entered.values(), as_of=as_of)
    if missing:
        return f"the notice of stage {missing} is not delivered yet"
    assert before.sent_at is not None and before.delivered_at is not None  # noqa: S101 - it is delivered
    if stage is Stage.PAUSED:
        return (
            ""
            if before.acts_after and as_of >= before.acts_after
            else f"the pause is scheduled for {before.acts_after}"
        )
    if stage is Stage.PAUSE_SCHEDULED:
        day = add_business_days(day=before.delivered_at.date(), count=policy.pause_business_days, country=country)
    else:
        by_due, gap = {
            Stage.OVERDUE: (policy.overdue_days, policy.overdue_days - (reminder_day - anchor.due_on).days),
            Stage.FINAL_NOTICE: (policy.final_notice_days, policy.final_notice_days - policy.overdue_days),
        }[stage]
        day = max(anchor.due_on + timedelta(days=by_due), before.sent_at.date() + timedelta(days=max(gap, 1)))
    return "" if as_of.date() >= day else f"stage {stage} is due on {day}"


def undelivered(steps: Iterable[Step], *, as_of: datetime) -> Stage | None:
    """The first stage before the pause whose notice is not delivered, or came back since; None when all are."""
    return next(
        (
            step.stage
            for step in steps
            if step.stage in CHAIN[:-1]
            and (step.sent_at is None or step.delivered_at is None or step.delivered_at > as_of)
        ),
        None,
    )


def _recovery(*, facts: Facts, policy: Policy, anchor: Debt, due_by: datetime, as_of: datetime) -> Decision:
    if any(step.stage is Stage.RECOVERY for step in facts.steps):
        return Wait("with the finance director")
    if as_of.date() < anchor.due_on + timedelta(days=policy.recovery_days):
        return Wait("paused, waiting for the payment")
    return Enter(stage=Stage.RECOVERY, number=anchor.number, due_by=due_by)


def _noticed_on(steps: Iterable[Step], *, as_of: datetime) -> date:
    """From the final notice on a case is about what was overdue on that day; before it, about all that is overdue."""
    sent = next((step.sent_at for step in steps if step.stage is Stage.FINAL_NOTICE), None)
    return (sent or as_of).date()


def _overdue(debts: Iterable[Debt], *, on: date) -> list[Debt]:
    return [debt for debt in debts if debt.due_on < on]


def _sum(debts: Iterable[Debt]) -> Decimal:
    return sum((debt.amount_due for debt in debts), Decimal(0))


def _at(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
