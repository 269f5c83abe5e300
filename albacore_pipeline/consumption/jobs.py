"""What a person decides about collected days, and what is done about old answers."""

from datetime import date, datetime

import dagster as dg
import sqlalchemy as sa
from pydantic import Field

from albacore_pipeline.consumption.retention import prune
from albacore_pipeline.consumption.store import decide_revision
from albacore_pipeline.data_centres.resources import ArchiveResource
from albacore_pipeline.database.jobs import ByHand, hand_job
from albacore_pipeline.database.resources import PlatformResource

KEPT_FOR_EVER = "ALBACORE_ARCHIVE_DAYS is not set: raw answers are kept for ever"


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


@dg.op
def prune_old_answers(context: dg.OpExecutionContext, platform: PlatformResource, archive: ArchiveResource) -> None:
    """Delete the raw answers that are older than ALBACORE_ARCHIVE_DAYS and that nothing rests on."""
    days = platform.settings.archive_days
    if days is None:
        context.log.info(KEPT_FOR_EVER)
        return
    gone = prune(engine=platform.engine, archive=archive.open(), days=days, now=platform.clock.now())
    context.add_output_metadata({"deleted answers": gone, "older than, days": days})


@dg.job
def prune_archive() -> None:
    """Delete old raw answers."""
    prune_old_answers()


@dg.schedule(
    job=prune_archive,
    cron_schedule="0 2 * * *",
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.RUNNING,
)
def nightly_pruning(platform: PlatformResource) -> dg.RunRequest | dg.SkipReason:
    """Each night, where answers are not kept for ever."""
    return dg.SkipReason(KEPT_FOR_EVER) if platform.settings.archive_days is None else dg.RunRequest()


definitions = dg.Definitions(
    jobs=[hand_job("accept_revision", AcceptRevision, _accept_revision), prune_archive], schedules=[nightly_pruning]
)
