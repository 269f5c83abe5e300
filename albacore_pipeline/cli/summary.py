"""The end of the demo: what happened, set against the sandbox's hidden truth."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

import sqlalchemy as sa
from rich.console import Console

from albacore_pipeline.cli import queries
from albacore_pipeline.cli.home import RunningHome
from albacore_pipeline.cli.world import ask_sandbox
from albacore_pipeline.oversight.verify import verify
from albacore_pipeline.periods import Month, Window, day_window
from albacore_pipeline.sites import SITES

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
            f"{entered.decided_at:%Y-%m-%d}",
            _minute(entered.delivered_at),
            entered.owner,
        )
        for entered in queries.stages(connection)
    )
    _print(console, "Escalation", ("customer", "stage", "document", "decided", "notices delivered", "owner"), stages)
    commands = (
        (total.action, total.site, total.machines, _minute(total.sent_at), _minute(total.verified_at), total.outcome)
        for total in queries.commands(connection)
    )
    _print(console, "Machines", ("action", "site", "machines", "sent", "read back", "outcome"), commands)


def _minute(instant: datetime | None) -> str:
    return f"{instant:%Y-%m-%d %H:%M}" if instant else ""


def _against_truth(connection: sa.Connection, *, running: RunningHome, console: Console) -> list[str]:
    """Set each fully measured machine-day against what the machine really drew; returns those too far off."""
    rows: list[tuple[object, ...]] = []
    too_far: list[str] = []
    for site in SITES.values():
        window = Window(
            day_window(day=MONTH.first_day, timezone=site.timezone).start,
            day_window(day=MONTH.last_day, timezone=site.timezone).end,
        )
        true_hours = _truth(running, site=site.name, window=window)
        days = queries.measured_days(connection, site=site.name, first_day=MONTH.first_day, last_day=MONTH.last_day)
        measured = true = worst = 0.0
        for row in days:
            start = round((day_window(day=row.day, timezone=site.timezone).start - window.start).total_seconds() / 3600)
            really = sum(true_hours[row.machine][start : start + row.hours_expected]) / 1000
            error = abs(float(row.kwh) - really)
            if error > max(LARGEST_ERROR * really, 0.01):
                too_far.append(f"{site.name} {row.machine} {row.day}: measured {row.kwh} kWh, truly {really:.3f}")
            measured, true, worst = measured + float(row.kwh), true + really, max(worst, error)
        rows.append((site.name, f"{len(days):,}", f"{measured:,.3f}", f"{true:,.3f}", f"{worst:.3f}"))
    header = ("site", "machine-days compared", "measured kWh", "true kWh", "largest error, kWh a day")
    _print(console, f"Against the sandbox's hidden truth, {MONTH}", header, rows)
    for line in too_far[:20]:
        console.print(line, style="red")
    return too_far


def _truth(running: RunningHome, *, site: str, window: Window) -> dict[str, list[float]]:
    query = {"site": site, "start": window.start.isoformat(), "end": window.end.isoformat()}
    answer = ask_sandbox(running.sandbox_url, "GET", "truth", params=query)
    return dict(answer["machines"])
