"""One night of one site: ask, keep the raw answers, derive, store."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from datetime import date
from typing import Protocol

import sqlalchemy as sa

from albacore_pipeline.consumption import store
from albacore_pipeline.consumption.energy import EnergyDay, derive
from albacore_pipeline.data_centres.interface import EnergySource, FailedRead, Machine
from albacore_pipeline.periods import Clock, day_window
from albacore_pipeline.sites import Site


class Archive(Protocol):
    """Where raw answers are kept."""

    def put(self, content: bytes, *, gzipped: bytes = b"") -> str:
        """Keep content, in its gzip stream where there is one, and return its sha256."""


@dataclass(frozen=True, kw_only=True)
class Collected:
    """A site-day as it was read, and what became of it."""

    day: date
    energy: EnergyDay
    stored: store.Stored


def read_inventory(*, site: Site, source: EnergySource, engine: sa.Engine, clock: Clock) -> list[Machine]:
    """Ask the site for its machines as of now and store what it says. Raises FailedRead."""
    now = clock.now()
    machines = source.machines(as_of=now)
    with engine.begin() as connection:
        store.store_inventory(connection, site=site, machines=machines, day=now.astimezone(site.zone).date())
    return machines


def collect_day(
    *, site: Site, day: date, source: EnergySource, archive: Archive, engine: sa.Engine, clock: Clock, run_id: str
) -> Collected:
    """Collect one site-local day. All or nothing: raises FailedRead, and then nothing is stored."""
    try:
        return _collect(site=site, day=day, source=source, archive=archive, engine=engine, clock=clock, run_id=run_id)
    except FailedRead as error:
        raise FailedRead(f"{site.name} {day}: {str(error).removeprefix(f'{site.name}: ')}") from None


def _collect(
    *, site: Site, day: date, source: EnergySource, archive: Archive, engine: sa.Engine, clock: Clock, run_id: str
) -> Collected:
    window = day_window(day=day, timezone=site.timezone)
    if day > store.last_complete_day(site=site, now=clock.now()):
        ready = window.end + site.margin
        raise FailedRead(f"the day is not over at the site; collect it after {ready:%Y-%m-%d %H:%M} UTC")
    machines = source.machines(as_of=window.end)
    if not machines:
        raise FailedRead("the site lists no machine; check its inventory")
    with engine.connect() as connection:
        better = store.ratings(connection, site=site)
    rated = [
        dataclasses.replace(machine, rated_watts=better.get(machine.name, machine.rated_watts)) for machine in machines
    ]
    raw: list[str] = []
    batches = source.samples(
        machines=[machine.name for machine in machines],
        window=window.widened(site.margin),
        keep_raw=lambda answer: raw.append(archive.put(answer.content, gzipped=answer.gzipped)),
    )
    energy = derive(batches=batches, machines=rated, window=window, site=site)
    if energy.readings == 0:
        raise FailedRead("no reading of any machine; the day stays open")
    with engine.begin() as connection:
        store.store_inventory(connection, site=site, machines=machines, day=day)
        stored = store.store_day(connection, site=site, day=day, energy=energy, raw=raw, run_id=run_id, now=clock.now())
    return Collected(day=day, energy=energy, stored=stored)
