"""What a run is asked for with, and whether one is under way."""

from datetime import date

import dagster as dg

# What failed half-way is gone on with by the next tick, which asks the database what is left, not by a blind retry.
NEVER_TWICE = {"dagster/max_retries": "0"}

_UNFINISHED = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]


def is_running(instance: dg.DagsterInstance, job: str) -> bool:
    """Whether a run of a job is queued or under way: one batch at a time."""
    return instance.get_runs_count(dg.RunsFilter(job_name=job, statuses=_UNFINISHED)) > 0


def run_request(*, first: date, last: date, job: str | None = None) -> dg.RunRequest:
    """One run over a range of days; a run over a single day is an ordinary partition run."""
    if first == last:
        return dg.RunRequest(job_name=job, partition_key=first.isoformat())
    tags = {
        "dagster/asset_partition_range_start": first.isoformat(),
        "dagster/asset_partition_range_end": last.isoformat(),
    }
    return dg.RunRequest(job_name=job, tags=tags)
