"""`escalation_steps`, its job and the sensor that asks for it.

Belongs here: what Dagster asks for, and when. Does not belong here: which stage is entered (`evaluate.py`).
"""

from collections.abc import Sequence
from datetime import datetime
from typing import assert_never

import dagster as dg
import sqlalchemy as sa

from albacore_pipeline import markdown
from albacore_pipeline.effects.bounces import Bounce
from albacore_pipeline.effects.inbox import InboxError, read_bounces
from albacore_pipeline.effects.interface import EffectHandler
from albacore_pipeline.effects.mail import MAIL
from albacore_pipeline.effects.outbox import dispatch
from albacore_pipeline.escalation import queries
from albacore_pipeline.escalation.debtors import load
from albacore_pipeline.escalation.evaluate import Close, Enter, Wait
from albacore_pipeline.escalation.notices import NoticeHandler
from albacore_pipeline.escalation.returned import note_bounces
from albacore_pipeline.escalation.run import ClockInDoubt, Decided, differs
from albacore_pipeline.escalation.run import escalate as escalate_documents
from albacore_pipeline.escalation.steps import NOTICE
from albacore_pipeline.invoicing.payments import live_read
from albacore_pipeline.invoicing.resources import ExternalSystemsResource
from albacore_pipeline.orchestration.platform import PlatformResource
from albacore_pipeline.orchestration.runs import NEVER_TWICE
from albacore_pipeline.orchestration.sensors import level_sensor
from albacore_pipeline.registry.stages import Does
from albacore_pipeline.settings import SettingsError


@dg.asset(deps=["payments"], group_name="escalation", pool="escalation", owners=["team:finance"])
def escalation_steps(platform: PlatformResource, external: ExternalSystemsResource) -> dg.MaterializeResult:  # type: ignore[type-arg]
    """Every open document evaluated by its policy: at most one stage each, with its notices."""
    systems = external.open()

    came_back = _read_bounces(platform)

    def xeros_clock() -> datetime | None:
        return live_read(engine=platform.engine, xero=systems.xero, clock=platform.clock, numbers=[]).xero_date

    try:
        with platform.engine.begin() as connection:
            decided = escalate_documents(connection, now=platform.clock.now(), second_clock=xeros_clock)
    except ClockInDoubt as error:
        raise dg.Failure(str(error), allow_retries=False) from None
    notices = NoticeHandler(mail=systems.mail, engine=platform.engine, clock=platform.clock)
    handlers: list[EffectHandler] = [notices, systems.mail]
    tally = dispatch(engine=platform.engine, handlers=handlers, clock=platform.clock, gate=systems.gate)
    return dg.MaterializeResult(
        metadata={
            "mails": dict(tally),
            "came back": came_back,
            "stages entered": dg.MetadataValue.md(
                _table([each for each in decided if isinstance(each.decision, Enter)])
            ),
            "what comes next": dg.MetadataValue.md(
                _table([each for each in decided if not isinstance(each.decision, Enter)])
            ),
        }
    )


def _read_bounces(platform: PlatformResource) -> list[str]:
    """What the mailbox for bounces says came back, by recipient; it is noted before anything is decided."""
    url = platform.settings.bounces_url.get_secret_value()
    if not url:
        return []
    recipients: list[str] = []

    def take(bounces: Sequence[Bounce]) -> None:
        with platform.engine.begin() as connection:
            noted = note_bounces(connection, bounces, now=platform.clock.now())
        recipients.extend(each.recipient for each in noted)

    try:
        read_bounces(url, take=take)
    except (InboxError, SettingsError) as error:
        raise dg.Failure(str(error)) from None
    return recipients


def _table(decided: Sequence[Decided]) -> str:
    heading = ("customer", "document", "stage or reason", "next stage", "on")
    return markdown.table(heading, map(_shown, decided))


def _shown(decided: Decided) -> tuple[str, str, str, str, str]:
    """A decision as a row of the table in the metadata."""
    match decided.decision:
        case Enter(stage=stage):
            return decided.customer, decided.number, stage.stage, "", ""
        case Wait(reason=reason, next_stage=stage_name, next_on=on):
            return decided.customer, decided.number, reason, stage_name, f"{on or ''}"
        case Close(reason=reason):
            return decided.customer, decided.number, f"closed: {reason}", "", ""
    assert_never(decided.decision)


escalate = dg.define_asset_job("escalate", selection=[escalation_steps], tags=NEVER_TWICE)


def due_decisions(platform: PlatformResource) -> list[dg.RunRequest]:
    """A document enters a stage, a decision on one changed, or a notice waits to be sent."""
    now = platform.clock.now()
    with platform.engine.connect() as connection:
        due = queries.due_mails(connection, kinds=[MAIL, NOTICE], now=now) or _changed(connection, now=now)
    return [dg.RunRequest()] if due else []


def _changed(connection: sa.Connection, *, now: datetime) -> bool:
    return queries.cases_to_open(connection) > 0 or any(
        differs(debtor, decision)
        for debtor in load(connection, now=now)
        for decision in debtor.decide(now=now).values()
        if not (isinstance(decision, Enter) and decision.stage.does is Does.PAUSE)
    )


def next_stage(platform: PlatformResource) -> str:
    """Which stage is entered next, when, and by how many documents; empty where none waits for a day."""
    with platform.engine.connect() as connection:
        found = queries.comes_next(connection, now=platform.clock.now())
    if found is None:
        return ""
    others = f" and {found.documents - 1} more" if found.documents > 1 else ""
    return f"next: {found.next_stage} of {found.number}{others} on {found.next_on}"


escalation = level_sensor("escalation", job=escalate, due=due_decisions, comes_next=next_stage)

definitions = dg.Definitions(assets=[escalation_steps], jobs=[escalate], sensors=[escalation])
