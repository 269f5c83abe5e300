"""Reading and loading a registry of 105,000 assignments, against the bare reading and the bare COPY of the same rows.

Seconds depend on the machine; ratios hold.
"""

from __future__ import annotations

import csv
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path

import sqlalchemy as sa

from albacore_pipeline.database import connect, copy_rows, embedded, migrate, sync_sites
from albacore_pipeline.registry.files import Registry, read_registry
from albacore_pipeline.registry.store import load
from albacore_pipeline_tests.bench.billing import seconds
from albacore_pipeline_tests.clocks import utc

MACHINES, HANDOVERS, CUSTOMERS = 100_000, 5_000, 5_000
BOUND = 2.0  # of a load, by the time of the bare COPY into a table with the exclusion constraint
NOW = utc("2026-01-01T06:00")
ROUNDS = 2

BARE = """
create table bare (
    machine_id integer not null, customer text not null, from_day date not null, to_day date not null,
    state text not null,
    exclude using gist (int4range(machine_id, machine_id, '[]') with &&, daterange(from_day, to_day, '[]') with &&)
)
"""
KNOWN = "insert into albacore.machine (site, machine, first_seen) select 'norway', unnest(%s::text[]), '2025-01-01'"
COLUMNS = {"machine_id": "integer", "customer": "text", "from_day": "date", "to_day": "date", "state": "text"}
INDEXES, HOURS = ("NO2", "FI", "SYS"), 365 * 24


def write_folder(folder: Path) -> None:
    """A registry in which every twentieth machine changes hands, with a year of hourly prices for some indexes."""
    customers = [
        f"c{n},C {n},C {n} AS,{n} Street,,pay@c{n}.example,NO,en,NOK,ALB,14,NONE,kam@albacore.example,"
        for n in range(CUSTOMERS)
    ]
    assignments = []
    for n in range(MACHINES):
        hands_over = n < HANDOVERS
        assignments.append(f"norway,NO-{n:06d},c{n % CUSTOMERS},2025-01-01,{'2025-11-14' if hands_over else ''},")
        if hands_over:
            assignments.append(f"norway,NO-{n:06d},c{(n + 1) % CUSTOMERS},2025-11-15,,")
    start = utc("2025-01-01T00:00")
    prices = [
        f"{index},{start + timedelta(hours=hour):%Y-%m-%dT%H:%M}+00:00,NOK,{hour % 97 / 100 - 0.1:.4f}"
        for index in INDEXES
        for hour in range(HOURS)
    ]
    header = "customer,name,legal_name,address,vat_number,email,country,language,currency,entity,payment_terms_days"
    files = {
        "customers.csv": [f"{header},tax_type,account_manager,policy", *customers],
        "assignments.csv": ["site,machine,customer,from_day,to_day,state", *assignments],
        "tariffs.csv": ["tariff,from_day,kind,currency,unit_price", "nok,2025-01-01,flat,NOK,0.7"],
        "prices.csv": ["index,hour_start,currency,price_per_kwh", *prices],
    }
    for name, lines in files.items():
        (folder / name).write_text("\n".join(lines) + "\n")


def best(act: Callable[[], object]) -> float:
    """The best of some rounds, in seconds."""
    took = []
    for _ in range(ROUNDS):
        started = time.monotonic()
        act()
        took.append(time.monotonic() - started)
    return min(took)


def bare_read(folder: Path) -> None:
    """What the standard library's reader takes for the same bytes."""
    for path in folder.iterdir():
        with path.open(newline="") as file:
            list(csv.reader(file))


def bare_load(registry: Registry) -> Callable[[sa.Connection], None]:
    """COPY into a table that has nothing but the exclusion constraint."""
    numbers = {machine: number for number, machine in enumerate({row.machine for row in registry.assignments})}
    rows = [(numbers[row.machine], row.customer, row.from_day, row.to_day, "billable") for row in registry.assignments]

    def act(connection: sa.Connection) -> None:
        connection.exec_driver_sql(BARE)
        copy_rows(connection, table="bare", columns=list(COLUMNS), types=list(COLUMNS.values()), rows=rows)

    return act


def one_percent_changed(registry: Registry) -> Registry:
    """Another state for every hundredth assignment."""
    assignments = [
        row.model_copy(update={"state": "free"}) if number % 100 == 0 else row
        for number, row in enumerate(registry.assignments)
    ]
    return replace(registry, assignments=assignments, content_sha256="changed")


def measure(engine: sa.Engine, folder: Path) -> bool:
    """Print what reading and loading cost; whether the load keeps its bound."""
    write_folder(folder)
    registry = read_registry(folder)
    rows = f"{len(registry.assignments):,} assignments, {len(registry.prices):,} prices"
    read, bare = best(lambda: read_registry(folder)), best(lambda: bare_read(folder))
    print(f"registry, {rows}: read and validated in {read:.2f} s")
    print(f"  bare csv.reader over the same files: {bare:.2f} s, ratio {read / bare:.1f}")
    act = partial(load, actor="bench", reason="bench", now=NOW)
    alone, copy = replace(registry, prices=[]), bare_load(registry)
    strange = seconds(engine, lambda connection: act(connection, alone))
    with engine.begin() as connection:  # as the nights before have found them
        connection.exec_driver_sql(KNOWN, (sorted({row.machine for row in registry.assignments}),))
    bare, loaded = seconds(engine, copy), seconds(engine, lambda connection: act(connection, alone))
    priced = seconds(engine, lambda connection: act(connection, registry))
    print(f"  load of a first version: {loaded:.2f} s, with the prices {priced:.2f} s")
    print(f"  the same where no site has shown the machines before: {strange:.2f} s, ratio {strange / bare:.2f}")
    print(f"  bare COPY with the exclusion constraint: {bare:.2f} s, ratio {loaded / bare:.2f} (bound {BOUND:.1f})")
    with engine.begin() as connection:
        act(connection, registry)
    changed = one_percent_changed(registry)
    again = seconds(engine, lambda connection: act(connection, changed))
    print(f"  load of a version with 1 % of the assignments changed: {again:.2f} s, ratio {again / priced:.2f}")
    return loaded <= BOUND * bare


def main() -> bool:
    """Measure on an embedded database of its own, which is removed at the end; whether the bound is kept."""
    with tempfile.TemporaryDirectory() as place:
        home, folder = Path(place) / "home", Path(place) / "registry"
        folder.mkdir()
        try:
            engine = connect(embedded.start(home=home).database_url)
            migrate(engine)
            with engine.begin() as connection:
                sync_sites(connection)
            kept = measure(engine, folder)
            engine.dispose()
            return kept
        finally:
            embedded.remove(home=home)


if __name__ == "__main__":
    sys.exit(not main())
