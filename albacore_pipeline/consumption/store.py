"""Collections and machine-days in the database: immutable revisions, the newest accepted one counts."""

from __future__ import annotations

import json
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Protocol

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray

from albacore_pipeline.consumption import queries
from albacore_pipeline.consumption.energy_day import QUALITY_LETTERS, EnergyDay
from albacore_pipeline.consumption.quality import Quality
from albacore_pipeline.database import copy_rows, locks, packed
from albacore_pipeline.effects import audit
from albacore_pipeline.periods import local_day
from albacore_pipeline.sites import Site


@dataclass(frozen=True, kw_only=True)
class Stored:
    """What became of a reading of a site-day.

    `state` is `accepted` or `waiting` (for `accept_revision`); `new` is False when the site said nothing new.
    """

    collection_id: int
    revision: int
    state: str
    new: bool
    reason: str = ""


def store_day(
    connection: sa.Connection,
    *,
    site: Site,
    day: date,
    energy: EnergyDay,
    raw: Sequence[str],
    run_id: str,
    now: datetime,
    accept_change: float,
) -> Stored:
    """Store one reading of a site-day as a revision, in the caller's transaction.

    The same content again stores nothing. A later revision that loses measured hours, or changes what was known of the
    site-day by the share `accept_change` or more, waits for a person; hours that were missing and came are no change.
    """
    locks.hold(connection, locks.site_day(site=site.name, day=day))
    revisions = queries.revisions(connection, site=site.name, day=day)
    accepted = next((row for row in revisions if row.state == "accepted"), None)
    sha256 = energy.content_hash()
    if accepted and accepted.content_sha256 == sha256:
        queries.refuse_waiting(connection, site=site.name, day=day, now=now)
        queries.read_again(connection, collection_id=accepted.collection_id, now=now)
        return Stored(collection_id=accepted.collection_id, revision=accepted.revision, state="accepted", new=False)
    if revisions and revisions[0].state == "waiting" and revisions[0].content_sha256 == sha256:
        newest = revisions[0]
        queries.read_again(connection, collection_id=newest.collection_id, now=now)
        return Stored(collection_id=newest.collection_id, revision=newest.revision, state="waiting", new=False)
    revision = revisions[0].revision + 1 if revisions else 1
    collection = queries.insert_collection(
        connection, site=site.name, day=day, revision=revision, run_id=run_id, sha256=sha256, readings=energy.readings,
        raw=json.dumps(list(raw)), now=now,
    )  # fmt: skip
    _copy_machine_days(connection, collection=collection, site=site, day=day, energy=energy)
    _copy_refused(connection, collection=collection, energy=energy)
    reason = ""
    if accepted:
        reason = _why_waiting(connection, old=accepted.collection_id, new=collection, day=day, most=accept_change)
    if reason:
        return Stored(collection_id=collection, revision=revision, state="waiting", new=True, reason=reason)
    queries.decide(connection, collection_id=collection, state="accepted", reason=None, actor=audit.PIPELINE, now=now)
    return Stored(collection_id=collection, revision=revision, state="accepted", new=True)


def decide_revision(
    connection: sa.Connection, *, site: str, day: date, accept: bool, actor: str, reason: str, now: datetime
) -> int:
    """Accept or refuse the waiting revision of a site-day by a person's word; returns its number.

    Raises LookupError when none waits.
    """
    waiting = [row for row in queries.revisions(connection, site=site, day=day) if row.state == "waiting"]
    if not waiting:
        raise LookupError(f"no revision of {site} {day} waits for a decision")
    state = "accepted" if accept else "refused"
    queries.decide(connection, collection_id=waiting[0].collection_id, state=state, reason=reason, actor=actor, now=now)
    return waiting[0].revision


def last_complete_day(*, site: Site, now: datetime) -> date:
    """The newest day that can be collected: over at the site for the margin that its last hour is read with."""
    return local_day(at=now - site.margin, timezone=site.timezone) - timedelta(days=1)


def due_days(connection: sa.Connection, *, sites: Sequence[Site], now: datetime) -> dict[str, list[date]]:
    """The days of each site that are to be collected, in order.

    Days that can be collected and never were; and of a site whose data arrive late, days that were last read before
    everything could have arrived, once a day.
    """
    due: dict[str, list[date]] = {}
    names, last_days = [site.name for site in sites], [last_complete_day(site=site, now=now) for site in sites]
    for row in queries.due_days(connection, sites=names, last_days=last_days, now=now):
        due.setdefault(row.site, []).append(row.day)
    return due


class StoredHours(Protocol):
    """A machine-day as it is stored."""

    @property
    def machine(self) -> str:
        """The site's own id."""

    @property
    def hourly_wh(self) -> Sequence[int]:
        """Watt-hours by the hour."""

    @property
    def hourly_quality(self) -> str:
        """A letter an hour."""

    @property
    def flags(self) -> str:
        """Words, joined by commas."""


def stored_hash(rows: Sequence[StoredHours]) -> str:
    """The content hash of a stored site-day, from its rows in the order of `EnergyDay.machines`."""
    letters = {letter: quality for quality, letter in zip(Quality, QUALITY_LETTERS, strict=True)}
    hours = max((len(row.hourly_wh) for row in rows), default=0)
    return EnergyDay(
        machines=[row.machine for row in rows],
        hourly_wh=np.array([row.hourly_wh for row in rows], dtype=np.int32).reshape(len(rows), hours),
        quality=np.array([[letters[letter] for letter in row.hourly_quality] for row in rows], dtype=np.uint8),
        flags=[tuple(row.flags.split(",")) if row.flags else () for row in rows],
        refused=[],
        readings=0,
    ).content_hash()


def _why_waiting(connection: sa.Connection, *, old: int, new: int, day: date, most: float) -> str:
    change = queries.change(connection, old=old, new=new, day=day)
    if change.hours_lost:
        return f"{change.hours_lost} measured hours would be lost"
    share = abs(change.moved_wh) / max(change.old_wh, 1)
    return f"what was known of the site-day would change by {share:.1%}" if share >= most else ""


MACHINE_DAY = (
    *("collection_id", "machine_id", "day", "wh", "hourly_wh", "hourly_quality", "quality"),
    *("hours_expected", "hours_measured", "hours_estimated", "estimated_wh", "flags"),
)
_LETTERS = np.frombuffer(QUALITY_LETTERS.encode(), dtype=np.uint8)
_FIRST_DATE = date(2000, 1, 1)  # of PostgreSQL, which counts days from here


def _copy_machine_days(connection: sa.Connection, *, collection: int, site: Site, day: date, energy: EnergyDay) -> None:
    connection.execute(sa.text("select albacore.ensure_month(:day)"), {"day": day})
    ids = {each.machine: each.machine_id for each in queries.machine_ids(connection, site=site.name)}
    machine_ids = np.array([ids[machine] for machine in energy.machines], dtype=np.int64)
    alike: dict[tuple[str, str], list[int]] = {}
    for row, (quality, flags) in enumerate(zip(energy.day_quality(), energy.flags, strict=True)):
        alike.setdefault((quality, ",".join(flags)), []).append(row)
    blocks = (
        _records(energy, machine_ids, np.array(rows), collection=collection, day=day, quality=quality, flags=flags)
        for (quality, flags), rows in alike.items()
    )
    packed.copy_records(connection, table="albacore.machine_day", columns=MACHINE_DAY, blocks=blocks)


def _records(
    energy: EnergyDay,
    machine_ids: NDArray[np.int64],
    rows: NDArray[np.int64],
    *,
    collection: int,
    day: date,
    quality: str,
    flags: str,
) -> bytes:
    """Machine-days whose quality and flags are the same words."""
    count, hours = len(rows), energy.hourly_wh.shape[1]
    columns = {
        "collection_id": packed.repeated(struct.pack(">q", collection), count),
        "machine_id": packed.integers(machine_ids[rows], width=4),
        "day": packed.repeated(struct.pack(">i", (day - _FIRST_DATE).days), count),
        "wh": None if quality == "missing" else packed.integers(energy.wh[rows], width=8),
        "hourly_wh": packed.int4_arrays(energy.hourly_wh[rows]),
        "hourly_quality": _LETTERS[energy.quality[rows]],
        "quality": packed.repeated(quality.encode(), count),
        "hours_expected": packed.repeated(struct.pack(">h", hours), count),
        "hours_measured": packed.integers(energy.hours_measured[rows], width=2),
        "hours_estimated": packed.integers(energy.hours_estimated[rows], width=2),
        "estimated_wh": packed.integers(energy.estimated_wh[rows], width=8),
        "flags": packed.repeated(flags.encode(), count),
    }
    return packed.records([columns[name] for name in MACHINE_DAY], count=count)


def _copy_refused(connection: sa.Connection, *, collection: int, energy: EnergyDay) -> None:
    copy_rows(
        connection,
        table="albacore.quarantined_reading",
        columns=["collection_id", "machine", "at", "value", "reason"],
        types=["int8", "text", "timestamptz", "text", "text"],
        rows=(
            (collection, refused.machine, refused.at, refused.value[:200], refused.reason) for refused in energy.refused
        ),
    )
