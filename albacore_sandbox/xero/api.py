"""The accounting API: which request does what.

Belongs here: paths, parameters, lists, batches and their errors.
Does not belong here: HTTP itself (`http.py`), the rules of the documents.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

import msgspec

from albacore_sandbox.clock import WorldClock, iso
from albacore_sandbox.store import Document, Store, from_json
from albacore_sandbox.xero import reference
from albacore_sandbox.xero.advances import Advances
from albacore_sandbox.xero.attachments import Attachments
from albacore_sandbox.xero.by_hand import ByHand
from albacore_sandbox.xero.contacts import Contacts
from albacore_sandbox.xero.documents import Documents
from albacore_sandbox.xero.ledger import CREDIT_NOTE, INVOICE, Ledger
from albacore_sandbox.xero.settlement import Settlement
from albacore_sandbox.xero.shown import Shown
from albacore_sandbox.xero.where import matching, ordered
from albacore_sandbox.xero.wire import (
    NO_ID,
    Answer,
    Invalid,
    NotFound,
    envelope,
    is_true,
    ms_date,
    refusal,
    to_instant,
)

KINDS = {"Invoices": INVOICE, "CreditNotes": CREDIT_NOTE}
FIXED: dict[tuple[str, ...], Callable[[], list[Document]]] = {
    ("Organisation",): lambda: [reference.organisation()],
    ("TaxRates",): reference.tax_rates,
    ("Accounts",): reference.accounts,
    ("Currencies",): reference.currencies,
    ("BrandingThemes",): reference.branding_themes,
    ("InvoiceReminders", "Settings"): lambda: [{"Enabled": False}],
}
FIXED_NAMES = {"Organisation": "Organisations"}
LARGEST_PAGE = 1000


@dataclass(frozen=True, kw_only=True)
class Call:
    """A request: path below the API's base, parameters by name, body."""

    method: str
    path: str
    parameters: Mapping[str, str] = field(default_factory=dict)
    modified_since: str | None = None
    media_type: str = ""
    body: bytes = b""

    def elements(self, name: str) -> list[Document]:
        """The documents in the body, with or without a list around them. Raises Invalid."""
        try:
            value = from_json(self.body)
        except msgspec.DecodeError as error:
            raise Invalid(f"The body is not valid JSON: {error}") from None
        found = value.get(name, [value]) if isinstance(value, dict) else value
        if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
            raise Invalid(f"The body must hold a list of {name}")
        return found

    @property
    def places(self) -> int:
        """How many decimals unit amounts have."""
        return 4 if self.parameters.get("unitdp") == "4" else 2


class XeroApi:
    """One organisation."""

    def __init__(self, *, clock: WorldClock, store: Store, attachments: Attachments, pay_url: Callable[[str], str]):
        self.clock = clock
        self.store = store
        self.ledger = Ledger(clock=clock, store=store)
        self.contacts = Contacts(clock=clock, kept=store.collection("xero_contact"))
        self.documents = Documents(ledger=self.ledger, contacts=self.contacts)
        self.settlement = Settlement(ledger=self.ledger)
        self.shown = Shown(ledger=self.ledger, contacts=self.contacts)
        self.advances = Advances(clock=clock, store=store, contacts=self.contacts)
        self.by_hand = ByHand(
            clock=clock,
            ledger=self.ledger,
            contacts=self.contacts,
            documents=self.documents,
            advances=self.advances,
        )
        self._history = store.collection("xero_history")
        self._attachments = attachments
        self._pay_url = pay_url

    def answer(self, call: Call) -> Answer:
        """Do what a request asks for, wholly or not at all."""
        try:
            with self.store.transaction():
                return self._route(call)
        except Invalid as invalid:
            return refusal([{"ValidationErrors": [{"Message": text} for text in invalid.messages]}])
        except NotFound:
            return Answer(404, b"The resource you're looking for cannot be found", "text/plain")
        except _Refused as refused:
            return refusal(refused.elements)

    def _route(self, call: Call) -> Answer:
        parts = tuple(unquote(part) for part in call.path.strip("/").split("/"))
        writes = call.method in ("PUT", "POST")
        if call.method == "GET" and parts in FIXED:
            return self._enveloped(FIXED_NAMES.get(parts[0], parts[0]), FIXED[parts]())
        match (call.method, *parts):
            case ("GET", "Organisation", "Actions"):
                return self._enveloped("Actions", [{"Name": "UseMulticurrency", "Status": "ALLOWED"}])
            case (_, "PaymentServices", *_):
                return Answer(403, {"Title": "Forbidden", "Status": 403, "Detail": "insufficient_scope"})
            case (_, "Contacts", *rest):
                return self._contacts(call, rest)
            case ("GET", "Payments", key):
                return self._enveloped("Payments", [self._payment(key)])
            case ("GET", "Payments"):
                return self._list(call, "Payments", [self.shown.payment(key) for key in self.ledger.payments])
            case (_, "Payments") if writes:
                return self._batch(call, "Payments", "PaymentID", self._pay)
            case ("POST", "Payments", key):
                return self._batch(
                    call, "Payments", "PaymentID", lambda e: self._delete_payment({"PaymentID": key} | e)
                )
            case ("GET", ("Overpayments" | "Prepayments") as plural):
                return self._list(call, plural, self.advances.all(plural))
            case ("GET", ("Overpayments" | "Prepayments") as plural, key):
                return self._enveloped(plural, [self.advances.shown(plural, key)])
            case (_, ("Invoices" | "CreditNotes") as plural, *rest):
                return self._of_document(call, plural, rest)
        raise NotFound(call.path)

    def _contacts(self, call: Call, rest: Sequence[str]) -> Answer:
        match (call.method, *rest):
            case ("GET", key):
                return self._enveloped("Contacts", [self.contacts.shown(self.contacts.key(key))])
            case ("GET",):
                ids = {part.strip().lower() for part in call.parameters.get("IDs", "").split(",") if part.strip()}
                chosen = [c for c in self.contacts.all() if not ids or c["ContactID"] in ids]
                return self._list(call, "Contacts", self._searched(call, chosen))
            case ("PUT",):
                return self._batch(call, "Contacts", "ContactID", self.contacts.create)
            case ("POST",):
                return self._batch(call, "Contacts", "ContactID", self.contacts.save)
            case ("POST", key):
                known = {"ContactID": self.contacts.key(key)}
                return self._batch(call, "Contacts", "ContactID", lambda e: self.contacts.save(e | known))
        raise NotFound(call.path)

    def _of_document(self, call: Call, plural: str, rest: Sequence[str]) -> Answer:
        kind = KINDS[plural]
        id_name = f"{kind}ID"
        if not rest and call.method == "GET":
            return self._document_list(call, plural)
        if not rest and call.method in ("PUT", "POST"):
            write = self.documents.create if call.method == "PUT" else self.documents.save
            return self._batch(
                call, plural, id_name, lambda e: self.shown.document(kind, write(kind, e, places=call.places))
            )
        key = self.ledger.find(kind, rest[0])
        match (call.method, *rest[1:]):
            case ("GET",):
                return self._enveloped(plural, [self.shown.document(kind, key)])
            case ("POST",):
                return self._batch(call, plural, id_name, lambda e: self._change(call, kind, e | {id_name: key}))
            case ("GET", "OnlineInvoice") if kind == INVOICE:
                return self._online(key)
            case ("GET", "History"):
                return self._enveloped("HistoryRecords", self._history.get(key, {"records": []})["records"])
            case ("PUT", "History"):
                return self._batch(call, "HistoryRecords", "", lambda e: self._note(key, e))
            case ("PUT" | "POST", "Attachments", name):
                kept = self._attachments.keep(key, name, content=call.body, media_type=call.media_type)
                return self._enveloped("Attachments", [kept])
            case ("GET", "Attachments"):
                return self._enveloped("Attachments", self._attachments.listed(key))
            case ("GET", "Attachments", name):
                return Answer(200, *self._attachments.content(key, name))
            case ("PUT", "Allocations") if kind == CREDIT_NOTE:
                return self._batch(call, "Allocations", "AllocationID", lambda e: self._allocate(key, e))
        raise NotFound(call.path)

    def _change(self, call: Call, kind: str, element: Document) -> Document:
        return self.shown.document(kind, self.documents.save(kind, element, places=call.places))

    def _pay(self, element: Document) -> Document:
        return self.shown.payment(self.settlement.pay(element))

    def _delete_payment(self, element: Document) -> Document:
        return self.shown.payment(self.settlement.delete(element))

    def _payment(self, key: str) -> Document:
        if key not in self.ledger.payments:
            raise NotFound(key)
        return self.shown.payment(key)

    def _allocate(self, note: str, element: Document) -> Document:
        return self.shown.allocation(self.settlement.allocate(note, element))

    def _note(self, key: str, element: Document) -> Document:
        details = str(element.get("Details") or "")
        if not 0 < len(details) <= 2500:
            raise Invalid("Details must have between 1 and 2500 characters")
        now = self.clock.now()
        record = {
            "Changes": "Note",
            "DateUTC": ms_date(now),
            "DateUTCString": iso(now)[:19],
            "User": "System Generated",
        }
        record["Details"] = details
        self._history.put(key, {"records": [record, *self._history.get(key, {"records": []})["records"]]})
        return record

    def _online(self, key: str) -> Answer:
        if self.ledger.documents[INVOICE][key]["Status"] in ("DRAFT", "DELETED"):
            raise Invalid("Online invoices are not available for this status")
        return self._enveloped("OnlineInvoices", [{"OnlineInvoiceUrl": self._pay_url(key)}])

    def _document_list(self, call: Call, plural: str) -> Answer:
        kind, given = KINDS[plural], call.parameters
        asked = {
            name: {part.strip().lower() for part in given[name].split(",")}
            for name in ("IDs", f"{kind}Numbers", "Statuses", "ContactIDs")
            if given.get(name)
        }
        chosen = []
        for key, kept in self.ledger.documents[kind].items():
            values = {"IDs": key, f"{kind}Numbers": kept["Number"]}
            values |= {"Statuses": kept["Status"], "ContactIDs": kept["ContactID"]}
            if all(values[name].lower() in some for name, some in asked.items()):
                chosen.append(key)
        full = "page" in given and not is_true(given.get("summaryOnly"), default=False)
        documents = [self.shown.document(kind, key, full=full) for key in chosen]
        return self._list(call, plural, self._searched(call, documents))

    def _searched(self, call: Call, documents: Sequence[Document]) -> list[Document]:
        term = call.parameters.get("searchTerm", "").lower()
        names = ("Name", "ContactNumber", "EmailAddress", "InvoiceNumber", "CreditNoteNumber", "Reference")
        return [d for d in documents if not term or any(term in str(d.get(name, "")).lower() for name in names)]

    def _list(self, call: Call, name: str, documents: Sequence[Document]) -> Answer:
        given = call.parameters
        if call.modified_since:
            since = _since(call.modified_since)
            documents = [each for each in documents if int(each["UpdatedDateUTC"][6:-7]) > since]
        documents = ordered(matching(documents, given.get("where")), given.get("order"))
        if "page" not in given and "pageSize" not in given:
            return self._enveloped(name, documents)
        page, size = (_count(given, each, default) for each, default in (("page", 1), ("pageSize", 100)))
        size = min(size, LARGEST_PAGE)
        count = len(documents)
        pagination = {"page": page, "pageSize": size, "pageCount": -(-count // size), "itemCount": count}
        shown = documents[(page - 1) * size : page * size]
        return Answer(200, envelope(self.clock.now(), pagination=pagination, **{name: shown}))

    def _batch(self, call: Call, name: str, id_name: str, write: Callable[[Document], Document]) -> Answer:
        """Write each element; by default all or none, with summarizeErrors=false each by itself."""
        apart = not is_true(call.parameters.get("summarizeErrors"), default=True)
        results, failed = [], False
        for element in call.elements(name):
            try:
                with self.store.transaction():
                    done = write(element)
                    results.append(done | ({"StatusAttributeString": "OK"} if apart else {}))
            except Invalid as invalid:
                failed = True
                errors: Document = {"ValidationErrors": [{"Message": text} for text in invalid.messages]}
                flags = {"StatusAttributeString": "ERROR", "HasErrors": True, "HasValidationErrors": True}
                known = {id_name: element.get(id_name) or NO_ID} if id_name else {}
                results.append(element | known | errors | flags)
        if failed and not apart:
            raise _Refused([each for each in results if "ValidationErrors" in each])
        return self._enveloped(name, results)

    def _enveloped(self, name: str, documents: Sequence[Any]) -> Answer:
        return Answer(200, envelope(self.clock.now(), **{name: list(documents)}))


class _Refused(Exception):
    """A batch of which nothing may stay."""

    def __init__(self, elements: Sequence[Document]) -> None:
        super().__init__(f"{len(elements)} invalid")
        self.elements = elements


def _since(text: str) -> int:
    """The end of the second that If-Modified-Since names: Xero sees whole seconds only, and later ones."""
    try:
        return int(to_instant(text)) * 1000 + 999
    except ValueError:
        raise Invalid(f"If-Modified-Since: {text!r} is not a date") from None


def _count(given: Mapping[str, str], name: str, default: int) -> int:
    text = given.get(name, str(default))
    if not text.isdigit() or int(text) < 1:
        raise Invalid(f"{name} must be a positive number")
    return int(text)


def new_token() -> str:
    """An id that can't be guessed, for a link."""
    return uuid.uuid4().hex + uuid.uuid4().hex[:8]
