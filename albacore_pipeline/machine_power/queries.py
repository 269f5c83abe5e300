"""The queries of `sql/machine_power/`, typed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

import sqlalchemy as sa

from albacore_pipeline.data_centres.interface import PowerState
from albacore_pipeline.database.rows import as_json, execute, row, row_or_none, rows

Action = Literal["pause", "resume"]
Outcome = Literal["requested", "sent", "verified", "cancelled", "failed"]
Answer = Literal["done", "was off already", "not done"]

# Plans


@dataclass(frozen=True, kw_only=True)
class PlannedMachine:
    """A machine of a plan whose day has come, not commanded yet, and the documents that stand behind it."""

    plan_id: int
    customer: str
    machine_id: int
    site: str
    machine: str
    numbers: Sequence[str]


@dataclass(frozen=True, kw_only=True)
class StandingPlan:
    """A plan that stands, with its machines as `site machine`."""

    plan_id: int
    sha256: str
    not_before: date
    machines: Sequence[str]


@dataclass(frozen=True, kw_only=True)
class PlanSize:
    """How many machines of a site a plan has, of which nobody was asked to approve it."""

    plan_id: int
    customer: str
    policy: str
    site: str
    machines: int


def due_plans(connection: sa.Connection, *, now: datetime) -> list[PlannedMachine]:
    """What plans whose day has come have left to command."""
    return rows(connection, "machine_power/due_plans", PlannedMachine, now=now)


@dataclass(frozen=True, kw_only=True)
class NextPlan:
    """A plan whose day is to come."""

    plan_id: int
    customer: str
    not_before: date


def next_plan(connection: sa.Connection, *, now: datetime) -> NextPlan | None:
    """The plan whose day comes next."""
    return row_or_none(connection, "machine_power/next_plan", NextPlan, now=now)


def plan_of(connection: sa.Connection, *, customer: str) -> list[StandingPlan]:
    """The plans of a customer that stand."""
    return rows(connection, "machine_power/plan_of", StandingPlan, customer=customer)


def plans_without_approval(connection: sa.Connection) -> list[PlanSize]:
    """Plans of which nobody was asked to approve them, by site."""
    return rows(connection, "machine_power/plans_without_approval", PlanSize)


# Approvals


@dataclass(frozen=True, kw_only=True)
class Approval:
    """What a person was asked to approve; `code_hash` is of the code that left last."""

    plan_id: int
    approver: str
    code_hash: str | None
    tries: int
    approved_at: datetime | None
    customer: str
    closed_at: datetime | None
    actor: str | None


def insert_approval(connection: sa.Connection, *, plan_id: int, approver: str, effect_id: int, now: datetime) -> int:
    """Ask a person to approve a plan; 0 where he was asked."""
    return execute(
        connection, "machine_power/insert_approval", plan_id=plan_id, approver=approver, effect_id=effect_id, now=now
    )


def draw_code(connection: sa.Connection, *, effect_id: int, code_hash: str) -> int:
    """Keep the hash of the code that leaves now; 0 where the plan is over or approved by him."""
    return execute(connection, "machine_power/draw_code", effect_id=effect_id, code_hash=code_hash)


def approval(connection: sa.Connection, *, plan_id: int) -> list[Approval]:
    """What people were asked about a plan; locked until the transaction ends."""
    return rows(connection, "machine_power/approval", Approval, plan_id=plan_id)


def note_try(connection: sa.Connection, *, plan_id: int, approver: str, right: bool, actor: str, now: datetime) -> int:
    """Count a try of a code; a right one approves."""
    return execute(
        connection, "machine_power/note_try", plan_id=plan_id, approver=approver, right=right, actor=actor, now=now
    )


# Commands


@dataclass(frozen=True, kw_only=True)
class NewCommand:
    """A command to a machine's power, and the effect that carries it out."""

    plan_id: int | None
    machine_id: int
    customer: str
    action: Action
    reason: str
    effect_id: int
    by_ticket: bool


@dataclass(frozen=True, kw_only=True)
class Pause:
    """A pause that an effect carries out, with what its gates ask about. `numbers` are the documents behind it."""

    effect_id: int
    command_id: int
    plan_id: int
    customer: str
    country: str
    machine_id: int
    site: str
    machine: str
    commanded_at: datetime | None
    still_theirs: bool
    numbers: Sequence[str]
    fell: str
    approvals: int


@dataclass(frozen=True, kw_only=True)
class Command:
    """A command that an effect carries out."""

    effect_id: int
    command_id: int
    plan_id: int | None
    action: Action
    customer: str
    machine_id: int
    site: str
    machine: str
    reason: str
    requested_at: datetime
    commanded_at: datetime | None
    by_ticket: bool


@dataclass(frozen=True, kw_only=True)
class SentCommand:
    """A command that was sent and not yet read back, or answered."""

    command_id: int
    site: str
    machine: str
    action: Action
    customer: str
    commanded_at: datetime


@dataclass(frozen=True, kw_only=True)
class StoppedMachine:
    """A machine that is off by our command and for which no plan stands; `holder` has it now, in that `state`."""

    machine_id: int
    site: str
    machine: str
    command_id: int
    customer: str
    holder: str | None
    state: str | None
    reason: str
    asked: int
    pending: bool


@dataclass(frozen=True, kw_only=True)
class SettledCommand:
    """What became of a command, and when it was given, if it was."""

    command_id: int
    outcome: Outcome
    sent_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class Reading:
    """A state that was read since a command."""

    command_id: int
    state: PowerState


def insert_commands(connection: sa.Connection, *, commands: Sequence[NewCommand], now: datetime) -> int:
    """Write commands; those whose effect has one already are left alone."""
    return execute(connection, "machine_power/insert_commands", commands=as_json(commands), now=now)


def pauses(connection: sa.Connection, *, effects: Sequence[int], now: datetime) -> list[Pause]:
    """The pauses that these effects carry out."""
    return rows(connection, "machine_power/pauses", Pause, effects=effects, now=now)


def commands(connection: sa.Connection, *, effects: Sequence[int]) -> list[Command]:
    """The commands that these effects carry out."""
    return rows(connection, "machine_power/commands", Command, effects=effects)


def resolve(connection: sa.Connection, *, commands: Sequence[int], now: datetime) -> int:
    """Note, before the commands, that they are given; machines with an interface were read to be on."""
    return execute(connection, "machine_power/resolve", commands=commands, now=now)


def settle_command(connection: sa.Connection, *, command_id: int, outcome: Outcome, sent_at: datetime | None) -> int:
    """Note what became of a command."""
    return execute(connection, "machine_power/settle_command", command_id=command_id, outcome=outcome, sent_at=sent_at)


def settle_commands(connection: sa.Connection, *, settled: Sequence[SettledCommand]) -> int:
    """Note what became of commands."""
    return execute(connection, "machine_power/settle_commands", settled=as_json(settled))


def note_readings(connection: sa.Connection, *, readings: Sequence[Reading], now: datetime) -> int:
    """Note states that were read; one as wanted verifies its command."""
    return execute(connection, "machine_power/note_readings", readings=as_json(readings), now=now)


def unverified(connection: sa.Connection) -> list[SentCommand]:
    """Commands that were sent and not yet read back."""
    return rows(connection, "machine_power/unverified", SentCommand)


def in_doubt(connection: sa.Connection, *, before: datetime) -> list[SentCommand]:
    """Pauses from before an instant of which nobody knows whether they worked."""
    return rows(connection, "machine_power/in_doubt", SentCommand, before=before)


@dataclass(frozen=True, kw_only=True)
class TicketFacts:
    """What a ticket asks before it leaves; `stands`: a plan stands for its machine."""

    command_id: int
    action: Action
    stands: bool
    forbidden: bool


def ticket_facts(connection: sa.Connection, *, commands: Sequence[int], now: datetime) -> list[TicketFacts]:
    """What these tickets ask before they leave."""
    return rows(connection, "machine_power/ticket_facts", TicketFacts, commands=commands, now=now)


def open_tickets(connection: sa.Connection) -> list[SentCommand]:
    """Tickets that left and that nobody has answered."""
    return rows(connection, "machine_power/open_tickets", SentCommand)


def close_reminders(connection: sa.Connection, *, about: str, but: str, now: datetime) -> int:
    """End the reminders of a ticket, but for one; how many."""
    return execute(connection, "machine_power/close_reminders", about=about, but=but, now=now)


def due_commands(connection: sa.Connection, *, action: Action, with_interface: Sequence[str], now: datetime) -> int:
    """How many commands wait to be sent, or to be read back at the sites that have an interface."""
    return row(connection, "machine_power/due_commands", int, action=action, with_interface=with_interface, now=now)


def to_resume(connection: sa.Connection, *, now: datetime) -> list[StoppedMachine]:
    """Machines that are off by our command and for which no plan stands any more."""
    return rows(connection, "machine_power/to_resume", StoppedMachine, now=now)


def confirm_power_state(
    connection: sa.Connection, *, site: str, machine: str, action: Action, answer: Answer, now: datetime
) -> list[int]:
    """A person's word on a ticket; the commands that it settled."""
    return rows(
        connection, "machine_power/confirm_power_state", int,
        site=site, machine=machine, action=action, answer=answer, now=now,
    )  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class LastPause:
    """The last pause of a machine that we resolved to."""

    command_id: int
    customer: str


def known_machine(connection: sa.Connection, *, site: str, machine: str) -> int | None:
    """A machine by its site and name."""
    return row_or_none(connection, "machine_power/known_machine", int, site=site, machine=machine)


def last_pause(connection: sa.Connection, *, machine_id: int) -> LastPause | None:
    """The last pause of a machine that we resolved to."""
    return row_or_none(connection, "machine_power/last_pause", LastPause, machine_id=machine_id)


def resumes_asked(connection: sa.Connection, *, command_id: int) -> int:
    """How often what a command paused was asked to run again."""
    return row(connection, "machine_power/resumes_asked", int, command_id=command_id)


@dataclass(frozen=True, kw_only=True)
class Change:
    """What became of a machine's power."""

    site: str
    machine: str
    action: Action
    outcome: Outcome
    reason: str


def changes(connection: sa.Connection, *, since: datetime) -> list[Change]:
    """What became of machines' power since an instant."""
    return rows(connection, "machine_power/changes", Change, since=since)


def last_commanded(connection: sa.Connection) -> datetime | None:
    """When a machine was last commanded, as far as the database knows."""
    return row_or_none(connection, "machine_power/last_commanded", datetime)


def is_known(connection: sa.Connection, *, site: str, machine: str, action: Action, at: datetime) -> bool:
    """Whether the database knows a command, or not even its machine."""
    return row(connection, "machine_power/is_known", bool, site=site, machine=machine, action=action, at=at)


def adopt_command(
    connection: sa.Connection, *, site: str, machine: str, customer: str, action: Action, at: datetime, by_ticket: bool
) -> int:
    """Write a command that the journal knows."""
    return execute(
        connection, "machine_power/adopt_command",
        site=site, machine=machine, customer=customer, action=action, at=at, by_ticket=by_ticket,
    )  # fmt: skip


# What customers are told


@dataclass(frozen=True, kw_only=True)
class PausedMachine:
    """A machine that was read to be off, a document it stands for, and whose it is."""

    command_id: int
    customer: str
    number: str
    machine_id: int
    site: str
    machine: str


@dataclass(frozen=True, kw_only=True)
class RunningMachine:
    """A machine that was read to be on again, and why; `number` is a document it stood for."""

    command_id: int
    customer: str
    reason: str
    site: str
    machine: str
    number: str


@dataclass(frozen=True, kw_only=True)
class Reader:
    """Whom a letter to a customer goes to."""

    name: str
    email: str
    language: str
    currency: str
    creditor: str


def reader(connection: sa.Connection, *, customer: str) -> Reader:
    """Whom a letter to a customer goes to, as last known."""
    return row(connection, "machine_power/reader", Reader, customer=customer)


def newly_paused(connection: sa.Connection) -> list[PausedMachine]:
    """Machines of whose pause the customer has not heard yet."""
    return rows(connection, "machine_power/newly_paused", PausedMachine)


def newly_running(connection: sa.Connection, *, now: datetime) -> list[RunningMachine]:
    """Machines of whose resume the customer has not heard yet."""
    return rows(connection, "machine_power/newly_running", RunningMachine, now=now)


@dataclass(frozen=True, kw_only=True)
class WithdrawnPlan:
    """A plan that is over though nothing was paused, with one reason."""

    plan_id: int
    customer: str
    made_at: datetime
    why: str
    numbers: Sequence[str]


def newly_withdrawn(connection: sa.Connection) -> list[WithdrawnPlan]:
    """Plans that were announced and are off, of which the customer has not heard yet."""
    return rows(connection, "machine_power/newly_withdrawn", WithdrawnPlan)


def note_withdrawn(connection: sa.Connection, *, plans: Sequence[int], now: datetime) -> int:
    """The customer has been told."""
    return execute(connection, "machine_power/note_withdrawn", plans=plans, now=now)


def note_told(connection: sa.Connection, *, commands: Sequence[int], now: datetime) -> int:
    """The customer has been told."""
    return execute(connection, "machine_power/note_told", commands=commands, now=now)


# What forbids


@dataclass(frozen=True, kw_only=True)
class PausedToday:
    """How many machines of a customer we resolved to pause at a site since its local midnight."""

    site: str
    customer: str
    machines: int


@dataclass(frozen=True, kw_only=True)
class Fleet:
    """How many machines a site has."""

    site: str
    machines: int


@dataclass(frozen=True, kw_only=True)
class SiteStop:
    """A site at which nothing is paused, and why."""

    site: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class DrawnWhileOff:
    """Wh that a machine drew on a day in whole hours in which it was read to be off."""

    site: str
    machine: str
    day: date
    wh: int


def commanded_today(connection: sa.Connection, *, but: Sequence[int], now: datetime) -> list[PausedToday]:
    """The blast radius so far, without the machines of these effects."""
    return rows(connection, "machine_power/commanded_today", PausedToday, but=but, now=now)


def fleet(connection: sa.Connection) -> list[Fleet]:
    """How many machines each site has."""
    return rows(connection, "machine_power/fleet", Fleet)


def kill_switch(connection: sa.Connection) -> bool:
    """Whether no machine may be paused at all."""
    return row(connection, "machine_power/kill_switch", bool)


def set_kill_switch(connection: sa.Connection, *, is_on: bool, reason: str, actor: str, now: datetime) -> int:
    """Turn the kill switch."""
    return execute(connection, "machine_power/set_kill_switch", is_on=is_on, reason=reason, actor=actor, now=now)


def neighbours(connection: sa.Connection, *, site: str, machine: str) -> list[str]:
    """Up to ten machines whose names stand nearest to a machine's, of those that we have not stopped."""
    return rows(connection, "machine_power/neighbours", str, site=site, machine=machine)


def site_stops(connection: sa.Connection) -> list[SiteStop]:
    """Sites at which nothing is paused."""
    return rows(connection, "machine_power/site_stops", SiteStop)


def drawing_while_off(connection: sa.Connection) -> list[DrawnWhileOff]:
    """Machines that drew power while they were off, by readings since somebody last looked at their site."""
    return rows(connection, "machine_power/drawing_while_off", DrawnWhileOff)


def stop_site(connection: sa.Connection, *, site: str, reason: str, now: datetime) -> list[str]:
    """Pause nothing more at a site; empty where it is stopped already."""
    return rows(connection, "machine_power/stop_site", str, site=site, reason=reason, now=now)


def clear_site_stop(connection: sa.Connection, *, site: str, actor: str, now: datetime) -> int:
    """Let pausing at a site go on; 0 where it was not stopped."""
    return execute(connection, "machine_power/clear_site_stop", site=site, actor=actor, now=now)


def signed_countries(connection: sa.Connection, *, now: datetime) -> list[str]:
    """Countries in which machines may be paused, as people have confirmed."""
    return rows(connection, "machine_power/signed_countries", str, now=now)


def sign_off_country(
    connection: sa.Connection, *, country: str, actor: str, reference: str, until_on: date, now: datetime
) -> int:
    """A person confirms that machines may be paused in a country."""
    return execute(
        connection, "machine_power/sign_off_country",
        country=country, actor=actor, reference=reference, until_on=until_on, now=now,
    )  # fmt: skip


def database_time(connection: sa.Connection) -> datetime:
    """The time that the database's host has."""
    return row(connection, "machine_power/database_time", datetime)
