"""What the sites say of their machines, and what they say otherwise than before.

Belongs here: machines, ratings and changes in the database, and machines on which site and registry don't agree.
Does not belong here: the machines' days (`store.py`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

import sqlalchemy as sa

from albacore_pipeline.consumption import queries
from albacore_pipeline.consumption.energy_day import EnergyDay
from albacore_pipeline.consumption.queries import InventoryChange
from albacore_pipeline.data_centres.interface import Machine
from albacore_pipeline.sites import Site

LISTED = "listed"


@dataclass(frozen=True, kw_only=True)
class Inventory:
    """A site's machines as it lists them now, and what has changed since its last inventory."""

    machines: list[Machine]
    changes: list[InventoryChange] = field(default_factory=list)

    @property
    def appeared(self) -> list[str]:
        """Machines that the last inventory did not list."""
        return list(self._listed(now=True))

    @property
    def vanished(self) -> list[str]:
        """Machines that the last inventory listed."""
        return list(self._listed(now=False))

    def _listed(self, *, now: bool) -> Iterator[str]:
        listed = str(now).lower()
        return (each.machine for each in self.changes if (each.field, each.new_value) == (LISTED, listed))


@dataclass(frozen=True, kw_only=True)
class Unaccounted:
    """Where a site-day and the registry don't agree."""

    unknown: list[str]  # assigned, and its site does not list it
    unassigned: dict[str, int]  # Wh drawn by machines that are nobody's


def store_inventory(
    connection: sa.Connection, *, site: Site, machines: Sequence[Machine], day: date, now: datetime
) -> list[InventoryChange]:
    """Write what the site says about its machines as of a day; what is new about machines that it had shown already.

    A day before the newest one that a machine was seen on changes nothing about it.
    """
    names, watts = [machine.name for machine in machines], [machine.rated_watts for machine in machines]
    serials, models = [machine.serial for machine in machines], [machine.model for machine in machines]
    changes = queries.inventory_changes(
        connection, site=site.name, day=day, machines=names, rated_watts=watts, serials=serials, models=models, now=now
    )
    queries.upsert_machines(
        connection, site=site.name, day=day, machines=names, rated_watts=watts, serials=serials, models=models
    )
    return changes


def store_listing(
    connection: sa.Connection, *, site: Site, machines: Sequence[Machine], day: date, now: datetime
) -> list[InventoryChange]:
    """Write which machines the site lists now, after they were stored; who appeared and who vanished."""
    names = [machine.name for machine in machines]
    return queries.relist(connection, site=site.name, machines=names, day=day, now=now)


def ratings(connection: sa.Connection, *, site: Site) -> dict[str, int]:
    """The rated watts that the registry gives; they override the site's."""
    return {each.machine: each.rated_watts for each in queries.ratings(connection, site=site.name)}


def unaccounted(connection: sa.Connection, *, site: Site, day: date, energy: EnergyDay) -> Unaccounted:
    """Machines of a site-day on which the site and the registry don't agree, by name."""
    assigned = queries.assigned_machines(connection, site=site.name, day=day)
    listed, known = set(energy.machines), set(assigned)
    drawn = zip(energy.machines, energy.wh.tolist(), strict=True)
    return Unaccounted(
        unknown=[machine for machine in assigned if machine not in listed],
        unassigned={machine: wh for machine, wh in drawn if wh > 0 and machine not in known},
    )
