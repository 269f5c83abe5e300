"""Ticks of sensors and schedules, and the runs that they ask for, in this process and against the usual instance.

What the daemon of `dagster dev` does in the background, done here in the foreground, in an order that a story needs.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import dagster as dg
from dagster._core.instance.ref import InstanceRef

from albacore_pipeline.oversight.causes import cause

QUIET = {
    "loggers": {"console": {"config": {"log_level": "CRITICAL"}}}
}  # the story is told elsewhere; the instance has the logs


@dataclass(frozen=True, kw_only=True)
class Ran:
    """A run that came of a tick."""

    job: str
    success: bool
    message: str


# Dagster would start four processes for each step, to copy what it prints. None of ours prints: they log.
NO_COMPUTE_LOGS = {"module": "dagster._core.storage.noop_compute_log_manager", "class": "NoOpComputeLogManager"}


@contextmanager
def opened_instance() -> Iterator[dg.DagsterInstance]:
    """The usual instance for a process that carries out runs by itself, without what only costs time there."""
    ref = InstanceRef.from_dir(os.environ["DAGSTER_HOME"], overrides={"compute_logs": NO_COMPUTE_LOGS})
    with dg.DagsterInstance.from_ref(ref) as instance:
        # Connections are kept, as the web server does. Else each event opens one, which takes longer than the event.
        instance.optimize_for_webserver(statement_timeout=60_000, pool_recycle=3_600, max_overflow=20)
        yield instance


UNFINISHED = [dg.DagsterRunStatus.NOT_STARTED, dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED]


def end_orphans(instance: dg.DagsterInstance) -> int:
    """Fail the runs that a killed command left behind, and return how many.

    For whoever holds the home alone: nobody alive carries them on, and a job that seems to run is not asked for again.
    """
    orphans = instance.get_runs(dg.RunsFilter(statuses=UNFINISHED))
    for run in orphans:
        instance.report_run_failed(run, "the process that carried the run is gone")
    return len(orphans)


@dataclass(kw_only=True)
class Ticker:
    """Ticks definitions against an instance; remembers the sensors' cursors."""

    definitions: dg.Definitions
    instance: dg.DagsterInstance
    cursors: dict[str, str] = field(default_factory=dict)

    def sensor(self, name: str) -> list[Ran]:
        """Tick a sensor and carry out what it asks for."""
        sensor = self.definitions.resolve_sensor_def(name)
        with dg.build_sensor_context(
            instance=self.instance,
            definitions=self.definitions,
            resources=dict(self.definitions.resources or {}),
            cursor=self.cursors.get(name),
            sensor_name=name,
        ) as context:
            answer = sensor.evaluate_tick(context)
        if answer.cursor:
            self.cursors[name] = answer.cursor
        target = sensor.job_name if len(sensor.targets) == 1 else ""
        return [
            self._run(request, job=request.job_name or target, tags={"dagster/sensor_name": name})
            for request in answer.run_requests or []
        ]

    def schedule(self, name: str) -> list[Ran]:
        """Tick a schedule as if its hour had come."""
        schedule = self.definitions.resolve_schedule_def(name)
        with dg.build_schedule_context(
            instance=self.instance,
            repository_def=self.definitions.get_repository_def(),
            resources=dict(self.definitions.resources or {}),
            scheduled_execution_time=datetime.now(UTC),
        ) as context:
            answer = schedule.evaluate_tick(context)
        return [
            self._run(request, job=schedule.job_name, tags={"dagster/schedule_name": name})
            for request in answer.run_requests or []
        ]

    def job(self, name: str, *, config: Mapping[str, Any] | None = None, partition: str | None = None) -> Ran:
        """Run a job as a person would from the Launchpad."""
        return self._run(dg.RunRequest(run_config=config, partition_key=partition), job=name, tags={})

    def _run(self, request: dg.RunRequest, *, job: str | None, tags: Mapping[str, str]) -> Ran:
        name = job or ""
        result = self.definitions.resolve_job_def(name).execute_in_process(
            instance=self.instance,
            run_config={**(request.run_config or {}), **QUIET},
            partition_key=request.partition_key,
            tags={**request.tags, **tags},
            raise_on_error=False,
        )
        failures = [event.step_failure_data for event in result.all_events if event.is_step_failure]
        return Ran(job=name, success=result.success, message=cause(failures[0]) if failures else "")
