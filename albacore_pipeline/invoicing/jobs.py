"""What a person decides about a document, as a job."""

import dagster as dg

from albacore_pipeline.invoicing.acts import ReleaseDocument, release_document
from albacore_pipeline.orchestration.operator_jobs import operator_job

definitions = dg.Definitions(jobs=[operator_job("release_document", ReleaseDocument, release_document)])
