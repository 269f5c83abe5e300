"""docs/adding-a-tariff-kind.md: its blocks add a kind, and its list of places is complete."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import sqlalchemy as sa
from pydantic import ValidationError

from albacore_pipeline.billing.rating import run
from albacore_pipeline.database.engine import query
from albacore_pipeline.registry import rows
from albacore_pipeline.settings import PROJECT
from albacore_pipeline_tests.billing.checks import breaks
from albacore_pipeline_tests.docs.pages import DOCS, blocks, module_of, patched, places
from albacore_pipeline_tests.small_world import ask, assignment, collect, customer, even, open_sites, rate, register

PAGE = DOCS / "adding-a-tariff-kind.md"
(MIGRATION,) = blocks(PAGE, "sql")
ROWS, RECORDS = blocks(PAGE, "diff")
FIRST, DAY = date(2025, 10, 1), date(2025, 10, 31)
STEP = "billing/rating/16_rated_record"
NAMES_A_KIND = re.compile(r"""time_of_use|["'](?:flat|tiered|indexed)["']""")


@pytest.fixture
def new_rows(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """`registry/rows.py` as the page changes it."""
    return module_of(patched(ROWS)[1], monkeypatch)


def a_tariff(new_rows: ModuleType, **given: Any) -> rows.Tariff:
    row = {
        "tariff": "all-in",
        "from_day": "2025-01-01",
        "kind": "included",
        "currency": "NOK",
        "fee_per_machine_day": "7",
    }
    tariff: rows.Tariff = new_rows.Tariff(**row | given)
    return tariff


@pytest.fixture
def migrated(connection: sa.Connection, new_rows: ModuleType) -> sa.Connection:
    """Acme has a machine for a day, at a tariff of the new kind."""
    connection.exec_driver_sql(MIGRATION)
    open_sites(connection, "norway")
    register(
        connection,
        customers=[customer("acme")],
        assignments=[assignment("NO-0001", "acme", str(DAY), str(DAY))],
        tariffs=[a_tariff(new_rows)],
    )
    collect(connection, site="norway", day=DAY, machines={"NO-0001": even("norway", DAY, 1_000)})
    return connection


def test_a_month_is_billed_by_the_new_kind(migrated: sa.Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    path, text = patched(RECORDS)
    assert path == Path("sql", f"{STEP}.sql")
    monkeypatch.setattr(run, "query", lambda name: sa.text(text) if name == STEP else query(name))
    rate(migrated, "2025-10")
    assert ask(
        migrated, "select price_kind, kwh::integer, amount::integer from report.billing_records order by price_kind"
    ) == [("energy", 24, 0), ("machine_days", 0, 7)]
    assert breaks(migrated, first=FIRST, last=DAY) == []


def test_a_kind_that_no_part_of_the_rating_prices_is_found(migrated: sa.Connection) -> None:
    assert rate(migrated, "2025-10")["acme"].blocked is None
    assert breaks(migrated, first=FIRST, last=DAY)


def test_a_row_that_does_not_fit_its_kind_is_refused(new_rows: ModuleType) -> None:
    with pytest.raises(ValidationError, match="energy that is included has no price"):
        a_tariff(new_rows, unit_price=Decimal(1))


def test_the_page_names_every_file_that_names_a_kind() -> None:
    folders = ("albacore_pipeline", "albacore_sandbox", "sql")
    files = [path for folder in folders for path in (PROJECT / folder).rglob("*") if path.suffix in (".py", ".sql")]
    found = {path for path in [*files, PROJECT / "README.md"] if NAMES_A_KIND.search(path.read_text())}
    assert places(PAGE, "## Every file that names a kind") == {str(path.relative_to(PROJECT)) for path in found}
