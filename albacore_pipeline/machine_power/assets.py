"""`machine_pauses`, the jobs that pause and resume, and the sensors that ask for them.

Belongs here: what Dagster asks for, and when. Does not belong here: whether a machine may be paused; that is asked
again, gate by gate, at the moment of each command (`gates.py`).
"""

from collections import Counter
from functools import partial
from typing import Any

import dagster as dg

from albacore_pipeline.data_centres.resources import control_of
from albacore_pipeline.effects.gate import gate
from albacore_pipeline.effects.outbox import dispatch
from albacore_pipeline.invoicing.resources import ExternalSystemsResource
from albacore_pipeline.machine_power import queries
from albacore_pipeline.machine_power.controls import Controls
from albacore_pipeline.machine_power.handlers import PauseHandler, ResumeHandler
from albacore_pipeline.machine_power.plan import plan_pauses, plan_resumes
from albacore_pipeline.machine_power.queries import Action
from albacore_pipeline.machine_power.read_back import read_back
from albacore_pipeline.orchestration.platform import PlatformResource
from albacore_pipeline.orchestration.runs import NEVER_TWICE
from albacore_pipeline.orchestration.sensors import level_sensor
from albacore_pipeline.sites import SITES, TicketControl
from albacore_pipeline.xero.resources import XeroResource


def site_controls(platform: PlatformResource) -> Controls:
    """The power controls of the sites, as the settings say."""
    return Controls(sites=SITES, control_of=partial(control_of, settings=platform.settings))


@dg.op(ins={"escalated": dg.In(dg.Nothing)}, out=dg.Out(dg.Nothing), pool="machine_control")
def plan_due_pauses(context: dg.OpExecutionContext, platform: PlatformResource, xero: XeroResource) -> None:
    """Write the pauses that are due, behind a live word from Xero and below the blast radius."""
    for planned in plan_pauses(engine=platform.engine, xero=xero.open(), clock=platform.clock):
        context.log.info(f"{planned.customer}: {planned.refused or f'{len(planned.machines)} machines to be paused'}")


@dg.op(ins={"planned": dg.In(dg.Nothing)}, out=dg.Out(dg.Nothing), pool="machine_control")
def pause_and_read_back(
    context: dg.OpExecutionContext, platform: PlatformResource, external: ExternalSystemsResource
) -> None:
    """Carry the pauses out, each behind every gate, and read the power states back."""
    systems, controls = external.open(), site_controls(platform)
    pausing = PauseHandler(controls=controls, engine=platform.engine, clock=platform.clock, xero=systems.xero)
    tally = dispatch(engine=platform.engine, handlers=[pausing, systems.mail], clock=platform.clock, gate=systems.gate)
    verified, rest = read_back(engine=platform.engine, controls=controls, clock=platform.clock)
    _report(context, tally, verified, rest)


@dg.graph_asset(
    group_name="escalation",
    ins={"escalation_steps": dg.AssetIn(dagster_type=dg.Nothing)},
    owners=["team:operations"],
)
def machine_pauses(escalation_steps: None) -> Any:
    """Machines that stand still for an unpaid debt: the end of a documented chain, verified by reading back."""
    return pause_and_read_back(plan_due_pauses(escalation_steps))


@dg.op(pool="machine_control")
def resume_and_read_back(
    context: dg.OpExecutionContext, platform: PlatformResource, external: ExternalSystemsResource
) -> None:
    """Switch on what our pauses stopped and nothing owed stops any more."""
    controls = site_controls(platform)
    plan_resumes(engine=platform.engine, clock=platform.clock)
    resuming = ResumeHandler(controls=controls, engine=platform.engine, clock=platform.clock)
    tally = dispatch(
        engine=platform.engine,
        handlers=[resuming, external.open_mail()],
        clock=platform.clock,
        gate=gate(platform.settings),
    )
    verified, rest = read_back(engine=platform.engine, controls=controls, clock=platform.clock)
    _report(context, tally, verified, rest)


@dg.job(tags=NEVER_TWICE)
def resume_machines() -> None:
    """Resume the machines of customers whose case is closed."""
    resume_and_read_back()


pause_machines = dg.define_asset_job("pause_machines", selection=[machine_pauses], tags=NEVER_TWICE)


def due_pauses(platform: PlatformResource) -> list[dg.RunRequest]:
    """A scheduled pause is due, or one waits to be sent or read back."""
    with platform.engine.connect() as connection:
        due = queries.due_pauses(connection, now=platform.clock.now())
    return [dg.RunRequest()] if due or _commands_wait(platform, "pause") else []


def due_resumes(platform: PlatformResource) -> list[dg.RunRequest]:
    """A machine stands still by our command and its case is closed, or a resume waits to be sent or read back."""
    with platform.engine.connect() as connection:
        machines = queries.to_resume(connection)
    return [dg.RunRequest()] if machines or _commands_wait(platform, "resume") else []


def _commands_wait(platform: PlatformResource, action: Action) -> bool:
    with_interface = [site.name for site in SITES.values() if not isinstance(site.control, TicketControl)]
    with platform.engine.connect() as connection:
        count = queries.due_commands(connection, action=action, with_interface=with_interface, now=platform.clock.now())
    return count > 0


machine_pause = level_sensor("machine_pause", job=pause_machines, due=due_pauses)
machine_resume = level_sensor("machine_resume", job=resume_machines, due=due_resumes, seconds=30)


def _report(context: dg.OpExecutionContext, tally: Counter[str], verified: list[str], rest: list[str]) -> None:
    context.add_output_metadata({"effects": dict(tally), "verified": verified, "not verified yet": rest})
    if rest:
        context.log.warning(f"not verified yet, will be read again: {', '.join(rest)}")


definitions = dg.Definitions(
    assets=[machine_pauses], jobs=[pause_machines, resume_machines], sensors=[machine_pause, machine_resume]
)
