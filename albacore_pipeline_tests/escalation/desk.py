"""An office with one unpaid invoice, and machines with switches."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

import pytest
import sqlalchemy as sa

from albacore_pipeline.data_centres.interface import PowerFailure, PowerState
from albacore_pipeline.effects.acts import Act, Done, Form, perform
from albacore_pipeline.effects.outbox import dispatch
from albacore_pipeline.escalation import store
from albacore_pipeline.invoicing.differences import Difference
from albacore_pipeline.invoicing.payments import reconcile, watch_payments
from albacore_pipeline.machine_power.controls import Controls
from albacore_pipeline.machine_power.handlers import PauseHandler, ResumeHandler
from albacore_pipeline.machine_power.plan import Planned, plan_pauses, plan_resumes
from albacore_pipeline.machine_power.read_back import read_back
from albacore_pipeline.registry.policies import Policy
from albacore_pipeline.registry.rows import Assignment
from albacore_pipeline.sites import SITES
from albacore_pipeline_tests.clocks import FrozenClock, utc
from albacore_pipeline_tests.invoicing.fakes import LIVE, Office, one_day

# The invoice of 1 November is due on Saturday the 15th. Nobody pays.
CHAIN_DAYS = ["2025-11-17", "2025-11-22", "2025-11-29", "2025-12-05"]
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

    @property
    def controls(self) -> Controls:
        return Controls(sites=SITES, control_of=lambda _: self.control)

    def night(self, at: str | None = None) -> list[store.Decided]:
        """Read Xero, evaluate, send the notices."""
        self.clock.at = utc(at) if at else self.clock.at
        self.read_xero()
        with self.engine.begin() as connection:
            decided = store.escalate(connection, now=self.clock.now())
        dispatch(engine=self.engine, handlers=[self.mail], clock=self.clock, gate=LIVE)
        return decided

    def read_xero(self) -> None:
        """Note what Xero says of open documents."""
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
        return plan_pauses(engine=self.engine, xero=self.xero, clock=self.clock)

    def pause(self) -> dict[str, int]:
        """Carry out the pauses that are due, and read back once."""
        handler = PauseHandler(controls=self.controls, engine=self.engine, clock=self.clock, xero=self.xero)
        tally = dispatch(engine=self.engine, handlers=[handler, self.mail], clock=self.clock, gate=LIVE)
        self.read_back()
        return dict(tally)

    def resume(self) -> dict[str, int]:
        plan_resumes(engine=self.engine, clock=self.clock)
        handler = ResumeHandler(controls=self.controls, engine=self.engine, clock=self.clock)
        tally = dispatch(engine=self.engine, handlers=[handler, self.mail], clock=self.clock, gate=LIVE)
        self.read_back()
        return dict(tally)

    def read_back(self) -> tuple[list[str], list[str]]:
        return read_back(engine=self.engine, controls=self.controls, clock=self.clock, patience=timedelta(0))

    def perform(self, name: str, act: Act[Form, Done], form: Form) -> Done:
        """What a person does, with its entry in the audit chain."""
        return perform(name, act, form, engine=self.engine, now=self.clock.now())

    def hold(self, number: str | None = None) -> None:
        with self.engine.begin() as connection:
            store.place_hold(
                connection, customer="acme", number=number, kind="dispute", reason="test", owner="a@albacore.example",
                until_at=self.clock.now() + timedelta(days=9), now=self.clock.now(),
            )  # fmt: skip

    def outcomes(self) -> list[tuple[str, str, str]]:
        """Machine, action and outcome of every command."""
        return self.ask("select machine, action, outcome from report.machine_commands order by requested_at, machine")

    def stages(self) -> list[str]:
        return [stage for (stage,) in self.ask("select stage from albacore.escalation_step order by step_id")]


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


@pytest.fixture
def desk(make_desk: Callable[..., Desk]) -> Desk:
    """Acme owes for one machine of five in Norway."""
    return make_desk(one_day("NO-0001", "acme"), idle=("NO-0002", "NO-0003", "NO-0004", "NO-0005"))
