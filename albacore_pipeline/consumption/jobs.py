"""What a person decides about collected days, and what is done about old answers."""

import dagster as dg

from albacore_pipeline.consumption.acts import AcceptRevision, accept_revision
from albacore_pipeline.consumption.retention import prune
from albacore_pipeline.orchestration.operator_jobs import operator_job
from albacore_pipeline.orchestration.platform import PlatformResource

KEPT_FOR_EVER = "ALBACORE_ARCHIVE_DAYS is not set: raw answers are kept for ever"


@dg.op
def prune_old_answers(context: dg.OpExecutionContext, platform: PlatformResource) -> None:
    """Delete the raw answers that are older than ALBACORE_ARCHIVE_DAYS and that nothing rests on."""
    days = platform.settings.archive_days
    if days is None:
        context.log.info(KEPT_FOR_EVER)
        return
    deleted = prune(engine=platform.engine, archive=platform.archive, days=days, now=platform.clock.now())
    context.add_output_metadata({"deleted answers": deleted, "older than, days": days})


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
    jobs=[operator_job("accept_revision", AcceptRevision, accept_revision), prune_archive], schedules=[nightly_pruning]
)
