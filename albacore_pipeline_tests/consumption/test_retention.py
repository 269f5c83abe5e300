"""Which raw answers go, and what keeps them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

import dagster as dg
import pytest
import sqlalchemy as sa

from albacore_pipeline.consumption.jobs import nightly_pruning
from albacore_pipeline.consumption.retention import prune
from albacore_pipeline.orchestration.platform import PlatformResource
from albacore_pipeline_tests.clocks import FrozenClock, utc
from albacore_pipeline_tests.invoicing.fakes import LAST_DAY, Office, one_day
from albacore_pipeline_tests.small_world import collect

DAYS = 400
READ, WRITTEN = utc("2025-11-02T05:00"), utc("2025-11-03T06:00")


@dataclass
class Shelf:
    """An archive that knows when each answer came."""

    came: dict[str, datetime] = field(default_factory=dict)

    def raw_before(self, instant: datetime) -> list[str]:
        return [sha for sha, at in self.came.items() if at < instant]

    def delete_raw(self, sha: str) -> None:
        del self.came[sha]


@pytest.fixture
def office(engine: sa.Engine) -> Office:
    """Acme had one machine on the last day of October, which was read on the second of November."""
    office = Office(engine=engine, clock=FrozenClock(WRITTEN))
    office.open_books(one_day("NO-0001", "acme"))
    rests_on(office, "read", "'[\"aa\"]'")
    return office


def rests_on(office: Office, what: str, raw: str, where: str = "true") -> None:
    """Say which raw answers a collection has, and that it was read long ago."""
    with office.engine.begin() as connection:
        connection.execute(
            sa.text(f"update albacore.collection set raw = {raw}, last_read_at = :at where {where}"), {"at": READ}
        )


def left(office: Office, *, now: datetime, came: datetime = READ, more: str = "") -> set[str]:
    """What is left of the answers `aa` (of the collection) and `ff` (of a reading that failed)."""
    shelf = Shelf({"aa": came, "ff": came, **({more: came} if more else {})})
    gone = prune(engine=office.engine, archive=shelf, days=DAYS, now=now)
    assert gone == 2 + bool(more) - len(shelf.came)
    return set(shelf.came)


def test_nothing_goes_within_the_time(office: Office) -> None:
    assert left(office, now=READ + timedelta(days=DAYS)) == {"aa", "ff"}
    assert office.ask("select action from albacore.audit_event where action = 'prune_archive'") == []


def test_the_answer_of_a_failed_reading_goes_after_it_and_the_chain_says_so(office: Office) -> None:
    assert left(office, now=READ + timedelta(days=DAYS, hours=1)) == {"aa"}
    (details,) = office.ask("select details from albacore.audit_event where action = 'prune_archive'")
    assert (details[0]["answers"], details[0]["days"]) == (1, DAYS)


def test_what_is_not_billed_yet_stays_however_old(office: Office) -> None:
    assert left(office, now=READ + timedelta(days=10 * DAYS)) == {"aa"}


def test_what_an_invoice_rests_on_stays_for_the_time_after_the_invoice_s_own_date(office: Office) -> None:
    office.clock.at = WRITTEN + timedelta(days=300)  # billed long after it was read
    office.write_documents()
    (issued,) = office.ask("select issued_on from albacore.document")[0]
    assert issued == office.clock.at.date()
    midnight = utc(str(issued))
    assert left(office, now=midnight + timedelta(days=DAYS)) == {"aa"}
    assert left(office, now=midnight + timedelta(days=DAYS + 1)) == set()
    assert office.ask("select count(*) from albacore.machine_day") == [(1,)]
    assert office.ask("select count(*) from albacore.collection") == [(1,)]


def test_a_correction_keeps_both_readings_that_it_rests_on(office: Office) -> None:
    office.write_documents()
    office.clock.at = WRITTEN + timedelta(days=300)
    office.correct("NO-0001", 2_000_000)
    rests_on(office, "read", "'[\"bb\"]'", "revision = 2")
    office.write_documents()
    assert office.ask("select kind from albacore.document order by document_id") == [("invoice",), ("supplement",)]
    assert left(office, now=WRITTEN + timedelta(days=DAYS + 10), more="bb") == {"bb"}
    assert left(office, now=office.clock.at + timedelta(days=DAYS + 1), more="bb") == set()


def test_what_waits_for_a_person_stays_and_what_was_refused_goes(office: Office) -> None:
    office.write_documents()
    with office.engine.begin() as connection:
        collect(connection, site="norway", day=LAST_DAY, machines={"NO-0001": 5_000_000}, accept=False)
    rests_on(office, "read", "'[\"bb\"]'", "revision = 2")
    late = WRITTEN + timedelta(days=3 * DAYS)
    assert left(office, now=late, more="bb") == {"bb"}
    with office.engine.begin() as connection:
        connection.execute(sa.text("update albacore.collection set state = 'refused' where revision = 2"))
    assert left(office, now=late, more="bb") == set()


def test_it_runs_each_night_only_where_the_setting_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    def tick() -> object:
        return nightly_pruning(dg.build_schedule_context(resources={"platform": PlatformResource()}))

    monkeypatch.delenv("ALBACORE_ARCHIVE_DAYS", raising=False)
    skipped = tick()
    assert isinstance(skipped, dg.SkipReason)
    assert "kept for ever" in (skipped.skip_message or "")
    monkeypatch.setenv("ALBACORE_ARCHIVE_DAYS", "400")
    assert isinstance(tick(), dg.RunRequest)
