"""What a person decides about collected days."""

from datetime import date, datetime

import dagster as dg
import sqlalchemy as sa
from pydantic import Field

from albacore_pipeline.consumption.store import decide_revision
from albacore_pipeline.database.jobs import ByHand, hand_job


class AcceptRevision(ByHand):
    """The form of `accept_revision`."""

    site: str = Field(description="as in the asset's key: norway")
    day: str = Field(description="the site's calendar day: 2025-10-26")
    accept: bool = Field(True, description="false refuses the revision")


def _accept_revision(connection: sa.Connection, form: AcceptRevision, now: datetime) -> str:
    """Accept or refuse a waiting revision of a site-day."""
    day = date.fromisoformat(form.day)
    revision = decide_revision(
        connection, site=form.site, day=day, accept=form.accept, actor=form.actor, reason=form.reason, now=now
    )
    return f"revision {revision} of {form.site} {day} {'accepted' if form.accept else 'refused'}"


definitions = dg.Definitions(jobs=[hand_job("accept_revision", AcceptRevision, _accept_revision)])
