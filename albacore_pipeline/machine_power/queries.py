"""The queries of `sql/machine_power/`, typed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import sqlalchemy as sa

from albacore_pipeline.database.rows import execute, row, rows

Action = Literal["pause", "resume"]


@dataclass(frozen=True, kw_only=True)
class Command:
    """A command with all that its gates ask about; `closed_at` of the case that it stands in."""

    command_id: int
    action: Action
    customer: str
    outcome: str
    machine_id: int
    site: str
    machine: str
    closed_at: datetime | None
    still_theirs: bool


@dataclass(frozen=True, kw_only=True)
class SentCommand:
    """A command that was sent and not yet read back."""

    command_id: int
    site: str
    machine: str
    action: Action
    customer: str


@dataclass(frozen=True, kw_only=True)
class StoppedMachine:
    """A machine that stands still by our command, and why that case is closed."""

    command_id: int
    step_id: int
    machine_id: int
    customer: str
    site: str
    machine: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class PausedToday:
    """How many machines of a customer were asked to pause at a site since its local midnight."""

    site: str
    customer: str
    machines: int


@dataclass(frozen=True, kw_only=True)
class Fleet:
    """How many machines a site has."""

    site: str
    machines: int


def due_pauses(connection: sa.Connection, *, now: datetime) -> list[str]:
    """Customers whose scheduled pause may be carried out."""
    return rows(connection, "machine_power/due_pauses", str, now=now)


def commanded_today(connection: sa.Connection, *, now: datetime) -> list[PausedToday]:
    """The blast radius so far: pauses asked for at each site since its local midnight, and whose."""
    return rows(connection, "machine_power/commanded_today", PausedToday, now=now)


def fleet(connection: sa.Connection) -> list[Fleet]:
    """How many machines each site has."""
    return rows(connection, "machine_power/fleet", Fleet)


def insert_command(
    connection: sa.Connection,
    *,
    step_id: int,
    machine_id: int,
    customer: str,
    action: Action,
    reason: str,
    effect_id: int,
    now: datetime,
) -> int:
    """Write a command to a machine's power, once a step; its effect carries it out."""
    return execute(
        connection, "machine_power/insert_command",
        step_id=step_id, machine_id=machine_id, customer=customer, action=action, reason=reason, effect_id=effect_id,
        now=now,
    )  # fmt: skip


def command(connection: sa.Connection, *, effect_id: int, now: datetime) -> Command:
    """The command that an effect carries out."""
    return row(connection, "machine_power/command", Command, effect_id=effect_id, now=now)


def settle_command(
    connection: sa.Connection,
    *,
    command_id: int,
    outcome: str,
    sent_at: datetime | None,
    verified_at: datetime | None,
) -> int:
    """Note what became of a command."""
    return execute(
        connection, "machine_power/settle_command",
        command_id=command_id, outcome=outcome, sent_at=sent_at, verified_at=verified_at,
    )  # fmt: skip


def unverified(connection: sa.Connection) -> list[SentCommand]:
    """Commands that were sent and not yet read back."""
    return rows(connection, "machine_power/unverified", SentCommand)


def due_commands(connection: sa.Connection, *, action: Action, with_interface: Sequence[str], now: datetime) -> int:
    """How many commands wait to be sent, or to be read back at the sites that have an interface."""
    return row(connection, "machine_power/due_commands", int, action=action, with_interface=with_interface, now=now)


def to_resume(connection: sa.Connection) -> list[StoppedMachine]:
    """Machines that stand still by our command and whose case is closed."""
    return rows(connection, "machine_power/to_resume", StoppedMachine)


def confirm_power_state(connection: sa.Connection, *, site: str, machine: str, action: Action, now: datetime) -> int:
    """A person's word that a command was carried out; how many commands it settled."""
    return execute(connection, "machine_power/confirm_power_state", site=site, machine=machine, action=action, now=now)


def kill_switch(connection: sa.Connection) -> bool:
    """Whether no machine may be paused at all."""
    return row(connection, "machine_power/kill_switch", bool)


def set_kill_switch(connection: sa.Connection, *, is_on: bool, reason: str, actor: str, now: datetime) -> int:
    """Turn the kill switch."""
    return execute(connection, "machine_power/set_kill_switch", is_on=is_on, reason=reason, actor=actor, now=now)


def veto(connection: sa.Connection, *, customer: str) -> int:
    """Stop a customer's scheduled pause; how many there were."""
    return execute(connection, "machine_power/veto", customer=customer)


def ask_approval(connection: sa.Connection, *, case_id: int, approver: str, sha256: str, now: datetime) -> int:
    """Ask a person to approve a pause; 0 where he was asked within a day."""
    return execute(connection, "machine_power/ask_approval", case_id=case_id, approver=approver, sha256=sha256, now=now)


def approve(connection: sa.Connection, *, customer: str, approver: str, sha256: str, now: datetime) -> int:
    """Take a person's approval by the code of today's mail; 0 for a code that does not fit."""
    return execute(connection, "machine_power/approve", customer=customer, approver=approver, sha256=sha256, now=now)


def approvals(connection: sa.Connection, *, customer: str, now: datetime) -> int:
    """How many people have approved the pause of a customer's open case."""
    return row(connection, "machine_power/approvals", int, customer=customer, now=now)
