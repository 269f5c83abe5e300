"""The platform as a Dagster resource: settings, database, archive and clock, as plain objects.

Belongs here: what every run needs. Nothing is read or opened before a run asks for it, and no secret is a field: they
come from the environment, so that none reaches a run's configuration.
"""

import dagster as dg
import sqlalchemy as sa

from albacore_pipeline.archive import Archive
from albacore_pipeline.database import queries
from albacore_pipeline.database.engine import connect
from albacore_pipeline.periods import Clock
from albacore_pipeline.settings import Settings, SettingsError


class PlatformResource(dg.ConfigurableResource):  # type: ignore[type-arg]
    """Settings, database, archive and clock of this deployment."""

    @property
    def settings(self) -> Settings:
        """The settings; fails the run with one line that names the variable, also where a played world would mix."""
        try:
            return Settings.from_environment()
        except SettingsError as error:
            raise dg.Failure(str(error), allow_retries=False) from None

    @property
    def engine(self) -> sa.Engine:
        """The platform database."""
        return connect(self.settings.require_database_url())

    @property
    def archive(self) -> Archive:
        """Where raw answers and statements are kept."""
        return Archive(self.settings.archive_url)

    @property
    def clock(self) -> Clock:
        """The time that counts."""
        return self.settings.clock()

    def columns(self, view: str) -> dg.TableSchema:
        """The columns of a view of the `report` schema with their comments, for an asset's metadata."""
        with self.engine.connect() as connection:
            columns = queries.columns(connection, view=view)
        return dg.TableSchema(columns=[dg.TableColumn(each.name, each.type, each.description) for each in columns])
