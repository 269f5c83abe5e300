"""The queries of `sql/consumption/`, typed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

import sqlalchemy as sa

from albacore_pipeline.database.rows import execute, row, rows


@dataclass(frozen=True, kw_only=True)
class Revision:
    """A reading of a site-day. `state`: accepted, waiting or refused."""

    collection_id: int
    revision: int
    state: str
    content_sha256: str


@dataclass(frozen=True, kw_only=True)
class RevisionChange:
    """What a new revision changes of what an old one knew."""

    old_wh: int
    moved_wh: int
    hours_lost: int


@dataclass(frozen=True, kw_only=True)
class SiteDay:
    """A calendar day at a site."""

    site: str
    day: date


@dataclass(frozen=True, kw_only=True)
class MachineId:
    """A machine and its number in the database."""

    machine: str
    machine_id: int


@dataclass(frozen=True, kw_only=True)
class Rating:
    """The rated watts of a machine, as the registry gives them."""

    machine: str
    rated_watts: int


@dataclass(frozen=True, kw_only=True)
class InventoryChange:
    """What a site says of a machine otherwise than before: `serial`, `model`, `rated_watts`, or if it is `listed`."""

    machine: str
    field: str
    old_value: str | None
    new_value: str


@dataclass(frozen=True, kw_only=True)
class OffSpan:
    """A span in which a machine stood still by a verified power-off, with what the site says that it is rated."""

    machine: str
    rated_watts: int | None
    from_at: datetime
    to_at: datetime


@dataclass(frozen=True, kw_only=True)
class DrawnWhileOff:
    """Wh that a machine drew in whole hours in which it was read to be off."""

    machine: str
    wh: int


def revisions(connection: sa.Connection, *, site: str, day: date) -> list[Revision]:
    """The revisions of a site-day, newest first."""
    return rows(connection, "consumption/revisions", Revision, site=site, day=day)


def insert_collection(
    connection: sa.Connection,
    *,
    site: str,
    day: date,
    revision: int,
    run_id: str,
    sha256: str,
    readings: int,
    raw: str,
    now: datetime,
) -> int:
    """Write a new revision of a site-day, which waits until it is decided; its id. `raw` is a JSON array of sha256."""
    return row(
        connection, "consumption/insert_collection", int,
        site=site, day=day, revision=revision, run_id=run_id, sha256=sha256, readings=readings, raw=raw, now=now,
    )  # fmt: skip


def read_again(connection: sa.Connection, *, collection_id: int, now: datetime) -> int:
    """Note that the site said again what it had said before."""
    return execute(connection, "consumption/read_again", collection_id=collection_id, now=now)


def refuse_waiting(connection: sa.Connection, *, site: str, day: date, now: datetime) -> int:
    """Refuse what waits, because the site says again what was accepted."""
    return execute(connection, "consumption/refuse_waiting", site=site, day=day, now=now)


def decide(
    connection: sa.Connection, *, collection_id: int, state: str, reason: str | None, actor: str, now: datetime
) -> int:
    """Accept or refuse a revision that waits."""
    return execute(
        connection, "consumption/decide", collection_id=collection_id, state=state, reason=reason, actor=actor, now=now
    )


def change(connection: sa.Connection, *, old: int, new: int, day: date) -> RevisionChange:
    """What a new revision changes against an old one, over the hours that the old one knew."""
    return row(connection, "consumption/change", RevisionChange, old=old, new=new, day=day)


def due_days(
    connection: sa.Connection, *, sites: Sequence[str], last_days: Sequence[date], now: datetime
) -> list[SiteDay]:
    """Site-days to be collected, in order; `last_days` goes with `sites`."""
    return rows(connection, "consumption/due_days", SiteDay, sites=sites, last_days=last_days, now=now)


def needed_answers(connection: sa.Connection, *, since: datetime) -> list[str]:
    """The sha256 of the raw answers on which something rests since an instant."""
    return rows(connection, "consumption/needed_answers", str, since=since)


def machine_ids(connection: sa.Connection, *, site: str) -> list[MachineId]:
    """The machines of a site that are known."""
    return rows(connection, "consumption/machine_ids", MachineId, site=site)


def ratings(connection: sa.Connection, *, site: str) -> list[Rating]:
    """What the registry knows better about a site's machines."""
    return rows(connection, "consumption/ratings", Rating, site=site)


def off_spans(connection: sa.Connection, *, site: str, start: datetime, end: datetime) -> list[OffSpan]:
    """When machines of a site stood still between two instants; disjoint and in order for each."""
    return rows(connection, "consumption/off_spans", OffSpan, site=site, start=start, end=end)


def drawing_while_off(connection: sa.Connection, *, site: str, day: date) -> list[DrawnWhileOff]:
    """The machines of a site that drew power on a day while they were read to be off."""
    return rows(connection, "consumption/drawing_while_off", DrawnWhileOff, site=site, day=day)


def assigned_machines(connection: sa.Connection, *, site: str, day: date) -> list[str]:
    """The machines of a site that the registry assigns to somebody on a day."""
    return rows(connection, "consumption/assigned_machines", str, site=site, day=day)


def inventory_changes(
    connection: sa.Connection,
    *,
    site: str,
    day: date,
    machines: Sequence[str],
    rated_watts: Sequence[int | None],
    serials: Sequence[str | None],
    models: Sequence[str | None],
    now: datetime,
) -> list[InventoryChange]:
    """Note what the site says otherwise than before of machines that it has shown already; before they are stored."""
    return rows(
        connection, "consumption/inventory_changes", InventoryChange,
        site=site, day=day, machines=machines, rated_watts=rated_watts, serials=serials, models=models, now=now,
    )  # fmt: skip


def upsert_machines(
    connection: sa.Connection,
    *,
    site: str,
    day: date,
    machines: Sequence[str],
    rated_watts: Sequence[int | None],
    serials: Sequence[str | None],
    models: Sequence[str | None],
) -> int:
    """Store the inventory of a site as of a day; what the site no longer says is kept."""
    return execute(
        connection, "consumption/upsert_machines",
        site=site, day=day, machines=machines, rated_watts=rated_watts, serials=serials, models=models,
    )  # fmt: skip


def relist(
    connection: sa.Connection, *, site: str, machines: Sequence[str], day: date, now: datetime
) -> list[InventoryChange]:
    """Note which machines the newest inventory lists; those that appeared or vanished since the one before."""
    return rows(connection, "consumption/relist", InventoryChange, site=site, machines=machines, day=day, now=now)
