"""Which stage a document enters when: tables over days for the default policy, and properties over any course."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from albacore_pipeline.escalation.evaluate import FRESH, Claim, Close, Enter, Wait, evaluate
from albacore_pipeline.periods import add_business_days
from albacore_pipeline.registry.policies import Policy
from albacore_pipeline.registry.stages import DEFAULT_STAGES, Does, Need, StageRule
from albacore_pipeline_tests.escalation.course import FRIDAY, Course, at, document

CHAIN = ["reminder", "overdue", "final_notice", "pause_scheduled", "paused"]
YEAR_END = date(2025, 12, 31)


def with_stage(name: str, **given: object) -> Policy:
    """The default policy with one stage another way."""
    return Policy(
        stages=tuple(rule.model_copy(update=given) if rule.stage == name else rule for rule in DEFAULT_STAGES)
    )


def waiting(course: Course, day: date, number: str = "A-1") -> Wait:
    """What a document waits for on a day."""
    decision = course.tick(at(day))[number]
    assert isinstance(decision, Wait), decision
    return decision


# The chain


def test_the_whole_chain_of_the_default_policy() -> None:
    entered = Course().run(date(2025, 11, 7), date(2026, 2, 1))
    assert [(f"{day:%a %d %b}", stage) for day, _, stage in entered] == [
        ("Tue 11 Nov", "upcoming"),
        ("Mon 17 Nov", "reminder"),
        ("Fri 21 Nov", "overdue"),
        ("Fri 28 Nov", "final_notice"),
        ("Fri 05 Dec", "pause_scheduled"),
        ("Mon 08 Dec", "paused"),
        ("Fri 16 Jan", "recovery"),
    ]


def test_each_waiting_document_says_what_comes_next_and_when() -> None:
    course = Course()
    course.run(date(2025, 11, 7), date(2025, 11, 22))
    wait = waiting(course, date(2025, 11, 23))
    assert (wait.state, wait.next_stage, wait.next_on) == ("waiting", "final_notice", date(2025, 11, 28))


def test_while_a_notice_is_on_its_way_the_next_stage_is_named_with_its_own_day() -> None:
    """Not with the day on which the notice will count as delivered."""
    course = Course()
    course.run(date(2025, 11, 7), date(2025, 11, 17))
    wait = waiting(course, date(2025, 11, 17))
    assert wait.reason == "the notice of reminder is not delivered yet"
    assert (wait.next_stage, wait.next_on) == ("overdue", date(2025, 11, 21))


@pytest.mark.parametrize("first", [date(2025, 11, 20), date(2026, 1, 12), date(2026, 6, 1)])
def test_a_late_run_moves_later_dates_and_skips_nothing(first: date) -> None:
    course = Course()
    entered = course.run(first, first + timedelta(days=120))
    assert [stage for _, _, stage in entered if stage != "recovery"] == CHAIN
    assert entered[0][0] == first
    gaps = [(later[0] - earlier[0]).days for earlier, later in itertools.pairwise(entered) if later[2] != "recovery"]
    assert min(gaps) >= 2


def test_run_once_a_week_it_still_takes_every_step() -> None:
    entered = Course().run(date(2025, 11, 17), date(2026, 4, 1), every=7)
    assert [stage for _, _, stage in entered if stage != "recovery"] == CHAIN


def test_holidays_are_no_business_days() -> None:
    course = Course(documents=[document(due_on=date(2025, 12, 24))])
    (reminder, *_) = course.run(date(2025, 12, 25), date(2026, 1, 10))
    assert reminder[0] == date(2025, 12, 29), "two holidays and a weekend"


def test_a_new_stage_in_the_middle_is_entered_next_and_none_is_skipped() -> None:
    course = Course()
    course.run(date(2025, 11, 17), date(2025, 12, 6))
    call = StageRule(
        stage="call", does=Does.REMIND, after="delivery", business_days=2, tell=("customer",),
        owner="a@albacore.example", template="overdue",
    )  # fmt: skip
    at_overdue = [rule.stage for rule in DEFAULT_STAGES].index("overdue")
    course.policy = Policy(stages=(*DEFAULT_STAGES[: at_overdue + 1], call, *DEFAULT_STAGES[at_overdue + 1 :]))
    entered = [stage for _, _, stage in course.run(date(2025, 12, 8), date(2025, 12, 20))]
    assert entered == ["call", "paused"]


# Documents, not customers


def test_a_later_document_inherits_no_stage() -> None:
    """Kill Bill 2297: the old one is paid, the newer one goes through every stage itself."""
    course = Course(documents=[document("A-1"), document("A-2", due_on=date(2025, 12, 4))])
    entered = course.run(date(2025, 11, 17), date(2025, 12, 6))
    course.change("A-1", ended="paid", owed=Decimal(0), amount_due=Decimal(0))
    entered += course.run(date(2025, 12, 7), date(2026, 2, 10))
    own = [(f"{day:%d %b}", stage) for day, number, stage in entered if number == "A-2"]
    assert own == [
        ("01 Dec", "upcoming"), ("05 Dec", "reminder"), ("10 Dec", "overdue"), ("18 Dec", "final_notice"),
        ("30 Dec", "pause_scheduled"), ("02 Jan", "paused"), ("05 Feb", "recovery"),
    ]  # fmt: skip


def test_a_disputed_document_does_not_hold_up_the_others() -> None:
    course = Course(documents=[document("A-1", stopped="on hold (dispute): hours"), document("A-2")])
    course.run(date(2025, 11, 17), date(2025, 12, 10))
    assert (course.stages("A-1"), course.stages("A-2")) == ([], CHAIN)
    held = course.tick(at(date(2025, 12, 10)))["A-1"]
    assert isinstance(held, Wait) and (held.state, held.reason) == ("held", "on hold (dispute): hours")


def test_a_document_whose_mail_never_left_enters_nothing() -> None:
    course = Course(documents=[document(sent_at=None)])
    assert course.run(date(2025, 11, 7), YEAR_END) == []
    assert waiting(course, YEAR_END).reason == "its mail has not left"


# How much


def test_the_minimum_is_asked_of_what_came_to_the_stage_together() -> None:
    six = [document(f"A-{nth}", amount="6") for nth in (1, 2)]
    assert Course(documents=six).run(date(2025, 11, 17), date(2025, 11, 18)) != []
    assert Course(documents=six[:1]).run(date(2025, 11, 17), YEAR_END) == [], "6 alone is below 10"


def test_what_is_disputed_or_not_due_makes_up_no_minimum() -> None:
    """5.00 are left while the real 500 is disputed, and another 500 is not due yet."""
    course = Course(
        documents=[
            document("A-1", amount="5"),
            document("A-2", stopped="on hold (dispute): all of it"),
            document("A-3", due_on=date(2026, 3, 1)),
        ]
    )
    assert [entry for entry in course.run(date(2025, 11, 17), date(2026, 1, 5)) if entry[1] == "A-1"] == []
    assert waiting(course, date(2026, 1, 5)).state == "resting"


def test_a_small_rest_that_is_further_on_waits_for_nobody_else_s_sum() -> None:
    """A-1 came to the final notice and all but 5 of it was paid; A-2 is only reminded."""
    course = Course(documents=[document("A-1"), document("A-2", due_on=date(2025, 12, 1))])
    course.run(date(2025, 11, 17), date(2025, 12, 4))
    course.change("A-1", owed=Decimal(5), amount_due=Decimal(5))
    entered = [stage for _, number, stage in course.run(date(2025, 12, 4), date(2025, 12, 12)) if number == "A-1"]
    assert entered == []


def test_a_percent_of_the_totals_may_be_asked_too() -> None:
    course = Course(documents=[document(owed=Decimal(40), amount_due=Decimal(40))])
    course.policy = with_stage("reminder", percent=Decimal(10))
    assert course.run(date(2025, 11, 17), date(2025, 11, 20)) == []
    course.change("A-1", owed=Decimal(50))
    assert course.run(date(2025, 11, 20), date(2025, 11, 21)) != []


# Part payments


@pytest.mark.parametrize(("left", "again"), [("499.99", False), ("376", False), ("375", True), ("100", True)])
def test_a_quarter_of_the_claimed_sum_says_the_notice_once_more(left: str, again: bool) -> None:
    course = Course()
    course.run(date(2025, 11, 17), date(2025, 11, 30))
    course.change("A-1", owed=Decimal(left), amount_due=Decimal(left))
    entered = course.run(date(2025, 12, 1), date(2025, 12, 2))
    assert [stage for _, _, stage in entered] == (["final_notice"] if again else [])


def test_it_waits_its_time_again_and_only_once() -> None:
    course = Course()
    course.run(date(2025, 11, 17), date(2025, 11, 30))
    course.change("A-1", owed=Decimal(300), amount_due=Decimal(300))
    first = course.run(date(2025, 12, 1), date(2025, 12, 10))
    assert [(f"{day:%d}", stage) for day, _, stage in first] == [("01", "final_notice"), ("09", "pause_scheduled")]
    course.change("A-1", owed=Decimal(100), amount_due=Decimal(100))
    assert [stage for _, _, stage in course.run(date(2025, 12, 11), date(2025, 12, 20))] == ["paused"]


def test_a_debt_that_a_person_has_is_said_once_more_too() -> None:
    """The hand-over stands beside the chain: it does not hide the notice whose sum is another one now."""
    course = Course(policy=with_stage("pause_scheduled", needs=(Need.TASK_FINISHED,)))
    entered = [stage for _, _, stage in course.run(date(2025, 11, 17), date(2026, 1, 20))]
    assert entered[-2:] == ["final_notice", "recovery"]
    course.change("A-1", owed=Decimal(100), amount_due=Decimal(100))
    assert [stage for _, _, stage in course.run(date(2026, 1, 21), date(2026, 1, 22))] == ["final_notice"]


def test_each_reminder_before_the_due_date_is_sent_and_one_that_is_overtaken_is_missed() -> None:
    early = DEFAULT_STAGES[0].model_copy(update={"stage": "early", "business_days": -8})
    course = Course(policy=Policy(stages=(early, *DEFAULT_STAGES)))
    entered = course.run(date(2025, 11, 1), date(2025, 11, 14))
    assert [(f"{day:%d}", stage) for day, _, stage in entered] == [("04", "early"), ("11", "upcoming")]
    late = Course(policy=course.policy)
    assert [stage for _, _, stage in late.run(date(2025, 11, 12), date(2025, 11, 14))] == ["upcoming"]


def test_a_document_that_is_not_due_is_through_no_chain() -> None:
    """Its due date was moved after the pause: nothing stands behind a command any more."""
    course = Course()
    course.run(date(2025, 11, 17), date(2025, 12, 10))
    assert waiting(course, date(2025, 12, 11)).through
    course.change("A-1", due_on=date(2026, 2, 1))
    assert not waiting(course, date(2025, 12, 12)).through


def test_below_the_minimum_the_chain_rests_and_paid_closes_it() -> None:
    course = Course()
    course.run(date(2025, 11, 17), date(2025, 11, 30))
    course.change("A-1", owed=Decimal(9), amount_due=Decimal(9))
    assert course.run(date(2025, 12, 1), date(2025, 12, 20)) == []
    assert waiting(course, date(2025, 12, 20)).state == "resting"
    course.change("A-1", ended="paid", owed=Decimal(0))
    assert course.tick(at(date(2025, 12, 21))) == {"A-1": Close(number="A-1", reason="paid")}


# What stands in the way


@pytest.mark.parametrize("stage", CHAIN[:-1])
def test_nothing_follows_a_notice_that_came_back(stage: str) -> None:
    course = Course()
    days = {"reminder": 18, "overdue": 22, "final_notice": 29, "pause_scheduled": 36}
    course.run(date(2025, 11, 17), date(2025, 11, 1) + timedelta(days=days[stage]))
    assert course.stages()[-1] == stage
    course.claim("A-1", stage, came_back=True, delivered_at=None)
    after = [stage for _, _, stage in course.run(date(2025, 11, 18), date(2026, 2, 1))]
    assert after == ["recovery"], "only a person gets it in the end"
    assert "mend the address, then reopen_case" in waiting(course, date(2026, 2, 2)).reason


def test_a_veto_stops_it_until_it_is_reopened_and_the_debt_still_reaches_a_person() -> None:
    course = Course()
    course.run(date(2025, 11, 17), date(2025, 12, 6))
    course.claim("A-1", "pause_scheduled", fell="vetoed: he called", vetoed=True)
    assert [stage for _, _, stage in course.run(date(2025, 12, 6), date(2026, 2, 1))] == ["recovery"]
    course.claims["A-1"] = [claim for claim in course.claims["A-1"] if claim.stage != "pause_scheduled"]
    assert [stage for _, _, stage in course.run(date(2026, 2, 2), date(2026, 2, 10))] == ["pause_scheduled", "paused"]


def test_a_plan_that_fell_for_a_hold_is_announced_anew() -> None:
    course = Course()
    course.run(date(2025, 11, 17), date(2025, 12, 6))
    course.change("A-1", stopped="on hold (promise_to_pay): on Friday")
    course.claim("A-1", "pause_scheduled", fell="on hold (promise_to_pay): on Friday")
    assert course.run(date(2025, 12, 6), date(2025, 12, 15)) == []
    course.change("A-1", stopped="")
    assert [(f"{day:%d}", stage) for day, _, stage in course.run(date(2025, 12, 15), date(2025, 12, 24))] == [
        ("15", "pause_scheduled"), ("17", "paused"),
    ]  # fmt: skip


def test_a_stale_word_of_xero_enters_nothing() -> None:
    course = Course(fresh=False)
    assert course.run(date(2025, 11, 17), YEAR_END) == []
    assert "older than" in waiting(course, YEAR_END).reason


def test_without_a_machine_nothing_is_scheduled_and_a_person_gets_the_debt() -> None:
    course = Course(documents=[document(machines_left=0)])
    entered = [stage for _, _, stage in course.run(date(2025, 11, 17), date(2026, 2, 1))]
    assert entered == ["reminder", "overdue", "final_notice", "recovery"]
    assert "no machine" in waiting(course, date(2026, 2, 2)).reason


def test_an_owner_s_task_may_be_asked_for() -> None:
    course = Course(policy=with_stage("final_notice", needs=(Need.TASK_FINISHED,)))
    course.run(date(2025, 11, 17), date(2025, 12, 10))
    assert course.stages() == ["reminder", "overdue"]
    assert waiting(course, date(2025, 12, 10)).reason == "the task of overdue is not finished: finish_task"
    course.claim("A-1", "overdue", task_finished=True)
    assert [stage for _, _, stage in course.run(date(2025, 12, 11), date(2025, 12, 12))] == ["final_notice"]


def test_a_promise_in_a_delivered_notice_outlives_a_shorter_policy() -> None:
    course = Course(policy=with_stage("pause_scheduled", business_days=15))
    course.run(date(2025, 11, 17), date(2025, 11, 30))
    promised = course.claims["A-1"][-1].not_before
    course.policy = with_stage("pause_scheduled", business_days=2)
    entered = course.run(date(2025, 12, 1), date(2026, 1, 20))
    paused = next(day for day, _, stage in entered if stage == "paused")
    assert promised is not None and paused >= promised == date(2025, 12, 22)


def test_the_notice_promises_the_day_that_it_then_keeps() -> None:
    course = Course()
    entered = course.run(date(2025, 11, 17), date(2025, 12, 20))
    (final,) = [claim for claim in course.claims["A-1"] if claim.stage == "final_notice"]
    assert final.not_before == next(day for day, _, stage in entered if stage == "paused")


# Any course of events

EVENTS = st.lists(
    st.tuples(
        st.sampled_from(["days", "pay", "dispute", "free", "relay", "stale", "bounce", "sent"]), st.integers(0, 9)
    ),
    max_size=40,
)


@settings(max_examples=300, deadline=None)
@given(events=EVENTS, second_due=st.integers(-20, 40))
def test_no_course_of_events_skips_a_stage_or_pauses_early(events: list[tuple[str, int]], second_due: int) -> None:
    course = Course(documents=[document("A-1"), document("A-2", due_on=FRIDAY + timedelta(days=second_due))])
    today = FRIDAY
    for event, size in events:
        number = f"A-{1 + size % 2}"
        if event == "pay":
            left = Decimal(50 * size)
            course.change(number, owed=left, amount_due=left, ended="" if left else "paid")
        elif event in ("dispute", "free"):
            course.change(number, stopped="on hold (dispute): x" if event == "dispute" else "")
        elif event == "relay":
            course.relay_works = size > 3
        elif event == "stale":
            course.fresh = size > 3
        elif event == "bounce" and course.claims[number]:
            course.claim(number, course.claims[number][-1].stage, came_back=True, delivered_at=None)
        for _ in range(size if event == "days" else 1):
            today += timedelta(days=1)
            before = {each: list(claims) for each, claims in course.claims.items()}
            decisions = course.tick(at(today))
            assert set(decisions) == {"A-1", "A-2"}, "every document has an answer"
            for each, decision in decisions.items():
                if isinstance(decision, Enter) and decision.stage.stage in CHAIN:
                    check(course, each, decision, before.get(each, []), today)


def check(course: Course, number: str, decision: Enter, before: list[Claim], today: date) -> None:
    """What must hold whenever a stage of the chain is entered."""
    (owed,) = [each for each in course.documents if each.number == number]
    place = CHAIN.index(decision.stage.stage)
    stages = [claim.stage for claim in before if claim.stage in CHAIN and not claim.fell]
    assert owed.due_on < today and not owed.stopped and not owed.ended
    assert course.fresh or at(today) - at(FRIDAY) <= FRESH
    assert stages[:place] == CHAIN[:place], "no stage is skipped"
    assert decision.again or decision.stage.stage not in stages
    others = [claim for claim in before if claim.stage in CHAIN[:place]]
    assert all(claim.delivered_at and claim.delivered_at <= at(today) for claim in others), "each was delivered"
    waits = {rule.stage: rule.business_days for rule in DEFAULT_STAGES}
    if place and not decision.again:
        delivered = others[-1].delivered_at
        assert delivered is not None
        assert today >= add_business_days(day=delivered.date(), count=waits[decision.stage.stage], country="NO")
    if decision.stage.does is Does.PAUSE:
        assert all(today >= claim.not_before for claim in others if claim.not_before)


@given(events=EVENTS)
def test_the_same_facts_decide_the_same(events: list[tuple[str, int]]) -> None:
    course = Course()
    for _, size in events[:5]:
        now = at(FRIDAY + timedelta(days=5 * size))
        facts = course.facts(now)
        twice = [replace(facts), facts]
        first, second = (evaluate(facts=each, policy=course.policy, as_of=now) for each in twice)
        assert first == second
        course.tick(now)
