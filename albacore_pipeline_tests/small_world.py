"""A few machines, customers and prices, written through the rooms' own doors, for tests that need a month to bill.

Belongs here: rows with sensible defaults, a load of them, and collections of machine-days.
Does not belong here: what any test expects.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import numpy as np
import sqlalchemy as sa

from albacore_pipeline.billing.queries import RatingResult
from albacore_pipeline.billing.store import rate_month
from albacore_pipeline.consumption.energy_day import EnergyDay
from albacore_pipeline.consumption.inventory import store_inventory
from albacore_pipeline.consumption.quality import Quality
from albacore_pipeline.consumption.store import Stored, decide_revision, store_day
from albacore_pipeline.data_centres.interface import Machine
from albacore_pipeline.database import sync_sites
from albacore_pipeline.periods import Month, day_window
from albacore_pipeline.registry.files import Registry
from albacore_pipeline.registry.policies import Policy
from albacore_pipeline.registry.rows import Assignment, Customer, Entity, MachineRating, Price, Tariff, TariffBand
from albacore_pipeline.registry.store import Loaded, load
from albacore_pipeline.sites import SITES
from albacore_pipeline_tests.clocks import utc

NOW = utc("2025-11-01T06:00")
LONG_AFTER = utc("2026-06-01T06:00")  # when days are read, so that nothing is awaited any more


@dataclass(frozen=True, kw_only=True)
class Day:
    """A machine's day: its energy lies in the first of the hours that are not missing. The last hours go missing."""

    wh: int
    missing: int = 0
    estimated_wh: int = 0  # part of `wh`, in the hour after


@dataclass(frozen=True, kw_only=True)
class Hours:
    """A machine's day, hour by hour; None where nothing is known."""

    wh: tuple[int | None, ...]


Energy = int | Day | Hours | None  # None: the machine gave no answer at all


def even(site: str, day: date, wh: int) -> Hours:
    """A day on which a machine used the same in each hour, however many the day has."""
    return Hours(wh=(wh,) * day_window(day=day, timezone=SITES[site].timezone).hours)


def customer(name: str, **given: Any) -> Customer:
    """A customer in Norway that pays Norwegian crowns within 14 days, without tax."""
    defaults = {
        "name": name.capitalize(),
        "legal_name": f"{name.capitalize()} AS",
        "address": "1 Street",
        "email": f"pay@{name}.example",
        "country": "NO",
        "currency": "NOK",
        "entity": "ALB",
        "payment_terms_days": 14,
        "tax_type": "NONE",
        "account_manager": "kam@albacore.example",
    }
    return Customer(customer=name, **defaults | given)


def assignment(machine: str, customer: str, from_day: str, to_day: str = "", **given: Any) -> Assignment:
    """A machine (`NO-…` in Norway, `FI-…` in Finland, …) that a customer has from a day on."""
    return Assignment(
        **{"site": site_of(machine), "machine": machine, "customer": customer, "from_day": from_day, "to_day": to_day}
        | given
    )


def tariff(name: str, unit_price: str | None, from_day: str = "2024-01-01", to_day: str = "", **given: Any) -> Tariff:
    """A flat price in Norwegian crowns for everybody."""
    return Tariff(
        **{
            "tariff": name,
            "unit_price": unit_price,
            "from_day": from_day,
            "to_day": to_day,
            "kind": "flat",
            "currency": "NOK",
        }
        | given
    )


def site_of(machine: str) -> str:
    """The site that a machine's prefix stands for."""
    return {"NO": "norway", "FI": "finland", "ET": "ethiopia", "ID": "indonesia"}[machine[:2]]


def open_sites(connection: sa.Connection, *names: str, starts_on: date = date(2025, 10, 1)) -> None:
    """Write some of the sites."""
    sync_sites(connection, sites=[(SITES[name], starts_on) for name in names])


def register(
    connection: sa.Connection,
    *,
    customers: Iterable[Customer],
    assignments: Iterable[Assignment],
    tariffs: Iterable[Tariff],
    machines: Iterable[MachineRating] = (),
    bands: Iterable[TariffBand] = (),
    prices: Iterable[Price] = (),
    entities: Iterable[Entity] = (),
    policy: Policy | None = None,
) -> Loaded:
    """Load a registry of these rows."""
    parts = {
        "customers": list(customers),
        "assignments": list(assignments),
        "tariffs": list(tariffs),
        "machines": list(machines),
        "bands": list(bands),
        "prices": list(prices),
        "entities": list(entities),
        "policies": {"default": [policy or Policy()]},
    }
    sha256 = hashlib.sha256(repr(parts).encode()).hexdigest()
    return load(connection, Registry(content_sha256=sha256, **parts), actor="test", reason="test", now=NOW)  # type: ignore[arg-type]


def energy_day(*, site: str, day: date, machines: Mapping[str, Energy]) -> EnergyDay:
    """What collection would have made of a site's day."""
    hours = day_window(day=day, timezone=SITES[site].timezone).hours
    wh = np.zeros((len(machines), hours), np.int32)
    quality = np.full((len(machines), hours), Quality.MEASURED, np.uint8)
    for row, given in enumerate(machines.values()):
        if isinstance(given, Hours):
            wh[row] = [one or 0 for one in given.wh]
            quality[row] = [Quality.MISSING if one is None else Quality.MEASURED for one in given.wh]
            continue
        energy = Day(wh=given) if isinstance(given, int) else given or Day(wh=0, missing=hours)
        wh[row, :2] = energy.wh - energy.estimated_wh, energy.estimated_wh
        if energy.estimated_wh:
            quality[row, 1] = Quality.ESTIMATED
        quality[row, hours - energy.missing :] = Quality.MISSING
    flags: list[tuple[str, ...]] = [()] * len(machines)
    return EnergyDay(
        machines=list(machines), hourly_wh=wh, quality=quality, flags=flags, refused=[], readings=int(wh.size)
    )


def collect(
    connection: sa.Connection,
    *,
    site: str,
    day: date,
    machines: Mapping[str, Energy],
    accept: bool = True,
    at: datetime = LONG_AFTER,
    raw: Sequence[str] = (),
) -> Stored:
    """Store a reading of a site's day; a revision that waits for a person is accepted by one, unless told not to."""
    inventory = [Machine(name=name, rated_watts=3_000) for name in machines]
    store_inventory(connection, site=SITES[site], machines=inventory, day=day, now=at)
    energy = energy_day(site=site, day=day, machines=machines)
    stored = store_day(
        connection, site=SITES[site], day=day, energy=energy, raw=raw, run_id="test", now=at, accept_change=0.05
    )
    if stored.state == "waiting" and accept:
        decide_revision(connection, site=site, day=day, accept=True, actor="test", reason="test", now=NOW)
    return stored


def collect_month(
    connection: sa.Connection,
    *,
    month: str,
    machines: Sequence[str],
    wh: int = 1_000,
    but: Mapping[tuple[str, int], Energy] | None = None,
) -> None:
    """Store each day of a month for these machines, each with `wh`; `but` has other values by machine and day."""
    but = but or {}
    for site in dict.fromkeys(site_of(machine) for machine in machines):
        there = [machine for machine in machines if site_of(machine) == site]
        for day in Month.parse(month).days():
            collect(connection, site=site, day=day, machines={name: but.get((name, day.day), wh) for name in there})


def rate(connection: sa.Connection, month: str) -> dict[str, RatingResult]:
    """Rate a month; the verdict on each customer."""
    verdicts = rate_month(connection, month=Month.parse(month), run_id="test", now=NOW)
    return {verdict.customer: verdict for verdict in verdicts}


def small_month(connection: sa.Connection) -> None:
    """Acme has a machine in Norway in October, at a flat price in crowns; on the last day two hours are missing."""
    open_sites(connection, "norway")
    register(
        connection,
        customers=[customer("acme")],
        assignments=[assignment("NO-0001", "acme", "2025-10-01")],
        tariffs=[tariff("flat", "0.5")],
    )
    holes: dict[tuple[str, int], Energy] = {("NO-0001", 31): Day(wh=900, missing=2)}
    collect_month(connection, month="2025-10", machines=["NO-0001"], but=holes)


def ask(connection: sa.Connection, question: str, **parameters: Any) -> list[Any]:
    """The rows of a query, as tuples."""
    return [tuple(row) for row in connection.execute(sa.text(question), parameters)]
