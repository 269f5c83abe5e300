"""What a person decides about a month, as a job."""

import dagster as dg

from albacore_pipeline.billing.acts import AcceptGap, accept_gap
from albacore_pipeline.orchestration.operator_jobs import operator_job

definitions = dg.Definitions(jobs=[operator_job("accept_gap", AcceptGap, accept_gap)])
