"""The queries of `sql/escalation/`, typed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

import sqlalchemy as sa

from albacore_pipeline.database.rows import as_json, execute, row, row_or_none, rows
from albacore_pipeline.escalation.evaluate import Claim, Document
from albacore_pipeline.registry.stages import Audience, Does

# What decisions are made of


@dataclass(frozen=True, kw_only=True)
class DebtorRow:
    """A customer with an open case or an unpaid document, as last known, and what keeps him out as a whole."""

    customer: str
    name: str
    creditor: str
    email: str
    account_manager: str
    country: str
    language: str
    currency: str
    policy: str
    stopped: str
    stopped_until: date | None


@dataclass(frozen=True, kw_only=True)
class DocumentRow(Document):
    """A document as decisions see it, with what its letter says besides, and what was decided on it last."""

    customer: str
    case_id: int | None
    month: date
    disputed: Decimal
    set_against: Decimal
    payment_link: str | None
    decision: str | None
    stage: str | None
    reason: str | None
    next_stage: str | None
    next_on: date | None
    policy: str | None
    policy_from: date | None


@dataclass(frozen=True, kw_only=True)
class ClaimRow(Claim):
    """A claim as decisions see it, of a case."""

    case_id: int


def debtors(connection: sa.Connection, *, customers: Sequence[str] | None, now: datetime) -> list[DebtorRow]:
    """Every debtor, or those that are named."""
    return rows(connection, "escalation/debtors", DebtorRow, customers=customers, now=now)


def documents(connection: sa.Connection, *, customers: Sequence[str], now: datetime) -> list[DocumentRow]:
    """The documents of these customers that are unpaid or whose case is open, the oldest due date first."""
    return rows(connection, "escalation/documents", DocumentRow, customers=customers, now=now)


def claims(connection: sa.Connection, *, cases: Sequence[int]) -> list[ClaimRow]:
    """The claims of these cases that count, in order."""
    return rows(connection, "escalation/claims", ClaimRow, cases=cases)


def evaluated_at(connection: sa.Connection) -> datetime | None:
    """When the cases were last evaluated."""
    return row_or_none(connection, "escalation/evaluated_at", datetime)


def note_evaluation(connection: sa.Connection, *, now: datetime) -> int:
    """Note when the cases were evaluated."""
    return execute(connection, "escalation/note_evaluation", now=now)


@dataclass(frozen=True, kw_only=True)
class NextStage:
    """A stage that documents will enter on a day, one of them by its number."""

    next_stage: str
    next_on: date
    documents: int
    number: str


def comes_next(connection: sa.Connection, *, now: datetime) -> NextStage | None:
    """What comes next by the last decisions."""
    return row_or_none(connection, "escalation/comes_next", NextStage, now=now)


# Cases and decisions


@dataclass(frozen=True, kw_only=True)
class EndedCase:
    """A case that ends, and why."""

    case_id: int
    reason: str


@dataclass(frozen=True, kw_only=True)
class ChangedDecision:
    """A decision on a case that is not the one of before."""

    case_id: int
    decision: str
    stage: str
    reason: str
    next_stage: str
    next_on: date | None
    policy: str
    policy_from: date
    facts_sha256: str


@dataclass(frozen=True, kw_only=True)
class OldClaim:
    """A claim that counts no more, and why."""

    case_id: int
    stage: str
    why: str


def cases_to_open(connection: sa.Connection) -> int:
    """How many unpaid documents have no case."""
    return row(connection, "escalation/cases_to_open", int)


def open_cases(connection: sa.Connection, *, customers: Sequence[str] | None, now: datetime) -> int:
    """Open a case for every unpaid document that has none; how many."""
    return execute(connection, "escalation/open_cases", customers=customers, now=now)


def close_cases(connection: sa.Connection, *, cases: Sequence[EndedCase], now: datetime) -> int:
    """End cases."""
    return execute(connection, "escalation/close_cases", cases=as_json(cases), now=now)


def note_decisions(connection: sa.Connection, *, decisions: Sequence[ChangedDecision], now: datetime) -> int:
    """Write decisions that changed."""
    return execute(connection, "escalation/note_decisions", decisions=as_json(decisions), now=now)


def supersede_reversed(connection: sa.Connection, *, now: datetime) -> list[str]:
    """Take back the claims from before a payment was reversed; the documents, one a claim."""
    return rows(connection, "escalation/supersede_reversed", str, now=now)


def supersede_claims(connection: sa.Connection, *, claims: Sequence[OldClaim], now: datetime) -> int:
    """Take back claims; how many."""
    return execute(connection, "escalation/supersede_claims", claims=as_json(claims), now=now)


# Steps


@dataclass(frozen=True, kw_only=True)
class NewStep:
    """A stage that a customer's documents enter together. Amounts in `currency`, with tax."""

    customer: str
    stage: str
    does: Does
    policy: str
    policy_from: date
    owner: str
    due_by: datetime
    currency: str
    claimed: Decimal
    set_against: Decimal
    not_before: date | None


@dataclass(frozen=True, kw_only=True)
class StepKey:
    """A step that was written."""

    step_id: int
    customer: str
    stage: str


@dataclass(frozen=True, kw_only=True)
class NewClaim:
    """What a step claims for a document."""

    step_id: int
    case_id: int
    number: str
    stage: str
    owed: Decimal
    facts_sha256: str
    again: bool


@dataclass(frozen=True, kw_only=True)
class PausableMachine:
    """A machine that a document may pause."""

    number: str
    machine_id: int
    site: str
    machine: str


@dataclass(frozen=True, kw_only=True)
class Announced:
    """A machine that the final notice of a document named."""

    number: str
    machine_id: int


@dataclass(frozen=True, kw_only=True)
class NamedMachine:
    """A machine that a notice names, and for which document."""

    step_id: int
    machine_id: int
    number: str


@dataclass(frozen=True, kw_only=True)
class NewPlan:
    """A plan of a pause; `sha256` is over the frozen list."""

    step_id: int
    customer: str
    sha256: str
    not_before: date


@dataclass(frozen=True, kw_only=True)
class NewNotice:
    """A mail of a step, and the effect that sends it."""

    step_id: int
    recipient: str
    audience: Audience
    template: str
    effect_id: int


def insert_steps(connection: sa.Connection, *, steps: Sequence[NewStep], now: datetime) -> list[StepKey]:
    """Write steps, one a customer and stage; their ids in no order."""
    return rows(connection, "escalation/insert_steps", StepKey, steps=as_json(steps), now=now)


def insert_claims(connection: sa.Connection, *, claims: Sequence[NewClaim]) -> int:
    """Write what steps claim."""
    return execute(connection, "escalation/insert_claims", claims=as_json(claims))


def pausable(connection: sa.Connection, *, numbers: Sequence[str], now: datetime) -> list[PausableMachine]:
    """The machines for which these documents may pause, by document, site and machine."""
    return rows(connection, "escalation/pausable", PausableMachine, numbers=numbers, now=now)


def announced(connection: sa.Connection, *, numbers: Sequence[str]) -> list[Announced]:
    """The machines that the final notices of these documents named."""
    return rows(connection, "escalation/announced", Announced, numbers=numbers)


def insert_step_machines(connection: sa.Connection, *, machines: Sequence[NamedMachine]) -> int:
    """Write which machines notices name."""
    return execute(connection, "escalation/insert_step_machines", machines=as_json(machines))


def insert_plans(connection: sa.Connection, *, plans: Sequence[NewPlan], now: datetime) -> int:
    """Write plans of pauses."""
    return execute(connection, "escalation/insert_plans", plans=as_json(plans), now=now)


def insert_plan_items(connection: sa.Connection, *, steps: Sequence[int]) -> int:
    """Freeze in the plans of these steps what their notices named."""
    return execute(connection, "escalation/insert_plan_items", steps=steps)


def insert_notices(connection: sa.Connection, *, notices: Sequence[NewNotice]) -> int:
    """Write the mails of steps."""
    return execute(connection, "escalation/insert_notices", notices=as_json(notices))


@dataclass(frozen=True, kw_only=True)
class Attachments:
    """The files that came with a document: names with their sha256."""

    number: str
    files: Sequence[Sequence[str]]


def attachments(connection: sa.Connection, *, numbers: Sequence[str]) -> list[Attachments]:
    """The statements that came with these documents."""
    return rows(connection, "escalation/attachments", Attachments, numbers=numbers)


def due_mails(connection: sa.Connection, *, kinds: Sequence[str], now: datetime) -> int:
    """How many mails of these kinds wait to be sent."""
    return row(connection, "escalation/due_mails", int, kinds=kinds, now=now)


@dataclass(frozen=True, kw_only=True)
class NoticeClaim:
    """What a mail claims for a document."""

    effect_id: int
    step_id: int
    customer: str
    does: Does
    number: str
    owed: Decimal
    superseded: bool


def notices_of(connection: sa.Connection, *, effects: Sequence[int]) -> list[NoticeClaim]:
    """What these mails claim."""
    return rows(connection, "escalation/notices_of", NoticeClaim, effects=effects)


def withdraw_step(connection: sa.Connection, *, step_id: int, why: str, now: datetime) -> str | None:
    """Take a step back, unless the customer has its notice; the customer, if it was."""
    return row_or_none(connection, "escalation/withdraw_step", str, step_id=step_id, why=why, now=now)


def supersede_step(connection: sa.Connection, *, step_id: int, why: str, now: datetime) -> list[str]:
    """What a step claimed counts no more; its documents."""
    return rows(connection, "escalation/supersede_step", str, step_id=step_id, why=why, now=now)


def cancel_notices(connection: sa.Connection, *, step_id: int, why: str, now: datetime) -> int:
    """Cancel the mails of a step that have not left; how many."""
    return execute(connection, "escalation/cancel_notices", step_id=step_id, why=why, now=now)


@dataclass(frozen=True, kw_only=True)
class Bounced:
    """A mail that came back: a notice of a step, the mail of a document, or another one (both empty)."""

    effect_id: int
    customer: str | None
    number: str | None
    step_id: int | None
    stage: str | None
    owner: str | None
    audience: Audience | None
    recipient: str
    why: str


def mail_sent_as(connection: sa.Connection, *, message_id: str, kinds: Sequence[str]) -> int | None:
    """The effect of the mail that was sent under a Message-ID."""
    return row_or_none(connection, "escalation/mail_sent_as", int, message_id=message_id, kinds=kinds)


def refused_mails(connection: sa.Connection, *, kinds: Sequence[str]) -> list[int]:
    """The effects of mails that the relay refused and that nobody was told of."""
    return rows(connection, "escalation/refused_mails", int, kinds=kinds)


def bounce(connection: sa.Connection, *, effects: Sequence[int], why: str, now: datetime) -> list[Bounced]:
    """Note that mails came back, those of which it is not known yet."""
    return rows(connection, "escalation/bounce", Bounced, effects=effects, why=why, now=now)


def mend_bounce(connection: sa.Connection, *, number: str, now: datetime) -> int:
    """The bounce of a document's mail stops nothing any longer; how many there were."""
    return execute(connection, "escalation/mend_bounce", number=number, now=now)


def reopen(connection: sa.Connection, *, number: str, stage: str, why: str, now: datetime) -> list[str]:
    """Take back what a document's case claims from a stage on; the stages."""
    return rows(connection, "escalation/reopen", str, number=number, stage=stage, why=why, now=now)


def stopping_stage(connection: sa.Connection, *, number: str) -> str | None:
    """The stage at which a document's case stands because of a bounce or a veto."""
    return row_or_none(connection, "escalation/stopping_stage", str, number=number)


def write_off(connection: sa.Connection, *, number: str, actor: str, reason: str, now: datetime) -> int:
    """Chase a document no more; 0 where it is written off already."""
    return execute(connection, "escalation/write_off", number=number, actor=actor, reason=reason, now=now)


def known_document(connection: sa.Connection, *, number: str) -> str | None:
    """The customer of an issued invoice or supplement."""
    return row_or_none(connection, "escalation/known_document", str, number=number)


# Plans that fall


@dataclass(frozen=True, kw_only=True)
class FallenDocument:
    """A document for which no plan stands any more, and why."""

    number: str
    why: str


def fall(connection: sa.Connection, *, customer: str, number: str | None, why: str, now: datetime) -> list[str]:
    """Make the plans of a customer fall, or what they say of a document; the document of each item that fell."""
    return rows(connection, "escalation/fall", str, customer=customer, number=number, why=why, now=now)


def fall_items(connection: sa.Connection, *, fallen: Sequence[FallenDocument], now: datetime) -> int:
    """Make what plans say of these documents fall; how many items."""
    return execute(connection, "escalation/fall_items", fallen=as_json(fallen), now=now)


def fall_of_machines(connection: sa.Connection, *, now: datetime) -> int:
    """Strike machines from the plans that may not be paused for their documents any more; how many items."""
    return execute(connection, "escalation/fall_of_machines", now=now)


def fall_by_history(connection: sa.Connection, *, now: datetime) -> int:
    """Make plans fall for holds, bounces and reversals since they were made; how many items."""
    return execute(connection, "escalation/fall_by_history", now=now)


@dataclass(frozen=True, kw_only=True)
class StandingItem:
    """A machine of a plan, and a document that stands behind it."""

    plan_id: int
    machine_id: int
    number: str


@dataclass(frozen=True, kw_only=True)
class StruckMachine:
    """A machine that its plan loses, and why."""

    plan_id: int
    machine_id: int
    why: str


def strike_machine(connection: sa.Connection, *, machine_id: int, why: str, now: datetime) -> int:
    """Strike a machine from every plan that stands; how many items."""
    return execute(connection, "escalation/strike_machine", machine_id=machine_id, why=why, now=now)


def with_plans(connection: sa.Connection) -> list[str]:
    """Customers of whose plans something stands."""
    return rows(connection, "escalation/with_plans", str)


def standing_machines(connection: sa.Connection) -> list[StandingItem]:
    """What stands of the plans."""
    return rows(connection, "escalation/standing_machines", StandingItem)


def strike_machines(connection: sa.Connection, *, machines: Sequence[StruckMachine], now: datetime) -> int:
    """Strike machines from their plans; how many items."""
    return execute(connection, "escalation/strike_machines", machines=as_json(machines), now=now)


def close_plans(connection: sa.Connection, *, now: datetime) -> int:
    """End the plans of which nothing stands; how many."""
    return execute(connection, "escalation/close_plans", now=now)


# Tasks


@dataclass(frozen=True, kw_only=True)
class NewTask:
    """What a person has to do; `key` says what it is about."""

    key: str
    subject: str
    customer: str | None
    number: str | None
    what: str
    owner: str
    due_by: datetime


def insert_tasks(connection: sa.Connection, *, tasks: Sequence[NewTask], now: datetime) -> list[str]:
    """Write tasks; the keys of those that had no open one."""
    return rows(connection, "escalation/insert_tasks", str, tasks=as_json(tasks), now=now)


def close_tasks(connection: sa.Connection, *, keys: Sequence[str], actor: str, why: str, now: datetime) -> list[str]:
    """End open tasks; their keys."""
    return rows(connection, "escalation/close_tasks", str, keys=keys, actor=actor, why=why, now=now)


def close_tasks_of_cases(connection: sa.Connection, *, cases: Sequence[int], now: datetime) -> int:
    """End the tasks of the steps of cases that are over; how many."""
    return execute(connection, "escalation/close_tasks_of_cases", cases=cases, now=now)


# Holds


def hold_target(connection: sa.Connection, *, customer: str, number: str | None) -> bool:
    """Whether a customer is known, and a document his."""
    return row(connection, "escalation/hold_target", bool, customer=customer, number=number)


def lines_of(connection: sa.Connection, *, number: str) -> list[int]:
    """The lines of a document."""
    return rows(connection, "escalation/lines_of", int, number=number)


def promises(connection: sa.Connection, *, customer: str, number: str | None) -> int:
    """How often it was promised to pay a document, or what a customer owes as a whole."""
    return row(connection, "escalation/promises", int, customer=customer, number=number)


def place_hold(
    connection: sa.Connection,
    *,
    customer: str,
    number: str | None,
    kind: str,
    reason: str,
    owner: str,
    until_at: datetime,
    lines: Sequence[int] | None,
    amount: Decimal | None,
    now: datetime,
) -> int:
    """Keep a customer, a document or lines of it out of escalation; the hold's id."""
    return row(
        connection, "escalation/place_hold", int,
        customer=customer, number=number, kind=kind, reason=reason, owner=owner, until_at=until_at, lines=lines,
        amount=amount, now=now,
    )  # fmt: skip


def grant_dispute(connection: sa.Connection, *, customer: str, number: str, until_at: datetime, now: datetime) -> int:
    """Keep what is disputed out until its correction is there; how many disputes there were."""
    return execute(connection, "escalation/grant_dispute", customer=customer, number=number, until_at=until_at, now=now)


def release_hold(
    connection: sa.Connection,
    *,
    customer: str,
    number: str | None,
    kind: str | None,
    outcome: str,
    actor: str,
    now: datetime,
) -> int:
    """End the holds of a customer, of a document or of a kind; how many."""
    return execute(
        connection, "escalation/release_hold",
        customer=customer, number=number, kind=kind, outcome=outcome, actor=actor, now=now,
    )  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class ExpiringHold:
    """A hold that ends soon."""

    hold_id: int
    customer: str
    number: str | None
    kind: str
    reason: str
    owner: str
    until_at: datetime


def expiring_holds(connection: sa.Connection, *, now: datetime) -> list[ExpiringHold]:
    """Holds that end within days and of whose end nobody was told."""
    return rows(connection, "escalation/expiring_holds", ExpiringHold, now=now)


@dataclass(frozen=True, kw_only=True)
class UnmatchedMoney:
    """Money of a customer that can't be set against what he owes."""

    customer: str
    country: str
    xero_id: str
    kind: str
    remaining: Decimal
    currency: str


def unmatched_money(connection: sa.Connection, *, now: datetime) -> list[UnmatchedMoney]:
    """Such money of customers who are overdue, of which nobody was told."""
    return rows(connection, "escalation/unmatched_money", UnmatchedMoney, now=now)
