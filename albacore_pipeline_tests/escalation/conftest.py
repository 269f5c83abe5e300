"""The desk, for the tests of escalation."""

from albacore_pipeline_tests.escalation.debtor import two
from albacore_pipeline_tests.escalation.desk import desk, make_desk, moments

__all__ = ["desk", "make_desk", "moments", "two"]
