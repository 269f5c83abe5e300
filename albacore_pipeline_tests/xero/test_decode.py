"""Xero's answers, whole and damaged: what is needed and not there is never guessed."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from albacore_pipeline.xero import decode
from albacore_pipeline.xero.interface import (
    AnswerLost,
    AppliedCredit,
    Contact,
    CreditNote,
    Document,
    Invoice,
    Kind,
    NothingSent,
    Objection,
    Payment,
    Rejected,
    Seen,
    ShownLine,
    Status,
    Unapplied,
    UnappliedKind,
    Unreadable,
)
from albacore_pipeline.xero.paging import Page
from albacore_pipeline.xero.wire import xero_date
from albacore_pipeline_tests.xero.answers import (
    CONTACT_ID,
    NO_ID,
    applied,
    contact,
    credit_note,
    invoice,
    key,
    overpayment,
    parsed,
    payment,
    prepayment,
    rejected,
    without,
)

NUMBER, NOTE = "ALB-2025-000001", "ALB-2025-000002"


def only(elements: list[Any]) -> Any:
    (element,) = elements
    return element


def read_invoice(element: object) -> Any:
    return only(decode.invoices(parsed({"Invoices": [element]})))


# Whole


def test_an_invoice_is_read_with_all_that_settled_it() -> None:
    element = invoice(
        AmountDue=250.00,
        AmountPaid=200.00,
        AmountCredited=50.00,
        Payments=[payment(), payment(7.0, Status="DELETED")],
        CreditNotes=[applied()],
    )
    assert read_invoice(element) == Seen(
        identity=key(NUMBER),
        value=Invoice(
            id=key(NUMBER),
            number=NUMBER,
            contact_id=CONTACT_ID,
            issued_on=date(2025, 11, 1),
            due_on=date(2025, 11, 15),
            currency="NOK",
            status=Status.AUTHORISED,
            total=Decimal("500.0"),
            amount_due=Decimal("250.0"),
            amount_paid=Decimal("200.0"),
            amount_credited=Decimal("50.0"),
            payments=(Payment(id="p1", on=date(2025, 11, 10), amount=Decimal("200.0")),),
            credits=(AppliedCredit(id="n1", on=date(2025, 11, 3), amount=Decimal("50.0")),),
            lines=(),
        ),
    )


def test_money_that_a_person_set_against_an_invoice_is_credit_too() -> None:
    """An overpayment say: Xero then leaves the credit notes out, of which there are none."""
    element = without(invoice(AmountDue=430.0, AmountCredited=70.0), "CreditNotes") | {
        "Overpayments": [{"OverpaymentID": "o1", "Date": "2025-11-03", "AppliedAmount": 50.0}],
        "Prepayments": [{"PrepaymentID": "q1", "Date": "2025-11-04", "AppliedAmount": 20.0}],
    }
    assert read_invoice(element).value.credits == (
        AppliedCredit(id="o1", on=date(2025, 11, 3), amount=Decimal("50.0")),
        AppliedCredit(id="q1", on=date(2025, 11, 4), amount=Decimal("20.0")),
    )


def test_lines_are_read_where_there_are_any_without_those_of_words_alone() -> None:
    words = {"Description": "Zero-rated", "LineAmount": 0.0, "TaxAmount": 0.0, "Tracking": []}
    priced = {"Description": "Energy", "Quantity": 2.5, "UnitAmount": 0.0723, "LineAmount": 0.18, "TaxType": "OUTPUT"}
    line = ShownLine(quantity=Decimal("2.5"), unit_price=Decimal("0.0723"), tax_type="OUTPUT")
    assert read_invoice(invoice(LineItems=[priced, words])).value.lines == (line,)
    assert read_invoice(invoice(LineItems=[])).value.lines == ()
    note = only(decode.credit_notes_by_id(parsed({"CreditNotes": [credit_note(LineItems=[priced])]})))
    assert isinstance(note, Seen)
    assert (note.identity, note.value.lines) == (key(NOTE), (line,))


def test_a_credit_note_is_read_with_what_is_left_of_it() -> None:
    seen = only(decode.credit_notes(parsed({"CreditNotes": [credit_note(RemainingCredit=12.5)]})))
    assert seen == Seen(
        identity=NOTE,
        value=CreditNote(
            id=key(NOTE),
            number=NOTE,
            contact_id=CONTACT_ID,
            issued_on=date(2025, 11, 2),
            currency="NOK",
            status=Status.AUTHORISED,
            total=Decimal("50.0"),
            remaining=Decimal("12.5"),
            lines=(),
        ),
    )


def test_the_answer_to_a_write_needs_no_more_than_it_has_in_xeros_document() -> None:
    """There the amounts that are nothing, and the lists that are empty, are left out."""
    left_out = without(invoice(), "AmountDue", "AmountPaid", "AmountCredited", "Payments", "CreditNotes", "DueDate")
    head = only(decode.drafts(parsed({"Invoices": [left_out]}), Kind.INVOICE))
    assert isinstance(head.value, Document) and head.identity == NUMBER
    note = only(decode.drafts(parsed({"CreditNotes": [without(credit_note(), "RemainingCredit")]}), Kind.CREDIT_NOTE))
    assert isinstance(note.value, Document) and note.identity == NOTE
    standing = {"InvoiceID": key(NUMBER), "Status": "PAID"}
    assert only(decode.statuses(parsed({"Invoices": [standing]}), Kind.INVOICE)) == Seen(
        identity=key(NUMBER), value=Status.PAID
    )


def test_contacts_allocations_and_files_are_known_by_what_names_them() -> None:
    assert decode.contacts(parsed({"Contacts": [contact()]})) == [
        Seen(identity="acme", value=Contact(id=CONTACT_ID, number="acme"))
    ]
    allocation = {"Amount": 9.04, "Date": "2025-11-02", "Invoice": {"InvoiceID": key(NUMBER)}}
    assert decode.allocations(parsed({"Allocations": [allocation]})) == [
        Seen(identity=key(NUMBER), value=Decimal("9.04"))
    ]
    assert decode.attached(parsed({"Attachments": [{"FileName": "a.pdf"}]})) == [Seen(identity="a.pdf", value="a.pdf")]
    assert decode.file_names(parsed({"Attachments": [{"FileName": "a.pdf"}, {"FileName": "b.csv"}]})) == [
        "a.pdf", "b.csv",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("/Date(1761955200000+0000)/", date(2025, 11, 1)),
        ("/Date(1761955200000)/", date(2025, 11, 1)),
        ("/Date(1761955200000-0500)/", date(2025, 11, 1)),
        ("/Date(1762041599999+0000)/", date(2025, 11, 1)),
        ("/Date(-86400000+0000)/", date(1969, 12, 31)),
        ("2025-11-01", date(2025, 11, 1)),
        ("2025-11-01T00:00:00", date(2025, 11, 1)),
        ("2025-11-01T23:30:00Z", date(2025, 11, 1)),
    ],
)
def test_a_day_is_read_in_each_of_xeros_forms(text: str, day: date) -> None:
    assert xero_date(text) == day


@pytest.mark.parametrize(
    "value", ["", "/Date()/", "/Date(x)/", "/Date(999999999999999+0000)/", "1.11.2025", "2025-02-30", None, 17, [], {}]
)
def test_what_is_no_day_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match=r"^not a date$"):
        xero_date(value)


# Money that is set against nothing


def money(kind: UnappliedKind, *elements: Any, **more: Any) -> Page[Unapplied | None]:
    name, _ = decode.UNAPPLIED[kind]
    return decode.unapplied(parsed({name: list(elements)} | more), kind)


def test_an_overpayment_a_prepayment_and_a_note_that_a_person_wrote_are_read_alike() -> None:
    paged = {"pagination": {"page": 1, "pageSize": 1000, "pageCount": 1, "itemCount": 1}}
    common = {"contact_id": CONTACT_ID, "currency": "NOK", "remaining": Decimal("70.0"), "on": date(2025, 11, 9)}
    for kind, element, number in (
        (UnappliedKind.OVERPAYMENT, overpayment(), ""),
        (UnappliedKind.PREPAYMENT, prepayment(), "P-1"),
        (UnappliedKind.CREDIT_NOTE, credit_note("CN-000007", RemainingCredit=70.0, Date="2025-11-09"), "CN-000007"),
    ):
        page = money(kind, element, **paged)
        ((identity, read),) = page.elements
        assert read == Unapplied(id=identity, kind=kind, number=number, **common)  # type: ignore[arg-type]
        assert page.items == 1


@pytest.mark.parametrize(
    "change",
    [
        {"Type": "SPEND-OVERPAYMENT"},
        {"Type": "APOVERPAYMENT"},
        {"Status": "PAID"},
        {"Status": "VOIDED"},
        {"RemainingCredit": 0.0},
    ],
)
def test_what_is_ours_or_used_up_is_no_money_of_a_customers(change: dict[str, Any]) -> None:
    page = money(UnappliedKind.OVERPAYMENT, overpayment(**change))
    assert [read for _, read in page.elements] == [None]


@pytest.mark.parametrize(
    "element",
    [
        overpayment(Type="BARTER"),
        overpayment(Type=None),
        overpayment(Status="FROZEN"),
        overpayment(Contact={}),
        overpayment(CurrencyCode=""),
        overpayment(RemainingCredit="70"),
        without(overpayment(), "RemainingCredit"),
        without(overpayment(), "OverpaymentID"),
        None,
    ],
)
def test_money_that_can_not_be_read_leaves_it_open_what_there_is(element: object) -> None:
    with pytest.raises(AnswerLost, match="can't be read"):
        money(UnappliedKind.OVERPAYMENT, overpayment(), element)


@pytest.mark.parametrize("paging", [{}, {"itemCount": -1}, {"itemCount": "1"}, []])
def test_a_count_that_can_not_be_read_is_no_count(paging: object) -> None:
    with pytest.raises(AnswerLost):
        money(UnappliedKind.OVERPAYMENT, overpayment(), pagination=paging)


# Damaged elements


TEXTS, NUMBERS = ("InvoiceID", "InvoiceNumber", "CurrencyCode"), ("Total", "AmountDue")
OTHERS = ("Contact", "Date", "Status")
ODD: list[object] = [None, [], {}, True, ""]


@pytest.mark.parametrize(
    ("name", "damage"),
    [(name, damage) for name in (*TEXTS, *NUMBERS, *OTHERS) for damage in ODD]
    + [(name, 17) for name in (*TEXTS, *OTHERS)]
    + [(name, "odd") for name in (*NUMBERS, *OTHERS)],
)
def test_an_invoice_with_a_field_of_another_kind_says_nothing(name: str, damage: object) -> None:
    answer = read_invoice(invoice() | {name: damage})
    assert isinstance(answer, Unreadable)
    assert answer.words.startswith(f"Xero's answer can't be read: {name}")
    assert answer.identity == ("" if name == "InvoiceID" else key(NUMBER))


@pytest.mark.parametrize("name", [*TEXTS, *NUMBERS, *OTHERS])
def test_an_invoice_without_what_is_needed_says_nothing(name: str) -> None:
    answer = read_invoice(without(invoice(), name))
    assert isinstance(answer, Unreadable)
    assert answer.words == f"Xero's answer can't be read: {name}: Field required"


@pytest.mark.parametrize(
    "damage",
    [
        {"Total": "500.00"},
        {"AmountPaid": "0"},
        {"Status": "FROZEN"},
        {"Status": "authorised"},
        {"Contact": {"Name": "Acme"}},
        {"Contact": {"ContactID": NO_ID}},
        {"InvoiceID": NO_ID},
        {"DueDate": "soon"},
        {"Payments": {}},
        {"Payments": [None]},
        {"Payments": [without(payment(), "PaymentID")]},
        {"Payments": [without(payment(), "Date")]},
        {"Payments": [without(payment(), "Amount")]},
        {"CreditNotes": [without(applied(), "AppliedAmount")]},
        {"CreditNotes": [without(applied(), "CreditNoteID")]},
    ],
)
def test_an_invoice_with_an_odd_value_somewhere_says_nothing(damage: dict[str, Any]) -> None:
    assert isinstance(read_invoice(invoice(**damage)), Unreadable)


@pytest.mark.parametrize("element", [None, "Invoice", 17, [], True])
def test_an_element_that_is_no_object_says_nothing(element: object) -> None:
    assert isinstance(read_invoice(element), Unreadable)
    assert isinstance(only(decode.drafts(parsed({"Invoices": [element]}), Kind.INVOICE)), Unreadable)


def test_amounts_that_are_left_out_are_nothing_only_where_the_others_agree() -> None:
    paid = invoice(Status="PAID", AmountDue=0.0, AmountPaid=500.0, Payments=[payment(500.0)])
    seen = read_invoice(without(paid, "AmountCredited", "CreditNotes"))
    assert (seen.value.amount_credited, seen.value.credits) == (0, ())
    assert isinstance(read_invoice(without(paid, "AmountPaid")), Unreadable)
    assert isinstance(read_invoice(without(paid, "Payments")), Unreadable), "else they would pass for taken back"
    credited = invoice(AmountDue=450.0, AmountCredited=50.0)
    assert isinstance(read_invoice(without(credited, "CreditNotes")), Unreadable)
    voided = invoice(Status="VOIDED", AmountDue=0.0)
    assert read_invoice(without(voided, "AmountPaid", "AmountCredited")).value.status is Status.VOIDED


def test_one_damaged_element_leaves_the_others_readable() -> None:
    elements = [invoice(), invoice("ALB-2025-000003", Total=None), invoice("ALB-2025-000004")]
    answers = decode.invoices(parsed({"Invoices": elements}))
    assert [type(answer) for answer in answers] == [Seen, Unreadable, Seen]


anything = st.recursive(
    st.none() | st.booleans() | st.text(max_size=4) | st.integers() | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["Status", "Message"]), inner),
    max_leaves=4,
)


@given(damage=st.dictionaries(st.sampled_from([*invoice(), "ValidationErrors", "StatusAttributeString"]), anything))
def test_whatever_stands_in_an_element_it_is_read_or_says_nothing(damage: dict[str, Any]) -> None:
    content = parsed({"Invoices": [invoice() | damage]})
    for answers in (
        decode.invoices(content),
        decode.invoice_heads(content),
        decode.drafts(content, Kind.INVOICE),
        decode.statuses(content, Kind.INVOICE),
    ):
        assert isinstance(only(list(answers)), Seen | Rejected | Unreadable)


# What Xero does not take


@pytest.mark.parametrize(
    ("words", "objection"),
    [
        ("Invoice # must be unique.", Objection.NUMBER_TAKEN),
        ("Invoice not of valid status for modification", Objection.NOT_CHANGEABLE),
        ("Account code '200' is not valid", Objection.OTHER),
    ],
)
def test_a_rejection_is_known_by_xeros_sentences(words: str, objection: Objection) -> None:
    answer = only(decode.drafts(parsed({"Invoices": [rejected(invoice(InvoiceID=NO_ID), words)]}), Kind.INVOICE))
    assert answer == Rejected(identity=NUMBER, objection=objection, words=words)


def test_a_rejection_counts_without_words_by_description_or_beside_an_ok() -> None:
    element = {"InvoiceID": key(NUMBER), "Status": "AUTHORISED"}
    for more, words in (
        ({"StatusAttributeString": "ERROR"}, "Xero gives no reason"),
        ({"ValidationErrors": [{"Description": "locked period"}, {}]}, "locked period; no reason given"),
        ({"StatusAttributeString": "OK", "ValidationErrors": [{"Message": "no"}]}, "no"),
    ):
        answer = only(decode.statuses(parsed({"Invoices": [element | more]}), Kind.INVOICE))
        assert answer == Rejected(identity=key(NUMBER), objection=Objection.OTHER, words=words)


def test_a_rejection_that_names_nobody_is_still_one() -> None:
    answer = only(decode.contacts(parsed({"Contacts": [rejected({"ContactID": NO_ID}, "no name")]})))
    assert answer == Rejected(identity="", objection=Objection.OTHER, words="no name")


def test_a_contact_without_an_id_is_not_kept() -> None:
    """As Xero shows it before anything is written."""
    assert isinstance(only(decode.contacts(parsed({"Contacts": [contact(ContactID=NO_ID)]}))), Unreadable)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b'{"Message": "A validation exception occurred", "Elements": [{"ValidationErrors": [{"Message": "a"}]}, '
         b'{"ValidationErrors": [{"Message": "b"}]}]}', "a; b"),
        (b'{"ValidationErrors": [{"Message": "a"}]}', "a"),
        (b'{"Message": "Idempotency-Key used"}', "Idempotency-Key used"),
        (b'{"Title": "Forbidden", "Detail": "insufficient_scope"}', "insufficient_scope"),
        (b'{"Elements": "x", "Message": 17}', "Xero refused the call"),
        (b'{"Elements": [null], "Message": "m"}', "m"),
        (b"[]", "Xero refused the call"),
        (b"<html>", "Xero refused the call"),
        (b"", "Xero refused the call"),
        (b"\xff\xfe", "Xero refused the call"),
    ],
)  # fmt: skip
def test_a_refusal_is_told_in_xeros_words_where_there_are_any(body: bytes, words: str) -> None:
    assert decode.refusal(body) == words


def test_a_long_refusal_is_cut() -> None:
    assert len(decode.refusal(b'{"Message": "%s"}' % (b"x" * 9000))) == decode.LONGEST


# Answers of another shape


@pytest.mark.parametrize("content", [{}, [], None, "Invoices", {"Invoices": None}, {"Invoices": {}}, {"Status": "OK"}])
def test_an_answer_without_its_list_is_lost(content: object) -> None:
    with pytest.raises(AnswerLost, match="Xero answered without Invoices"):
        decode.invoices(parsed(content))


@pytest.mark.parametrize("elements", [[], [{}], [{"Enabled": None}], [{"Enabled": "false"}], ["x"]])
def test_nobody_guesses_whether_xero_sends_reminders(elements: list[object]) -> None:
    with pytest.raises(AnswerLost):
        decode.reminders_enabled(parsed({"InvoiceReminders": elements}))


def test_a_payment_page_may_be_missing() -> None:
    assert decode.online_invoice_url({"OnlineInvoices": [{"OnlineInvoiceUrl": "https://in.xero.com/x"}]}) != ""
    assert decode.online_invoice_url({"OnlineInvoices": [{}]}) == ""
    for elements in ([], [{"OnlineInvoiceUrl": 17}]):
        with pytest.raises(AnswerLost):
            decode.online_invoice_url({"OnlineInvoices": elements})


def test_a_file_without_a_name_leaves_it_open_which_files_there_are() -> None:
    with pytest.raises(AnswerLost):
        decode.file_names({"Attachments": [{"FileName": "a.pdf"}, {}]})


@pytest.mark.parametrize("content", [{}, [], None, {"access_token": ""}, {"access_token": "x", "expires_in": 0}])
def test_a_token_endpoint_that_gives_no_token_is_named(content: object) -> None:
    with pytest.raises(NothingSent, match="XERO_TOKEN_URL"):
        decode.token(content)


def test_organisations_are_listed_by_their_ids() -> None:
    assert decode.tenant_ids([{"tenantId": "a"}, {"tenantId": "b"}]) == ["a", "b"]
    assert decode.tenant_ids({}) == []
    with pytest.raises(NothingSent):
        decode.tenant_ids([{}])
