"""The figures of a month's report, read in one go."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from albacore_pipeline.oversight.month_report import queries
from albacore_pipeline.oversight.month_report.queries import (
    CorrectingLine,
    CurrencyTotal,
    CustomerMonth,
    EstimatedEnergy,
    Gap,
    Held,
    SiteDayEnergy,
    SiteMoney,
    SiteMonth,
    UnbilledEnergy,
)
from albacore_pipeline.periods import Month


@dataclass(frozen=True, kw_only=True)
class Figures:
    """The rows behind a month's report."""

    month: Month
    as_of: datetime
    currencies: Sequence[CurrencyTotal]
    customers: Sequence[CustomerMonth]
    sites: Sequence[SiteMonth]
    money_by_site: Sequence[SiteMoney]
    days: Sequence[SiteDayEnergy]
    unbilled: Sequence[UnbilledEnergy]
    held: Sequence[Held]
    corrections: Sequence[CorrectingLine]
    estimates: Sequence[EstimatedEnergy]
    gaps: Sequence[Gap]

    @property
    def blocked(self) -> list[CustomerMonth]:
        """Customers whose month can't be billed yet."""
        return [row for row in self.customers if row.state == "blocked"]


def figures(connection: sa.Connection, *, month: Month, as_of: datetime) -> Figures:
    """Read a month's figures."""
    earlier = month.previous()
    this, before = str(month), str(earlier)
    first, last = month.first_day, month.last_day
    return Figures(
        month=month,
        as_of=as_of,
        currencies=queries.by_currency(connection, month=this, before=before),
        customers=queries.by_customer(connection, month=this, before=before),
        sites=queries.by_site(
            connection, month=this, first_day=first, last_day=last, first_before=earlier.first_day,
            last_before=earlier.last_day,
        ),
        money_by_site=queries.money_by_site(connection, month=this, before=before),
        days=queries.by_day(connection, first_day=first, last_day=last),
        unbilled=queries.unbilled(connection, month=this),
        held=queries.held(connection, month=this, as_of=as_of),
        corrections=queries.corrections(connection, month=this),
        estimates=queries.estimates(connection, month=this),
        gaps=queries.gaps(connection, first_day=first, last_day=last),
    )  # fmt: skip
