"""`invoices` and `payments`, their jobs, the nightly reconciliation, and the sensors that ask for them."""

from collections.abc import Sequence
from datetime import timedelta

import dagster as dg

from albacore_pipeline import markdown
from albacore_pipeline.effects.gate import gate
from albacore_pipeline.invoicing import queries
from albacore_pipeline.invoicing.documents import xero_kind
from albacore_pipeline.invoicing.issue import issue_documents
from albacore_pipeline.invoicing.payments import reconcile as reconcile_documents
from albacore_pipeline.invoicing.payments import watch_payments as read_payments
from albacore_pipeline.invoicing.queries import TableRow, UnappliedRow
from albacore_pipeline.invoicing.resources import ExternalSystemsResource
from albacore_pipeline.invoicing.store import prepare_documents
from albacore_pipeline.orchestration.partitions import MONTHLY
from albacore_pipeline.orchestration.platform import PlatformResource
from albacore_pipeline.orchestration.runs import NEVER_TWICE
from albacore_pipeline.orchestration.sensors import level_sensor
from albacore_pipeline.periods import Month
from albacore_pipeline.xero.interface import XeroError
from albacore_pipeline.xero.pages import page_of
from albacore_pipeline.xero.resources import XeroResource

WATCH = timedelta(minutes=15)


@dg.asset(
    partitions_def=MONTHLY, deps=["billing_records"], group_name="invoicing", pool="xero", owners=["team:finance"]
)
def invoices(
    context: dg.AssetExecutionContext, platform: PlatformResource, external: ExternalSystemsResource
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
            archive=platform.archive,
            sales_account=settings.xero_sales_account,
            now=platform.clock.now(),
        )
    tally = issue_documents(external.open()) if gate(settings).live else {"dry run": len(written)}
    with platform.engine.connect() as connection:
        documents = queries.document_table(connection, month=month.first_day)
    return dg.MaterializeResult(
        metadata={
            "written": [document.number for document in written],
            "effects": dict(tally),
            "documents": dg.MetadataValue.md(document_table(documents, in_xero=not settings.sandbox_url)),
            "statements": "`albacore statement NUMBER` writes one as PDF; the mail and Xero's invoice carry it too",
            "dagster/column_schema": platform.columns("invoices"),
        }
    )


def document_table(documents: Sequence[TableRow], *, in_xero: bool) -> str:
    """The documents as a Markdown table, with what a reader may open: the payment page, and Xero's own page."""
    rows = []
    for row in documents:
        links = [markdown.Link(text="pay", url=row.payment_link)] if row.payment_link else []
        if in_xero and row.xero_id:
            links.append(markdown.Link(text="Xero", url=page_of(xero_kind(row.kind), row.xero_id)))
        rows.append((row.number, row.kind, row.customer, f"{row.total:,.2f} {row.currency}", row.state, links))
    return markdown.table(("number", "kind", "customer", "total", "state", "open"), rows)


@dg.asset(deps=["invoices"], group_name="invoicing", pool="xero", owners=["team:finance"])
def payments(platform: PlatformResource, xero: XeroResource) -> dg.MaterializeResult:  # type: ignore[type-arg]
    """What Xero says was paid or credited on open documents, what a person changed there, and unapplied money."""
    try:
        sweep = read_payments(engine=platform.engine, xero=xero.open(), clock=platform.clock)
    except XeroError as error:
        raise dg.Failure(str(error)) from None
    if sweep.missing:
        raise dg.Failure(
            f"{len(sweep.missing)} documents were not read, {len(sweep.read)} were: {'; '.join(sweep.reasons[:10])}"
        )
    with platform.engine.connect() as connection:
        unapplied = queries.unapplied(connection)
    return dg.MaterializeResult(
        metadata={
            "changed documents": list(sweep.changed),
            "read": len(sweep.read),
            "unapplied": dg.MetadataValue.md(unapplied_table(unapplied)),
        }
    )


def unapplied_table(money: Sequence[UnappliedRow]) -> str:
    """Money that is set against nothing, as a Markdown table."""
    rows = [
        (row.customer or "nobody's", row.kind, row.number or "", f"{row.remaining:,.2f} {row.currency}")
        for row in money
    ]
    return markdown.table(("customer", "kind", "number", "left"), rows)


@dg.op(pool="xero")
def compare_with_xero(context: dg.OpExecutionContext, platform: PlatformResource, xero: XeroResource) -> None:
    """Every document against Xero, field by field."""
    try:
        differences = reconcile_documents(engine=platform.engine, xero=xero.open(), clock=platform.clock)
    except XeroError as error:
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


def due_months(platform: PlatformResource) -> list[dg.RunRequest]:
    """Documents that are to be written or go on their way; one run a month, and one at a time."""
    opened, now = gate(platform.settings), platform.clock.now()
    with platform.engine.connect() as connection:
        due = [row.number for row in queries.follow_ups(connection)] if opened.live else []
        months = queries.due_months(connection, now=now, live=opened.live, live_from=opened.live_from, numbers=due)
    return [dg.RunRequest(partition_key=str(Month.of(first_day))) for first_day in months]


def open_documents(platform: PlatformResource) -> list[dg.RunRequest]:
    """Open documents are read in Xero again every quarter of an hour."""
    with platform.engine.connect() as connection:
        waiting = queries.open_documents(connection)
    return [dg.RunRequest()] if waiting else []


invoice_issuing = level_sensor("invoice_issuing", job=issue_invoices, due=due_months, seconds=30, live_only=False)
payment_watch = level_sensor("payment_watch", job=watch_payments, due=open_documents, at_most_every=WATCH)

definitions = dg.Definitions(
    assets=[invoices, payments],
    jobs=[issue_invoices, watch_payments, reconcile],
    schedules=[nightly_reconciliation],
    sensors=[invoice_issuing, payment_watch],
)
