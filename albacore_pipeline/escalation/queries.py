"""The queries of `sql/escalation/`, typed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

import sqlalchemy as sa

from albacore_pipeline.database.rows import execute, row, row_or_none, rows
from albacore_pipeline.registry.policies import Stage


@dataclass(frozen=True, kw_only=True)
class Debtor:
    """A customer with an open case or an open document, as last known; `case_id` of the open case."""

    customer: str
    name: str
    email: str
    account_manager: str
    country: str
    currency: str
    policy: str
    case_id: int | None


@dataclass(frozen=True, kw_only=True)
class CustomerDebt:
    """A document that a customer was sent and has not paid in full."""

    customer: str
    number: str
    due_on: date
    amount_due: Decimal
    as_of: datetime
    held: bool


@dataclass(frozen=True, kw_only=True)
class CustomerStep:
    """A stage that a customer's open case has entered; empty instants: not yet."""

    customer: str
    stage: Stage
    acts_after: datetime | None
    outcome: str
    sent_at: datetime | None
    delivered_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class OpenInvoice:
    """What a customer has to pay, for the text of a notice."""

    number: str
    due_on: date
    amount_due: Decimal
    currency: str
    payment_link: str | None


@dataclass(frozen=True, kw_only=True)
class PausableMachine:
    """A machine that stands on an unpaid document and is the debtor's today."""

    machine_id: int
    site: str
    machine: str


def customers(connection: sa.Connection, *, customer: str | None) -> list[Debtor]:
    """Every debtor, or the one that is named."""
    return rows(connection, "escalation/customers", Debtor, customer=customer)


def debts(connection: sa.Connection, *, customers: Sequence[str], now: datetime) -> list[CustomerDebt]:
    """What these customers owe by Xero's last word."""
    return rows(connection, "escalation/debts", CustomerDebt, customers=customers, now=now)


def steps(connection: sa.Connection, *, customers: Sequence[str]) -> list[CustomerStep]:
    """The steps of these customers' open cases, in order."""
    return rows(connection, "escalation/steps", CustomerStep, customers=customers)


def held_customers(connection: sa.Connection, *, customers: Sequence[str], now: datetime) -> list[str]:
    """Those of these customers that are on hold as a whole."""
    return rows(connection, "escalation/held_customers", str, customers=customers, now=now)


def open_case(connection: sa.Connection, *, customer: str, now: datetime) -> int:
    """The id of the customer's open case, made where there is none."""
    return row(connection, "escalation/open_case", int, customer=customer, now=now)


def close_case(connection: sa.Connection, *, customer: str, reason: str, now: datetime) -> int | None:
    """End the customer's open case; its id, if there was one."""
    return row_or_none(connection, "escalation/close_case", int, customer=customer, reason=reason, now=now)


def insert_step(
    connection: sa.Connection,
    *,
    case_id: int,
    number: str,
    stage: Stage,
    policy: str,
    policy_from: date,
    facts: str,
    facts_sha256: str,
    owner: str,
    due_by: datetime,
    acts_after: datetime | None,
    now: datetime,
) -> int | None:
    """Enter a stage; the step's id, or None where the case has entered it already. `facts` is JSON."""
    return row_or_none(
        connection, "escalation/insert_step", int,
        case_id=case_id, number=number, stage=stage, policy=policy, policy_from=policy_from, facts=facts,
        facts_sha256=facts_sha256, owner=owner, due_by=due_by, acts_after=acts_after, now=now,
    )  # fmt: skip


def insert_notice(connection: sa.Connection, *, step_id: int, recipient: str, template: Stage, effect_id: int) -> int:
    """Write a notice of a step, whose mail is an effect."""
    return execute(
        connection, "escalation/insert_notice",
        step_id=step_id, recipient=recipient, template=template, effect_id=effect_id,
    )  # fmt: skip


def open_invoices(connection: sa.Connection, *, customer: str) -> list[OpenInvoice]:
    """What a customer has to pay, the oldest due date first."""
    return rows(connection, "escalation/open_invoices", OpenInvoice, customer=customer)


def pausable(connection: sa.Connection, *, customer: str, now: datetime) -> list[PausableMachine]:
    """The machines that a customer's debt may pause."""
    return rows(connection, "escalation/pausable", PausableMachine, customer=customer, now=now)


def due_mails(connection: sa.Connection, *, kind: str, now: datetime) -> int:
    """How many mails wait to be sent."""
    return row(connection, "escalation/due_mails", int, kind=kind, now=now)


def hold_target(connection: sa.Connection, *, customer: str, number: str | None) -> bool:
    """Whether a customer is known, and a document his."""
    return row(connection, "escalation/hold_target", bool, customer=customer, number=number)


def place_hold(
    connection: sa.Connection,
    *,
    customer: str,
    number: str | None,
    kind: str,
    reason: str,
    owner: str,
    until_at: datetime,
    now: datetime,
) -> int:
    """Keep a customer or a document out of escalation; the hold's id."""
    return row(
        connection, "escalation/place_hold", int,
        customer=customer, number=number, kind=kind, reason=reason, owner=owner, until_at=until_at, now=now,
    )  # fmt: skip


def release_hold(connection: sa.Connection, *, customer: str, number: str | None, actor: str, now: datetime) -> int:
    """End the holds of a customer, or of one document; how many."""
    return execute(connection, "escalation/release_hold", customer=customer, number=number, actor=actor, now=now)


def report_bounce(connection: sa.Connection, *, message_id: str, now: datetime) -> list[int]:
    """Note that a mail came back; the steps whose notice it was."""
    return rows(connection, "escalation/report_bounce", int, message_id=message_id, now=now)
