"""Holds: what keeps a customer, a document or lines of it out of escalation, why, whose it is and until when.

A hold always ends; its owner is told before. One that begins makes the plans under it fall at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Literal

import sqlalchemy as sa

from albacore_pipeline.escalation import queries
from albacore_pipeline.escalation.letters.facts import Task, WayOn
from albacore_pipeline.escalation.tasks import OwnedTask, open_tasks

HoldKind = Literal["dispute", "promise_to_pay", "payment_in_flight", "manual", "exempt", "unapplied"]


def place_hold(
    connection: sa.Connection,
    *,
    customer: str,
    number: str | None,
    kind: HoldKind,
    reason: str,
    owner: str,
    until_at: datetime,
    now: datetime,
    lines: Sequence[int] = (),
    amount: Decimal | None = None,
) -> int:
    """Keep a customer, one document, or disputed lines of it out of escalation until an instant; returns the hold's id.

    Raises LookupError for a customer who is not known, a document that is not his, a line that it lacks, or a second
    promise for a document.
    """
    if not queries.hold_target(connection, customer=customer, number=number):
        raise LookupError(f"{number or customer} is not known{f' as a document of {customer}' if number else ''}")
    if lines and number is not None:
        known = set(queries.lines_of(connection, number=number))
        if unknown := sorted(set(lines) - known):
            raise LookupError(f"{number} has no line {unknown[0]}: it has {min(known)} to {max(known)}")
    if kind == "promise_to_pay" and queries.promises(connection, customer=customer, number=number):
        raise LookupError(f"{number or customer} has had its promise: a second one is a decision, place a manual hold")
    hold_id = queries.place_hold(
        connection, customer=customer, number=number, kind=kind, reason=reason, owner=owner, until_at=until_at,
        lines=lines or None, amount=amount, now=now,
    )  # fmt: skip
    if not lines:
        queries.fall(connection, customer=customer, number=number, why=f"on hold ({kind}): {reason}", now=now)
        queries.close_plans(connection, now=now)
    return hold_id


def release_hold(
    connection: sa.Connection,
    *,
    customer: str,
    number: str | None,
    actor: str,
    now: datetime,
    kind: HoldKind | None = None,
    outcome: Literal["released", "granted", "refused"] = "released",
) -> int:
    """End holds of a customer, or of one document; returns how many. Raises LookupError when there is none."""
    count = queries.release_hold(
        connection, customer=customer, number=number, kind=kind, outcome=outcome, actor=actor, now=now
    )
    if not count:
        raise LookupError(f"no hold{f' ({kind})' if kind else ''} on {number or customer} is in force")
    return count


def warn_of_expiry(connection: sa.Connection, *, now: datetime) -> None:
    """Tell the owners of holds that end within days: afterwards the chain goes on."""
    holds = queries.expiring_holds(connection, now=now)
    open_tasks(connection, tasks=[_expiring(hold) for hold in holds], now=now)


def _expiring(hold: queries.ExpiringHold) -> OwnedTask:
    subject = hold.number or hold.customer
    again = (
        ("customer", hold.customer),
        ("number", hold.number or ""),
        ("kind", hold.kind),
        ("days", 10),
        ("owner", hold.owner),
    )
    return OwnedTask(
        key=f"hold:{hold.hold_id}",
        owner=hold.owner,
        customer=hold.customer,
        number=hold.number,
        task=Task(
            subject=f"the hold ({hold.kind}) on {subject} ends",
            what="See whether its reason still stands. If nobody does anything, the chain goes on when it ends.",
            why=f"It was placed because: {hold.reason}.",
            due_by=hold.until_at,
            ways_on=(
                WayOn(words="If it must last", job="place_hold", form=again),
                WayOn(
                    words="If it is settled already",
                    job="release_hold",
                    form=(("customer", hold.customer), ("number", hold.number or "")),
                ),
                WayOn(words="If it may end by itself", job="finish_task", form=(("key", f"hold:{hold.hold_id}"),)),
            ),
        ),
    )
