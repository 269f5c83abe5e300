"""Xero's behaviour, asked for over plain HTTP and by Xero's own SDK.

Belongs here: documents, settlement, the gate, and the page on which a customer pays.
Does not belong here: the world's clock and faults as such.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from decimal import Decimal
from typing import Any

import httpx
import pytest
from xero_python.accounting import (
    Account,
    AccountingApi,
    Allocation,
    Allocations,
    Contact,
    Contacts,
    CreditNote,
    CreditNotes,
    CurrencyCode,
    HistoryRecord,
    HistoryRecords,
    Invoice,
    Invoices,
    LineItem,
    Payment,
    Payments,
)
from xero_python.api_client import ApiClient
from xero_python.api_client.configuration import Configuration
from xero_python.api_client.oauth2 import OAuth2Token
from xero_python.exceptions import AccountingBadRequestException
from xero_python.identity import IdentityApi

from albacore_pipeline_tests.sandbox.conftest import Outside

LINE = {
    "Description": "Energy",
    "Quantity": "1234.5678",
    "UnitAmount": "0.0723",
    "AccountCode": "200",
    "TaxType": "OUTPUT",
}


def invoice(number: str, contact: str, **more: Any) -> dict[str, Any]:
    head = {"Type": "ACCREC", "InvoiceNumber": number, "Contact": {"ContactID": contact}, "Status": "AUTHORISED"}
    dates = {"Date": "2025-11-01", "DueDate": "2025-11-15", "CurrencyCode": "NOK"}
    return head | dates | {"LineItems": [LINE], "Reference": "c01 2025-10"} | more


def put(xero: httpx.Client, path: str, name: str, *elements: Any, **params: Any) -> httpx.Response:
    return xero.put(path, json={name: list(elements)}, params=params)


@pytest.fixture(scope="module")
def world(make_world: Callable[[], Outside]) -> Outside:
    """One world for all of these tests: each has a minute, a customer and numbers of its own."""
    made = make_world()
    made.move_to("2025-11-01T06:00:00Z")
    return made


@pytest.fixture
def xero(world: Outside) -> httpx.Client:
    world.move_on(seconds=61)
    return world.xero()


@pytest.fixture(scope="module")
def marks() -> Iterator[int]:
    return itertools.count(100)


@pytest.fixture
def mark(marks: Iterator[int]) -> str:
    """What sets a test's documents apart from the other tests'."""
    return str(next(marks))


@pytest.fixture
def contact(xero: httpx.Client, mark: str) -> str:
    element = {"Name": f"Fjellvind {mark}", "ContactNumber": f"c{mark}", "EmailAddress": "billing@fjellvind.example"}
    answer = put(xero, "/Contacts", "Contacts", element).raise_for_status()
    return str(answer.json()["Contacts"][0]["ContactID"])


def issued(xero: httpx.Client, contact: str, number: str, **more: Any) -> dict[str, Any]:
    answer = put(xero, "/Invoices", "Invoices", invoice(number, contact, **more), unitdp=4).raise_for_status()
    document: dict[str, Any] = answer.json()["Invoices"][0]
    return document


def messages(answer: httpx.Response) -> str:
    assert answer.status_code == 400
    return " ".join(e["Message"] for element in answer.json()["Elements"] for e in element["ValidationErrors"])


def test_amounts_are_rounded_as_xero_rounds(xero: httpx.Client, contact: str, mark: str) -> None:
    precise = issued(xero, contact, f"ALB-{mark}-000001")
    assert (precise["SubTotal"], precise["TotalTax"], precise["Total"], precise["AmountDue"]) == (
        89.26,
        22.32,
        111.58,
        111.58,
    )
    coarse = put(xero, "/Invoices", "Invoices", invoice(f"ALB-{mark}-000002", contact)).json()["Invoices"][0]
    assert (coarse["LineItems"][0]["UnitAmount"], coarse["SubTotal"]) == (0.07, 86.42)
    inclusive = issued(xero, contact, f"ALB-{mark}-000003", LineAmountTypes="Inclusive")
    assert (inclusive["SubTotal"], inclusive["TotalTax"], inclusive["Total"]) == (71.41, 17.85, 89.26)
    assert precise["Date"] == "/Date(1761955200000+0000)/" and precise["DueDateString"] == "2025-11-15T00:00:00"


def test_numbers_are_unique_for_ever(xero: httpx.Client, contact: str, mark: str) -> None:
    first = issued(xero, contact, f"ALB-{mark}-000001")
    assert "must be unique" in messages(put(xero, "/Invoices", "Invoices", invoice(f"ALB-{mark}-000001", contact)))
    voided = xero.post(f"/Invoices/{first['InvoiceID']}", json={"Status": "VOIDED"}).json()["Invoices"][0]
    assert (voided["Status"], voided["AmountDue"]) == ("VOIDED", 0)
    assert "must be unique" in messages(put(xero, "/Invoices", "Invoices", invoice(f"alb-{mark}-000001", contact)))
    again = xero.post("/Invoices", json={"Invoices": [invoice(f"ALB-{mark}-000001", contact)]})
    assert "not of valid status" in messages(again)


def test_batches_are_all_or_nothing_unless_asked_otherwise(xero: httpx.Client, contact: str, mark: str) -> None:
    bad = invoice(f"ALB-{mark}-000002", contact, CurrencyCode="SEK")
    refused = put(xero, "/Invoices", "Invoices", invoice(f"ALB-{mark}-000001", contact), bad)
    assert "not subscribed" in messages(refused) and refused.json()["Type"] == "ValidationException"
    assert xero.get("/Invoices", params={"ContactIDs": contact}).json()["Invoices"] == []
    apart = put(xero, "/Invoices", "Invoices", invoice(f"ALB-{mark}-000001", contact), bad, summarizeErrors="false")
    assert apart.status_code == 200
    good, wrong = apart.json()["Invoices"]
    assert (good["StatusAttributeString"], wrong["StatusAttributeString"]) == ("OK", "ERROR")
    assert wrong["HasValidationErrors"] and wrong["ValidationErrors"] and wrong["InvoiceNumber"] == f"ALB-{mark}-000002"
    assert [
        each["InvoiceNumber"] for each in xero.get("/Invoices", params={"ContactIDs": contact}).json()["Invoices"]
    ] == [f"ALB-{mark}-000001"]


def test_status_moves_one_way(xero: httpx.Client, contact: str, mark: str) -> None:
    draft = issued(xero, contact, f"ALB-{mark}-000001", Status="DRAFT")
    path = f"/Invoices/{draft['InvoiceID']}"
    assert xero.get(f"{path}/OnlineInvoice").status_code == 400
    assert xero.post(path, json={"Status": "AUTHORISED"}).json()["Invoices"][0]["Status"] == "AUTHORISED"
    assert "not of valid status" in messages(xero.post(path, json={"Status": "DRAFT"}))
    xero.put(
        "/Payments", json={"Invoice": {"InvoiceID": draft["InvoiceID"]}, "Account": {"Code": "090"}, "Amount": 1.5}
    )
    assert "cannot be edited" in messages(xero.post(path, json={"Status": "VOIDED"}))
    assert xero.post(path, json={"SentToContact": True}).json()["Invoices"][0]["SentToContact"] is True


def test_lists_filter_and_page(xero: httpx.Client, contact: str, mark: str) -> None:
    batch = [invoice(f"ALB-{mark}-{n:06d}", contact) for n in range(1, 6)]
    put(xero, "/Invoices", "Invoices", *batch).raise_for_status()

    def numbers(**params: Any) -> list[str]:
        answer = xero.get("/Invoices", params={"ContactIDs": contact} | params).raise_for_status()
        return [each["InvoiceNumber"][-1:] for each in answer.json()["Invoices"]]

    assert numbers(InvoiceNumbers=",".join(f"ALB-{mark}-{n:06d}" for n in (2, 4, 9))) == ["2", "4"]
    assert numbers(page=2, pageSize=2, order="InvoiceNumber DESC") == ["3", "2"]
    assert numbers(Statuses="DRAFT") == []
    assert numbers(
        where=f'Reference=="c01 2025-10" AND InvoiceNumber!="ALB-{mark}-000001" AND Date>=DateTime(2025,11,1)'
    ) == list("2345")
    assert xero.get("/Invoices", params={"ContactIDs": contact}).json()["Invoices"][0]["LineItems"] == []
    assert len(xero.get("/Invoices", params={"page": 1}).json()["Invoices"][0]["LineItems"]) == 1
    assert xero.get(f"/Invoices/ALB-{mark}-000003").json()["Invoices"][0]["InvoiceNumber"] == f"ALB-{mark}-000003"
    assert xero.get(f"/Invoices/ALB-{mark}-000009").status_code == 404
    assert "where" in messages(xero.get("/Invoices", params={"where": "what is this"}))


def test_a_customer_pays_all_but_what_he_leaves_and_asked_twice_pays_once(
    world: Outside, xero: httpx.Client, contact: str, mark: str
) -> None:
    document = issued(xero, contact, f"ALB-{mark}-000001")
    asked = {"number": document["InvoiceNumber"], "left": "100"}
    world.http.post("/sandbox/pay", json=asked).raise_for_status()
    again = world.http.post("/sandbox/pay", json=asked)
    assert again.json() == {"error": "Nothing is open on this invoice"}
    assert xero.get(f"/Invoices/{document['InvoiceID']}").json()["Invoices"][0]["AmountDue"] == 100


def test_payments_settle_and_can_be_deleted(world: Outside, xero: httpx.Client, contact: str, mark: str) -> None:
    document = issued(xero, contact, f"ALB-{mark}-000001")
    world.http.post("/sandbox/pay", json={"number": document["InvoiceNumber"], "amount": "11.58"}).raise_for_status()
    part = xero.get(f"/Invoices/{document['InvoiceID']}").json()["Invoices"][0]
    assert (part["Status"], part["AmountPaid"], part["AmountDue"], len(part["Payments"])) == (
        "AUTHORISED",
        11.58,
        100,
        1,
    )
    too_much = world.http.post("/sandbox/pay", json={"number": document["InvoiceNumber"], "amount": 200})
    assert "exceeds the amount outstanding" in too_much.json()["error"]
    paid = world.http.post("/sandbox/pay", json={"number": document["InvoiceNumber"], "on": "2025-11-03"}).json()
    whole = xero.get(f"/Invoices/{document['InvoiceID']}").json()["Invoices"][0]
    assert (whole["Status"], whole["AmountDue"], "FullyPaidOnDate" in whole) == ("PAID", 0, True)
    deleted = xero.post(f"/Payments/{paid['PaymentID']}", json={"Status": "DELETED"}).json()["Payments"][0]
    assert deleted["Status"] == "DELETED"
    assert xero.get(f"/Invoices/{document['InvoiceID']}").json()["Invoices"][0]["Status"] == "AUTHORISED"
    listed = xero.get("/Payments", params={"where": 'Status=="DELETED"'}).json()["Payments"]
    assert [each["PaymentID"] for each in listed] == [paid["PaymentID"]]


def test_if_modified_since_sees_whole_seconds(world: Outside, xero: httpx.Client, contact: str, mark: str) -> None:
    issued(xero, contact, f"ALB-{mark}-000001")
    now = world.http.get("/sandbox/clock").json()["now"]
    world.move_on(seconds=2)
    issued(xero, contact, f"ALB-{mark}-000002")
    found = xero.get("/Invoices", params={"ContactIDs": contact}, headers={"If-Modified-Since": now}).json()["Invoices"]
    assert [each["InvoiceNumber"] for each in found] == [f"ALB-{mark}-000002"]


def test_credit_notes_are_allocated(xero: httpx.Client, contact: str, mark: str) -> None:
    document = issued(xero, contact, f"ALB-{mark}-000001")
    note: dict[str, Any] = {
        "Type": "ACCRECCREDIT",
        "CreditNoteNumber": f"ALB-{mark}-000009",
        "Contact": {"ContactID": contact},
    }
    note |= {
        "Status": "AUTHORISED",
        "Date": "2025-11-02",
        "CurrencyCode": "NOK",
        "LineItems": [{**LINE, "Quantity": 100}],
    }
    created = put(xero, "/CreditNotes", "CreditNotes", note, unitdp=4).raise_for_status().json()["CreditNotes"][0]
    assert (created["Total"], created["RemainingCredit"]) == (9.04, 9.04)
    path = f"/CreditNotes/{created['CreditNoteID']}/Allocations"
    allocation = {"Invoice": {"InvoiceID": document["InvoiceID"]}, "Amount": 9.05, "Date": "2025-11-02"}
    assert "greater than amount outstanding" in messages(put(xero, path, "Allocations", allocation))
    put(xero, path, "Allocations", allocation | {"Amount": 9.04}).raise_for_status()
    used = xero.get(f"/CreditNotes/ALB-{mark}-000009").json()["CreditNotes"][0]
    assert (used["RemainingCredit"], used["Status"], len(used["Allocations"])) == (0, "PAID", 1)
    owed = xero.get(f"/Invoices/{document['InvoiceID']}").json()["Invoices"][0]
    assert (owed["AmountCredited"], owed["AmountDue"], owed["CreditNotes"][0]["AppliedAmount"]) == (9.04, 102.54, 9.04)


def test_contacts_are_unique_by_put_and_updated_by_post(xero: httpx.Client, contact: str, mark: str) -> None:
    assert "must be unique" in messages(put(xero, "/Contacts", "Contacts", {"Name": f"fjellvind {mark}"}))
    assert "already assigned" in messages(
        put(xero, "/Contacts", "Contacts", {"Name": "Other", "ContactNumber": f"c{mark}"})
    )
    changed = xero.post(
        "/Contacts", json={"Contacts": [{"ContactNumber": f"c{mark}", "EmailAddress": "new@fjellvind.example"}]}
    )
    assert changed.json()["Contacts"][0]["ContactID"] == contact
    found = xero.get(f"/Contacts/c{mark}").json()["Contacts"][0]
    assert (found["EmailAddress"], found["Name"]) == ("new@fjellvind.example", f"Fjellvind {mark}")
    assert len(xero.get("/Contacts", params={"where": f'ContactNumber=="c{mark}"'}).json()["Contacts"]) == 1


def test_attachments_and_history(xero: httpx.Client, contact: str, mark: str) -> None:
    path = f"/Invoices/{issued(xero, contact, f'ALB-{mark}-000001')['InvoiceID']}"
    headers = {"Content-Type": "application/pdf"}
    for _ in range(2):
        xero.put(f"{path}/Attachments/statement%20c01.pdf", content=b"%PDF-1.7", headers=headers).raise_for_status()
    files = xero.get(f"{path}/Attachments").json()["Attachments"]
    assert [(f["FileName"], f["ContentLength"]) for f in files] == [("statement c01.pdf", 8)]
    assert xero.get(f"{path}/Attachments/statement%20c01.pdf").content == b"%PDF-1.7"
    put(xero, f"{path}/History", "HistoryRecords", {"Details": "Disputed"}).raise_for_status()
    assert xero.get(f"{path}/History").json()["HistoryRecords"][0]["Details"] == "Disputed"


def test_the_pay_page_pays_the_rest(world: Outside, xero: httpx.Client, contact: str, mark: str) -> None:
    document = issued(xero, contact, f"ALB-{mark}-000001", LineItems=[{**LINE, "Description": "<b>Energy</b>"}])
    url = xero.get(f"/Invoices/{document['InvoiceID']}/OnlineInvoice").json()["OnlineInvoices"][0]["OnlineInvoiceUrl"]
    assert url.startswith(world.running.url + "/pay/")
    page = httpx.get(url).text
    assert "&lt;b&gt;Energy" in page and "Pay 111.58 NOK" in page and "Sandbox" in page
    assert "Settled" in httpx.post(url, follow_redirects=True).text
    assert xero.get(f"/Invoices/{document['InvoiceID']}").json()["Invoices"][0]["Status"] == "PAID"
    assert httpx.get(url[:-1]).status_code == 404


def test_strangers_and_expired_tokens_are_refused(world: Outside, xero: httpx.Client) -> None:
    token = {"grant_type": "client_credentials", "client_id": "demo-client", "client_secret": "demo-secret"}
    assert world.http.post("/xero/connect/token", data=token).json() == {"error": "invalid_scope"}
    wrong = token | {"scope": "accounting.invoices", "client_secret": "x"}
    assert world.http.post("/xero/connect/token", data=wrong).json() == {"error": "invalid_client"}
    tenant = world.http.get("/xero/connections", headers={"Authorization": xero.headers["authorization"]}).json()[0]
    assert xero.get("/Organisation", headers={"xero-tenant-id": tenant["tenantId"]}).status_code == 200
    assert xero.get("/Organisation", headers={"xero-tenant-id": "0" * 32}).status_code == 403
    assert xero.get("/PaymentServices").status_code == 403
    world.move_on(seconds=1801)
    assert xero.get("/Organisation").status_code == 401


def test_sixty_calls_a_minute(world: Outside, xero: httpx.Client) -> None:
    now = world.http.get("/sandbox/clock").json()["now"]
    world.move_to(f"{now[:14]}{int(now[14:16]) + 1:02d}:01Z")
    answers = [xero.get("/Currencies") for _ in range(61)]
    assert [answer.status_code for answer in answers] == [200] * 60 + [429]
    assert answers[0].headers["x-minlimit-remaining"] == "59"
    assert answers[-1].headers["x-rate-limit-problem"] == "minute"
    wait = int(answers[-1].headers["retry-after"])
    assert 1 <= wait <= 60
    world.move_on(seconds=wait)
    last = xero.get("/Currencies")
    assert (last.status_code, last.headers["x-minlimit-remaining"]) == (200, "59")


def test_five_calls_at_once(world: Outside, xero: httpx.Client) -> None:
    world.fault(kind="slow", target="xero", seconds=0.5)
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda _: xero.get("/Currencies"), range(6)))
    world.http.delete("/sandbox/faults")
    refused = [answer for answer in answers if answer.status_code == 429]
    assert [answer.headers["x-rate-limit-problem"] for answer in refused] == ["concurrent"]
    assert "retry-after" not in refused[0].headers


def test_idempotency_keys_last_six_minutes(world: Outside, xero: httpx.Client, contact: str, mark: str) -> None:
    headers = {"Idempotency-Key": f"inv:{mark}"}
    body = {"Invoices": [invoice(f"ALB-{mark}-000001", contact)]}
    first = xero.put("/Invoices", json=body, headers=headers)
    again = xero.put("/Invoices", json=body, headers=headers)
    assert first.content == again.content and first.status_code == 200
    other = xero.put("/Invoices", json={"Invoices": [invoice(f"ALB-{mark}-000002", contact)]}, headers=headers)
    assert other.status_code == 400 and "different request" in other.json()["Message"]
    bad = {"Invoices": [invoice(f"ALB-{mark}-000001", contact)]}
    errors = [xero.put("/Invoices", json=bad, headers={"Idempotency-Key": "inv:2"}) for _ in range(2)]
    assert errors[0].content == errors[1].content and errors[0].status_code == 400
    world.move_on(seconds=361)
    assert "must be unique" in messages(xero.put("/Invoices", json=body, headers=headers))
    assert xero.put("/Invoices", json=body, headers={"Idempotency-Key": "x" * 129}).status_code == 400


def test_a_lost_answer_was_stored(world: Outside, xero: httpx.Client, contact: str, mark: str) -> None:
    world.fault(kind="lost_answer", target="xero", path="Invoices", count=1)
    with pytest.raises(httpx.TransportError):
        put(xero, "/Invoices", "Invoices", invoice(f"ALB-{mark}-000001", contact))
    found = xero.get("/Invoices", params={"InvoiceNumbers": f"ALB-{mark}-000001"}).json()["Invoices"]
    assert len(found) == 1


@pytest.fixture
def sdk(world: Outside, xero: httpx.Client) -> tuple[AccountingApi, IdentityApi]:
    token: dict[str, Any] = {"access_token": xero.headers["authorization"].split()[1], "scope": "accounting.invoices"}
    token |= {"expires_in": 1800, "token_type": "Bearer"}
    client = ApiClient(
        Configuration(oauth2_token=OAuth2Token(client_id="demo-client", client_secret="demo-secret")),
        oauth2_token_getter=lambda: token,
        oauth2_token_saver=lambda _: None,
    )
    base = f"{world.running.url}/xero"
    return AccountingApi(client, base_url=f"{base}/api.xro/2.0"), IdentityApi(client, base_url=base)


def test_the_sdk_reads_money_that_a_person_entered(world: Outside, sdk: tuple[AccountingApi, IdentityApi]) -> None:
    api, identity = sdk
    tenant = identity.get_connections()[0].tenant_id
    contact = api.create_contacts(tenant, Contacts(contacts=[Contact(name="Oulu", contact_number="c11")])).contacts[0]
    for kind in ("overpayment", "prepayment", "credit_note"):
        given = {"kind": kind, "contact": "c11", "amount": "70.5", "currency": "NOK", "on": "2025-11-09"}
        world.http.post("/sandbox/xero/money", json=given).raise_for_status()
    where = 'Status=="AUTHORISED"'
    found = (
        api.get_overpayments(tenant, where=where, page=1, page_size=1000).overpayments[-1],
        api.get_prepayments(tenant, where=where, page=1, page_size=1000).prepayments[-1],
        api.get_credit_notes(tenant, where=where, page=1, page_size=1000).credit_notes[-1],
    )
    for each in found:
        assert (each.contact.contact_id, each.remaining_credit) == (contact.contact_id, Decimal("70.5"))
        assert (each.status, each.date, each.currency_code.value) == ("AUTHORISED", date(2025, 11, 9), "NOK")
    assert [each.type for each in found] == ["RECEIVE-OVERPAYMENT", "RECEIVE-PREPAYMENT", "ACCRECCREDIT"]
    listed = [row for row in world.http.get("/sandbox/xero/money").json()["money"] if row["RemainingCredit"] == 70.5]
    assert [row["Type"] for row in listed] == ["RECEIVE-OVERPAYMENT", "RECEIVE-PREPAYMENT"]


def test_what_a_person_does_in_xero_keeps_its_rules(
    world: Outside, xero: httpx.Client, contact: str, mark: str
) -> None:
    first, other = (issued(xero, contact, f"ALB-{mark}-00000{n}")["InvoiceNumber"] for n in (1, 2))
    for path, given, words in (
        ("edit", {"number": first, "rename": other}, "must be unique"),
        ("edit", {"number": first, "due": "2025-10-01"}, "must not be earlier"),
        ("edit", {"number": first, "currency": "SEK"}, "not subscribed"),
        ("money", {"kind": "gift", "contact": contact, "amount": "5"}, "say kind"),
        ("money", {"kind": "overpayment", "contact": contact, "amount": "-5"}, "say kind"),
    ):
        answer = world.http.post(f"/sandbox/xero/{path}", json=given)
        assert (answer.status_code, words in answer.json()["error"]) == (400, True)
    assert world.http.post("/sandbox/xero/edit", json={"number": "nothing"}).status_code == 404
    assert world.http.post("/sandbox/xero/pay-back", json={"id": "nothing"}).status_code == 404


def test_the_sdk_bills_and_settles(sdk: tuple[AccountingApi, IdentityApi]) -> None:
    api, identity = sdk
    tenant = identity.get_connections()[0].tenant_id
    assert api.get_organisations(tenant).organisations[0].base_currency.value == "EUR"
    assert "ZERORATEDOUTPUT" in {rate.tax_type for rate in api.get_tax_rates(tenant).tax_rates}
    assert api.get_invoice_reminders(tenant).invoice_reminders[0].enabled is False
    contacts = Contacts(contacts=[Contact(name="Saimaa Digital", contact_number="c09")])
    contact = api.create_contacts(tenant, contacts).contacts[0]
    assert api.get_contact_by_contact_number(tenant, "c09").contacts[0].contact_id == contact.contact_id
    line = LineItem(
        description="Energy",
        quantity=Decimal("1000"),
        unit_amount=Decimal("0.0725"),
        account_code="200",
        tax_type="ZERORATEDOUTPUT",
    )
    common = {
        "contact": Contact(contact_id=contact.contact_id),
        "currency_code": CurrencyCode.EUR,
        "line_items": [line],
        "status": "AUTHORISED",
    }
    new = Invoice(
        type="ACCREC", invoice_number="ALH-2025-000001", date=date(2025, 11, 1), due_date=date(2025, 11, 15), **common
    )
    done = api.create_invoices(
        tenant, Invoices(invoices=[new]), summarize_errors=False, unitdp=4, idempotency_key="a"
    ).invoices[0]
    assert (done.total, done.date, done.status) == (Decimal("72.50"), date(2025, 11, 1), "AUTHORISED")
    with pytest.raises(AccountingBadRequestException, match="unique"):
        api.create_invoices(tenant, Invoices(invoices=[new]), unitdp=4)
    page = api.get_invoices(tenant, invoice_numbers=["ALH-2025-000001"], page=1, unitdp=4).invoices[0]
    assert page.line_items[0].unit_amount == Decimal("0.0725") and page.updated_date_utc.tzinfo is not None
    assert "/pay/" in api.get_online_invoice(tenant, done.invoice_id).online_invoices[0].online_invoice_url
    note = CreditNote(type="ACCRECCREDIT", credit_note_number="ALH-2025-000002", date=date(2025, 11, 2), **common)
    note.line_items[0].quantity = Decimal(100)
    credit = api.create_credit_notes(tenant, CreditNotes(credit_notes=[note]), unitdp=4).credit_notes[0]
    allocations = Allocations(
        allocations=[
            Allocation(invoice=Invoice(invoice_id=done.invoice_id), amount=Decimal("7.25"), date=date(2025, 11, 2))
        ]
    )
    assert api.create_credit_note_allocation(tenant, credit.credit_note_id, allocations).allocations[
        0
    ].amount == Decimal("7.25")
    accounts = {account.code: account.account_id for account in api.get_accounts(tenant).accounts}
    payment = Payment(
        invoice=Invoice(invoice_id=done.invoice_id),
        account=Account(account_id=accounts["090"]),
        amount=Decimal("65.25"),
        date=date(2025, 11, 3),
    )
    assert api.create_payments(tenant, Payments(payments=[payment])).payments[0].status == "AUTHORISED"
    paid = api.get_invoice(tenant, done.invoice_id).invoices[0]
    assert (paid.status, paid.amount_due, paid.fully_paid_on_date) == ("PAID", 0, date(2025, 11, 3))
    records = HistoryRecords(history_records=[HistoryRecord(details="Settled")])
    assert api.create_invoice_history(tenant, done.invoice_id, records).history_records[0].details == "Settled"
    name = "statement.pdf"
    attached = api.create_invoice_attachment_by_file_name(tenant, done.invoice_id, name, b"%PDF-1.7").attachments[0]
    assert attached.file_name == name
    assert paid.invoice_id in {each.invoice.invoice_id for each in api.get_payments(tenant, page=1).payments}
