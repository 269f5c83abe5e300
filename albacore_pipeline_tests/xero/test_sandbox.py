"""The room against a Xero that keeps what it is told: every kind of effect, sent, lost, looked up.

The sandbox shares no line with the product, so what both understand alike is what Xero's documents say.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest

from albacore_pipeline.effects.interface import Cancelled, Later, Outcome, Parked, Succeeded, Unknown
from albacore_pipeline.periods import SystemClock
from albacore_pipeline.settings import Settings
from albacore_pipeline.xero import allocations, attachments, contacts, documents
from albacore_pipeline.xero.client import Xero, connect
from albacore_pipeline.xero.interface import (
    Attachment,
    ContactDetails,
    DraftDocument,
    DraftLine,
    InXero,
    Kind,
    Seen,
    Status,
)
from albacore_pipeline_tests.sandbox.conftest import Outside, make_world

__all__ = ["make_world"]

TODAY = date(2025, 11, 1)


@pytest.fixture(scope="module")
def world(make_world: Callable[[], Outside]) -> Outside:
    made = make_world()
    made.move_to("2025-11-01T06:00:00Z")
    return made


@pytest.fixture
def xero(world: Outside) -> Iterator[Xero]:
    """A connection with a minute's limit of its own."""
    world.move_on(seconds=61)
    settings = Settings.model_validate(
        {
            "XERO_CLIENT_ID": "demo-client",
            "XERO_CLIENT_SECRET": "demo-secret",
            "XERO_API_URL": f"{world.running.url}/xero/api.xro/2.0",
            "XERO_TOKEN_URL": f"{world.running.url}/xero/connect/token",
        }
    )
    yield connect(settings=settings, clock=SystemClock())
    world.http.delete("/sandbox/faults")


def friend(number: str) -> ContactDetails:
    return ContactDetails(
        number=number, name=f"{number} AS", email="pay@acme.example", tax_number="", address="Storgata 1", country="NO"
    )


def contact_id(xero: Xero, number: str) -> str:
    outcome = contacts.send(xero, [friend(number)], key=f"contact {number}")[number]
    assert isinstance(outcome, Succeeded)
    return str(outcome.answer["id"])


def draft(
    number: str, contact: str, kind: Kind = Kind.INVOICE, *, quantity: str = "1000", total: str = "500"
) -> DraftDocument:
    line = DraftLine(
        description="Energy", quantity=Decimal(quantity), unit_price=Decimal("0.5"), tax_type="NONE", account="200"
    )
    return DraftDocument(
        kind=kind, number=number, reference="2025-10 acme r1", contact_id=contact, issued_on=TODAY,
        due_on=TODAY + timedelta(days=14), currency="NOK", total=Decimal(total), lines=[line], remark="Zero-rated",
    )  # fmt: skip


def issued(xero: Xero, each: DraftDocument) -> InXero:
    """Drafted and approved."""
    outcome = documents.send_drafts(xero, [each], key=f"draft {each.number}")[each.number]
    assert isinstance(outcome, Succeeded)
    made = InXero(kind=each.kind, id=outcome.answer["id"], number=each.number)
    assert succeeded(documents.send_approvals(xero, [made], key=f"approve {each.number}"))
    return made


def succeeded(outcomes: dict[str, Outcome]) -> bool:
    return bool(outcomes) and all(isinstance(outcome, Succeeded) for outcome in outcomes.values())


def test_drafts_are_taken_each_by_itself_and_only_what_agrees(xero: Xero) -> None:
    known = contact_id(xero, "acme")
    good, other, foreign = (draft(f"ALB-2025-00000{n}", known) for n in (1, 2, 3))
    other, foreign = replace(other, total=Decimal("500.01")), replace(foreign, currency="XXX")
    note = draft("ALB-2025-000004", known, Kind.CREDIT_NOTE)
    outcomes = documents.send_drafts(xero, [foreign, good, other, note], key="drafts")
    assert outcomes[other.number] == Parked(
        "Xero's total is 500.00, ours is 500.01: mend the draft in Xero, or delete it there"
    )
    assert outcomes[foreign.number] == Parked("Organisation is not subscribed to currency XXX")
    assert succeeded({each.number: outcomes[each.number] for each in (good, note)})
    again = documents.send_drafts(xero, [good], key="again")
    assert again == {good.number: Unknown("Xero has the number already")}
    found = documents.look_up_drafts(xero, [good, note, foreign])
    assert found == {
        good.number: outcomes[good.number],
        note.number: outcomes[note.number],
        foreign.number: Later("Xero does not have it"),
    }


def test_a_draft_whose_answer_is_lost_is_found(world: Outside, xero: Xero) -> None:
    lost = draft("ALB-2025-000011", contact_id(xero, "bolt"))
    world.fault(kind="lost_answer", target="xero", path="Invoices", count=1)
    assert isinstance(documents.send_drafts(xero, [lost], key="lost")[lost.number], Unknown)
    assert succeeded(documents.look_up_drafts(xero, [lost]))


def test_an_approved_invoice_is_seen_with_its_payments(world: Outside, xero: Xero) -> None:
    invoice = issued(xero, draft("ALB-2025-000021", contact_id(xero, "cask")))
    assert succeeded(documents.look_up_approvals(xero, [invoice]))
    assert succeeded(documents.mark_sent(xero, [invoice.id], key="mark"))
    world.http.post("/sandbox/pay", json={"number": invoice.number, "amount": "200"}).raise_for_status()
    (seen,) = xero.invoices_by_id([invoice.id])
    assert isinstance(seen, Seen)
    assert (seen.value.amount_due, seen.value.amount_paid) == (Decimal(300), Decimal(200))
    assert [payment.amount for payment in seen.value.payments] == [Decimal(200)]
    assert (seen.value.issued_on, seen.value.due_on) == (TODAY, TODAY + timedelta(days=14))


def test_an_invoice_that_was_voided_is_neither_approved_nor_marked(world: Outside, xero: Xero) -> None:
    invoice = issued(xero, draft("ALB-2025-000051", contact_id(xero, "fir")))
    world.xero().post(f"/Invoices/{invoice.id}", json={"Status": "VOIDED"}).raise_for_status()
    assert documents.mark_sent(xero, [invoice.id], key="too late") == {
        invoice.id: Cancelled("the document was settled before it was marked")
    }
    assert documents.send_approvals(xero, [invoice], key="again too late") == {
        invoice.id: Unknown("it is no draft any more")
    }
    assert documents.look_up_approvals(xero, [invoice]) == {invoice.id: Parked("Xero says it is voided")}


def test_files_are_attached_and_found(xero: Xero) -> None:
    invoice = issued(xero, draft("ALB-2025-000031", contact_id(xero, "dell")))
    files = [Attachment(invoice_id=invoice.id, name=name, content=b"%PDF") for name in ("a.pdf", "a.csv")]
    names = [file.name for file in files]
    assert attachments.look_up(xero, invoice_id=invoice.id, names=names) == Later("not attached yet")
    assert attachments.send(xero, files, key="files") == Succeeded({"names": names})
    assert attachments.look_up(xero, invoice_id=invoice.id, names=names) == Succeeded({"names": names})
    assert xero.online_invoice_url(invoice.id).startswith("http")


def test_credit_is_set_against_what_is_due_once(world: Outside, xero: Xero) -> None:
    customer = contact_id(xero, "elm")
    invoice = issued(xero, draft("ALB-2025-000041", customer))
    note = issued(xero, draft("ALB-2025-000042", customer, Kind.CREDIT_NOTE, quantity="100", total="50"))
    world.fault(kind="lost_answer", target="xero", path="Allocations", count=1)
    assert isinstance(allocations.send(xero, note, against=invoice.id, on=TODAY, key="lost"), Unknown)
    assert allocations.send(xero, note, against=invoice.id, on=TODAY, key="again") == Succeeded({"remaining": "0"})
    (seen,) = xero.invoices_by_id([invoice.id])
    assert isinstance(seen, Seen)
    assert (seen.value.amount_due, [each.amount for each in seen.value.credits]) == (Decimal(450), [Decimal(50)])
    spent = xero.credit_note(note.number)
    assert isinstance(spent, Seen)
    assert (spent.value.status, spent.value.remaining) == (Status.PAID, Decimal(0))
    assert xero.reminders_enabled() is False
