"""What customers are told of their machines: that they stand still, once that was read, and that they run again."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from albacore_pipeline.database import locks
from albacore_pipeline.effects import keys
from albacore_pipeline.effects.mail import MAIL
from albacore_pipeline.effects.outbox import prepare
from albacore_pipeline.escalation.debtors import load
from albacore_pipeline.escalation.evaluate import Enter
from albacore_pipeline.escalation.letters.facts import Because, Letter, LetterMachine
from albacore_pipeline.escalation.letters.write import write
from albacore_pipeline.escalation.queries import PausableMachine
from albacore_pipeline.escalation.steps import enter
from albacore_pipeline.machine_power import queries
from albacore_pipeline.machine_power.queries import Reader, RunningMachine
from albacore_pipeline.periods import add_business_days
from albacore_pipeline.registry.stages import Does

BECAUSE = (  # how the reason of a plan that fell begins
    ("paid", Because.PAID),
    ("nothing of it is owed", Because.PAID),
    ("written off", Because.DECIDED),
    ("on hold (dispute)", Because.DISPUTED),
    ("on hold (promise", Because.PROMISED),
    ("on hold (payment", Because.PROMISED),
    ("what is left", Because.SMALL),
    ("a correction", Because.CHECKING),
    ("changed in Xero", Because.CHECKING),
)


def tell_paused(connection: sa.Connection, *, now: datetime) -> list[str]:
    """Documents enter the stage that pauses, when machines that stand for them were read to be off."""
    locks.hold(connection, locks.ESCALATION)
    machines: defaultdict[str, list[PausableMachine]] = defaultdict(list)
    customers: dict[str, str] = {}
    for row in queries.newly_paused(connection):
        customers[row.number] = row.customer
        machines[row.number].append(
            PausableMachine(number=row.number, machine_id=row.machine_id, site=row.site, machine=row.machine)
        )
    if not machines:
        return []
    debtors = {
        debtor.row.customer: debtor for debtor in load(connection, now=now, customers=sorted(set(customers.values())))
    }
    entered = []
    for number, customer in customers.items():
        debtor = debtors.get(customer)
        rule = debtor.policy.rule(Does.PAUSE) if debtor else None
        if debtor is None or rule is None or number not in debtor.documents:
            continue  # paid since: its machines are resumed, and he hears of that
        day = add_business_days(day=now.date(), count=rule.owner_business_days, country=debtor.row.country)
        due_by = datetime.combine(day, datetime.min.time(), now.tzinfo)
        owed = debtor.documents[number].owed
        entered.append((debtor, Enter(number=number, stage=rule, owed=owed, due_by=due_by)))
    enter(connection, entered=entered, machines=machines, now=now)
    return sorted(machines)


def tell_running(connection: sa.Connection, *, now: datetime) -> list[str]:
    """A mail to each customer whose machines were read to run again, if they are still his; the customers."""
    running: defaultdict[str, list[RunningMachine]] = defaultdict(list)
    for row in queries.newly_running(connection, now=now):
        running[row.customer].append(row)
    for customer, machines in running.items():
        _tell_running(connection, customer, machines, now=now)
    return list(running)


def tell_withdrawn(connection: sa.Connection, *, now: datetime) -> list[str]:
    """A mail to each customer whose pause was announced and is off before anything was paused; the customers."""
    plans = queries.newly_withdrawn(connection)
    for plan in plans:
        reader = queries.reader(connection, customer=plan.customer)
        payload = _payload("withdrawn", reader, because=_because(plan.why), now=now)
        key = keys.withdrawn(plan_id=plan.plan_id)
        prepare(connection, kind=MAIL, business_key=key, payload=payload, now=now)
    queries.note_withdrawn(connection, plans=[plan.plan_id for plan in plans], now=now)
    return [plan.customer for plan in plans]


def _tell_running(connection: sa.Connection, customer: str, machines: list[RunningMachine], *, now: datetime) -> None:
    named = tuple(LetterMachine(site=row.site, machine=row.machine, number=row.number) for row in machines)
    reader = queries.reader(connection, customer=customer)
    payload = _payload("running_again", reader, because=_because(machines[0].reason), machines=named, now=now)
    commands = sorted({row.command_id for row in machines})
    prepare(connection, kind=MAIL, business_key=keys.running(command_id=commands[0]), payload=payload, now=now)
    queries.note_told(connection, commands=commands, now=now)


def _payload(
    template: str, reader: Reader, *, because: Because, now: datetime, machines: tuple[LetterMachine, ...] = ()
) -> dict[str, Any]:
    mail = write(
        Letter(
            template=template,
            language=reader.language,
            name=reader.name,
            creditor=reader.creditor,
            currency=reader.currency,
            overdue=(),
            claimed=Decimal(0),
            machines=machines,
            because=because,
            as_of=now.date(),
        )
    )
    return {"to": reader.email, "subject": mail.subject, "text": mail.text, "html": mail.html, "attachments": []}


def _because(reason: str) -> Because:
    return next((because for begins, because in BECAUSE if reason.startswith(begins)), Because.DECIDED)
