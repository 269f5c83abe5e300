"""Who rents which machine at which price: the registry files that fit this world.

Belongs here: twelve fictional companies, their machines, handovers and prices, as CSV files.
Does not belong here: what the pipeline makes of them.

Roles in the story: c01 pays at once, c02 in part, c03 disputes a line, c04 never pays until its machines stand still
and has machines at every site; the others pay some days later. c06 pays a fee per machine and day, c09 has a monthly
minimum. c12 pays by tiers in Finland, c11 by the hours of the week and c08 by the exchange's hourly price in Norway.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Literal

from albacore_sandbox import spot
from albacore_sandbox.fleet import Fleet

FIRST_DAY, STORY_DAY = date(2025, 9, 1), date(2025, 10, 1)
LAST_PRICED_DAY = date(2026, 12, 31)  # the world may run on for a year after the story
PRICES = {
    "norway": Decimal("0.0720"), "finland": Decimal("0.0780"),
    "ethiopia": Decimal("0.0540"), "indonesia": Decimal("0.0910"),
}  # fmt: skip
RATES = {"EUR": Decimal(1), "NOK": Decimal("11.70"), "USD": Decimal("1.16")}
PUE = {"indonesia": "1.08"}
CUSTOMER_COLUMNS = (
    "customer", "name", "legal_name", "address", "vat_number", "email", "country", "language", "currency", "entity",
    "payment_terms_days", "tax_type", "account_manager", "policy",
)  # fmt: skip
ASSIGNMENT_COLUMNS = ("site", "machine", "customer", "from_day", "to_day", "state")
TARIFF_COLUMNS = (
    "tariff", "customer", "site", "from_day", "to_day", "kind", "currency", "unit_price", "multiplier",
    "fee_per_machine_day", "minimum_per_month", "index",
)  # fmt: skip
BAND_COLUMNS = ("tariff", "from_kwh", "weekdays", "from_hour", "to_hour", "unit_price")
BANDS = (
    ("lumitie", 5_000, "", "", "", "0.0740"),
    ("lumitie", 10_000, "", "", "", "0.0690"),
    ("isbre", "", "Mon-Fri", 6, 22, "0.9100"),
)
PRICE_COLUMNS = ("index", "hour_start", "currency", "price_per_kwh")
ENTITY_COLUMNS = ("entity", "legal_name", "address", "vat_number", "email")
ENTITIES = (
    ("ALB", "Albacore AS", "Kaigaten 14, 4610 Kristiansand, Norway", "NO999000001MVA", "billing@albacore.example"),
    ("ALH", "Albacore Hosting Oy", "Laiturikatu 2, 00160 Helsinki, Finland", "FI99000002", "billing@albacore.example"),
)


@dataclass(frozen=True, kw_only=True)
class Company:
    """A customer. `weights` are shares of the sites' machines, in the order of the sites."""

    customer: str
    name: str
    suffix: str
    domain: str
    address: str
    country: str
    language: str
    currency: str
    tax_type: str
    weights: tuple[int, int, int, int]


def _company(
    customer: str,
    name: str,
    suffix: str,
    location: str,
    kind: tuple[str, str, str, str],
    weights: tuple[int, int, int, int],
) -> Company:
    country, language, currency, tax_type = kind
    return Company(
        customer=customer,
        name=name,
        suffix=suffix,
        domain=name.split()[0].lower() + ".example",
        address=location,
        country=country,
        language=language,
        currency=currency,
        tax_type=tax_type,
        weights=weights,
    )


_NOK, _EUR = ("NO", "nb", "NOK", "OUTPUT"), ("DE", "en", "EUR", "ZERORATEDOUTPUT")
_FIN, _USD = ("FI", "fi", "EUR", "ZERORATEDOUTPUT"), ("US", "en", "USD", "NONE")
COMPANIES = (
    _company("c01", "Fjellvind Compute", "AS", "Elvegata 1, 4610 Kristiansand", _NOK, (6, 3, 0, 0)),
    _company("c02", "Nordlys Hashing", "AS", "Havnegata 12, 8006 Bodø", _NOK, (6, 0, 4, 0)),
    _company("c03", "Rheinblick Rechenwerk", "GmbH", "Uferweg 3, 50667 Köln", _EUR, (5, 4, 0, 5)),
    _company("c04", "Blackpine Mining", "Inc", "400 Pine Road, Denver, CO 80202", _USD, (3, 3, 3, 3)),
    _company("c05", "Järvimaa Laskenta", "Oy", "Rantatie 5, 70100 Kuopio", _FIN, (0, 9, 4, 0)),
    _company("c06", "Skyhook Compute", "LLC", "18 Mesa Street, Austin, TX 78701", _USD, (6, 0, 5, 8)),
    _company("c07", "Bergstein Datenkraft", "GmbH", "Talstrasse 20, 80331 München", _EUR, (5, 6, 6, 0)),
    _company("c08", "Storm Regnekraft", "AS", "Bryggen 7, 5003 Bergen", _NOK, (7, 0, 0, 6)),
    _company("c09", "Saimaa Digital", "Oy", "Satamakatu 9, 53100 Lappeenranta", _FIN, (0, 8, 6, 0)),
    _company("c10", "Highplain Systems", "Inc", "77 Prairie Avenue, Omaha, NE 68102", _USD, (4, 5, 8, 9)),
    _company("c11", "Isbre Infrastruktur", "AS", "Breveien 2, 6856 Sogndal", _NOK, (7, 5, 6, 8)),
    _company("c12", "Lumitie Networks", "Oy", "Kauppakatu 31, 90100 Oulu", _FIN, (1, 7, 8, 11)),
)


@dataclass(frozen=True, kw_only=True)
class Handover:
    """A machine that is another customer's from a day on; before it stays whose it was."""

    machine: str
    customer: str
    from_day: date


def write_registry(*, folder: Path, fleets: Mapping[str, Fleet], handovers: Iterable[Handover] = ()) -> list[Path]:
    """Write the registry's CSV files into a folder, each whole or not at all; returns their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    owners = {site: _owners(fleet) for site, fleet in fleets.items()}
    files = {
        "customers.csv": (CUSTOMER_COLUMNS, _customers()),
        "assignments.csv": (ASSIGNMENT_COLUMNS, _handed_over(_assignments(fleets, owners), fleets, handovers)),
        "tariffs.csv": (TARIFF_COLUMNS, _tariffs(fleets, owners)),
        "tariff_bands.csv": (BAND_COLUMNS, BANDS),
        "prices.csv": (PRICE_COLUMNS, spot.hourly_prices(first=FIRST_DAY, last=LAST_PRICED_DAY)),
        "entities.csv": (ENTITY_COLUMNS, ENTITIES),
    }
    for name, (columns, rows) in files.items():
        half = folder / f".{name}.half"
        with half.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(columns)
            writer.writerows(rows)
        half.replace(folder / name)
    return [folder / name for name in files]


def _customers() -> Iterable[Sequence[object]]:
    for number, company in enumerate(COMPANIES, start=1):
        legal = f"{company.name} {company.suffix}"
        tax_number = {"NO": f"NO9990000{number:02d}MVA", "US": ""}.get(
            company.country, f"{company.country}9900000{number:02d}"
        )
        yield (
            company.customer, company.name, legal, company.address, tax_number, f"billing@{company.domain}",
            company.country, company.language, company.currency, "ALB" if company.currency == "NOK" else "ALH", 14,
            company.tax_type, "accounts@albacore.example", "default",
        )  # fmt: skip


def _owners(fleet: Fleet) -> list[str]:
    """The customer of each machine in blocks by weight; the last machine of Norway belongs to nobody ("")."""
    site = list(PRICES).index(fleet.shape.name)
    count = len(fleet) - (fleet.shape.name == "norway")
    total = sum(company.weights[site] for company in COMPANIES)
    owners: list[str] = []
    weight = 0
    for company in COMPANIES:
        weight += company.weights[site]
        owners += [company.customer] * (round(count * weight / total) - len(owners))
    return owners + [""] * (len(fleet) - len(owners))


def _assignments(fleets: Mapping[str, Fleet], owners: Mapping[str, list[str]]) -> Iterable[Assigned]:
    special = _special_spans(owners)
    for site, fleet in fleets.items():
        for row, machine in enumerate(fleet.names):
            customer = owners[site][row]
            if not customer:
                continue
            from_day = FIRST_DAY if row % 2 else STORY_DAY
            for first, last, who, state in special.get((site, row), [(None, None, customer, "")]):
                yield site, machine, who, first or from_day, last or "", state


def _handed_over(
    rows: Iterable[Assigned], fleets: Mapping[str, Fleet], handovers: Iterable[Handover]
) -> Iterable[Assigned]:
    """The assignments after these handovers: what ends at the day before, and what begins."""
    by_machine = {handover.machine: handover for handover in handovers}
    for site, machine, customer, from_day, to_day, state in rows:
        handover = by_machine.get(machine)
        if handover is None or (to_day != "" and to_day < handover.from_day):
            yield site, machine, customer, from_day, to_day, state
        elif from_day < handover.from_day:
            yield site, machine, customer, from_day, handover.from_day - timedelta(days=1), state
    sites = {machine: site for site, fleet in fleets.items() for machine in fleet.names}
    for machine, handover in by_machine.items():
        yield sites[machine], machine, handover.customer, handover.from_day, "", ""


Assigned = tuple[str, str, str, date, date | Literal[""], str]
Span = tuple[date | None, date | None, str, str]


def _special_spans(owners: Mapping[str, list[str]]) -> dict[tuple[str, int], list[Span]]:
    """Machines with more than one row: ten handovers in mid-October, two repairs, one span that is free of charge."""
    spans: dict[tuple[str, int], list[Span]] = {}
    for number, (site, row) in enumerate(_borders(owners)):
        before, after = owners[site][row], owners[site][row + 1]
        day = date(2025, 10, 11 + number)
        spans[site, row] = [(None, day, before, ""), (day + timedelta(days=1), None, after, "")]
    for site, first, last, state in (
        ("norway", date(2025, 10, 9), date(2025, 10, 12), "repair"),
        ("finland", date(2025, 10, 20), date(2025, 10, 22), "repair"),
        ("ethiopia", date(2025, 10, 15), date(2025, 10, 17), "free"),
    ):
        plain = [r for r, who in enumerate(owners[site]) if who not in ("", "c04") and (site, r) not in spans]
        if plain:
            who = owners[site][plain[0]]
            a_day = timedelta(days=1)
            spans[site, plain[0]] = [
                (None, first - a_day, who, ""),
                (first, last, who, state),
                (last + a_day, None, who, ""),
            ]
    return spans


def _borders(owners: Mapping[str, list[str]], most: int = 10) -> list[tuple[str, int]]:
    """The last machine of a customer's block where the next block is another's, c04 left out; ten over the sites."""
    found: list[list[tuple[str, int]]] = []
    for site, names in owners.items():
        pairs = enumerate(pairwise(names))
        found.append([(site, r) for r, (a, b) in pairs if a != b and not {a, b} & {"", "c04"}])
    turns = max((len(each) for each in found), default=0)
    return [each[turn] for turn in range(turns) for each in found if turn < len(each)][:most]


def _tariffs(fleets: Mapping[str, Fleet], owners: Mapping[str, list[str]]) -> Iterable[Sequence[object]]:
    for site, price in PRICES.items():
        for currency, rate in RATES.items():
            name, multiplier = f"{site}-{currency.lower()}", PUE.get(site, "")
            yield name, "", site, FIRST_DAY, "", "flat", currency, _price(price * rate), multiplier, "", "", ""
    fee, price = Decimal("0.40"), PRICES["ethiopia"] * RATES["USD"]
    yield "skyhook", "c06", "", FIRST_DAY, "", "flat", "USD", _price(price), "", fee, "", ""
    price = Decimal("0.0740")
    minimum = _minimum(fleets, owners, customer="c09", price=price)
    yield "saimaa", "c09", "", FIRST_DAY, "", "flat", "EUR", _price(price), "", "", minimum, ""
    yield "lumitie", "c12", "finland", FIRST_DAY, "", "tiered", "EUR", "0.0800", "", "", "", ""
    yield "isbre", "c11", "norway", FIRST_DAY, "", "time_of_use", "NOK", "0.7400", "", "", "", ""
    yield "storm", "c08", "norway", FIRST_DAY, "", "indexed", spot.CURRENCY, "0.0150", "", "", "", spot.INDEX


def _minimum(fleets: Mapping[str, Fleet], owners: Mapping[str, list[str]], *, customer: str, price: Decimal) -> Decimal:
    """A quarter above what the rated power would cost in a month of 31 days, so that it always bites."""
    watts = sum(
        int(watts)
        for site, fleet in fleets.items()
        for who, watts in zip(owners[site], fleet.rated.tolist(), strict=True)
        if who == customer
    )
    rounded = (Decimal(watts) / 1000 * 744 * price * Decimal("1.25") / 100).to_integral_value() * 100
    return max(Decimal(100), rounded).quantize(Decimal("0.01"))


def _price(value: Decimal) -> Decimal:
    return value.quantize(Decimal("0.0001"))
