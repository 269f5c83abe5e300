"""The mail that brings a document to the customer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from albacore_pipeline.invoicing.queries import MailFacts

INVOICE = """Dear {name},

please find your invoice {number} for {month}: {total} {currency}, due on {due_on}.

See it and pay it here: {payment_link}

The attached statement explains it, and the CSV beside it lists every machine and day. If something in it is wrong,
answer this mail before the due date: what is disputed is not reminded while we look into it.

Albacore
"""

CREDIT_NOTE = """Dear {name},

your energy data for {month} was corrected. Credit note {number} over {total} {currency} is set against your open
invoice, or against the next one. The attached statement says what changed, and the CSV beside it lists every machine
and day as it stands now.

Albacore
"""


def document_mail(document: MailFacts, *, attachments: Sequence[Sequence[str]]) -> dict[str, Any]:
    """The payload of a document's mail; attachments as names with their sha256."""
    note = document.kind == "credit_note"
    values = {
        "name": document.name,
        "number": document.number,
        "month": f"{document.month:%Y-%m}",
        "total": f"{abs(document.total):,.2f}",
        "currency": document.currency,
        "due_on": document.due_on,
        "payment_link": document.payment_link,
    }
    return {
        "to": document.email,
        "subject": f"{'Credit note' if note else 'Invoice'} {document.number}",
        "text": (CREDIT_NOTE if note else INVOICE).format(**values),
        "attachments": attachments,
    }
