"""Breaks that the database lets a superuser make; each is seen by `verify`."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from albacore_pipeline.oversight.verify import verify
from albacore_pipeline.periods import Month
from albacore_pipeline_tests.small_world import assignment, collect_month, customer, open_sites, rate, register, tariff

OCTOBER = Month(2025, 10)


@pytest.fixture(autouse=True)
def _october(connection: sa.Connection) -> None:
    """Acme hands a machine over to bolt on the fifteenth."""
    open_sites(connection, "norway")
    rows = [assignment("NO-0001", "acme", "2025-10-01", "2025-10-14"), assignment("NO-0001", "bolt", "2025-10-15")]
    register(
        connection, customers=[customer("acme"), customer("bolt")], assignments=rows, tariffs=[tariff("flat", "1")]
    )
    collect_month(connection, month="2025-10", machines=["NO-0001"])
    rate(connection, "2025-10")


def tampered(connection: sa.Connection, statement: str) -> list[str]:
    connection.execute(sa.text(statement))
    return verify(connection, month=OCTOBER)


def test_a_rated_month_holds(connection: sa.Connection) -> None:
    breaks = [said for said in verify(connection, month=OCTOBER) if "not those that were collected" not in said]
    assert breaks == []


def test_a_day_that_two_customers_pay_is_seen(connection: sa.Connection) -> None:
    said = tampered(
        connection, "update albacore.billing_record set from_day = '2025-10-14' where from_day = '2025-10-15'"
    )
    assert "norway NO-0001 2025-10-14: billed twice, to acme and bolt" in said


def test_energy_that_is_in_no_place_is_seen(connection: sa.Connection) -> None:
    said = tampered(
        connection, "update albacore.billing_record set wh = 1, measured_wh = 1 where from_day = '2025-10-01'"
    )
    assert "2025-10 acme at norway: the records hold 1 Wh, their machine-days 14000" in said
    assert "2025-10 acme revision 1: the records are not those that were rated" in said
