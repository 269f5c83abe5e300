"""docs/adding-an-escalation-stage.md: its changes add a stage, and its list of places is complete."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from albacore_pipeline.registry.policies import Stage
from albacore_pipeline.settings import PROJECT
from albacore_pipeline_tests.docs.pages import DOCS, blocks, patched, places

PAGE = DOCS / "adding-an-escalation-stage.md"
NAMES_A_STAGE = re.compile(rf"""\bStage\.[A-Z]|["'](?:{"|".join(Stage)})["']|final_notice, pause_scheduled""")

# What a debt that nobody pays enters, by days after its due date, where each notice is delivered within a day; and what
# each notice says.
CHAIN = """
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

from albacore_pipeline.escalation.evaluate import Debt, Enter, Facts, Step, evaluate
from albacore_pipeline.escalation.notices import notice, recipients
from albacore_pipeline.registry.policies import Policy, Stage

due, steps = date(2025, 11, 14), []
for days in range(40):
    now = datetime.combine(due + timedelta(days=days), time(6), UTC)
    debt = Debt(number="A-1", due_on=due, amount_due=Decimal(500), as_of=now, held=False)
    facts = Facts(customer="acme", country="NO", currency="NOK", debts=(debt,), steps=tuple(steps),
                  case_open=bool(steps), customer_held=False)
    decision = evaluate(facts=facts, policy=Policy(), as_of=now)
    if isinstance(decision, Enter):
        steps.append(Step(stage=decision.stage, sent_at=now, delivered_at=now + timedelta(days=1),
                          acts_after=decision.acts_after))
        print(decision.stage, days)
for stage in Stage:
    recipients(stage=stage, email="a", account_manager="b", policy=Policy())
    notice(stage=stage, name="Acme", invoices=[], machines=[], policy=Policy(), acts_after=None)
"""


def stages(package: Path) -> list[str]:
    ended = subprocess.run(
        [sys.executable, "-c", CHAIN], env={"PYTHONPATH": str(package.parent)}, cwd=package.parent, capture_output=True,
        text=True, timeout=60, check=False,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr
    return ended.stdout.splitlines()


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A copy of the package with the changes of the page."""
    copy = shutil.copytree(
        PROJECT / "albacore_pipeline", tmp_path / "albacore_pipeline", symlinks=True,
        ignore=shutil.ignore_patterns("__pycache__"),
    )  # fmt: skip
    for path, text in map(patched, blocks(PAGE, "diff")):
        (tmp_path / path).write_text(text)
    return copy


def test_the_changes_of_the_page_put_a_stage_into_the_chain(package: Path) -> None:
    assert stages(PROJECT / "albacore_pipeline") == [
        "upcoming 0", "reminder 3", "overdue 7", "final_notice 14", "pause_scheduled 21", "paused 24"
    ]  # fmt: skip
    assert stages(package) == [
        "upcoming 0", "reminder 3", "overdue 7", "call 10", "final_notice 14", "pause_scheduled 21", "paused 24"
    ]  # fmt: skip


def test_the_page_names_every_file_that_names_a_stage() -> None:
    folders = ("albacore_pipeline", "albacore_sandbox", "sql")
    files = [path for folder in folders for path in (PROJECT / folder).rglob("*") if path.suffix in (".py", ".sql")]
    found = {str(path.relative_to(PROJECT)) for path in files if NAMES_A_STAGE.search(path.read_text())}
    assert places(PAGE, "## Every file that names a stage") == found
