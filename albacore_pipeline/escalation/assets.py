"""`escalation_steps` and `machine_pauses`, their jobs and sensors.

Belongs here: what Dagster asks for, and when. Does not belong here: whether a machine may be paused; that is asked
again, gate by gate, at the moment of each command (`power.py`).
"""

from collections import Counter
from typing import Any

import dagster as dg

from albacore_pipeline.data_centres.resources import control_of
from albacore_pipeline.database import sql
from albacore_pipeline.database.resources import PlatformResource
from albacore_pipeline.effects.mail import MAIL
from albacore_pipeline.effects.outbox import deliver
from albacore_pipeline.escalation.evaluate import Close, Enter, evaluate
from albacore_pipeline.escalation.power import Controls, PauseKind, ResumeKind, plan_pauses, plan_resumes, read_back
from albacore_pipeline.escalation.store import cases
from albacore_pipeline.escalation.store import escalate as escalate_cases
from albacore_pipeline.invoicing.assets import NEVER_TWICE, is_running
from albacore_pipeline.invoicing.issue import Outside
from albacore_pipeline.invoicing.resources import OutsideResource, gate
from albacore_pipeline.invoicing.xero import XeroError
from albacore_pipeline.registry.policies import Stage
from albacore_pipeline.settings import SettingsError
from albacore_pipeline.sites import SITES, TicketControl


def controls() -> Controls:
    """The power controls of all sites."""
    return Controls(sites=SITES, control_of=control_of)


def open_outside(outside: OutsideResource) -> Outside:
    """The world outside, or a run that fails with one line."""
    try:
        return outside.open()
    except (SettingsError, XeroError) as error:
        raise dg.Failure(str(error)) from None


@dg.asset(deps=["payments"], group_name="escalation", pool="escalation", owners=["team:finance"])
def escalation_steps(platform: PlatformResource, outside: OutsideResource) -> dg.MaterializeResult:  # type: ignore[type-arg]
    """Every debtor evaluated against his policy: at most one stage each, with its notices."""
    world = open_outside(outside)
    with platform.engine.begin() as connection:
        decided = escalate_cases(connection, now=platform.clock.now())
    tally = deliver(engine=platform.engine, kinds=[world.mail], clock=platform.clock, gate=world.gate)
    rows = "\n".join(
        f"| {item.customer} | {item.decision.stage if isinstance(item.decision, Enter) else '-'} |"
        f" {item.decision.number if isinstance(item.decision, Enter) else item.decision.reason} |"
        for item in decided
    )
    return dg.MaterializeResult(
        metadata={
            "mails": dict(tally),
            "decisions": dg.MetadataValue.md(f"| customer | enters | document or reason |\n|---|---|---|\n{rows}"),
        }
    )


@dg.op(ins={"escalated": dg.In(dg.Nothing)}, out=dg.Out(dg.Nothing), pool="machine_control")
def plan_due_pauses(context: dg.OpExecutionContext, platform: PlatformResource, outside: OutsideResource) -> None:
    """Write the pauses that are due, behind a live word from Xero and below the blast radius."""
    for planned in plan_pauses(engine=platform.engine, xero=open_outside(outside).xero, clock=platform.clock):
        context.log.info(f"{planned.customer}: {planned.refused or f'{len(planned.machines)} machines to be paused'}")


@dg.op(ins={"planned": dg.In(dg.Nothing)}, out=dg.Out(dg.Nothing), pool="machine_control")
def pause_and_read_back(context: dg.OpExecutionContext, platform: PlatformResource, outside: OutsideResource) -> None:
    """Carry the pauses out, each behind every gate, and read the power states back."""
    world = open_outside(outside)
    kind = PauseKind(controls=controls(), engine=platform.engine, clock=platform.clock, xero=world.xero)
    tally = deliver(engine=platform.engine, kinds=[kind, world.mail], clock=platform.clock, gate=world.gate)
    verified, rest = read_back(engine=platform.engine, controls=controls(), clock=platform.clock)
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
def resume_and_read_back(context: dg.OpExecutionContext, platform: PlatformResource, outside: OutsideResource) -> None:
    """Switch on what our pauses stopped and nothing owed stops any more."""
    plan_resumes(engine=platform.engine, clock=platform.clock)
    kind = ResumeKind(controls=controls(), engine=platform.engine, clock=platform.clock)
    tally = deliver(
        engine=platform.engine, kinds=[kind, outside.mail()], clock=platform.clock, gate=gate(platform.settings)
    )
    verified, rest = read_back(engine=platform.engine, controls=controls(), clock=platform.clock)
    _report(context, tally, verified, rest)


@dg.job(tags=NEVER_TWICE)
def resume_machines() -> None:
    """Resume the machines of customers whose case is closed."""
    resume_and_read_back()


escalate = dg.define_asset_job("escalate", selection=[escalation_steps], tags=NEVER_TWICE)
pause_machines = dg.define_asset_job("pause_machines", selection=[machine_pauses], tags=NEVER_TWICE)


@dg.sensor(job=escalate, minimum_interval_seconds=60, default_status=dg.DefaultSensorStatus.RUNNING)
def escalation(context: dg.SensorEvaluationContext, platform: PlatformResource) -> dg.SkipReason | dg.RunRequest:
    """Somebody enters a stage, a case ends, or a notice waits to be sent."""
    if is_running(context.instance, "escalate") or not gate(platform.settings).live:
        return dg.SkipReason("under way, or a dry run")
    now = platform.clock.now()
    with platform.engine.connect() as connection:
        decisions = [evaluate(facts=case.facts, policy=case.policy, as_of=now) for case in cases(connection, now=now)]
        mails = sql(connection, "escalation/due_mails", kind=MAIL, now=now).scalar_one()
    due = [
        item
        for item in decisions
        if isinstance(item, Close) or (isinstance(item, Enter) and item.stage is not Stage.PAUSED)
    ]
    return dg.RunRequest() if due or mails else dg.SkipReason("nothing is due")


@dg.sensor(job=pause_machines, minimum_interval_seconds=60, default_status=dg.DefaultSensorStatus.RUNNING)
def machine_pause(context: dg.SensorEvaluationContext, platform: PlatformResource) -> dg.SkipReason | dg.RunRequest:
    """A scheduled pause is due, or one waits to be sent or read back."""
    if is_running(context.instance, "pause_machines") or not gate(platform.settings).live:
        return dg.SkipReason("under way, or a dry run")
    now = platform.clock.now()
    with platform.engine.connect() as connection:
        due = sql(connection, "escalation/due_pauses", now=now).all()
        commands = sql(
            connection, "escalation/due_commands", now=now, action="pause", with_interface=_with_interface()
        ).scalar_one()
    return dg.RunRequest() if due or commands else dg.SkipReason("nothing is due")


@dg.sensor(job=resume_machines, minimum_interval_seconds=30, default_status=dg.DefaultSensorStatus.RUNNING)
def machine_resume(context: dg.SensorEvaluationContext, platform: PlatformResource) -> dg.SkipReason | dg.RunRequest:
    """A machine stands still by our command and its case is closed, or a resume waits to be sent or read back."""
    if is_running(context.instance, "resume_machines") or not gate(platform.settings).live:
        return dg.SkipReason("under way, or a dry run")
    with platform.engine.connect() as connection:
        machines = sql(connection, "escalation/to_resume").all()
        commands = sql(
            connection,
            "escalation/due_commands",
            now=platform.clock.now(),
            action="resume",
            with_interface=_with_interface(),
        ).scalar_one()
    return dg.RunRequest() if machines or commands else dg.SkipReason("nothing is due")


def _with_interface() -> list[str]:
    return [site.name for site in SITES.values() if not isinstance(site.control, TicketControl)]


def _report(context: dg.OpExecutionContext, tally: Counter[str], verified: list[str], rest: list[str]) -> None:
    context.add_output_metadata({"effects": dict(tally), "verified": verified, "not verified yet": rest})
    if rest:
        context.log.warning(f"not verified yet, will be read again: {', '.join(rest)}")


definitions = dg.Definitions(
    assets=[escalation_steps, machine_pauses],
    jobs=[escalate, pause_machines, resume_machines],
    sensors=[escalation, machine_pause, machine_resume],
)
