"""What Dagster is told of the product: the names of the contract, and a snapshot of the whole graph.

`python -m albacore_pipeline_tests.test_definitions` writes the snapshot anew; its difference is then there to be read.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import dagster as dg

from albacore_pipeline.definitions import build_defs, defs
from albacore_pipeline.settings import PROJECT
from albacore_pipeline.sites import SITES

SNAPSHOT = Path(__file__).with_suffix(".json")

GROUPS = {
    **{f"{site}/{name}": "collection" for site in SITES for name in ("machines", "consumption")},
    "registry": "registry",
    "billing_records": "billing",
    "invoices": "invoicing",
    "payments": "invoicing",
    "escalation_steps": "escalation",
    "machine_pauses": "escalation",
    "month_report": "finance",
}
PARTITIONS = {
    **{f"{site}/consumption": "day" for site in SITES},
    **dict.fromkeys(("billing_records", "invoices", "month_report"), "month"),
}
JOBS = {
    *(f"collect_{site}" for site in SITES), "bill_month", "issue_invoices", "watch_payments", "escalate",
    "pause_machines", "resume_machines", "reconcile", "report_month", "load_registry", "accept_gap",
    "accept_revision", "place_hold", "release_hold", "approve_pause", "veto_pause", "confirm_power_state",
    "release_document", "report_bounce", "set_kill_switch", "prune_archive", "resolve_dispute", "reopen_case",
    "write_off", "finish_task", "resume_machine", "clear_site_stop", "sign_off_country",
}  # fmt: skip
SCHEDULES = {*(f"nightly_{site}" for site in SITES), "monthly_billing", "nightly_reconciliation", "nightly_pruning"}
SENSORS = {
    "corrections", "invoice_issuing", "payment_watch", "escalation", "machine_pause", "machine_resume", "missed_work",
    "run_failures",
}  # fmt: skip

# Runs in a process of its own, for an audit hook can't be taken away again: it imports Dagster once, and ours anew in
# each shell. Looking for a free IPv6 port, as a library does, is no traffic and stays allowed.
UNTOUCHED = """
import sys

FORBIDDEN = {"socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto", "socket.sendmsg"}

def refuse(event, arguments):
    if event in FORBIDDEN or event == "open" and isinstance(arguments[1], str) and set("wax+") & set(arguments[1]):
        raise RuntimeError(f"{event} {arguments[:2]} at import")

sys.addaudithook(refuse)
import json
import os
import dagster as dg
import psycopg, psycopg2
psycopg.Connection.connect = psycopg2.connect = lambda *given, **more: refuse("socket.connect", given)
for variables in json.loads(sys.argv[1]):
    if os.fork() == 0:
        os.environ.update(variables)
        from albacore_pipeline.definitions import defs
        dg.Definitions.validate_loadable(defs)
        break
    if os.wait()[1]:
        sys.exit(f"with {variables}")
"""
HOSTILE = {
    "ALBACORE_DATABASE_URL": "postgresql+psycopg://nobody@127.0.0.1:1/none",
    "ALBACORE_EFFECTS": "live",
    "XERO_CLIENT_ID": "somebody",
    **{f"{site.upper()}_URL": "http://127.0.0.1:1" for site in SITES},
}
PLAYED = dict.fromkeys(("ALBACORE_SANDBOX_URL", "ALBACORE_CLOCK_URL", "XERO_API_URL"), "http://127.0.0.1:1")


def test_definitions_load_without_touching_anything(tmp_path: Path) -> None:
    """Where nothing is configured, where every site is, and where a sandbox is that is gone."""
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(PROJECT), "PYTHONDONTWRITEBYTECODE": "1"}
    cases = json.dumps([{}, HOSTILE, PLAYED])

    loaded = subprocess.run(
        [sys.executable, "-c", UNTOUCHED, cases],
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert loaded.returncode == 0, loaded.stderr
    assert not list(tmp_path.iterdir())


def test_the_assets_of_the_contract() -> None:
    assets = snapshot()["assets"]

    assert {key: asset["group"] for key, asset in assets.items()} == GROUPS
    assert {key: asset["partitions"] for key, asset in assets.items() if asset["partitions"]} == PARTITIONS


def test_the_jobs_schedules_and_sensors_of_the_contract() -> None:
    known = snapshot()

    assert (set(known["jobs"]), set(known["schedules"]), set(known["sensors"])) == (JOBS, SCHEDULES, SENSORS)


def test_everything_that_drives_the_pipeline_runs_from_the_start() -> None:
    known = snapshot()

    assert {entry["status"] for kind in ("schedules", "sensors") for entry in known[kind].values()} == {"RUNNING"}


def test_every_asset_has_an_owner_and_words_of_its_own() -> None:
    graph = defs.resolve_asset_graph()

    without = [key.to_user_string() for key in graph.get_all_asset_keys() if not graph.get(key).owners]
    silent = [key.to_user_string() for key in graph.get_all_asset_keys() if not graph.get(key).description]

    assert (without, silent) == ([], [])


def test_what_touches_a_site_is_in_its_pool() -> None:
    assets = snapshot()["assets"]

    assert {key: asset["pools"] for key, asset in assets.items() if asset["group"] == "collection"} == {
        f"{site}/{name}": [site] for site in SITES for name in ("machines", "consumption")
    }


def test_a_fifth_site_is_one_entry() -> None:
    norway = SITES["norway"]
    lofoten = type(norway)(**{**vars(norway), "name": "lofoten"})

    built = build_defs(sites={**SITES, "lofoten": lofoten})

    keys = {key.to_user_string() for key in built.resolve_asset_graph().get_all_asset_keys()}
    assert {"lofoten/machines", "lofoten/consumption"} <= keys
    assert built.resolve_schedule_def("nightly_lofoten").job_name == "collect_lofoten"


def test_the_graph_is_the_one_in_the_snapshot() -> None:
    kept = json.loads(SNAPSHOT.read_text())

    assert snapshot() == kept, f"if this was meant: python -m {__name__} writes the snapshot anew"


def snapshot() -> dict[str, Any]:
    """All that Dagster knows of the product, as plain data."""
    repository = defs.get_repository_def()
    return {
        "assets": _assets(),
        "jobs": sorted(job.name for job in repository.get_all_jobs() if not job.name.startswith("__")),
        "schedules": {
            schedule.name: {
                "job": schedule.job_name,
                "cron": schedule.cron_schedule,
                "timezone": schedule.execution_timezone,
                "status": schedule.default_status.name,
            }
            for schedule in sorted(repository.schedule_defs, key=lambda schedule: schedule.name)
        },
        "sensors": {
            sensor.name: {
                "jobs": sorted(target.job_name for target in sensor.targets),
                "seconds": sensor.minimum_interval_seconds,
                "status": sensor.default_status.name,
            }
            for sensor in sorted(repository.sensor_defs, key=lambda sensor: sensor.name)
        },
    }


def _assets() -> dict[str, Any]:
    graph = defs.resolve_asset_graph()
    nodes = {key.to_user_string(): graph.get(key) for key in graph.get_all_asset_keys()}
    return {
        name: {
            "group": node.group_name,
            "partitions": _partitions(node.partitions_def),
            "deps": sorted(parent.to_user_string() for parent in node.parent_keys),
            "owners": list(node.owners),
            "pools": sorted(node.pools or ()),
            "checks": sorted(check.name for check in node.check_keys),
        }
        for name, node in sorted(nodes.items())
    }


def _partitions(definition: dg.PartitionsDefinition[str] | None) -> str:
    names = {dg.DailyPartitionsDefinition: "day", dg.MonthlyPartitionsDefinition: "month"}
    return names[type(definition)] if definition is not None else ""


if __name__ == "__main__":
    SNAPSHOT.write_text(json.dumps(snapshot(), indent=2) + "\n")
