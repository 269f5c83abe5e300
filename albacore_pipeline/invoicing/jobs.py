"""What a person decides about a document."""

from datetime import datetime

import dagster as dg
import sqlalchemy as sa
from pydantic import Field

from albacore_pipeline.database import sql
from albacore_pipeline.database.jobs import ByHand, hand_job
from albacore_pipeline.effects import audit


class ReleaseDocument(ByHand):
    """The form of `release_document`."""

    number: str = Field(description="the document's number: ALB-2025-000123")


def _release_document(connection: sa.Connection, form: ReleaseDocument, now: datetime) -> str:
    """Send a parked document on its way again; it is looked up in Xero before anything else."""
    if not sql(connection, "invoicing/release_document", number=form.number, now=now).rowcount:
        raise LookupError(f"{form.number} is not parked")
    audit.record(
        connection,
        now=now,
        actor=form.actor,
        action="release_document",
        subject=form.number,
        details={"reason": form.reason},
    )
    return f"{form.number} is on its way again"


definitions = dg.Definitions(jobs=[hand_job("release_document", ReleaseDocument, _release_document)])
