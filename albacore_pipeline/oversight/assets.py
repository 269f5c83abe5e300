"""`month_report`, and the sensors that compare what should exist with what does."""

import json
from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta

import dagster as dg

from albacore_pipeline.billing.assets import bill_month
from albacore_pipeline.billing.store import months_to_bill
from albacore_pipeline.consumption.assets import collect_job
from albacore_pipeline.consumption.store import due_days
from albacore_pipeline.effects.gate import gate
from albacore_pipeline.invoicing.assets import reconcile
from albacore_pipeline.invoicing.queries import open_documents
from albacore_pipeline.orchestration.partitions import MONTHLY
from albacore_pipeline.orchestration.platform import PlatformResource
from albacore_pipeline.orchestration.runs import is_running, run_request
from albacore_pipeline.orchestration.sensors import level_sensor
from albacore_pipeline.oversight import queries
from albacore_pipeline.oversight.causes import cause
from albacore_pipeline.oversight.month_report.figures import figures
from albacore_pipeline.oversight.month_report.page import month_markdown, month_page
from albacore_pipeline.periods import Month
from albacore_pipeline.settings import energy_reach
from albacore_pipeline.sites import SITES

NIGHTLY_FIRST = timedelta(hours=3)  # a new night is the nightly schedule's to collect; only then it is missed
RECONCILE_AGAIN = timedelta(hours=26)
FIRST_PAUSE = timedelta(minutes=5)
LONGEST_PAUSE = timedelta(hours=3)


@dg.asset(partitions_def=MONTHLY, deps=["billing_records", "invoices"], group_name="finance", owners=["team:finance"])
def month_report(context: dg.AssetExecutionContext, platform: PlatformResource) -> dg.MaterializeResult:  # type: ignore[type-arg]
    """The month on one page: energy and money by customer and site, what is blocked and what is not billed."""
    month = Month.parse(context.partition_key)
    with platform.engine.connect() as connection:
        found = figures(connection, month=month, as_of=platform.clock.now())
    page = month_page(found).encode()
    folder = platform.settings.home / "reports"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{month}.html"
    path.write_bytes(page)
    # The UI opens no file and knows no route to one: the key tables are here, the page is for mail, print and phone.
    return dg.MaterializeResult(
        metadata={
            "report": dg.MetadataValue.md(month_markdown(found)),
            "page": dg.MetadataValue.path(str(path)),
            "archived": platform.archive.put(page),
        }
    )


report_month = dg.define_asset_job("report_month", selection=[month_report])


def corrected_months(platform: PlatformResource) -> list[dg.RunRequest]:
    """Months with documents for which a new revision of a day, or of the registry, is in force."""
    with platform.engine.connect() as connection:
        months = months_to_bill(connection, now=platform.clock.now())
        documented = {Month.of(first_day) for first_day in queries.documented_months(connection)}
    due = [month for month in months if month in documented and _is_new(platform, month)]
    return [dg.RunRequest(partition_key=str(month)) for month in due]


def _is_new(platform: PlatformResource, month: Month) -> bool:
    with platform.engine.connect() as connection:
        return queries.unseen_by_rating(connection, first_day=month.first_day, last_day=month.last_day)


corrections = level_sensor("corrections", job=bill_month, due=corrected_months, live_only=False)


@dg.sensor(
    minimum_interval_seconds=30,
    default_status=dg.DefaultSensorStatus.RUNNING,
    jobs=[bill_month, reconcile, *(collect_job(site) for site in SITES.values())],
)
def missed_work(context: dg.SensorEvaluationContext, platform: PlatformResource) -> dg.SensorResult:
    """Compares what should exist with what does: site-days, rated months, the reconciliation; asks for what is missing.

    One run a job and tick. What failed is asked for again after a pause that grows with each attempt, and does not keep
    other days of its site waiting; the pauses are kept in the cursor.
    """
    asked: dict[str, dict[str, str]] = json.loads(context.cursor) if context.cursor else {}
    now = platform.clock.now()
    requests: dict[str, dg.RunRequest] = {}
    for key, job, request in _missing(platform):
        if job in requests or not _may_ask(asked.get(key), now) or is_running(context.instance, job):
            continue
        attempts = int(asked.get(key, {}).get("attempts", "0")) + 1
        asked[key] = {"attempts": str(attempts), "at": now.isoformat()}
        requests[job] = request
    kept = {key: value for key, value in asked.items() if now - datetime.fromisoformat(value["at"]) < timedelta(days=2)}
    return dg.SensorResult(run_requests=list(requests.values()), cursor=json.dumps(kept))


def _may_ask(before: dict[str, str] | None, now: datetime) -> bool:
    if before is None:
        return True
    pause: timedelta = min(FIRST_PAUSE * 2 ** min(int(before["attempts"]) - 1, 10), LONGEST_PAUSE)
    return now - datetime.fromisoformat(before["at"]) >= pause


def _missing(platform: PlatformResource) -> Iterator[tuple[str, str, dg.RunRequest]]:
    """What is missing: a key, the job and the request."""
    settings, now = platform.settings, platform.clock.now()
    sites = [site for site in SITES.values() if energy_reach(site=site.name, settings=settings)]
    with platform.engine.connect() as connection:
        days_due = due_days(connection, sites=sites, now=now - NIGHTLY_FIRST)
        months = months_to_bill(connection, now=now)
        reconciled = queries.last_reconciliation(connection)
        documents = open_documents(connection, all=True)
    for site, days in days_due.items():
        job = f"collect_{site}"
        for first, last in ranges(days):
            yield f"{site} {first} {last}", job, run_request(first=first, last=last, job=job)
    for month in months:
        yield f"bill {month} {now.date()}", "bill_month", dg.RunRequest(job_name="bill_month", partition_key=str(month))
    if documents and gate(settings).live and (reconciled is None or now - reconciled > RECONCILE_AGAIN):
        yield "reconcile", "reconcile", dg.RunRequest(job_name="reconcile")


def ranges(days: Sequence[date]) -> Iterator[tuple[date, date]]:
    """Days in order as runs of consecutive ones, each within a month."""
    first = last = days[0]
    for day in days[1:]:
        if day != last + timedelta(days=1) or day.month != last.month:
            yield first, last
            first = day
        last = day
    yield first, last


@dg.run_failure_sensor(default_status=dg.DefaultSensorStatus.RUNNING)
def run_failures(context: dg.RunFailureSensorContext) -> None:
    """Every failed run in one line in the daemon's log, with its cause."""
    run = context.dagster_run
    failures = [event.step_failure_data for event in context.get_step_failure_events()]
    causes = [cause(failure) for failure in failures] or [context.failure_event.message or "unknown"]
    name = " ".join(filter(None, [run.job_name, run.tags.get("dagster/partition")]))
    context.log.error(f"{name} failed: {' | '.join(causes)}")


definitions = dg.Definitions(
    assets=[month_report], jobs=[report_month], sensors=[corrections, missed_work, run_failures]
)
