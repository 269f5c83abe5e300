"""What a person decides about pauses and machines."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Literal

import sqlalchemy as sa
from pydantic import Field

from albacore_pipeline.database import locks
from albacore_pipeline.effects.acts import Done, OperatorForm
from albacore_pipeline.escalation import plans
from albacore_pipeline.escalation.letters.facts import Task, WayOn
from albacore_pipeline.escalation.tasks import OwnedTask, close_tasks, open_tasks
from albacore_pipeline.machine_power import approvals, queries
from albacore_pipeline.machine_power.plan import resume
from albacore_pipeline.machine_power.queries import StoppedMachine
from albacore_pipeline.machine_power.tickets import close_reminders
from albacore_pipeline.registry.stages import FINANCE
from albacore_pipeline.sites import SITES

VETOED = "vetoed"


class ApprovePause(OperatorForm):
    """One of two approvals of a plan, by the code that was mailed."""

    plan: int = Field(description="the plan's number, as the mail has it")
    approver: str = Field(description="the mailbox that the code was sent to")
    code: str = Field(description="the one-time code of the mail")


def approve_pause(connection: sa.Connection, form: ApprovePause, now: datetime) -> Done:
    """One of two approvals of a plan that exceeds what may be paused in a day."""
    answer = approvals.approve(
        connection, plan_id=form.plan, approver=form.approver, code=form.code, actor=form.actor, now=now
    )
    if isinstance(answer, approvals.WrongCode):
        details = {"approver": form.approver, "plan": form.plan, "right": False}
        return Done(subject=f"plan {form.plan}", details=details, words=str(answer), refused=str(answer))
    return Done(
        subject=answer,
        details={"approver": form.approver, "plan": form.plan, "right": True},
        words=f"{form.approver} approves plan {form.plan}, the pause of {answer}",
    )


class VetoPause(OperatorForm):
    """Whose pause is stopped."""

    customer: str
    number: str = Field("", description="only for this document; empty: the whole plan")


def veto_pause(connection: sa.Connection, form: VetoPause, now: datetime) -> Done:
    """Stop a pause for good, before or after it was carried out; what it stopped runs again.

    The cases stand until `reopen_case`; finance has the task to say how they go on.
    """
    locks.hold(connection, locks.ESCALATION)
    struck = plans.strike(
        connection, customer=form.customer, number=form.number or None, why=f"{VETOED}: {form.reason}", now=now
    )
    if not struck:
        raise LookupError(f"no pause of {form.number or form.customer} stands")
    task = Task(
        subject=f"the pause of {form.customer} was vetoed",
        what="Decide how it goes on: reopen the case of each document, write it off, or place a hold.",
        why=form.reason,
        due_by=now + timedelta(days=10),
        ways_on=tuple(
            WayOn(words=f"If {number} goes on", job="reopen_case", form=(("number", number), ("stage", "")))
            for number in struck
        ),
    )
    owned = OwnedTask(key=f"veto:{form.customer}:{now:%Y-%m-%d}", owner=FINANCE, customer=form.customer, task=task)
    open_tasks(connection, tasks=[owned], now=now)
    return Done(subject=form.customer, details={"documents": struck}, words=f"the pause of {form.customer} is vetoed")


class ConfirmPowerState(OperatorForm):
    """What became of a ticket."""

    site: str
    machine: str
    action: Literal["pause", "resume"] = Field(description="what the ticket asked for")
    answer: Literal["done", "was off already", "not done"] = Field("done", description="what became of it")


def confirm_power_state(connection: sa.Connection, form: ConfirmPowerState, now: datetime) -> Done:
    """A person's word on a ticket, for a site without an interface."""
    if form.answer == "was off already" and form.action == "resume":
        raise ValueError("a machine that is to be resumed and is off is not done: answer `not done`")
    _known(connection, form.site, form.machine)
    settled = queries.confirm_power_state(
        connection, site=form.site, machine=form.machine, action=form.action, answer=form.answer, now=now
    )
    if not settled:
        raise LookupError(f"no {form.action} of {form.site} {form.machine} waits for a confirmation")
    for command_id in settled:
        close_reminders(connection, command_id=command_id, now=now)
    return Done(
        subject=f"{form.site} {form.machine}",
        details={"action": form.action, "answer": form.answer},
        words=f"{form.action} of {form.site} {form.machine}: {form.answer}",
    )


def _known(connection: sa.Connection, site: str, machine: str) -> int:
    if site not in SITES:
        raise LookupError(f"{site} is no site: {', '.join(SITES)}")
    machine_id = queries.known_machine(connection, site=site, machine=machine)
    if machine_id is None:
        raise LookupError(f"{site} knows no machine {machine}")
    return machine_id


class ResumeMachine(OperatorForm):
    """Which machine runs again, by a person's word."""

    site: str
    machine: str


def resume_machine(connection: sa.Connection, form: ResumeMachine, now: datetime) -> Done:
    """Switch a machine on that a pause of ours stopped, whatever the registry or a plan says; the plan loses it."""
    locks.hold(connection, locks.ESCALATION)
    machine_id = _known(connection, form.site, form.machine)
    last = queries.last_pause(connection, machine_id=machine_id)
    if last is None:
        raise LookupError(f"{form.site} {form.machine} was never paused by us: switch it on at the site")
    plans.strike_machine(connection, machine_id=machine_id, why=f"resumed by {form.actor}: {form.reason}", now=now)
    stopped = StoppedMachine(
        machine_id=machine_id, site=form.site, machine=form.machine, command_id=last.command_id,
        customer=last.customer, holder=None, state=None, reason=f"a person's word: {form.reason}",
        asked=queries.resumes_asked(connection, command_id=last.command_id), pending=False,
    )  # fmt: skip
    resume(connection, [stopped], now=now)
    name = f"{form.site} {form.machine}"
    return Done(subject=name, details={"pause": last.command_id}, words=f"{name} will be switched on")


class SetKillSwitch(OperatorForm):
    """Whether pauses are stopped everywhere."""

    on: bool = Field(description="true: no machine is paused any more")


def set_kill_switch(connection: sa.Connection, form: SetKillSwitch, now: datetime) -> Done:
    """Stop every pause at once, or allow them again. Resuming is never stopped."""
    queries.set_kill_switch(connection, is_on=form.on, reason=form.reason, actor=form.actor, now=now)
    return Done(
        subject="kill switch", details={"on": form.on}, words=f"the kill switch is {'on' if form.on else 'off'}"
    )


class ClearSiteStop(OperatorForm):
    """At which site pausing goes on."""

    site: str


def clear_site_stop(connection: sa.Connection, form: ClearSiteStop, now: datetime) -> Done:
    """Somebody has looked at a site whose control disobeyed: pausing there goes on."""
    if not queries.clear_site_stop(connection, site=form.site, actor=form.actor, now=now):
        raise LookupError(f"pausing at {form.site} is not stopped")
    close_tasks(connection, keys=[f"site:{form.site}"], why=form.reason, actor=form.actor, now=now)
    return Done(subject=form.site, words=f"pausing at {form.site} goes on")


class SignOffCountry(OperatorForm):
    """For which country somebody has confirmed that machines may be paused."""

    country: str = Field(description="ISO 3166, of customers or of a site", pattern=r"^[A-Z]{2}$")
    until: str = Field(description="the last day, as 2026-12-31", pattern=r"^\d{4}-\d{2}-\d{2}$")
    reference: str = Field(description="the opinion or file that it rests on", min_length=1)


def sign_off_country(connection: sa.Connection, form: SignOffCountry, now: datetime) -> Done:
    """Record that machines of debtors may be paused in a country: who says so, until when, on which ground."""
    until = date.fromisoformat(form.until)
    if until < now.date():
        raise ValueError(f"{until} is over: give a day to come")
    queries.sign_off_country(
        connection, country=form.country, actor=form.actor, reference=form.reference, until_on=until, now=now
    )
    details = {"until": until, "reference": form.reference}
    return Done(subject=form.country, details=details, words=f"pauses in {form.country} are signed off until {until}")
