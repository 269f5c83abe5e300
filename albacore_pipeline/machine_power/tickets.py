"""Tickets: the mail to site operations where a site has no interface to its machines' power."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from albacore_pipeline.effects import keys
from albacore_pipeline.effects.interface import Effect
from albacore_pipeline.effects.mail import MAIL
from albacore_pipeline.effects.outbox import prepare
from albacore_pipeline.machine_power.queries import Command


def write_ticket(connection: sa.Connection, *, command: Command, effect: Effect, mailbox: str, now: datetime) -> str:
    """Write the mail that asks for a command; returns its business key."""
    verb = {"pause": "switch off", "resume": "switch on"}[command.action]
    text = (
        f"Please {verb} machine {command.machine} at {command.site}.\n\nWhen it is done, confirm it in Dagster:"
        f" job confirm_power_state with site {command.site}, machine {command.machine}, action {command.action}.\n"
    )
    payload = {"to": mailbox, "subject": f"Ticket: {verb} {command.machine}", "text": text, "attachments": []}
    key = keys.ticket(effect.business_key)
    prepare(connection, kind=MAIL, business_key=key, payload=payload, now=now)
    return key
