"""The desk, for the tests of machine power."""

from albacore_pipeline_tests.escalation.desk import desk, make_desk, moments, paused, ready

__all__ = ["desk", "make_desk", "moments", "paused", "ready"]
