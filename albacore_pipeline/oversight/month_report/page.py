"""The month on one page for finance: self-contained HTML without script, every text from outside escaped.

Belongs here: how the figures are written. Does not belong here: how it looks; that is `page.html.j2`. Amounts of
different currencies are never added.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import jinja2

from albacore_pipeline import markdown
from albacore_pipeline.money import written
from albacore_pipeline.oversight.month_report.figures import Figures
from albacore_pipeline.oversight.month_report.queries import CustomerMonth, SiteDayEnergy

MOST_BARS = 20  # customers in a plot of money; the rest together are the last bar


def month_page(figures: Figures) -> str:
    """The page as HTML."""
    return _template().render(
        figures=figures,
        total={
            "kwh": _sum(site.kwh for site in figures.sites),
            "billed": _sum(site.billed for site in figures.sites),
            "unbilled": _sum(site.unbilled for site in figures.sites),
            "hours_missing": _sum(site.hours_missing for site in figures.sites),
            "kwh_before": _sum(site.kwh_before for site in figures.sites),
        },
        day_plots=day_plots(figures.days),
        money_plots=money_plots(figures.customers),
    )


def month_markdown(figures: Figures) -> str:
    """The page's key tables, for who looks at the asset in Dagster."""
    parts = [
        _markdown(
            ("currency", "documents", "before tax", "tax", "total", "open", "change before tax"),
            [
                (
                    row.currency,
                    row.documents,
                    *(money(amount, row.currency) for amount in (row.subtotal, row.tax, row.total, row.due)),
                    change(row.subtotal, row.subtotal_before),
                )
                for row in figures.currencies
            ],
        ),
        _markdown(
            ("site", "measured kWh", "billed kWh", "unbilled kWh", "change measured"),
            [
                (row.site, kwh(row.kwh), kwh(row.billed), kwh(row.unbilled), change(row.kwh, row.kwh_before))
                for row in figures.sites
            ],
        ),
        _markdown(("blocked customer", "why"), [(row.customer, row.reason) for row in figures.blocked]),
        _markdown(
            ("held", "document", "by", "why"),
            [(row.customer, row.number, row.what, row.reason) for row in figures.held],
        ),
    ]
    return "\n\n".join(part for part in parts if part)


def _markdown(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A table; empty without rows."""
    return markdown.table(columns, rows) if rows else ""


# How figures are written


def kwh(value: Decimal | None) -> str:
    """To the watt-hour; empty where there is none."""
    return "" if value is None else f"{value:,.3f}"


def money(value: Decimal | None, currency: str) -> str:
    """As on a statement; empty where there is none."""
    return "" if value is None else written(value, currency)


def change(now: Decimal | None, before: Decimal | None) -> str:
    """In per cent of the month before; empty where that says nothing."""
    if now is None or not before:
        return ""
    return f"{(now - before) / abs(before) * 100:+,.1f} %"


def price(amount: Decimal | None, energy: Decimal | None) -> Decimal | None:
    """What a kWh cost on average."""
    return amount / energy if amount is not None and energy else None


def unit(value: Decimal | None) -> str:
    """A price per kWh; empty where there is none."""
    return "" if value is None else f"{value:,.4f}"


def _sum(values: Iterable[Decimal | int | None]) -> Decimal:
    return sum((Decimal(value or 0) for value in values), Decimal(0))


# Plots: positions in per cent of the plot


def day_plots(days: Sequence[SiteDayEnergy]) -> list[dict[str, Any]]:
    """A plot of energy by day for each site, each by its own scale."""
    by_site: dict[str, list[SiteDayEnergy]] = defaultdict(list)
    for row in days:
        by_site[row.site].append(row)
    return [{"site": site, "top": _top(rows), "bars": _bars(rows, _top(rows))} for site, rows in by_site.items()]


def _top(rows: Sequence[SiteDayEnergy]) -> Decimal:
    return max((row.kwh or Decimal(0) for row in rows), default=Decimal(0))


def _bars(rows: Sequence[SiteDayEnergy], top: Decimal) -> list[dict[str, Any]]:
    step = 100 / max((row.day.day for row in rows), default=1)
    return [
        {
            "day": row.day,
            "kwh": row.kwh,
            "missing": row.hours_missing,
            "x": (row.day.day - 1) * step + step * 0.1,
            "width": step * 0.8,
            "height": float((row.kwh or 0) / (top or 1) * 100),
        }
        for row in rows
    ]


def money_plots(customers: Sequence[CustomerMonth]) -> list[dict[str, Any]]:
    """A plot of what was rated by customer for each currency, largest first, with the month before."""
    by_currency: dict[str, list[CustomerMonth]] = defaultdict(list)
    for row in customers:
        if row.amount or row.amount_before:
            by_currency[row.currency].append(row)
    return [{"currency": currency, "bars": _money_bars(rows)} for currency, rows in sorted(by_currency.items())]


def _money_bars(rows: Sequence[CustomerMonth]) -> list[dict[str, Any]]:
    ordered = sorted(rows, key=lambda row: (-(row.amount or 0), row.customer))
    bars = [(row.customer, row.amount or Decimal(0), row.amount_before or Decimal(0)) for row in ordered[:MOST_BARS]]
    if rest := ordered[MOST_BARS:]:
        bars.append((f"{len(rest)} others", _sum(row.amount for row in rest), _sum(row.amount_before for row in rest)))
    top = max(max(now, before) for _, now, before in bars) or 1
    return [
        {
            "customer": customer,
            "amount": now,
            "before": before,
            "width": float(max(now, Decimal(0)) / top * 100),
            "width_before": float(max(before, Decimal(0)) / top * 100),
        }
        for customer, now, before in bars
    ]


@cache
def _template() -> jinja2.Template:
    path = Path(__file__).with_name("page.html.j2")
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {"kwh": kwh, "money": money, "unit": unit}
    environment.globals |= {"change": change, "price": price}
    return environment.from_string(path.read_text(encoding="utf-8"))
