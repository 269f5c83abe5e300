"""docs/adding-an-escalation-stage.md: the policy of the page is one, and its stage stands in the chain."""

from __future__ import annotations

import re
from datetime import date

from albacore_pipeline.registry.policy_file import read_policies
from albacore_pipeline.registry.stages import Does, Need
from albacore_pipeline.settings import PROJECT
from albacore_pipeline_tests.docs.pages import DOCS
from albacore_pipeline_tests.escalation.course import Course

PAGE = (DOCS / "adding-an-escalation-stage.md").read_text()


def test_the_policy_of_the_page_puts_its_stage_into_the_chain() -> None:
    (text,) = re.findall(r"```yaml\n(.*?)```", PAGE, flags=re.DOTALL)
    policies, problems = read_policies(text)
    assert problems == []
    (policy,) = policies["default"]
    course = Course(policy=policy)
    entered = [stage for _, _, stage in course.run(date(2025, 11, 7), date(2025, 12, 20))]
    assert entered == ["upcoming", "reminder", "overdue", "call"], "the final notice waits for the call"
    course.claim("A-1", "call", task_finished=True)
    entered = [stage for _, _, stage in course.run(date(2025, 12, 21), date(2026, 1, 20))]
    assert entered == ["final_notice", "pause_scheduled", "paused"]


def test_the_page_names_what_a_stage_does_and_may_need() -> None:
    for word in [*Does, *Need]:
        assert f"`{word}`" in PAGE


def test_no_code_names_a_stage_but_the_defaults() -> None:
    named = re.compile(r"""["'](upcoming|overdue|final_notice|pause_scheduled|recovery)["']""")
    files = [*(PROJECT / "albacore_pipeline").rglob("*.py"), *(PROJECT / "sql").glob("[!m]*/**/*.sql")]
    naming = {str(path.relative_to(PROJECT)) for path in files if named.search(path.read_text())}
    assert naming <= {"albacore_pipeline/registry/stages.py", "albacore_pipeline/escalation/letters/write.py"}
