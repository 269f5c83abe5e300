"""Documents on their way through Xero: lost answers, taken numbers, other totals, limits, crashes anywhere."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal

import pytest
import sqlalchemy as sa

from albacore_pipeline.archive import ArchiveFailure
from albacore_pipeline.database import connect
from albacore_pipeline.effects.gate import Gate
from albacore_pipeline.invoicing import queries
from albacore_pipeline.xero.interface import (
    AnswerLost,
    Document,
    DraftDocument,
    DraftLine,
    Kind,
    NothingSent,
    Objection,
    Refused,
    Rejected,
    Status,
    Written,
    XeroError,
)
from albacore_pipeline_tests.clocks import FrozenClock, utc
from albacore_pipeline_tests.invoicing.fakes import FakeXero, Kept, Office, later, one_day

NUMBER = "ALB-2025-000001"
NOTE = "ALB-2025-000002"


def once(name: str, error: BaseException) -> Callable[[str], None]:
    """Raises the error at the first call of that name."""
    left = [error]

    def fault(call: str) -> None:
        if call == name and left:
            raise left.pop()

    return fault


def test_an_invoice_goes_all_the_way(office: Office) -> None:
    office.write_documents()
    office.issue()
    assert office.documents() == {NUMBER: "issued"}
    assert set(office.effects().values()) == {"done"}
    kept = office.xero.documents[NUMBER]
    assert (kept.status, kept.total, kept.draft.reference, kept.draft.contact_id, kept.sent) == (
        Status.AUTHORISED, Decimal(500), "2025-10 acme r1", "id-acme", True,
    )  # fmt: skip
    files = office.xero.files[f"id-{NUMBER}"]
    assert list(files) == [f"{NUMBER}.pdf", f"{NUMBER}.csv"]
    (mail,) = office.mail.sent[f"mail:document:{NUMBER}"]
    assert {name: office.archive.get(sha256) for name, sha256 in mail["attachments"]} == files
    assert mail["to"] == "pay@acme.example"
    assert f"https://pay.example/id-{NUMBER}" in mail["text"]
    assert office.ask("select state from report.customer_months") == [("invoiced",)]


def test_once_all_is_sent_nothing_is_asked_any_more(office: Office) -> None:
    office.write_documents()
    office.issue()
    calls = office.xero.calls.copy()
    later(office.clock, days=3)
    assert office.issue() == {}
    assert office.xero.calls == calls


def test_a_dry_run_and_months_before_live_from_send_nothing(office: Office) -> None:
    office.write_documents()
    for gate in (Gate(live=False), Gate(live=True, live_from="2025-11")):
        office.gate = gate
        assert office.issue() == {}
    assert office.xero.calls == {}


def test_a_lost_answer_is_looked_up_and_adopted(office: Office) -> None:
    office.write_documents()
    office.xero.after = once("create_invoices", AnswerLost("connection to Xero lost"))
    office.issue()
    assert office.effects()[f"document:{NUMBER}"] == "unknown"
    later(office.clock)
    office.issue()
    assert office.documents() == {NUMBER: "issued"}
    assert office.xero.calls["create_invoices"] == 1


def test_a_call_that_never_arrived_is_sent_again_after_a_look(office: Office) -> None:
    office.write_documents()
    office.xero.before = once("create_invoices", AnswerLost("Xero answered 500"))
    office.issue()
    later(office.clock)
    office.issue()
    assert office.documents() == {NUMBER: "issued"}
    assert (office.xero.calls["create_invoices"], office.xero.calls["invoices_by_number"]) == (2, 1)


def test_as_long_as_it_can_not_be_looked_up_nothing_is_sent(office: Office) -> None:
    office.write_documents()
    office.xero.after = once("create_invoices", AnswerLost("lost"))
    office.issue()
    office.xero.before = once("invoices_by_number", NothingSent("Xero can't be reached"))
    later(office.clock)
    office.issue()
    assert office.effects()[f"document:{NUMBER}"] == "unknown"
    assert office.xero.calls["create_invoices"] == 1


def test_a_number_that_xero_has_already_is_adopted(office: Office) -> None:
    """As after the database was restored from before the invoice was sent."""
    office.write_documents()
    line = DraftLine(
        description="Energy", quantity=Decimal(1000), unit_price=Decimal("0.5"), tax_type="NONE", account="200"
    )
    office.xero.create(
        DraftDocument(
            kind=Kind.INVOICE,
            number=NUMBER,
            reference="",
            contact_id="id-acme",
            issued_on=date(2025, 11, 1),
            due_on=date(2025, 11, 15),
            currency="NOK",
            total=Decimal(500),
            lines=[line],
        )
    )
    office.issue()
    assert office.effects()[f"document:{NUMBER}"] == "unknown"
    later(office.clock)
    office.issue()
    assert office.documents() == {NUMBER: "issued"}
    assert list(office.xero.documents) == [NUMBER]


@pytest.mark.parametrize(
    "changed",
    [
        lambda kept: setattr(kept, "total", Decimal("500.01")),
        lambda kept: kept.change(currency="EUR"),
        lambda kept: kept.change(issued_on=date(2025, 11, 2)),
        lambda kept: kept.change(contact_id="id-bolt"),
    ],
)
@pytest.mark.parametrize("lost", [False, True])
def test_what_differs_in_xero_needs_a_person(office: Office, changed: Callable[[Kept], None], lost: bool) -> None:
    """Whether the answer says so, or a look after the answer was lost."""
    office.write_documents()
    office.xero.drafted = changed
    office.xero.after = once("create_invoices", AnswerLost("lost")) if lost else office.xero.after
    office.issue()
    if lost:
        later(office.clock)
        office.issue()
    assert office.documents() == {NUMBER: "parked"}
    assert office.xero.documents[NUMBER].status is Status.DRAFT
    later(office.clock, days=9)
    assert office.issue() == {}


def test_a_parked_document_that_was_mended_goes_on(office: Office) -> None:
    office.write_documents()
    office.xero.drafted = lambda kept: setattr(kept, "total", Decimal(1))
    office.issue()
    office.xero.documents[NUMBER].total = Decimal(500)
    with office.engine.begin() as connection:
        assert queries.release_document(connection, number=NUMBER, now=office.clock.now()) == 1
    office.issue()
    assert office.documents() == {NUMBER: "issued"}
    assert office.xero.calls["create_invoices"] == 1


def test_a_refused_document_holds_up_nobody(engine: sa.Engine, clock: FrozenClock) -> None:
    class Choosy(FakeXero):
        def create(self, draft: DraftDocument) -> Written[Document]:
            words = "Account code '200' is not valid"
            refused = Rejected(identity=draft.number, objection=Objection.OTHER, words=words)
            return refused if draft.number == NUMBER else super().create(draft)

    office = Office(engine=engine, clock=clock, xero=Choosy())
    office.open_books(one_day("NO-0001", "acme"), one_day("FI-0001", "bolt"))
    office.write_documents()
    office.issue()
    assert office.documents() == {NUMBER: "parked", NOTE: "issued"}


def test_the_rate_limit_is_waited_out(office: Office) -> None:
    office.write_documents()
    office.xero.before = once("create_invoices", NothingSent("Xero's rate limit (minute)", timedelta(seconds=37)))
    office.issue()
    assert office.ask("select state, next_try_at from albacore.effect where kind = 'xero.document'") == [
        ("prepared", office.clock.now() + timedelta(seconds=37))
    ]
    later(office.clock, seconds=37)
    office.issue()
    assert office.documents() == {NUMBER: "issued"}


def test_a_document_waits_for_its_contact(office: Office) -> None:
    office.write_documents()
    office.xero.before = once("write_contacts", NothingSent("Xero can't be reached"))
    office.issue()
    assert office.effects()[f"document:{NUMBER}"] == "prepared"
    assert office.xero.calls["create_invoices"] == 0
    later(office.clock)
    office.issue()
    assert office.documents() == {NUMBER: "issued"}


def test_an_approval_that_somebody_else_gave_counts(office: Office) -> None:
    """A person approved the draft and the customer paid it before our approval came."""

    def overtake(call: str) -> None:
        if call == "approve_invoices" and office.xero.documents[NUMBER].status is Status.DRAFT:
            office.xero.documents[NUMBER].status = Status.PAID

    office.write_documents()
    office.xero.before = overtake
    office.issue()
    later(office.clock)
    office.issue()
    assert office.documents() == {NUMBER: "issued"}
    assert office.effects()[f"approve:{NUMBER}"] == "done"


def test_a_lost_approval_is_looked_up(office: Office) -> None:
    office.write_documents()
    office.xero.after = once("approve_invoices", AnswerLost("lost"))
    office.issue()
    assert office.documents() == {NUMBER: "drafted"}
    later(office.clock)
    office.issue()
    assert office.documents() == {NUMBER: "issued"}


@pytest.mark.parametrize("error", [AnswerLost("Xero answered 500"), Refused("no such invoice", 404)])
def test_a_link_that_does_not_come_holds_up_nobody(engine: sa.Engine, clock: FrozenClock, error: XeroError) -> None:
    office = Office(engine=engine, clock=clock)
    office.open_books(one_day("NO-0001", "acme"), one_day("FI-0001", "bolt"))
    office.write_documents()
    office.xero.before = once("online_invoice_url", error)
    office.issue()
    assert sorted(office.mail.sent) == [f"mail:document:{NUMBER}", f"mail:document:{NOTE}"]


def test_a_credit_note_is_set_against_its_invoice(office: Office) -> None:
    office.write_documents()
    office.issue()
    office.correct("NO-0001", 900_000)
    office.write_documents()
    office.issue()
    assert office.documents() == {NUMBER: "issued", NOTE: "issued"}
    assert (office.xero.documents[NOTE].total, office.xero.documents[NOTE].status) == (Decimal(50), Status.PAID)
    assert office.xero.documents[NUMBER].open == 450
    assert set(office.effects().values()) == {"done"}
    assert len(office.mail.sent) == 2


def test_a_lost_allocation_is_not_made_twice(office: Office) -> None:
    office.write_documents()
    office.issue()
    office.correct("NO-0001", 900_000)
    office.write_documents()
    office.xero.after = once("allocate", AnswerLost("lost"))
    office.issue()
    later(office.clock)
    office.issue()
    assert office.xero.documents[NUMBER].open == 450
    assert office.xero.calls["allocate"] == 1


class Crash(BaseException):
    """The process dies."""


def crash_at(nth: int) -> Callable[[str], None]:
    count = 0

    def fault(_: str) -> None:
        nonlocal count
        count += 1
        if count == nth:
            raise Crash

    return fault


@pytest.mark.parametrize("when", ["before", "after"])
def test_dying_at_any_call_ends_the_same(make_database: Callable[[str], str], open_books: str, when: str) -> None:
    """An invoice and a credit note; the process dies at the n-th call, for every n, and is started again."""
    nth, crashed = 0, True
    while crashed:
        nth, crashed = nth + 1, False
        office = Office(engine=connect(make_database(open_books)), clock=FrozenClock(utc("2025-11-01T06:00")))
        setattr(office.xero, when, crash_at(nth))
        for wh in (1_000_000, 900_000):
            office.correct("NO-0001", wh)
            office.write_documents()
            for _ in range(4):
                try:
                    if office.issue() == {}:
                        break
                except Crash:
                    crashed = True
                later(office.clock)
        assert office.documents() == {NUMBER: "issued", NOTE: "issued"}, nth
        assert set(office.effects().values()) == {"done"}, nth
        assert office.xero.documents[NUMBER].open == 450, nth
        assert sorted(office.xero.documents) == [NUMBER, NOTE], nth
        assert {key: len(mails) for key, mails in office.mail.sent.items()} == {
            f"mail:document:{NUMBER}": 1, f"mail:document:{NOTE}": 1,
        }, nth  # fmt: skip
    assert nth > 10


def test_a_statement_that_the_archive_lost_keeps_nobody_waiting(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    office.write_documents()

    def lost(sha256: str) -> bytes:
        raise ArchiveFailure(f"the archive has no {sha256}")

    monkeypatch.setattr(office.archive, "get", lost)
    office.issue()

    states = office.effects()
    assert states[f"attachment:{NUMBER}"] == "prepared"
    assert states[f"mail:document:{NUMBER}"] == "done"
