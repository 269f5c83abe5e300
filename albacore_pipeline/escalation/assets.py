"""`escalation_steps`, its job and the sensor that asks for it.

Belongs here: what Dagster asks for, and when. Does not belong here: which stage is entered (`evaluate.py`).
"""

import dagster as dg

from albacore_pipeline.database import sql
from albacore_pipeline.effects.mail import MAIL
from albacore_pipeline.effects.outbox import dispatch
from albacore_pipeline.escalation.evaluate import Close, Enter, evaluate
from albacore_pipeline.escalation.store import cases
from albacore_pipeline.escalation.store import escalate as escalate_cases
from albacore_pipeline.invoicing.resources import ExternalSystemsResource
from albacore_pipeline.orchestration.platform import PlatformResource
from albacore_pipeline.orchestration.runs import NEVER_TWICE
from albacore_pipeline.orchestration.sensors import level_sensor
from albacore_pipeline.registry.policies import Stage


@dg.asset(deps=["payments"], group_name="escalation", pool="escalation", owners=["team:finance"])
def escalation_steps(platform: PlatformResource, external: ExternalSystemsResource) -> dg.MaterializeResult:  # type: ignore[type-arg]
    """Every debtor evaluated against his policy: at most one stage each, with its notices."""
    systems = external.open()
    with platform.engine.begin() as connection:
        decided = escalate_cases(connection, now=platform.clock.now())
    tally = dispatch(engine=platform.engine, handlers=[systems.mail], clock=platform.clock, gate=systems.gate)
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


escalate = dg.define_asset_job("escalate", selection=[escalation_steps], tags=NEVER_TWICE)


def due_decisions(platform: PlatformResource) -> list[dg.RunRequest]:
    """Somebody enters a stage, a case ends, or a notice waits to be sent."""
    now = platform.clock.now()
    with platform.engine.connect() as connection:
        decisions = [evaluate(facts=case.facts, policy=case.policy, as_of=now) for case in cases(connection, now=now)]
        mails = sql(connection, "escalation/due_mails", kind=MAIL, now=now).scalar_one()
    due = any(
        isinstance(item, Close) or (isinstance(item, Enter) and item.stage is not Stage.PAUSED) for item in decisions
    )
    return [dg.RunRequest()] if due or mails else []


escalation = level_sensor("escalation", job=escalate, due=due_decisions)

definitions = dg.Definitions(assets=[escalation_steps], jobs=[escalate], sensors=[escalation])
