"""docs/escalation.md shows the default policy as `albacore policy show` prints it."""

from __future__ import annotations

from albacore_pipeline.escalation.described import described
from albacore_pipeline.registry.policies import Policy
from albacore_pipeline_tests.docs.pages import DOCS


def test_the_page_shows_the_default_policy() -> None:
    page = (DOCS / "escalation.md").read_text()
    shown = page.partition("<!-- policy: default -->")[2].partition("<!-- /policy -->")[0]
    assert shown.strip() == described(Policy()).strip(), "print it again: albacore policy show"
