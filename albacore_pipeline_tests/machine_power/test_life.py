"""Lives of debtors: anything that can happen, in any order, on the real SQL, with time travel.

After every step the laws hold (`laws.py`), and at rest whoever owes nothing has his machines running.
`pytest -m slow` lives ten thousand lives; ALBACORE_LIVES is how many each chance has otherwise.
"""

from __future__ import annotations

import copy
import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from albacore_pipeline.data_centres.interface import PowerState
from albacore_pipeline.database import connect
from albacore_pipeline.escalation import acts
from albacore_pipeline.escalation.run import ClockInDoubt
from albacore_pipeline.machine_power import acts as power
from albacore_pipeline.registry.rows import Assignment
from albacore_pipeline.xero.interface import Status, UnappliedKind
from albacore_pipeline_tests.clocks import FrozenClock, utc
from albacore_pipeline_tests.machine_power.laws import Books, Hold, Laws
from albacore_pipeline_tests.machine_power.life import (
    CUSTOMERS,
    HOLDERS,
    POLICIES,
    TICKETS,
    Life,
    Outside,
    Shelves,
)
from albacore_pipeline_tests.small_world import site_of

SEEDS, LIVES, STEPS = 4, 25, 30  # a hundred lives, which several workers share
NUMBERS = [f"ALB-2025-00000{nth}" for nth in range(1, 6)]
WHO = {"actor": "anna@albacore.example", "reason": "test"}
NIGHTS = ["2025-11-17", "2025-11-21", "2025-11-28", "2025-12-05"]
BEGINNINGS = {  # nights and days on which the office worked before a life begins, and when it does
    "due": ([], [], "2025-11-14T09:00"),
    "reminded": (NIGHTS[:2], [], "2025-11-27T09:00"),
    "announced": (NIGHTS, [], "2025-12-08T08:00"),
    "paused": (NIGHTS, ["2025-12-08", "2025-12-09", "2025-12-10"], "2025-12-11T07:00"),
    "before christmas": (["2025-12-02", "2025-12-08", "2025-12-15", "2025-12-22"], [], "2025-12-23T09:00"),
}

machines, customers, numbers = (st.sampled_from(sorted(each)) for each in (HOLDERS, CUSTOMERS, NUMBERS))
amounts = st.sampled_from(["30", "480", "995", "1600"])
kinds, lines = st.sampled_from(["dispute", "promise_to_pay", "manual"]), st.sampled_from([[], [1], [2]])
stages = st.sampled_from(["", "", "reminder", "final_notice", "pause_scheduled"])
whens, states = st.sampled_from([-5, 0, 1]), st.sampled_from(["billable", "billable", "repair"])
seldom = st.sampled_from([False, False, True])


Happening = tuple[str, dict[str, Any]]


def happens(name: str, /, **given: st.SearchStrategy[Any]) -> st.SearchStrategy[Happening]:
    """A method of a life, and with what."""
    return st.tuples(st.just(name), st.fixed_dictionaries(given))


def often(*weighted: tuple[int, st.SearchStrategy[Happening]]) -> st.SearchStrategy[Happening]:
    """One of these, by weight."""
    return st.sampled_from([each for weight, each in weighted for _ in range(weight)]).flatmap(lambda each: each)


IN_XERO = often(
    (6, happens("a_payment", number=numbers, part=st.sampled_from(["1", "1", "0.95", "0.3", "0.1"]))),
    (3, happens("a_payment_is_taken_back")),
    (2, happens("money_that_nobody_has_applied", name=customers, amount=amounts, kind=st.sampled_from(UnappliedKind))),
    (2, happens("that_money_goes")),
    (1, happens("a_person_edits_in_xero", number=numbers, days=st.just(20))),
    (2, happens("a_person_edits_in_xero", number=numbers, days=st.just(0))),
    (1, happens("a_person_voids_in_xero", number=numbers)),
)  # fmt: skip
PEOPLE = often(
    (3, happens("a_hold", number=numbers, days=st.integers(1, 12), kind=kinds, lines=lines, whole=seldom)),
    (3, happens("holds_are_released", number=numbers, whole=st.booleans())),
    (2, happens("a_mail_bounces", nth=st.integers(0, 8))),
    (3, happens("a_case_is_reopened", number=numbers, stage=stages)),
    (1, happens("a_document_is_written_off", number=numbers)),
    (1, happens("a_veto", name=customers)),
    (1, happens("the_kill_switch", on=st.just(True))),
    (3, happens("the_kill_switch", on=st.just(False))),
    (2, happens("a_site_stop_is_cleared")),
    (4, happens("an_approval", actor=st.sampled_from(["anna", "ben"]), wrong=st.sampled_from([False, False, True]))),
    (3, happens("a_ticket_is_answered", answer=st.sampled_from(["done", "was off already", "not done"]))),
    (1, happens("a_backup")),
    (1, happens("the_backup_is_put_back")),
)  # fmt: skip
REGISTRY = often(
    (3, happens("a_handover", machine=machines, to=st.sampled_from(["", *CUSTOMERS]), when=whens, state=states)),
    (2, happens("the_policy_changes", policy=st.sampled_from(sorted(POLICIES)))),
)  # fmt: skip
FAULTS = often(
    (1, happens("xero_is_out", silent=st.just(True))),
    (2, happens("xero_is_out", silent=st.just(False))),
    (1, happens("the_relay_is_out", down=st.just(True))),
    (2, happens("the_relay_is_out", down=st.just(False))),
    (3, happens("the_control", manner=st.sampled_from(["idle", "other", "lost", "down"]))),
    (3, happens("the_control", manner=st.just("obeys"))),
    (2, happens("operations_switch_a_machine", machine=machines, state=st.sampled_from(PowerState))),
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Beginning:
    """A life as it is found: on its shelf in the database, outside of it, and what its laws remember."""

    shelf: str
    outside: Outside
    laws: Laws

    def begin(self, stage: Stage) -> Laws:
        """The life, and its laws."""
        stage.shelves.put_back(self.shelf)
        laws = Laws(life=self.outside.life(stage.engine))
        for name in ("books", "ours", "commands", "plans"):
            setattr(laws, name, copy.deepcopy(getattr(self.laws, name)))
        return laws


@dataclass(frozen=True, kw_only=True)
class Stage:
    """Where all lives are lived."""

    engine: sa.Engine
    shelves: Shelves
    beginnings: dict[str, Beginning]


def build(engine: sa.Engine) -> Stage:
    """The beginnings, each on its shelf."""
    with engine.begin() as connection:
        name = engine.url.database
        connection.exec_driver_sql(f"alter database {name} set plan_cache_mode = force_generic_plan")
        connection.exec_driver_sql(f"alter database {name} set jit = off")
    engine.dispose()
    life = Life(engine=engine, clock=FrozenClock(utc("2025-11-01T06:00")))
    life.begin()
    shelves = Shelves(engine)
    shelves.keep("issued")
    issued = Outside.of(life)
    beginnings = {}
    for nth, (word, (nights, days, at)) in enumerate(BEGINNINGS.items()):
        shelves.put_back("issued")
        life = issued.life(engine)
        laws = Laws(life=life)
        for day in nights:
            life.clock.at = utc(f"{day}T05:00")
            life.night_if_xero_speaks()
        for day in days:
            life.clock.at = utc(f"{day}T09:00")
            life.tick()
        life.clock.at = utc(at)
        shelves.keep(f"beginning_{nth}")
        beginnings[word] = Beginning(shelf=f"beginning_{nth}", outside=Outside.of(life), laws=laws)
    return Stage(engine=engine, shelves=shelves, beginnings=beginnings)


class Lives(RuleBasedStateMachine):
    """One life. The stage is given by the test."""

    stage: Stage

    @initialize(
        word=st.sampled_from(["announced", "announced", "paused", "paused", "before christmas", "reminded", "due"])
    )
    def begin(self, word: str) -> None:
        self.laws = self.stage.beginnings[word].begin(self.stage)
        self.life = self.laws.life
        self.backup: Books | None = None
        self.paid: list[tuple[str, str]] = []

    # Time, and what runs in it

    @rule(hours=st.integers(1, 30))
    def hours_pass(self, hours: int) -> None:
        self.life.clock.at += timedelta(hours=hours)

    @rule(days=st.integers(1, 10))
    def we_are_out_for_days(self, days: int) -> None:
        self.life.clock.at += timedelta(days=days)

    @rule(jump=st.integers(1, 3), hour=st.sampled_from([7, 9, 11]))
    def days_go_by(self, jump: int, hour: int) -> None:
        """The usual day: a night's work, and pauses and resumes in the morning."""
        at = self.life.clock.at.replace(hour=hour, minute=0) + timedelta(days=jump)
        self.life.clock.at = at
        self.life.tick()
        self._ticked()

    @rule()
    def night(self) -> None:
        self.life.night_if_xero_speaks()

    @rule(hour=st.sampled_from([7, 8, 9, 10]))
    def pauses_run(self, hour: int) -> None:
        if self.life.clock.at.hour < hour:
            self.life.clock.at = self.life.clock.at.replace(hour=hour)
        self.life.pause()
        self._ticked()

    @rule()
    def resumes_run(self) -> None:
        self.life.resume()
        self._ticked()

    def _ticked(self) -> None:
        manner = self.life.control.manner
        commanded = [each for each in self.laws.commands if each.at == self.laws.now and each.machine.startswith("NO")]
        if commanded and manner in ("idle", "other"):
            self.laws.books.stopped_sites.add("norway")
        self.laws.after_tick()

    @rule(days=st.integers(2, 9))
    def the_clock_jumps_ahead_for_a_tick(self, days: int) -> None:
        ahead = timedelta(days=days)
        self.life.clock.at, self.life.xero_clock = self.life.clock.at + ahead, -ahead
        with pytest.raises(ClockInDoubt):
            self.life.night_if_xero_speaks()
        self.life.pause()
        self.life.resume()
        self.life.clock.at, self.life.xero_clock = self.life.clock.at - ahead, timedelta(0)
        self._ticked()

    # What people do, and what fails

    @rule(what=IN_XERO)
    def in_xero(self, what: Happening) -> None:
        self._happens(what)

    @rule(what=PEOPLE)
    def people(self, what: Happening) -> None:
        self._happens(what)

    @rule(what=PEOPLE)
    def more_people(self, what: Happening) -> None:
        self._happens(what)

    @rule(what=REGISTRY)
    def in_the_registry(self, what: Happening) -> None:
        self._happens(what)

    @rule(what=FAULTS)
    def faults(self, what: Happening) -> None:
        self._happens(what)

    def _happens(self, what: Happening) -> None:
        name, given = what
        getattr(self, name)(**given)

    # Money, in Xero

    def a_payment(self, number: str, part: str) -> None:
        kept = self.life.xero.documents[number]
        amount = (kept.open * Decimal(part)).quantize(Decimal("0.01"))
        if amount > 0 and kept.status is Status.AUTHORISED:
            self.paid.append((number, self.life.xero.pay(number, str(amount))))
            self.laws.may_schedule_again(self.laws.owner[number])

    def a_payment_is_taken_back(self) -> None:
        if not self.paid:
            return
        number, payment = self.paid.pop()
        if self.life.xero.documents[number].status is not Status.VOIDED:
            self.life.xero.take_back(number, payment)

    def money_that_nobody_has_applied(self, name: str, amount: str, kind: UnappliedKind) -> None:
        self.life.xero.receive(amount, contact=f"id-{name}", kind=kind)
        self.laws.may_schedule_again(name)

    def that_money_goes(self) -> None:
        if not self.life.xero.money:
            return
        money = self.life.xero.money.pop()
        self.laws.may_schedule_again(money.contact_id.removeprefix("id-"))

    def a_person_edits_in_xero(self, number: str, days: int) -> None:
        self.life.xero.documents[number].change(due_on=self.laws.due[number] + timedelta(days=days))
        if days:
            self.laws.may_schedule_again(self.laws.owner[number])

    def a_person_voids_in_xero(self, number: str) -> None:
        kept = self.life.xero.documents[number]
        if not kept.payments:
            kept.status, kept.open = Status.VOIDED, Decimal(0)

    # People, in Dagster

    def a_hold(self, number: str, days: int, kind: acts.FormHoldKind, lines: list[int], whole: bool) -> None:
        name = self.laws.owner[number]
        number, lines = "" if whole else number, lines if kind == "dispute" and not whole else []
        form = acts.PlaceHold(
            customer=name, number=number, kind=kind, days=days, lines=lines, owner="a@albacore.example", **WHO
        )
        if not self.life.try_to(acts.place_hold, form):
            now = self.life.clock.at
            until = now + timedelta(days=days)
            self.laws.books.holds.append(
                Hold(customer=name, number=number, lines=frozenset(lines), since=now, until=until)
            )
            if lines:
                self.laws.may_schedule_again(name)
            else:
                self.laws.plans_fall(customer=name, number=number)

    def holds_are_released(self, number: str, whole: bool) -> None:
        name = self.laws.owner[number]
        form = acts.ReleaseHold(customer=name, number="" if whole else number, **WHO)
        if not self.life.try_to(acts.release_hold, form):
            self._holds_end(name, "" if whole else number)

    def _holds_end(self, customer: str, number: str) -> None:
        self.laws.end_hold(customer=customer, number=number)
        self.laws.may_schedule_again(customer)

    def a_mail_bounces(self, nth: int) -> None:
        mails = [mail for mail in self.life.mail.taken if mail.to.startswith("pay@")]
        if nth >= len(mails):
            return
        mail = mails[-1 - nth]
        if not self.life.try_to(acts.report_bounce, acts.ReportBounce(message_id=mail.message_id, **WHO)):
            self.laws.books.bounced[mail.message_id] = self.laws.now
            self.laws.may_schedule_again(mail.to.partition("@")[2].partition(".")[0])
            if mail.kind == "invoice":
                self.laws.books.unmended.add(mail.subject.split()[1])

    def a_case_is_reopened(self, number: str, stage: str) -> None:
        if not self.life.try_to(acts.reopen_case, acts.ReopenCase(number=number, stage=stage, **WHO)):
            self.laws.books.unmended.discard(number)
            self.laws.may_say_again(number)
            self.laws.plans_fall(customer=self.laws.owner[number], number=number)

    def a_document_is_written_off(self, number: str) -> None:
        if not self.life.try_to(acts.write_off, acts.WriteOff(number=number, **WHO)):
            self.laws.books.given_up.add(number)
            self.laws.may_schedule_again(self.laws.owner[number])

    def a_veto(self, name: str) -> None:
        if not self.life.try_to(power.veto_pause, power.VetoPause(customer=name, **WHO)):
            self.laws.plans_fall(customer=name)

    def the_kill_switch(self, on: bool) -> None:
        if not self.life.try_to(power.set_kill_switch, power.SetKillSwitch(on=on, **WHO)):
            self.laws.books.kill_switch = on

    def a_site_stop_is_cleared(self) -> None:
        if not self.life.try_to(power.clear_site_stop, power.ClearSiteStop(site="norway", **WHO)):
            self.laws.books.stopped_sites.clear()

    def an_approval(self, actor: str, wrong: bool) -> None:
        if not self.laws.plans:
            return
        plan = max(self.laws.plans.values(), key=lambda each: each.plan)
        for approver, code in plan.codes.items():
            form = power.ApprovePause(
                plan=plan.plan,
                approver=approver,
                code="AAAAAAAA" if wrong else code,
                actor=f"{actor}@albacore.example",
                reason="test",
            )
            refused = self.life.try_to(power.approve_pause, form)
            assert refused or not wrong
            if not refused:
                self.laws.books.approved.setdefault(plan.plan, set()).add(form.actor)

    def a_handover(self, machine: str, to: str, when: int, state: str) -> None:
        day = max(self.life.clock.at.date() + timedelta(days=when), date(2025, 11, 5))
        rows = [row for row in self.laws.books.rows if row.machine != machine or row.from_day < day]
        rows = [
            row.model_copy(update={"to_day": min(row.to_day, day - timedelta(days=1))})
            if row.machine == machine
            else row
            for row in rows
        ]
        if to:
            rows.append(
                Assignment(site=site_of(machine), machine=machine, customer=to, from_day=day, to_day="", state=state)
            )
        self.laws.books.rows = rows
        self._load()
        for name in CUSTOMERS:
            self.laws.may_schedule_again(name)

    def the_policy_changes(self, policy: str) -> None:
        self.laws.books.policy = policy
        self._load()
        for name in CUSTOMERS:
            self.laws.may_schedule_again(name)

    def _load(self) -> None:
        self.life.load(self.laws.books.rows, policy=self.laws.books.policy, customers=self.life.customers)

    # What fails

    def xero_is_out(self, silent: bool) -> None:
        self.life.xero.silent = silent

    def the_relay_is_out(self, down: bool) -> None:
        self.life.mail.down = down

    def the_control(self, manner: str) -> None:
        self.life.control.manner = manner

    def operations_switch_a_machine(self, machine: str, state: PowerState) -> None:
        """By themselves; what they switch on is theirs again."""
        if not self.laws.ours.get(machine):
            self.life.control.states[machine] = state

    def a_ticket_is_answered(self, answer: str) -> None:
        tickets = [mail for mail in self.life.mail.taken if mail.to == TICKETS and mail.subject.startswith("Ticket")]
        if not tickets:
            return
        machine, action = tickets[-1].subject.split()[-1], "pause" if " off " in tickets[-1].subject else "resume"
        self._answer(machine, action, answer)

    def _answer(self, machine: str, action: str, answer: str) -> None:
        tickets = [mail for mail in self.life.mail.taken if mail.to == TICKETS and mail.subject.endswith(machine)]
        if not tickets or (" off " in tickets[-1].subject) != (action == "pause"):
            return  # a later ticket has withdrawn it
        form = power.ConfirmPowerState(site="ethiopia", machine=machine, action=action, answer=answer, **WHO)
        if self.life.try_to(power.confirm_power_state, form):
            return
        if answer == "done":
            self.life.control.states[machine] = PowerState.OFF if action == "pause" else PowerState.ON
        if action == "pause":
            self.laws.ours[machine] = answer == "done"
        elif answer == "done":
            self.laws.ours[machine] = False

    def a_backup(self) -> None:
        self.stage.shelves.keep("backup")
        self.backup = copy.deepcopy(self.laws.books)

    def the_backup_is_put_back(self) -> None:
        if self.backup is None:
            return
        self.stage.shelves.put_back("backup")
        self.laws.books = copy.deepcopy(self.backup)
        for number in NUMBERS:
            self.laws.may_say_again(number)

    # At rest

    def teardown(self) -> None:
        if not hasattr(self, "life"):
            return
        self.life.xero.silent = self.life.mail.down = False
        self.life.control.manner = "obeys"
        for _ in range(2):
            self.life.clock.at += timedelta(hours=7)
            self.life.tick()
            for machine in [each for each, off in self.laws.ours.items() if off and each.startswith("ET")]:
                self._answer(machine, "resume", "done")
            self.laws.after_tick()
        assert not self.laws.must_run(), self.laws.must_run()
        self._everybody_pays()
        waiting = self.life.ask("select business_key, state from albacore.effect where state in ('sending', 'unknown')")
        assert not waiting, waiting
        self._every_document_has_a_reason()

    def _everybody_pays(self) -> None:
        if not any(self.laws.ours.values()):
            return
        for number, kept in self.life.xero.documents.items():
            if kept.open > 0 and kept.status is Status.AUTHORISED:
                self.life.xero.pay(number, str(kept.open))
        self.life.clock.at += timedelta(hours=7)
        self.life.tick()
        for machine in [each for each, off in self.laws.ours.items() if off and each.startswith("ET")]:
            self._answer(machine, "resume", "done")
        self.laws.after_tick()
        assert not self.laws.must_run(), self.laws.must_run()

    def _every_document_has_a_reason(self) -> None:
        cases = {
            number: (reason, stage, day)
            for number, reason, stage, day in self.life.ask(
                "select number, reason, next_stage, next_on from report.cases where state <> 'closed'"
            )
        }
        tasks = {customer for (customer,) in self.life.ask("select customer from report.tasks where closed_at is null")}
        for number, shown in self.laws.truth().items():
            if shown.left > 0 and number not in self.laws.books.given_up:
                reason, stage, day = cases[number]
                assert reason, number
                known = "minimum" in reason or "is due" in reason or (stage and day)
                assert known or self.laws.owner[number] in tasks, (number, reason, stage, day)


@pytest.fixture
def stage(make_database: Callable[[], str]) -> Stage:
    """Beginnings on their shelves, in a database of their own."""
    return build(connect(make_database()))


def live(stage: Stage, *, lives: int, chance: int) -> None:
    """So many lives, the same for the same chance."""

    class Here(Lives):
        pass

    Here.stage = stage
    seed(chance)(Here)
    run_state_machine_as_test(Here, settings=settings(max_examples=lives, stateful_step_count=STEPS))


@pytest.mark.timeout(600)
@pytest.mark.parametrize("chance", range(SEEDS))
def test_only_what_was_announced_ever_stops_and_whoever_owes_nothing_runs(stage: Stage, chance: int) -> None:
    live(stage, lives=int(os.environ.get("ALBACORE_LIVES", LIVES)), chance=chance)


@pytest.mark.slow
@pytest.mark.timeout(0)
def test_so_do_ten_thousand_lives(stage: Stage) -> None:
    live(stage, lives=10_000, chance=SEEDS)
