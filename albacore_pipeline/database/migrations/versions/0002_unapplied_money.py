"""Unapplied money, and what a person changed in Xero."""

from alembic import op

from albacore_pipeline.database.migrate import run_folder

revision = "0002_unapplied_money"
down_revision = "0001_schema"


def upgrade() -> None:
    """Make room for what Xero shows beside the documents."""
    run_folder(op.get_bind(), "0002_unapplied_money")
