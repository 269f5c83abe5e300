"""Dunning by documents: cases, claims, plans and tasks."""

from alembic import op

from albacore_pipeline.database.migrate import run_folder

revision = "0003_cases_of_documents"
down_revision = "0002_unapplied_money"


def upgrade() -> None:
    """Turn the chains of customers into chains of documents; what was under way begins anew."""
    run_folder(op.get_bind(), "0003_cases_of_documents")
