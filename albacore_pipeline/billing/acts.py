"""What a person decides about a month."""

from __future__ import annotations

from datetime import date, datetime

import sqlalchemy as sa
from pydantic import Field

from albacore_pipeline.billing import queries
from albacore_pipeline.effects.acts import Done, OperatorForm


class AcceptGap(OperatorForm):
    """The machine-days whose missing hours nobody will ever know."""

    site: str = Field(description="as in the asset's key: norway")
    machines: list[str] = Field([], description="empty: every machine of the site")
    first_day: str = Field(description="2025-10-26")
    last_day: str = Field(description="inclusive")


def accept_gap(connection: sa.Connection, form: AcceptGap, now: datetime) -> Done:
    """Let missing hours of machine-days pass unbilled, so that their customers' months can be billed."""
    first, last = date.fromisoformat(form.first_day), date.fromisoformat(form.last_day)
    count = queries.accept_gap(
        connection, site=form.site, machines=form.machines, first_day=first, last_day=last, reason=form.reason,
        actor=form.actor, now=now,
    )  # fmt: skip
    if not count:
        raise LookupError(
            f"no machine-day of {form.site} from {first} to {last} is left to accept: check site, machines and days"
        )
    details = {"machines": form.machines, "first_day": first, "last_day": last, "machine_days": count}
    return Done(subject=form.site, details=details, words=f"{count} machine-days accepted")
