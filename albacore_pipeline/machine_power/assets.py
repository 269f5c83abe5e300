"""`machine_pauses`, the jobs that pause and resume, and the sensors that ask for them.

Belongs here: what Dagster asks for, and when. Does not belong here: whether a machine may be paused; that is asked
gate by gate at the moment of each command (`gates.py`).
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any

import dagster as dg

from albacore_pipeline import markdown
from albacore_pipeline.data_centres.resources import control_of
from albacore_pipeline.effects.gate import gate
from albacore_pipeline.effects.journal import Journal
from albacore_pipeline.effects.mail import MailHandler
from albacore_pipeline.effects.outbox import dispatch
from albacore_pipeline.escalation.notices import NoticeHandler
from albacore_pipeline.escalation.queries import due_mails
from albacore_pipeline.invoicing.resources import ExternalSystemsResource
from albacore_pipeline.machine_power import journal, letters, queries, sites, tickets
from albacore_pipeline.machine_power.approvals import APPROVAL, ApprovalHandler
from albacore_pipeline.machine_power.controls import Controls
from albacore_pipeline.machine_power.pausing import PauseHandler
from albacore_pipeline.machine_power.plan import Planned, plan_pauses, plan_resumes
from albacore_pipeline.machine_power.queries import Action
from albacore_pipeline.machine_power.read_back import read_back
from albacore_pipeline.machine_power.resuming import ResumeHandler
from albacore_pipeline.machine_power.tickets import TICKET, TicketHandler
from albacore_pipeline.machine_power.world import Witness
from albacore_pipeline.orchestration.platform import PlatformResource
from albacore_pipeline.orchestration.runs import NEVER_TWICE
from albacore_pipeline.orchestration.sensors import level_sensor
from albacore_pipeline.sites import SITES, TicketControl


def site_controls(platform: PlatformResource) -> Controls:
    """The power controls of the sites, as the settings say."""
    return Controls(sites=SITES, control_of=partial(control_of, settings=platform.settings))


@dg.op(ins={"escalated": dg.In(dg.Nothing)}, out=dg.Out(dg.Nothing), pool="machine_control")
def plan_due_pauses(context: dg.OpExecutionContext, platform: PlatformResource) -> None:
    """Write the pauses of plans whose day has come; stop the sites whose machines draw power while they are off."""
    journal.adopt(engine=platform.engine, journal=_journal(platform))
    with platform.engine.begin() as connection:
        sites.stop_where_machines_draw(connection, now=platform.clock.now())
    planned = plan_pauses(engine=platform.engine, now=platform.clock.now())
    context.add_output_metadata({"plans": dg.MetadataValue.md(_plans(planned))})


@dg.op(ins={"planned": dg.In(dg.Nothing)}, out=dg.Out(dg.Nothing), pool="machine_control")
def pause_and_read_back(
    context: dg.OpExecutionContext, platform: PlatformResource, external: ExternalSystemsResource
) -> None:
    """Carry the pauses out in waves, each machine behind every gate, and read the power states back."""
    systems, controls, started = external.open(), site_controls(platform), platform.clock.now()
    pausing = PauseHandler(
        controls=controls,
        engine=platform.engine,
        clock=platform.clock,
        witness=Witness(
            engine=platform.engine,
            xero=systems.xero,
            clock=platform.clock,
            signed_off=platform.settings.sandbox_url is None,
        ),
        journal=partial(_journal(platform).note, journal.POWER),
    )
    approvals = ApprovalHandler(mail=systems.mail, engine=platform.engine)
    tally = dispatch(engine=platform.engine, handlers=[approvals, pausing], clock=platform.clock, gate=systems.gate)
    _, rest = read_back(engine=platform.engine, controls=controls, clock=platform.clock)
    with platform.engine.begin() as connection:
        letters.tell_paused(connection, now=platform.clock.now())
        sites.tell_of_unknown(connection, now=platform.clock.now())
        tickets.remind(connection, controls=controls, now=platform.clock.now())
    tally += _send(platform, systems.mail)
    _report(context, platform, tally, rest, since=started)


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
    """Switch on what our pauses stopped and no plan stands for any more."""
    controls, started = site_controls(platform), platform.clock.now()
    journal.adopt(engine=platform.engine, journal=_journal(platform))
    plan_resumes(engine=platform.engine, now=started)
    resuming = ResumeHandler(
        controls=controls,
        engine=platform.engine,
        clock=platform.clock,
        journal=partial(_journal(platform).note, journal.POWER),
    )
    tally = dispatch(engine=platform.engine, handlers=[resuming], clock=platform.clock, gate=gate(platform.settings))
    _, rest = read_back(engine=platform.engine, controls=controls, clock=platform.clock)
    with platform.engine.begin() as connection:
        letters.tell_running(connection, now=platform.clock.now())
        letters.tell_withdrawn(connection, now=platform.clock.now())
        tickets.remind(connection, controls=controls, now=platform.clock.now())
    tally += _send(platform, external.open_mail())
    _report(context, platform, tally, rest, since=started)


def _send(platform: PlatformResource, mail: MailHandler) -> Counter[str]:
    notices = NoticeHandler(mail=mail, engine=platform.engine, clock=platform.clock)
    asking = TicketHandler(mail=mail, engine=platform.engine, clock=platform.clock)
    return dispatch(
        engine=platform.engine, handlers=[notices, asking, mail], clock=platform.clock, gate=gate(platform.settings)
    )


@dg.job(tags=NEVER_TWICE)
def resume_machines() -> None:
    """Resume the machines that no plan stands for any more."""
    resume_and_read_back()


pause_machines = dg.define_asset_job("pause_machines", selection=[machine_pauses], tags=NEVER_TWICE)


def due_pauses(platform: PlatformResource) -> list[dg.RunRequest]:
    """A plan's day has come, a pause waits to be sent or read back, or a customer has not heard of one yet."""
    with platform.engine.connect() as connection:
        now = platform.clock.now()
        due = queries.due_plans(connection, now=now) or queries.newly_paused(connection)
        mails = due_mails(connection, kinds=[TICKET, APPROVAL], now=now)
    return [dg.RunRequest()] if due or mails or _commands_wait(platform, "pause") else []


def due_resumes(platform: PlatformResource) -> list[dg.RunRequest]:
    """A machine is off by our command and no plan stands for it, or a resume waits to be sent or read back."""
    with platform.engine.connect() as connection:
        now = platform.clock.now()
        machines = [row for row in queries.to_resume(connection, now=now) if not row.pending and row.state != "repair"]
        untold = queries.newly_withdrawn(connection) or queries.newly_running(connection, now=now)
        forgotten = journal.lacking(connection, journal=_journal(platform))
    return [dg.RunRequest()] if machines or untold or forgotten or _commands_wait(platform, "resume") else []


def _commands_wait(platform: PlatformResource, action: Action) -> bool:
    with_interface = [site.name for site in SITES.values() if not isinstance(site.control, TicketControl)]
    with platform.engine.connect() as connection:
        count = queries.due_commands(connection, action=action, with_interface=with_interface, now=platform.clock.now())
    return count > 0


def next_pause(platform: PlatformResource) -> str:
    """Which plan's day comes next."""
    with platform.engine.connect() as connection:
        plan = queries.next_plan(connection, now=platform.clock.now())
    return f"next: plan {plan.plan_id} of {plan.customer}, not before {plan.not_before}" if plan else ""


machine_pause = level_sensor("machine_pause", job=pause_machines, due=due_pauses, comes_next=next_pause)
machine_resume = level_sensor("machine_resume", job=resume_machines, due=due_resumes, seconds=30)


def _journal(platform: PlatformResource) -> Journal:
    return Journal(archive=platform.archive, clock=platform.clock)


def _plans(planned: Sequence[Planned]) -> str:
    return markdown.table(
        ("plan", "customer", "machine", "why not yet"),
        [(str(each.plan_id), each.customer, f"{each.site} {each.machine}", each.refused) for each in planned],
    )


def _report(
    context: dg.OpExecutionContext,
    platform: PlatformResource,
    tally: Mapping[str, int],
    rest: Sequence[str],
    *,
    since: datetime,
) -> None:
    """What became of machines' power, in the run's metadata and as an observation of each site's machines."""
    with platform.engine.connect() as connection:
        changes = queries.changes(connection, since=since)
    rows = [(change.site, change.machine, change.action, change.outcome, change.reason) for change in changes]
    table = dg.MetadataValue.md(markdown.table(("site", "machine", "action", "outcome", "reason"), rows))
    context.add_output_metadata({"effects": dict(tally), "commands": table, "not verified yet": list(rest)})
    for site in sorted({change.site for change in changes}):
        ours = [f"{change.machine}: {change.action} {change.outcome}" for change in changes if change.site == site]
        context.log_event(dg.AssetObservation(asset_key=[site, "machines"], metadata={"power": ours}))
    if rest:
        context.log.warning(f"not verified yet, will be read again: {', '.join(rest)}")


definitions = dg.Definitions(
    assets=[machine_pauses], jobs=[pause_machines, resume_machines], sensors=[machine_pause, machine_resume]
)
