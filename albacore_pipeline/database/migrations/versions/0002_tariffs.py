"""Tariffs by tier, by time of use and by index; our own legal entities."""

from alembic import op

from albacore_pipeline.database.migrate import run_folder

revision = "0002_tariffs"
down_revision = "0001_platform"


def upgrade() -> None:
    """Add the tables and columns."""
    run_folder(op.get_bind(), "0002_tariffs")
