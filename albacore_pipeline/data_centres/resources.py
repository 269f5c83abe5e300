"""Each data centre's API as a Dagster resource, and a site's power control: both hand out plain objects."""

from dataclasses import dataclass

from albacore_pipeline.data_centres.connect import energy_source, power_control
from albacore_pipeline.data_centres.endpoint import Endpoint
from albacore_pipeline.data_centres.interface import EnergySource, PowerControl
from albacore_pipeline.settings import Reach, Settings, SettingsError, control_reach, energy_reach
from albacore_pipeline.sites import SITES, Site


@dataclass(frozen=True, kw_only=True)
class DataCentre:
    """One data centre as `sites.py` describes it; where it is reached stands in the environment."""

    site: Site

    def source(self, settings: Settings) -> EnergySource:
        """What reads its machines and samples; raises SettingsError when the site is off."""
        reach = energy_reach(site=self.site.name, settings=settings)
        if reach is None:
            variable = f"{self.site.name.upper()}_URL"
            raise SettingsError(f"{variable} is not set: enter the site's address, or leave its asset out")
        return energy_source(site=self.site, endpoint=_endpoint(reach), clock=settings.clock())


def control_of(site: str, *, settings: Settings) -> PowerControl:
    """The power control of a site by its settings; its errors are PowerFailure."""
    reach = control_reach(site=site, settings=settings)
    return power_control(site=SITES[site], endpoint=_endpoint(reach) if reach else None)


def _endpoint(reach: Reach) -> Endpoint:
    return Endpoint(url=reach.url, username=reach.username, password=reach.password.get_secret_value())
