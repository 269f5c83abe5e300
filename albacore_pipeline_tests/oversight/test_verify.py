"""Breaks that the database lets a superuser make; each is seen by `verify`."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import sqlalchemy as sa

from albacore_pipeline.database import connect
from albacore_pipeline.oversight.verify import verify
from albacore_pipeline.periods import Month
from albacore_pipeline_tests.clocks import FrozenClock, utc
from albacore_pipeline_tests.invoicing.fakes import Office, one_day
from albacore_pipeline_tests.small_world import assignment, collect_month, customer, open_sites, rate, register, tariff

OCTOBER = Month(2025, 10)


@pytest.fixture
def october(connection: sa.Connection) -> sa.Connection:
    """Acme hands a machine over to bolt on the fifteenth."""
    open_sites(connection, "norway")
    rows = [assignment("NO-0001", "acme", "2025-10-01", "2025-10-14"), assignment("NO-0001", "bolt", "2025-10-15")]
    register(
        connection, customers=[customer("acme"), customer("bolt")], assignments=rows, tariffs=[tariff("flat", "1")]
    )
    collect_month(connection, month="2025-10", machines=["NO-0001"])
    rate(connection, "2025-10")
    return connection


def tampered(connection: sa.Connection, statement: str) -> list[str]:
    connection.execute(sa.text(statement))
    return verify(connection, month=OCTOBER)


def test_a_rated_month_holds(october: sa.Connection) -> None:
    breaks = [said for said in verify(october, month=OCTOBER) if "not those that were collected" not in said]
    assert breaks == []


def test_a_day_that_two_customers_pay_is_seen(october: sa.Connection) -> None:
    said = tampered(october, "update albacore.billing_record set from_day = '2025-10-14' where from_day = '2025-10-15'")
    assert "norway NO-0001 2025-10-14: billed twice, to acme and bolt" in said


def test_energy_that_is_in_no_place_is_seen(october: sa.Connection) -> None:
    said = tampered(october, "update albacore.billing_record set wh = 1, measured_wh = 1 where from_day = '2025-10-01'")
    assert "2025-10 acme at norway: the records hold 1 Wh, their machine-days 14000" in said
    assert "2025-10 acme revision 1: the records are not those that were rated" in said


# Changes that a person with the superuser's password could make behind a document's back

HIDDEN = {
    "a day": ("update albacore.machine_day set wh = wh + 1", "the hours hold 1000000 Wh, the day 1000001"),
    "a day together with its hours": (
        "update albacore.machine_day set wh = wh + 1000, hourly_wh[3] = hourly_wh[3] + 1000",
        "the machine-days are not those that were collected",
    ),
    "an amount in a record": (
        "update albacore.billing_record set amount = amount + 10, quantity = quantity + 10",
        "2025-10 acme: the records come to 510",
    ),
    "an amount on a line": ("update albacore.document_line set amount = amount + 1", "the lines add up to 501"),
    "what is sent to Xero": (
        "update albacore.document set payload = payload || '{\"more\": 1}'",
        "ALB-2025-000001: what was committed to be sent was changed",
    ),
    "a document that is gone": ("delete from albacore.document", "ALB-2025-000001: the number was taken"),
    "an event in the audit": ("update albacore.audit_event set actor = 'nobody' where seq = 2", "audit event 2"),
    "the end of the audit": (
        "delete from albacore.audit_event where seq = (select max(seq) - 1 from albacore.audit_event)",
        "audit event",
    ),
    "a difference with Xero": (
        "insert into albacore.reconciliation (number, field, ours, xeros, seen_at)"
        " values ('ALB-2025-000001', 'total', '500', '501', now())",
        "ALB-2025-000001: total is 500 here, 501 in Xero",
    ),
}


def _invoice_october(engine: sa.Engine) -> None:
    office = Office(engine=engine, clock=FrozenClock(utc("2025-11-01T06:00")))
    office.open_books(one_day("NO-0001", "acme"))
    office.write_documents()
    office.issue()


@pytest.fixture(scope="module")
def invoiced(make_template: Callable[[Callable[[sa.Engine], None]], str]) -> str:
    """A database in which acme's October is invoiced."""
    return make_template(_invoice_october)


@pytest.fixture
def documented(make_database: Callable[[str], str], invoiced: str) -> sa.Engine:
    """A copy of that database."""
    return connect(make_database(invoiced))


@pytest.mark.parametrize("hidden", HIDDEN)
def test_changes_that_hide_themselves_are_found(documented: sa.Engine, hidden: str) -> None:
    change, words = HIDDEN[hidden]
    with documented.connect() as connection:
        connection.exec_driver_sql("set local session_replication_role = replica")
        assert connection.exec_driver_sql(change).rowcount == 1
        breaks = verify(connection)
        connection.rollback()

    assert [broken for broken in breaks if words in broken], breaks


def test_what_was_invoiced_holds(documented: sa.Engine) -> None:
    with documented.connect() as connection:
        assert verify(connection) == []


def test_a_report_that_loses_energy_is_seen(connection: sa.Connection) -> None:
    """What is not billed is reported; a view that reported nothing would hide it."""
    open_sites(connection, "norway")
    register(connection, customers=[customer("acme")], assignments=[], tariffs=[tariff("flat", "1")])
    collect_month(connection, month="2025-10", machines=["NO-0001"])
    connection.exec_driver_sql(
        "create or replace view report.unbilled as select null::text as month, null::text as site,"
        " null::text as machine,"
        " null::date as day, null::text as customer, null::numeric as kwh, null::text as reason where false"
    )

    assert "norway 2025-10-01: measured 1000 Wh, billed 0 and unbilled 0" in verify(connection, month=OCTOBER)
