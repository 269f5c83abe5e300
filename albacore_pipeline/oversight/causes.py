"""Why a step of a run failed, in one line."""

from __future__ import annotations

from typing import Any


def cause(failure: Any) -> str:
    """The cause in a Dagster `StepFailureData`: the failure's own words, else those of the innermost error."""
    if failure.user_failure_data and failure.user_failure_data.description:
        return str(failure.user_failure_data.description)
    error = failure.error
    while error is not None and error.cause is not None:
        error = error.cause
    return str(error.message).strip().splitlines()[0] if error is not None else "unknown"
