"""Registry versions in the database: a load is one transaction, and says what it changed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter
from typing import Any

import sqlalchemy as sa

from albacore_pipeline.database import copy_rows, locks
from albacore_pipeline.registry import queries
from albacore_pipeline.registry.files import Registry
from albacore_pipeline.registry.policies import Policy
from albacore_pipeline.registry.rows import FOREVER, STORED, Customer, Entity, RegistryRow

# The comparisons hash a whole table; compiling them takes longer than it saves.
MEMORY = ("set local work_mem = '128MB'", "set local jit = off")


@dataclass(frozen=True, kw_only=True)
class Loaded:
    """What a load did: the version in force now, and rows added and removed by table. No rows: nothing was new.

    `unseen` names some of the machines that are assigned and that no site has shown yet; `unseen_count` counts them.
    """

    version: int
    changes: dict[str, tuple[int, int]]
    unseen: tuple[str, ...] = ()
    unseen_count: int = 0


@dataclass(frozen=True, kw_only=True)
class _Table:
    name: str
    columns: Sequence[str]
    staged: Mapping[str, str]  # what is copied: column and type
    select: str  # from the staged columns to the table's
    rows: Iterable[Sequence[Any]]  # in the order of the staged columns


def load(connection: sa.Connection, registry: Registry, *, actor: str, reason: str, now: datetime) -> Loaded:
    """Make a registry the one in force, in the caller's transaction.

    The same content as the version in force makes no new version.
    """
    locks.hold(connection, locks.REGISTRY)
    newest = queries.newest_version(connection)
    if newest and newest.content_sha256 == registry.content_sha256:
        return Loaded(version=newest.version, changes={})
    for setting in MEMORY:
        connection.exec_driver_sql(setting)
    version = (newest.version if newest else 0) + 1
    queries.insert_version(
        connection, version=version, sha256=registry.content_sha256, now=now, actor=actor, reason=reason
    )
    changes = {table.name: _merge(connection, table, version=version) for table in _tables(registry)}
    connection.exec_driver_sql("analyze albacore.machine, albacore.assignment")  # they may just have been filled
    unseen = queries.unseen_machines(connection)
    return Loaded(
        version=version,
        changes=changes,
        unseen=tuple(f"{row.machine} at {row.site}" for row in unseen),
        unseen_count=unseen[0].machines if unseen else 0,
    )


def version_in_force(connection: sa.Connection) -> int | None:
    """The number of the registry in force; None before the first load."""
    newest = queries.newest_version(connection)
    return newest.version if newest else None


def policy_in_force(connection: sa.Connection, *, name: str, now: datetime) -> Policy:
    """The version of a policy that holds on a day; of one that is gone, what it last said. Raises LookupError."""
    found = queries.policy_in_force(connection, name=name, today=now.date())
    if found is None:
        raise LookupError(f"there is no policy {name}: policies.yaml names them")
    return Policy.model_validate(found.definition, context=STORED)


def _merge(connection: sa.Connection, table: _Table, *, version: int) -> tuple[int, int]:
    staged = ", ".join(f"{column} {kind}" for column, kind in table.staged.items())
    connection.execute(sa.text(f"create temp table staged ({staged}) on commit drop"))
    names, types = list(table.staged), list(table.staged.values())
    copy_rows(connection, table="staged", columns=names, types=types, rows=table.rows)
    if "machine" in names:
        queries.add_unknown_machines(connection)
    connection.execute(sa.text(f"create temp table incoming on commit drop as {table.select}; analyze incoming"))
    columns = ", ".join(table.columns)
    removed = connection.execute(
        sa.text(_REMOVE.format(table=table.name, incoming=_of("incoming", table), ours=_of(table.name, table))),
        {"version": version},
    ).rowcount
    added = connection.execute(sa.text(_ADD.format(table=table.name, columns=columns)), {"version": version}).rowcount
    connection.execute(sa.text("drop table staged, incoming"))
    return added, removed


def _of(name: str, table: _Table) -> str:
    return ", ".join(f"{name}.{column}" for column in table.columns)


# Removed rows end, equal ones stay untouched, added ones begin. Compared as text, which hashes; hashed
# order suits the index behind the exclusion constraint, too: sorted rows take a third longer.
_REMOVE = """
update albacore.{table} set until_version = :version
where until_version is null and not exists (select from incoming where row({incoming})::text = row({ours})::text)
"""
_ADD = """
insert into albacore.{table} ({columns}, since_version)
select {columns}, :version from (
    select {columns} from incoming except select {columns} from albacore.{table} where until_version is null
) added
"""

DAYS = {"from_day": "date", "to_day": "date"}
TARIFF = ("tariff", "customer", "site", "kind", "currency")
PRICES = dict.fromkeys(("unit_price", "multiplier", "fee_per_machine_day", "minimum_per_month"), "numeric")
_TO_DAY = f"case when to_day = date '{FOREVER}' then date 'infinity' else to_day end as to_day"


def _tables(registry: Registry) -> Iterator[_Table]:
    yield from _who(registry)
    yield from _at_which_price(registry)
    yield from _by_which_rules(registry)


def _who(registry: Registry) -> Iterator[_Table]:
    yield _as_in_file("entity", dict.fromkeys(Entity.model_fields, "text"), registry.entities)
    customers = dict.fromkeys(Customer.model_fields, "text") | {"payment_terms_days": "integer"}
    yield _as_in_file("customer", customers, registry.customers)
    staged = dict.fromkeys(["site", "machine", "customer", "state"], "text") | DAYS
    yield _Table(
        name="assignment",
        columns=["machine_id", "customer", "from_day", "to_day", "state"],
        staged=staged,
        select=f"select machine_id, customer, from_day, {_TO_DAY}, state"
        " from staged join albacore.machine using (site, machine)",
        rows=map(attrgetter(*staged), registry.assignments),
    )


def _at_which_price(registry: Registry) -> Iterator[_Table]:
    staged = dict.fromkeys(TARIFF, "text") | DAYS | PRICES | {"series": "text"}
    yield _Table(
        name="tariff",
        columns=[*TARIFF, *DAYS, *PRICES, "index"],
        staged=staged,
        select="select tariff, nullif(customer, '') as customer, nullif(site, '') as site, kind, currency,"
        f" from_day, {_TO_DAY}, {', '.join(PRICES)}, nullif(series, '') as index from staged",
        rows=map(attrgetter(*staged), registry.tariffs),
    )
    yield _Table(
        name="tariff_band",
        columns=["tariff", "from_kwh", "weekdays", "from_hour", "to_hour", "unit_price"],
        staged={
            "tariff": "text", "from_kwh": "numeric", "weekdays": "integer[]", "from_hour": "smallint",
            "to_hour": "smallint", "unit_price": "numeric",
        },
        select="select * from staged",
        rows=(
            (band.tariff, band.from_kwh, list(band.weekdays), band.first_hour, band.last_hour, band.unit_price)
            for band in registry.bands
        ),
    )  # fmt: skip
    prices = {"index": "text", "hour_start": "timestamptz", "currency": "text", "price_per_kwh": "numeric"}
    yield _as_in_file("price", prices, registry.prices)


def _by_which_rules(registry: Registry) -> Iterator[_Table]:
    staged = dict.fromkeys(["site", "machine", "serial", "model"], "text") | {"rated_watts": "integer"}
    yield _Table(
        name="machine_rating",
        columns=["machine_id", "rated_watts", "serial", "model"],
        staged=staged,
        select="select machine_id, staged.rated_watts, nullif(staged.serial, '') as serial,"
        " nullif(staged.model, '') as model from staged join albacore.machine using (site, machine)",
        rows=map(attrgetter(*staged), registry.machines),
    )
    yield _Table(
        name="policy",
        columns=["policy", "from_day", "definition"],
        staged={"policy": "text", "from_day": "date", "definition": "text"},
        select="select policy, from_day, definition::jsonb as definition from staged",
        rows=(
            (name, version.from_day, version.model_dump_json())
            for name, versions in registry.policies.items()
            for version in versions
        ),
    )


def _as_in_file(name: str, columns: Mapping[str, str], rows: Iterable[RegistryRow]) -> _Table:
    """A table whose columns are the file's."""
    select = "select * from staged"
    return _Table(name=name, columns=list(columns), staged=columns, select=select, rows=map(attrgetter(*columns), rows))
