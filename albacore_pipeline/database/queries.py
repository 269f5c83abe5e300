"""The queries of `sql/database/`, typed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa

from albacore_pipeline.database.rows import execute, rows


@dataclass(frozen=True, kw_only=True)
class Column:
    """A column of a view, with its PostgreSQL type and its comment."""

    name: str
    type: str
    description: str | None


def columns(connection: sa.Connection, *, view: str) -> list[Column]:
    """The columns of a view of the `report` schema."""
    return rows(connection, "database/columns", Column, view=view)


def upsert_site(
    connection: sa.Connection, *, site: str, country: str, timezone: str, starts_on: date, late_days: int
) -> int:
    """Write a site as the program knows it."""
    return execute(
        connection, "database/upsert_site",
        site=site, country=country, timezone=timezone, starts_on=starts_on, late_days=late_days,
    )  # fmt: skip
