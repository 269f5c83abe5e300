"""Billing by hand: an independent reference, hour by hour and machine by machine, in plain Python.

It shares nothing with the SQL that it is compared with: no sets, no spans, one machine's energy of one hour at a time.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Decimal
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

from albacore_pipeline.registry.rows import Assignment, Tariff, TariffBand
from albacore_pipeline_tests.small_world import Day, Energy, Hours

ZONES = {"norway": "Europe/Oslo", "finland": "Europe/Helsinki", "ethiopia": "Africa/Addis_Ababa"}
HOUR = timedelta(hours=1)
ENDLESS = 10**18  # Wh


@dataclass(frozen=True)
class Bill:
    """What a customer owes for a month, and for how many watt-hours."""

    amount: Decimal
    wh: int


@dataclass(frozen=True)
class Blocked:
    """The month can't be billed."""

    by: str  # `tariff`, `price` or `gaps`


@dataclass(frozen=True)
class Charge:
    """Part of a bill; charges of one `key` share a line."""

    key: tuple[Any, ...]
    amount: Decimal
    wh: int = 0


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
    bands: Sequence[TariffBand] = ()
    prices: Mapping[tuple[str, datetime], Decimal] = field(default_factory=dict)
    estimated_hours: int = 0
    rated_watts: int = 3_000

    def days(self) -> Iterator[date]:
        day = self.first
        while day <= self.last:
            yield day
            day += timedelta(days=1)

    def bill(self, customer: str) -> Bill | Blocked | None:
        """The customer's month; None without a single billable day."""
        charges = self.charges(customer)
        if charges is None or isinstance(charges, Blocked):
            return charges
        return Bill(sum((charge.amount for charge in charges), Decimal(0)), sum(charge.wh for charge in charges))

    def lines(self, customer: str, places: int) -> list[Decimal]:
        """The amounts of the document's lines, each rounded once, in the order of their size."""
        charges = self.charges(customer)
        sums: defaultdict[tuple[Any, ...], Decimal] = defaultdict(Decimal)
        for charge in charges if isinstance(charges, list) else []:
            sums[charge.key] += charge.amount
        rounded = [amount.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP) for amount in sums.values()]
        return sorted(amount for amount in rounded if amount)

    def charges(self, customer: str) -> list[Charge] | Blocked | None:
        """Everything that the customer owes for the month."""
        theirs = [
            (row, day)
            for day in self.days()
            for row in self.assignments
            if row.customer == customer and row.state == "billable" and row.from_day <= day <= row.to_day
        ]
        if not theirs:
            return None
        priced = [(row, day, self._tariff(customer, row.site, day)) for row, day in theirs]
        if any(tariff is None for _, _, tariff in priced):
            return Blocked("tariff")
        if any(tariff and self._lacks_price(tariff, row.site, day) for row, day, tariff in priced):
            return Blocked("price")
        hours = self._hours(theirs)
        if self._has_gaps(theirs, hours):
            return Blocked("gaps")
        charges, counted = [], dict.fromkeys(ZONES, 0)
        for row, day, tariff in priced:
            assert tariff is not None
            if tariff.fee_per_machine_day:
                charges.append(
                    Charge((row.site, "fee", tariff.tariff, tariff.fee_per_machine_day), tariff.fee_per_machine_day)
                )
            for start, wh in hours.get((row.machine, day), []):
                charges += self._energy(tariff, row.site, start, wh or 0, counted[row.site])
                counted[row.site] += wh or 0
        owed = sum((charge.amount for charge in charges), Decimal(0))
        closing = [self._tariff(customer, site, self.last) for site in {row.site for row, _ in theirs}]
        minimum = max((price.minimum_per_month for price in closing if price), default=Decimal(0))
        return [*charges, Charge(("minimum",), minimum - owed)] if minimum > owed else charges

    def _energy(self, tariff: Tariff, site: str, start: datetime, wh: int, counted: int) -> Iterator[Charge]:
        """An hour's energy, by its prices; `counted` Wh of the customer at the site came before it this month."""
        key = (site, "energy", tariff.tariff, tariff.multiplier)
        if tariff.kind == "tiered":
            for place in range(len(self._tiers(tariff))):
                begin, price, end = self._tiers(tariff)[place]
                part = min(counted + wh, end) - max(counted, begin)
                if part > 0:
                    yield self._charge(tariff, (*key, begin, price), part, price)
            return
        if tariff.kind == "indexed":
            yield self._charge(
                tariff, (*key, tariff.series), wh, self.prices[tariff.series, start] + (tariff.unit_price or 0)
            )
            return
        band = self._band(tariff, start.astimezone(ZoneInfo(ZONES[site]))) if tariff.kind == "time_of_use" else None
        price = band.unit_price if band else tariff.unit_price or Decimal(0)
        name = (band.weekdays, band.from_hour, band.to_hour) if band else ()
        yield self._charge(tariff, (*key, name, price), wh, price)

    def _charge(self, tariff: Tariff, key: tuple[Any, ...], wh: int, price: Decimal) -> Charge:
        return Charge(key, Decimal(wh) / 1000 * tariff.multiplier * price, wh)

    def _band(self, tariff: Tariff, local: datetime) -> TariffBand | None:
        for band in self.bands:
            over_midnight = band.from_hour >= band.to_hour
            inside = (
                local.hour >= band.from_hour or local.hour < band.to_hour
                if over_midnight
                else band.from_hour <= local.hour < band.to_hour
            )
            if band.tariff == tariff.tariff and local.isoweekday() in band.weekdays and inside:
                return band
        return None

    def _tiers(self, tariff: Tariff) -> list[tuple[int, Decimal, int]]:
        """Where each tier begins, its price, and where it ends."""
        begins = {int(band.from_kwh * 1000): band.unit_price for band in self.bands if band.tariff == tariff.tariff}
        if 0 not in begins:
            assert tariff.unit_price is not None
            begins[0] = tariff.unit_price
        edges = [*sorted(begins), ENDLESS]
        return [(edge, begins[edge], end) for edge, end in pairwise(edges)]

    def _tariff(self, customer: str, site: str, day: date) -> Tariff | None:
        for wanted in ((customer, site), (customer, ""), ("", site), ("", "")):
            for row in self.tariffs:
                if (row.customer, row.site) == wanted and row.from_day <= day <= row.to_day:
                    return row
        return None

    def _lacks_price(self, tariff: Tariff, site: str, day: date) -> bool:
        return tariff.kind == "indexed" and any(
            (tariff.series, start) not in self.prices for start in hours_of_day(site, day)
        )

    def _read(self, site: str, machine: str, day: date) -> list[tuple[datetime, int | None, bool]]:
        """The hours of a machine-day as they were collected: when, Wh, and whether they were measured."""
        starts, energy = hours_of_day(site, day), self.energy[machine, day]
        if isinstance(energy, Hours):
            return [(start, wh, True) for start, wh in zip(starts, energy.wh, strict=True)]
        given = Day(wh=energy) if isinstance(energy, int) else energy or Day(wh=0, missing=len(starts))
        wh: list[int | None] = [given.wh - given.estimated_wh, given.estimated_wh, *([0] * (len(starts) - 2))]
        wh[len(starts) - given.missing :] = [None] * given.missing
        return [
            (start, one, not (place == 1 and given.estimated_wh))
            for place, (start, one) in enumerate(zip(starts, wh, strict=True))
        ]

    def _hours(
        self, theirs: Sequence[tuple[Assignment, date]]
    ) -> dict[tuple[str, date], list[tuple[datetime, int | None]]]:
        """What is known of each machine-day, with what the rule estimates."""
        known = {
            (row.machine, day): [(start, wh) for start, wh, _ in self._read(row.site, row.machine, day)]
            for row, day in theirs
            if (row.machine, day) in self.energy
        }
        sites = {row.machine: row.site for row, _ in theirs}
        for machine, site in sites.items():
            holes = [
                (day, place)
                for (name, day), hours in known.items()
                if name == machine and (name, day) not in self.accepted
                for place, (_, wh) in enumerate(hours)
                if wh is None
            ]
            if len(holes) <= self.estimated_hours:
                for day, place in holes:
                    start = known[machine, day][place][0]
                    known[machine, day][place] = (start, self._estimate(site, machine, day, start))
        return known

    def _estimate(self, site: str, machine: str, day: date, start: datetime) -> int | None:
        """The mean of the same hour of the clock on the days around, at most the rating."""
        zone, seen = ZoneInfo(ZONES[site]), []
        for around in (day - timedelta(days=1), day + timedelta(days=1)):
            if (machine, around) in self.energy:
                same = [
                    (wh, measured)
                    for at, wh, measured in self._read(site, machine, around)
                    if at.astimezone(zone).hour == start.astimezone(zone).hour
                ]
                seen += [wh for wh, measured in same[:1] if wh is not None and measured]
        if not seen:
            return None
        return min(int((Decimal(sum(seen)) / len(seen)).quantize(Decimal(1), ROUND_HALF_UP)), self.rated_watts)

    def _has_gaps(
        self,
        theirs: Sequence[tuple[Assignment, date]],
        hours: Mapping[tuple[str, date], Sequence[tuple[datetime, int | None]]],
    ) -> bool:
        missing: defaultdict[str, int] = defaultdict(int)
        for row, day in theirs:
            if (row.machine, day) in self.accepted:
                continue
            if (row.machine, day) not in hours:
                return True
            missing[row.machine] += sum(wh is None for _, wh in hours[row.machine, day])
        return any(count > self.tolerated_hours for count in missing.values())


def hours_of_day(site: str, day: date) -> list[datetime]:
    """The instants at which the hours of a day at a site begin: 23 to 25."""
    zone = ZoneInfo(ZONES[site])
    begin = datetime.combine(day, time(), zone).astimezone(UTC)
    end = datetime.combine(day + timedelta(days=1), time(), zone).astimezone(UTC)
    return [begin + HOUR * number for number in range(int((end - begin) / HOUR))]
