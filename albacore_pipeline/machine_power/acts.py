"""What a person decides about pauses and machines."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Literal

import sqlalchemy as sa
from pydantic import Field

from albacore_pipeline.effects.acts import Done, OperatorForm
from albacore_pipeline.escalation import store
from albacore_pipeline.machine_power import approvals, queries

VETO_DAYS = 30


class ApprovePause(OperatorForm):
    """One of two approvals for a pause above the blast radius, by the code that was mailed."""

    customer: str
    approver: str = Field(description="the mailbox that the code was sent to")
    code: str = Field(description="the one-time code of the mail")


def approve_pause(connection: sa.Connection, form: ApprovePause, now: datetime) -> Done:
    """One of two approvals for a pause above the blast radius."""
    approvals.approve(connection, customer=form.customer, approver=form.approver, code=form.code, now=now)
    return Done(
        subject=form.customer,
        details={"approver": form.approver},
        words=f"{form.approver} approves the pause of {form.customer}",
    )


class VetoPause(OperatorForm):
    """Whose scheduled pause is stopped."""

    customer: str


def veto_pause(connection: sa.Connection, form: VetoPause, now: datetime) -> Done:
    """Stop a scheduled pause; the customer is on hold until a person goes on."""
    if not queries.veto(connection, customer=form.customer):
        raise LookupError(f"no pause of {form.customer} is scheduled")
    until = now + timedelta(days=VETO_DAYS)
    store.place_hold(
        connection, customer=form.customer, number=None, kind="manual", reason=f"veto: {form.reason}",
        owner=form.actor, until_at=until, now=now,
    )  # fmt: skip
    return Done(
        subject=form.customer, details={"on hold until": until}, words=f"the pause of {form.customer} is vetoed"
    )


class ConfirmPowerState(OperatorForm):
    """Which ticket was carried out."""

    site: str
    machine: str
    action: Literal["pause", "resume"] = Field(description="which ticket was carried out")


def confirm_power_state(connection: sa.Connection, form: ConfirmPowerState, now: datetime) -> Done:
    """A person's word that a ticket was carried out, for a site without an interface."""
    values = {"site": form.site, "machine": form.machine, "action": form.action}
    if not queries.confirm_power_state(connection, site=form.site, machine=form.machine, action=form.action, now=now):
        raise LookupError(f"no {form.action} of {form.site} {form.machine} waits for a confirmation")
    return Done(
        subject=f"{form.site} {form.machine}",
        details=values,
        words=f"{form.action} of {form.site} {form.machine} confirmed",
    )


class SetKillSwitch(OperatorForm):
    """Whether pauses are stopped everywhere."""

    on: bool = Field(description="true: no machine is paused any more")


def set_kill_switch(connection: sa.Connection, form: SetKillSwitch, now: datetime) -> Done:
    """Stop every pause at once, or allow them again. Resuming is never stopped."""
    queries.set_kill_switch(connection, is_on=form.on, reason=form.reason, actor=form.actor, now=now)
    return Done(
        subject="kill switch", details={"on": form.on}, words=f"the kill switch is {'on' if form.on else 'off'}"
    )
