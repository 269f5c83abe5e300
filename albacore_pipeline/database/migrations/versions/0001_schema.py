"""The first schema, room by room."""

from alembic import op

from albacore_pipeline.database.migrate import run_folder

revision = "0001_schema"
down_revision = None


def upgrade() -> None:
    """Create everything."""
    run_folder(op.get_bind(), "0001_schema")
