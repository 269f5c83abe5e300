"""The end of the demo: what happened, set against the sandbox's hidden truth."""

from __future__ import annotations

from typing import Any

import httpx
import sqlalchemy as sa
from rich.console import Console
from rich.table import Table

from albacore_pipeline.cli.home import Place
from albacore_pipeline.oversight.verify import verify
from albacore_pipeline.periods import Month, Window, day_window
from albacore_pipeline.sites import SITES

MONTH = Month(2025, 10)
LARGEST_ERROR = 0.01  # of a fully measured machine-day


def summarise(*, place: Place, console: Console) -> bool:
    """Print the totals; True when everything holds."""
    with place.engine().connect() as connection:
        _collected(connection, console)
        _documents(connection, console)
        _chain(connection, console)
        far = _against_truth(connection, place=place, console=console)
        breaks = verify(connection)
    for broken in breaks:
        console.print(broken, style="red", markup=False)
    console.print(f"\n[bold]verify:[/bold] {'everything holds' if not breaks else f'{len(breaks)} breaks'}")
    console.print(
        "\nLook further:\n"
        "  .venv/bin/albacore up          the Dagster UI on http://127.0.0.1:3000, over these data\n"
        '  eval "$(.venv/bin/albacore env)" && psql -c "select * from report.invoices"\n'
        "  .venv/bin/albacore explain NUMBER --line 1\n"
        "  .venv/bin/albacore down        stops the database and the sandbox"
    )
    return not breaks and not far


def _collected(connection: sa.Connection, console: Console) -> None:
    table = Table("site", "nights", "readings", "MWh", "coverage", "revisions", title="Collected", title_justify="left")
    query = """
        select site, count(distinct day) as nights, sum(readings) as readings, max(revision) as revisions,
            (select sum(kwh) / 1000 from report.machine_days days where days.site = collection.site) as mwh,
            (select sum(hours_measured + hours_estimated) / sum(hours_expected)::numeric from report.machine_days days
             where days.site = collection.site) as coverage
        from albacore.collection group by site order by site
    """
    for row in connection.execute(sa.text(query)):
        table.add_row(row.site, f"{row.nights}", f"{row.readings:,}", f"{row.mwh:,.3f}", f"{row.coverage:.4%}", f"{row.revisions}")
    console.print(table)


def _documents(connection: sa.Connection, console: Console) -> None:
    table = Table("number", "customer", "month", "kind", "total", "due now", "state", "payment link", title="Documents", title_justify="left")
    for row in connection.execute(sa.text("select * from report.invoices order by number")):
        money = [f"{amount:,.2f} {row.currency}" for amount in (row.total, row.amount_due or 0)]
        table.add_row(row.number, row.customer, row.month, row.kind, *money, row.state, row.payment_link or "")
    console.print(table)


def _chain(connection: sa.Connection, console: Console) -> None:
    table = Table("customer", "stage", "document", "decided", "notices delivered", "owner", title="Escalation", title_justify="left")
    for row in connection.execute(sa.text("select * from report.escalation order by decided_at")):
        delivered = f"{row.delivered_at:%Y-%m-%d %H:%M}" if row.delivered_at else ""
        table.add_row(row.customer, row.stage, row.number, f"{row.decided_at:%Y-%m-%d}", delivered, row.owner)
    console.print(table)
    table = Table("action", "site", "machines", "sent", "read back", "outcome", title="Machines", title_justify="left")
    query = """
        select action, site, count(*) as machines, min(sent_at) as sent, max(verified_at) as verified, outcome
        from report.machine_commands group by action, site, outcome order by action, site
    """
    for row in connection.execute(sa.text(query)):
        instants = [f"{instant:%Y-%m-%d %H:%M:%S}" if instant else "" for instant in (row.sent, row.verified)]
        table.add_row(row.action, row.site, f"{row.machines}", *instants, row.outcome)
    console.print(table)


def _against_truth(connection: sa.Connection, *, place: Place, console: Console) -> list[str]:
    """Compare each fully measured machine-day of the month with what the machine really drew; returns those too far off."""
    table = Table("site", "machine-days compared", "measured kWh", "true kWh", "largest error", title="Against the hidden truth", title_justify="left")
    too_far: list[str] = []
    for site in SITES.values():
        window = Window(
            day_window(day=MONTH.first_day, timezone=site.timezone).start, day_window(day=MONTH.last_day, timezone=site.timezone).end
        )
        true_hours = _truth(place, site=site.name, window=window)
        query = sa.text("select machine, day, kwh, hours_expected from report.machine_days where site = :site and day between :first and :last and hours_measured = hours_expected")
        measured = true = worst = 0.0
        compared = 0
        for row in connection.execute(query, {"site": site.name, "first": MONTH.first_day, "last": MONTH.last_day}):
            start = round((day_window(day=row.day, timezone=site.timezone).start - window.start).total_seconds() / 3600)
            really = sum(true_hours[row.machine][start : start + row.hours_expected]) / 1000
            error = abs(float(row.kwh) - really)
            if error > max(LARGEST_ERROR * really, 0.01):
                too_far.append(f"{site.name} {row.machine} {row.day}: measured {row.kwh} kWh, truly {really:.3f}")
            compared, measured, true, worst = compared + 1, measured + float(row.kwh), true + really, max(worst, error)
        table.add_row(site.name, f"{compared:,}", f"{measured:,.3f}", f"{true:,.3f}", f"{worst:.3f} kWh")
    console.print(table)
    for line in too_far[:20]:
        console.print(line, style="red")
    return too_far


def _truth(place: Place, *, site: str, window: Window) -> dict[str, list[float]]:
    query = {"site": site, "start": window.start.isoformat(), "end": window.end.isoformat()}
    answer: Any = httpx.get(f"{place.sandbox_url}/sandbox/truth", params=query, timeout=60).raise_for_status().json()
    return dict(answer["machines"])
