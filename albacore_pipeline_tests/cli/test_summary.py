"""The summary of a world: what it prints is what the database holds."""

from __future__ import annotations

import io
from datetime import date
from decimal import Decimal

import pytest
import sqlalchemy as sa
from rich.console import Console

from albacore_pipeline.cli import queries, summary
from albacore_pipeline_tests.clocks import FrozenClock
from albacore_pipeline_tests.escalation.desk import Desk
from albacore_pipeline_tests.invoicing.fakes import LAST_DAY, one_day


@pytest.fixture
def desk(engine: sa.Engine, clock: FrozenClock) -> Desk:
    """Acme does not pay; one of five machines is paused."""
    desk = Desk(engine=engine, clock=clock)
    desk.open_books(one_day("NO-0001", "acme"), idle=("NO-0002", "NO-0003", "NO-0004", "NO-0005"))
    desk.write_documents()
    desk.issue()
    desk.run_chain()
    desk.plan()
    desk.pause()
    return desk


def test_a_world_is_summed_up_in_plain_tables(desk: Desk) -> None:
    page = io.StringIO()
    console = Console(file=page, width=200)
    with desk.engine.connect() as connection:
        summary._collected(connection, console)
        summary._documents(connection, console)
        summary._chain(connection, console)

    lines = [line.split() for line in page.getvalue().splitlines()]
    assert ["norway", "1", "120", "5,000.000", "100.000%", "0"] in lines
    assert ["ALB-2025-000001", "acme", "2025-10", "invoice", "500.00", "NOK", "500.00", "issued"] in [
        line[:8] for line in lines
    ]
    assert ["acme", "paused", "ALB-2025-000001", "500.00"] in [line[:4] for line in lines]
    assert ["acme", "ALB-2025-000001", "paused", "waiting"] in [line[:4] for line in lines]
    assert ["pause", "norway", "1"] in [line[:3] for line in lines]


def test_the_story_s_questions_are_answered(desk: Desk) -> None:
    desk.hold()
    with desk.engine.connect() as connection:
        assert queries.collections(connection, site="norway", day=LAST_DAY, revision=1) == 1
        assert queries.collections(connection, site="norway", day=LAST_DAY, revision=2) == 0
        assert queries.holds(connection, customer="acme") == [""]
        assert queries.customers_of_month(connection, month="2025-10") == ["acme"]
        line = queries.invoice_line(connection, month="2025-10", customer="acme", line=1)
        assert (line.number, line.amount) == ("ALB-2025-000001", Decimal(500))
        assert queries.holder(connection, machine="NO-0001", day=LAST_DAY) == "acme"
        assert queries.holder(connection, machine="NO-0002", day=LAST_DAY) is None
        assert queries.machines_with_a_plan(connection) == [], "who holds a document stands behind no plan"
        (machine,) = queries.commanded_machines(connection, action="pause", outcome="verified", site=None)
        assert (machine.site, machine.machine) == ("norway", "NO-0001")
        days = queries.measured_days(connection, site="norway", first_day=date(2025, 10, 1), last_day=LAST_DAY)
        assert {(day.machine, day.day, int(day.kwh)) for day in days} >= {("NO-0001", LAST_DAY, 1_000)}
