"""Credit set against what the customer owes.

Xero takes the same allocation twice: so what is left of the credit note is read before each, and tells by itself what
an earlier attempt did.
"""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from functools import partial

from albacore_pipeline.effects.interface import Later, Outcome, Parked, Succeeded, Unknown
from albacore_pipeline.xero import batch
from albacore_pipeline.xero.interface import (
    Allocation,
    CreditNote,
    InXero,
    Organisation,
    Seen,
    Status,
    Unreadable,
    XeroError,
)

A_DAY = timedelta(days=1)


def send(xero: Organisation, note: InXero, *, against: str | None, on: date, key: str) -> Outcome:
    """Set what is left of a credit note against an invoice, as far as that is still due; a rest waits for the next.

    `against` is the invoice's id, None where nothing is open. Succeeds, with what is `remaining`, when nothing is.
    """
    try:
        match xero.credit_note(note.number):
            case Seen(value=CreditNote(status=Status.AUTHORISED | Status.PAID, remaining=rest)):
                pass
            case Unreadable(words=words):
                return Later(words)
            case _:
                return Parked("the credit note is not approved in Xero")
        if rest == 0:
            return Succeeded({"remaining": "0"})
        if against is None:
            return Later("nothing open to set it against: it waits for the next invoice", A_DAY)
        due = _due(xero, against)
    except XeroError as error:
        return batch.outcome_of(error)
    if due is None:
        return Later("Xero does not show the invoice", A_DAY)
    if due <= 0:
        return Later("the invoice was settled meanwhile", A_DAY)
    allocation = Allocation(credit_note_id=note.id, invoice_id=against, amount=min(rest, due), on=on)
    return _allocate(xero, allocation, rest=rest, key=key)


def look_up() -> Outcome:
    """What is left of the note is read before it is allocated, so nothing needs to be looked up."""
    return Later("reading the rest of the credit")


def _due(xero: Organisation, invoice_id: str) -> Decimal | None:
    answer = batch.by_identity([invoice_id], xero.invoices_by_id([invoice_id]).elements).get(invoice_id)
    return answer.value.amount_due if isinstance(answer, Seen) else None


def _allocate(xero: Organisation, allocation: Allocation, *, rest: Decimal, key: str) -> Outcome:
    def allocated(amount: Decimal) -> Outcome:
        if amount != allocation.amount:
            return Unknown(f"Xero allocated {amount}, not {allocation.amount}")
        if amount != rest:
            return Later("a rest of the credit waits for the next invoice", A_DAY)
        return Succeeded({"remaining": "0"})

    call = partial(xero.allocate, allocation, key=key)
    return batch.written([allocation.invoice_id], call, accepted=allocated)[allocation.invoice_id]
