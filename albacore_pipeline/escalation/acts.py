"""What a person decides about debts and notices."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Literal

import sqlalchemy as sa
from pydantic import Field

from albacore_pipeline.database import locks
from albacore_pipeline.effects.acts import Done, OperatorForm
from albacore_pipeline.escalation import holds, queries, returned
from albacore_pipeline.escalation.letters.facts import Task, WayOn
from albacore_pipeline.escalation.tasks import OwnedTask, close_tasks, open_tasks
from albacore_pipeline.registry.stages import FINANCE

FormHoldKind = Literal["dispute", "promise_to_pay", "payment_in_flight", "manual", "exempt"]
CORRECTION_DAYS = 60  # for the correction of a dispute that was granted


class PlaceHold(OperatorForm):
    """Whom or what to keep out of escalation, why, and until when."""

    customer: str
    number: str = Field("", description="a document; empty: the whole customer")
    lines: list[int] = Field(default_factory=list, description="of a dispute: the lines; the rest of it goes on")
    kind: FormHoldKind
    days: int = Field(description="for how many days; a hold always ends", gt=0, le=366)
    amount: str = Field("", description="of a promise: how much, as 1234.50", pattern=r"^(\d+(\.\d+)?)?$")
    owner: str = Field(description="the mailbox that must settle it")


def place_hold(connection: sa.Connection, form: PlaceHold, now: datetime) -> Done:
    """Keep a customer, a document or disputed lines out of escalation for some days."""
    if form.lines and (form.kind != "dispute" or not form.number):
        raise ValueError("lines are those of a disputed document: give its number and kind dispute")
    until = now + timedelta(days=form.days)
    locks.hold(connection, locks.ESCALATION)
    holds.place_hold(
        connection, customer=form.customer, number=form.number or None, kind=form.kind, reason=form.reason,
        owner=form.owner, until_at=until, lines=form.lines,
        amount=Decimal(form.amount) if form.amount else None, now=now,
    )  # fmt: skip
    subject = form.number or form.customer
    details = {
        "customer": form.customer, "number": form.number, "lines": form.lines, "kind": form.kind, "owner": form.owner,
        "amount": form.amount, "until": until,
    }  # fmt: skip
    return Done(subject=subject, details=details, words=f"{subject} is on hold until {until:%Y-%m-%d %H:%M} UTC")


class ReleaseHold(OperatorForm):
    """Whose holds, or which document's, end before their time."""

    customer: str
    number: str = Field("", description="a document; empty: every hold of the customer")
    kind: Literal["", "dispute", "promise_to_pay", "payment_in_flight", "manual", "exempt", "unapplied"] = Field(
        "", description="only holds of this kind; empty: every one"
    )


def release_hold(connection: sa.Connection, form: ReleaseHold, now: datetime) -> Done:
    """End holds before their time."""
    count = holds.release_hold(
        connection,
        customer=form.customer,
        number=form.number or None,
        kind=form.kind or None,
        actor=form.actor,
        now=now,
    )
    subject = form.number or form.customer
    details = {"holds": count, "kind": form.kind}
    return Done(subject=subject, details=details, words=f"{count} holds of {subject} released")


class ResolveDispute(OperatorForm):
    """How a dispute ends."""

    customer: str
    number: str = Field(description="the disputed document")
    outcome: Literal["granted", "refused"]


def resolve_dispute(connection: sa.Connection, form: ResolveDispute, now: datetime) -> Done:
    """Refused: the chain goes on. Granted: what is disputed is not claimed, and finance has to correct it."""
    locks.hold(connection, locks.ESCALATION)
    if form.outcome == "refused":
        holds.release_hold(
            connection, customer=form.customer, number=form.number, kind="dispute", actor=form.actor,
            outcome="refused", now=now,
        )  # fmt: skip
        words = f"the dispute of {form.number} is refused: its case goes on"
    else:
        _grant(connection, form, now=now)
        words = f"the dispute of {form.number} is granted: it is not claimed until it is corrected"
    return Done(subject=form.number, details={"customer": form.customer, "outcome": form.outcome}, words=words)


def _grant(connection: sa.Connection, form: ResolveDispute, *, now: datetime) -> None:
    until = now + timedelta(days=CORRECTION_DAYS)
    granted = queries.grant_dispute(
        connection, customer=form.customer, number=form.number, until_at=until, now=now
    )  # fmt: skip
    if not granted:
        raise LookupError(f"no dispute of {form.number} of {form.customer} is in force")
    release = (("customer", form.customer), ("number", form.number), ("kind", "dispute"))
    task = Task(
        subject=f"correct {form.number}: its dispute was granted",
        what="Correct the readings, the assignment or the tariff that it rests on; the credit note follows by itself."
        " Or write a credit note in Xero.",
        why=form.reason,
        due_by=until,
        ways_on=(WayOn(words="When the credit note is there", job="release_hold", form=release),),
    )
    key = f"granted:{form.number}"
    owned = OwnedTask(key=key, owner=FINANCE, customer=form.customer, number=form.number, task=task)
    open_tasks(connection, tasks=[owned], now=now)


class ReportBounce(OperatorForm):
    """Which mail came back."""

    message_id: str = Field(description="of the mail that came back, of an invoice or of a notice")


def report_bounce(connection: sa.Connection, form: ReportBounce, now: datetime) -> Done:
    """A mail that came back does not count as delivered: the chain stops there, and its owner has a task."""
    bounced = returned.bounce(connection, message_id=form.message_id, why=form.reason, now=now)
    subject = bounced.number or bounced.customer or form.message_id
    details = {"message_id": form.message_id, "recipient": bounced.recipient, "stage": bounced.stage}
    return Done(subject=subject, details=details, words=f"the mail to {bounced.recipient} counts as not delivered")


class ReopenCase(OperatorForm):
    """Which document's case goes on, and from where."""

    number: str = Field(description="the document")
    stage: str = Field("", description="the stage to be said again; empty: the one that stopped it")


def reopen_case(connection: sa.Connection, form: ReopenCase, now: datetime) -> Done:
    """Let a case go on that stands because of a bounce or a veto."""
    stages = returned.reopen(connection, number=form.number, stage=form.stage, why=f"reopened: {form.reason}", now=now)
    words = f"{form.number} goes on: {', '.join(stages) or 'its mail'} will be sent again"
    return Done(subject=form.number, details={"stages": stages}, words=words)


class WriteOff(OperatorForm):
    """Which document is given up."""

    number: str = Field(description="the document")


def write_off(connection: sa.Connection, form: WriteOff, now: datetime) -> Done:
    """Chase a document no more; what it paused runs again. Finance writes it off in Xero."""
    locks.hold(connection, locks.ESCALATION)
    customer = queries.known_document(connection, number=form.number)
    if customer is None:
        raise LookupError(f"{form.number} is no invoice that was issued")
    if not queries.write_off(connection, number=form.number, actor=form.actor, reason=form.reason, now=now):
        raise LookupError(f"{form.number} is written off already")
    queries.fall(connection, customer=customer, number=form.number, why="written off", now=now)
    queries.close_plans(connection, now=now)
    return Done(subject=form.number, details={"customer": customer}, words=f"{form.number} is written off")


class FinishTask(OperatorForm):
    """Which task is done."""

    key: str = Field(description="as the task's mail and report.tasks have it")


def finish_task(connection: sa.Connection, form: FinishTask, now: datetime) -> Done:
    """A task is done."""
    if not close_tasks(connection, keys=[form.key], why=form.reason, actor=form.actor, now=now):
        raise LookupError(f"no task {form.key} is open")
    return Done(subject=form.key, words=f"{form.key} is finished")
