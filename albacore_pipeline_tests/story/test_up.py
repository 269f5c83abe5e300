"""`albacore up`: the daemon drives the pipeline over the story's data, and everything ends with the command."""

from __future__ import annotations

import signal
import socket
from typing import Any

import pytest

from albacore_pipeline_tests.story.served import REPOSITORY, ask, until, up
from albacore_pipeline_tests.story.told import Told, described

pytestmark = [pytest.mark.timeout(600), pytest.mark.xdist_group("story")]

LIVES = f"""
query {{
  schedulesOrError(repositorySelector: {REPOSITORY}) {{
    ... on Schedules {{ results {{ name scheduleState {{ status }} }} }}
  }}
  sensorsOrError(repositorySelector: {REPOSITORY}) {{
    ... on Sensors {{ results {{ name sensorState {{ status ticks(limit: 20) {{ status error {{ message }} }} }} }} }}
  }}
  runsOrError(limit: 1000) {{ ... on Runs {{ results {{ jobName status }} }} }}
}}
"""


def test_up_serves_the_same_data_drives_the_pipeline_and_ends(told: Told) -> None:
    """Started as scripts start their background jobs, with SIGINT ignored: Dagster ends its children with just that."""
    with up(told, deaf=True) as (served, url, _):
        until(lambda: _every_sensor_has_ticked(url), seconds=90)
        lives = ask(url, LIVES)
        refused = told.albacore("demo")
        served.send_signal(signal.SIGTERM)
        code = served.wait(timeout=60)

    states = {sensor["name"]: sensor["sensorState"] for sensor in lives["sensorsOrError"]["results"]}
    assert {state["status"] for state in states.values()} == {"RUNNING"}
    assert {row["scheduleState"]["status"] for row in lives["schedulesOrError"]["results"]} == {"RUNNING"}
    assert _failed_ticks(lives) == []
    runs = {run["jobName"] for run in lives["runsOrError"]["results"]}
    assert {"collect_norway", "bill_month", "issue_invoices", "pause_machines", "resume_machines"} <= runs
    assert (refused.returncode, "is running on" in refused.stderr) == (1, True)
    assert code == 0
    assert described(process for process in told.processes() if "dagster" in " ".join(process.cmdline())) == []


@pytest.mark.slow
def test_a_new_night_is_collected_by_itself(told: Told) -> None:
    newest = told.rows("select max(day) as day from report.machine_days")[0].day
    nights = f"select distinct site from report.machine_days where day > '{newest}'"

    with up(told) as (_, url, log):
        advanced = told.albacore("sandbox", "advance", "1")
        until(lambda: len(told.rows(nights)) == 4, seconds=120)
        lives = ask(url, LIVES)

    assert advanced.returncode == 0
    assert _failed_ticks(lives) == []
    assert "Traceback" not in log.read_text()
    assert told.albacore("verify").returncode == 0


def test_a_killed_up_leaves_nothing_that_down_can_not_stop(told: Told) -> None:
    with up(told) as (served, _, _):
        served.kill()
        served.wait(timeout=10)

        stopped = told.albacore("down")

        assert stopped.stdout.strip() == "Stopped the command that was running, the sandbox, the embedded database"
        until(lambda: described(told.processes()) == [], seconds=5)  # what was killed is gone a moment later


def test_a_taken_port_is_said_in_one_line(told: Told) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        refused = told.albacore("up", "--port", str(port))

    assert refused.returncode == 1
    assert refused.stderr.strip().splitlines()[0].startswith(f"port {port} of 127.0.0.1 is not free")
    assert len(refused.stderr.strip().splitlines()) == 1


def _every_sensor_has_ticked(url: str) -> bool:
    sensors = ask(url, LIVES)["sensorsOrError"]["results"]
    return bool(sensors) and all(
        any(tick["status"] != "STARTED" for tick in sensor["sensorState"]["ticks"]) for sensor in sensors
    )


def _failed_ticks(lives: dict[str, Any]) -> list[str]:
    return [
        f"{sensor['name']}: {tick['error']}"
        for sensor in lives["sensorsOrError"]["results"]
        for tick in sensor["sensorState"]["ticks"]
        if tick["status"] == "FAILURE"
    ]
