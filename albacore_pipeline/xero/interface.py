"""What Xero looks like from the inside: what is sent, what is seen there, and what may go wrong.

Belongs here: the types that cross the border, and the errors. Money is Decimal in the currency beside it; days are the
organisation's own; ids are Xero's, opaque. Source: Xero's OpenAPI document, accounting, version 16.1.
Does not belong here: Xero's JSON and its English (`decode.py`, `encode.py`), and what an outcome means for a document.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Generic, Protocol, TypeVar

T_co = TypeVar("T_co", covariant=True)

BATCH = 50  # elements a call, as Xero recommends
READ_BATCH = 100  # ids a reading call: what one page of Xero's holds


class XeroError(Exception):
    """Something between us and Xero; the message never holds a token or a secret."""


class NothingSent(XeroError):
    """The call did not reach Xero, or Xero certainly did nothing; `after` is how long Xero asks us to wait."""

    def __init__(self, message: str, after: timedelta | None = None) -> None:
        super().__init__(message)
        self.after = after


class AnswerLost(XeroError):
    """The call may have worked: look it up before anything else. Of a read: nothing is known."""


class Refused(XeroError):
    """Xero read the call and said no to all of it; `status` is HTTP's."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


class Kind(StrEnum):
    """What a document is. A supplement is an invoice to Xero."""

    INVOICE = "invoice"
    CREDIT_NOTE = "credit_note"


class Status(StrEnum):
    """Where a document stands in Xero. Only an authorised or paid one counts; none ever disappears."""

    DRAFT = "draft"
    SUBMITTED = "submitted"
    AUTHORISED = "authorised"
    PAID = "paid"
    VOIDED = "voided"
    DELETED = "deleted"


# What is sent


@dataclass(frozen=True, kw_only=True)
class ContactDetails:
    """A customer as Xero is to know it; `number` is its identity, at most 50 characters. Country as ISO code."""

    number: str
    name: str
    email: str
    tax_number: str
    address: str
    country: str


@dataclass(frozen=True, kw_only=True)
class DraftLine:
    """A line: `quantity` x `unit_price`, at most four decimals each, without tax; `account` is an account's code."""

    description: str
    quantity: Decimal
    unit_price: Decimal
    tax_type: str
    account: str


@dataclass(frozen=True, kw_only=True)
class DraftDocument:
    """A document as Xero is to draft it; `number` is its identity, at most 255 characters.

    Amounts are positive for a credit note too, and exclude tax; `total`, with tax, is what Xero must make of the lines.
    `remark` stands under the lines.
    """

    kind: Kind
    number: str
    reference: str
    contact_id: str
    issued_on: date
    due_on: date
    currency: str
    total: Decimal
    lines: Sequence[DraftLine]
    remark: str = ""


@dataclass(frozen=True, kw_only=True)
class InXero:
    """A document that Xero holds; `id` is its identity there."""

    kind: Kind
    id: str
    number: str


@dataclass(frozen=True, kw_only=True)
class Attachment:
    """A file for an invoice; the same name again replaces it. At most 10 MB."""

    invoice_id: str
    name: str
    content: bytes


@dataclass(frozen=True, kw_only=True)
class Allocation:
    """An amount of a credit note, set against an invoice of the same contact and currency."""

    credit_note_id: str
    invoice_id: str
    amount: Decimal
    on: date


# What is seen there


@dataclass(frozen=True, kw_only=True)
class Contact:
    """A contact."""

    id: str
    number: str


@dataclass(frozen=True, kw_only=True)
class Document:
    """What an invoice and a credit note have in common; `total` is with tax, and positive."""

    id: str
    number: str
    contact_id: str
    issued_on: date
    currency: str
    status: Status
    total: Decimal


@dataclass(frozen=True, kw_only=True)
class Payment:
    """Money that stands against an invoice."""

    id: str
    on: date
    amount: Decimal


@dataclass(frozen=True, kw_only=True)
class AppliedCredit:
    """What of a credit note, an overpayment or a prepayment stands against an invoice; `id` is the latter's."""

    id: str
    on: date
    amount: Decimal


@dataclass(frozen=True, kw_only=True)
class ShownLine:
    """A line with a price, as far as it makes the amount; `tax_type` is empty where Xero shows none."""

    quantity: Decimal
    unit_price: Decimal
    tax_type: str


@dataclass(frozen=True, kw_only=True)
class Invoice(Document):
    """An invoice. `amount_due` is what is left after payments and credits; a draft may have no due day.

    `lines` are those with a price; empty where the answer carries no lines.
    """

    due_on: date | None
    amount_due: Decimal
    amount_paid: Decimal
    amount_credited: Decimal
    payments: tuple[Payment, ...]
    credits: tuple[AppliedCredit, ...]
    lines: tuple[ShownLine, ...]


@dataclass(frozen=True, kw_only=True)
class CreditNote(Document):
    """A credit note. `remaining` is what is set against nothing yet; `lines` as in an invoice."""

    remaining: Decimal
    lines: tuple[ShownLine, ...]


class UnappliedKind(StrEnum):
    """What money of a customer's is that is set against nothing."""

    OVERPAYMENT = "overpayment"
    PREPAYMENT = "prepayment"
    CREDIT_NOTE = "credit_note"


@dataclass(frozen=True, kw_only=True)
class Unapplied:
    """Money of a contact's that is set against no invoice; `remaining` is positive, `number` empty where it has none.

    Ours or entered in Xero by a person: a credit note of ours is among them.
    """

    id: str
    kind: UnappliedKind
    number: str
    contact_id: str
    currency: str
    remaining: Decimal
    on: date


# What an answer says of one element of a call


class Objection(StrEnum):
    """Why Xero did not take an element, as far as that matters."""

    NUMBER_TAKEN = "number taken"
    NOT_CHANGEABLE = "not changeable"  # its status allows no such change: it is settled, voided or deleted
    OTHER = "other"


@dataclass(frozen=True, kw_only=True)
class Seen(Generic[T_co]):
    """What Xero shows under an identity; in the answer to a write: as it stands after it."""

    identity: str
    value: T_co


@dataclass(frozen=True, kw_only=True)
class Rejected:
    """An element that Xero did not take; `words` are Xero's. The identity is empty where Xero does not repeat it."""

    identity: str
    objection: Objection
    words: str


@dataclass(frozen=True, kw_only=True)
class Unreadable:
    """An element that lacks what is needed, or contradicts: it says nothing. Its identity may be what it lacks."""

    identity: str
    words: str


Written = Seen[T_co] | Rejected | Unreadable
"""An element in the answer to a write."""

Read = Seen[T_co] | Unreadable
"""An element in the answer to a read."""


@dataclass(frozen=True, kw_only=True)
class Reading(Generic[T_co]):
    """What a read found, and the time that Xero put on its answer (`Date`; of several calls the last one's).

    `dated` is None where the answer bears no time that can be read.
    """

    elements: tuple[T_co, ...]
    dated: datetime | None


class Organisation(Protocol):
    """One organisation in Xero.

    Every method raises XeroError: NothingSent, AnswerLost or Refused. A write takes an idempotency `key`, at most 128
    characters, which must be new for each attempt; Xero takes or rejects each of its elements by itself. An answer may
    hold its elements in any order, and fewer or more than were asked for: `batch.py` matches them.
    """

    @property
    def tenant_id(self) -> str:
        """Xero's id for the organisation."""

    def write_contacts(self, contacts: Sequence[ContactDetails], *, key: str) -> Sequence[Written[Contact]]:
        """Create or update the contacts that the numbers name. Identity: the contact's number."""

    def create_invoices(self, drafts: Sequence[DraftDocument], *, key: str) -> Sequence[Written[Document]]:
        """Draft invoices; a number that is taken is rejected, never overwritten. Identity: number."""

    def create_credit_notes(self, drafts: Sequence[DraftDocument], *, key: str) -> Sequence[Written[Document]]:
        """Draft credit notes; nothing stops a number from being used twice: look first. Identity: number."""

    def approve_invoices(self, ids: Sequence[str], *, key: str) -> Sequence[Written[Status]]:
        """Make drafts count. Identity: id."""

    def approve_credit_notes(self, ids: Sequence[str], *, key: str) -> Sequence[Written[Status]]:
        """Make drafts count. Identity: id."""

    def mark_sent(self, ids: Sequence[str], *, key: str) -> Sequence[Written[Status]]:
        """Note on invoices that the customer has them. Identity: id."""

    def attach(self, attachment: Attachment, *, key: str) -> Sequence[Written[str]]:
        """Attach a file to an invoice. Identity and value: the file's name."""

    def allocate(self, allocation: Allocation, *, key: str) -> Sequence[Written[Decimal]]:
        """Set credit against an invoice; nothing stops it from being done twice: look first.

        Identity: the invoice's id. Value: the amount that was set.
        """

    def invoices_by_number(self, numbers: Sequence[str]) -> Sequence[Read[Document]]:
        """The invoices with these numbers, those that there are. Identity: number."""

    def invoices_by_id(self, ids: Sequence[str]) -> Reading[Read[Invoice]]:
        """The invoices with these ids, with their payments, as they stand now; a call for each 100. Identity: id."""

    def credit_notes_by_id(self, ids: Sequence[str]) -> Reading[Read[CreditNote]]:
        """The credit notes with these ids, as they stand now; a call for each 40. Identity: id."""

    def unapplied(self) -> Reading[Unapplied]:
        """All money of customers that is set against nothing, of every contact; a call for each kind and 1,000.

        Whole or not at all: raises AnswerLost also where an element can't be read, or the list changed meanwhile.
        """

    def credit_note(self, number: str) -> Read[CreditNote] | None:
        """The credit note with this number, if there is one; the first of several. Identity: number."""

    def attachments(self, invoice_id: str) -> Sequence[str]:
        """The names of an invoice's files."""

    def online_invoice_url(self, invoice_id: str) -> str:
        """Where the customer sees and pays the invoice; empty while Xero has none."""

    def reminders_enabled(self) -> bool:
        """Whether Xero sends reminders of its own, which would double ours."""
