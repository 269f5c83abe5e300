"""The room against a Xero that keeps what it is told: every kind of effect, sent, lost, looked up.

The sandbox shares no line with the product, so what both understand alike is what Xero's documents say.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest

from albacore_pipeline.effects.interface import Cancelled, Later, Outcome, Parked, Succeeded, Unknown
from albacore_pipeline.periods import SystemClock
from albacore_pipeline.settings import Settings
from albacore_pipeline.xero import allocations, attachments, contacts, documents
from albacore_pipeline.xero.client import Xero, connect
from albacore_pipeline.xero.interface import (
    AnswerLost,
    Attachment,
    ContactDetails,
    DraftDocument,
    DraftLine,
    InXero,
    Kind,
    Seen,
    ShownLine,
    Status,
    Unapplied,
    UnappliedKind,
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
    (seen,) = xero.invoices_by_id([invoice.id]).elements
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
    (seen,) = xero.invoices_by_id([invoice.id]).elements
    assert isinstance(seen, Seen)
    assert (seen.value.amount_due, [each.amount for each in seen.value.credits]) == (Decimal(450), [Decimal(50)])
    spent = xero.credit_note(note.number)
    assert isinstance(spent, Seen)
    assert (spent.value.status, spent.value.remaining) == (Status.PAID, Decimal(0))
    assert xero.reminders_enabled() is False


def enter(world: Outside, **given: object) -> str:
    """Money that a person enters; its id."""
    answer = world.http.post("/sandbox/xero/money", json=given).raise_for_status()
    return str(answer.json()["id"])


def test_money_that_is_set_against_nothing_is_found_whoever_entered_it(world: Outside, xero: Xero) -> None:
    customer = contact_id(xero, "gale")
    ours = issued(xero, draft("ALB-2025-000061", customer, Kind.CREDIT_NOTE, quantity="100", total="50"))
    over = enter(world, kind="overpayment", contact="gale", amount="70.5", currency="NOK", on="2025-11-09")
    pre = enter(world, kind="prepayment", contact="gale", amount="20", number="P-7")
    note = enter(world, kind="credit_note", contact="gale", amount="600", currency="NOK")
    enter(world, kind="overpayment", contact="gale", amount="5", spent=True)
    found = {each.id: each for each in xero.unapplied().elements if each.contact_id == customer}
    assert found[over] == Unapplied(
        id=over, kind=UnappliedKind.OVERPAYMENT, number="", contact_id=customer, currency="NOK",
        remaining=Decimal("70.5"), on=date(2025, 11, 9),
    )  # fmt: skip
    assert {(each.kind, each.number, each.remaining) for each in found.values()} == {
        (UnappliedKind.OVERPAYMENT, "", Decimal("70.5")),
        (UnappliedKind.PREPAYMENT, "P-7", Decimal(20)),
        (UnappliedKind.CREDIT_NOTE, found[note].number, Decimal(600)),
        (UnappliedKind.CREDIT_NOTE, ours.number, Decimal(50)),
    }
    world.http.post("/sandbox/xero/pay-back", json={"id": over, "amount": "70"}).raise_for_status()
    world.http.post("/sandbox/xero/pay-back", json={"id": pre}).raise_for_status()
    left = {each.id: each.remaining for each in xero.unapplied().elements if each.contact_id == customer}
    assert (left[over], pre in left) == (Decimal("0.5"), False)


def test_a_document_that_a_person_edits_shows_it_under_its_id(world: Outside, xero: Xero) -> None:
    invoice = issued(xero, draft("ALB-2025-000071", contact_id(xero, "hawk")))
    other = contact_id(xero, "iris")
    edits = {"due": "2026-02-01", "date": "2025-11-02", "contact": "iris", "quantity": "900", "rename": "OLD-71"}
    world.http.post("/sandbox/xero/edit", json={"number": invoice.number} | edits).raise_for_status()
    (seen,) = xero.invoices_by_id([invoice.id]).elements
    assert isinstance(seen, Seen)
    assert (seen.value.number, seen.value.contact_id, seen.value.total) == ("OLD-71", other, Decimal(450))
    assert (seen.value.issued_on, seen.value.due_on) == (date(2025, 11, 2), date(2026, 2, 1))
    assert seen.value.lines == (ShownLine(quantity=Decimal(900), unit_price=Decimal("0.5"), tax_type="NONE"),)
    world.http.post("/sandbox/xero/edit", json={"number": "OLD-71", "void": True}).raise_for_status()
    (gone,) = xero.invoices_by_id([invoice.id]).elements
    assert isinstance(gone, Seen) and gone.value.status is Status.VOIDED


def test_credit_notes_are_read_many_at_once_by_their_ids(xero: Xero) -> None:
    customer = contact_id(xero, "jarl")
    notes = [
        issued(xero, draft(f"ALB-2025-00008{n}", customer, Kind.CREDIT_NOTE, quantity="100", total="50"))
        for n in (1, 2)
    ]
    answers = xero.credit_notes_by_id([note.id for note in notes]).elements
    assert {answer.identity for answer in answers} == {note.id for note in notes}
    assert all(isinstance(answer, Seen) and answer.value.remaining == 50 and answer.value.lines for answer in answers)


def test_answers_bear_the_worlds_time_unless_they_are_told_to_lie(world: Outside, xero: Xero) -> None:
    now = datetime.fromisoformat(world.http.get("/sandbox/clock").json()["now"])
    dated = xero.invoices_by_id(["nobody"]).dated
    assert dated is not None and abs(dated - now) < timedelta(seconds=30)
    world.fault(kind="wrong_date", target="xero", seconds=-900)
    late = xero.unapplied().dated
    assert late is not None and timedelta(seconds=870) < now - late < timedelta(seconds=930)


def test_a_xero_that_is_told_to_answers_with_an_empty_list_and_200(world: Outside, xero: Xero) -> None:
    invoice = issued(xero, draft("ALB-2025-000091", contact_id(xero, "knut")))
    enter(world, kind="overpayment", contact="knut", amount="7")
    world.fault(kind="empty_list", target="xero")
    assert (xero.invoices_by_id([invoice.id]).elements, xero.unapplied().elements) == ((), ())
    world.http.delete("/sandbox/faults")
    world.fault(kind="empty_result", target="xero", path="Overpayments")
    with pytest.raises(AnswerLost):
        xero.unapplied()
    assert world.http.post("/sandbox/faults", json={"kind": "empty_list", "target": "norway"}).status_code == 400
