"""What collection learns from a verified power-off, and what a pause run learns from collection."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal

import numpy as np
import pytest

from albacore_pipeline.archive import Archive
from albacore_pipeline.consumption.collect import Collected, collect_day
from albacore_pipeline.data_centres.interface import FailedRead, KeepRaw, Machine, Meaning, NoMachines, Samples
from albacore_pipeline.data_centres.sift import milliseconds
from albacore_pipeline.machine_power import acts
from albacore_pipeline.periods import Month, Window
from albacore_pipeline.sites import SITES
from albacore_pipeline_tests.clocks import utc
from albacore_pipeline_tests.escalation.desk import PAUSE_DAY, Desk
from albacore_pipeline_tests.invoicing.fakes import later, one_day
from albacore_pipeline_tests.machine_power.test_pausing import MACHINE, NUMBER, WIDE
from albacore_pipeline_tests.machine_power.test_resuming import by_ticket, confirm
from albacore_pipeline_tests.small_world import rate, site_of

__all__ = ["by_ticket"]

MakeDesk = Callable[..., Desk]
STEP_MS, WATTS = 300_000, 1200


@dataclass(frozen=True, kw_only=True)
class Gauges:
    """A site whose machines say every five minutes what they draw; one of them says something else for a while."""

    machines: Sequence[str]
    machine: str = MACHINE
    spans: Sequence[Window] = ()
    says: float | None = None  # in its spans; None: nothing at all
    lists_silent: bool = False  # whether the site lists machines that say nothing, too

    def inventory(self) -> list[Machine]:
        return [Machine(name=name, rated_watts=3000) for name in self.machines]

    def readings(self, window: Window) -> Iterator[tuple[str, int, float]]:
        for name in self.machines:
            for at in range(milliseconds(window.start), milliseconds(window.end) + 1, STEP_MS):
                quiet = name == self.machine and any(
                    milliseconds(span.start) <= at < milliseconds(span.end) for span in self.spans
                )
                if not quiet:
                    yield name, at, WATTS
                elif self.says is not None:
                    yield name, at, self.says


@dataclass(frozen=True, kw_only=True)
class Source:
    """It lists machines that say something that day, as a site does that knows a machine by its readings."""

    gauges: Gauges

    def machines(self, *, as_of: datetime) -> list[Machine]:
        talking = {name for name, _, _ in self.gauges.readings(Window(as_of - timedelta(hours=23), as_of))}
        listed = [each for each in self.gauges.inventory() if self.gauges.lists_silent or each.name in talking]
        if not listed:
            raise NoMachines("the site lists none")
        return listed

    def samples(self, *, machines: Sequence[str], window: Window, keep_raw: KeepRaw) -> Iterator[Samples]:
        said = [reading for reading in self.gauges.readings(window) if reading[0] in machines]
        yield Samples(
            meaning=Meaning.GAUGE_W,
            machines=list(machines),
            series=np.array([machines.index(name) for name, _, _ in said], dtype=np.int32),
            at_ms=np.array([at for _, at, _ in said], dtype=np.int64),
            value=np.array([watts for _, _, watts in said], dtype=np.float64),
        )


def collect(desk: Desk, gauges: Gauges, day: date) -> Collected:
    return collect_day(
        site=SITES[site_of(gauges.machine)], day=day, source=Source(gauges=gauges), archive=Archive("memory://off"),
        engine=desk.engine, clock=desk.clock, run_id="test", accept_change=0.05,
    )  # fmt: skip


def letters(desk: Desk, machine: str, day: str) -> str:
    ((found,),) = desk.ask(
        "select hourly_quality from albacore.known_day join albacore.machine using (machine_id)"
        f" where machine = '{machine}' and day = '{day}'"
    )
    return str(found)


@pytest.fixture
def paused(desk: Desk) -> Desk:
    """NO-0001 stands still since ten in Oslo on 8 December."""
    desk.run_chain()
    desk.pause()
    return desk


def test_a_machine_that_stood_still_and_said_nothing_has_its_month_billed(paused: Desk) -> None:
    paused.xero.pay(NUMBER, "500")
    paused.night("2025-12-20T10:20")
    paused.resume()
    paused.night("2026-01-02T06:00")
    gauges = Gauges(machines=[MACHINE, "NO-0002"], spans=[Window(utc(PAUSE_DAY), utc("2025-12-20T10:25"))])
    for day in Month.parse("2025-12").days():
        collect(paused, gauges, day)
    with paused.engine.begin() as connection:
        rate(connection, "2025-12")
    assert letters(paused, MACHINE, "2025-12-15") == "m" * 24
    assert letters(paused, MACHINE, "2025-12-20") == "m" * 11 + "x" + "m" * 12, "off until the command at 11:20 in Oslo"
    ((state, kwh),) = paused.ask(
        "select state, sum(kwh) from report.customer_months join report.billing_records using (month, customer)"
        " where month = '2025-12' and customer = 'acme' group by state"
    )
    off, unknown = 12 * 24 + 1, 2  # hours; unknown are those in which it stopped and came back
    assert state == "ready"
    assert kwh == Decimal("1.2") * (31 * 24 - off - unknown)


def test_without_a_power_off_silence_blocks_the_month(desk: Desk) -> None:
    desk.clock.at = utc("2026-01-02T06:00")
    gauges = Gauges(machines=[MACHINE, "NO-0002"], spans=[Window(utc(PAUSE_DAY), utc("2025-12-20T10:25"))])
    for day in Month.parse("2025-12").days():
        collect(desk, gauges, day)
    with desk.engine.begin() as connection:
        rate(connection, "2025-12")
    assert desk.ask("select state from report.customer_months where month = '2025-12'") == [("blocked",)]


def test_a_site_all_of_whose_machines_stand_still_may_say_nothing(make_desk: MakeDesk) -> None:
    desk = make_desk(one_day(MACHINE, "acme"), policy=WIDE)
    desk.run_chain()
    desk.pause()
    later(desk.clock, days=3)
    silent = Gauges(machines=[MACHINE], spans=[Window(utc(PAUSE_DAY), utc("2025-12-31T00:00"))], lists_silent=True)
    assert collect(desk, silent, date(2025, 12, 9)).energy.day_quality() == ["measured"]
    with pytest.raises(FailedRead, match="no reading of any machine"):
        collect(
            desk, replace(silent, spans=[Window(utc("2025-12-01T00:00"), utc("2025-12-31T00:00"))]), date(2025, 12, 7)
        )


def test_at_a_site_of_tickets_it_is_off_from_the_time_that_a_person_confirmed(by_ticket: Desk) -> None:
    gauges = Gauges(
        machines=["ET-0001", "ET-0002"], machine="ET-0001",
        spans=[Window(utc(PAUSE_DAY), utc("2025-12-31T00:00"))],
    )  # fmt: skip
    by_ticket.clock.at = utc("2025-12-12T06:00")
    collect(by_ticket, gauges, date(2025, 12, 8))
    assert letters(by_ticket, "ET-0001", "2025-12-08") == "m" * 11 + "x" * 13, "a ticket proves nothing"
    by_ticket.clock.at = utc("2025-12-08T12:30")
    confirm(by_ticket, "pause", "done")
    by_ticket.clock.at = utc("2025-12-12T07:00")
    collect(by_ticket, gauges, date(2025, 12, 8))
    assert letters(by_ticket, "ET-0001", "2025-12-08") == "m" * 11 + "x" * 5 + "m" * 8, "half past three in Addis Ababa"


def test_a_machine_that_draws_while_it_was_read_to_be_off_stops_its_site(paused: Desk) -> None:
    still_on = Gauges(machines=[MACHINE, "NO-0002"])
    later(paused.clock, days=3)
    (drawn,) = collect(paused, still_on, date(2025, 12, 9)).drawn_while_off
    assert (drawn.machine, drawn.wh) == (MACHINE, 24 * WATTS)
    paused.pause()
    ((reason,),) = paused.ask("select reason from albacore.site_stop")
    assert reason == "read to be off, and not at rest: NO-0001 drew 28.800 kWh on 2025-12-09"
    assert "pausing at norway is stopped" in paused.tasks()


def test_a_stop_that_a_person_cleared_is_not_made_again_of_the_same_readings(paused: Desk) -> None:
    still_on = Gauges(machines=[MACHINE, "NO-0002"])
    later(paused.clock, days=3)
    collect(paused, still_on, date(2025, 12, 9))
    paused.pause()
    later(paused.clock)
    form = acts.ClearSiteStop(actor="ola", reason="two outlets were swapped", site="norway")
    paused.perform("clear_site_stop", acts.clear_site_stop, form)
    stopped = "select count(*) from albacore.site_stop where cleared_at is null"
    paused.pause()
    assert paused.ask(stopped) == [(0,)]
    later(paused.clock)
    collect(paused, still_on, date(2025, 12, 10))
    paused.pause()
    assert paused.ask(stopped) == [(1,)]


@pytest.mark.parametrize(("watts", "disobedient"), [(150.0, False), (151.0, True)])
def test_what_a_machine_may_draw_at_rest_is_a_twentieth_of_its_rating(
    paused: Desk, watts: float, disobedient: bool
) -> None:
    spans = [Window(utc(PAUSE_DAY), utc("2025-12-31T00:00"))]
    later(paused.clock, days=3)
    gauges = Gauges(machines=[MACHINE, "NO-0002"], spans=spans, says=watts)
    assert bool(collect(paused, gauges, date(2025, 12, 9)).drawn_while_off) is disobedient


def test_the_hour_in_which_a_machine_went_off_accuses_nobody(paused: Desk) -> None:
    later(paused.clock, days=3)
    gauges = Gauges(machines=[MACHINE, "NO-0002"], spans=[Window(utc("2025-12-08T09:10"), utc("2025-12-31T00:00"))])
    assert collect(paused, gauges, date(2025, 12, 8)).drawn_while_off == []
