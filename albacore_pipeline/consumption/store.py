"""Collections and machine-days in the database: immutable revisions, the newest accepted one counts."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
import sqlalchemy as sa

from albacore_pipeline.consumption.energy_day import QUALITY_LETTERS, EnergyDay
from albacore_pipeline.consumption.quality import Quality
from albacore_pipeline.data_centres.interface import Machine
from albacore_pipeline.database import copy_rows, sql
from albacore_pipeline.effects import audit
from albacore_pipeline.periods import local_day
from albacore_pipeline.sites import Site

LARGEST_CHANGE = 0.05  # of a site-day's energy, that a new revision may bring without a person's word


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


def store_inventory(connection: sa.Connection, *, site: Site, machines: Sequence[Machine], day: date) -> None:
    """Write what the site says about its machines as of a day."""
    sql(
        connection,
        "consumption/upsert_machines",
        site=site.name,
        day=day,
        machines=[machine.name for machine in machines],
        rated_watts=[machine.rated_watts for machine in machines],
        serials=[machine.serial for machine in machines],
        models=[machine.model for machine in machines],
    )


def ratings(connection: sa.Connection, *, site: Site) -> dict[str, int]:
    """The rated watts that the registry gives; they override the site's."""
    return {row.machine: row.rated_watts for row in sql(connection, "consumption/ratings", site=site.name)}


def store_day(
    connection: sa.Connection,
    *,
    site: Site,
    day: date,
    energy: EnergyDay,
    raw: Sequence[str],
    run_id: str,
    now: datetime,
) -> Stored:
    """Store one reading of a site-day as a revision, in the caller's transaction.

    The same content again stores nothing. A later revision that loses measured hours, or changes what was known of the
    site-day by LARGEST_CHANGE or more, waits for a person; hours that were missing and came are no change.
    """
    connection.execute(sa.text("select pg_advisory_xact_lock(hashtext(:key))"), {"key": f"{site.name} {day}"})
    revisions = sql(connection, "consumption/revisions", site=site.name, day=day).all()
    accepted = next((row for row in revisions if row.state == "accepted"), None)
    sha256 = energy.content_hash()
    if accepted and accepted.content_sha256 == sha256:
        sql(connection, "consumption/refuse_waiting", site=site.name, day=day, now=now)
        sql(connection, "consumption/read_again", collection_id=accepted.collection_id, now=now)
        return Stored(collection_id=accepted.collection_id, revision=accepted.revision, state="accepted", new=False)
    if revisions and revisions[0].state == "waiting" and revisions[0].content_sha256 == sha256:
        newest = revisions[0]
        sql(connection, "consumption/read_again", collection_id=newest.collection_id, now=now)
        return Stored(collection_id=newest.collection_id, revision=newest.revision, state="waiting", new=False)
    revision = revisions[0].revision + 1 if revisions else 1
    parameters = {
        "run_id": run_id,
        "sha256": sha256,
        "readings": energy.readings,
        "raw": json.dumps(list(raw)),
        "now": now,
    }
    collection = sql(
        connection, "consumption/insert_collection", site=site.name, day=day, revision=revision, **parameters
    ).scalar_one()
    _copy_machine_days(connection, collection=collection, site=site, day=day, energy=energy)
    _copy_refused(connection, collection=collection, energy=energy)
    reason = _why_waiting(connection, old=accepted.collection_id, new=collection, day=day) if accepted else ""
    if reason:
        return Stored(collection_id=collection, revision=revision, state="waiting", new=True, reason=reason)
    sql(
        connection,
        "consumption/decide",
        collection_id=collection,
        state="accepted",
        reason=None,
        actor=audit.PIPELINE,
        now=now,
    )
    return Stored(collection_id=collection, revision=revision, state="accepted", new=True)


def decide_revision(
    connection: sa.Connection, *, site: str, day: date, accept: bool, actor: str, reason: str, now: datetime
) -> int:
    """Accept or refuse the waiting revision of a site-day by a person's word; returns its number.

    Raises LookupError when none waits.
    """
    waiting = [row for row in sql(connection, "consumption/revisions", site=site, day=day) if row.state == "waiting"]
    if not waiting:
        raise LookupError(f"no revision of {site} {day} waits for a decision")
    state = "accepted" if accept else "refused"
    sql(
        connection,
        "consumption/decide",
        collection_id=waiting[0].collection_id,
        state=state,
        reason=reason,
        actor=actor,
        now=now,
    )
    details = {"revision": waiting[0].revision, "state": state, "reason": reason}
    audit.record(connection, now=now, actor=actor, action="accept_revision", subject=f"{site} {day}", details=details)
    return int(waiting[0].revision)


def last_complete_day(*, site: Site, now: datetime) -> date:
    """The newest day that can be collected: over at the site for the margin that its last hour is read with."""
    return local_day(at=now - site.margin, timezone=site.timezone) - timedelta(days=1)


def due_days(connection: sa.Connection, *, sites: Sequence[Site], now: datetime) -> dict[str, list[date]]:
    """The days of each site that are to be collected, in order.

    Days that can be collected and never were; and of a site whose data arrive late, days that were last read before
    everything could have arrived, once a day.
    """
    due: dict[str, list[date]] = {}
    values = {
        "sites": [site.name for site in sites],
        "last_days": [last_complete_day(site=site, now=now) for site in sites],
    }
    for row in sql(connection, "consumption/due_days", now=now, **values):
        due.setdefault(row.site, []).append(row.day)
    return due


def stored_hash(rows: Sequence[Any]) -> str:
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


def _why_waiting(connection: sa.Connection, *, old: int, new: int, day: date) -> str:
    change = sql(connection, "consumption/change", old=old, new=new, day=day).one()
    if change.hours_lost:
        return f"{change.hours_lost} measured hours would be lost"
    share = abs(change.moved_wh) / max(change.old_wh, 1)
    return f"what was known of the site-day would change by {share:.1%}" if share >= LARGEST_CHANGE else ""


MACHINE_DAY = {
    "collection_id": "int8",
    "machine_id": "int4",
    "day": "date",
    "wh": "int8",
    "hourly_wh": "int4[]",
    "hourly_quality": "text",
    "quality": "text",
    "hours_expected": "int2",
    "hours_measured": "int2",
    "hours_estimated": "int2",
    "estimated_wh": "int8",
    "flags": "text",
}


def _copy_machine_days(connection: sa.Connection, *, collection: int, site: Site, day: date, energy: EnergyDay) -> None:
    connection.execute(sa.text("select albacore.ensure_month(:day)"), {"day": day})
    known = connection.execute(
        sa.text("select machine, machine_id from albacore.machine where site = :site"), {"site": site.name}
    )
    ids = {row.machine: row.machine_id for row in known}

    def rows() -> Iterator[Sequence[Any]]:
        columns = (
            energy.machines,
            energy.wh.tolist(),
            energy.hourly_wh.tolist(),
            energy.quality_letters(),
            energy.day_quality(),
            energy.hours_measured.tolist(),
            energy.hours_estimated.tolist(),
            energy.estimated_wh.tolist(),
            energy.flags,
        )
        hours = energy.hourly_wh.shape[1]
        for machine, wh, hourly, letters, quality, measured, estimated, estimated_wh, flags in zip(
            *columns, strict=True
        ):
            known_wh = wh if measured + estimated else None
            yield (
                collection,
                ids[machine],
                day,
                known_wh,
                hourly,
                letters,
                quality,
                hours,
                measured,
                estimated,
                estimated_wh,
                ",".join(flags),
            )

    copy_rows(
        connection,
        table="albacore.machine_day",
        columns=list(MACHINE_DAY),
        types=list(MACHINE_DAY.values()),
        rows=rows(),
    )


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
