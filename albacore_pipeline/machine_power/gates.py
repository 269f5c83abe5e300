"""The gates before a pause: each is asked at the moment of the command, and what is unknown is closed."""

from __future__ import annotations

from datetime import datetime, timedelta

import sqlalchemy as sa

from albacore_pipeline.effects.interface import Cancelled, Later, Outcome
from albacore_pipeline.escalation.evaluate import Close, Wait, standing, undelivered
from albacore_pipeline.escalation.queries import pausable
from albacore_pipeline.escalation.store import Case, cases
from albacore_pipeline.invoicing.payments import watch_payments
from albacore_pipeline.machine_power import queries
from albacore_pipeline.machine_power.controls import Controls
from albacore_pipeline.machine_power.queries import Command
from albacore_pipeline.periods import Clock
from albacore_pipeline.registry.policies import Stage
from albacore_pipeline.sites import Site
from albacore_pipeline.xero.interface import Organisation, XeroError


def closed_gate(
    command: Command, *, controls: Controls, engine: sa.Engine, xero: Organisation, clock: Clock
) -> Outcome | None:
    """The first gate that is closed, as what follows from it; None when all are open."""
    now = clock.now()
    if command.closed_at is not None:
        return Cancelled("the debt is settled")
    if not command.still_theirs:
        return Cancelled("the machine is no longer the debtor's")
    if not may_pause_now(controls.sites[command.site], now):
        return Later("outside the site's hours for pauses", timedelta(minutes=30))
    try:
        sweep = watch_payments(engine=engine, xero=xero, clock=clock, customer=command.customer)
    except XeroError as error:
        return Later(f"no live word from Xero: {error}")
    if sweep.missing:
        return Later(f"no live word from Xero: {'; '.join(sweep.reasons)}")
    with engine.connect() as connection:
        if queries.kill_switch(connection):
            return Later("the kill switch is on", timedelta(minutes=30))
        machines = {row.machine_id for row in pausable(connection, customer=command.customer, now=now)}
        case = next(iter(cases(connection, now=now, customer=command.customer)), None)
    return _debt_stands(case, now=now) or (
        None if command.machine_id in machines else Cancelled("the machine is on no overdue document")
    )


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
