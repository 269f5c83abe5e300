"""Sites whose control can't be trusted, and what their people are told."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime, timedelta

import sqlalchemy as sa

from albacore_pipeline.effects import audit
from albacore_pipeline.escalation.letters.facts import Task, WayOn
from albacore_pipeline.escalation.tasks import OwnedTask, close_tasks, open_tasks
from albacore_pipeline.machine_power import queries
from albacore_pipeline.machine_power.queries import Command
from albacore_pipeline.registry.stages import OPERATIONS

SOON = timedelta(hours=4)


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
