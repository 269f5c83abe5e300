"""The collection assets of each site, its job and its nightly schedule.

Belongs here: what a data engineer sees of a site. Does not belong here: how a day is collected (`collect.py`),
and how it is shown (`checks.py`).
"""

import functools
import hashlib
from collections.abc import Sequence
from datetime import date, timedelta

import dagster as dg

from albacore_pipeline.consumption.checks import (
    checks,
    inventory_check,
    inventory_metadata,
    inventory_warnings,
    metadata,
)
from albacore_pipeline.consumption.collect import Collected, collect_day, read_inventory
from albacore_pipeline.consumption.store import last_complete_day
from albacore_pipeline.data_centres.interface import EnergySource, FailedRead
from albacore_pipeline.data_centres.resources import DataCentre
from albacore_pipeline.database import sync_sites
from albacore_pipeline.orchestration.partitions import DAILY
from albacore_pipeline.orchestration.platform import PlatformResource
from albacore_pipeline.orchestration.runs import run_request
from albacore_pipeline.settings import SettingsError, starts_on
from albacore_pipeline.sites import Site


def site_definitions(site: Site) -> dg.Definitions:
    """Everything that Dagster knows of a site."""
    return dg.Definitions(
        assets=[machines_asset(site), consumption_asset(site)],
        jobs=[collect_job(site)],
        schedules=[nightly_schedule(site)],
        resources={site.name: DataCentre(site=site)},
    )


@functools.cache
def collect_job(site: Site):  # type: ignore[no-untyped-def]
    """The job that reads a site's inventory and days."""
    selection = dg.AssetSelection.assets([site.name, "machines"], [site.name, "consumption"])
    return dg.define_asset_job(f"collect_{site.name}", selection=selection, tags={"site": site.name})


def machines_asset(site: Site) -> dg.AssetsDefinition:
    """The site's inventory as of now."""

    @dg.asset(
        key=[site.name, "machines"],
        group_name="collection",
        kinds={site.name},  # the graph shows only the last part of a key: without, four nodes look the same
        pool=site.name,
        required_resource_keys={site.name, "platform"},
        check_specs=[
            dg.AssetCheckSpec(
                "inventory",
                asset=[site.name, "machines"],
                description="The site lists the machines that it listed the last time.",
            )
        ],
        description=f"The machines of {site.name.capitalize()} as the site itself lists them.",
        owners=["team:operations"],
    )
    def machines(context: dg.AssetExecutionContext) -> dg.MaterializeResult:  # type: ignore[type-arg]
        platform: PlatformResource = context.resources.platform
        _register_site(platform, site)
        source = _source(context, site)
        try:
            found = read_inventory(site=site, source=source, engine=platform.engine, clock=platform.clock)
        except FailedRead as error:
            raise dg.Failure(str(error)) from None
        for line in inventory_warnings(found):
            context.log.warning(f"{site.name}: {line}")
        return dg.MaterializeResult(
            metadata=inventory_metadata(found),
            check_results=[inventory_check(found)],
            data_version=_version(repr(sorted(found.machines, key=lambda machine: machine.name))),
        )  # an unchanged inventory leaves every day behind it in sync

    return machines


def consumption_asset(site: Site) -> dg.AssetsDefinition:
    """Watt-hours per machine of one site-local day, by hour, with quality."""

    @dg.asset(
        key=[site.name, "consumption"],
        deps=[[site.name, "machines"]],
        partitions_def=DAILY,
        backfill_policy=dg.BackfillPolicy.single_run(),
        group_name="collection",
        kinds={site.name},
        pool=site.name,
        required_resource_keys={site.name, "platform"},
        check_specs=[
            dg.AssetCheckSpec(
                "complete", asset=[site.name, "consumption"], description="Every hour of every machine is known."
            ),
            dg.AssetCheckSpec(
                "plausible",
                asset=[site.name, "consumption"],
                description="No reading was refused and no revision waits for a person.",
            ),
            dg.AssetCheckSpec(
                "obedient",
                asset=[site.name, "consumption"],
                description="No machine drew power while it was read to be off.",
            ),
        ],
        description=(
            f"Energy of each machine at {site.name.capitalize()}. A partition is that calendar day in {site.timezone},"
            " 23 to 25 hours long, whatever Dagster's own label in UTC says."
        ),
        owners=["team:operations"],
        metadata={"view": "report.machine_days"},
    )
    def consumption(context: dg.AssetExecutionContext) -> dg.MaterializeResult:  # type: ignore[type-arg]
        collected, failures = _collect_partitions(context, site)
        if failures:
            _keep_what_worked(context, collected)
            raise dg.Failure(
                failures[0] if len(failures) == 1 else f"{len(failures)} days failed: {' | '.join(failures)}"
            )
        if len(context.partition_keys) > 1:
            for day in collected:
                context.add_asset_metadata(metadata(day), partition_key=day.day.isoformat())
        return dg.MaterializeResult(
            metadata={
                "dagster/column_schema": context.resources.platform.columns("machine_days"),
                **(metadata(collected[0]) if len(collected) == 1 else {}),
            },
            check_results=list(checks(collected)),
            data_version=_version("".join(day.energy.content_hash() for day in collected)),
        )

    return consumption


def _collect_partitions(context: dg.AssetExecutionContext, site: Site) -> tuple[list[Collected], list[str]]:
    """Every day of the run, one after the other: what was collected, and a line for each day that failed."""
    platform: PlatformResource = context.resources.platform
    _register_site(platform, site)
    source = _source(context, site)
    collected: list[Collected] = []
    failures: list[str] = []
    for key in context.partition_keys:
        try:
            day = collect_day(
                site=site,
                day=date.fromisoformat(key),
                source=source,
                archive=platform.archive,
                engine=platform.engine,
                clock=platform.clock,
                run_id=context.run.run_id,
                accept_change=platform.settings.accept_change,
            )
        except FailedRead as error:
            failures.append(str(error))
        else:
            collected.append(day)
    return collected, failures


def nightly_schedule(site: Site) -> dg.ScheduleDefinition:
    """Collects the newest complete day each morning of the site, and reads declared late days again."""

    @dg.schedule(
        name=f"nightly_{site.name}",
        job_name=f"collect_{site.name}",
        cron_schedule="30 4 * * *",
        execution_timezone=site.timezone,
        default_status=dg.DefaultScheduleStatus.RUNNING,
    )
    def nightly(platform: PlatformResource) -> dg.RunRequest | dg.SkipReason:
        newest = last_complete_day(site=site, now=platform.clock.now())
        oldest = max(newest - timedelta(days=site.late_days), starts_on(site=site))
        if newest < oldest:
            return dg.SkipReason(f"{site.name} starts on {oldest}")
        return run_request(first=oldest, last=newest)

    return nightly


def _keep_what_worked(context: dg.AssetExecutionContext, collected: Sequence[Collected]) -> None:
    """Dagster forgets every day of a range run when one fails; those that were stored are told to it by hand."""
    for day in collected:
        context.log_event(
            dg.AssetMaterialization(context.asset_key, partition=day.day.isoformat(), metadata=metadata(day))
        )


def _source(context: dg.AssetExecutionContext, site: Site) -> EnergySource:
    try:
        data_centre: DataCentre = getattr(context.resources, site.name)
        platform: PlatformResource = context.resources.platform
        return data_centre.source(platform.settings)
    except (SettingsError, ValueError) as error:
        raise dg.Failure(f"{site.name}: {error}", allow_retries=False) from None


def _version(content: str) -> dg.DataVersion:
    return dg.DataVersion(hashlib.sha256(content.encode()).hexdigest())


def _register_site(platform: PlatformResource, site: Site) -> None:
    with platform.engine.begin() as connection:
        sync_sites(connection, sites=[(site, starts_on(site=site))])
