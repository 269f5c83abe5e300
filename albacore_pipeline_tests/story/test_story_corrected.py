"""An assignment is changed back in time after its month was invoiced: planned, loaded, and corrected by the next tick.

Runs after what `test_story.py` looks at: it goes on with the same home.
"""

from __future__ import annotations

import csv
import shutil
from pathlib import Path

import pytest

from albacore_pipeline_tests.story.told import Told

pytestmark = [pytest.mark.timeout(600), pytest.mark.xdist_group("story")]

GIVES, TAKES = "c06", "c07"

TICKS = """
from albacore_pipeline.cli.ticks import Ticker, opened_instance
from albacore_pipeline.definitions import defs
with opened_instance() as instance:
    ticker = Ticker(definitions=defs, instance=instance)
    ran = [run for name in ("corrections", "invoice_issuing") for run in ticker.sensor(name)]
assert ran and all(run.success for run in ran), ran
"""


def handed_over(told: Told, folder: Path) -> str:
    """The registry of the story, but one machine is another customer's for the last twelve days of October."""
    source = next(path for path in told.home.rglob("assignments.csv")).parent
    shutil.copytree(source, folder)
    with (folder / "assignments.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    row = next(
        row for row in rows if row["customer"] == GIVES and row["from_day"] <= "2025-10-01" and not row["to_day"]
    )
    rest = [
        row | {"customer": TAKES, "from_day": "2025-10-20", "to_day": "2025-10-31"},
        row | {"from_day": "2025-11-01"},
    ]
    row["to_day"] = "2025-10-19"
    with (folder / "assignments.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, fieldnames=rows[0].keys())
        writer.writeheader()
        writer.writerows([*rows, *rest])
    return row["machine"]


def test_a_back_dated_handover_becomes_a_credit_note_and_a_supplement(told: Told, tmp_path: Path) -> None:
    folder = tmp_path / "registry"
    machine = handed_over(told, folder)
    before = told.rows("select number from report.invoices order by number")

    plan = told.albacore("registry", "load", str(folder), "--plan")
    assert plan.returncode == 0, plan.stderr
    named = {name for name in (GIVES, TAKES) if f"2025-10 {name}" in plan.stdout}
    assert named == {GIVES, TAKES}, plan.stdout
    assert "credit note" in plan.stdout and "supplement" in plan.stdout, plan.stdout
    assert told.rows("select number from report.invoices order by number") == before, "a plan changes nothing"
    assert told.albacore("verify").returncode == 0

    loaded = told.albacore("registry", "load", str(folder), "--reason", "a handover that nobody had told us of")
    assert loaded.returncode == 0, loaded.stderr
    assert told.albacore("verify").returncode == 0, "what is to be corrected is unbilled or pending, and nowhere twice"

    for round_ in range(2):  # the second round finds nothing left to do
        ticked = told.shell(f"\"$python\" -c '{TICKS}' || test {round_} -eq 1")
        assert ticked.returncode == 0, ticked.stderr[-3000:]
    corrections = told.rows(
        "select customer, kind, month, revision, state from report.invoices"
        f" where number <> all(array{[row.number for row in before]}) order by kind"
    )
    assert [tuple(row)[:4] for row in corrections] == [
        (GIVES, "credit_note", "2025-10", 2), (TAKES, "supplement", "2025-10", 2),
    ]  # fmt: skip
    reasons = told.rows(
        f"select reason from report.customer_months where customer in ('{GIVES}', '{TAKES}') and month = '2025-10'"
    )
    assert {row.reason.split("; ")[-1] for row in reasons} == {
        "registry version 4 (a handover that nobody had told us of)"
    }, "after the versions of the story, whose handovers changed nothing of his"
    assert told.albacore("verify", "--live").returncode == 0

    explained = told.albacore("explain", "--machine", machine, "--day", "2025-10-25")
    assert explained.returncode == 0, explained.stderr
    assert f"2025-10 {TAKES}, revision 2" in explained.stdout
    assert GIVES not in explained.stdout
