"""Tiers, hours, indexes, price series and our own entities: what is read, and what is refused where."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from albacore_pipeline.registry.files import read_registry
from albacore_pipeline.registry.rows import EVERY_DAY, TariffBand
from albacore_pipeline_tests.registry.folders import KINDS, kinds, line, write
from albacore_pipeline_tests.registry.test_files import problems

BANDS, PRICES = KINDS["tariff_bands.csv"], KINDS["prices.csv"]


def test_every_kind_is_read(tmp_path: Path) -> None:
    registry = read_registry(write(tmp_path, **kinds()))
    assert [(row.tariff, row.kind, row.unit_price, row.series) for row in registry.tariffs[2:]] == [
        ("tier", "tiered", Decimal("0.09"), ""),
        ("night", "time_of_use", None, ""),
        ("spot", "indexed", Decimal("0.01"), "NO2"),
        ("NO2", "indexed", Decimal(0), "NO2"),
    ]
    assert [
        (row.tariff, row.from_kwh, row.weekdays, row.first_hour, row.last_hour, row.unit_price)
        for row in registry.bands
    ] == [
        ("tier", Decimal(1000), EVERY_DAY, 0, 24, Decimal("0.08")),
        ("night", Decimal(0), (1, 2, 3, 4, 5), 7, 22, Decimal("0.9")),
        ("night", Decimal(0), (1, 2, 3, 4, 5), 22, 7, Decimal("0.6")),
        ("night", Decimal(0), (6, 7), 0, 24, Decimal("0.5")),
    ]
    assert [(row.hour_start, row.price_per_kwh) for row in registry.prices] == [
        (datetime(2025, 9, 30, 22, tzinfo=UTC), Decimal("0.05")),
        (datetime(2025, 9, 30, 23, tzinfo=UTC), Decimal("-0.012")),
    ]
    assert registry.entities[0].address == "Kaigaten 1\n0150 Oslo"
    assert registry.notes == []


@pytest.mark.parametrize(
    ("written", "days"),
    [
        ("Mon-Fri", (1, 2, 3, 4, 5)), ("Sat Sun", (6, 7)), ("1-5", (1, 2, 3, 4, 5)), ("6,7", (6, 7)), ("7, 6", (6, 7)),
        ("mon - wed, SUN", (1, 2, 3, 7)), ("Fri-Mon", (1, 5, 6, 7)), ("Wed", (3,)), ("1-7", EVERY_DAY),
        ("Tue Tue", (2,)),
    ],
)  # fmt: skip
def test_weekdays_may_be_written_in_several_ways(written: str, days: tuple[int, ...]) -> None:
    assert TariffBand(tariff="x", weekdays=written, unit_price="1").weekdays == days


@pytest.mark.parametrize(
    ("first", "last", "hours"),
    [
        ("7", "22", range(7, 22)), ("22", "7", [*range(7), 22, 23]), ("22", "24", (22, 23)), ("22", "0", (22, 23)),
        ("24", "3", range(3)), ("8", "8", range(24)), ("0", "24", range(24)), ("0", "0", range(24)),
    ],
)  # fmt: skip
def test_hours_are_half_open_and_may_go_over_midnight(first: str, last: str, hours: range) -> None:
    band = TariffBand(tariff="x", weekdays="Tue", from_hour=first, to_hour=last, unit_price="1")
    assert band.hours_of_week() == {24 + hour for hour in hours}
    assert 0 <= band.first_hour <= 23
    assert 1 <= band.last_hour <= 24


BAD_CELLS = [
    ("tariff_bands", 2, "1000", "-1", "from_kwh", "greater than or equal to 0"),
    ("tariff_bands", 2, "1000", "0.0001", "from_kwh", "3 decimal places"),
    ("tariff_bands", 2, "1000,,,", "1000,Mon,,", "weekdays", "goes by from_kwh alone"),
    ("tariff_bands", 2, "1000,,,", "1000,,7,", "from_hour", "goes by from_kwh alone"),
    ("tariff_bands", 2, "tier", "nobody", "tariff", "not in tariffs.csv"),
    ("tariff_bands", 2, "tier", "nok", "tariff", "is flat in tariffs.csv:2, which has no bands"),
    ("tariff_bands", 3, "Mon-Fri", "Mon-Fru", "weekdays", "'Fru' is no weekday"),
    ("tariff_bands", 3, "Mon-Fri", "Mon-", "weekdays", "'' is no weekday"),
    ("tariff_bands", 4, "1-5", "0-5", "weekdays", "'0' is no weekday: write Mon-Fri"),
    ("tariff_bands", 3, "night,,", "night,5,", "from_kwh", "has no tiers"),
    ("tariff_bands", 3, "7,22", "7,25", "to_hour", "less than or equal to 24"),
    ("tariff_bands", 3, "7,22", "7.5,22", "from_hour", "integer"),
    ("tariff_bands", 4, "22,7", "21,7", "from_hour", "Mon 21:00 is in the band of line 3 already"),
    ("tariff_bands", 5, '"6,7"', '"5,6,7"', "from_hour", "Fri 00:00 is in the band of line 4 already"),
    ("tariff_bands", 3, "0.9", "", "unit_price", "is empty"),
    ("tariff_bands", 3, "0.9", "-0.9", "unit_price", "greater than or equal to 0"),
    ("prices", 2, "00:00+02:00", "00:15+02:00", "hour_start", "prices are hourly; of a 15-minute market"),
    ("prices", 2, "00:00+02:00", "00:00+05:30", "hour_start", "not a full hour"),
    ("prices", 2, "00:00+02:00", "00:00", "hour_start", "has no offset"),
    ("prices", 2, "2025-10-01T00:00+02:00", "1.10.2025 00:00", "hour_start", "write it as 2025-10-01T13:00+02:00"),
    ("prices", 2, "2025-10-01T00:00+02:00", "0001-01-01T00:00+02:00", "hour_start", "out of the calendar"),
    ("prices", 3, "01:00+02:00", "00:00+03:00", "hour_start", ""),
    ("prices", 3, "2025-10-01T01:00+02:00", "2025-09-30T22:00Z", "hour_start", "stands in line 2 already"),
    ("prices", 2, "0.05", "1e9", "price_per_kwh", "less than"),
    ("prices", 2, "0.05", "NaN", "price_per_kwh", "not a finite number"),
    ("prices", 2, "0.05", '"0,05"', "price_per_kwh", "without separators of thousands"),
    ("prices", 2, "EUR", "XXX", "currency", "no currency"),
    ("tariffs", 4, "0.09", "", "unit_price", "tariff_bands.csv begins at 1000 kWh"),
    ("tariffs", 6, "0.01", "", "unit_price", "give what is added to the hour's price"),
    ("tariffs", 6, "0.01", "-0.01", "unit_price", "greater than or equal to 0"),
    ("tariffs", 2, "0.70,,,,", "0.70,,,,NO2", "index", "a tariff that is flat has no index"),
    ("tariffs", 2, "0.70", '"1,000.70"', "unit_price", "without separators of thousands"),
    ("tariffs", 2, "0.70", "1_000", "unit_price", "not a finite number"),
    ("entities", 2, "Albacore AS", "", "legal_name", "is empty"),
    ("entities", 2, "ALB", "A B", "entity", "is no name"),
]  # fmt: skip


@pytest.mark.parametrize(("file", "number", "old", "new", "column", "words"), BAD_CELLS)
def test_a_bad_cell_is_named(
    tmp_path: Path, file: str, number: int, old: str, new: str, column: str, words: str
) -> None:
    name = f"{file}.csv"
    if not words:  # a spelling of another instant
        read_registry(write(tmp_path, **kinds() | {file: line(name, number, old, new, files=KINDS)}))
        return
    found = problems(tmp_path, **kinds() | {file: line(name, number, old, new, files=KINDS)})
    assert (found[0].file, found[0].line, found[0].column) == (name, number, column)
    assert words in found[0].message


def test_an_entity_s_mail_address_is_checked(tmp_path: Path) -> None:
    entities = KINDS["entities.csv"].replace("@albacore.example", "@albacore..example")
    (problem,) = problems(tmp_path, entities=entities)
    assert str(problem) == (
        "entities.csv:2: email: 'billing@albacore..example' is no mail address: An email address cannot have two"
        " periods in a row; write one, as name@example.com"
    )


def test_hours_that_no_band_covers_need_a_price(tmp_path: Path) -> None:
    bands = "".join(BANDS.splitlines(keepends=True)[:-1])
    (problem,) = problems(tmp_path, **kinds() | {"tariff_bands": bands})
    assert str(problem).startswith("tariffs.csv:5: unit_price: is empty, and tariff_bands.csv leaves out 48 hours")
    assert "first Sat 00:00" in problem.message
    priced = line("tariffs.csv", 5, "NOK,,", "NOK,0.7,", files=KINDS)
    read_registry(write(tmp_path, **kinds() | {"tariff_bands": bands, "tariffs": priced}))


def test_a_tier_from_nothing_needs_no_price_beside_it(tmp_path: Path) -> None:
    tariffs = line("tariffs.csv", 4, "0.09", "", files=KINDS)
    read = read_registry(write(tmp_path, **kinds() | {"tariffs": tariffs, "tariff_bands": BANDS + "tier,0,,,,0.1\n"}))
    assert [row.unit_price for row in read.tariffs if row.tariff == "tier"] == [None]
    assert min(band.from_kwh for band in read.bands if band.tariff == "tier") == 0


def test_a_tier_stands_once(tmp_path: Path) -> None:
    (problem,) = problems(tmp_path, **kinds() | {"tariff_bands": BANDS + "tier,1000.0,,,,0.1\n"})
    assert str(problem) == "tariff_bands.csv:6: from_kwh: stands in line 2 already"


def test_tariffs_that_go_by_bands_have_some(tmp_path: Path) -> None:
    found = problems(tmp_path, **kinds() | {"tariff_bands": None})
    assert [str(problem)[:31] for problem in found] == [
        "tariffs.csv:4: kind: is tiered ", "tariffs.csv:5: kind: is time_of",
    ]  # fmt: skip


def test_one_name_has_one_kind_of_bands(tmp_path: Path) -> None:
    tariffs = KINDS["tariffs.csv"] + "tier,,ethiopia,2025-01-01,,time_of_use,EUR,0.1,,,,\n"
    found = problems(tmp_path, **kinds() | {"tariffs": tariffs})
    assert [(problem.file, problem.line, problem.column) for problem in found] == [("tariff_bands.csv", 2, "tariff")]
    assert "'tier' is tiered in tariffs.csv:4 and time_of_use in tariffs.csv:8" in found[0].message


def test_customers_name_an_entity_that_is_there(tmp_path: Path) -> None:
    entities = line("entities.csv", 2, "ALB,", "ALC,", files=KINDS)
    found = problems(tmp_path, entities=entities)
    assert [str(problem) for problem in found] == [
        f"customers.csv:{number}: entity: 'ALB' is not in entities.csv" for number in (2, 3)
    ]


def test_an_entity_stands_once(tmp_path: Path) -> None:
    (problem,) = problems(tmp_path, entities=KINDS["entities.csv"] + "ALB,Another,Place,,\n")
    assert str(problem) == "entities.csv:4: entity: stands in line 2 already"
