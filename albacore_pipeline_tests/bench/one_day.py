"""One site-day through its asset in a process of its own, so that its memory is its own: prints seconds and MiB.

The site is reached by the environment, as in production.
"""

from __future__ import annotations

import dataclasses
import json
import sys
import time
from pathlib import Path

import dagster as dg

from albacore_pipeline.consumption.assets import site_definitions
from albacore_pipeline.orchestration.platform import PlatformResource
from albacore_pipeline.sites import SITES
from albacore_pipeline_tests.bench.fleet import DAY, STEP


def peak_mib() -> float:
    """The most memory that this program held (`ru_maxrss` would count its parent's too)."""
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return int(status["VmHWM"].split()[0]) / 1024


def main() -> None:
    """Collect DAY of the site that the command line names."""
    site = dataclasses.replace(SITES[sys.argv[1]], step=STEP)
    shared = {"platform": PlatformResource()}
    definitions = dg.Definitions.merge(site_definitions(site), dg.Definitions(resources=shared))
    job = definitions.resolve_job_def(f"collect_{site.name}")
    selection = [dg.AssetKey([site.name, "consumption"])]
    with dg.DagsterInstance.ephemeral() as instance:
        started = time.monotonic()
        job.execute_in_process(instance=instance, partition_key=DAY.isoformat(), asset_selection=selection)
        spent = time.monotonic() - started
    sys.stdout.write(json.dumps({"seconds": spent, "mib": peak_mib()}))


if __name__ == "__main__":
    main()
