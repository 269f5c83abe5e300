"""What a person decides about debts and machines."""

from datetime import datetime, timedelta
from typing import Literal

import dagster as dg
import sqlalchemy as sa
from pydantic import Field

from albacore_pipeline.database import sql
from albacore_pipeline.database.jobs import ByHand, hand_job
from albacore_pipeline.effects import audit
from albacore_pipeline.escalation import approvals, store

VETO_DAYS = 30


class PlaceHold(ByHand):
    """The form of `place_hold`."""

    customer: str
    number: str = Field("", description="a document; empty: the whole customer")
    kind: Literal["dispute", "promise_to_pay", "payment_in_flight", "manual", "exempt"]
    days: int = Field(description="for how many days; a hold always ends", gt=0, le=366)
    owner: str = Field(description="the mailbox that must settle it")


def _place_hold(connection: sa.Connection, form: PlaceHold, now: datetime) -> str:
    """Keep a customer or a document out of escalation for some days."""
    until = now + timedelta(days=form.days)
    values = {"customer": form.customer, "kind": form.kind, "reason": form.reason, "owner": form.owner}
    store.place_hold(connection, **values, number=form.number or None, until_at=until, actor=form.actor, now=now)
    return f"{form.number or form.customer} is on hold until {until:%Y-%m-%d %H:%M} UTC"


class ReleaseHold(ByHand):
    """The form of `release_hold`."""

    customer: str
    number: str = Field("", description="a document; empty: every hold of the customer")


def _release_hold(connection: sa.Connection, form: ReleaseHold, now: datetime) -> str:
    """End holds before their time."""
    count = store.release_hold(
        connection, customer=form.customer, number=form.number or None, actor=form.actor, now=now
    )
    return f"{count} holds of {form.number or form.customer} released"


class ApprovePause(ByHand):
    """The form of `approve_pause`."""

    customer: str
    approver: str = Field(description="the mailbox that the code was sent to")
    code: str = Field(description="the one-time code of the mail")


def _approve_pause(connection: sa.Connection, form: ApprovePause, now: datetime) -> str:
    """One of two approvals for a pause above the blast radius."""
    approvals.approve(connection, customer=form.customer, approver=form.approver, code=form.code, now=now)
    details = {"approver": form.approver, "reason": form.reason}
    audit.record(connection, now=now, actor=form.actor, action="approve_pause", subject=form.customer, details=details)
    return f"{form.approver} approves the pause of {form.customer}"


class VetoPause(ByHand):
    """The form of `veto_pause`."""

    customer: str


def _veto_pause(connection: sa.Connection, form: VetoPause, now: datetime) -> str:
    """Stop a scheduled pause; the customer is on hold until a person goes on."""
    if not sql(connection, "escalation/veto", customer=form.customer).rowcount:
        raise LookupError(f"no pause of {form.customer} is scheduled")
    until = now + timedelta(days=VETO_DAYS)
    values = {"customer": form.customer, "kind": "manual", "reason": f"veto: {form.reason}", "owner": form.actor}
    store.place_hold(connection, **values, number=None, until_at=until, actor=form.actor, now=now)
    return f"the pause of {form.customer} is vetoed"


class ConfirmPowerState(ByHand):
    """The form of `confirm_power_state`."""

    site: str
    machine: str
    action: Literal["pause", "resume"] = Field(description="which ticket was carried out")


def _confirm_power_state(connection: sa.Connection, form: ConfirmPowerState, now: datetime) -> str:
    """A person's word that a ticket was carried out, for a site without an interface."""
    values = {"site": form.site, "machine": form.machine, "action": form.action}
    if not sql(connection, "escalation/confirm_power_state", now=now, **values).rowcount:
        raise LookupError(f"no {form.action} of {form.site} {form.machine} waits for a confirmation")
    audit.record(
        connection,
        now=now,
        actor=form.actor,
        action="confirm_power_state",
        subject=f"{form.site} {form.machine}",
        details=values,
    )
    return f"{form.action} of {form.site} {form.machine} confirmed"


class ReportBounce(ByHand):
    """The form of `report_bounce`."""

    message_id: str = Field(description="of the mail that came back")


def _report_bounce(connection: sa.Connection, form: ReportBounce, now: datetime) -> str:
    """A notice that came back does not count as delivered: the chain stops there."""
    if not sql(connection, "escalation/report_bounce", message_id=form.message_id, now=now).rowcount:
        raise LookupError(f"no notice was sent as {form.message_id}")
    audit.record(
        connection,
        now=now,
        actor=form.actor,
        action="report_bounce",
        subject=form.message_id,
        details={"reason": form.reason},
    )
    return "the notice counts as not delivered"


class SetKillSwitch(ByHand):
    """The form of `set_kill_switch`."""

    on: bool = Field(description="true: no machine is paused any more")


def _set_kill_switch(connection: sa.Connection, form: SetKillSwitch, now: datetime) -> str:
    """Stop every pause at once, or allow them again. Resuming is never stopped."""
    sql(connection, "escalation/set_kill_switch", is_on=form.on, reason=form.reason, actor=form.actor, now=now)
    audit.record(
        connection,
        now=now,
        actor=form.actor,
        action="set_kill_switch",
        subject="kill switch",
        details={"on": form.on, "reason": form.reason},
    )
    return f"the kill switch is {'on' if form.on else 'off'}"


definitions = dg.Definitions(
    jobs=[
        hand_job("place_hold", PlaceHold, _place_hold),
        hand_job("release_hold", ReleaseHold, _release_hold),
        hand_job("approve_pause", ApprovePause, _approve_pause),
        hand_job("veto_pause", VetoPause, _veto_pause),
        hand_job("confirm_power_state", ConfirmPowerState, _confirm_power_state),
        hand_job("report_bounce", ReportBounce, _report_bounce),
        hand_job("set_kill_switch", SetKillSwitch, _set_kill_switch),
    ]
)
