"""From a line, a record or a machine's day to what the site said, and where its energy went."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal

import pytest
import sqlalchemy as sa

from albacore_pipeline.archive import Archive, ArchiveFailure
from albacore_pipeline.invoicing.store import prepare_documents
from albacore_pipeline.oversight.explain import explain_day, explain_document, explain_record
from albacore_pipeline.periods import Month
from albacore_pipeline.registry.policies import Policy
from albacore_pipeline.registry.rows import TariffBand
from albacore_pipeline_tests.small_world import (
    NOW,
    Hours,
    ask,
    assignment,
    collect,
    customer,
    open_sites,
    rate,
    register,
    tariff,
)

DAY = date(2026, 2, 3)
NUMBER = "ALB-2025-000001"


@pytest.fixture
def archive(tmp_path_factory: pytest.TempPathFactory) -> Archive:
    return Archive(str(tmp_path_factory.mktemp("archive")))


@pytest.fixture
def invoiced(connection: sa.Connection, archive: Archive) -> Iterator[sa.Connection]:
    """Acme has two machines for a day under tiers; one hour of the second is estimated. A third is nobody's."""
    open_sites(connection, "norway", starts_on=date(2026, 2, 1))
    register(
        connection,
        customers=[customer("acme")],
        assignments=[assignment(name, "acme", str(DAY), str(DAY)) for name in ("NO-0001", "NO-0002")],
        tariffs=[tariff("tiers", "3", kind="tiered", fee_per_machine_day="2")],
        bands=[TariffBand(tariff="tiers", from_kwh=Decimal(30), unit_price=Decimal(1))],
        policy=Policy(estimated_hours=1),
    )
    names = ("NO-0001", "NO-0002", "NO-0003")
    for side in (-1, 0, 1):
        hole = Hours(wh=(None, *([1_000] * 23))) if side == 0 else Hours(wh=(1_000,) * 24)
        machines = dict.fromkeys(names, Hours(wh=(1_000,) * 24)) | {"NO-0002": hole}
        raw = [archive.put(f"the answer of {DAY + timedelta(days=side)}".encode())]
        collect(connection, site="norway", day=DAY + timedelta(days=side), machines=machines, raw=raw)
    rate(connection, "2026-02")
    prepare_documents(connection, month=Month(2026, 2), archive=archive, sales_account="200", now=NOW)
    yield connection


def test_a_line_is_walked_back_to_the_raw_answers(invoiced: sa.Connection, archive: Archive) -> None:
    said = list(explain_document(invoiced, number=NUMBER, line=1, archive=archive))
    assert said[0] == f"{NUMBER} line 1: Energy, Norway, February 2026, from 0 kWh: 30.000 kWh x 3 NOK = 90.00 NOK"
    assert (
        "norway, 2026-02-03 to 2026-02-03, tariff tiers (from 0 kWh) (registry version 1): 30.000 kWh x 3 = 90.000"
        in said[1]
    )
    assert said[2].startswith(
        "    2026-02-03: 48.000 kWh, 2 machines, 1 hours estimated from the days around; collection "
    )
    assert said[4].endswith("(24 bytes)"), "the answer was read, not only named"
    assert len(said) == 5


def test_a_fee_has_machines_and_no_energy(invoiced: sa.Connection, archive: Archive) -> None:
    said = list(explain_document(invoiced, number=NUMBER, line=3, archive=archive))
    assert [line.split(": ")[1].split(",")[0] for line in said[1:]] == ["norway NO-0001", "norway NO-0002"]


def test_a_record_says_where_it_stands(invoiced: sa.Connection, archive: Archive) -> None:
    ((record,),) = ask(invoiced, "select billing_record_id from albacore.billing_record where band = 'from 30 kWh'")
    said = list(explain_record(invoiced, record=record, archive=archive))
    assert said[0] == f"2026-02 acme revision 1, {NUMBER} line 2"
    assert "18.000 kWh x 1 = 18.000" in said[1]


def test_a_machine_day_says_where_its_energy_went(invoiced: sa.Connection, archive: Archive) -> None:
    said = list(explain_day(invoiced, machine="NO-0002", day=DAY, archive=archive))
    assert said[:3] == [
        "NO-0002 2026-02-03 revision 1, accepted:",
        "  23.000 kWh, partial",
        f"  Wh by hour: -{' 1000' * 23}",
    ]
    assert said[3] == "  and 1 hours estimated from the days around: 1.000 kWh"
    assert [line.split(": ")[1] for line in said[6:]] == [
        "2026-02 acme, revision 1, ALB-2025-000001 line 1",
        "2026-02 acme, revision 1, ALB-2025-000001 line 2",
    ]


def test_energy_that_nobody_pays_says_why(invoiced: sa.Connection, archive: Archive) -> None:
    said = list(explain_day(invoiced, machine="NO-0003", day=DAY, archive=archive))
    assert said[-1] == "unbilled: 24.000 kWh, unassigned"


def test_what_does_not_exist_is_said(invoiced: sa.Connection, archive: Archive) -> None:
    with pytest.raises(LookupError, match="there is no ALB-2025-000009"):
        list(explain_document(invoiced, number="ALB-2025-000009", line=None, archive=archive))
    with pytest.raises(LookupError, match="there is no record 0"):
        list(explain_record(invoiced, record=0, archive=archive))
    with pytest.raises(LookupError, match="NO-0009 2026-02-09: nothing was collected"):
        list(explain_day(invoiced, machine="NO-0009", day=date(2026, 2, 9), archive=archive))


def test_a_missing_raw_answer_is_no_explanation(
    invoiced: sa.Connection, tmp_path_factory: pytest.TempPathFactory
) -> None:
    empty = Archive(str(tmp_path_factory.mktemp("empty")))
    with pytest.raises(ArchiveFailure, match="restore it from a backup"):
        list(explain_document(invoiced, number=NUMBER, line=1, archive=empty))
