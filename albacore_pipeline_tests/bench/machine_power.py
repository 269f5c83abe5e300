"""Pausing a thousand machines with read-back, against what their site's interface takes by itself.

The interface allows ten calls at once, each of which takes its time; a machine needs three: is it on, off, is it off.
`python -m albacore_pipeline_tests.bench.machine_power 100` pauses so many machines.
"""

from __future__ import annotations

import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

import sqlalchemy as sa

from albacore_pipeline.data_centres.interface import PowerState
from albacore_pipeline.database import connect, embedded, migrate
from albacore_pipeline.machine_power.pausing import AT_ONCE
from albacore_pipeline.registry.policies import Policy
from albacore_pipeline_tests.clocks import FrozenClock, utc
from albacore_pipeline_tests.escalation.desk import Desk, FakeControl
from albacore_pipeline_tests.invoicing.fakes import one_day

MACHINES, PER_CUSTOMER = 1_000, 20
CALL, CALLS = 0.02, 3  # seconds a call takes; calls a machine needs
BOUND = 1.2  # of the whole, by the interface's own time


@dataclass
class SlowControl(FakeControl):
    """Switches that take their time, and serve no more than ten callers at once."""

    free: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(AT_ONCE))

    def _switch(self, word: str, machine: str, state: PowerState) -> None:
        self._work()
        super()._switch(word, machine, state)

    def power_state(self, machine: str) -> PowerState:
        self._work()
        return super().power_state(machine)

    def _work(self) -> None:
        with self.free:
            time.sleep(CALL)  # what the site's hardware would take


def ready(engine: sa.Engine, *, machines: int) -> Desk:
    """Debtors with their chains complete; their pauses are planned."""
    policy = Policy(
        share_of_site_and_day=Decimal(1), machines_per_site_and_day=machines, customers_per_day=machines
    )  # fmt: skip
    desk = Desk(engine=engine, clock=FrozenClock(utc("2025-11-01T06:00")), control=SlowControl())
    desk.open_books(*(one_day(f"NO-{n:04}", f"c{n // PER_CUSTOMER:03}") for n in range(machines)), policy=policy)
    desk.write_documents()
    desk.issue()
    desk.run_chain()
    desk.plan()
    return desk


def measure(engine: sa.Engine, *, machines: int) -> bool:
    """Pause them all, once: what is done can't be rolled back."""
    desk = ready(engine, machines=machines)
    started, busy = time.monotonic(), time.process_time()
    tally = desk.carry_out()
    took, processor = time.monotonic() - started, time.process_time() - busy
    verified = sum(outcome == "verified" for _, _, outcome in desk.outcomes())
    own = machines * CALLS / AT_ONCE * CALL
    print(f"machine power, {machines:,} machines paused with read-back: {took:.2f} s (processor {processor:.2f} s);"
          f" {verified:,} verified, {tally}")  # fmt: skip
    print(f"  the interface's own time: {own:.2f} s, ratio {took / own:.2f} (bound {BOUND})")
    return verified == machines and took <= BOUND * own


def main(arguments: list[str] | None = None) -> bool:
    """Measure on an embedded database of its own, which is removed at the end; whether the bound is kept."""
    machines = int(arguments[0]) if arguments else MACHINES
    with tempfile.TemporaryDirectory() as place:
        home = Path(place) / "home"
        try:
            engine = connect(embedded.start(home=home).database_url)
            migrate(engine)
            kept = measure(engine, machines=machines)
            engine.dispose()
            return kept
        finally:
            embedded.remove(home=home)


if __name__ == "__main__":
    sys.exit(not main(sys.argv[1:]))
