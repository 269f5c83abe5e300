"""docs/reading-the-report-schema.md: it names every view, and its Python shows what is stored."""

from __future__ import annotations

from decimal import Decimal

import pytest
import sqlalchemy as sa

from albacore_pipeline_tests.clocks import FrozenClock
from albacore_pipeline_tests.docs.pages import DOCS, blocks, module_of, quoted, rows
from albacore_pipeline_tests.invoicing.fakes import LAST_DAY, Office, one_day
from albacore_pipeline_tests.small_world import ask, collect

PAGE = DOCS / "reading-the-report-schema.md"


def test_the_page_names_every_view(connection: sa.Connection) -> None:
    views = {name for (name,) in ask(connection, "select viewname from pg_views where schemaname = 'report'")}
    assert {name for row in rows(PAGE, "## The views") for name in quoted(row[0])} == views


def test_the_python_of_the_page_shows_what_is_stored(
    engine: sa.Engine, clock: FrozenClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    office = Office(engine=engine, clock=clock)
    office.open_books(one_day("NO-0001", "acme"), one_day("FI-0001", "beta"))
    with engine.begin() as connection:
        collect(connection, site="norway", day=LAST_DAY.replace(day=30), machines={"NO-0001": None})
    office.write_documents()
    office.issue()
    monkeypatch.setenv("ALBACORE_DATABASE_URL", engine.url.render_as_string(hide_password=False))
    (block,) = blocks(PAGE, "python")
    shown = module_of(block, monkeypatch)
    assert shown.kwh.loc[LAST_DAY].to_dict() == {"finland": 1000.0, "norway": 1000.0}
    assert shown.kwh.loc[LAST_DAY.replace(day=30)].isna().all(), "nothing is known of it: that is not zero"
    assert round(shown.coverage["finland"], 3) == 1
    assert shown.owed.to_dict() == {("acme", "NOK"): Decimal(500), ("beta", "NOK"): Decimal(500)}
    shown.engine.dispose()
