"""What stands on a statement: a document's committed rows as words and figures, ready to be set.

Belongs here: what is said, and how numbers and days are written. All text from outside passes `shown`.
Does not belong here: how it looks; that is `statement.typ`.
"""

from __future__ import annotations

import io
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import date, timedelta
from decimal import Decimal
from itertools import groupby
from typing import Any

import segno
import sqlalchemy as sa

from albacore_pipeline.invoicing.documents import MONTHS, TAX_RATES
from albacore_pipeline.invoicing.statement import queries
from albacore_pipeline.invoicing.statement.queries import BilledDay, Correction, Head, StatementLine
from albacore_pipeline.money import written
from albacore_pipeline.periods import Month
from albacore_pipeline.registry.glyphs import unprintable

KINDS = {"invoice": "Invoice", "supplement": "Supplementary invoice", "credit_note": "Credit note"}
LONGEST_WORD = 28  # characters without a space; longer ones may break anywhere
MOST_CHANGED_DAYS = 300  # above that, a correction is told by machine


@dataclass(kw_only=True)
class Energy:
    """Machine-days, summed. Watt-hours; `days` those on which the machine was billed."""

    days: int = 0
    wh: int = 0
    estimated_wh: int = 0
    measured: int = 0
    estimated: int = 0
    missing: int = 0

    def add(self, row: BilledDay) -> None:
        """Count a machine-day."""
        self.days += 1
        self.wh += row.wh or 0
        self.estimated_wh += row.estimated_wh
        self.measured += row.hours_measured
        self.estimated += row.hours_estimated
        self.missing += row.hours_expected - row.hours_measured - row.hours_estimated


@dataclass(kw_only=True)
class SiteMonth:
    """A site's machine-days of one customer-month, by machine and by day."""

    machines: dict[str, Energy] = field(default_factory=lambda: defaultdict(Energy))
    days: dict[date, Energy] = field(default_factory=lambda: defaultdict(Energy))
    assigned: dict[str, list[date]] = field(default_factory=lambda: defaultdict(list))

    @property
    def total(self) -> Energy:
        """The site's sums."""
        names = [column.name for column in fields(Energy)]
        return Energy(**{name: sum(getattr(energy, name) for energy in self.days.values()) for name in names})


def statement_facts(connection: sa.Connection, *, number: str) -> dict[str, Any]:
    """Everything that the statement of a document says, from what is committed.

    Raises LookupError when there is no such document.
    """
    head = queries.head(connection, number=number)
    if head is None:
        raise LookupError(f"there is no {number}: see report.invoices for the numbers")
    lines = queries.lines(connection, number=number)
    corrections = queries.corrections(connection, number=number)
    ids = {head.customer_month_id}.union(*((row.customer_month_id, row.before_id) for row in corrections))
    days: dict[int, list[BilledDay]] = defaultdict(list)
    for row in queries.days(connection, ids=sorted(ids)):
        days[row.customer_month_id].append(row)
    return facts(head=head, lines=lines, corrections=corrections, days=days)


def facts(
    *,
    head: Head,
    lines: Sequence[StatementLine],
    corrections: Sequence[Correction],
    days: Mapping[int, Sequence[BilledDay]],
) -> dict[str, Any]:
    """The facts of a document's rows; pure."""
    sites = by_site(days.get(head.customer_month_id, ()))
    return {
        "kind": KINDS[head.kind],
        "number": shown(head.number),
        "date": [head.issued_on.year, head.issued_on.month, head.issued_on.day],
        "currency": head.currency,
        "month": month_name(head.month),
        "ours": _party(head.our_name or head.entity, head.our_address, head.our_vat_number, head.our_email),
        "theirs": _party(head.legal_name, head.address, head.vat_number, None),
        "meta": _meta(head, corrections),
        "headline": _headline(head),
        "lines": _lines(head, lines),
        "totals": _totals(head, lines),
        "words": sorted({TAX_RATES[line.tax_type][1] for line in lines} - {""}),
        "pay": _payment(head),
        "corrections": [_correction(row, days) for row in corrections],
        "plots": [_plot(site, month.days, Month.of(head.month)) for site, month in sites.items()],
        "machines": [_machines(site, month) for site, month in sites.items()],
        "partly": [row for site, month in sites.items() for row in _partly(site, month, Month.of(head.month))],
        "gaps": [row for site, month in sites.items() for row in _gaps(site, month)],
        "kwh": kwh(sum(month.total.wh for month in sites.values())),
    }


def by_site(rows: Iterable[BilledDay]) -> dict[str, SiteMonth]:
    """Machine-days of one customer-month, summed by site."""
    sites: dict[str, SiteMonth] = defaultdict(SiteMonth)
    for row in rows:
        month = sites[row.site]
        month.machines[row.machine].add(row)
        month.days[row.day].add(row)
        month.assigned[row.machine].append(row.day)
    return dict(sites)


# How things are written


def shown(text: str) -> str:
    """Text from outside as it can be set: a mark for what the fonts lack, and breaks where a word would run out."""
    for character in unprintable(text):
        text = text.replace(character, " " if character == "\t" else "\ufffd")
    return re.sub(rf"\S{{{LONGEST_WORD}}}(?=\S)", lambda run: f"{run.group()}\u200b", text)


def kwh(wh: int) -> str:
    """Watt-hours as kWh, to the watt-hour."""
    return f"{Decimal(wh) / 1000:,.3f}"


def day_name(day: date) -> str:
    """A day in words: 1 November 2025."""
    return f"{day.day} {MONTHS[day.month - 1]} {day.year}"


def month_name(first_day: date) -> str:
    """A month in words."""
    return f"{MONTHS[first_day.month - 1]} {first_day.year}"


def _with_separators(number: Decimal) -> str:
    return f"{number.normalize():,f}"


def _site_name(site: str) -> str:
    return shown(site.capitalize())


# The document


def _party(name: str, address: str | None, vat_number: str | None, email: str | None) -> dict[str, str]:
    return {
        "name": shown(name),
        "address": shown(address or ""),
        "vat_number": shown(vat_number or ""),
        "email": shown(email or ""),
    }


def _meta(head: Head, corrections: Sequence[Correction]) -> list[list[str]]:
    rows = [
        ["Document", shown(head.number)],
        ["Customer", shown(head.customer)],
        ["Month", month_name(head.month)],
        ["Issued", day_name(head.issued_on)],
    ]
    if head.kind != "credit_note":
        rows.append(["Due", day_name(head.due_on)])
    rows += [["Corrects", shown(row.corrects)] for row in corrections if row.corrects]
    return rows


def _headline(head: Head) -> list[str]:
    total = f"{written(abs(head.total), head.currency)} {head.currency}"
    if head.kind == "credit_note":
        return ["Credited to you", total, "set against your open invoice, or against the next one"]
    return ["To pay", total, f"by {day_name(head.due_on)}"]


def _sign(head: Head) -> int:
    """A credit note tells positive amounts, as in Xero; they are stored negative."""
    return -1 if head.kind == "credit_note" else 1


def _lines(head: Head, lines: Sequence[StatementLine]) -> list[list[str]]:
    return [
        [
            shown(line.description),
            "" if line.unit == "sum" else _quantity(line.quantity * _sign(head), line.unit),
            "" if line.unit == "sum" else _with_separators(line.unit_price),
            written(line.amount * _sign(head), head.currency),
        ]
        for line in lines
    ]


def _quantity(quantity: Decimal, unit: str) -> str:
    if unit == "kWh":
        places = 3 if quantity == round(quantity, 3) else 4  # Xero's, after a multiplier
        return f"{quantity:,.{places}f} kWh"
    return f"{_with_separators(quantity)} {unit}{'' if quantity == 1 else 's'}"


def _totals(head: Head, lines: Sequence[StatementLine]) -> list[list[str]]:
    taxes: dict[str, list[Decimal]] = defaultdict(lambda: [Decimal(0), Decimal(0)])
    for line in lines:
        taxes[line.tax_type][0] += line.amount * _sign(head)
        taxes[line.tax_type][1] += line.tax * _sign(head)
    return [
        ["Total before VAT", written(head.subtotal * _sign(head), head.currency)],
        *(
            [_tax_label(tax_type, written(base, head.currency)), written(tax, head.currency)]
            for tax_type, (base, tax) in sorted(taxes.items())
        ),
        [f"Total {head.currency}", written(head.total * _sign(head), head.currency)],
    ]


def _tax_label(tax_type: str, base: str) -> str:
    rate, _ = TAX_RATES[tax_type]
    return f"VAT {_with_separators(rate * 100)} % of {base}" if rate else "VAT"


def _payment(head: Head) -> dict[str, str] | None:
    if head.kind == "credit_note":
        return None
    link = head.payment_link or ""
    if not link.startswith(("https://", "http://")):
        return {"link": "", "qr": ""}
    code = io.BytesIO()
    segno.make(link, error="m", micro=False).save(code, kind="svg", border=0, xmldecl=False, svgclass=None)
    return {"link": link, "qr": code.getvalue().decode()}


# What changed


def _correction(correction: Correction, days: Mapping[int, Sequence[BilledDay]]) -> dict[str, Any]:
    before = {(row.site, row.machine, row.day): row for row in days.get(correction.before_id, ())}
    now = {(row.site, row.machine, row.day): row for row in days.get(correction.customer_month_id, ())}
    changed = [
        (key, before.get(key), now.get(key))
        for key in sorted(before.keys() | now.keys())
        if _wh(before.get(key)) != _wh(now.get(key)) or (key in before) != (key in now)
    ]
    by_day = len(changed) <= MOST_CHANGED_DAYS
    groups = groupby(changed, key=lambda item: item[0] if by_day else item[0][:2])
    rows = [_changed_row(list(group)) for _, group in groups]
    total = [kwh(_sum(before.values())), kwh(_sum(now.values())), _signed(_sum(now.values()) - _sum(before.values()))]
    return {
        "number": shown(correction.corrects or ""),
        "month": month_name(correction.month),
        "by_day": by_day,
        "rows": rows,
        "total": total,
    }


def _changed_row(changes: Sequence[tuple[tuple[str, str, date], BilledDay | None, BilledDay | None]]) -> list[str]:
    site, machine, first = changes[0][0]
    then, now = _sum(item[1] for item in changes), _sum(item[2] for item in changes)
    reasons = Counter(_reason(before, after) for _, before, after in changes)
    when = day_name(first) if len(changes) == 1 else f"{len(changes)} days"
    return [
        _site_name(site),
        shown(machine),
        when,
        kwh(then),
        kwh(now),
        _signed(now - then),
        ", ".join(sorted(reasons)),
    ]


def _reason(before: BilledDay | None, now: BilledDay | None) -> str:
    if before is None:
        return "machine assigned to you"
    if now is None:
        return "machine not yours"
    return "new readings" if before.collection_id != now.collection_id else "new estimate"


def _wh(row: BilledDay | None) -> int | None:
    return None if row is None else row.wh


def _sum(rows: Iterable[BilledDay | None]) -> int:
    return sum(_wh(row) or 0 for row in rows)


def _signed(wh: int) -> str:
    return f"{'+' if wh > 0 else ''}{kwh(wh)}"


# Energy


def _plot(site: str, days: Mapping[date, Energy], month: Month) -> dict[str, Any]:
    top = max((energy.wh for energy in days.values()), default=0)
    bars = [_bar(days.get(day, Energy()), top or 1) for day in month.days()]
    return {"site": _site_name(site), "top": kwh(top), "bars": bars}


def _bar(energy: Energy, top: int) -> dict[str, Any]:
    return {
        "measured": round((energy.wh - energy.estimated_wh) / top, 4),
        "estimated": round(energy.estimated_wh / top, 4),
        "missing": energy.missing > 0,
    }


def _machines(site: str, month: SiteMonth) -> dict[str, Any]:
    rows = [[shown(machine), *_figures(energy)] for machine, energy in month.machines.items()]
    return {"site": _site_name(site), "rows": rows, "total": [_count(len(rows), "machine"), *_figures(month.total)]}


def _figures(energy: Energy) -> list[str]:
    hours = (_or_blank(energy.estimated), _or_blank(energy.missing))
    return [f"{energy.days:,}", f"{energy.measured:,}", *hours, kwh(energy.wh)]


def _partly(site: str, month: SiteMonth, whole: Month) -> Iterator[list[str]]:
    """Machines that were billed for a part of the month only, a row for each run of days."""
    for machine, days in month.assigned.items():
        for first, last in _runs(days):
            if (first, last) != (whole.first_day, whole.last_day):
                yield [_site_name(site), shown(machine), day_name(first), day_name(last), f"{(last - first).days + 1}"]


def _runs(days: Sequence[date]) -> Iterator[tuple[date, date]]:
    first = days[0]
    for day, following in zip(days, [*days[1:], None], strict=True):
        if following != day + timedelta(days=1):
            yield first, day
            first = following or day


def _gaps(site: str, month: SiteMonth) -> Iterator[list[str]]:
    """Days with hours that were not measured."""
    for day, energy in sorted(month.days.items()):
        if energy.estimated or energy.missing:
            estimate = kwh(energy.estimated_wh) if energy.estimated else ""
            yield [_site_name(site), day_name(day), _or_blank(energy.estimated), estimate, _or_blank(energy.missing)]


def _or_blank(count: int) -> str:
    """Nothing for none, so that what is there catches the eye."""
    return f"{count:,}" if count else ""


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
