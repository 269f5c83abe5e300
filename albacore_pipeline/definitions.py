"""The only wiring: every room's definitions and the shared resources, merged."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

import dagster as dg

warnings.filterwarnings("ignore", category=dg.BetaWarning)
warnings.filterwarnings("ignore", category=dg.PreviewWarning)

from albacore_pipeline.billing import assets as billing  # noqa: E402 - Dagster warns while the rooms are read
from albacore_pipeline.billing import jobs as billing_jobs  # noqa: E402
from albacore_pipeline.consumption import jobs as consumption_jobs  # noqa: E402
from albacore_pipeline.consumption.assets import site_definitions  # noqa: E402
from albacore_pipeline.effects.resources import MailResource  # noqa: E402
from albacore_pipeline.escalation import assets as escalation  # noqa: E402
from albacore_pipeline.escalation import jobs as escalation_jobs  # noqa: E402
from albacore_pipeline.invoicing import assets as invoicing  # noqa: E402
from albacore_pipeline.invoicing import jobs as invoicing_jobs  # noqa: E402
from albacore_pipeline.invoicing.resources import ExternalSystemsResource  # noqa: E402
from albacore_pipeline.machine_power import assets as machine_power  # noqa: E402
from albacore_pipeline.machine_power import jobs as machine_power_jobs  # noqa: E402
from albacore_pipeline.orchestration.platform import PlatformResource  # noqa: E402
from albacore_pipeline.oversight import assets as oversight  # noqa: E402
from albacore_pipeline.registry import assets as registry  # noqa: E402
from albacore_pipeline.sites import SITES, Site  # noqa: E402
from albacore_pipeline.xero.resources import XeroResource  # noqa: E402


def build_defs(*, sites: Mapping[str, Site] = SITES, resources: Mapping[str, Any] | None = None) -> dg.Definitions:
    """Everything that Dagster knows. `resources` replaces single resources, for tests."""
    platform, mail = (resources or {}).get("platform", PlatformResource()), MailResource()
    xero = XeroResource(platform=platform)
    external = ExternalSystemsResource(platform=platform, xero=xero, mail=mail)
    shared: dict[str, Any] = {"platform": platform, "mail": mail, "xero": xero, "external": external}
    rooms = dg.Definitions.merge(
        *(site_definitions(site) for site in sites.values()),
        consumption_jobs.definitions,
        registry.definitions,
        billing.definitions,
        billing_jobs.definitions,
        invoicing.definitions,
        invoicing_jobs.definitions,
        escalation.definitions,
        escalation_jobs.definitions,
        machine_power.definitions,
        machine_power_jobs.definitions,
        oversight.definitions,
    )
    return dg.Definitions.merge(
        rooms, dg.Definitions(resources={**shared, **(resources or {})}, executor=dg.in_process_executor)
    )


defs = build_defs()
