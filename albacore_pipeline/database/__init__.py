"""The platform database: connections, migrations, SQL files and bulk copies."""

from albacore_pipeline.database.engine import connect, copy_rows
from albacore_pipeline.database.known_sites import sync_sites
from albacore_pipeline.database.migrate import migrate, pending

__all__ = ["connect", "copy_rows", "migrate", "pending", "sync_sites"]
