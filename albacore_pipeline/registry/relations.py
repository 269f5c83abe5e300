"""What must hold between the rows of a registry: names that are known, days and hours that have one answer.

Belongs here: pure checks on rows that are valid by themselves; each yields every problem that it finds. A check that
says what another file lacks is made only where that file could be read whole.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from albacore_pipeline.registry.policies import Policy
from albacore_pipeline.registry.problems import Problem
from albacore_pipeline.registry.rows import (
    WEEKDAYS,
    Assignment,
    Customer,
    Dated,
    Entity,
    MachineRating,
    Price,
    RegistryRow,
    Tariff,
    TariffBand,
)

RowType = TypeVar("RowType", bound=RegistryRow)
DatedType = TypeVar("DatedType", bound=Dated)
Numbered = Sequence[tuple[int, RowType]]  # rows with their lines


@dataclass(frozen=True, kw_only=True)
class Read:
    """The rows of all files that are valid by themselves."""

    customers: Numbered[Customer]
    assignments: Numbered[Assignment]
    tariffs: Numbered[Tariff]
    machines: Numbered[MachineRating]
    policies: dict[str, list[Policy]]
    bands: Numbered[TariffBand]
    prices: Numbered[Price]
    entities: Numbered[Entity]


def relations(read: Read, *, spoiled: Collection[str]) -> Iterator[Problem]:
    """Everything that does not hold; `spoiled` are the files that have problems already."""
    yield from _twice("customers.csv", read.customers, "customer", lambda row: row.customer)
    yield from _twice("machines.csv", read.machines, "machine", lambda row: (row.site, row.machine))
    yield from _twice("entities.csv", read.entities, "entity", lambda row: row.entity)
    yield from _twice("prices.csv", read.prices, "hour_start", lambda row: (row.index, row.currency, row.hour_start))
    yield from _customers(read, spoiled)
    yield from _overlaps(
        "assignments.csv",
        read.assignments,
        lambda row: (row.site, row.machine),
        "the machine belongs to somebody already",
    )
    yield from _overlaps(
        "tariffs.csv",
        read.tariffs,
        lambda row: (row.customer, row.site, row.currency),
        "another tariff holds for the same customer, site and currency",
    )
    yield from _bands(read, spoiled)
    yield from _caps(read, spoiled)


def _caps(read: Read, spoiled: Collection[str]) -> Iterator[Problem]:
    """A cap that is written and no site has as many machines is no cap."""
    if "assignments.csv" in spoiled or not read.assignments:
        return
    fleet = Counter(site for site, _ in {(row.site, row.machine) for _, row in read.assignments})
    most = max(fleet.values())
    for name, versions in read.policies.items():
        for policy in versions:
            cap = policy.machines_per_site_and_day
            if "machines_per_site_and_day" in policy.model_fields_set and cap > most:
                message = f"machines_per_site_and_day is {cap}, no site has more than {most} machines: it caps nothing"
                yield Problem("policies.yaml", 1, name, message)


def _customers(read: Read, spoiled: Collection[str]) -> Iterator[Problem]:
    """Customers and what names them."""
    entities = {row.entity for _, row in read.entities}
    for line, customer in read.customers:
        if customer.policy not in read.policies and "policies.yaml" not in spoiled:
            yield Problem("customers.csv", line, "policy", f"{customer.policy!r} is not in policies.yaml")
        if entities and customer.entity not in entities and "entities.csv" not in spoiled:
            yield Problem("customers.csv", line, "entity", f"{customer.entity!r} is not in entities.csv")
    if "customers.csv" in spoiled:
        return
    known = {row.customer: row.currency for _, row in read.customers}
    for line, assignment in read.assignments:
        if assignment.customer not in known:
            yield Problem("assignments.csv", line, "customer", f"{assignment.customer!r} is not in customers.csv")
    for line, tariff in read.tariffs:
        if tariff.customer and tariff.customer not in known:
            yield Problem("tariffs.csv", line, "customer", f"{tariff.customer!r} is not in customers.csv")
        elif tariff.customer and known[tariff.customer] != tariff.currency:
            message = f"is {tariff.currency}, in customers.csv it is {known[tariff.customer]}"
            yield Problem("tariffs.csv", line, "currency", message)


def _twice(file: str, rows: Numbered[RowType], column: str, key: Callable[[RowType], Hashable]) -> Iterator[Problem]:
    first: dict[Hashable, int] = {}
    for line, row in rows:
        before = first.setdefault(key(row), line)
        if before != line:
            yield Problem(file, line, column, f"stands in line {before} already")


def _overlaps(file: str, rows: Numbered[DatedType], key: Callable[[DatedType], Any], message: str) -> Iterator[Problem]:
    """Rows of one key that share a day; the message names the row that reaches farthest before."""
    far_line, far = 0, None
    for line, row in sorted(rows, key=lambda item: (key(item[1]), item[1].from_day)):
        if far is None or key(far) != key(row):
            far_line, far = line, row
            continue
        if row.from_day <= far.to_day:
            yield Problem(file, line, "from_day", f"{message} on {row.from_day} (line {far_line})")
        if row.to_day > far.to_day:
            far_line, far = line, row


def _bands(read: Read, spoiled: Collection[str]) -> Iterator[Problem]:
    """Bands go with a tariff's name, so all rows of that name are of one kind, and each has a price for everything."""
    named: defaultdict[str, list[tuple[int, Tariff]]] = defaultdict(list)
    for line, tariff in read.tariffs:
        named[tariff.tariff].append((line, tariff))
    banded: defaultdict[str, list[tuple[int, TariffBand]]] = defaultdict(list)
    for line, band in read.bands:
        banded[band.tariff].append((line, band))
    for name, bands in banded.items():
        kinds = {tariff.kind: line for line, tariff in named[name]}
        if not kinds:
            if "tariffs.csv" not in spoiled:
                yield from _of_each(bands, "tariff", f"{name!r} is not in tariffs.csv")
        elif without := sorted(kinds.keys() - {"tiered", "time_of_use"}):
            where = f"{name!r} is {without[0]} in tariffs.csv:{kinds[without[0]]}"
            yield from _of_each(bands, "tariff", f"{where}, which has no bands: give that row a name of its own")
        elif len(kinds) > 1:
            where = " and ".join(f"{kind} in tariffs.csv:{line}" for kind, line in kinds.items())
            yield from _of_each(bands, "tariff", f"{name!r} is {where}: give each kind a name of its own")
        else:
            check = _tiers if "tiered" in kinds else _hours
            whole = not {"tariffs.csv", "tariff_bands.csv"} & set(spoiled)
            yield from check(bands, [item for item in named[name] if whole and item[1].unit_price is None])
    if "tariff_bands.csv" not in spoiled:
        for line, tariff in read.tariffs:
            if tariff.kind in ("tiered", "time_of_use") and tariff.tariff not in banded:
                message = f"is {tariff.kind} without a band in tariff_bands.csv: add its bands there, or call it flat"
                yield Problem("tariffs.csv", line, "kind", message)


def _of_each(bands: Iterable[tuple[int, TariffBand]], column: str, message: str) -> Iterator[Problem]:
    return (Problem("tariff_bands.csv", line, column, message) for line, _ in bands)


def _tiers(bands: Numbered[TariffBand], unpriced: Numbered[Tariff]) -> Iterator[Problem]:
    """Bands of a tiered tariff: by kWh alone, each from another number of kWh on."""
    for line, band in bands:
        for column in sorted(band.model_fields_set & {"weekdays", "from_hour", "to_hour"}):
            yield Problem("tariff_bands.csv", line, column, "a tiered tariff goes by from_kwh alone: leave it empty")
    yield from _twice("tariff_bands.csv", bands, "from_kwh", lambda row: row.from_kwh)
    lowest = min(band.from_kwh for _, band in bands)
    if lowest > 0:
        for line, _ in unpriced:
            message = f"is empty, and tariff_bands.csv begins at {lowest} kWh: give the price below, or a band from 0"
            yield Problem("tariffs.csv", line, "unit_price", message)


def _hours(bands: Numbered[TariffBand], unpriced: Numbered[Tariff]) -> Iterator[Problem]:
    """Bands of a tariff by time of use: by the hours of the week alone, each hour in one band at most."""
    taken: dict[int, int] = {}
    for line, band in bands:
        if band.from_kwh:
            yield Problem("tariff_bands.csv", line, "from_kwh", "a tariff by time of use has no tiers: leave it empty")
        hours = band.hours_of_week()
        if clash := sorted(hours & taken.keys()):
            message = f"{_hour_name(clash[0])} is in the band of line {taken[clash[0]]} already"
            yield Problem("tariff_bands.csv", line, "from_hour", message)
        taken |= dict.fromkeys(hours - taken.keys(), line)
    free = sorted(set(range(7 * 24)) - taken.keys())
    if free:
        for line, _ in unpriced:
            message = (
                f"is empty, and tariff_bands.csv leaves out {len(free)} hours of the week, first {_hour_name(free[0])}:"
                " give their price, or add a band"
            )
            yield Problem("tariffs.csv", line, "unit_price", message)


def _hour_name(hour: int) -> str:
    return f"{WEEKDAYS[hour // 24]} {hour % 24:02d}:00"
