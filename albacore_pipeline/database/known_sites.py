"""The sites as the program knows them, as rows that everything else refers to."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import sqlalchemy as sa

from albacore_pipeline.database import queries
from albacore_pipeline.settings import starts_on
from albacore_pipeline.sites import SITES, Site


def sync_sites(connection: sa.Connection, *, sites: Sequence[tuple[Site, date]] | None = None) -> None:
    """Write the sites, each with the first day on which data is expected; by default all, by the settings."""
    if sites is None:
        sites = [(site, starts_on(site=site)) for site in SITES.values()]
    for site, first_day in sites:
        queries.upsert_site(
            connection,
            site=site.name,
            country=site.country,
            timezone=site.timezone,
            starts_on=first_day,
            late_days=site.late_days,
        )
