"""Mails that came back, and how a case that stands because of one, or of a veto, goes on."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, time

import sqlalchemy as sa

from albacore_pipeline.database import locks
from albacore_pipeline.effects.bounces import Bounce
from albacore_pipeline.effects.mail import MAIL
from albacore_pipeline.escalation import queries
from albacore_pipeline.escalation.letters.facts import Task, WayOn
from albacore_pipeline.escalation.queries import Bounced
from albacore_pipeline.escalation.steps import NOTICE
from albacore_pipeline.escalation.tasks import OwnedTask, open_tasks
from albacore_pipeline.invoicing.issue import mail_again
from albacore_pipeline.mailboxes import same_mailbox
from albacore_pipeline.periods import add_business_days
from albacore_pipeline.registry.stages import OPERATIONS, RECEIVABLES, Audience

MAILS = (MAIL, NOTICE)
_MEND = "Find the right address, write it into customers.csv and load it."


def bounce(connection: sa.Connection, *, message_id: str, why: str, now: datetime) -> Bounced:
    """Note that a mail came back, and give its owner the task to mend it.

    What was not delivered to the customer carries no chain on: its case stands until `reopen_case`. A copy to somebody
    else stops nothing. Raises LookupError for a mail that is not ours, or is noted already.
    """
    locks.hold(connection, locks.ESCALATION)
    effect_id = queries.mail_sent_as(connection, message_id=message_id, kinds=MAILS)
    noted = _note(connection, effects=[effect_id] if effect_id else [], why=why, now=now)
    if not noted:
        raise LookupError(f"no mail was sent as {message_id}, or it is known already that it came back")
    return noted[0]


def note_bounces(connection: sa.Connection, bounces: Sequence[Bounce], *, now: datetime) -> list[Bounced]:
    """Note what a mailbox says came back. What is not ours, or is known already, is passed over."""
    locks.hold(connection, locks.ESCALATION)
    noted = []
    for each in bounces:
        effect_id = queries.mail_sent_as(connection, message_id=each.message_id, kinds=MAILS)
        why = f"{each.status} {each.diagnostic}".strip()
        noted += _note(connection, effects=[effect_id] if effect_id else [], why=why, now=now)
    return noted


def note_refused(connection: sa.Connection, *, now: datetime) -> None:
    """A mail that the relay refused for good is one that came back."""
    _note(connection, effects=queries.refused_mails(connection, kinds=MAILS), why="the relay refused it", now=now)


def _note(connection: sa.Connection, *, effects: Sequence[int], why: str, now: datetime) -> list[Bounced]:
    noted = queries.bounce(connection, effects=effects, why=why, now=now) if effects else []
    if noted:
        queries.fall_by_history(connection, now=now)
        queries.close_plans(connection, now=now)
        open_tasks(connection, tasks=[_task(each, now=now) for each in noted], now=now)
    return noted


def _task(bounced: Bounced, *, now: datetime) -> OwnedTask:
    due_by = datetime.combine(add_business_days(day=now.date(), count=1, country="NO"), time(), UTC)
    ours = not bounced.number and bounced.step_id is None
    # one task a mailbox of ours: the mail of that task may come back too
    key = f"mailbox:{bounced.recipient}" if ours else f"bounce:{bounced.effect_id}"
    reader = OPERATIONS if same_mailbox(bounced.recipient, RECEIVABLES) else RECEIVABLES
    what = f"mail of {bounced.number}" if bounced.number else f"notice of {bounced.stage}" if bounced.stage else "mail"
    stops = bool(bounced.number) or bounced.audience is Audience.CUSTOMER
    ways = [WayOn(words="When the address needs no mending", job="finish_task", form=(("key", key),))]
    if stops:
        form = (("number", bounced.number or ""), ("stage", bounced.stage or ""))
        ways.insert(0, WayOn(words="When the address is mended and loaded", job="reopen_case", form=form))
    return OwnedTask(
        key=key,
        owner=bounced.owner if bounced.owner and not same_mailbox(bounced.owner, bounced.recipient) else reader,
        customer=bounced.customer,
        number=bounced.number,
        task=Task(
            subject=f"a mail to {bounced.recipient} came back",
            what=("See why our own mailbox does not take its mail." if ours else _MEND)
            + (" Until the case is reopened, it goes no further." if stops else ""),
            why=f"The {what} came back: {bounced.why}.",
            due_by=due_by,
            ways_on=tuple(ways),
        ),
    )


def reopen(connection: sa.Connection, *, number: str, stage: str, why: str, now: datetime) -> list[str]:
    """Let a document's case go on: the stage that stopped it, or the one that is named, will be said again.

    A document whose own mail came back is mailed again, to the address as it is now. Returns the stages that are taken
    back. Raises LookupError where nothing is to be reopened.
    """
    locks.hold(connection, locks.ESCALATION)
    if queries.known_document(connection, number=number) is None:
        raise LookupError(f"{number} is no invoice that was issued")
    note_refused(connection, now=now)
    mailed = bool(queries.mend_bounce(connection, number=number, now=now))
    if mailed:
        mail_again(connection, number=number, now=now)
    from_stage = stage or queries.stopping_stage(connection, number=number)
    stages = queries.reopen(connection, number=number, stage=from_stage, why=why, now=now) if from_stage else []
    if not mailed and not stages:
        raise LookupError(f"{number} has no case that {f'has entered {stage}' if stage else 'stands still'}")
    queries.fall_items(connection, fallen=[queries.FallenDocument(number=number, why="its case was reopened")], now=now)
    queries.close_plans(connection, now=now)
    return stages
