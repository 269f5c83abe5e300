"""Machines in repair: what no plan stands for any more, and yet is not switched on by us."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa

from albacore_pipeline.escalation.letters.facts import Task, WayOn
from albacore_pipeline.escalation.tasks import OwnedTask, open_tasks
from albacore_pipeline.machine_power.queries import StoppedMachine
from albacore_pipeline.registry.stages import OPERATIONS


def give_tasks(connection: sa.Connection, machines: Sequence[StoppedMachine], *, now: datetime) -> None:
    """A task for each, until it is out of repair, or a person resumes it."""
    open_tasks(connection, tasks=[_task(machine, now=now) for machine in machines], now=now)


def _task(machine: StoppedMachine, *, now: datetime) -> OwnedTask:
    form = (("site", machine.site), ("machine", machine.machine))
    return OwnedTask(
        key=f"repair:{machine.command_id}",
        owner=OPERATIONS,
        customer=machine.holder,
        task=Task(
            subject=f"{machine.site} {machine.machine} is in repair and may run again",
            what="Nothing stops it any more, and we don't switch on what somebody may have his hands in."
            " It is switched on by itself once the registry says that it is out of repair.",
            why=machine.reason,
            due_by=now + timedelta(days=5),
            ways_on=(WayOn(words="If it may run now", job="resume_machine", form=form),),
        ),
    )
