"""One rating: the steps in order, in one transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

import sqlalchemy as sa

from albacore_pipeline.billing import queries
from albacore_pipeline.billing.queries import RatingResult
from albacore_pipeline.billing.rating.steps import AMOUNTS, ESTIMATES, FOUNDATIONS, STEPS, WRITES, Step
from albacore_pipeline.database.engine import query
from albacore_pipeline.periods import Month

# A month's sums and hashes fit into memory; spilled to disk, they take twice as long. Small samples do for plans.
MEMORY = "set local work_mem = '128MB'; set local jit = off; set local default_statistics_target = 10"

Values = Mapping[str, object]


def run_steps(
    connection: sa.Connection, *, month: Month, registry_version: int, run_id: str, now: datetime
) -> tuple[int, list[RatingResult]]:
    """Rate the month in the caller's transaction; the rating's id, and what became of each customer's month.

    The temporary tables stay until `drop_tables` or the end of the transaction.
    """
    connection.exec_driver_sql(MEMORY)
    values: Values = {"first_day": month.first_day, "last_day": month.last_day}
    _carry_out(connection, FOUNDATIONS, values)
    collections = queries.accepted_collections(connection)
    billing_run_id = queries.open_run(
        connection, first_day=month.first_day, registry_version=registry_version, run_id=run_id, now=now
    )
    values = {**values, "collections": collections, "billing_run_id": billing_run_id}
    for steps in (ESTIMATES, AMOUNTS, WRITES):
        _carry_out(connection, steps, values)
    return billing_run_id, queries.rating_results(connection)


def drop_tables(connection: sa.Connection) -> None:
    """Drop what the steps made, so that the next month can be rated in the same transaction."""
    connection.execute(sa.text("drop table " + ", ".join(step.makes for step in STEPS if step.makes)))


def _carry_out(connection: sa.Connection, steps: Sequence[Step], values: Values) -> None:
    """Run the steps; each table is analysed, for the next step to be planned by what is really there."""
    for step in steps:
        connection.execute(query(step.file), {name: values[name] for name in step.parameters})
        if step.makes:
            connection.execute(sa.text(f"analyze {step.makes}"))
