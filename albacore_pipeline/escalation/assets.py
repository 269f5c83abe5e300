"""`escalation_steps`, its job and the sensor that asks for it.

Belongs here: what Dagster asks for, and when. Does not belong here: which stage is entered (`evaluate.py`).
"""

from typing import assert_never

import dagster as dg

from albacore_pipeline import markdown
from albacore_pipeline.effects.mail import MAIL
from albacore_pipeline.effects.outbox import dispatch
from albacore_pipeline.escalation import queries
from albacore_pipeline.escalation.evaluate import Close, Enter, Wait, evaluate
from albacore_pipeline.escalation.store import Decided, cases
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
    return dg.MaterializeResult(
        metadata={
            "mails": dict(tally),
            "decisions": dg.MetadataValue.md(
                markdown.table(("customer", "enters", "document or reason"), map(_shown, decided))
            ),
        }
    )


def _shown(decided: Decided) -> tuple[str, str, str]:
    """A decision as a row of the table in the metadata."""
    match decided.decision:
        case Enter(stage=stage, number=number):
            return decided.customer, stage, number
        case Close(reason) | Wait(reason):
            return decided.customer, "-", reason
    assert_never(decided.decision)


escalate = dg.define_asset_job("escalate", selection=[escalation_steps], tags=NEVER_TWICE)


def due_decisions(platform: PlatformResource) -> list[dg.RunRequest]:
    """Somebody enters a stage, a case ends, or a notice waits to be sent."""
    now = platform.clock.now()
    with platform.engine.connect() as connection:
        decisions = [evaluate(facts=case.facts, policy=case.policy, as_of=now) for case in cases(connection, now=now)]
        mails = queries.due_mails(connection, kind=MAIL, now=now)
    due = any(
        isinstance(item, Close) or (isinstance(item, Enter) and item.stage is not Stage.PAUSED) for item in decisions
    )
    return [dg.RunRequest()] if due or mails else []


escalation = level_sensor("escalation", job=escalate, due=due_decisions)

definitions = dg.Definitions(assets=[escalation_steps], jobs=[escalate], sensors=[escalation])
