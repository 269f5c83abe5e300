"""What a person decides about debts and notices, as jobs."""

import dagster as dg

from albacore_pipeline.escalation import acts
from albacore_pipeline.orchestration.operator_jobs import operator_job

definitions = dg.Definitions(
    jobs=[
        operator_job("place_hold", acts.PlaceHold, acts.place_hold),
        operator_job("release_hold", acts.ReleaseHold, acts.release_hold),
        operator_job("resolve_dispute", acts.ResolveDispute, acts.resolve_dispute),
        operator_job("report_bounce", acts.ReportBounce, acts.report_bounce),
        operator_job("reopen_case", acts.ReopenCase, acts.reopen_case),
        operator_job("write_off", acts.WriteOff, acts.write_off),
        operator_job("finish_task", acts.FinishTask, acts.finish_task),
    ]
)
