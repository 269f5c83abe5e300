"""What is odd about a registry that is valid: things that are right now and then, and a slip more often.

Belongs here: pure looks at the rows; no note keeps a load from happening.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, timedelta
from itertools import pairwise

from albacore_pipeline.registry.problems import Problem
from albacore_pipeline.registry.relations import Read
from albacore_pipeline.registry.rows import FOREVER, Assignment, Tariff

A_DAY = timedelta(days=1)
Stretch = tuple[date, date]


def notes_on(read: Read) -> Iterator[Problem]:
    """Every note on these rows."""
    yield from _nobodys_days(read)
    yield from _unassigned_machines(read)
    yield from _unpriced_days(read)
    yield from _empty_series(read)
    yield from _bands_of_two_currencies(read)


def _nobodys_days(read: Read) -> Iterator[Problem]:
    """Days of a machine between two assignments: it may have stood in the store, or a handover was mistyped."""
    ordered = sorted(read.assignments, key=lambda item: (item[1].site, item[1].machine, item[1].from_day))
    for (_, before), (line, after) in pairwise(ordered):
        if (before.site, before.machine) == (after.site, after.machine) and after.from_day - before.to_day > A_DAY:
            first, last = before.to_day + A_DAY, after.from_day - A_DAY
            yield Problem("assignments.csv", line, "from_day", f"nobody has {after.machine} from {first} to {last}")


def _unassigned_machines(read: Read) -> Iterator[Problem]:
    assigned = {(row.site, row.machine) for _, row in read.assignments}
    for line, machine in read.machines:
        if (machine.site, machine.machine) not in assigned:
            yield Problem("machines.csv", line, "machine", f"{machine.machine} is in no row of assignments.csv")


def _unpriced_days(read: Read) -> Iterator[Problem]:
    """Where billing would block a customer for want of a tariff: one note for each customer at each site."""
    tariffs: defaultdict[tuple[str, str, str], list[Tariff]] = defaultdict(list)
    for _, tariff in read.tariffs:
        tariffs[tariff.customer, tariff.site, tariff.currency].append(tariff)
    covers: dict[tuple[str, str], list[Stretch]] = {}
    sites = {row.site for _, row in read.assignments}
    for _, customer in read.customers:
        for site in sites:
            keys = [(who, where, customer.currency) for who in (customer.customer, "") for where in (site, "")]
            covers[customer.customer, site] = _merged(row for key in keys for row in tariffs.get(key, ()))
    currencies = {row.customer: row.currency for _, row in read.customers}
    noted = set()
    for line, row in read.assignments:
        key = (row.customer, row.site)
        if row.state == "billable" and key not in noted and (day := _first_uncovered(row, covers[key])):
            noted.add(key)
            message = f"no tariff in {currencies[row.customer]} holds at {row.site} on {day}: billing will wait for one"
            yield Problem("assignments.csv", line, "customer", f"{row.customer}: {message}")


def _merged(rows: Iterable[Tariff]) -> list[Stretch]:
    """The days that the rows cover, as stretches that neither meet nor overlap."""
    merged: list[Stretch] = []
    for first, last in sorted((row.from_day, row.to_day) for row in rows):
        if merged and first - merged[-1][1] <= A_DAY:
            merged[-1] = (merged[-1][0], max(last, merged[-1][1]))
        else:
            merged.append((first, last))
    return merged


def _first_uncovered(row: Assignment, covered: Sequence[Stretch]) -> date | None:
    for first, last in covered:
        if first <= row.from_day <= last:
            return None if row.to_day <= last or last == FOREVER else last + A_DAY
    return row.from_day


def _empty_series(read: Read) -> Iterator[Problem]:
    """A missing hour is billing's to find; a series without a single price is a slip in its name."""
    series_with_prices = {(row.index, row.currency) for _, row in read.prices}
    for line, tariff in read.tariffs:
        if tariff.kind == "indexed" and (tariff.series, tariff.currency) not in series_with_prices:
            message = f"prices.csv has no price of {tariff.series!r} in {tariff.currency}"
            yield Problem("tariffs.csv", line, "index" if tariff.index else "tariff", message)


def _bands_of_two_currencies(read: Read) -> Iterator[Problem]:
    banded = {band.tariff for _, band in read.bands}
    first: dict[str, tuple[int, str]] = {}
    for line, tariff in read.tariffs:
        if tariff.tariff in banded:
            before, currency = first.setdefault(tariff.tariff, (line, tariff.currency))
            if currency != tariff.currency:
                message = f"the bands of {tariff.tariff!r} mean {currency} in line {before} and {tariff.currency} here"
                yield Problem("tariffs.csv", line, "currency", message)
