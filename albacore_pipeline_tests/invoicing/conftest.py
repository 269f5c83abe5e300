"""An office with one invoice to write, and one with two that are issued."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import sqlalchemy as sa

from albacore_pipeline.database import connect
from albacore_pipeline_tests.clocks import FrozenClock, utc
from albacore_pipeline_tests.invoicing.fakes import Office, one_day


def _open_books(engine: sa.Engine) -> None:
    Office(engine=engine, clock=FrozenClock(utc("2025-11-01T06:00"))).open_books(one_day("NO-0001", "acme"))


@pytest.fixture(scope="session")
def open_books(make_template: Callable[[Callable[[sa.Engine], None]], str]) -> str:
    """A database in which acme had one machine on the last day of October."""
    return make_template(_open_books)


@pytest.fixture
def office(make_database: Callable[[str], str], open_books: str, clock: FrozenClock) -> Office:
    """An office over a copy of that database."""
    return Office(engine=connect(make_database(open_books)), clock=clock)


@pytest.fixture
def two(engine: sa.Engine, clock: FrozenClock) -> Office:
    """Acme and bolt have an invoice each, ALB-2025-000001 and ALB-2025-000002."""
    office = Office(engine=engine, clock=clock)
    office.open_books(one_day("NO-0001", "acme"), one_day("FI-0001", "bolt"))
    office.write_documents()
    office.issue()
    return office
