"""The queries of `sql/billing/`, typed, but for the steps of the rating (`rating/steps.py`)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Literal

import sqlalchemy as sa

from albacore_pipeline.database.rows import execute, row, rows

Action = Literal["open", "rewrite", "withdraw", "keep"]


@dataclass(frozen=True, kw_only=True)
class RatingResult:
    """What became of a customer's month.

    `action` is `open` (a first revision, or one that corrects a document), `rewrite` (no document yet), `withdraw`
    (a correction that is no longer one) or `keep`; `blocked` says why it can't be rated, else is empty.
    """

    customer: str
    action: Action
    revision: int
    blocked: str | None
    currency: str | None
    amount: Decimal
    kwh: Decimal


@dataclass(frozen=True, kw_only=True)
class PreviewRow:
    """A customer's month as it stands, beside the average of up to three months before."""

    customer: str
    revision: int
    state: str
    waits: str | None
    reason: str
    currency: str | None
    kwh: Decimal | None
    price: Decimal | None
    total: Decimal | None
    kwh_before: Decimal | None
    price_before: Decimal | None
    total_before: Decimal | None


@dataclass(frozen=True, kw_only=True)
class CurrentSum:
    """What a customer's current revision comes to, and what the newest one with a document did."""

    customer: str
    kwh: Decimal
    amount: Decimal
    documented: Decimal | None


def accepted_collections(connection: sa.Connection) -> list[int]:
    """The collections that the rating under way stands on."""
    return rows(connection, "billing/accepted_collections", int)


def open_run(connection: sa.Connection, *, first_day: date, registry_version: int, run_id: str, now: datetime) -> int:
    """Note what the rating under way stands on; its id."""
    return row(
        connection, "billing/open_run", int,
        first_day=first_day, registry_version=registry_version, run_id=run_id, now=now,
    )  # fmt: skip


def rating_results(connection: sa.Connection) -> list[RatingResult]:
    """What became of each customer's month in the rating under way."""
    return rows(connection, "billing/rating_results", RatingResult)


def months_to_bill(connection: sa.Connection, *, now: datetime, today: date) -> list[date]:
    """The first days of months that are over at every site and have something that no rating has seen yet."""
    return rows(connection, "billing/months_to_bill", date, now=now, today=today)


def preview(connection: sa.Connection, *, month: date) -> list[PreviewRow]:
    """A month by customer; what needs a person comes first."""
    return rows(connection, "billing/preview", PreviewRow, month=month)


def touched_months(connection: sa.Connection, *, version: int) -> list[date]:
    """The rated months on which a version of the registry says something else than the one before."""
    return rows(connection, "billing/touched_months", date, version=version)


def current_sums(connection: sa.Connection, *, month: date) -> list[CurrentSum]:
    """What the current revisions of a month come to."""
    return rows(connection, "billing/current_sums", CurrentSum, month=month)


def accept_gap(
    connection: sa.Connection,
    *,
    site: str,
    machines: Sequence[str],
    first_day: date,
    last_day: date,
    reason: str,
    actor: str,
    now: datetime,
) -> int:
    """Accept the gaps of machine-days (no machine: of all the site's); how many were not accepted before."""
    return execute(
        connection, "billing/accept_gap",
        site=site, machines=machines, first_day=first_day, last_day=last_day, reason=reason, actor=actor, now=now,
    )  # fmt: skip
