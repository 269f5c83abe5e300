"""An office with one unpaid invoice, and machines with switches."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Literal

import pytest
import sqlalchemy as sa

from albacore_pipeline.data_centres.interface import PowerFailure, PowerState
from albacore_pipeline.database import connect
from albacore_pipeline.effects.acts import Act, Done, Form, perform
from albacore_pipeline.effects.interface import EffectHandler
from albacore_pipeline.effects.journal import Journal
from albacore_pipeline.effects.outbox import dispatch
from albacore_pipeline.escalation import run
from albacore_pipeline.escalation.acts import PlaceHold, place_hold
from albacore_pipeline.escalation.notices import NoticeHandler
from albacore_pipeline.invoicing.differences import Difference
from albacore_pipeline.invoicing.payments import reconcile, watch_payments
from albacore_pipeline.machine_power import journal, letters, sites, tickets
from albacore_pipeline.machine_power.approvals import ApprovalHandler
from albacore_pipeline.machine_power.controls import Controls
from albacore_pipeline.machine_power.pausing import PauseHandler
from albacore_pipeline.machine_power.plan import Planned, plan_pauses, plan_resumes
from albacore_pipeline.machine_power.read_back import read_back
from albacore_pipeline.machine_power.resuming import ResumeHandler
from albacore_pipeline.machine_power.world import Witness
from albacore_pipeline.registry.policies import Policy
from albacore_pipeline.registry.rows import Assignment
from albacore_pipeline.settings import SettingsError
from albacore_pipeline.sites import SITES
from albacore_pipeline_tests.clocks import FrozenClock, utc
from albacore_pipeline_tests.invoicing.fakes import LIVE, Office, one_day

# The invoice of 1 November is due on Saturday the 15th. Nobody pays.
CHAIN_DAYS = ["2025-11-17", "2025-11-21", "2025-11-28", "2025-12-05"]
PAUSE_DAY = "2025-12-08T09:00"  # a Monday, ten in Oslo


@dataclass
class FakeControl:
    """The switches of a site. What goes wrong is asked for by the test."""

    states: dict[str, PowerState] = field(default_factory=dict)
    commands: list[str] = field(default_factory=list)
    can_pause: bool = True
    obeys: bool = True
    before: Callable[[str], None] = lambda _: None  # called with each act; may raise
    after: Callable[[str], None] = lambda _: None

    def power_off(self, machine: str) -> None:
        self._switch("off", machine, PowerState.OFF)

    def power_on(self, machine: str) -> None:
        self._switch("on", machine, PowerState.ON)

    def power_state(self, machine: str) -> PowerState:
        self.before("state")
        return self.states.get(machine, PowerState.ON)

    def _switch(self, word: str, machine: str, state: PowerState) -> None:
        self.before(word)
        self.commands.append(f"{word} {machine}")
        if self.obeys:
            self.states[machine] = state
        self.after(word)


def fails(*words: str) -> Callable[[str], None]:
    """Raises at these acts."""

    def fault(act: str) -> None:
        if act in words:
            raise PowerFailure("no answer")

    return fault


@dataclass(kw_only=True)
class Desk(Office):
    """The office, with what the escalation jobs do."""

    control: FakeControl = field(default_factory=FakeControl)
    xero_clock: timedelta = timedelta(0)  # how far Xero's clock is off
    host_clock: timedelta = timedelta(0)  # how far this host's clock is off the database's
    signed_off: bool = False  # whether countries must be signed off
    not_set_up: set[str] = field(default_factory=set)  # sites whose control has no settings
    patience: timedelta = timedelta(0)  # for machines to change their state

    @property
    def controls(self) -> Controls:
        return Controls(sites=SITES, control_of=self._control_of)

    def _control_of(self, site: str) -> FakeControl:
        if site in self.not_set_up:
            raise SettingsError(f"{site.upper()}_CONTROL_URL is not set")
        return self.control

    def night(self, at: str | None = None) -> list[run.Decided]:
        """Read Xero, evaluate, send the notices."""
        self.clock.at = utc(at) if at else self.clock.at
        self.read_xero()
        decided = self.evaluate()
        self.send_mails()
        return decided

    def evaluate(self) -> list[run.Decided]:
        """What `escalate` does, without its mails."""
        with self.engine.begin() as connection:
            return run.escalate(
                connection, now=self.clock.now(), second_clock=lambda: self.clock.now() + self.xero_clock
            )

    def send_mails(self) -> dict[str, int]:
        """Send what waits: notices that are still true, codes, and other mails."""
        notices = NoticeHandler(mail=self.mail, engine=self.engine, clock=self.clock)
        approvals = ApprovalHandler(mail=self.mail, engine=self.engine)
        asking = tickets.TicketHandler(mail=self.mail, engine=self.engine, clock=self.clock)
        handlers: list[EffectHandler] = [notices, approvals, asking, self.mail]
        return dict(dispatch(engine=self.engine, handlers=handlers, clock=self.clock, gate=LIVE))

    def read_xero(self) -> None:
        """Note what Xero says of open documents."""
        self.xero.dated = self.clock.now() + self.xero_clock
        watch_payments(engine=self.engine, xero=self.xero, clock=self.clock)

    def reconcile(self) -> list[Difference]:
        """Compare every document with Xero."""
        return reconcile(engine=self.engine, xero=self.xero, clock=self.clock)

    def run_chain(self, at: str = PAUSE_DAY) -> None:
        """Everything up to the hour at which the pause may be carried out."""
        for day in CHAIN_DAYS:
            self.night(day)
        self.night(at)

    def plan(self) -> list[Planned]:
        return plan_pauses(engine=self.engine, now=self.clock.now())

    def pause(self) -> dict[str, int]:
        """What `pause_machines` does: plan, carry out what is due, read back, tell the customer."""
        with self.engine.begin() as connection:
            sites.stop_where_machines_draw(connection, now=self.clock.now())
        self.plan()
        tally = self.carry_out()
        read_back(engine=self.engine, controls=self.controls, clock=self.clock)
        with self.engine.begin() as connection:
            letters.tell_paused(connection, now=self.clock.now())
            sites.tell_of_unknown(connection, now=self.clock.now())
            tickets.remind(connection, controls=self.controls, now=self.clock.now())
        self.send_mails()
        return tally

    def carry_out(self) -> dict[str, int]:
        """The pauses that are planned, behind their gates."""
        self.xero.dated = self.clock.now() + self.xero_clock
        handler = PauseHandler(
            controls=self.controls, engine=self.engine, clock=self.clock, witness=self.witness(),
            journal=partial(self.journal.note, journal.POWER), patience=self.patience,
            poll_seconds=0.2 if self.patience else 0,
        )  # fmt: skip
        return dict(dispatch(engine=self.engine, handlers=[handler], clock=self.clock, gate=LIVE))

    def witness(self) -> Witness:
        return Witness(
            engine=self.engine, xero=self.xero, clock=self.clock, signed_off=self.signed_off,
            host_time=lambda: datetime.now(UTC) + self.host_clock,
        )  # fmt: skip

    @property
    def journal(self) -> Journal:
        return Journal(archive=self.archive, clock=self.clock)

    def resume(self) -> dict[str, int]:
        """What `resume_machines` does."""
        journal.adopt(engine=self.engine, journal=self.journal)
        plan_resumes(engine=self.engine, now=self.clock.now())
        handler = ResumeHandler(
            controls=self.controls, engine=self.engine, clock=self.clock,
            journal=partial(self.journal.note, journal.POWER), patience=self.patience,
            poll_seconds=0.2 if self.patience else 0,
        )  # fmt: skip
        tally = dispatch(engine=self.engine, handlers=[handler], clock=self.clock, gate=LIVE)
        read_back(engine=self.engine, controls=self.controls, clock=self.clock)
        with self.engine.begin() as connection:
            letters.tell_running(connection, now=self.clock.now())
            letters.tell_withdrawn(connection, now=self.clock.now())
            tickets.remind(connection, controls=self.controls, now=self.clock.now())
        self.send_mails()
        return dict(tally)

    def perform(self, name: str, act: Act[Form, Done], form: Form) -> Done:
        """What a person does, with its entry in the audit chain."""
        return perform(name, act, form, engine=self.engine, now=self.clock.now())

    def hold(self, number: str | None = None) -> None:
        form = PlaceHold(
            customer="acme", number=number or "", kind="dispute", days=9, owner="a@albacore.example", actor="anna",
            reason="test",
        )  # fmt: skip
        self.perform("place_hold", place_hold, form)

    def outcomes(self) -> list[tuple[str, str, str]]:
        """Machine, action and outcome of every command."""
        return self.ask("select machine, action, outcome from report.machine_commands order by requested_at, machine")

    def stages(self) -> list[str]:
        return [stage for (stage,) in self.ask("select stage from albacore.escalation_step order by step_id")]

    def cases(self) -> dict[str, tuple[str, str]]:
        """State and reason of each document's newest case."""
        rows = self.ask("select number, state, reason from report.cases order by since")
        return {number: (state, reason) for number, state, reason in rows}

    def mails(self, recipient: str | None = None) -> list[str]:
        """The subjects of what was sent (to somebody), in order."""
        sent = [payload for payloads in self.mail.sent.values() for payload in payloads]
        return [payload["subject"] for payload in sent if recipient in (None, payload["to"])]

    def tasks(self) -> list[str]:
        """The subjects of open tasks."""
        return [
            subject for (subject,) in self.ask("select subject from report.tasks where closed_at is null order by key")
        ]


@pytest.fixture
def make_desk(engine: sa.Engine, clock: FrozenClock) -> Callable[..., Desk]:
    """Makes a desk with issued invoices for these machines."""

    def make(*assignments: Assignment, policy: Policy | None = None, idle: tuple[str, ...] = ()) -> Desk:
        desk = Desk(engine=engine, clock=clock)
        desk.open_books(*assignments, policy=policy, idle=idle)
        desk.write_documents()
        desk.issue()
        return desk

    return make


@dataclass(frozen=True, kw_only=True)
class Moment:
    """A desk at some moment, to begin many tests from: its database, and what is outside of it."""

    template: str
    at: datetime
    xero: dict[str, Any]
    archive: dict[str, Any]
    sent: dict[str, list[Any]]
    states: dict[str, PowerState]

    def desk(self, engine: sa.Engine) -> Desk:
        """A desk of its own, on a copy of the database."""
        desk = Desk(engine=engine, clock=FrozenClock(self.at))
        vars(desk.xero).update(copy.deepcopy(self.xero))
        vars(desk.archive).update(copy.deepcopy(self.archive))
        desk.mail.sent.update(copy.deepcopy(self.sent))
        desk.control.states.update(self.states)
        return desk


class Moments:
    """Acme owes for one machine of five in Norway: as it was issued, at the hour of the pause, and paused."""

    def __init__(self, make_template: Callable[[Callable[[sa.Engine], None]], str]) -> None:
        self._make_template = make_template
        self._made: dict[str, Moment] = {}

    def at(self, name: Literal["issued", "ready", "paused"]) -> Moment:
        """The moment, made when it is first asked for."""
        if name not in self._made:
            desks: list[Desk] = []

            def write(engine: sa.Engine) -> None:
                desks.append(_lived(engine, until=name))

            template = self._make_template(write)
            (desk,) = desks
            self._made[name] = Moment(
                template=template,
                at=desk.clock.at,
                xero={each: vars(desk.xero)[each] for each in ("contacts", "documents", "files", "money", "_payments")},
                archive=dict(vars(desk.archive)),
                sent=desk.mail.sent,
                states=desk.control.states,
            )
        return self._made[name]


def _lived(engine: sa.Engine, *, until: str) -> Desk:
    desk = Desk(engine=engine, clock=FrozenClock(utc("2025-11-01T06:00")))
    desk.open_books(one_day("NO-0001", "acme"), idle=("NO-0002", "NO-0003", "NO-0004", "NO-0005"))
    desk.write_documents()
    desk.issue()
    if until != "issued":
        desk.run_chain()
    if until == "paused":
        desk.pause()
    return desk


@pytest.fixture(scope="session")
def moments(make_template: Callable[[Callable[[sa.Engine], None]], str]) -> Moments:
    """Where desks begin."""
    return Moments(make_template)


@pytest.fixture
def desk(moments: Moments, make_database: Callable[[str], str]) -> Desk:
    """Acme owes for one machine of five in Norway."""
    moment = moments.at("issued")
    return moment.desk(connect(make_database(moment.template)))


@pytest.fixture
def ready(moments: Moments, make_database: Callable[[str], str]) -> Desk:
    """The chain is complete and the plan's day has come; nothing is commanded yet."""
    moment = moments.at("ready")
    return moment.desk(connect(make_database(moment.template)))


@pytest.fixture
def paused(moments: Moments, make_database: Callable[[str], str]) -> Desk:
    """The machine stands still."""
    moment = moments.at("paused")
    return moment.desk(connect(make_database(moment.template)))
