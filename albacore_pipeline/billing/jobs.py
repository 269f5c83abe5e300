"""What a person decides about a month."""

from datetime import date, datetime

import dagster as dg
import sqlalchemy as sa
from pydantic import Field

from albacore_pipeline.database import sql
from albacore_pipeline.database.jobs import ByHand, hand_job
from albacore_pipeline.effects import audit


class AcceptGap(ByHand):
    """The form of `accept_gap`."""

    site: str = Field(description="as in the asset's key: norway")
    machines: list[str] = Field([], description="empty: every machine of the site")
    first_day: str = Field(description="2025-10-26")
    last_day: str = Field(description="inclusive")


def _accept_gap(connection: sa.Connection, form: AcceptGap, now: datetime) -> str:
    """Let missing hours of machine-days pass unbilled, so that their customers' months can be billed."""
    first, last = date.fromisoformat(form.first_day), date.fromisoformat(form.last_day)
    values = {
        "site": form.site,
        "machines": form.machines,
        "first_day": first,
        "last_day": last,
        "reason": form.reason,
        "actor": form.actor,
    }
    count = sql(connection, "billing/accept_gap", now=now, **values).rowcount
    if not count:
        raise LookupError(
            f"no machine-day of {form.site} from {first} to {last} is left to accept: check site, machines and days"
        )
    audit.record(
        connection,
        now=now,
        actor=form.actor,
        action="accept_gap",
        subject=form.site,
        details=values | {"machine_days": count},
    )
    return f"{count} machine-days accepted"


definitions = dg.Definitions(jobs=[hand_job("accept_gap", AcceptGap, _accept_gap)])
