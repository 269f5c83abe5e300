"""The month on one page for finance: self-contained HTML, every text from outside escaped."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

import sqlalchemy as sa

from albacore_pipeline.database import sql
from albacore_pipeline.periods import Month

STYLE = """
:root { color-scheme: light dark; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 64rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; width: 100%; margin: .5rem 0 2rem; }
th, td { text-align: left; padding: .3rem .6rem; border-bottom: 1px solid #8884; }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
svg { width: 100%; height: 8rem; } rect { fill: #2a7f86; } .blocked { color: #b3541e; }
"""


def month_report(connection: sa.Connection, *, month: Month) -> str:
    """The page as HTML."""
    before = str(month.previous())
    days = {"first_day": month.first_day, "last_day": month.last_day}
    customers = sql(connection, "oversight/month_by_customer", month=str(month), before=before).all()
    sites = sql(connection, "oversight/month_by_site", month=str(month), **days).all()
    by_day = sql(connection, "oversight/month_by_day", **days).all()
    parts = [
        f"<h1>Month report {month}</h1>",
        "<h2>Energy by day</h2>",
        _plot(by_day),
        "<h2>Customers</h2>",
        _table(
            ("customer", "state", "documents", "invoiced before tax", "rated", "kWh", "month before: rated", "kWh"),
            [_customer(row) for row in customers],
        ),
        "<h2>Sites</h2>",
        _table(
            ("site", "measured kWh", "billed kWh", "unbilled kWh", "why unbilled", "hours missing"),
            [_site(row) for row in sites],
        ),
    ]
    head = f'<meta charset="utf-8"><title>Month report {month}</title><style>{STYLE}</style>'
    return f'<!doctype html><html lang="en">{head}{"".join(parts)}</html>'


def _customer(row: Any) -> list[str]:
    state = (
        f'<span class="blocked">{escape(row.state)}: {escape(row.reason)}</span>'
        if row.state == "blocked"
        else escape(row.state)
    )
    money = [
        f"{amount:,.2f} {escape(row.currency or '')}" if amount is not None else ""
        for amount in (row.invoiced, row.amount, row.amount_before)
    ]
    kwh = [_kwh(row.kwh), _kwh(row.kwh_before)]
    return [escape(row.customer), state, escape(row.numbers or ""), *money[:2], kwh[0], money[2], kwh[1]]


def _site(row: Any) -> list[str]:
    return [
        escape(row.site),
        _kwh(row.kwh),
        _kwh(row.billed),
        _kwh(row.unbilled),
        escape(row.reasons),
        f"{row.hours_missing:,}",
    ]


def _kwh(value: Any) -> str:
    return "" if value is None else f"{value:,.3f}"


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    numbers = [index for index in range(len(header)) if any(_class(row[index]) == "number" for row in rows)]
    head = "".join(
        f"<th class={'number' if index in numbers else 'text'}>{escape(name)}</th>" for index, name in enumerate(header)
    )
    body = "".join(f"<tr>{''.join(f'<td class={_class(cell)}>{cell}</td>' for cell in row)}</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _class(cell: str) -> str:
    return "number" if cell[:1].isdigit() or cell.startswith("-") else "text"


def _plot(by_day: Sequence[Any]) -> str:
    top = max((float(row.kwh or 0) for row in by_day), default=0) or 1
    width = 100 / max(len(by_day), 1)
    bars = "".join(
        f'<rect x="{index * width + width * 0.1:.2f}" y="{100 - 100 * float(row.kwh or 0) / top:.2f}"'
        f' width="{width * 0.8:.2f}" height="{100 * float(row.kwh or 0) / top:.2f}">'
        f"<title>{row.day}: {row.kwh or 0:,.3f} kWh</title></rect>"
        for index, row in enumerate(by_day)
    )
    return f'<svg viewBox="0 0 100 100" preserveAspectRatio="none" role="img" aria-label="kWh by day">{bars}</svg>'
