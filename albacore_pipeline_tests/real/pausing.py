"""A debtor whose machine stands at a real control: paused behind every gate, verified, paid for, resumed.

Belongs here: the way there and back, the same at every site. Does not belong here: any one control.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import sqlalchemy as sa

from albacore_pipeline.data_centres.interface import PowerControl, PowerState
from albacore_pipeline.machine_power.controls import Controls
from albacore_pipeline.sites import SITES
from albacore_pipeline_tests.clocks import FrozenClock
from albacore_pipeline_tests.escalation.desk import Desk
from albacore_pipeline_tests.invoicing.fakes import later, one_day


@dataclass(kw_only=True)
class RealDesk(Desk):
    """The desk of an office whose machines stand at a real control."""

    switch: PowerControl

    @property
    def controls(self) -> Controls:
        return Controls(sites=SITES, control_of=lambda _: self.switch)


def pause_and_resume(
    *, engine: sa.Engine, clock: FrozenClock, switch: PowerControl, machines: list[str], at: str
) -> None:
    """Pause the first of the machines at an instant in the site's hours for pauses, and resume it when it is paid."""
    debtors, *others = machines
    desk = RealDesk(engine=engine, clock=clock, switch=switch)
    desk.open_books(one_day(debtors, "acme"), idle=tuple(others))
    desk.write_documents()
    desk.issue()
    desk.run_chain(at)
    desk.patience = timedelta(seconds=45)
    assert {switch.power_state(machine) for machine in machines} == {PowerState.ON}

    assert desk.pause()["done"] >= 1

    assert switch.power_state(debtors) is PowerState.OFF
    assert {switch.power_state(machine) for machine in others} == {PowerState.ON}
    assert desk.outcomes() == [(debtors, "pause", "verified")]
    assert desk.resume() == {}, "nothing is paid yet"
    ((number, amount),) = desk.ask("select number, total from report.invoices")
    desk.xero.pay(number, str(amount))
    later(clock)
    desk.night()

    assert desk.resume() == {"done": 1}

    assert switch.power_state(debtors) is PowerState.ON
    assert desk.outcomes() == [(debtors, "pause", "verified"), (debtors, "resume", "verified")]
