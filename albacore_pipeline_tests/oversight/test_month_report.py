"""The month report's figures are those of the report views, and no text from outside becomes markup."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import datetime
from decimal import Decimal
from html.parser import HTMLParser
from typing import Any

import pytest
import sqlalchemy as sa

from albacore_pipeline.database import connect
from albacore_pipeline.invoicing.store import prepare_documents
from albacore_pipeline.oversight.month_report.figures import Figures, figures
from albacore_pipeline.oversight.month_report.page import (
    MOST_BARS,
    change,
    kwh,
    money,
    money_plots,
    month_markdown,
    month_page,
)
from albacore_pipeline.periods import Month
from albacore_pipeline.registry.policies import Policy
from albacore_pipeline_tests.clocks import utc
from albacore_pipeline_tests.invoicing.fakes import FakeArchive
from albacore_pipeline_tests.small_world import (
    Day,
    ask,
    assignment,
    collect_month,
    customer,
    open_sites,
    rate,
    register,
    tariff,
)

OCTOBER = Month(2025, 10)
AS_OF = utc("2025-12-05T09:00")
SCRIPT = '<script>alert("1")</script>'


class Cells(HTMLParser):
    """The text of each table's rows; `tags` are all that stand in the page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tables: list[list[list[str]]] = []
        self.tags: set[str] = set()
        self.inside = False
        self.feed(page)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        if tag == "table":
            self.tables.append([])
        elif tag == "tr":
            self.tables[-1].append([])
        elif tag in ("td", "th"):
            self.tables[-1][-1].append("")
            self.inside = True

    def handle_endtag(self, tag: str) -> None:
        if tag in ("td", "th"):
            self.inside = False

    def handle_data(self, data: str) -> None:
        if self.inside:
            self.tables[-1][-1][-1] += data

    def rows(self, *header: str) -> list[list[str]]:
        """The body of the first table whose header begins with these names."""
        for table in self.tables:
            for index, row in enumerate(table):
                if tuple(row[: len(header)]) == header:
                    return [row for row in table[index + 1 :] if len(row) > 1]
        raise AssertionError(f"no table begins with {header}")


@pytest.fixture(scope="module")
def autumn(make_template: Callable[[Callable[[sa.Engine], None]], str]) -> str:
    """A database of that name has the two months of `_write_autumn`."""

    def write(engine: sa.Engine) -> None:
        with engine.begin() as connection:
            _write_autumn(connection)

    return make_template(write)


@pytest.fixture
def world(make_database: Callable[[str], str], autumn: str) -> Iterator[sa.Connection]:
    """Acme pays crowns at two sites, bolt euros; cask has no tariff. September cost half as much; October has gaps."""
    with connect(make_database(autumn)).connect() as connection:
        yield connection


def _write_autumn(connection: sa.Connection) -> None:
    open_sites(connection, "norway", "finland", starts_on=Month(2025, 9).first_day)
    ugly = customer("acme").model_copy(update={"name": SCRIPT})
    rows = [
        assignment("NO-0001", "acme", "2025-01-01"),
        assignment("FI-0001", "acme", "2025-01-01"),
        assignment("NO-0002", "bolt", "2025-01-01"),
        assignment("NO-0003", "cask", "2025-01-01"),
    ]
    register(
        connection,
        customers=[ugly, customer("bolt", currency="EUR", tax_type="OUTPUT"), customer("cask", currency="USD")],
        assignments=rows,
        tariffs=[
            tariff("before", "0.5", to_day="2025-09-30"),
            tariff("now", "1", "2025-10-01", fee_per_machine_day="2"),
            tariff("euro", "0.1", currency="EUR"),
        ],
        policy=Policy(accepted_gap_hours=10),
    )
    machines = ["NO-0001", "NO-0002", "NO-0003", "NO-0004", "FI-0001"]
    collect_month(connection, month="2025-09", machines=machines, wh=10_000)
    gap = {("NO-0001", 9): Day(wh=9_000, missing=3), ("FI-0001", 10): Day(wh=8_000, estimated_wh=3_000)}
    collect_month(connection, month="2025-10", machines=machines, wh=12_345, but=gap)
    for month, day in (("2025-09", "2025-10-01"), ("2025-10", "2025-11-01")):
        rate(connection, month)
        write(connection, utc(f"{day}T06:00"))


def write(connection: sa.Connection, now: datetime) -> None:
    prepare_documents(connection, month=None, archive=FakeArchive(), sales_account="200", now=now)


def read(connection: sa.Connection) -> Figures:
    return figures(connection, month=OCTOBER, as_of=AS_OF)


def test_figures_by_customer_are_those_of_the_views(world: sa.Connection) -> None:
    rows = {row[0]: row for row in Cells(month_page(read(world))).rows("customer", "state")}
    for name, currency in (("acme", "NOK"), ("bolt", "EUR")):
        records = "select sum(amount), sum(kwh) from report.billing_records where customer = :name and month = :month"
        ((amount, energy),) = ask(world, records, name=name, month="2025-10")
        ((before, energy_before),) = ask(world, records, name=name, month="2025-09")
        ((invoiced,),) = ask(
            world, "select sum(subtotal) from report.invoices where customer = :name and month = '2025-10'", name=name
        )
        row = next(row for key, row in rows.items() if key.startswith(name))
        assert row[3:7] == [currency, money(invoiced, currency), money(amount, currency), kwh(energy)]
        assert row[8:10] == [money(before, currency), kwh(energy_before)]
        assert row[11:13] == [change(amount, before), change(energy, energy_before)]


def test_the_price_is_that_of_the_energy_alone(world: sa.Connection) -> None:
    rows = {row[0]: row for row in Cells(month_page(read(world))).rows("customer", "state")}
    acme = rows[f"acme{SCRIPT}"]
    assert (acme[7], acme[10], acme[13]) == ("1.0000", "0.5000", "+100.0 %")


def test_figures_by_site_are_those_of_the_views(world: sa.Connection) -> None:
    rows = {row[0]: row for row in Cells(month_page(read(world))).rows("site")}
    for site in ("norway", "finland"):
        for column, question in (
            (2, "select sum(kwh) from report.machine_days where site = :site and to_char(day, 'YYYY-MM') = '2025-10'"),
            (3, "select sum(kwh) from report.billing_records where site = :site and month = '2025-10'"),
            (4, "select coalesce(sum(kwh), 0) from report.unbilled where site = :site and month = '2025-10'"),
            (7, "select sum(kwh) from report.machine_days where site = :site and to_char(day, 'YYYY-MM') = '2025-09'"),
        ):
            ((value,),) = ask(world, question, site=site)
            assert rows[site.capitalize()][column] == kwh(value)
    assert rows["Norway"][5:7] == ["0", "3"] and rows["Finland"][5:7] == ["1", "0"]
    ((total,),) = ask(world, "select sum(kwh) from report.machine_days where to_char(day, 'YYYY-MM') = '2025-10'")
    assert rows["All sites"][2] == kwh(total)


def test_currencies_are_never_added(world: sa.Connection) -> None:
    rows = Cells(month_page(read(world))).rows("currency")
    wanted = ask(
        world,
        "select currency, sum(subtotal), sum(tax), sum(total) from report.invoices where month = '2025-10'"
        " group by currency order by currency",
    )
    assert [row[0] for row in rows] == ["EUR", "NOK"]
    for row, (currency, *amounts) in zip(rows, wanted, strict=True):
        assert row[2:5] == [money(amount, currency) for amount in amounts]


def test_blocked_customers_and_energy_that_is_not_billed_say_why(world: sa.Connection) -> None:
    page = Cells(month_page(read(world)))
    (blocked,) = page.rows("customer", "name")
    assert blocked[0] == "cask" and blocked[2].startswith("no tariff")
    assert [(row[0], row[1], row[2], row[4]) for row in page.rows("reason")] == [
        ("no tariff", "Norway", "1", "382.695"),
        ("unassigned", "Norway", "1", "382.695"),
    ]


def test_estimates_and_gaps_are_told(world: sa.Connection) -> None:
    found = read(world)
    assert [(row.site, row.customer, row.estimated_kwh) for row in found.estimates] == [
        ("finland", "acme", Decimal("3.000"))
    ]
    assert [(row.site, row.customer, row.hours, row.state) for row in found.gaps] == [("norway", "acme", 3, "open")]


def test_a_correction_is_told_with_the_document_that_brought_it(world: sa.Connection) -> None:
    changed = {("NO-0002", 5): 2_345}
    collect_month(world, month="2025-10", machines=["NO-0001", "NO-0002", "NO-0003", "NO-0004"], wh=12_345, but=changed)
    rate(world, "2025-10")
    write(world, utc("2025-12-01T06:00"))
    rows = Cells(month_page(read(world))).rows("month corrected")
    assert {row[3]: (row[0], row[2], row[6]) for row in rows}["bolt"] == ("2025-10", "credit note", "-1.00")
    december = figures(world, month=Month(2025, 12), as_of=AS_OF)
    assert {row.customer for row in december.corrections} == {row[3] for row in rows}, "issued in December"


def test_what_waits_is_told(world: sa.Connection) -> None:
    world.execute(sa.text("update albacore.customer_month set waits = 'review' where customer = 'bolt'"))
    hold = (
        "insert into albacore.hold (customer, kind, reason, owner, from_at, until_at)"
        " values ('acme', 'dispute', :reason, 'anna@albacore.example', :from_at, :until_at) returning 1"
    )
    ask(world, hold, reason=SCRIPT, from_at=utc("2025-11-20T00:00"), until_at=utc("2025-12-20T00:00"))
    ask(world, hold, reason="over", from_at=utc("2025-11-20T00:00"), until_at=utc("2025-11-21T00:00"))
    held = [(row.customer, row.what, row.reason) for row in read(world).held]
    assert held == [("acme", "dispute", f"{SCRIPT} (anna@albacore.example)"), ("bolt", "review", "")]


def test_no_text_from_outside_becomes_markup(world: sa.Connection) -> None:
    world.execute(sa.text("update albacore.customer_month set reason = :reason"), {"reason": f"{SCRIPT} | [x](y) *z*"})
    found = read(world)
    page = month_page(found)
    assert "script" not in Cells(page).tags
    assert page.count("&lt;script&gt;") >= 2
    assert r"\<script\>alert(" in month_markdown(found) and r"\| \[x\](y) \*z\*" in month_markdown(found)


def test_the_page_needs_nothing_from_elsewhere(world: sa.Connection) -> None:
    page = month_page(read(world))
    assert not re.search(r"(?:src|href|url|@import|xlink)\s*[=(]", page)
    assert Cells(page).tags.isdisjoint({"script", "link", "img", "iframe"})


def test_equal_figures_give_equal_pages(world: sa.Connection) -> None:
    assert month_page(read(world)) == month_page(read(world))


def test_a_month_of_nothing_is_a_page_too(connection: sa.Connection) -> None:
    page = month_page(figures(connection, month=Month(2025, 3), as_of=AS_OF))
    assert "No document was written for this month." in page and "Every kWh is billed." in page


@pytest.mark.parametrize(
    ("now", "before", "wanted"),
    [
        ("110", "100", "+10.0 %"), ("0", "100", "-100.0 %"), ("5", "0", ""), ("5", None, ""), (None, "5", ""),
        ("-50", "-100", "+50.0 %"), ("123456", "1", "+12,345,500.0 %"),
    ],
)  # fmt: skip
def test_a_change_is_told_where_there_was_something_before(now: str | None, before: str | None, wanted: str) -> None:
    number: Callable[[str | None], Decimal | None] = lambda text: None if text is None else Decimal(text)  # noqa: E731
    assert change(number(now), number(before)) == wanted


def test_small_customers_share_the_last_bar() -> None:
    class Row:
        def __init__(self, n: int) -> None:
            self.customer, self.currency = f"c{n:02}", "NOK"
            self.amount, self.amount_before = Decimal(n), Decimal(1)

    rows: Any = [Row(n) for n in range(1, 31)]
    (plot,) = money_plots(rows)
    bars = plot["bars"]
    assert len(bars) == MOST_BARS + 1
    assert (bars[0]["customer"], bars[-1]["customer"]) == ("c30", "10 others")
    assert sum(bar["amount"] for bar in bars) == sum(row.amount for row in rows)
    assert max(bar["width"] for bar in bars) == 100
