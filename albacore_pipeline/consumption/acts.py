"""What a person decides about collected days."""

from __future__ import annotations

from datetime import date, datetime

import sqlalchemy as sa
from pydantic import Field

from albacore_pipeline.consumption.store import decide_revision
from albacore_pipeline.effects.acts import Done, OperatorForm


class AcceptRevision(OperatorForm):
    """The site-day whose waiting revision is decided on."""

    site: str = Field(description="as in the asset's key: norway")
    day: str = Field(description="the site's calendar day: 2025-10-26")
    accept: bool = Field(True, description="false refuses the revision")


def accept_revision(connection: sa.Connection, form: AcceptRevision, now: datetime) -> Done:
    """Accept or refuse a waiting revision of a site-day."""
    day = date.fromisoformat(form.day)
    revision = decide_revision(
        connection, site=form.site, day=day, accept=form.accept, actor=form.actor, reason=form.reason, now=now
    )
    state = "accepted" if form.accept else "refused"
    subject = f"{form.site} {day}"
    return Done(
        subject=subject,
        details={"revision": revision, "state": state},
        words=f"revision {revision} of {subject} {state}",
    )
