"""Tasks: what a person has to do, by when, and the mail that tells him. Each subject has one open task at most.

Belongs here: opening and closing them. Does not belong here: why there is one; that is said where it is found out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

import sqlalchemy as sa

from albacore_pipeline.effects import keys
from albacore_pipeline.effects.audit import PIPELINE
from albacore_pipeline.effects.mail import MAIL
from albacore_pipeline.effects.outbox import Intent, prepare_many
from albacore_pipeline.escalation import queries
from albacore_pipeline.escalation.letters.facts import Task
from albacore_pipeline.escalation.letters.write import write_task


@dataclass(frozen=True, kw_only=True)
class OwnedTask:
    """A task, whose it is, and what it is about: `key` is the same as long as it is the same task."""

    key: str
    owner: str
    task: Task
    customer: str | None = None
    number: str | None = None
    files: Sequence[Sequence[str]] = field(default_factory=tuple)


def open_tasks(connection: sa.Connection, *, tasks: Sequence[OwnedTask], now: datetime) -> list[str]:
    """Open those that are not open yet, each with its mail; returns their keys."""
    if not tasks:
        return []
    wanted = {task.key: task for task in tasks}
    new = queries.insert_tasks(
        connection,
        tasks=[
            queries.NewTask(
                key=each.key,
                subject=each.task.subject,
                customer=each.customer,
                number=each.number,
                what=each.task.what,
                owner=each.owner,
                due_by=each.task.due_by,
            )
            for each in wanted.values()
        ],
        now=now,
    )
    prepare_many(connection, intents=[_mail(wanted[key], now=now) for key in new], now=now)
    return new


def close_tasks(
    connection: sa.Connection, *, keys: Sequence[str], why: str, now: datetime, actor: str = PIPELINE
) -> list[str]:
    """Close those that are open; returns their keys."""
    return queries.close_tasks(connection, keys=keys, actor=actor, why=why, now=now)


def _mail(each: OwnedTask, *, now: datetime) -> Intent:
    mail = write_task(each.task)
    payload = {
        "to": each.owner,
        "subject": mail.subject,
        "text": mail.text,
        "html": mail.html,
        "attachments": [list(file) for file in each.files],
    }
    return Intent(kind=MAIL, business_key=keys.task(key=each.key, opened_at=now), payload=payload)
