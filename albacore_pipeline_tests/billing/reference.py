"""Billing by hand: an independent reference, day by day and machine by machine, in plain Python.

It shares nothing with the SQL that it is compared with: no sets, no spans, one machine's energy of one day at a time.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from albacore_pipeline.registry.rows import Assignment, Tariff
from albacore_pipeline_tests.small_world import Day, Energy


@dataclass(frozen=True)
class Bill:
    """What a customer owes for a month, and for how many watt-hours."""

    amount: Decimal
    wh: int


@dataclass(frozen=True)
class Blocked:
    """The month can't be billed."""

    by: str  # `tariff` or `gaps`


@dataclass(frozen=True, kw_only=True)
class Books:
    """All that the reference looks at. `energy` has a machine's day only where it was collected."""

    first: date
    last: date
    assignments: Sequence[Assignment]
    tariffs: Sequence[Tariff]
    energy: Mapping[tuple[str, date], Energy]
    accepted: frozenset[tuple[str, date]]
    tolerated_hours: int

    def days(self) -> Iterator[date]:
        day = self.first
        while day <= self.last:
            yield day
            day += timedelta(days=1)

    def bill(self, customer: str) -> Bill | Blocked | None:
        """The customer's month; None without a single billable day."""
        theirs = [
            (row, day)
            for row in self.assignments
            if row.customer == customer and row.state == "billable"
            for day in self.days()
            if row.from_day <= day <= row.to_day
        ]
        if not theirs:
            return None
        if any(self._price(customer, row.site, day) is None for row, day in theirs):
            return Blocked("tariff")
        if self._has_gaps([(row.machine, day) for row, day in theirs]):
            return Blocked("gaps")
        amount, total = Decimal(0), 0
        for row, day in theirs:
            price = self._price(customer, row.site, day)
            assert price is not None and price.unit_price is not None
            wh = _known_wh(self.energy.get((row.machine, day)))
            amount += Decimal(wh) / 1000 * price.multiplier * price.unit_price + price.fee_per_machine_day
            total += wh
        closing = [self._price(customer, site, self.last) for site in {row.site for row, _ in theirs}]
        minimum = max((price.minimum_per_month for price in closing if price), default=Decimal(0))
        return Bill(max(amount, minimum), total)

    def _price(self, customer: str, site: str, day: date) -> Tariff | None:
        for wanted in ((customer, site), (customer, ""), ("", site), ("", "")):
            for row in self.tariffs:
                if (row.customer, row.site) == wanted and row.from_day <= day <= row.to_day:
                    return row
        return None

    def _has_gaps(self, machine_days: Sequence[tuple[str, date]]) -> bool:
        hours: dict[str, int] = {}
        for machine, day in machine_days:
            if (machine, day) in self.accepted:
                continue
            if (machine, day) not in self.energy:
                return True
            hours[machine] = hours.get(machine, 0) + _missing_hours(self.energy[machine, day])
        return any(count > self.tolerated_hours for count in hours.values())


def _known_wh(energy: Energy) -> int:
    return energy.wh if isinstance(energy, Day) else energy or 0


def _missing_hours(energy: Energy) -> int:
    """Of a day of 24 hours."""
    return energy.missing if isinstance(energy, Day) else 24 if energy is None else 0
