"""The shapes of Xero's JSON, as far as they matter here: each model checks an element and turns it into a type of ours.

Strict: a field that is missing, null, of another type, or of a value that is not known, makes the whole element unfit
(pydantic's ValidationError). Shapes: Xero's OpenAPI document, accounting, version 16.1; its examples show that answers
to writes leave out fields which answers to reads have, so each model asks for what its reader needs and no more.
Does not belong here: lists of elements, and what Xero objects to (`decode.py`).
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from albacore_pipeline.xero import interface
from albacore_pipeline.xero.interface import Status, UnappliedKind

NO_ID = "00000000-0000-0000-0000-000000000000"  # where an element has none, as one that was rejected
DIRECTIONS = {  # whose money it is: a customer's, or ours at a supplier
    "received": ("RECEIVE-OVERPAYMENT", "AROVERPAYMENT", "RECEIVE-PREPAYMENT", "ARPREPAYMENT", "ACCRECCREDIT"),
    "spent": ("SPEND-OVERPAYMENT", "APOVERPAYMENT", "SPEND-PREPAYMENT", "APPREPAYMENT", "ACCPAYCREDIT"),
}
_MS_DATE = re.compile(r"/Date\((-?\d{1,15})(?:[+-]\d{4})?\)/")


def xero_date(value: object) -> date:
    """Xero's `/Date(1518685950940+0000)/`, milliseconds since the epoch in UTC, or an ISO date. Raises ValueError."""
    text = value if isinstance(value, str) else ""
    try:
        if found := _MS_DATE.fullmatch(text):
            return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=int(found[1]))).date()
        return datetime.fromisoformat(text).date()
    except (ValueError, OverflowError):
        raise ValueError("not a date") from None


def _status(value: object) -> Status:
    if isinstance(value, str) and value in Status.__members__:
        return Status[value]
    raise ValueError("not a known status")


def _direction(value: object) -> str:
    for direction, types in DIRECTIONS.items():
        if value in types:
            return direction
    raise ValueError("not a known type")


def _no_placeholder(value: str) -> str:
    if value == NO_ID:
        raise ValueError("a placeholder")
    return value


Text = Annotated[str, Field(min_length=1)]
Id = Annotated[Text, AfterValidator(_no_placeholder)]
Day = Annotated[date, BeforeValidator(xero_date)]
KnownStatus = Annotated[Status, BeforeValidator(_status)]
KnownDirection = Annotated[Literal["received", "spent"], BeforeValidator(_direction)]


class Shape(BaseModel):
    """An object of Xero's, of which only the fields below matter. Numbers come as Decimal."""

    model_config = ConfigDict(strict=True, extra="ignore", frozen=True)


class ValidationMessage(Shape):
    """Why an element was not taken."""

    message: str | None = Field(None, alias="Message")
    description: str | None = Field(None, alias="Description")


class WriteAnswer(Shape):
    """What an element says of whether Xero took it."""

    status: str | None = Field(None, alias="StatusAttributeString")
    errors: list[ValidationMessage] | None = Field(None, alias="ValidationErrors")

    @property
    def words(self) -> list[str]:
        """Xero's reasons."""
        return [error.message or error.description or "no reason given" for error in self.errors or []]


class Contact(Shape):
    """A contact that was written."""

    id: Id = Field(alias="ContactID")
    number: Text = Field(alias="ContactNumber")

    @property
    def seen(self) -> interface.Contact:
        """The contact as the rest of the product knows it."""
        return interface.Contact(id=self.id, number=self.number)


class WhoseContact(Shape):
    """The contact of a document."""

    id: Id = Field(alias="ContactID")


class Common(Shape):
    """What an invoice and a credit note have in common, but for the names of their ids and numbers."""

    contact: WhoseContact = Field(alias="Contact")
    issued_on: Day = Field(alias="Date")
    currency: Text = Field(alias="CurrencyCode")
    status: KnownStatus = Field(alias="Status")
    total: Decimal = Field(alias="Total")

    def document(self, *, id: str, number: str) -> interface.Document:
        """The document as the rest of the product knows it, without what settled it."""
        return interface.Document(
            id=id,
            number=number,
            contact_id=self.contact.id,
            issued_on=self.issued_on,
            currency=self.currency,
            status=self.status,
            total=self.total,
        )


class InvoiceHead(Common):
    """An invoice without what settled it."""

    id: Id = Field(alias="InvoiceID")
    number: Text = Field(alias="InvoiceNumber")

    @property
    def head(self) -> interface.Document:
        """The invoice's head."""
        return self.document(id=self.id, number=self.number)


class CreditNoteHead(Common):
    """A credit note without what is left of it."""

    id: Id = Field(alias="CreditNoteID")
    number: Text = Field(alias="CreditNoteNumber")

    @property
    def head(self) -> interface.Document:
        """The note's head."""
        return self.document(id=self.id, number=self.number)


class Payment(Shape):
    """A payment within an invoice, where its status is mostly left out."""

    id: Id = Field(alias="PaymentID")
    on: Day = Field(alias="Date")
    amount: Decimal = Field(alias="Amount")
    status: str | None = Field(None, alias="Status")

    @property
    def seen(self) -> interface.Payment:
        """The payment as the rest of the product knows it."""
        return interface.Payment(id=self.id, on=self.on, amount=self.amount)


class Applied(Shape):
    """What is set against an invoice, within it; each kind names its id."""

    id: Id
    on: Day = Field(alias="Date")
    amount: Decimal = Field(alias="AppliedAmount")

    @property
    def seen(self) -> interface.AppliedCredit:
        """The credit as the rest of the product knows it."""
        return interface.AppliedCredit(id=self.id, on=self.on, amount=self.amount)


class AppliedCreditNote(Applied):
    """A credit note within an invoice."""

    id: Id = Field(alias="CreditNoteID")


class AppliedOverpayment(Applied):
    """An overpayment within an invoice."""

    id: Id = Field(alias="OverpaymentID")


class AppliedPrepayment(Applied):
    """A prepayment within an invoice."""

    id: Id = Field(alias="PrepaymentID")


class Line(Shape):
    """A line; one of words alone has neither price nor amount."""

    quantity: Decimal | None = Field(None, alias="Quantity")
    unit_price: Decimal | None = Field(None, alias="UnitAmount")
    amount: Decimal | None = Field(None, alias="LineAmount")
    tax_type: str | None = Field(None, alias="TaxType")

    @property
    def has_price(self) -> bool:
        """Whether the line is more than words."""
        return bool(self.unit_price or self.amount)

    @property
    def seen(self) -> interface.ShownLine:
        """The line as the rest of the product knows it."""
        return interface.ShownLine(
            quantity=self.quantity or Decimal(0),
            unit_price=self.unit_price or Decimal(0),
            tax_type=self.tax_type or "",
        )


class WithLines(Shape):
    """What carries lines; Xero leaves them out of lists without pages."""

    lines: list[Line] | None = Field(None, alias="LineItems")

    @property
    def shown_lines(self) -> tuple[interface.ShownLine, ...]:
        """The lines that make the amount."""
        return tuple(line.seen for line in self.lines or [] if line.has_price)


class Invoice(InvoiceHead, WithLines):
    """A whole invoice. `credited` counts overpayments and prepayments too."""

    due_on: Day | None = Field(None, alias="DueDate")
    due: Decimal = Field(alias="AmountDue")
    paid: Decimal | None = Field(None, alias="AmountPaid")
    credited: Decimal | None = Field(None, alias="AmountCredited")
    payments: list[Payment] | None = Field(None, alias="Payments")
    credit_notes: list[AppliedCreditNote] | None = Field(None, alias="CreditNotes")
    overpayments: list[AppliedOverpayment] | None = Field(None, alias="Overpayments")
    prepayments: list[AppliedPrepayment] | None = Field(None, alias="Prepayments")

    @model_validator(mode="after")
    def _only_nothing_is_left_out(self) -> Self:
        """Xero leaves out amounts and lists of which there is nothing; the other amounts must agree."""
        ended = self.status in (Status.VOIDED, Status.DELETED)
        settled = (self.paid or 0) + (self.credited or 0)
        if None in (self.paid, self.credited) and self.total != self.due + settled and not ended:
            raise ValueError("an amount is left out, and the others do not add up")
        if (self.payments is None and self.paid) or (self.credits is None and self.credited):
            raise ValueError("an amount is settled, and what settled it is left out")
        return self

    @property
    def credits(self) -> list[Applied] | None:
        """What is set against it, of every kind; None where each of the lists is left out."""
        lists = [each for each in (self.credit_notes, self.overpayments, self.prepayments) if each is not None]
        return [credit for each in lists for credit in each] if lists else None

    @property
    def seen(self) -> interface.Invoice:
        """The invoice as the rest of the product knows it, with the payments that still stand."""
        return interface.Invoice(
            **vars(self.head),
            due_on=self.due_on,
            amount_due=self.due,
            amount_paid=self.paid or Decimal(0),
            amount_credited=self.credited or Decimal(0),
            payments=tuple(payment.seen for payment in self.payments or [] if payment.status != "DELETED"),
            credits=tuple(credit.seen for credit in self.credits or []),
            lines=self.shown_lines,
        )


class CreditNote(CreditNoteHead, WithLines):
    """A whole credit note."""

    remaining: Decimal = Field(alias="RemainingCredit")

    @property
    def seen(self) -> interface.CreditNote:
        """The note as the rest of the product knows it."""
        return interface.CreditNote(**vars(self.head), remaining=self.remaining, lines=self.shown_lines)


class Remaining(Shape):
    """Money that a contact, or we at a contact, have not used; of which kind its list says."""

    type: KnownDirection = Field(alias="Type")
    contact: WhoseContact = Field(alias="Contact")
    on: Day = Field(alias="Date")
    currency: Text = Field(alias="CurrencyCode")
    status: KnownStatus = Field(alias="Status")
    remaining: Decimal = Field(alias="RemainingCredit")

    @property
    def counts(self) -> bool:
        """Whether it is a customer's, approved, and not used up."""
        return self.type == "received" and self.status is Status.AUTHORISED and self.remaining > 0

    def as_kind(self, kind: UnappliedKind, *, id: str, number: str | None) -> interface.Unapplied:
        """The money as the rest of the product knows it."""
        return interface.Unapplied(
            id=id,
            kind=kind,
            number=number or "",
            contact_id=self.contact.id,
            currency=self.currency,
            remaining=self.remaining,
            on=self.on,
        )


class Overpayment(Remaining):
    """What was paid beyond an invoice. It has no number."""

    id: Id = Field(alias="OverpaymentID")

    @property
    def seen(self) -> interface.Unapplied:
        """The money as the rest of the product knows it."""
        return self.as_kind(UnappliedKind.OVERPAYMENT, id=self.id, number=None)


class Prepayment(Remaining):
    """What was paid before there was an invoice."""

    id: Id = Field(alias="PrepaymentID")
    number: str | None = Field(None, alias="InvoiceNumber")

    @property
    def seen(self) -> interface.Unapplied:
        """The money as the rest of the product knows it."""
        return self.as_kind(UnappliedKind.PREPAYMENT, id=self.id, number=self.number)


class UnusedCreditNote(Remaining):
    """A credit note, ours or a person's."""

    id: Id = Field(alias="CreditNoteID")
    number: str | None = Field(None, alias="CreditNoteNumber")

    @property
    def seen(self) -> interface.Unapplied:
        """The money as the rest of the product knows it."""
        return self.as_kind(UnappliedKind.CREDIT_NOTE, id=self.id, number=self.number)


class Pagination(Shape):
    """Where a page stands in its list."""

    items: Decimal = Field(alias="itemCount", ge=0)


class Standing(Shape):
    """A document of which only its status matters."""

    status: KnownStatus = Field(alias="Status")


class Allocation(Shape):
    """What was allocated."""

    amount: Decimal = Field(alias="Amount")


class File(Shape):
    """An attachment."""

    name: Text = Field(alias="FileName")


class OnlineInvoice(Shape):
    """Where an invoice is seen and paid, if anywhere."""

    url: str | None = Field(None, alias="OnlineInvoiceUrl")


class Reminders(Shape):
    """The organisation's own reminders."""

    enabled: bool = Field(alias="Enabled")


class Token(Shape):
    """An access token, as the token endpoint gives it."""

    value: Text = Field(alias="access_token")
    seconds: float = Field(alias="expires_in", gt=0)


class Connection(Shape):
    """An organisation that a connection leads to."""

    tenant_id: Text = Field(alias="tenantId")
