"""The queries of `sql/registry/`, typed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

import sqlalchemy as sa

from albacore_pipeline.database.rows import Json, execute, row_or_none, rows


@dataclass(frozen=True, kw_only=True)
class Version:
    """A version of the registry."""

    version: int
    content_sha256: str


@dataclass(frozen=True, kw_only=True)
class PolicyVersion:
    """A version of a policy, as `policies.yaml` defines it."""

    definition: Json
    from_day: date


@dataclass(frozen=True, kw_only=True)
class UnseenMachine:
    """A machine that is assigned and that no site has shown yet; `machines` counts all of them."""

    site: str
    machine: str
    machines: int


def newest_version(connection: sa.Connection) -> Version | None:
    """The registry in force."""
    return row_or_none(connection, "registry/newest_version", Version)


def insert_version(
    connection: sa.Connection, *, version: int, sha256: str, now: datetime, actor: str, reason: str
) -> int:
    """Open a version of the registry."""
    return execute(
        connection, "registry/insert_version", version=version, sha256=sha256, now=now, actor=actor, reason=reason
    )


def add_unknown_machines(connection: sa.Connection) -> int:
    """Know from here on the machines that are staged and that their sites have not shown yet."""
    return execute(connection, "registry/add_unknown_machines")


def unseen_machines(connection: sa.Connection) -> list[UnseenMachine]:
    """The first few machines that are assigned and that no site has shown yet."""
    return rows(connection, "registry/unseen_machines", UnseenMachine)


def policy_in_force(connection: sa.Connection, *, name: str, today: date) -> PolicyVersion | None:
    """The version of a policy that holds on a day; of one that is gone, what it last said."""
    return row_or_none(connection, "registry/policy_in_force", PolicyVersion, name=name, today=today)
