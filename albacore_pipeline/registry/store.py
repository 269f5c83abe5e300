"""Registry versions in the database: a load is one transaction, and says what it changed."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from albacore_pipeline.database import copy_rows, sql
from albacore_pipeline.effects import audit
from albacore_pipeline.registry.files import Registry
from albacore_pipeline.registry.policies import Policy
from albacore_pipeline.registry.rows import FOREVER, Customer


@dataclass(frozen=True, kw_only=True)
class Loaded:
    """What a load did: the version in force now, and rows come and gone by table. No rows: nothing was new."""

    version: int
    changes: dict[str, tuple[int, int]]


@dataclass(frozen=True, kw_only=True)
class _Table:
    name: str
    columns: Sequence[str]
    staged: Sequence[tuple[str, str]]  # what is copied: column and type
    select: str  # from the staged columns to the table's
    rows: Iterable[Sequence[Any]]


def load(connection: sa.Connection, registry: Registry, *, actor: str, reason: str, now: datetime) -> Loaded:
    """Make a registry the one in force, in the caller's transaction.

    The same content as the version in force makes no new version.
    """
    connection.execute(sa.text("select pg_advisory_xact_lock(hashtext('albacore.registry'))"))
    newest = sql(connection, "registry/newest_version").one_or_none()
    if newest and newest.content_sha256 == registry.content_sha256:
        return Loaded(version=newest.version, changes={})
    version = (newest.version if newest else 0) + 1
    sql(
        connection,
        "registry/insert_version",
        version=version,
        sha256=registry.content_sha256,
        now=now,
        actor=actor,
        reason=reason,
    )
    changes = {table.name: _merge(connection, table, version=version) for table in _tables(registry)}
    details = {"version": version, "sha256": registry.content_sha256, "reason": reason, "changes": changes}
    audit.record(
        connection, now=now, actor=actor, action="load_registry", subject=f"registry {version}", details=details
    )
    return Loaded(version=version, changes=changes)


def policy_in_force(connection: sa.Connection, *, name: str, now: datetime) -> Policy:
    """The version of a policy that holds on a day; the first one for days before it."""
    row = sql(connection, "registry/policy_in_force", name=name, today=now.date()).one()
    return Policy.model_validate(row.definition)


def _merge(connection: sa.Connection, table: _Table, *, version: int) -> tuple[int, int]:
    staged = ", ".join(f"{column} {kind}" for column, kind in table.staged)
    connection.execute(sa.text(f"create temp table staged ({staged}) on commit drop"))
    names, types = [column for column, _ in table.staged], [kind for _, kind in table.staged]
    copy_rows(connection, table="staged", columns=names, types=types, rows=table.rows)
    if "machine" in names:
        sql(connection, "registry/add_unknown_machines")
    connection.execute(sa.text(f"create temp table incoming on commit drop as {table.select}; analyze incoming"))
    columns = ", ".join(table.columns)
    gone = connection.execute(
        sa.text(_GONE.format(table=table.name, incoming=_of("incoming", table), ours=_of(table.name, table))),
        {"version": version},
    ).rowcount
    come = connection.execute(sa.text(_COME.format(table=table.name, columns=columns)), {"version": version}).rowcount
    connection.execute(sa.text("drop table staged, incoming"))
    return come, gone


def _of(name: str, table: _Table) -> str:
    return ", ".join(f"{name}.{column}" for column in table.columns)


# Rows that are gone end, equal ones stay untouched, new ones begin. Compared as text, which hashes.
_GONE = """
update albacore.{table} set until_version = :version
where until_version is null and not exists (select from incoming where row({incoming})::text = row({ours})::text)
"""
_COME = """
insert into albacore.{table} ({columns}, since_version)
select {columns}, :version from (
    select {columns} from incoming except select {columns} from albacore.{table} where until_version is null
) come
"""

_TO_DAY = f"case when to_day = date '{FOREVER}' then date 'infinity' else to_day end as to_day"


def _tables(registry: Registry) -> list[_Table]:
    customer = list(Customer.model_fields)
    return [
        _Table(
            name="customer",
            columns=customer,
            staged=[(column, "integer" if column == "payment_terms_days" else "text") for column in customer],
            select="select * from staged",
            rows=(tuple(dict(row).values()) for row in registry.customers),
        ),
        _Table(
            name="assignment",
            columns=["machine_id", "customer", "from_day", "to_day", "state"],
            staged=[
                ("site", "text"),
                ("machine", "text"),
                ("customer", "text"),
                ("from_day", "date"),
                ("to_day", "date"),
                ("state", "text"),
            ],
            select=f"select machine_id, customer, from_day, {_TO_DAY}, state"
            " from staged join albacore.machine using (site, machine)",
            rows=(
                (row.site, row.machine, row.customer, row.from_day, row.to_day, row.state)
                for row in registry.assignments
            ),
        ),
        _Table(
            name="tariff",
            columns=[
                "tariff",
                "customer",
                "site",
                "from_day",
                "to_day",
                "kind",
                "currency",
                "unit_price",
                "multiplier",
                "fee_per_machine_day",
                "minimum_per_month",
            ],
            staged=[
                ("tariff", "text"),
                ("customer", "text"),
                ("site", "text"),
                ("from_day", "date"),
                ("to_day", "date"),
                ("kind", "text"),
                ("currency", "text"),
                ("unit_price", "numeric"),
                ("multiplier", "numeric"),
                ("fee_per_machine_day", "numeric"),
                ("minimum_per_month", "numeric"),
            ],
            select="select tariff, nullif(customer, '') as customer, nullif(site, '') as site, from_day, "
            + _TO_DAY
            + ","
            " kind, currency, unit_price, multiplier, fee_per_machine_day, minimum_per_month from staged",
            rows=(
                (
                    row.tariff,
                    row.customer,
                    row.site,
                    row.from_day,
                    row.to_day,
                    row.kind,
                    row.currency,
                    row.unit_price,
                    row.multiplier,
                    row.fee_per_machine_day,
                    row.minimum_per_month,
                )
                for row in registry.tariffs
            ),
        ),
        _Table(
            name="machine_rating",
            columns=["machine_id", "rated_watts", "serial", "model"],
            staged=[
                ("site", "text"),
                ("machine", "text"),
                ("rated_watts", "integer"),
                ("serial", "text"),
                ("model", "text"),
            ],
            select="select machine_id, staged.rated_watts, nullif(staged.serial, '') as serial,"
            " nullif(staged.model, '') as model from staged join albacore.machine using (site, machine)",
            rows=((row.site, row.machine, row.rated_watts, row.serial, row.model) for row in registry.machines),
        ),
        _Table(
            name="policy",
            columns=["policy", "from_day", "definition"],
            staged=[("policy", "text"), ("from_day", "date"), ("definition", "text")],
            select="select policy, from_day, definition::jsonb as definition from staged",
            rows=(
                (name, version.from_day, json.dumps(version.model_dump(mode="json")))
                for name, versions in registry.policies.items()
                for version in versions
            ),
        ),
    ]
