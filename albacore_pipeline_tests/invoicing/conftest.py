"""An office with one invoice to write, and one with two that are issued."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from albacore_pipeline_tests.clocks import FrozenClock
from albacore_pipeline_tests.invoicing.fakes import Office, one_day


@pytest.fixture
def office(engine: sa.Engine, clock: FrozenClock) -> Office:
    """Acme had one machine on the last day of October."""
    office = Office(engine=engine, clock=clock)
    office.open_books(one_day("NO-0001", "acme"))
    return office


@pytest.fixture
def two(engine: sa.Engine, clock: FrozenClock) -> Office:
    """Acme and bolt have an invoice each, ALB-2025-000001 and ALB-2025-000002."""
    office = Office(engine=engine, clock=clock)
    office.open_books(one_day("NO-0001", "acme"), one_day("FI-0001", "bolt"))
    office.write_documents()
    office.issue()
    return office
