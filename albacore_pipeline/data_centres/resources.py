"""Each data centre's API, and the archive of raw answers, as Dagster resources that hand out plain objects."""

from dataclasses import dataclass

import dagster as dg

from albacore_pipeline.data_centres.archive import Archive
from albacore_pipeline.data_centres.connect import energy_source, power_control
from albacore_pipeline.data_centres.endpoint import Endpoint
from albacore_pipeline.data_centres.interface import EnergySource, PowerControl
from albacore_pipeline.settings import Reach, Settings, SettingsError, control_reach, energy_reach
from albacore_pipeline.sites import SITES, Site


@dataclass(frozen=True, kw_only=True)
class DataCentre:
    """One data centre as `sites.py` describes it; where it is reached stands in the environment."""

    site: Site

    def source(self) -> EnergySource:
        """What reads its machines and samples; raises SettingsError when the site is off."""
        settings = Settings.from_environment()
        reach = energy_reach(site=self.site.name, settings=settings)
        if reach is None:
            variable = f"{self.site.name.upper()}_URL"
            raise SettingsError(f"{variable} is not set: enter the site's address, or leave its asset out")
        return energy_source(site=self.site, endpoint=_endpoint(reach), clock=settings.clock())


class ArchiveResource(dg.ConfigurableResource):  # type: ignore[type-arg]
    """Where raw answers and statements are kept."""

    def open(self) -> Archive:
        """The archive."""
        return Archive(Settings.from_environment().archive_url)


def control_of(site: str) -> PowerControl:
    """The power control of a site by its settings."""
    reach = control_reach(site=site, settings=Settings.from_environment())
    return power_control(site=SITES[site], endpoint=_endpoint(reach) if reach else None)


def _endpoint(reach: Reach) -> Endpoint:
    return Endpoint(url=reach.url, username=reach.username, password=reach.password.get_secret_value())
