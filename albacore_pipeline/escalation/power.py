"""Switching machines: the gates before every pause, the read-back after it, and resuming.

Pausing fails closed: every gate is asked again at the moment of the command, and anything unknown leaves the machine
on. Resuming fails open: it asks only whether the machine stands still by our command.
"""

from __future__ import annotations

import time as real_time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from albacore_pipeline.data_centres.interface import PowerControl, PowerFailure, PowerState
from albacore_pipeline.database import sql
from albacore_pipeline.effects import audit
from albacore_pipeline.effects.mail import MAIL
from albacore_pipeline.effects.outbox import Cancelled, Done, Effect, Later, Outcome, Unknown, prepare
from albacore_pipeline.escalation.approvals import approved, ask
from albacore_pipeline.escalation.evaluate import Close, Enter, Wait, evaluate, standing, undelivered
from albacore_pipeline.escalation.store import Case, cases, enter
from albacore_pipeline.invoicing.payments import watch_payments
from albacore_pipeline.invoicing.xero import Xero, XeroError
from albacore_pipeline.periods import Clock
from albacore_pipeline.registry.policies import Stage
from albacore_pipeline.sites import Site, TicketControl

PAUSE, RESUME = "power.pause", "power.resume"
WANTED = {"pause": PowerState.OFF, "resume": PowerState.ON}
READ_BACK = timedelta(seconds=45)  # how long a machine may take to change its state


@dataclass(frozen=True, kw_only=True)
class Controls:
    """The sites and their power controls; a site without one is switched by a ticket to its operations."""

    sites: Mapping[str, Site]
    control_of: Callable[[str], PowerControl]


@dataclass(kw_only=True)
class PowerKind:
    """What pausing and resuming share: one machine at a time, by interface or by ticket."""

    controls: Controls
    engine: sa.Engine
    clock: Clock
    name: str
    batch: int = 10

    def look_up(self, effects: Sequence[Effect]) -> list[Outcome]:
        """Read the power state: a machine that is as we wanted it needs no second command."""
        return [self._find(effect) for effect in effects]

    def send(self, effects: Sequence[Effect]) -> list[Outcome]:
        """Command machine after machine."""
        return [self._send(effect) for effect in effects]

    def settle(self, connection: sa.Connection, *, effect: Effect, outcome: Outcome, now: datetime) -> None:
        """Note on the command what became of it."""
        command = sql(connection, "escalation/command", effect_id=effect.effect_id, now=now).one()
        if isinstance(outcome, Done):
            sql(
                connection,
                "escalation/settle_command",
                command_id=command.command_id,
                outcome="sent",
                sent_at=now,
                verified_at=None,
            )
        elif isinstance(outcome, Cancelled):
            sql(
                connection,
                "escalation/settle_command",
                command_id=command.command_id,
                outcome="cancelled",
                sent_at=None,
                verified_at=None,
            )
        else:
            return
        details = {
            "outcome": type(outcome).__name__,
            "answer": dict(outcome.answer) if isinstance(outcome, Done) else outcome.reason,
        }
        audit.record(
            connection, now=now, action=effect.kind, subject=f"{command.site} {command.machine}", details=details
        )

    def _command(self, effect: Effect) -> Any:
        with self.engine.connect() as connection:
            return sql(connection, "escalation/command", effect_id=effect.effect_id, now=self.clock.now()).one()

    def _find(self, effect: Effect) -> Outcome:
        command = self._command(effect)
        if isinstance(self.controls.sites[command.site].control, TicketControl):
            return Later("writing the ticket again is the same ticket")
        try:
            state = self.controls.control_of(command.site).power_state(command.machine)
        except PowerFailure as error:
            return self._unreadable(error)
        return Done({"found": state}) if state is WANTED[command.action] else Later(f"the machine is {state}")

    def _unreadable(self, error: PowerFailure) -> Outcome:
        """What follows while nobody can say whether an earlier command worked."""
        raise NotImplementedError

    def _send(self, effect: Effect) -> Outcome:
        raise NotImplementedError

    def _switch(self, command: Any, effect: Effect) -> Outcome:
        site = self.controls.sites[command.site]
        if isinstance(site.control, TicketControl):
            return Done({"ticket": self._write_ticket(command, effect, site.control.mailbox)})
        control = self.controls.control_of(command.site)
        try:
            (control.power_off if command.action == "pause" else control.power_on)(command.machine)
        except PowerFailure as error:
            return Unknown(str(error))  # it may have worked all the same
        return Done({"commanded": command.action})

    def _write_ticket(self, command: Any, effect: Effect, mailbox: str) -> str:
        verb = {"pause": "switch off", "resume": "switch on"}[command.action]
        text = (
            f"Please {verb} machine {command.machine} at {command.site}.\n\nWhen it is done, confirm it in Dagster:"
            f" job confirm_power_state with site {command.site}, machine {command.machine}, action {command.action}.\n"
        )
        payload = {"to": mailbox, "subject": f"Ticket: {verb} {command.machine}", "text": text, "attachments": []}
        key = f"mail:ticket:{effect.business_key}"
        with self.engine.begin() as connection:
            prepare(connection, kind=MAIL, business_key=key, payload=payload, now=self.clock.now())
        return key


@dataclass(kw_only=True)
class PauseKind(PowerKind):
    """Switching off, behind every gate."""

    xero: Xero
    name: str = PAUSE

    def _unreadable(self, error: PowerFailure) -> Outcome:
        return Unknown(str(error))  # else a machine that we did switch off would pass for somebody else's

    def _send(self, effect: Effect) -> Outcome:
        command = self._command(effect)
        red = self._closed_gate(command)
        if red is not None:
            return red
        if not isinstance(self.controls.sites[command.site].control, TicketControl):
            try:
                if self.controls.control_of(command.site).power_state(command.machine) is PowerState.OFF:
                    return Cancelled("it was off already, not by us")
            except PowerFailure as error:
                return Later(str(error))
        return self._switch(command, effect)

    def _closed_gate(self, command: Any) -> Outcome | None:
        """The first gate that is not green, as what follows from it; None when all are."""
        now = self.clock.now()
        if command.closed_at is not None:
            return Cancelled("the debt is settled")
        if not command.still_theirs:
            return Cancelled("the machine is no longer the debtor's")
        if not may_pause_now(self.controls.sites[command.site], now):
            return Later("outside the site's hours for pauses", timedelta(minutes=30))
        try:
            watch_payments(engine=self.engine, xero=self.xero, clock=self.clock, customer=command.customer)
        except XeroError as error:
            return Later(f"no live word from Xero: {error}")
        with self.engine.connect() as connection:
            if sql(connection, "escalation/kill_switch").scalar_one():
                return Later("the kill switch is on", timedelta(minutes=30))
            machines = {
                row.machine_id for row in sql(connection, "escalation/pausable", customer=command.customer, now=now)
            }
            case = next(iter(cases(connection, now=now, customer=command.customer)), None)
        return _debt_stands(case, now=now) or (
            None if command.machine_id in machines else Cancelled("the machine is on no overdue document")
        )


@dataclass(kw_only=True)
class ResumeKind(PowerKind):
    """Switching on; tried until it works."""

    name: str = RESUME

    def _unreadable(self, error: PowerFailure) -> Outcome:
        return Later(str(error))  # switching on twice does no harm

    def _send(self, effect: Effect) -> Outcome:
        return self._switch(self._command(effect), effect)


def _debt_stands(case: Case | None, *, now: datetime) -> Outcome | None:
    """None while the whole chain, every notice of it delivered, says that the customer is to be paused."""
    if case is None:
        return Cancelled("nothing is owed any more")
    debt = standing(facts=case.facts, policy=case.policy, as_of=now)
    if isinstance(debt, Close):
        return Cancelled(f"the debt is {debt.reason}")
    if isinstance(debt, Wait):
        return Later(debt.reason, timedelta(hours=1))
    if not any(step.stage is Stage.PAUSED for step in case.facts.steps):
        return Cancelled("the chain has not come to its end")
    missing = undelivered(case.facts.steps, as_of=now)
    return Later(f"the notice of stage {missing} is not delivered", timedelta(hours=1)) if missing else None


def may_pause_now(site: Site, now: datetime) -> bool:
    """Whether the site's hours for pauses are on."""
    local = now.astimezone(site.zone)
    return (
        local.weekday() in site.pause_hours.weekdays and site.pause_hours.begin <= local.time() < site.pause_hours.end
    )


@dataclass(frozen=True, kw_only=True)
class Planned:
    """What was planned for a customer whose pause is due: machines, or why none."""

    customer: str
    machines: list[str]
    refused: str = ""


def plan_pauses(*, engine: sa.Engine, xero: Xero, clock: Clock) -> list[Planned]:
    """Write the pauses that are due, each behind a live word from Xero, the whole chain and the blast radius."""
    with engine.connect() as connection:
        customers = [row.customer for row in sql(connection, "escalation/due_pauses", now=clock.now())]
    return [_plan(engine=engine, xero=xero, clock=clock, customer=customer) for customer in customers]


def _plan(*, engine: sa.Engine, xero: Xero, clock: Clock, customer: str) -> Planned:
    try:
        watch_payments(engine=engine, xero=xero, clock=clock, customer=customer)
    except XeroError as error:
        return Planned(customer=customer, machines=[], refused=f"no live word from Xero: {error}")
    now = clock.now()
    with engine.begin() as connection:
        connection.execute(sa.text("select pg_advisory_xact_lock(hashtext('albacore.escalate'))"))
        case = next(iter(cases(connection, now=now, customer=customer)), None)
        decision = evaluate(facts=case.facts, policy=case.policy, as_of=now) if case else Wait("nothing is owed")
        if case is None or not (isinstance(decision, Enter) and decision.stage is Stage.PAUSED):
            return Planned(
                customer=customer, machines=[], refused=getattr(decision, "reason", "the chain is not at its end")
            )
        machines = sql(connection, "escalation/pausable", customer=customer, now=now).all()
        refused = _over_cap(connection, case=case, machines=machines, now=now)
        if refused and not approved(connection, customer=customer, now=now):
            names = [f"{machine.site} {machine.machine}" for machine in machines]
            ask(connection, customer=customer, policy=case.policy, machines=names, reason=refused, now=now)
            return Planned(customer=customer, machines=[], refused=f"{refused}: approve_pause, or wait")
        step_id = enter(connection, case=case, decision=decision, now=now)
        for machine in machines:
            _command(
                connection,
                step_id=step_id,
                machine=machine,
                customer=customer,
                action="pause",
                reason=f"unpaid {decision.number}",
                now=now,
            )
    return Planned(customer=customer, machines=[f"{machine.site} {machine.machine}" for machine in machines])


def _over_cap(connection: sa.Connection, *, case: Case, machines: Sequence[Any], now: datetime) -> str:
    """Why this pause would exceed the policy's blast radius today; empty when it stays below."""
    commanded = sql(connection, "escalation/commanded_today", now=now).all()
    customers = {row.customer for row in commanded} | {case.facts.customer}
    if len(customers) > case.policy.customers_per_day:
        return f"more than {case.policy.customers_per_day} customers would be paused today"
    fleet = {row.site: row.machines for row in sql(connection, "escalation/fleet")}
    wanted = Counter(machine.site for machine in machines)
    for row in commanded:
        wanted[row.site] += row.machines
    for site, count in wanted.items():
        most = min(case.policy.machines_per_site_and_day, int(case.policy.share_of_site_and_day * fleet.get(site, 0)))
        if count > most:
            return f"{count} machines at {site} would be paused today, {most} are allowed"
    return ""


def _command(
    connection: sa.Connection,
    *,
    step_id: int | None,
    machine: Any,
    customer: str,
    action: str,
    reason: str,
    now: datetime,
) -> None:
    kind = PAUSE if action == "pause" else RESUME
    payload = {"site": machine.site, "machine": machine.machine, "customer": customer}
    effect_id = prepare(
        connection, kind=kind, business_key=f"{kind}:{step_id}:{machine.machine_id}", payload=payload, now=now
    )
    values = {
        "step_id": step_id,
        "machine_id": machine.machine_id,
        "customer": customer,
        "action": action,
        "reason": reason,
    }
    sql(connection, "escalation/insert_command", effect_id=effect_id, now=now, **values)


def plan_resumes(*, engine: sa.Engine, clock: Clock) -> list[str]:
    """Write a resume for every machine that stands still by our command and whose case is closed."""
    with engine.begin() as connection:
        machines = sql(connection, "escalation/to_resume").all()
        for machine in machines:
            _command(
                connection,
                step_id=machine.step_id,
                machine=machine,
                customer=machine.customer,
                action="resume",
                reason=machine.reason,
                now=clock.now(),
            )
    return [f"{machine.site} {machine.machine}" for machine in machines]


def read_back(
    *, engine: sa.Engine, controls: Controls, clock: Clock, patience: timedelta = READ_BACK
) -> tuple[list[str], list[str]]:
    """Read the power state of every machine that was commanded, until each is as wanted or patience ends.

    Returns the verified and the still unverified; those of sites without an interface wait for a person's word.
    """
    deadline = real_time.monotonic() + patience.total_seconds()
    verified: list[str] = []
    while True:
        with engine.connect() as connection:
            pending = [
                row
                for row in sql(connection, "escalation/unverified")
                if not isinstance(controls.sites[row.site].control, TicketControl)
            ]
        for row in pending:
            if _is_as_wanted(controls, row):
                _verify(engine, row, clock.now())
                verified.append(f"{row.site} {row.machine}")
        rest = [f"{row.site} {row.machine}" for row in pending if f"{row.site} {row.machine}" not in verified]
        if not rest or real_time.monotonic() >= deadline:
            return verified, rest
        real_time.sleep(0.5)  # between two readings of a state that takes seconds to change


def _is_as_wanted(controls: Controls, row: Any) -> bool:
    try:
        return controls.control_of(row.site).power_state(row.machine) is WANTED[row.action]
    except PowerFailure:
        return False  # unknown is not verified; it stays in the list of those that are not


def _verify(engine: sa.Engine, row: Any, now: datetime) -> None:
    with engine.begin() as connection:
        sql(
            connection,
            "escalation/settle_command",
            command_id=row.command_id,
            outcome="verified",
            sent_at=None,
            verified_at=now,
        )
        audit.record(
            connection,
            now=now,
            action="read_back",
            subject=f"{row.site} {row.machine}",
            details={"action": row.action, "customer": row.customer},
        )
