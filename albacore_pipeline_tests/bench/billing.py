"""`make bench`: how much more than the bare work the pipeline does, as ratios measured in one run.

Seconds depend on the machine; ratios hold. Run it on a quiet machine: `make bench`, or with a fleet of another size:
`python -m albacore_pipeline_tests.bench 20000`.
"""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import sqlalchemy as sa

from albacore_pipeline.billing.store import rate_month
from albacore_pipeline.database import connect, embedded, migrate, sync_sites
from albacore_pipeline.database.engine import driver
from albacore_pipeline.periods import Month
from albacore_pipeline_tests.clocks import utc

MONTH = Month(2025, 11)
NOW = utc("2026-01-01T06:00")
ROUNDS = 3

WORLD = """
insert into albacore.registry_version values (1, 'bench', '2025-10-01', 'bench', 'bench');
insert into albacore.machine (site, machine, rated_watts, first_seen, last_seen)
select 'norway', 'NO-' || lpad(n::text, 6, '0'), 4000, '2025-10-01', '2025-12-01'
from generate_series(1, {machines}) as n;
insert into albacore.customer (customer, name, legal_name, address, email, country, language, currency, entity,
    payment_terms_days, tax_type, account_manager, policy, since_version)
select 'c' || n, 'C', 'C', 'x', 'c@c.example', 'NO', 'en', 'EUR', 'ALB', 14, 'NONE', 'm@m.example', 'default', 1
from generate_series(0, {machines} / 20) as n;
insert into albacore.policy values ('default', '2025-01-01', '{{"accepted_gap_hours": 2}}', 1);
insert into albacore.tariff (tariff, from_day, kind, currency, unit_price, since_version)
values ('standard', '2025-01-01', 'flat', 'EUR', 0.0523, 1);
insert into albacore.assignment (machine_id, customer, from_day, to_day, state, since_version)
select machine_id, 'c' || machine_id / 20, '2025-01-01'::date, '2025-11-14'::date, 'billable', 1
from albacore.machine where machine_id % 20 = 0
union all
select machine_id, 'c' || (machine_id / 20 + 1) % ({machines} / 20), '2025-11-15', 'infinity', 'billable', 1
from albacore.machine where machine_id % 20 = 0
union all
select machine_id, 'c' || machine_id / 20, '2025-01-01', 'infinity', 'billable', 1
from albacore.machine where machine_id % 20 <> 0;
select albacore.ensure_month('2025-11-01');
insert into albacore.collection (site, day, revision, state, collected_at, last_read_at, run_id, content_sha256,
    readings, raw)
select 'norway', day::date, 1, 'accepted', '2025-12-02', '2025-12-02', 'bench', 'bench', 0, '[]'
from generate_series(date '2025-11-01', date '2025-11-30', interval '1 day') as day;
insert into albacore.machine_day
select collection_id, machine_id, day, 72000 + machine_id % 977, array_fill(3000, array[24]), repeat('m', 24),
    'measured', 24, 24, 0, 0, ''
from albacore.collection cross join albacore.machine;
analyze;
"""

BARE = """
create temp table bare on commit drop as
select assignment.customer, assignment.machine_id, tariff_id,
    greatest(assignment.from_day, date '2025-11-01') as from_day,
    sum(wh)::bigint as wh, sum(wh) * 0.001 * unit_price as amount
from albacore.assignment
join albacore.tariff on true
join albacore.machine_day on machine_day.machine_id = assignment.machine_id
    and day between assignment.from_day and assignment.to_day and day between '2025-11-01' and '2025-11-30'
group by assignment.customer, assignment.machine_id, tariff_id, assignment.from_day, unit_price
"""


def seconds(engine: sa.Engine, act: Callable[[sa.Connection], object]) -> float:
    """The best of some rounds; each is rolled back."""
    best = float("inf")
    for _ in range(ROUNDS):
        with engine.connect() as connection, connection.begin() as transaction:
            started = time.monotonic()
            act(connection)
            best = min(best, time.monotonic() - started)
            transaction.rollback()
    return best


def billing(engine: sa.Engine, *, machines: int) -> None:
    """A month of flat rates against the bare aggregate: one grouped join, nothing else."""
    with engine.begin() as connection:
        sync_sites(connection)
        driver(connection).execute(WORLD.format(machines=machines).encode())
    bare = seconds(engine, lambda connection: connection.exec_driver_sql(BARE))
    rated = seconds(engine, lambda connection: rate_month(connection, month=MONTH, run_id="bench", now=NOW))
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"billing_records, {machines:,} machines x 30 days, 5 % handovers: {rated:.2f} s")
    print(f"  bare aggregate of the same: {bare:.2f} s, ratio {rated / bare:.2f}; this process took {memory:.0f} MB")


def main() -> None:
    """Measure on an embedded database of its own, which is removed at the end."""
    machines = int(sys.argv[1]) if len(sys.argv) > 1 else 50_000
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        try:
            engine = connect(embedded.start(home=home).database_url)
            migrate(engine)
            billing(engine, machines=machines)
            engine.dispose()
        finally:
            embedded.remove(home=home)


if __name__ == "__main__":
    main()
