"""A deployment as Dagster sees it: the product's own definitions over a test's database and clock."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from albacore_pipeline.archive import Archive
from albacore_pipeline.database import connect
from albacore_pipeline.definitions import build_defs
from albacore_pipeline.orchestration.platform import PlatformResource
from albacore_pipeline.periods import Clock
from albacore_pipeline_tests.clocks import FrozenClock, utc
from albacore_pipeline_tests.escalation.desk import Desk


class StandingPlatform(PlatformResource):
    """The platform of a test: its clock stands where the test put it, its archive lies where the test wants it."""

    at: str
    folder: str

    @property
    def clock(self) -> Clock:
        """The test's time."""
        return FrozenClock(datetime.fromisoformat(self.at))

    @property
    def archive(self) -> Archive:
        """The test's archive."""
        return Archive(self.folder)


@dataclass(frozen=True, kw_only=True)
class Deployment:
    """A desk, and Dagster over the same database."""

    desk: Desk
    folder: Path

    def definitions(self) -> dg.Definitions:
        """The product's definitions at the desk's present instant."""
        at = self.desk.clock.now().isoformat()
        return build_defs(resources={"platform": StandingPlatform(at=at, folder=str(self.folder))})

    def run(self, job: str, *, config: Mapping[str, Any] | None = None, partition: str | None = None) -> Any:
        """A run of a job in this process, whether it ends well or not."""
        return (
            self.definitions()
            .resolve_job_def(job)
            .execute_in_process(run_config=dict(config or {}), partition_key=partition, raise_on_error=False)
        )

    def tick(self, sensor: str, *, cursor: str | None = None) -> dg.SensorExecutionData:
        """What a sensor answers now."""
        definitions = self.definitions()
        with (
            dg.DagsterInstance.ephemeral() as instance,
            dg.build_sensor_context(
                instance=instance,
                definitions=definitions,
                resources=dict(definitions.resources or {}),
                cursor=cursor,
                sensor_name=sensor,
            ) as context,
        ):
            return definitions.resolve_sensor_def(sensor).evaluate_tick(context)


def deploy(url: str, *, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Deployment:
    """A live deployment over a database: what a test does not fake is not reached."""
    monkeypatch.setenv("ALBACORE_DATABASE_URL", url)
    monkeypatch.setenv("ALBACORE_EFFECTS", "live")
    monkeypatch.setenv("ALBACORE_LIVE_FROM", "2025-10")
    monkeypatch.setenv("ALBACORE_HOME", str(folder))
    desk = Desk(engine=connect(url), clock=FrozenClock(utc("2025-11-01T06:00")))
    return Deployment(desk=desk, folder=folder)
