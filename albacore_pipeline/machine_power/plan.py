"""Which pauses and resumes are written: a pause behind a live word of Xero, the whole chain and the blast radius."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import assert_never

import sqlalchemy as sa

from albacore_pipeline.database import locks
from albacore_pipeline.effects import keys
from albacore_pipeline.effects.outbox import prepare
from albacore_pipeline.escalation.evaluate import Close, Decision, Enter, Wait, evaluate
from albacore_pipeline.escalation.queries import PausableMachine, pausable
from albacore_pipeline.escalation.store import Case, cases, enter
from albacore_pipeline.invoicing.payments import watch_payments
from albacore_pipeline.machine_power import queries
from albacore_pipeline.machine_power.approvals import approved, ask
from albacore_pipeline.machine_power.controls import PAUSE, RESUME
from albacore_pipeline.machine_power.queries import Action, StoppedMachine
from albacore_pipeline.periods import Clock
from albacore_pipeline.registry.policies import Stage
from albacore_pipeline.xero.interface import Organisation, XeroError


@dataclass(frozen=True, kw_only=True)
class Planned:
    """What was planned for a customer whose pause is due: machines, or why none."""

    customer: str
    machines: list[str]
    refused: str = ""


def plan_pauses(*, engine: sa.Engine, xero: Organisation, clock: Clock) -> list[Planned]:
    """Write the pauses that are due, each behind a live word from Xero, the whole chain and the blast radius."""
    with engine.connect() as connection:
        customers = queries.due_pauses(connection, now=clock.now())
    return [_plan(engine=engine, xero=xero, clock=clock, customer=customer) for customer in customers]


def _plan(*, engine: sa.Engine, xero: Organisation, clock: Clock, customer: str) -> Planned:
    try:
        sweep = watch_payments(engine=engine, xero=xero, clock=clock, customer=customer)
    except XeroError as error:
        return Planned(customer=customer, machines=[], refused=f"no live word from Xero: {error}")
    if sweep.missing:
        return Planned(customer=customer, machines=[], refused=f"no live word from Xero: {'; '.join(sweep.reasons)}")
    now = clock.now()
    with engine.begin() as connection:
        locks.hold(connection, locks.ESCALATION)
        case = next(iter(cases(connection, now=now, customer=customer)), None)
        decision = evaluate(facts=case.facts, policy=case.policy, as_of=now) if case else Wait("nothing is owed")
        if case is None or not (isinstance(decision, Enter) and decision.stage is Stage.PAUSED):
            return Planned(customer=customer, machines=[], refused=_why_not(decision))
        machines = pausable(connection, customer=customer, now=now)
        refused = _over_cap(connection, case=case, machines=machines, now=now)
        if refused and not approved(connection, customer=customer, now=now):
            names = [f"{machine.site} {machine.machine}" for machine in machines]
            ask(connection, customer=customer, policy=case.policy, machines=names, reason=refused, now=now)
            return Planned(customer=customer, machines=[], refused=f"{refused}: approve_pause, or wait")
        step_id = enter(connection, case=case, decision=decision, now=now)
        if step_id is None:
            return Planned(customer=customer, machines=[], refused="the pause is planned already")
        for machine in machines:
            _write_command(
                connection,
                step_id=step_id,
                machine=machine,
                customer=customer,
                action="pause",
                reason=f"unpaid {decision.number}",
                now=now,
            )
    return Planned(customer=customer, machines=[f"{machine.site} {machine.machine}" for machine in machines])


def _why_not(decision: Decision) -> str:
    """Why a customer whose pause was scheduled is not paused now."""
    match decision:
        case Enter():
            return "the chain is not at its end"
        case Close(reason) | Wait(reason):
            return reason
    assert_never(decision)


def _over_cap(connection: sa.Connection, *, case: Case, machines: Sequence[PausableMachine], now: datetime) -> str:
    """Why this pause would exceed the policy's blast radius today; empty when it stays below."""
    commanded = queries.commanded_today(connection, now=now)
    customers = {row.customer for row in commanded} | {case.facts.customer}
    if len(customers) > case.policy.customers_per_day:
        return f"more than {case.policy.customers_per_day} customers would be paused today"
    fleet = {row.site: row.machines for row in queries.fleet(connection)}
    per_site = Counter(machine.site for machine in machines)
    for row in commanded:
        per_site[row.site] += row.machines
    for site, count in per_site.items():
        most = min(case.policy.machines_per_site_and_day, int(case.policy.share_of_site_and_day * fleet.get(site, 0)))
        if count > most:
            return f"{count} machines at {site} would be paused today, {most} are allowed"
    return ""


def _write_command(
    connection: sa.Connection,
    *,
    step_id: int,
    machine: PausableMachine | StoppedMachine,
    customer: str,
    action: Action,
    reason: str,
    now: datetime,
) -> None:
    kind = PAUSE if action == "pause" else RESUME
    payload = {"site": machine.site, "machine": machine.machine, "customer": customer}
    key = keys.command(kind=kind, step_id=step_id, machine_id=machine.machine_id)
    effect_id = prepare(connection, kind=kind, business_key=key, payload=payload, now=now)
    queries.insert_command(
        connection, step_id=step_id, machine_id=machine.machine_id, customer=customer, action=action, reason=reason,
        effect_id=effect_id, now=now,
    )  # fmt: skip


def plan_resumes(*, engine: sa.Engine, clock: Clock) -> list[str]:
    """Write a resume for every machine that stands still by our command and whose case is closed."""
    with engine.begin() as connection:
        machines = queries.to_resume(connection)
        for machine in machines:
            _write_command(
                connection,
                step_id=machine.step_id,
                machine=machine,
                customer=machine.customer,
                action="resume",
                reason=machine.reason,
                now=clock.now(),
            )
    return [f"{machine.site} {machine.machine}" for machine in machines]
