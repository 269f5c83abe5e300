"""A month's rating against the bare aggregate of the same data, and against pandas.

Bare is one INSERT of the grouped join of machine-days, spans and prices into a table with a record's columns and keys,
nothing else: no completeness, no revisions, no hash. Seconds depend on the machine; ratios hold.
`python -m albacore_pipeline_tests.bench.billing 20000` rates a fleet of another size.
"""

from __future__ import annotations

import multiprocessing
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import sqlalchemy as sa

from albacore_pipeline.billing.rating.run import MEMORY
from albacore_pipeline.billing.store import rate_month
from albacore_pipeline.database import connect, embedded, migrate, sync_sites
from albacore_pipeline.database.engine import driver
from albacore_pipeline.periods import Month
from albacore_pipeline_tests.clocks import utc

MONTH = Month(2025, 12)
NOW = utc("2026-02-01T06:00")
MACHINES, PER_CUSTOMER = 100_000, 20
ROUNDS = 3
BARE, PANDAS, TIME_OF_USE, DOUBLED, MEGABYTES = 1.5, 5.0, 8.0, 2.2, 300  # the bounds

WORLD = """
set session_replication_role = replica;  -- what is written here needs no checking
insert into albacore.registry_version values (1, 'bench', '2025-10-01', 'bench', 'bench');
insert into albacore.policy values ('default', '2025-01-01', '{{"accepted_gap_hours": 2, "review_factor": 3}}', 1);
insert into albacore.tariff (tariff, from_day, kind, currency, unit_price, since_version)
values ('standard', '2025-01-01', 'flat', 'EUR', 0.0523, 1);
insert into albacore.tariff_band values ('standard', 0, array[1,2,3,4,5], 7, 22, 0.0811, 1);
insert into albacore.collection (site, day, revision, state, collected_at, last_read_at, run_id, content_sha256,
    readings, raw)
select 'norway', day::date, 1, 'accepted', '2026-01-10', '2026-01-10', 'bench', 'bench', 0, '[]'
from generate_series(date '2025-12-01', date '2025-12-31', interval '1 day') as day;
"""
FLEET = """
set session_replication_role = replica;
insert into albacore.machine (site, machine, rated_watts, first_seen, last_seen)
select 'norway', 'NO-' || lpad(n::text, 7, '0'), 4000, '2025-10-01', '2026-01-01'
from generate_series({first} + 1, {first} + {machines}) as n;
insert into albacore.customer (customer, name, legal_name, address, email, country, language, currency, entity,
    payment_terms_days, tax_type, account_manager, policy, since_version)
select 'c' || n, 'C', 'C', 'x', 'c@c.example', 'NO', 'en', 'EUR', 'ALB', 14, 'NONE', 'm@m.example', 'default', 1
from generate_series({first} / {share}, ({first} + {machines}) / {share}) as n
where not exists (select from albacore.customer where customer = 'c' || n);
insert into albacore.assignment (machine_id, customer, from_day, to_day, state, since_version)
select machine_id, 'c' || machine_id / {share}, '2025-01-01'::date, '2025-12-14'::date, 'billable', 1
from albacore.machine where machine_id % 20 = 0 and machine_id > {first}
union all
select machine_id, 'c' || (machine_id / {share} + 1) % (({first} + {machines}) / {share}), '2025-12-15', 'infinity',
    'billable', 1
from albacore.machine where machine_id % 20 = 0 and machine_id > {first}
union all
select machine_id, 'c' || machine_id / {share}, '2025-01-01', 'infinity', 'billable', 1
from albacore.machine where machine_id % 20 <> 0 and machine_id > {first};
select albacore.ensure_month('2025-12-01');
insert into albacore.machine_day
select collection_id, machine_id, day, 24 * (2900 + machine_id % 97), array_fill(2900 + machine_id % 97, array[24]),
    repeat('m', 24), 'measured', 24, 24, 0, 0, ''
from albacore.collection cross join albacore.machine where machine_id > {first};
"""

AGGREGATE = """
select assignment.customer, machine.site, assignment.machine_id, tariff.tariff, tariff.currency, unit_price,
    greatest(assignment.from_day, date '2025-12-01') as from_day, least(assignment.to_day, date '2025-12-31') as to_day,
    sum(wh)::bigint as wh
from albacore.assignment
join albacore.machine using (machine_id)
join albacore.customer using (customer)
join albacore.tariff on tariff.currency = customer.currency
join albacore.machine_day on machine_day.machine_id = assignment.machine_id
    and day between assignment.from_day and assignment.to_day and day between '2025-12-01' and '2025-12-31'
group by assignment.customer, machine.site, assignment.machine_id, tariff.tariff, tariff.currency, unit_price,
    assignment.from_day, assignment.to_day
"""
INSERT = f"""
create table bare (like albacore.billing_record including defaults including identity including indexes);
insert into bare (customer_month_id, site, machine_id, from_day, to_day, price_kind, tariff, quantity, unit, unit_price,
    currency, amount, wh, measured_wh)
select hashtext(customer), site, machine_id, from_day, to_day, 'energy', tariff, wh * 0.001, 'kWh', unit_price,
    currency, wh * 0.001 * unit_price, wh, wh
from ({AGGREGATE}) rated
"""


def seconds(engine: sa.Engine, act: Callable[[sa.Connection], object], *, rounds: int = ROUNDS) -> float:
    """The best of some rounds; each is rolled back."""
    best = float("inf")
    for _ in range(rounds):
        with engine.connect() as connection, connection.begin() as transaction:
            started = time.monotonic()
            act(connection)
            best = min(best, time.monotonic() - started)
            transaction.rollback()
    return best


def bare(connection: sa.Connection) -> None:
    """With the same memory as the rating."""
    connection.exec_driver_sql(MEMORY)
    driver(connection).execute(INSERT.encode())


def rate(connection: sa.Connection) -> None:
    """The month, as the asset rates it."""
    rate_month(connection, month=MONTH, run_id="bench", now=NOW)


def rate_by_hours(connection: sa.Connection) -> None:
    """The same month under a tariff with a band for working hours."""
    connection.exec_driver_sql("update albacore.tariff set kind = 'time_of_use'")
    rate(connection)


def with_pandas(url: str) -> None:
    """What a script does for the same records: read what the rating reads, merge, group, and store the result."""
    engine = sa.create_engine(url)

    def read(question: str) -> pd.DataFrame:
        return pd.read_sql(question, engine)

    days = read(
        "select machine_id, day, collection_id, wh, estimated_wh, hours_expected, hours_measured, hours_estimated"
        " from albacore.machine_day"
    )
    accepted = read("select collection_id from albacore.collection where state = 'accepted'")
    spans = read(
        "select machine_id, site, customer, currency, from_day, least(to_day, '2025-12-31') as to_day"
        " from albacore.assignment join albacore.machine using (machine_id) join albacore.customer using (customer)"
    )
    tariffs = read("select tariff, currency, unit_price, multiplier from albacore.tariff")
    days = days[days.collection_id.isin(accepted.collection_id)]
    days["hours_missing"] = days.hours_expected - days.hours_measured - days.hours_estimated
    merged = days.merge(spans, on="machine_id")
    merged = merged[(merged.day >= merged.from_day) & (merged.day <= merged.to_day)]
    keys, sums = (
        ["customer", "site", "machine_id", "currency", "from_day", "to_day"],
        ["wh", "estimated_wh", "hours_missing"],
    )
    rated = merged.groupby(keys, as_index=False)[sums].sum().merge(tariffs, on="currency")
    rated["quantity"] = rated.wh / 1000 * rated.multiplier.astype(float)
    rated["amount"] = rated.quantity * rated.unit_price.astype(float)
    rated[rated.hours_missing == 0].to_sql("with_pandas", engine, if_exists="replace", index=False)


def populate(engine: sa.Engine, *, first: int, machines: int) -> None:
    """Add machines with their customers and a month of energy; every twentieth changes hands on the fifteenth."""
    with engine.begin() as connection:
        if first == 0:
            sync_sites(connection)
            driver(connection).execute(WORLD.format().encode())
        driver(connection).execute(FLEET.format(first=first, machines=machines, share=PER_CUSTOMER).encode())
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("vacuum analyze")


def said(name: str, took: float, ratio: float, bound: float, *, at_least: bool = False) -> bool:
    """Print a measurement beside its bound; whether it keeps it."""
    kept = ratio >= bound if at_least else ratio <= bound
    word = "at least" if at_least else "at most"
    print(f"  {name}: {took:.2f} s, ratio {ratio:.2f} ({word} {bound}){'' if kept else ' BROKEN'}", flush=True)
    return kept


def billing(url: str, *, machines: int) -> bool:
    """Measure and print; whether every bound is kept."""
    engine = connect(url)
    populate(engine, first=0, machines=machines)
    took_bare, rated = seconds(engine, bare), seconds(engine, rate)
    print(f"billing_records, {machines:,} machines x 31 days, 5 % handovers, flat: {rated:.2f} s", flush=True)
    kept = [said("bare aggregate", took_bare, rated / took_bare, BARE)]
    by_hours = seconds(engine, rate_by_hours)
    kept.append(said("time of use, against flat", by_hours, by_hours / rated, TIME_OF_USE))
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"  this process took {memory:.0f} MB (at most {MEGABYTES})", flush=True)
    kept.append(memory <= MEGABYTES)
    script = multiprocessing.get_context("spawn").Process(target=with_pandas, args=(url,))
    started = time.monotonic()
    script.start()
    script.join()
    took = time.monotonic() - started
    kept.append(
        said("pandas, reading and storing included", took, took / rated, PANDAS, at_least=True) and script.exitcode == 0
    )
    populate(engine, first=machines, machines=machines)
    doubled = seconds(engine, rate)
    kept.append(said("twice the fleet", doubled, doubled / rated, DOUBLED))
    return all(kept)


def main(machines: int = MACHINES) -> bool:
    """Measure on an embedded database of its own, which is removed at the end; whether every bound is kept."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        try:
            url = embedded.start(home=home).database_url
            migrate(connect(url))
            return billing(url, machines=machines)
        finally:
            connect(url).dispose()
            embedded.remove(home=home)


if __name__ == "__main__":
    sys.exit(not main(*map(int, sys.argv[1:])))
