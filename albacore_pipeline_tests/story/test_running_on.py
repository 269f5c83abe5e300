"""The place goes on living: by hand, told again, beside another command, and stopped."""

from __future__ import annotations

import fcntl
import gzip
import json
from pathlib import Path

import pytest

from albacore_pipeline_tests.story.told import CANARY, Told, described

pytestmark = [pytest.mark.timeout(600), pytest.mark.xdist_group("story")]

# What a second telling must not touch, without the columns that say when something was last looked at.
UNCHANGED = {
    "invoices": {"as_of"},
    "invoice_lines": set[str](),
    "payments": set[str](),
    "escalation": set[str](),
    "holds": set[str](),
    "machine_commands": set[str](),
    "billing_records": set[str](),
    "customer_months": set[str](),
    "machine_days": set[str](),
    "unbilled": set[str](),
}


def test_a_day_is_materialized_by_hand_with_plain_dagster_and_asked_for_with_plain_psql(told: Told) -> None:
    question = (
        "select count(*) as revisions, max(last_read_at) as last_read_at from albacore.collection"
        " where site = 'norway' and day = '2025-10-26'"
    )
    before, days = told.rows(question)[0], _rows(told, "machine_days")

    by_hand = told.shell(
        "dagster asset materialize -m albacore_pipeline.definitions"
        " --select norway/consumption --partition 2025-10-26\n"
        "psql -Atc \"select count(*) from report.machine_days where site = 'norway' and day = '2025-10-26'\""
    )

    assert by_hand.returncode == 0, by_hand.stderr[-3000:]
    assert by_hand.stdout.splitlines()[-1] == "50"
    after = told.rows(question)[0]
    assert after.last_read_at > before.last_read_at
    assert after.revisions == before.revisions == 1
    assert _rows(told, "machine_days") == days


def test_a_real_address_in_a_shell_that_knows_the_sandbox_stops_every_run_and_command(told: Told) -> None:
    stopped = told.shell(
        f"export SMTP_URL=smtp://somebody:{CANARY}@127.0.0.1:1\n"
        "albacore verify && exit 3\n"
        "dagster asset materialize -m albacore_pipeline.definitions"
        " --select norway/consumption --partition 2025-10-26"
    )

    assert stopped.returncode == 1
    assert stopped.stderr.splitlines()[0].startswith("SMTP_URL: not the sandbox's")
    assert "SMTP_URL does not lead to the sandbox" in stopped.stderr


def test_told_twice_the_story_changes_nothing(told: Told) -> None:
    before = {view: _rows(told, view) for view in UNCHANGED}

    again = told.demo()

    assert again.returncode == 0, again.stdout[-2000:] + again.stderr[-2000:]
    after = {view: _rows(told, view) for view in UNCHANGED}
    assert {
        view: sorted(set(after[view]) ^ set(before[view])) for view in UNCHANGED if after[view] != before[view]
    } == {}
    assert before["machine_days"]
    assert before["machine_commands"]


def test_no_secret_of_the_shell_is_in_any_store(told: Told) -> None:
    stores = {**_dumps(told), "said": "\n".join(told.outputs).encode()}

    # The search itself is tried on words that must be there.
    assert {name for name, content in stores.items() if b"collect_norway" in content} == {"dagster", "said"}
    assert b"ALB-2025-000001" in stores["albacore"]
    assert len(_files_with(b'"NO-0001"', told.home / "archive")) > 31
    assert [name for name, content in stores.items() if CANARY.encode() in content] == []
    assert _files_with(CANARY.encode(), told.home) == []
    assert _files_with(CANARY.encode(), (told.home / "postgres").resolve()) == []


def test_beside_another_command_the_demo_refuses_in_one_line(told: Told) -> None:
    with (told.home / "in-use.lock").open("r+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.write("albacore up (pid 4711)")
        file.flush()
        refused = told.albacore("demo")
        file.truncate(0)

    assert refused.returncode == 1
    assert refused.stderr.splitlines() == [
        f"albacore up (pid 4711) is running on {told.home}: albacore down, or wait for its end"
    ]


def test_down_stops_everything(told: Told) -> None:
    assert told.albacore("env").returncode == 0
    assert len(told.processes()) >= 2

    stopped = told.albacore("down")

    assert stopped.stdout.strip() == "Stopped the sandbox, the embedded database"
    assert described(told.processes()) == []
    assert told.albacore("down").stdout.strip() == "Nothing was running"


def test_what_was_stopped_comes_back_with_its_data(told: Told) -> None:
    told.albacore("down")

    status = told.albacore("sandbox", "status")

    assert status.returncode == 0, status.stderr
    assert status.stdout >= "2025-12-17"
    assert told.albacore("verify", "--month", "2025-10", "--live").returncode == 0


def _rows(told: Told, view: str) -> list[str]:
    """A view's rows as text, sorted, without what must move."""
    left_aside = UNCHANGED[view]
    return sorted(
        json.dumps({name: str(value) for name, value in row._mapping.items() if name not in left_aside})
        for row in told.rows(f"select * from report.{view}")
    )


def _dumps(told: Told) -> dict[str, bytes]:
    return {database: told.dump(database).encode() for database in ("albacore", "dagster")}


def _files_with(needle: bytes, folder: Path) -> list[Path]:
    """Files that hold the needle, unpacked where they are packed."""
    files = [path for path in folder.rglob("*") if path.is_file() and not path.is_symlink()]
    return [path for path in files if needle in _unpacked(path.read_bytes())]


def _unpacked(content: bytes) -> bytes:
    return gzip.decompress(content) if content.startswith(b"\x1f\x8b") else content
