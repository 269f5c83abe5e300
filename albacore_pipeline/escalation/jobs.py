"""What a person decides about debts and notices, as jobs."""

import dagster as dg

from albacore_pipeline.escalation.acts import (
    PlaceHold,
    ReleaseHold,
    ReportBounce,
    place_hold,
    release_hold,
    report_bounce,
)
from albacore_pipeline.orchestration.operator_jobs import operator_job

definitions = dg.Definitions(
    jobs=[
        operator_job("place_hold", PlaceHold, place_hold),
        operator_job("release_hold", ReleaseHold, release_hold),
        operator_job("report_bounce", ReportBounce, report_bounce),
    ]
)
