"""One night of one site: ask, keep the raw answers, derive, store."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Protocol

import sqlalchemy as sa

from albacore_pipeline.consumption import queries, store
from albacore_pipeline.consumption.energy import EnergyDay, Quality, derive
from albacore_pipeline.consumption.inventory import (
    Inventory,
    Unaccounted,
    ratings,
    store_inventory,
    store_listing,
    unaccounted,
)
from albacore_pipeline.data_centres.interface import EnergySource, FailedRead, Machine, NoMachines
from albacore_pipeline.periods import Clock, Window, day_window, local_day
from albacore_pipeline.sites import Site


class Archive(Protocol):
    """Where raw answers are kept."""

    def put_raw(self, content: bytes, *, gzipped: bytes = b"") -> str:
        """Keep content, in its gzip stream where there is one, and return its sha256."""


@dataclass(frozen=True, kw_only=True)
class Collected:
    """A site-day as it was read, and what became of it."""

    day: date
    energy: EnergyDay
    stored: store.Stored
    unaccounted: Unaccounted
    drawn_while_off: list[queries.DrawnWhileOff] = field(default_factory=list)


def read_inventory(*, site: Site, source: EnergySource, engine: sa.Engine, clock: Clock) -> Inventory:
    """Ask the site for its machines as of now and store what it says. Raises FailedRead.

    A site that lists none has no inventory to be stored, and is the caller's to tell of.
    """
    now = clock.now()
    try:
        machines = source.machines(as_of=now)
    except NoMachines:
        return Inventory(machines=[])
    day = local_day(at=now, timezone=site.timezone)
    with engine.begin() as connection:
        changes = store_inventory(connection, site=site, machines=machines, day=day, now=now)
        changes += store_listing(connection, site=site, machines=machines, day=day, now=now)
    return Inventory(machines=machines, changes=changes)


def collect_day(
    *,
    site: Site,
    day: date,
    source: EnergySource,
    archive: Archive,
    engine: sa.Engine,
    clock: Clock,
    run_id: str,
    accept_change: float,
) -> Collected:
    """Collect one site-local day. All or nothing: raises FailedRead, and then nothing is stored."""
    window = day_window(day=day, timezone=site.timezone)
    try:
        if day > store.last_complete_day(site=site, now=clock.now()):
            ready = window.end + site.margin
            raise FailedRead(f"the day is not over at the site; collect it after {ready:%Y-%m-%d %H:%M} UTC")
        machines = source.machines(as_of=window.end)
        with engine.connect() as connection:
            known_ratings = ratings(connection, site=site)
            asked = window.widened(site.margin)
            off = queries.off_spans(connection, site=site.name, start=asked.start, end=asked.end)
        energy, raw = _read(
            site=site,
            window=window,
            machines=_rated(machines, known_ratings),
            off=off,
            silent=_rated(_unlisted(off, machines), known_ratings),
            source=source,
            archive=archive,
        )
    except FailedRead as error:
        raise FailedRead(f"{site.name} {day}: {str(error).removeprefix(f'{site.name}: ')}") from None
    with engine.begin() as connection:
        now = clock.now()
        store_inventory(connection, site=site, machines=machines, day=day, now=now)
        stored = store.store_day(
            connection, site=site, day=day, energy=energy, raw=raw, run_id=run_id, now=now, accept_change=accept_change
        )
        mismatches = unaccounted(connection, site=site, day=day, energy=energy)
        drawn = queries.drawing_while_off(connection, site=site.name, day=day)
    return Collected(day=day, energy=energy, stored=stored, unaccounted=mismatches, drawn_while_off=drawn)


def _unlisted(off: Sequence[queries.OffSpan], machines: Sequence[Machine]) -> list[Machine]:
    """Machines that stood still and that the site lists no more, as sites do that know a machine by its readings."""
    listed = {machine.name for machine in machines}
    rated = {span.machine: span.rated_watts for span in off if span.machine not in listed}
    return [Machine(name=name, rated_watts=watts) for name, watts in rated.items()]


def _rated(machines: Sequence[Machine], known_ratings: Mapping[str, int]) -> list[Machine]:
    """The machines with the ratings that are known better."""
    return [replace(machine, rated_watts=known_ratings.get(machine.name, machine.rated_watts)) for machine in machines]


def _read(
    *,
    site: Site,
    window: Window,
    machines: Sequence[Machine],
    off: Sequence[queries.OffSpan],
    silent: Sequence[Machine],
    source: EnergySource,
    archive: Archive,
) -> tuple[EnergyDay, list[str]]:
    """The energy of these machines, and the names of the raw answers in the archive. Raises FailedRead.

    `silent` are machines that the site is not asked about. Batch by batch: the readings of no more than a few batches
    are held at a time, whatever the site's size. What is kept of a machine is its row of hours.
    """
    spans: defaultdict[str, list[Window]] = defaultdict(list)
    for span in off:
        spans[span.machine].append(Window(span.from_at, span.to_at))
    raw: list[str] = []
    batches = source.samples(
        machines=[machine.name for machine in machines],
        window=window.widened(site.margin),
        keep_raw=lambda answer: raw.append(archive.put_raw(answer.content, gzipped=answer.gzipped)),
    )
    energy = derive(batches=batches, machines=[*machines, *silent], window=window, site=site, off=spans)
    if energy.readings == 0 and (energy.quality == Quality.MISSING).any():
        raise FailedRead("no reading of any machine; the day stays open")
    return energy, raw
