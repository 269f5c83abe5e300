"""What a person decides about a document."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from pydantic import Field

from albacore_pipeline.effects.acts import Done, OperatorForm
from albacore_pipeline.invoicing import queries
from albacore_pipeline.periods import Month


class ReleaseDocument(OperatorForm):
    """A parked document's number, or a customer and a month that is held for review."""

    number: str = Field("", description="of a parked document: ALB-2025-000123")
    customer: str = Field("", description="of a month that is held for review, as in customers.csv")
    month: str = Field("", description="with the customer: 2025-10")


def release_document(connection: sa.Connection, form: ReleaseDocument, now: datetime) -> Done:
    """Let a held month become a document, or send a parked document on its way again.

    A parked document is looked up in Xero before anything else.
    """
    if [bool(form.number), bool(form.customer), bool(form.month)] not in ([True, False, False], [False, True, True]):
        raise ValueError("fill in either the number of a parked document, or customer and month of a held one")
    subject = _release_parked(connection, form, now) if form.number else _release_held(connection, form)
    return Done(subject=subject, words=f"{subject} is released")


def _release_parked(connection: sa.Connection, form: ReleaseDocument, now: datetime) -> str:
    if not queries.release_document(connection, number=form.number, now=now):
        raise LookupError(f"{form.number} is not parked: see report.invoices")
    return form.number


def _release_held(connection: sa.Connection, form: ReleaseDocument) -> str:
    month = Month.parse(form.month)
    if not queries.release_month(connection, customer=form.customer, month=month.first_day, actor=form.actor):
        raise LookupError(f"{form.customer} {month} is not held for review: see report.customer_months")
    return f"{form.customer} {month}"
