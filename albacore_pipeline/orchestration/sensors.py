"""The level-triggered sensor: each tick asks the database what is due by the Clock, and requests one batch of runs.

It keeps no cursor of its own about the work, so that nothing is forgotten when a run fails or the daemon was down: what
is still due is due at the next tick. See "Sensors" in Dagster's documentation.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

import dagster as dg

from albacore_pipeline.effects.gate import gate
from albacore_pipeline.orchestration.platform import PlatformResource
from albacore_pipeline.orchestration.runs import is_running

Job = Any  # a job or an asset job; Dagster exports no name for the latter
Due = Callable[[PlatformResource], Sequence[dg.RunRequest]]


def level_sensor(
    name: str,
    *,
    job: Job,
    due: Due,
    seconds: int = 60,
    live_only: bool = True,
    at_most_every: timedelta | None = None,
    comes_next: Callable[[PlatformResource], str] = lambda _: "",
) -> dg.SensorDefinition:
    """A sensor that asks for the runs that `due` names, one batch at a time; it bears the docstring of `due`.

    `live_only`: nothing is asked for in a dry run. `at_most_every`: how far the Clock must have gone since the last
    request, where an attempt that fails should not be repeated at once. `comes_next` says, where nothing is due, what
    will be, and when; empty where nobody knows.
    """

    @dg.sensor(
        name=name,
        job=job,
        description=due.__doc__,
        minimum_interval_seconds=seconds,
        default_status=dg.DefaultSensorStatus.RUNNING,
    )
    def sensor(context: dg.SensorEvaluationContext, platform: PlatformResource) -> dg.SensorResult | dg.SkipReason:
        if is_running(context.instance, job.name):
            return dg.SkipReason("a run is under way")
        if live_only and not gate(platform.settings).live:
            return dg.SkipReason("a dry run: nothing leaves")
        now = platform.clock.now()
        asked_at = datetime.fromisoformat(context.cursor) if context.cursor else None
        if at_most_every and asked_at and timedelta(0) <= now - asked_at < at_most_every:
            return dg.SkipReason(f"asked for at {asked_at:%H:%M} UTC; again from {asked_at + at_most_every:%H:%M} on")
        requests = due(platform)
        if not requests:
            return dg.SkipReason("; ".join(filter(None, ["nothing is due", comes_next(platform)])))
        return dg.SensorResult(run_requests=list(requests), cursor=now.isoformat() if at_most_every else None)

    return sensor
