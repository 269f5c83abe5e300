"""An office with one invoice to write."""

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
