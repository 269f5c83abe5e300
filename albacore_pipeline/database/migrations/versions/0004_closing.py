"""Estimates by rule, what waits before it goes out, and corrections carried to the next invoice."""

from alembic import op

from albacore_pipeline.database.migrate import run_folder

revision = "0004_closing"
down_revision = "0003_inventory"


def upgrade() -> None:
    """Add the tables, columns and views."""
    run_folder(op.get_bind(), "0004_closing")
