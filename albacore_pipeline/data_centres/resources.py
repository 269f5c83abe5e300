"""Each data centre's API, and the archive of raw answers, as Dagster resources that hand out plain objects."""

import dagster as dg

from albacore_pipeline.data_centres.archive import Archive
from albacore_pipeline.data_centres.connect import energy_source, power_control
from albacore_pipeline.data_centres.endpoint import Endpoint
from albacore_pipeline.data_centres.interface import EnergySource, PowerControl
from albacore_pipeline.settings import Reach, Settings, SettingsError, control_reach, energy_reach
from albacore_pipeline.sites import SITES


class DataCentreResource(dg.ConfigurableResource):  # type: ignore[type-arg]
    """One data centre, named as in `sites.py`; where it is reached stands in the environment."""

    site: str

    def source(self) -> EnergySource:
        """What reads its machines and samples; raises SettingsError when the site is off."""
        settings = Settings.from_environment()
        reach = energy_reach(site=self.site, settings=settings)
        if reach is None:
            raise SettingsError(f"{self.site.upper()}_URL is not set: enter the site's address, or leave its asset out")
        return energy_source(site=SITES[self.site], endpoint=_endpoint(reach), clock=settings.clock())

    def control(self) -> PowerControl:
        """What switches its machines."""
        return control_of(self.site)


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
