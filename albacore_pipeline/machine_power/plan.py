"""Commands that are due: pauses of plans whose day has come, and resumes of what no plan stands for any more."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from albacore_pipeline.database import locks
from albacore_pipeline.effects import keys
from albacore_pipeline.effects.outbox import Intent, prepare_many
from albacore_pipeline.escalation import plans
from albacore_pipeline.escalation.debtors import Debtor, load
from albacore_pipeline.escalation.evaluate import Close, Enter, Wait
from albacore_pipeline.machine_power import queries, repair
from albacore_pipeline.machine_power.approvals import ask_where_needed
from albacore_pipeline.machine_power.controls import KINDS, by_ticket
from albacore_pipeline.machine_power.queries import Action, NewCommand, StoppedMachine
from albacore_pipeline.registry.stages import Does


@dataclass(frozen=True, kw_only=True)
class Planned:
    """A machine of a plan whose day has come: commanded, or why not yet."""

    plan_id: int
    customer: str
    site: str
    machine: str
    refused: str = ""


def complete(debtor: Debtor, *, now: datetime) -> dict[str, str]:
    """Of a debtor's documents, whether the chain of each is complete: empty if so, else what is lacking."""
    found = {}
    for number, decision in debtor.decide(now=now).items():
        match decision:
            case Enter(stage=stage):
                found[number] = "" if stage.does is Does.PAUSE else f"{stage.stage} comes first"
            case Wait(through=through, reason=reason):
                found[number] = "" if through else reason
            case Close(reason=reason):
                found[number] = reason
    return found


def plan_pauses(*, engine: sa.Engine, now: datetime) -> list[Planned]:
    """Write the pauses of plans whose day has come, of machines behind which a complete chain stands."""
    with engine.begin() as connection:
        locks.hold(connection, locks.ESCALATION)
        due = queries.due_plans(connection, now=now)
        if not due:
            return []
        debtors = load(connection, now=now, customers=sorted({each.customer for each in due}))
        plans.fall(connection, debtors=debtors, now=now)
        ask_where_needed(connection, now=now)
        due = queries.due_plans(connection, now=now)
        ready = {debtor.row.customer: complete(debtor, now=now) for debtor in debtors}
        planned = [_planned(each, ready.get(each.customer, {})) for each in due]
        wanted = [
            _Wanted(
                key=keys.pause(plan_id=machine.plan_id, machine_id=machine.machine_id),
                plan_id=machine.plan_id,
                machine_id=machine.machine_id,
                site=machine.site,
                machine=machine.machine,
                customer=machine.customer,
                reason=f"unpaid {', '.join(machine.numbers)}",
            )
            for machine, each in zip(due, planned, strict=True)
            if not each.refused
        ]
        _write(connection, "pause", wanted, now=now)
    return planned


def _planned(machine: queries.PlannedMachine, ready: Mapping[str, str]) -> Planned:
    lacking = [ready.get(number, "nothing is owed any more") for number in machine.numbers]
    return Planned(
        plan_id=machine.plan_id,
        customer=machine.customer,
        site=machine.site,
        machine=machine.machine,
        refused="" if "" in lacking else lacking[0],
    )


def plan_resumes(*, engine: sa.Engine, now: datetime) -> list[str]:
    """Write a resume for every machine that is off by our command and for which no plan stands any more.

    What is in repair is not switched on: its owner gets a task.
    """
    with engine.begin() as connection:
        locks.hold(connection, locks.ESCALATION)
        plans.fall(connection, debtors=load(connection, now=now, customers=plans.with_plans(connection)), now=now)
        machines = [machine for machine in queries.to_resume(connection, now=now) if not machine.pending]
        repair.give_tasks(connection, [machine for machine in machines if machine.state == "repair"], now=now)
        return resume(connection, [machine for machine in machines if machine.state != "repair"], now=now)


def resume(connection: sa.Connection, machines: Sequence[StoppedMachine], *, now: datetime) -> list[str]:
    """Write resumes; the machines as `site machine`."""
    wanted = [
        _Wanted(
            key=keys.resume(command_id=machine.command_id, nth=machine.asked + 1),
            plan_id=None,
            machine_id=machine.machine_id,
            site=machine.site,
            machine=machine.machine,
            customer=machine.customer,
            reason=machine.reason,
        )
        for machine in machines
    ]
    _write(connection, "resume", wanted, now=now)
    return [f"{machine.site} {machine.machine}" for machine in machines]


@dataclass(frozen=True, kw_only=True)
class _Wanted:
    """A command that is to be written."""

    key: str
    plan_id: int | None
    machine_id: int
    site: str
    machine: str
    customer: str
    reason: str


def _write(connection: sa.Connection, action: Action, wanted: Sequence[_Wanted], *, now: datetime) -> None:
    intents = [
        Intent(
            kind=KINDS[action],
            business_key=each.key,
            payload={"site": each.site, "machine": each.machine, "customer": each.customer},
        )
        for each in wanted
    ]
    effects = prepare_many(connection, intents=intents, now=now)
    commands = [
        NewCommand(
            plan_id=each.plan_id,
            machine_id=each.machine_id,
            customer=each.customer,
            action=action,
            reason=each.reason,
            effect_id=effects[each.key],
            by_ticket=by_ticket(each.site),
        )
        for each in wanted
    ]
    queries.insert_commands(connection, commands=commands, now=now)
