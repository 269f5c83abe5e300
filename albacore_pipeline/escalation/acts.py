"""What a person decides about debts and notices."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Literal

import sqlalchemy as sa
from pydantic import Field

from albacore_pipeline.effects.acts import Done, OperatorForm
from albacore_pipeline.escalation import queries, store

HoldKind = Literal["dispute", "promise_to_pay", "payment_in_flight", "manual", "exempt"]


class PlaceHold(OperatorForm):
    """Whom or what to keep out of escalation, why, and until when."""

    customer: str
    number: str = Field("", description="a document; empty: the whole customer")
    kind: HoldKind
    days: int = Field(description="for how many days; a hold always ends", gt=0, le=366)
    owner: str = Field(description="the mailbox that must settle it")


def place_hold(connection: sa.Connection, form: PlaceHold, now: datetime) -> Done:
    """Keep a customer or a document out of escalation for some days."""
    until = now + timedelta(days=form.days)
    store.place_hold(
        connection, customer=form.customer, number=form.number or None, kind=form.kind, reason=form.reason,
        owner=form.owner, until_at=until, now=now,
    )  # fmt: skip
    subject = form.number or form.customer
    details = {"customer": form.customer, "number": form.number, "kind": form.kind, "owner": form.owner, "until": until}
    return Done(subject=subject, details=details, words=f"{subject} is on hold until {until:%Y-%m-%d %H:%M} UTC")


class ReleaseHold(OperatorForm):
    """Whose holds, or which document's, end before their time."""

    customer: str
    number: str = Field("", description="a document; empty: every hold of the customer")


def release_hold(connection: sa.Connection, form: ReleaseHold, now: datetime) -> Done:
    """End holds before their time."""
    count = store.release_hold(
        connection, customer=form.customer, number=form.number or None, actor=form.actor, now=now
    )
    subject = form.number or form.customer
    return Done(subject=subject, details={"holds": count}, words=f"{count} holds of {subject} released")


class ReportBounce(OperatorForm):
    """Which mail came back."""

    message_id: str = Field(description="of the mail that came back")


def report_bounce(connection: sa.Connection, form: ReportBounce, now: datetime) -> Done:
    """A notice that came back does not count as delivered: the chain stops there."""
    if not queries.report_bounce(connection, message_id=form.message_id, now=now):
        raise LookupError(f"no notice was sent as {form.message_id}")
    return Done(subject=form.message_id, words="the notice counts as not delivered")
