"""Tickets: the mail to site operations where a site has no interface to its machines' power."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any

import sqlalchemy as sa

from albacore_pipeline.effects import keys
from albacore_pipeline.effects.interface import Cancelled, Effect, Outcome
from albacore_pipeline.effects.mail import MailHandler
from albacore_pipeline.effects.outbox import prepare
from albacore_pipeline.escalation.letters.facts import Task, WayOn
from albacore_pipeline.escalation.tasks import OwnedTask, open_tasks
from albacore_pipeline.machine_power import queries
from albacore_pipeline.machine_power.controls import Controls
from albacore_pipeline.machine_power.queries import Command, Pause, SentCommand
from albacore_pipeline.periods import Clock, add_business_days
from albacore_pipeline.sites import Site

TICKET = "mail.ticket"  # the kind of effect
DEADLINE_DAYS = 1  # business days of the site

PAUSE_TEXT = """Please switch off machine {machine} at {site}, by {deadline:%Y-%m-%d %H:%M} UTC.

Reason: {customer} has not paid {numbers}, and was told of this machine in advance.

If you can't do it by then, leave it on and answer "not done": the reason may no longer hold. If another ticket
withdraws this one, do what that one says.

Then confirm it in Dagster: job confirm_power_state with site {site}, machine {machine}, action pause, and answer
"done", "was off already" (if it stood still before you came) or "not done".
"""

RESUME_TEXT = """Please switch on machine {machine} at {site}, by {deadline:%Y-%m-%d %H:%M} UTC.

Reason: {reason}. The ticket that asked to switch it off is withdrawn: if you have not carried it out yet, leave the
machine on.

Then confirm it in Dagster: job confirm_power_state with site {site}, machine {machine}, action resume, and answer
"done" or "not done".
"""


def write_pause(connection: sa.Connection, *, pause: Pause, mailbox: str, now: datetime) -> None:
    """The ticket that asks to switch a machine off."""
    text = PAUSE_TEXT.format(
        machine=pause.machine,
        site=pause.site,
        customer=pause.customer,
        numbers=", ".join(pause.numbers),
        deadline=now + timedelta(days=DEADLINE_DAYS),
    )
    key = keys.pause(plan_id=pause.plan_id, machine_id=pause.machine_id)
    mail = {"to": mailbox, "subject": f"Ticket: switch off {pause.machine}", "text": text}
    _write(connection, key=key, command_id=pause.command_id, mail=mail, now=now)


def write_resume(connection: sa.Connection, *, command: Command, mailbox: str, now: datetime) -> None:
    """The ticket that asks to switch a machine on, and withdraws the one before."""
    text = RESUME_TEXT.format(
        machine=command.machine,
        site=command.site,
        reason=command.reason,
        deadline=now + timedelta(days=DEADLINE_DAYS),
    )
    mail = {"to": mailbox, "subject": f"Ticket: switch on {command.machine}", "text": text}
    _write(connection, key=f"{command.effect_id}", command_id=command.command_id, mail=mail, now=now)


def _write(connection: sa.Connection, *, key: str, command_id: int, mail: Mapping[str, str], now: datetime) -> None:
    payload: dict[str, Any] = {**mail, "attachments": [], "command": command_id}
    prepare(connection, kind=TICKET, business_key=keys.ticket(key), payload=payload, now=now)


@dataclass(kw_only=True)
class TicketHandler:
    """Sends tickets, those that still hold: a relay may have been down for days."""

    mail: MailHandler
    engine: sa.Engine
    clock: Clock
    name: str = TICKET
    batch: int = 20

    def send(self, effects: Sequence[Effect]) -> list[Outcome]:
        """Ask of each whether it holds, and hand over those that do."""
        commands = [int(effect.payload["command"]) for effect in effects]
        with self.engine.connect() as connection:
            facts = queries.ticket_facts(connection, commands=commands, now=self.clock.now())
        untrue = {row.command_id for row in facts if row.action == "pause" and (row.forbidden or not row.stands)}
        true = [effect for effect in effects if effect.payload["command"] not in untrue]
        sent = iter(self.mail.send(true) if true else [])
        return [
            Cancelled("its reason went before it left") if effect.payload["command"] in untrue else next(sent)
            for effect in effects
        ]

    def look_up(self, effects: Sequence[Effect]) -> list[Outcome]:
        """As of any mail."""
        return self.mail.look_up(effects)

    def settle(self, connection: sa.Connection, *, effect: Effect, outcome: Outcome, now: datetime) -> None:
        """A ticket that never left asked for nothing: its machine was never ours."""
        if isinstance(outcome, Cancelled) and not effect.in_doubt:
            command_id = int(effect.payload["command"])
            queries.settle_command(connection, command_id=command_id, outcome="cancelled", sent_at=None)


def remind(connection: sa.Connection, *, controls: Controls, now: datetime) -> None:
    """Each business day of the site after a ticket's deadline, its operations are reminded of it."""
    overdue = [
        ticket
        for ticket in queries.open_tickets(connection)
        if now >= _deadline(controls.sites[ticket.site], ticket) and _is_working(controls.sites[ticket.site], now)
    ]
    for ticket in overdue:
        reminder = _reminder(ticket, controls, now=now)
        close_reminders(connection, command_id=ticket.command_id, but=reminder.key, now=now)
        open_tasks(connection, tasks=[reminder], now=now)


def close_reminders(connection: sa.Connection, *, command_id: int, now: datetime, but: str = "") -> None:
    """Close the reminders of a ticket, but for one."""
    queries.close_reminders(connection, about=f"ticket:{command_id}", but=but, now=now)


def _deadline(site: Site, ticket: SentCommand) -> datetime:
    local = ticket.commanded_at.astimezone(site.zone)
    day = add_business_days(day=local.date(), count=DEADLINE_DAYS, country=site.country)
    return datetime.combine(day, local.time(), site.zone)


def _is_working(site: Site, now: datetime) -> bool:
    local = now.astimezone(site.zone)
    return (
        local.time() >= time(8) and add_business_days(day=local.date(), count=0, country=site.country) == local.date()
    )


def _reminder(ticket: SentCommand, controls: Controls, *, now: datetime) -> OwnedTask:
    verb = {"pause": "switch off", "resume": "switch on"}[ticket.action]
    form = (("site", ticket.site), ("machine", ticket.machine), ("action", ticket.action), ("answer", "done"))
    day = now.astimezone(controls.sites[ticket.site].zone).date()
    return OwnedTask(
        key=f"ticket:{ticket.command_id}:{day}",
        owner=controls.mailbox(ticket.site) or "",
        customer=ticket.customer,
        task=Task(
            subject=f"a ticket is unanswered: {verb} {ticket.machine}",
            what=f"Do what the ticket of {ticket.commanded_at:%Y-%m-%d} asks, or say that it is not done.",
            why="Its deadline is over and nobody has answered.",
            due_by=now + timedelta(days=DEADLINE_DAYS),
            ways_on=(WayOn(words="When it is done", job="confirm_power_state", form=form),),
        ),
    )
