"""Each call as it goes over the wire, and what becomes of one that goes wrong."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from albacore_pipeline.settings import SettingsError
from albacore_pipeline.xero.client import Xero
from albacore_pipeline.xero.interface import (
    Allocation,
    AnswerLost,
    Attachment,
    ContactDetails,
    DraftDocument,
    DraftLine,
    Kind,
    NothingSent,
    Organisation,
    Refused,
    Seen,
    Status,
    Unreadable,
    XeroError,
)
from albacore_pipeline_tests.xero.answers import CONTACT_ID, contact, credit_note, invoice, key, overpayment
from albacore_pipeline_tests.xero.server import SECRET, TENANT, TOKEN, Asked, Reply, Server, running

NUMBER, NOTE = "ALB-2025-000001", "ALB-2025-000002"
FRIEND = ContactDetails(
    number="acme", name="Acme AS", email="pay@acme.example", tax_number="", address="Storgata 1", country="NO"
)


def draft(kind: Kind = Kind.INVOICE, *, remark: str = "") -> DraftDocument:
    line = DraftLine(
        description="Energy",
        quantity=Decimal("1234.5678"),
        unit_price=Decimal("0.0723"),
        tax_type="OUTPUT",
        account="200",
    )
    return DraftDocument(
        kind=kind,
        number=NUMBER if kind is Kind.INVOICE else NOTE,
        reference="2025-10 acme r1",
        contact_id=CONTACT_ID,
        issued_on=date(2025, 11, 1),
        due_on=date(2025, 11, 15),
        currency="NOK",
        total=Decimal("500"),
        lines=[line],
        remark=remark,
    )


def create_invoice(xero: Xero) -> Sequence[object]:
    return xero.create_invoices([draft()], key="k")


def approve_invoice(xero: Xero) -> Sequence[object]:
    return xero.approve_invoices(["i1"], key="k")


def approve_note(xero: Xero) -> Sequence[object]:
    return xero.approve_credit_notes(["i1"], key="k")


def mark_sent(xero: Xero) -> Sequence[object]:
    return xero.mark_sent(["i1"], key="k")


def read_invoice(xero: Xero) -> Sequence[object]:
    return xero.invoices_by_id(["i1"]).elements


def asked(server: Server) -> Asked:
    (request,) = server.asked
    return request


# What goes out


def test_the_client_is_what_the_rest_of_the_product_knows(xero: Xero) -> None:
    organisation: Organisation = xero
    assert organisation.tenant_id == TENANT


def test_a_draft_goes_out_with_four_decimals_and_its_contact_by_id_alone(server: Server, xero: Xero) -> None:
    server.says({"Invoices": [invoice()]})
    assert [answer.identity for answer in xero.create_invoices([draft(remark="Reverse charge")], key="k1")] == [NUMBER]
    request = asked(server)
    assert (request.call, request.parameters) == ("PUT /Invoices", {"summarizeErrors": "false", "unitdp": "4"})
    assert request.body == {
        "Invoices": [
            {
                "Type": "ACCREC",
                "InvoiceNumber": NUMBER,
                "Reference": "2025-10 acme r1",
                "Contact": {"ContactID": CONTACT_ID},
                "Date": "2025-11-01",
                "DueDate": "2025-11-15",
                "CurrencyCode": "NOK",
                "Status": "DRAFT",
                "LineAmountTypes": "Exclusive",
                "LineItems": [
                    {
                        "Description": "Energy",
                        "Quantity": 1234.5678,
                        "UnitAmount": 0.0723,
                        "TaxType": "OUTPUT",
                        "AccountCode": "200",
                    },
                    {"Description": "Reverse charge"},
                ],
            }
        ]
    }
    headers = ("idempotency-key", "xero-tenant-id", "authorization")
    assert [request.headers[name] for name in headers] == ["k1", TENANT, f"Bearer {TOKEN}"]


def test_a_credit_note_goes_out_under_its_own_names_and_is_never_due(server: Server, xero: Xero) -> None:
    server.says({"CreditNotes": [credit_note()]})
    xero.create_credit_notes([draft(Kind.CREDIT_NOTE)], key="k")
    request = asked(server)
    assert (request.call, request.parameters) == ("PUT /CreditNotes", {"summarizeErrors": "false", "unitdp": "4"})
    (body,) = request.body["CreditNotes"]
    assert (body["Type"], body["CreditNoteNumber"], "DueDate" in body) == ("ACCRECCREDIT", NOTE, False)


def test_a_contact_goes_out_with_its_number(server: Server, xero: Xero) -> None:
    server.says({"Contacts": [contact()]})
    xero.write_contacts([FRIEND], key="k")
    request = asked(server)
    assert (request.call, request.parameters) == ("POST /Contacts", {"summarizeErrors": "false"})
    address = {"AddressType": "STREET", "AddressLine1": "Storgata 1", "Country": "NO"}
    assert request.body["Contacts"] == [
        {
            "ContactNumber": "acme",
            "Name": "Acme AS",
            "EmailAddress": "pay@acme.example",
            "TaxNumber": "",
            "Addresses": [address],
        }
    ]


@pytest.mark.parametrize(
    ("act", "call", "change"),
    [
        (approve_invoice, "POST /Invoices", {"InvoiceID": "i1", "Status": "AUTHORISED"}),
        (approve_note, "POST /CreditNotes", {"CreditNoteID": "i1", "Status": "AUTHORISED"}),
        (mark_sent, "POST /Invoices", {"InvoiceID": "i1", "SentToContact": True}),
    ],
)
def test_a_change_names_the_id_and_nothing_else(
    server: Server, xero: Xero, act: Callable[[Xero], Sequence[object]], call: str, change: dict[str, Any]
) -> None:
    name = call.rpartition("/")[2]
    server.says({name: [change | {"Status": "AUTHORISED"}]})
    assert act(xero) == [Seen(identity=next(iter(change.values())), value=Status.AUTHORISED)]
    request = asked(server)
    assert (request.call, request.parameters) == (call, {"summarizeErrors": "false", "unitdp": "4"})
    assert (request.body, request.headers["idempotency-key"]) == ({name: [change]}, "k")


def test_a_file_and_an_allocation_go_to_their_document(server: Server, xero: Xero) -> None:
    server.says(
        {"Attachments": [{"FileName": "a b.pdf"}], "Allocations": [{"Amount": 1.1, "Invoice": {"InvoiceID": "i1"}}]}
    )
    attachment = Attachment(invoice_id="i1", name="a b.pdf", content=b"%PDF")
    assert xero.attach(attachment, key="k") == [Seen(identity="a b.pdf", value="a b.pdf")]
    allocation = Allocation(credit_note_id="n1", invoice_id="i1", amount=Decimal("1.10"), on=date(2025, 11, 2))
    assert xero.allocate(allocation, key="k") == [Seen(identity="i1", value=Decimal("1.1"))]
    file, credit = server.asked
    assert (file.call, file.body, file.headers["idempotency-key"]) == (
        "PUT /Invoices/i1/Attachments/a%20b.pdf",
        b"%PDF",
        "k",
    )
    assert (credit.call, credit.headers["idempotency-key"]) == ("PUT /CreditNotes/n1/Allocations", "k")
    assert credit.body == {"Allocations": [{"Invoice": {"InvoiceID": "i1"}, "Amount": 1.1, "Date": "2025-11-02"}]}


def test_documents_are_read_with_four_decimals_and_many_a_call(server: Server, xero: Xero) -> None:
    server.says({"Invoices": [invoice()], "CreditNotes": [credit_note()]})
    many = [f"i{number}" for number in range(60)]
    assert len(xero.invoices_by_id(many * 2).elements) == 2
    assert len(xero.invoices_by_number(many)) == 2
    note = xero.credit_note(NOTE)
    assert note is not None and note.identity == NOTE
    assert [request.parameters for request in server.asked] == [
        {"IDs": ",".join((many * 2)[:100]), "page": "1", "unitdp": "4"},
        {"IDs": ",".join((many * 2)[100:]), "page": "1", "unitdp": "4"},
        {"InvoiceNumbers": ",".join(many[:50]), "unitdp": "4"},
        {"InvoiceNumbers": ",".join(many[50:]), "unitdp": "4"},
        {"where": f'CreditNoteNumber=="{NOTE}"', "unitdp": "4"},
    ]


def test_credit_notes_are_found_by_their_ids_forty_a_call(server: Server, xero: Xero) -> None:
    server.says({"CreditNotes": [credit_note()]})
    many = [f"n{number}" for number in range(41)]
    assert [answer.identity for answer in xero.credit_notes_by_id(many).elements] == [key(NOTE)] * 2
    first, last = server.asked
    assert first.parameters["where"].count("CreditNoteID==guid(") == 40
    assert last.parameters == {"where": 'CreditNoteID==guid("n40")', "page": "1", "unitdp": "4"}


def unapplied_page(request: Asked, *, shown: int, items: int | None, page: int = 2) -> Reply:
    """So many overpayments on the first page, the last one on page `page`; nothing of the other kinds."""
    name = request.call.rpartition("/")[2]
    if name != "Overpayments":
        return Reply(body={name: [], "pagination": {"itemCount": 0}})
    at = int(request.parameters["page"])
    elements = (
        [overpayment(f"o{number}") for number in range(shown)] if at == 1 else [overpayment("last")] * (at == page)
    )
    return Reply(body={name: elements} | ({} if items is None else {"pagination": {"itemCount": items}}))


def test_unapplied_money_is_read_whole_a_thousand_a_call(server: Server, xero: Xero) -> None:
    server.answer = lambda request: unapplied_page(request, shown=1000, items=1001)
    assert [each.id for each in xero.unapplied().elements] == [*(f"o{number}" for number in range(1000)), "last"]
    assert [(request.call, request.parameters["page"]) for request in server.asked] == [
        ("GET /Overpayments", "1"), ("GET /Overpayments", "2"), ("GET /Prepayments", "1"), ("GET /CreditNotes", "1"),
    ]  # fmt: skip
    assert server.asked[0].parameters == {
        "where": 'Status=="AUTHORISED"', "page": "1", "pageSize": "1000", "unitdp": "4",
    }  # fmt: skip


@pytest.mark.parametrize(("shown", "items"), [(3, 5), (3, 2), (0, None), (0, 1)])
def test_a_list_of_which_a_part_is_missing_says_nothing(
    server: Server, xero: Xero, shown: int, items: int | None
) -> None:
    server.answer = lambda request: unapplied_page(request, shown=shown, items=items, page=9)
    with pytest.raises(AnswerLost, match="Xero's list"):
        xero.unapplied()


HEADER = "Mon, 08 Dec 2025 09:00:00 GMT"


@pytest.mark.parametrize(
    ("headers", "dated"),
    [
        ({"Date": HEADER}, datetime(2025, 12, 8, 9, tzinfo=UTC)),
        ({"Date": "Mon, 08 Dec 2025 10:00:00 +0100"}, datetime(2025, 12, 8, 9, tzinfo=UTC)),
        ({"Date": "yesterday"}, None),
        ({"Date": ""}, None),
        ({}, None),
    ],
)
def test_the_time_on_an_answer_is_told(
    server: Server, xero: Xero, headers: dict[str, str], dated: datetime | None
) -> None:
    server.answer = lambda _: Reply(body={"Invoices": [invoice()], "CreditNotes": []}, headers=headers)
    assert xero.invoices_by_id(["i1"]).dated == dated
    assert xero.credit_notes_by_id(["n1"]).dated == dated
    assert xero.invoices_by_id([]).dated is None


def test_what_is_not_there_is_told(server: Server, xero: Xero) -> None:
    server.says({"Invoices": [], "CreditNotes": [], "Attachments": []})
    assert xero.invoices_by_number([NUMBER]) == []
    assert xero.credit_note(NOTE) is None
    assert xero.attachments("i1") == []


def test_the_payment_page_the_files_and_the_reminders_are_asked_for(server: Server, xero: Xero) -> None:
    server.says(
        {
            "OnlineInvoices": [{"OnlineInvoiceUrl": "https://in.xero.com/x"}],
            "Attachments": [{"FileName": "a.pdf"}],
            "InvoiceReminders": [{"Enabled": True}],
        }
    )
    assert (xero.online_invoice_url("i1"), xero.attachments("i1"), xero.reminders_enabled()) == (
        "https://in.xero.com/x", ["a.pdf"], True,
    )  # fmt: skip
    assert [request.call for request in server.asked] == [
        "GET /Invoices/i1/OnlineInvoice", "GET /Invoices/i1/Attachments", "GET /InvoiceReminders/Settings",
    ]  # fmt: skip


def test_money_keeps_every_digit_on_its_way_in(server: Server, xero: Xero) -> None:
    server.says(json.dumps({"Invoices": [invoice()]}).replace("500.0", "12345678901234567.89").encode())
    (answer,) = xero.invoices_by_id([key(NUMBER)]).elements
    assert isinstance(answer, Seen)
    assert answer.value.total == Decimal("12345678901234567.89")


# What goes wrong


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (Reply(status=429, headers={"X-Rate-Limit-Problem": "minute", "Retry-After": "37"}),
         NothingSent("Xero's rate limit (minute)", timedelta(seconds=37))),
        (Reply(status=429), NothingSent("Xero's rate limit (unnamed)")),
        (Reply(status=429, headers={"Retry-After": "999999"}),
         NothingSent("Xero's rate limit (unnamed)", timedelta(hours=24))),
        (Reply(status=401), NothingSent("Xero answered 401: check the connection's scopes")),
        (Reply(status=403), NothingSent("Xero answered 403: check the connection's scopes")),
        (Reply(status=500), AnswerLost("Xero answered 500")),
        (Reply(status=503, headers={"Retry-After": "5"}), AnswerLost("Xero answered 503")),
        (Reply(status=400, body={"Message": "A validation exception occurred",
                                 "Elements": [{"ValidationErrors": [{"Message": "Date is locked"}]}]}),
         Refused("Date is locked", 400)),
        (Reply(status=404, body=b"The resource can't be found"), Refused("Xero refused the call", 404)),
        (Reply(body=b"<html>down</html>"), AnswerLost("Xero's answer is not JSON")),
        (Reply(body=b""), AnswerLost("Xero's answer is not JSON")),
        (Reply(body=b'{"Invoices": [{"Inv'), AnswerLost("Xero's answer is not JSON")),
        (Reply(body=[]), AnswerLost("Xero answered without Invoices")),
        (Reply(body={"Status": "OK"}), AnswerLost("Xero answered without Invoices")),
        (Reply(status=0), AnswerLost("connection to Xero lost: ProtocolError")),
    ],
)  # fmt: skip
@pytest.mark.parametrize("act", [create_invoice, approve_invoice, read_invoice])
def test_a_call_that_goes_wrong_is_told_once_and_not_repeated(
    server: Server, xero: Xero, act: Callable[[Xero], object], reply: Reply, error: XeroError
) -> None:
    server.answer = lambda _: reply
    with pytest.raises(type(error)) as raised:
        act(xero)
    assert str(raised.value) == str(error)
    assert getattr(raised.value, "after", None) == getattr(error, "after", None)
    assert getattr(raised.value, "status", None) == getattr(error, "status", None)
    assert len(server.asked) == 1, "the client would send it four times if it were let"


def test_a_server_that_is_not_there_has_taken_nothing() -> None:
    with running() as server:
        xero = server.connect()
    with pytest.raises(NothingSent, match="XERO_API_URL"):
        xero.create_invoices([draft()], key="k")


def test_a_damaged_element_leaves_the_others_of_its_answer(server: Server, xero: Xero) -> None:
    server.says({"Invoices": [invoice(), invoice("ALB-2025-000003") | {"Date": None}]})
    assert [type(answer) for answer in xero.create_invoices([draft()], key="k")] == [Seen, Unreadable]


# The connection


def test_a_token_is_minted_again_before_it_ends(server: Server, xero: Xero) -> None:
    server.says({"Attachments": []})
    xero.attachments("i1")
    assert server.tokens == 1
    server.clock.advance(minutes=28)
    xero.attachments("i1")
    assert server.tokens == 2


@pytest.mark.parametrize(
    "token", [Reply(body=b"<html>"), Reply(body={}), Reply(body=b""), Reply(status=500), Reply(status=0)]
)
def test_a_token_endpoint_that_gives_no_token_has_sent_nothing(server: Server, token: Reply) -> None:
    server.token = token
    with pytest.raises(NothingSent):
        server.connect()


def test_credentials_that_are_refused_are_named_and_not_shown(server: Server) -> None:
    server.token = Reply(status=400, body={"error": "invalid_client", "echo": SECRET})
    with pytest.raises(SettingsError, match="XERO_CLIENT_ID") as raised:
        server.connect()
    assert SECRET not in str(raised.value)


@pytest.mark.parametrize(("tenants", "count"), [([], 0), ([{"tenantId": "a"}, {"tenantId": "b"}], 2)])
def test_a_connection_leads_to_one_organisation(server: Server, tenants: list[object], count: int) -> None:
    server.connections = Reply(body=tenants)
    with pytest.raises(SettingsError, match=f"leads to {count} organisations"):
        server.connect()
