"""Which stage a debt enters when: tables over days for the default policy, and properties over any course of events."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from albacore_pipeline.escalation.evaluate import Close, Debt, Decision, Enter, Facts, Step, Wait, evaluate
from albacore_pipeline.periods import add_business_days, days
from albacore_pipeline.registry.policies import CHAIN, Policy, Stage
from albacore_pipeline_tests.clocks import utc

POLICY = Policy()
FRIDAY = date(2025, 11, 14)
DAY = timedelta(hours=24)


def at(day: date, hour: int = 6) -> datetime:
    return datetime.combine(day, time(hour), UTC)


def debt(number: str = "A-1", due_on: date = FRIDAY, amount: str = "500", **given: Any) -> Debt:
    values: dict[str, Any] = {"as_of": at(FRIDAY), "held": False} | given
    return Debt(number=number, due_on=due_on, amount_due=Decimal(amount), **values)


@dataclass
class Case:
    """A customer in Norway over time: what is owed, what was entered, what is held."""

    debts: list[Debt] = field(default_factory=lambda: [debt()])
    steps: list[Step] = field(default_factory=list)
    held: bool = False
    fresh: bool = True
    relay_works: bool = True

    def facts(self, now: datetime) -> Facts:
        """What is known at an instant; Xero was read just now, unless it can't be."""
        debts = tuple(replace(owed, as_of=now) if self.fresh else owed for owed in self.debts)
        return Facts(
            customer="acme", country="NO", currency="NOK", debts=debts, steps=tuple(self.steps),
            case_open=bool(self.steps), customer_held=self.held,
        )  # fmt: skip

    def tick(self, now: datetime, policy: Policy = POLICY) -> Decision:
        """Evaluate and do what was decided."""
        decision = evaluate(facts=self.facts(now), policy=policy, as_of=now)
        if isinstance(decision, Enter):
            sent = (now, now + DAY) if self.relay_works else (None, None)
            self.steps.append(
                Step(stage=decision.stage, sent_at=sent[0], delivered_at=sent[1], acts_after=decision.acts_after)
            )
        elif isinstance(decision, Close):
            self.steps = []
        return decision

    def run(self, first: date, last: date, *, every: int = 1) -> list[tuple[Stage | str, date]]:
        """Evaluate once a day; what was entered or closed, and when."""
        happened: list[tuple[Stage | str, date]] = []
        for day in list(days(first, last))[::every]:
            decision = self.tick(at(day))
            if isinstance(decision, Enter):
                happened.append((decision.stage, day))
            elif isinstance(decision, Close):
                happened.append((f"closed: {decision.reason}", day))
        return happened

    def run_to(self, stage: Stage) -> date:
        """Evaluate day after day until the stage is entered; returns the day."""
        day = self.debts[0].due_on
        while not (isinstance(decision := self.tick(at(day)), Enter) and decision.stage is stage):
            day += timedelta(days=1)
        return day

    def bounce(self, index: int = -1) -> None:
        """The notice of a step comes back."""
        if self.steps:
            self.steps[index] = replace(self.steps[index], delivered_at=None)


# The chain, day by day. 14 November 2025 is a Friday; Norway has no holiday before Christmas.


def test_the_whole_chain_of_the_default_policy() -> None:
    case = Case()
    assert case.run(date(2025, 11, 1), date(2026, 2, 1)) == [
        (Stage.UPCOMING, date(2025, 11, 9)),  # five days before
        (Stage.REMINDER, date(2025, 11, 17)),  # the first business day after
        (Stage.OVERDUE, date(2025, 11, 21)),  # seven days after the due date
        (Stage.FINAL_NOTICE, date(2025, 11, 28)),  # fourteen
        (Stage.PAUSE_SCHEDULED, date(2025, 12, 5)),  # delivered on Saturday the 29th, five business days
        (Stage.PAUSED, date(2025, 12, 8)),  # after the weekend
        (Stage.RECOVERY, date(2026, 1, 13)),  # sixty days after the due date
    ]
    scheduled = case.steps[4]
    assert scheduled.acts_after == utc("2025-12-08")


def test_owners_have_two_business_days() -> None:
    decision = Case().tick(at(date(2025, 11, 21)))
    assert isinstance(decision, Enter)
    assert (decision.stage, decision.number, decision.due_by) == (Stage.REMINDER, "A-1", utc("2025-11-25"))


def test_holidays_are_no_business_days() -> None:
    """Due on Maundy Thursday 2026: Good Friday, the weekend and Easter Monday pass before the reminder."""
    case = Case(debts=[debt(due_on=date(2026, 4, 2))])
    assert case.run(date(2026, 4, 3), date(2026, 4, 8)) == [(Stage.REMINDER, date(2026, 4, 7))]


@pytest.mark.parametrize("first", [date(2025, 11, 20), date(2025, 12, 20)])
def test_a_late_run_moves_later_dates_and_skips_nothing(first: date) -> None:
    """Nobody ran it for a while: the stages follow with their waiting times, from the day on which it runs again."""
    happened = Case().run(first, first + timedelta(days=80))
    assert [stage for stage, _ in happened[:5]] == list(CHAIN)
    gaps = [(later - earlier).days for (_, earlier), (_, later) in itertools.pairwise(happened)]
    assert gaps[0] >= 4
    assert gaps[1] >= 7
    assert gaps[2] >= 7
    assert gaps[3] >= 1


def test_run_once_a_week_it_still_takes_every_step() -> None:
    happened = Case().run(date(2025, 11, 9), date(2026, 3, 1), every=7)
    assert [stage for stage, _ in happened] == [Stage.UPCOMING, *CHAIN, Stage.RECOVERY]


def test_one_evaluation_enters_one_stage_however_late() -> None:
    case, now = Case(), at(date(2026, 6, 1))
    assert isinstance(case.tick(now), Enter)
    assert case.tick(now) == Wait("the notice of stage reminder is not delivered yet")


def test_a_policy_without_waits_still_waits_for_each_delivery() -> None:
    policy = Policy(
        reminder_business_days=1, overdue_days=0, final_notice_days=0, pause_business_days=0, veto_business_days=0
    )
    case, now, entered = Case(), at(FRIDAY, 12), []
    for _ in range(12 * 24):
        now += timedelta(hours=1)
        decision = case.tick(now, policy)
        if isinstance(decision, Enter) and decision.stage in CHAIN:
            entered.append(now)
    assert len(entered) == len(CHAIN)
    assert all(later - earlier >= DAY for earlier, later in itertools.pairwise(entered))


# What stops or ends it


@pytest.mark.parametrize("stage", CHAIN[:-1])
def test_a_notice_that_was_not_delivered_stops_the_chain(stage: Stage) -> None:
    case = Case()
    day = case.run_to(stage)
    case.bounce()
    assert case.run(day, day + timedelta(days=90)) == []
    assert case.tick(at(day)) == Wait(f"the notice of stage {stage} is not delivered yet")


def test_a_notice_that_comes_back_late_stops_the_pause() -> None:
    case = Case()
    day = case.run_to(Stage.PAUSE_SCHEDULED)
    case.bounce(-2)  # the final notice
    assert case.run(day, day + timedelta(days=90)) == []


def test_a_relay_that_is_down_stops_the_chain_until_it_works_again() -> None:
    case = Case(relay_works=False)
    assert case.run(date(2025, 11, 17), date(2025, 11, 30)) == [(Stage.REMINDER, date(2025, 11, 17))]
    case.steps[0] = replace(case.steps[0], sent_at=at(date(2025, 11, 30)), delivered_at=at(date(2025, 12, 1)))
    case.relay_works = True
    assert case.run(date(2025, 12, 1), date(2025, 12, 5)) == [(Stage.OVERDUE, date(2025, 12, 4))]


def test_a_veto_stops_the_pause() -> None:
    case = Case()
    day = case.run_to(Stage.PAUSE_SCHEDULED)
    case.steps[-1] = replace(case.steps[-1], outcome="vetoed")
    assert case.run(day, day + timedelta(days=60)) == []


def test_a_hold_of_the_customer_stops_and_its_end_goes_on_with_the_same_stage() -> None:
    case = Case()
    day = case.run_to(Stage.OVERDUE)
    case.held = True
    assert case.run(day, date(2025, 12, 10)) == []
    case.held = False
    assert case.run(date(2025, 12, 11), date(2025, 12, 12)) == [(Stage.FINAL_NOTICE, date(2025, 12, 11))]


def test_a_disputed_document_does_not_hold_up_the_others() -> None:
    later_due = date(2025, 11, 20)
    case = Case(debts=[debt(held=True), debt("A-2", later_due)])
    decision = case.tick(at(date(2025, 11, 21)))
    assert isinstance(decision, Enter)
    assert (decision.stage, decision.number) == (Stage.REMINDER, "A-2")
    alone = Case(debts=[debt(held=True), debt("A-2", later_due, "9.99")])
    assert alone.tick(at(date(2025, 12, 21))) == Wait("what is left is on hold")


def test_a_stale_word_of_xero_escalates_nothing() -> None:
    case, now = Case(fresh=False), at(date(2025, 11, 17))
    case.debts = [debt(as_of=now - DAY)]
    assert isinstance(case.tick(now), Enter)
    case = Case(debts=[debt(as_of=now - DAY - timedelta(seconds=1))], fresh=False)
    decision = case.tick(now)
    assert isinstance(decision, Wait)
    assert "older than" in decision.reason


@pytest.mark.parametrize(("left", "wanted"), [("9.99", Close("settled")), ("10", None)])
def test_a_partial_payment_ends_it_only_below_the_minimum(left: str, wanted: Close | None) -> None:
    case = Case()
    day = case.run_to(Stage.OVERDUE) + timedelta(days=1)
    case.debts = [debt(amount=left)]
    decision = case.tick(at(day))
    assert decision == wanted if wanted else isinstance(decision, Wait)


def test_the_minimum_is_the_currency_s() -> None:
    case = Case(debts=[debt(amount="150")])
    assert case.tick(at(date(2025, 11, 17)), Policy(minimum_due={"NOK": Decimal(200)})) == Wait("nothing to collect")


def test_paid_closes_the_case() -> None:
    case = Case()
    day = case.run_to(Stage.PAUSED)
    case.debts = []
    assert case.run(day, day + timedelta(days=3)) == [("closed: settled", day)]


def test_what_is_not_due_yet_keeps_no_case_open() -> None:
    case = Case(debts=[debt(), debt("A-2", date(2025, 12, 14))])
    day = case.run_to(Stage.FINAL_NOTICE)
    case.debts = case.debts[1:]
    assert case.run(day, date(2025, 12, 16))[:2] == [("closed: paid", day), (Stage.UPCOMING, date(2025, 12, 9))]


def test_a_later_debt_that_the_final_notice_did_not_find_overdue_begins_its_own_chain() -> None:
    """The dunned invoice is paid on the eve of the pause; the next one has just become overdue."""
    case = Case(debts=[debt(), debt("A-2", date(2025, 12, 4))])
    day = case.run_to(Stage.PAUSE_SCHEDULED)
    case.debts = case.debts[1:]
    assert case.run(day + timedelta(days=1), date(2025, 12, 9)) == [
        ("closed: paid", date(2025, 12, 6)),
        (Stage.REMINDER, date(2025, 12, 7)),
    ]


def test_an_overdue_trifle_is_not_reminded_because_more_is_not_due_yet() -> None:
    """It would be closed at once, reminded again, closed again: a mail at every evaluation."""
    case = Case(debts=[debt(amount="5"), debt("A-2", date(2025, 12, 14))])
    assert case.run(date(2025, 11, 15), date(2025, 12, 16)) == [(Stage.REMINDER, date(2025, 12, 15))]


def test_nothing_is_entered_before_the_due_date_but_the_word_that_it_comes() -> None:
    assert Case().run(date(2025, 10, 1), FRIDAY) == [(Stage.UPCOMING, date(2025, 11, 9))]


# Any course of events

events = st.lists(
    st.one_of(
        st.tuples(st.just("wait"), st.integers(1, 20)),
        st.tuples(
            st.sampled_from(["pay", "hold", "release", "dispute", "settle", "stale", "fresh"]), st.integers(0, 1)
        ),
        st.tuples(st.just("bounce"), st.integers(-3, -1)),
        st.tuples(st.sampled_from(["relay down", "relay up"]), st.just(0)),
    ),
    max_size=30,
)


def happen(case: Case, event: str, value: int) -> None:
    """Something that people, banks and relays do."""
    owed = case.debts[value] if event in ("pay", "dispute", "settle") and value < len(case.debts) else None
    match event:
        case "pay" if owed:
            case.debts[value] = replace(owed, amount_due=owed.amount_due / 8)
        case "dispute" if owed:
            case.debts[value] = replace(owed, held=not owed.held)
        case "settle" if owed:
            del case.debts[value]
        case "hold" | "release":
            case.held = event == "hold"
        case "stale" | "fresh":
            case.fresh = event == "fresh"
        case "relay down" | "relay up":
            case.relay_works = event == "relay up"
        case "bounce" if len(case.steps) >= -value:
            case.bounce(value)


def check_entry(decision: Enter, *, case: Case, before: Sequence[Step], now: datetime) -> None:
    """What must hold whenever a stage is entered."""
    chain = [step.stage for step in before if step.stage in CHAIN]
    assert chain == list(CHAIN[: len(chain)]), "entered in order"
    if decision.stage in CHAIN:
        assert decision.stage is CHAIN[len(chain)], "none is skipped"
        assert all(step.delivered_at and step.delivered_at <= now for step in before if step.stage in CHAIN)
    assert not case.held
    owed = [owed for owed in case.debts if not owed.held]
    assert sum(owed.amount_due for owed in owed) >= POLICY.minimum("NOK")
    if decision.stage is Stage.PAUSED:
        final = next(step for step in before if step.stage is Stage.FINAL_NOTICE)
        assert final.delivered_at is not None
        earliest = add_business_days(day=final.delivered_at.date(), count=POLICY.pause_business_days, country="NO")
        assert now.date() > earliest, "five business days, and one for a veto"
        assert final.sent_at is not None
        assert sum(owed.amount_due for owed in case.debts if owed.due_on < final.sent_at.date()) >= 10


@settings(max_examples=300)
@given(events=events, second_due=st.integers(0, 60))
def test_no_course_of_events_skips_a_stage_or_pauses_early(events: list[tuple[str, int]], second_due: int) -> None:
    case, now = Case(debts=[debt(), debt("A-2", FRIDAY + timedelta(days=second_due), "90")]), at(FRIDAY)
    changed = False
    for event, value in [*events, ("release", 0), ("fresh", 0), ("relay up", 0)] + [("wait", 3)] * 8:
        if event != "wait":
            happen(case, event, value)
            changed = True
        for _ in range(value if event == "wait" else 1):
            now += timedelta(days=1 if event == "wait" else 0, minutes=1)
            before, facts = tuple(case.steps), case.facts(now)
            decision = case.tick(now)
            assert evaluate(facts=facts, policy=POLICY, as_of=now) == decision, "the same facts, the same decision"
            shuffled = replace(facts, debts=facts.debts[::-1])
            assert evaluate(facts=shuffled, policy=POLICY, as_of=now) == decision, "in whatever order"
            if isinstance(decision, Enter):
                check_entry(decision, case=case, before=before, now=now)
            assert changed or not isinstance(decision, Close), "time alone closes no case, or it would open again"
            changed = False
