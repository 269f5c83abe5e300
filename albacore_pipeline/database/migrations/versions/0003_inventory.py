"""What changes in the inventories of the sites."""

from alembic import op

from albacore_pipeline.database.migrate import run_folder

revision = "0003_inventory"
down_revision = "0002_tariffs"


def upgrade() -> None:
    """Create it."""
    run_folder(op.get_bind(), "0003_inventory")
