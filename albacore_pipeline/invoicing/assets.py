"""`invoices` and `payments`, their jobs, the nightly reconciliation, and the sensors that ask for them."""

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import dagster as dg

from albacore_pipeline.billing.assets import MONTHLY
from albacore_pipeline.data_centres.resources import ArchiveResource
from albacore_pipeline.database import sql
from albacore_pipeline.database.resources import PlatformResource
from albacore_pipeline.invoicing.issue import issue_documents
from albacore_pipeline.invoicing.payments import reconcile as reconcile_documents
from albacore_pipeline.invoicing.payments import watch_payments as read_payments
from albacore_pipeline.invoicing.resources import OutsideResource, gate
from albacore_pipeline.invoicing.store import prepare_documents
from albacore_pipeline.invoicing.xero import XeroError
from albacore_pipeline.periods import Month
from albacore_pipeline.settings import Settings, SettingsError

WATCH = timedelta(minutes=15)
XERO_PAGES = (  # of an invoice and of a credit note, by their ids
    "https://go.xero.com/AccountsReceivable/View.aspx?InvoiceID=",
    "https://go.xero.com/AccountsReceivable/ViewCreditNote.aspx?creditNoteID=",
)
NEVER_TWICE = {
    "dagster/max_retries": "0"
}  # what failed half-way is gone on with by the next tick, not by a blind retry


@dg.asset(
    partitions_def=MONTHLY, deps=["billing_records"], group_name="invoicing", pool="xero", owners=["team:finance"]
)
def invoices(
    context: dg.AssetExecutionContext, platform: PlatformResource, archive: ArchiveResource, outside: OutsideResource
) -> dg.MaterializeResult:  # type: ignore[type-arg]
    """One document per rated customer-month, in Xero with its payment link, statement and mail.

    The number is committed before it is sent. With ALBACORE_EFFECTS=dry_run documents are written and shown, and
    nothing leaves.
    """
    month = Month.parse(context.partition_key)
    settings = platform.settings
    with platform.engine.begin() as connection:
        written = prepare_documents(
            connection,
            month=month,
            archive=archive.open(),
            sales_account=settings.xero_sales_account,
            now=platform.clock.now(),
        )
    try:
        tally = issue_documents(outside.open()) if gate(settings).live else {"dry run": len(written)}
    except (SettingsError, XeroError) as error:
        raise dg.Failure(str(error)) from None
    with platform.engine.connect() as connection:
        documents = sql(connection, "invoicing/document_table", month=month.first_day).all()
    return dg.MaterializeResult(
        metadata={
            "written": [document.number for document in written],
            "effects": dict(tally),
            "documents": dg.MetadataValue.md(document_table(documents, in_xero=not settings.sandboxed_xero)),
            "statements": "`albacore statement NUMBER` writes one as PDF; the mail and Xero's invoice carry it too",
            "dagster/column_schema": platform.columns("invoices"),
        }
    )


def document_table(documents: Sequence[Any], *, in_xero: bool) -> str:
    """The documents as a Markdown table, with what a reader may open: the payment page, and Xero's own page."""
    lines = ["| number | kind | customer | total | state | open |", "|---|---|---|---|---|---|"]
    for row in documents:
        links = [f"[pay]({row.payment_link})"] if row.payment_link else []
        if in_xero and row.xero_id:
            links.append(f"[Xero]({XERO_PAGES[row.kind == 'credit_note']}{row.xero_id})")
        total = f"{row.total:,.2f} {row.currency}"
        lines.append(f"| {row.number} | {row.kind} | {row.customer} | {total} | {row.state} | {' '.join(links)} |")
    return "\n".join(lines)


@dg.asset(deps=["invoices"], group_name="invoicing", pool="xero", owners=["team:finance"])
def payments(platform: PlatformResource, outside: OutsideResource) -> dg.MaterializeResult:  # type: ignore[type-arg]
    """What Xero says was paid or credited on open documents."""
    try:
        world = outside.open()
        changed = read_payments(engine=platform.engine, xero=world.xero, clock=platform.clock)
    except (SettingsError, XeroError) as error:
        raise dg.Failure(str(error)) from None
    return dg.MaterializeResult(metadata={"changed documents": changed})


@dg.op(pool="xero")
def compare_with_xero(context: dg.OpExecutionContext, platform: PlatformResource, outside: OutsideResource) -> None:
    """Every document against Xero, field by field."""
    try:
        differences = reconcile_documents(engine=platform.engine, xero=outside.open().xero, clock=platform.clock)
    except (SettingsError, XeroError) as error:
        raise dg.Failure(str(error)) from None
    for difference in differences:
        context.log.error(
            f"{difference.number}: {difference.field} is {difference.ours} here, {difference.xeros} in Xero"
        )
    context.add_output_metadata({"differences": len(differences)})


@dg.job(tags=NEVER_TWICE)
def reconcile() -> None:
    """Compare every document with Xero."""
    compare_with_xero()


issue_invoices = dg.define_asset_job("issue_invoices", selection=[invoices], tags=NEVER_TWICE)
watch_payments = dg.define_asset_job("watch_payments", selection=[payments], tags=NEVER_TWICE)


@dg.schedule(
    job=reconcile, cron_schedule="0 3 * * *", execution_timezone="UTC", default_status=dg.DefaultScheduleStatus.RUNNING
)
def nightly_reconciliation() -> dg.RunRequest:
    """Each night."""
    return dg.RunRequest()


def due_months(platform: PlatformResource) -> list[Month]:
    """Months for which there is something to write or to send."""
    settings, now = platform.settings, platform.clock.now()
    world = gate(settings)
    with platform.engine.connect() as connection:
        wanted = [row.number for row in sql(connection, "invoicing/follow_ups")] if world.live else []
        rows = sql(
            connection, "invoicing/due_months", now=now, live=world.live, live_from=world.live_from, numbers=wanted
        )
        return [Month.of(row.month) for row in rows]


@dg.sensor(job=issue_invoices, minimum_interval_seconds=30, default_status=dg.DefaultSensorStatus.RUNNING)
def invoice_issuing(
    context: dg.SensorEvaluationContext, platform: PlatformResource
) -> dg.SkipReason | list[dg.RunRequest]:
    """Documents that are to be written or go on their way; one run a month, and one at a time."""
    if is_running(context.instance, "issue_invoices"):
        return dg.SkipReason("documents are on their way")
    months = due_months(platform)
    return [dg.RunRequest(partition_key=str(month)) for month in months] or dg.SkipReason("nothing is due")


@dg.sensor(job=watch_payments, minimum_interval_seconds=60, default_status=dg.DefaultSensorStatus.RUNNING)
def payment_watch(context: dg.SensorEvaluationContext, platform: PlatformResource) -> dg.SensorResult | dg.SkipReason:
    """Open documents are read in Xero again every quarter of an hour."""
    if is_running(context.instance, "watch_payments"):
        return dg.SkipReason("being read")
    now = platform.clock.now()
    last = datetime.fromisoformat(json.loads(context.cursor)["asked_at"]) if context.cursor else None
    if not gate(Settings.from_environment()).live or (last is not None and now - last < WATCH):
        return dg.SkipReason("read not long ago")
    with platform.engine.connect() as connection:
        waiting = sql(connection, "invoicing/open_documents", all=False).all()
    if not waiting:
        return dg.SkipReason("no document is open")
    return dg.SensorResult(run_requests=[dg.RunRequest()], cursor=json.dumps({"asked_at": now.isoformat()}))


def is_running(instance: dg.DagsterInstance, job: str) -> bool:
    """Whether a run of a job is queued or under way: one batch at a time."""
    unfinished = [
        dg.DagsterRunStatus.QUEUED,
        dg.DagsterRunStatus.NOT_STARTED,
        dg.DagsterRunStatus.STARTING,
        dg.DagsterRunStatus.STARTED,
    ]
    return instance.get_runs_count(dg.RunsFilter(job_name=job, statuses=unfinished)) > 0


definitions = dg.Definitions(
    assets=[invoices, payments],
    jobs=[issue_invoices, watch_payments, reconcile],
    schedules=[nightly_reconciliation],
    sensors=[invoice_issuing, payment_watch],
)
