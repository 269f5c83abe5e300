"""`billing_records`, its job and its daily schedule."""

import hashlib
from collections import Counter
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import dagster as dg

from albacore_pipeline import markdown
from albacore_pipeline.billing import queries
from albacore_pipeline.billing.queries import PreviewRow, RatingResult
from albacore_pipeline.billing.store import NoRegistry, months_to_bill, rate_month
from albacore_pipeline.orchestration.partitions import MONTHLY
from albacore_pipeline.orchestration.platform import PlatformResource
from albacore_pipeline.periods import Month
from albacore_pipeline.sites import SITES

SHOWN = 100  # customers in the preview: those that need a person come first, report.customer_months has them all


def _from(column: str, *assets: dg.AssetKey) -> list[dg.TableColumnDep]:
    return [dg.TableColumnDep(asset_key=asset, column_name=column) for asset in assets]


_REGISTRY = dg.AssetKey("registry")
_CONSUMPTION = [dg.AssetKey([site, "consumption"]) for site in SITES]
_LINEAGE = {
    "site": _from("site", *_CONSUMPTION),
    "machine": _from("machine", *_CONSUMPTION),
    "kwh": _from("kwh", *_CONSUMPTION),
    "measured_kwh": _from("kwh", *_CONSUMPTION) + _from("hours_measured", *_CONSUMPTION),
    "estimated_kwh": _from("kwh", *_CONSUMPTION) + _from("hours_estimated", *_CONSUMPTION),
    "customer": _from("assignments.customer", _REGISTRY),
    "from_day": _from("assignments.from_day", _REGISTRY) + _from("tariffs.from_day", _REGISTRY),
    "to_day": _from("assignments.to_day", _REGISTRY) + _from("tariffs.to_day", _REGISTRY),
    "quantity": _from("kwh", *_CONSUMPTION) + _from("tariffs.multiplier", _REGISTRY),
    "unit_price": _from("tariffs.unit_price", _REGISTRY) + _from("prices.price_per_kwh", _REGISTRY),
    "currency": _from("tariffs.currency", _REGISTRY),
    "amount": _from("kwh", *_CONSUMPTION) + _from("tariffs.unit_price", _REGISTRY)
    + _from("prices.price_per_kwh", _REGISTRY),
}  # fmt: skip


@dg.asset(
    partitions_def=MONTHLY,
    deps=[
        dg.AssetDep("registry"),
        *(dg.AssetDep([site, "consumption"], partition_mapping=dg.TimeWindowPartitionMapping()) for site in SITES),
    ],
    group_name="billing",
    pool="billing",
    owners=["team:finance"],
    metadata={
        "dagster/column_lineage": dg.TableColumnLineage(deps_by_column=_LINEAGE),
        "view": "report.billing_records",
    },
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
            results = rate_month(connection, month=month, run_id=context.run_id, now=platform.clock.now())
            preview = queries.preview(connection, month=month.first_day)
    except NoRegistry as error:
        raise dg.Failure(str(error), allow_retries=False) from None
    metadata = _metadata(results, preview) | {"dagster/column_schema": platform.columns("billing_records")}
    return dg.MaterializeResult(metadata=metadata, data_version=_version(results))


bill_month = dg.define_asset_job("bill_month", selection=[billing_records])


@dg.schedule(
    job=bill_month, cron_schedule="0 6 * * *", execution_timezone="UTC", default_status=dg.DefaultScheduleStatus.RUNNING
)
def monthly_billing(platform: PlatformResource) -> list[dg.RunRequest]:
    """Every day, over every month that still has something to bill: a customer who was blocked follows by himself."""
    with platform.engine.connect() as connection:
        return [
            dg.RunRequest(run_key=str(month), partition_key=str(month))
            for month in months_to_bill(connection, now=platform.clock.now())
        ]


def _version(results: list[RatingResult]) -> dg.DataVersion:
    """The same results are the same version: rating a month again puts nobody downstream out of sync."""
    rated = [(item.customer, item.blocked, item.currency, item.amount, item.kwh) for item in results]
    return dg.DataVersion(hashlib.sha256(repr(rated).encode()).hexdigest())


def _metadata(results: Sequence[RatingResult], preview: Sequence[PreviewRow]) -> dict[str, Any]:
    totals: Counter[str] = Counter()
    for result in results:
        if result.currency and not result.blocked:
            totals[result.currency] += result.amount  # type: ignore[assignment]
    return {
        "customers": len(results),
        "blocked": sum(row.state == "blocked" for row in preview),
        "held for review": [row.customer for row in preview if row.waits == "review"],
        "actions": dict(Counter(result.action for result in results)),
        "kWh": float(sum(result.kwh for result in results)),
        "totals": dg.MetadataValue.md(
            "\n".join(f"- {amount:,.2f} {currency}" for currency, amount in sorted(totals.items())) or "none"
        ),
        "preview": dg.MetadataValue.md(preview_table(preview)),
    }


def preview_table(rows: Sequence[PreviewRow]) -> str:
    """The month by customer beside the average of the months before, as a table."""
    columns = ("customer", "revision", "state", "kWh", "per kWh", "total", "", "why")
    cells = (
        (
            row.customer,
            row.revision,
            f"{row.state} ({row.waits})" if row.waits else row.state,
            _beside(row.kwh, row.kwh_before, 3),
            _beside(row.price, row.price_before, 4),
            _beside(row.total, row.total_before, 2),
            row.currency,
            row.reason,
        )
        for row in rows[:SHOWN]
    )
    rest = f"\n\n{len(rows) - SHOWN} more in report.customer_months" if len(rows) > SHOWN else ""
    return markdown.table(columns, cells) + rest


def _beside(now: Decimal | None, before: Decimal | None, places: int) -> str:
    """A number and how far it is from the months before."""
    if now is None:
        return ""
    change = f" ({(now / before - 1) * 100:+.0f} %)" if before else ""
    return f"{now:,.{places}f}{change}"


definitions = dg.Definitions(assets=[billing_records], jobs=[bill_month], schedules=[monthly_billing])
