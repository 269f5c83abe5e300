"""What a person decides about a document."""

from datetime import datetime

import dagster as dg
import sqlalchemy as sa
from pydantic import Field

from albacore_pipeline.database import sql
from albacore_pipeline.database.jobs import ByHand, hand_job
from albacore_pipeline.effects import audit
from albacore_pipeline.periods import Month


class ReleaseDocument(ByHand):
    """The form of `release_document`: a parked document's number, or a customer and a month that is held for review."""

    number: str = Field("", description="of a parked document: ALB-2025-000123")
    customer: str = Field("", description="of a month that is held for review, as in customers.csv")
    month: str = Field("", description="with the customer: 2025-10")


def _release_document(connection: sa.Connection, form: ReleaseDocument, now: datetime) -> str:
    """Let a held month become a document, or send a parked document on its way again.

    A parked document is looked up in Xero before anything else.
    """
    if bool(form.number) == bool(form.customer and form.month):
        raise ValueError("fill in either the number of a parked document, or customer and month of a held one")
    if form.number:
        subject, found = (
            form.number,
            sql(connection, "invoicing/release_document", number=form.number, now=now).rowcount,
        )
        otherwise = f"{form.number} is not parked: see report.invoices"
    else:
        month = Month.parse(form.month)
        values = {"customer": form.customer, "month": month.first_day, "actor": form.actor}
        subject, found = f"{form.customer} {month}", sql(connection, "invoicing/release_month", **values).rowcount
        otherwise = f"{subject} is not held for review: see report.customer_months"
    if not found:
        raise LookupError(otherwise)
    details = {"reason": form.reason}
    audit.record(connection, now=now, actor=form.actor, action="release_document", subject=subject, details=details)
    return f"{subject} is released"


definitions = dg.Definitions(jobs=[hand_job("release_document", ReleaseDocument, _release_document)])
