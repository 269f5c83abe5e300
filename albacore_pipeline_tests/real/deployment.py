"""The product as it is deployed: a home with its database, the environment that leads to real sites, and Dagster.

Belongs here: starting it as `albacore env` does, running jobs in this process and commands beside it, and reading what
was stored by the views that finance reads. Does not belong here: any server of a site, and what a test expects.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any
from unittest import mock

import dagster as dg
import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray

from albacore_pipeline.cli import home
from albacore_pipeline.database import embedded
from albacore_pipeline.definitions import build_defs
from albacore_pipeline.periods import day_window
from albacore_pipeline.settings import PROJECT, Settings
from albacore_pipeline.sites import SITES
from albacore_pipeline_tests.real.loads import FIRST_DAY, LAST_DAY
from albacore_pipeline_tests.real.servers import RealServer

QUALITY = {"measured": "m", "interpolated": "i", "estimated": "e", "missing": "x"}


@dataclass(frozen=True, kw_only=True)
class Stored:
    """What the database holds of a site's month: machines by hours, in UTC order."""

    machines: list[str]
    wh: NDArray[np.int64]  # (M, H), -1 where the hour is missing
    quality: list[str]  # a letter an hour: m measured, i interpolated, e estimated, x missing

    def known(self) -> NDArray[np.bool_]:
        """Which hours (M, H) are not missing."""
        return self.wh >= 0


@dataclass(frozen=True, kw_only=True)
class Deployment:
    """The product with one real site; the others are off."""

    site: str
    engine: sa.Engine
    instance: dg.DagsterInstance

    def collect(
        self, *, first: date = FIRST_DAY, last: date = LAST_DAY, assets: Sequence[str] = ("machines", "consumption")
    ) -> dg.ExecuteInProcessResult:
        """Run the site's collection job over days, as a backfill in Dagster's UI would: one run for all of them."""
        tags = {
            "dagster/asset_partition_range_start": first.isoformat(),
            "dagster/asset_partition_range_end": last.isoformat(),
        }
        job = build_defs().resolve_job_def(f"collect_{self.site}")
        selection = [dg.AssetKey([self.site, asset]) for asset in assets]
        return job.execute_in_process(
            instance=self.instance, tags=tags, asset_selection=selection, raise_on_error=False
        )

    def materialize(self, day: date) -> subprocess.CompletedProcess[str]:
        """Collect a day through Dagster's own command line."""
        command = [str(Path(sys.executable).with_name("dagster")), "asset", "materialize"]
        command += ["-m", "albacore_pipeline.definitions"]
        command += ["--select", f"{self.site}/consumption", "--partition", day.isoformat()]
        return subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, timeout=200)

    def rows(self, question: str, **parameters: Any) -> Sequence[Any]:
        """The rows of a query; `:site` is this site."""
        with self.engine.connect() as connection:
            return connection.execute(sa.text(question), {"site": self.site, **parameters}).all()

    def collections(self) -> list[tuple[date, int, str]]:
        """Day, revision and state of everything that was ever stored."""
        question = "select day, revision, state from albacore.collection where site = :site order by day, revision"
        return [tuple(row) for row in self.rows(question)]

    def flags(self) -> dict[tuple[str, date], str]:
        """Flags of the machine-days that have any."""
        question = "select machine, day, flags from report.machine_days where site = :site and flags <> ''"
        return {(row.machine, row.day): row.flags for row in self.rows(question)}

    def stored(self) -> Stored:
        """The month's hours, by the view that finance reads."""
        question = """
            select machine, array_agg(coalesce((kwh * 1000)::bigint, -1) order by hour_start) as wh,
                array_agg(quality order by hour_start) as quality
            from report.machine_hours where site = :site group by machine order by machine
        """
        rows = self.rows(question)
        return Stored(
            machines=[row.machine for row in rows],
            wh=np.array([row.wh for row in rows], dtype=np.int64),
            quality=["".join(QUALITY[word] for word in row.quality) for row in rows],
        )

    def hours_of(self, day: date) -> slice:
        """Where a day's hours lie among the month's."""
        zone = SITES[self.site].timezone
        first, window = day_window(day=FIRST_DAY, timezone=zone), day_window(day=day, timezone=zone)
        begin = round((window.start - first.start).total_seconds()) // 3600
        return slice(begin, begin + window.hours)


@contextmanager
def deployed(*, site: str, folder: Path, variables: Mapping[str, str]) -> Iterator[Deployment]:
    """The product in a folder, by these variables of the site (`URL`, `USERNAME`, …) and none of the caller's."""
    with mock.patch.dict(os.environ):
        for name in home.own_variables():
            os.environ.pop(name, None)
        os.environ["ALBACORE_HOME"] = str(folder)
        os.environ["PYTHONPATH"] = str(PROJECT)
        os.environ.update({f"{site.upper()}_{name}": value for name, value in variables.items()})
        embedded.start(home=folder, durable=False)
        try:
            place = home.start(settings=Settings.as_given())
            engine = place.engine()
            with dg.DagsterInstance.get() as instance:
                yield Deployment(site=site, engine=engine, instance=instance)
            engine.dispose()
        finally:
            embedded.remove(home=folder)


def reached(server: RealServer) -> dict[str, str]:
    """A site's variables that lead to a server of energy."""
    return {"URL": server.url, "USERNAME": server.username, "PASSWORD": server.password}


def causes(result: dg.ExecuteInProcessResult) -> list[str]:
    """What the failed steps of a run say, in Dagster's own words to the user."""
    failures = [event.step_failure_data for event in result.all_events if event.is_step_failure]
    return [str(one.user_failure_data.description) if one.user_failure_data else str(one.error) for one in failures]
