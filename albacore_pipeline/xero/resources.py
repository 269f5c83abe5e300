"""The connection to Xero as a Dagster resource."""

import dagster as dg

from albacore_pipeline.orchestration.platform import PlatformResource
from albacore_pipeline.settings import SettingsError
from albacore_pipeline.xero.client import Xero, connect
from albacore_pipeline.xero.interface import XeroError


class XeroResource(dg.ConfigurableResource):  # type: ignore[type-arg]
    """Xero's organisation, proved to be the right one."""

    platform: PlatformResource

    def open(self) -> Xero:
        """Connect, or fail the run with one line that names what is missing or does not agree."""
        try:
            return connect(settings=self.platform.settings, clock=self.platform.clock)
        except (SettingsError, XeroError) as error:
            raise dg.Failure(str(error)) from None
