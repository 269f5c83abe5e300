"""`billing_records`, its job and its daily schedule."""

import hashlib
from collections import Counter
from typing import Any

import dagster as dg

from albacore_pipeline.billing.store import NoRegistry, Verdict, months_to_bill, rate_month
from albacore_pipeline.database.resources import PlatformResource
from albacore_pipeline.periods import FIRST_DAY, Month
from albacore_pipeline.sites import SITES

MONTHLY = dg.MonthlyPartitionsDefinition(start_date=f"{FIRST_DAY:%Y-%m}", fmt="%Y-%m", timezone="UTC")


@dg.asset(
    partitions_def=MONTHLY,
    deps=[
        dg.AssetDep("registry"),
        *(dg.AssetDep([site, "consumption"], partition_mapping=dg.TimeWindowPartitionMapping()) for site in SITES),
    ],
    group_name="billing",
    pool="billing",
    owners=["team:finance"],
)
def billing_records(context: dg.AssetExecutionContext, platform: PlatformResource) -> dg.MaterializeResult:  # type: ignore[type-arg]
    """Who owes what for the month: machine-days x assignments x tariffs, exact.

    A customer-month that can't be rated is blocked with its reason and holds up nobody else. What has a document never
    changes: a difference to it stands beside it as a new revision.
    """
    month = Month.parse(context.partition_key)
    if month >= Month.of(platform.clock.now().date()):
        raise dg.Failure(f"{month} is not over yet: bill it from {month.next().first_day} on", allow_retries=False)
    try:
        with platform.engine.begin() as connection:
            verdicts = rate_month(connection, month=month, run_id=context.run_id, now=platform.clock.now())
    except NoRegistry as error:
        raise dg.Failure(str(error), allow_retries=False) from None
    return dg.MaterializeResult(metadata=_metadata(verdicts), data_version=_version(verdicts))


bill_month = dg.define_asset_job("bill_month", selection=[billing_records])


@dg.schedule(
    job=bill_month, cron_schedule="0 6 * * *", execution_timezone="UTC", default_status=dg.DefaultScheduleStatus.RUNNING
)
def monthly_billing(platform: PlatformResource) -> list[dg.RunRequest]:
    """Every day, over every month that still has something to bill: a customer who was blocked follows by himself."""
    with platform.engine.connect() as connection:
        return [
            dg.RunRequest(partition_key=str(month)) for month in months_to_bill(connection, now=platform.clock.now())
        ]


def _version(verdicts: list[Verdict]) -> dg.DataVersion:
    """The same verdicts are the same version: rating a month again puts nobody downstream out of sync."""
    rated = [(item.customer, item.blocked, item.currency, item.amount, item.kwh) for item in verdicts]
    return dg.DataVersion(hashlib.sha256(repr(rated).encode()).hexdigest())


def _metadata(verdicts: list[Verdict]) -> dict[str, Any]:
    blocked = [verdict for verdict in verdicts if verdict.blocked]
    rows = "\n".join(
        f"| {verdict.customer} | {verdict.revision} | {verdict.action} | {verdict.kwh:,.3f} |"
        f" {verdict.amount:,.2f} {verdict.currency or ''} | {verdict.blocked or ''} |"
        for verdict in verdicts
    )
    totals: Counter[str] = Counter()
    for verdict in verdicts:
        if verdict.currency and not verdict.blocked:
            totals[verdict.currency] += verdict.amount  # type: ignore[assignment]
    return {
        "customers": len(verdicts),
        "blocked": len(blocked),
        "kWh": float(sum(verdict.kwh for verdict in verdicts)),
        "totals": dg.MetadataValue.md(
            "\n".join(f"- {amount:,.2f} {currency}" for currency, amount in sorted(totals.items())) or "none"
        ),
        "customer-months": dg.MetadataValue.md(
            f"| customer | revision | action | kWh | amount | blocked |\n|---|---|---|---|---|---|\n{rows}"
        ),
    }


definitions = dg.Definitions(assets=[billing_records], jobs=[bill_month], schedules=[monthly_billing])
