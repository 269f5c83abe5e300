"""The end of the demo: what happened, set against the sandbox's hidden truth."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

import pandas as pd
import sqlalchemy as sa
from rich.console import Console

from albacore_pipeline.cli import queries
from albacore_pipeline.cli.home import RunningHome
from albacore_pipeline.cli.world import ask_sandbox
from albacore_pipeline.oversight.verify import verify
from albacore_pipeline.periods import HOUR, Month, Window, day_window
from albacore_pipeline.sites import SITES, Site

MONTH = Month(2025, 10)
LARGEST_ERROR = 0.01  # of a fully measured machine-day


def summarise(*, running: RunningHome, console: Console) -> bool:
    """Print the totals; True when everything holds."""
    with running.engine().connect() as connection:
        _collected(connection, console)
        _documents(connection, console)
        _chain(connection, console)
        far = _against_truth(connection, running=running, console=console)
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


def _print(console: Console, title: str, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """A plain table whose lines are never cut: links and numbers are there to be copied."""
    cells = [list(header), *([str(cell) for cell in row] for row in rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(header))]
    console.print(f"\n[bold]{title}[/bold]")
    for number, row in enumerate(cells):
        line = "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        console.print(f"  {line}".rstrip(), style="dim" if number == 0 else "", markup=False)


def _collected(connection: sa.Connection, console: Console) -> None:
    rows = (
        (site.site, site.nights, f"{site.readings:,}", f"{site.kwh:,.3f}", f"{site.coverage:.3%}", site.later_revisions)
        for site in queries.collected_sites(connection)
    )
    _print(console, "Collected", ("site", "nights", "readings", "kWh", "coverage", "later revisions"), rows)


def _documents(connection: sa.Connection, console: Console) -> None:
    rows = (
        (
            document.number,
            document.customer,
            document.month,
            document.kind,
            f"{document.total:,.2f} {document.currency}",
            f"{document.amount_due or 0:,.2f}",
            document.state,
            document.payment_link or "",
        )
        for document in queries.documents(connection, month=None, customer=None)
    )
    _print(
        console, "Documents", ("number", "customer", "month", "kind", "total", "due now", "state", "payment link"), rows
    )


def _chain(connection: sa.Connection, console: Console) -> None:
    stages = (
        (
            entered.customer,
            entered.stage,
            entered.number,
            f"{entered.claimed:,.2f}",
            f"{entered.decided_at:%Y-%m-%d}",
            _minute(entered.delivered_at),
            entered.owner,
        )
        for entered in queries.stages(connection)
    )
    header = ("customer", "stage", "document", "claimed", "decided", "notices delivered", "owner")
    _print(console, "Escalation", header, stages)
    cases = (
        (case.customer, case.number, case.stage, case.state, case.reason, case.next_stage or "", case.next_on or "")
        for case in queries.open_cases(connection)
    )
    _print(console, "Open cases", ("customer", "document", "stage", "state", "why", "next", "on"), cases)
    commands = (
        (total.action, total.site, total.machines, _minute(total.sent_at), _minute(total.verified_at), total.outcome)
        for total in queries.commands(connection)
    )
    _print(console, "Machines", ("action", "site", "machines", "sent", "read back", "outcome"), commands)


def _minute(instant: datetime | None) -> str:
    return f"{instant:%Y-%m-%d %H:%M}" if instant else ""


def _against_truth(connection: sa.Connection, *, running: RunningHome, console: Console) -> bool:
    """Set each fully measured machine-day against what the machine really drew; True where one is too far off."""
    days = pd.concat([_compared(connection, site=site, running=running) for site in SITES.values()])
    sites = days.groupby("site", sort=False).agg(
        days=("day", "size"), measured=("measured", "sum"), true=("true", "sum"), worst=("error", "max")
    )
    rows = (
        (site, f"{row.days:,}", f"{row.measured:,.3f}", f"{row.true:,.3f}", f"{row.worst:.3f}")
        for site, row in zip(sites.index, sites.itertuples(), strict=True)
    )
    header = ("site", "machine-days compared", "measured kWh", "true kWh", "largest error, kWh a day")
    _print(console, f"Against the sandbox's hidden truth, {MONTH}", header, rows)
    too_far = days[days.error > (LARGEST_ERROR * days.true).clip(lower=0.01)]
    for row in too_far.head(20).itertuples():
        console.print(
            f"{row.site} {row.machine} {row.day}: measured {row.measured} kWh, truly {row.true:.3f}", style="red"
        )
    return not too_far.empty


def _compared(connection: sa.Connection, *, site: Site, running: RunningHome) -> pd.DataFrame:
    """A row for each machine-day of a site of which every hour was measured: kWh as measured, as drawn, the error."""
    month = Window(
        day_window(day=MONTH.first_day, timezone=site.timezone).start,
        day_window(day=MONTH.last_day, timezone=site.timezone).end,
    )
    true_hours = _truth(running, site=site.name, window=month)

    def drawn(row: queries.MeasuredDay) -> float:
        window = day_window(day=row.day, timezone=site.timezone)
        start = round((window.start - month.start) / HOUR)
        return sum(true_hours[row.machine][start : start + window.hours]) / 1000

    rows = queries.measured_days(connection, site=site.name, first_day=MONTH.first_day, last_day=MONTH.last_day)
    days = pd.DataFrame(
        [(site.name, row.machine, row.day, float(row.kwh), drawn(row)) for row in rows],
        columns=["site", "machine", "day", "measured", "true"],
    )
    return days.assign(error=(days.measured - days.true).abs())


def _truth(running: RunningHome, *, site: str, window: Window) -> dict[str, list[float]]:
    query = {"site": site, "start": window.start.isoformat(), "end": window.end.isoformat()}
    answer = ask_sandbox(running.sandbox_url, "GET", "truth", params=query)
    return dict(answer["machines"])
