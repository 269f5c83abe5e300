"""Sites whose control can't be trusted, and what their people are told."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa

from albacore_pipeline.effects import audit
from albacore_pipeline.escalation.letters.facts import Task, WayOn
from albacore_pipeline.escalation.tasks import OwnedTask, close_tasks, open_tasks
from albacore_pipeline.machine_power import queries
from albacore_pipeline.machine_power.queries import Command, SentCommand
from albacore_pipeline.registry.stages import FINANCE, OPERATIONS

SOON = timedelta(hours=4)
LONG = timedelta(hours=1)  # for a state that can't be read


def stop(connection: sa.Connection, *, site: str, why: str, now: datetime) -> None:
    """Pause nothing more at a site, and tell its people, until one of them has looked."""
    if not queries.stop_site(connection, site=site, reason=why, now=now):
        return
    task = Task(
        subject=f"pausing at {site} is stopped",
        what=f"See at {site} which machines are on and which are off, and why the control did something else.",
        why=why,
        due_by=now + SOON,
        ways_on=(WayOn(words="When the control can be trusted again", job="clear_site_stop", form=(("site", site),)),),
    )
    open_tasks(connection, tasks=[OwnedTask(key=f"site:{site}", owner=OPERATIONS, task=task)], now=now)
    audit.record(connection, now=now, action="stop_site", subject=site, details={"why": why})


def stop_where_machines_draw(connection: sa.Connection, *, now: datetime) -> None:
    """Stop the sites at which a machine drew power while it was read to be off: its control does not tell the truth."""
    drawn: defaultdict[str, list[str]] = defaultdict(list)
    for row in queries.drawing_while_off(connection):
        drawn[row.site].append(f"{row.machine} drew {row.wh / 1000:.3f} kWh on {row.day}")
    for site, lines in drawn.items():
        stop(connection, site=site, why=f"read to be off, and not at rest: {', '.join(lines)}", now=now)


def tell_of_late_resume(connection: sa.Connection, *, command: Command, why: str, now: datetime) -> None:
    """A machine that should run again still does not after an hour."""
    name = f"{command.site} {command.machine}"
    task = Task(
        subject=f"{name} does not run again",
        what="Switch it on at the site. It is commanded again every few minutes.",
        why=f"It is to run again since {command.requested_at:%Y-%m-%d %H:%M} UTC ({command.reason}): {why}.",
        due_by=now + SOON,
        ways_on=(WayOn(words="When it runs", job="finish_task", form=(("key", f"resume:{name}"),)),),
    )
    open_tasks(connection, tasks=[OwnedTask(key=f"resume:{name}", owner=OPERATIONS, task=task)], now=now)


def close_late_resume(connection: sa.Connection, *, command: Command, now: datetime) -> None:
    """It runs."""
    close_tasks(connection, keys=[f"resume:{command.site} {command.machine}"], why="it was read to be on", now=now)


def ask_to_sign_off(connection: sa.Connection, *, countries: Sequence[str], now: datetime) -> None:
    """Somebody must say whether machines may be paused in a country; until then the chain ends in this task."""
    tasks = [
        OwnedTask(
            key=f"sign off:{country}",
            owner=FINANCE,
            task=Task(
                subject=f"may machines be paused in {country}?",
                what="Find out with counsel whether the law of the country allows it, and with which notice. If it"
                " does, sign it off; if not, write the debts off or agree with the customers.",
                why=f"A pause is due that concerns {country}, and nobody has signed off pauses there.",
                due_by=now + timedelta(days=10),
                ways_on=(
                    WayOn(
                        words="If machines may be paused there",
                        job="sign_off_country",
                        form=(("country", country), ("until", "<the last day>"), ("reference", "<the opinion>")),
                    ),
                ),
            ),
        )
        for country in countries
    ]
    open_tasks(connection, tasks=tasks, now=now)


def tell_of_unknown(connection: sa.Connection, *, now: datetime) -> None:
    """Pauses of which nobody knows for an hour whether they worked."""
    open_tasks(
        connection, tasks=[_unknown(row, now=now) for row in queries.in_doubt(connection, before=now - LONG)], now=now
    )


def _unknown(row: SentCommand, *, now: datetime) -> OwnedTask:
    name = f"{row.site} {row.machine}"
    return OwnedTask(
        key=f"unknown:{row.command_id}",
        owner=OPERATIONS,
        customer=row.customer,
        task=Task(
            subject=f"nobody knows whether {name} is off",
            what="See at the site whether it is on or off. It is read again with every run.",
            why=f"It was commanded off at {row.commanded_at:%Y-%m-%d %H:%M} UTC, and its state can't be read since.",
            due_by=now + SOON,
            ways_on=(WayOn(words="When it is known", job="finish_task", form=(("key", f"unknown:{row.command_id}"),)),),
        ),
    )
