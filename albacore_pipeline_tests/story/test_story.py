"""What the story leaves behind, seen as finance and operations see it: through `report` and the commands."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa

from albacore_pipeline.sites import SITES
from albacore_pipeline_tests.story.told import Told

pytestmark = [pytest.mark.timeout(600), pytest.mark.xdist_group("story")]

OCTOBER = "day between '2025-10-01' and '2025-10-31'"


def test_every_site_has_each_machine_on_each_day_of_october(told: Told) -> None:
    rows = told.rows(
        f"select site, count(distinct day) as days, count(distinct machine) as machines, count(*) as machine_days"
        f" from report.machine_days where {OCTOBER} group by site"
    )

    assert {row.site: (row.days, row.machines, row.machine_days) for row in rows} == dict.fromkeys(
        SITES, (31, 50, 31 * 50)
    )


def test_the_night_of_the_clocks_has_an_hour_more_where_they_change(told: Told) -> None:
    rows = told.rows(
        f"select distinct site, day, hours_expected from report.machine_days where {OCTOBER} and hours_expected <> 24"
    )

    assert {(row.site, f"{row.day:%m-%d}", row.hours_expected) for row in rows} == {
        ("norway", "10-26", 25),
        ("finland", "10-26", 25),
    }


def test_every_issued_invoice_can_be_paid_by_its_link(told: Told) -> None:
    invoices = told.rows("select * from report.invoices where kind in ('invoice', 'supplement')")

    assert len({row.payment_link for row in invoices}) == len(invoices) >= 20
    assert [row.number for row in invoices if not (row.payment_link or "").startswith("http://127.0.0.1:")] == []
    assert {row.state for row in invoices} == {"issued", "paid"}
    assert [row.number for row in invoices if row.sent_at is None or row.xero_id is None] == []


def test_each_billed_customer_has_one_invoice_a_month(told: Told) -> None:
    rows = told.rows(
        "select month, customer, count(*) filter (where kind = 'invoice') as invoices"
        " from report.invoices where month in ('2025-10', '2025-11') group by month, customer"
    )

    assert {row.invoices for row in rows} == {1}
    assert len(rows) == 24


def test_lines_add_up_to_their_documents(told: Told) -> None:
    lines = told.rows("select *, round(quantity * unit_price, 2) as product from report.invoice_lines")
    documents = told.rows(
        "select invoices.*, lines.amount as lines_amount, lines.tax as lines_tax from report.invoices"
        " join (select number, sum(amount) as amount, sum(tax) as tax from report.invoice_lines group by number) lines"
        " using (number)"
    )

    assert [row for row in lines if row.product != row.amount] == []
    assert len(documents) == told.rows("select count(*) from report.invoices")[0].count
    assert [row.number for row in documents if (row.lines_amount, row.lines_tax) != (row.subtotal, row.tax)] == []
    assert [row.number for row in documents if row.subtotal + row.tax != row.total] == []


def test_machines_at_all_four_sites_were_paused_and_resumed_and_both_were_read_back(told: Told) -> None:
    rows = told.rows("select * from report.machine_commands")

    assert {(row.site, row.action, row.outcome) for row in rows} == {
        (site, action, "verified") for site in SITES for action in ("pause", "resume")
    }
    assert [row for row in rows if row.verified_at is None or row.verified_at < row.sent_at] == []
    assert {row.customer for row in rows} == {"c04"}


def test_a_pause_follows_the_whole_chain_of_its_document_in_order(told: Told) -> None:
    chain = told.rows(
        "select escalation.* from report.escalation join report.invoices using (number)"
        " where escalation.customer = 'c04' and month = '2025-10' order by decided_at"
    )
    first_pause = told.rows("select min(sent_at) as at from report.machine_commands where action = 'pause'")[0].at

    stages = [row.stage for row in chain]
    assert stages[:5] == ["upcoming", "reminder", "overdue", "final_notice", "pause_scheduled"]
    assert set(stages[5:]) == {"paused"}, "told as the sites were read to be off"
    assert all(row.owner for row in chain)
    assert all(row.delivered_at <= first_pause for row in chain[:5])


def test_a_second_document_of_the_debtor_inherits_nothing_and_pauses_nothing(told: Told) -> None:
    second = told.rows("select * from report.invoices where customer = 'c04' and month = '2025-11'")[0]
    stages = told.rows(f"select stage, decided_at from report.escalation where number = '{second.number}'")
    machines = told.rows(
        "select distinct machine from report.machine_days where day = '2025-11-30' and site = 'norway'"
    )

    assert {row.stage for row in stages} == {"upcoming", "reminder"}, "though October's came to its end"
    assert [row for row in stages if row.stage == "reminder" and row.decided_at.date() <= second.due_on] == []
    assert "NO-0050" in {row.machine for row in machines}
    assert told.rows("select from report.machine_commands where machine = 'NO-0050'") == []
    assert told.rows(f"select from report.pause_plans where number = '{second.number}'") == []


def test_who_disputes_a_line_is_reminded_of_the_rest_and_of_the_line_when_that_is_refused(told: Told) -> None:
    dispute = told.rows("select * from report.holds where customer = 'c03'")
    line = told.rows(
        "select invoices.number, total, amount + invoice_lines.tax as amount from report.invoices"
        " join report.invoice_lines using (number)"
        " where customer = 'c03' and invoices.month = '2025-10' and kind = 'invoice' and line = 1"
    )[0]
    told_of = told.rows("select * from report.escalation where customer = 'c03' order by decided_at")

    assert [(row.kind, row.number, row.lines, row.outcome) for row in dispute] == [
        ("dispute", line.number, [1], "refused")
    ]
    assert [(row.stage, row.number, row.claimed) for row in told_of] == [
        ("upcoming", line.number, line.total - line.amount),
        ("reminder", line.number, line.total - line.amount),
        ("overdue", line.number, line.amount),
    ]
    assert told_of[1].decided_at < dispute[0].until_at <= told_of[2].decided_at


def test_a_part_payment_and_money_without_a_number_lower_what_is_claimed(told: Told) -> None:
    claims = told.rows(
        "select stage, claimed, total from report.escalation join report.invoices using (number)"
        " where escalation.customer = 'c02' order by decided_at"
    )

    total = claims[0].total
    assert [(row.stage, row.claimed) for row in claims] == [
        ("upcoming", round(total * 6 / 10, 2)),
        ("reminder", round(total * 6 / 10, 2)),
        ("overdue", round(total * 6 / 10, 2) - round(total / 10, 2)),
    ]
    assert told.rows("select from report.unapplied") == [], "it went back when all was paid"


def test_a_machine_that_is_handed_over_while_it_stands_still_runs_for_its_new_holder(told: Told) -> None:
    """Before its old one has paid."""
    resumes = told.rows("select * from report.machine_commands where action = 'resume' order by requested_at")
    paid = told.rows(
        "select max(payments.paid_on) as day from report.payments join report.invoices using (number)"
        " where payments.customer = 'c04' and month = '2025-10'"
    )[0].day

    first, others = resumes[0], resumes[1:]
    assert (first.machine, first.reason) == ("NO-0018", "the machine is no longer the debtor's, or not rented")
    assert {row.reason for row in others} == {"paid"}
    assert first.verified_at < others[0].requested_at
    assert first.requested_at.date() <= paid
    assert told.sandbox("power")["NO-0018"] == "On"


def test_in_the_end_every_machine_truly_runs_for_whom_no_plan_stands(told: Told) -> None:
    power = told.sandbox("power")

    assert len(power) == 200
    assert {machine for machine, state in power.items() if state == "Off"} == set()
    assert told.rows("select from report.cases where customer = 'c04' and amount_overdue > 0") != [], (
        "though a document of his is overdue: its chain has only begun"
    )
    assert "every machine runs" in told.said


def test_a_customer_is_explained_on_the_command_line(told: Told) -> None:
    explained = told.albacore("explain", "--customer", "c04")
    october, november = (
        row.number for row in told.rows("select number from report.invoices where customer = 'c04' order by month")
    )

    lines = explained.stdout.splitlines()
    assert explained.returncode == 0
    assert lines[0].startswith(f"{november}: waiting, ") and " USD overdue: " in lines[0]
    assert lines[1].startswith("  next: overdue on 2025-12-2")
    assert f"{october}: closed: paid" in lines
    assert next(line for line in lines if line.endswith("fell: paid")).startswith(f"plan 1 for {october}, not before")
    assert "NO-0018: fell: the machine is no longer the debtor's, or not rented" in explained.stdout


def test_a_corrected_day_became_a_credit_note(told: Told) -> None:
    notes = told.rows("select customer, revision, total from report.invoices where kind = 'credit_note'")

    assert [(row.customer, row.revision) for row in notes] == [("c05", 2)]
    assert notes[0].total < 0


def test_the_month_is_proved_on_the_command_line(told: Told) -> None:
    proved = told.albacore("verify", "--month", "2025-10", "--live")

    assert (proved.returncode, proved.stderr) == (0, "")
    assert proved.stdout.strip() == "2025-10: everything holds"


def test_a_row_that_was_changed_behind_our_back_is_named(told: Told) -> None:
    change = (
        "update albacore.machine_day set wh = wh + {} where day = '2025-10-12' and machine_id ="
        " (select machine_id from albacore.machine where machine = 'NO-0003')"
    )
    with _without_triggers(told.engine()) as connection:
        assert connection.execute(sa.text(change.format(1))).rowcount == 1
    try:
        proved = told.albacore("verify", "--month", "2025-10")
    finally:
        with _without_triggers(told.engine()) as connection:
            connection.execute(sa.text(change.format(-1)))

    assert proved.returncode == 1
    assert "norway NO-0003 2025-10-12" in proved.stdout


def test_a_line_is_explained_down_to_the_raw_answers(told: Told) -> None:
    explained = told.albacore("explain", "ALB-2025-000001", "--line", "1")

    lines = explained.stdout.splitlines()
    assert explained.returncode == 0
    assert lines[0].startswith("ALB-2025-000001 line 1: Energy, Finland, October 2025")
    assert sum(line.startswith("  record ") for line in lines) >= 1
    days = [line for line in lines if line.startswith("    2025-10-")]
    raw = [line for line in lines if line.startswith("      raw answers: ") and "bytes" in line]
    assert len(days) == len(raw) > 28


def test_a_statement_is_written_for_whoever_asks(told: Told, tmp_path: Path) -> None:
    asked = told.albacore("statement", "ALB-2025-000001", "--to", str(tmp_path / "bill.pdf"))
    assert (asked.returncode, asked.stderr) == (0, "")
    assert (tmp_path / "bill.pdf").read_bytes().startswith(b"%PDF-")

    unknown = told.albacore("statement", "ALB-1999-000001")
    assert unknown.returncode == 1
    assert unknown.stderr.strip() == "there is no ALB-1999-000001: see report.invoices for the numbers"


def test_a_raw_answer_that_is_gone_is_missed(told: Told) -> None:
    archive = told.home / "archive"
    aside = told.home / "archive.aside"
    archive.rename(aside)
    try:
        explained = told.albacore("explain", "ALB-2025-000001", "--line", "1")
    finally:
        aside.rename(archive)

    assert explained.returncode == 1
    assert "Traceback" not in explained.stderr
    assert len(explained.stderr.strip().splitlines()) == 1


@contextmanager
def _without_triggers(engine: sa.Engine) -> Iterator[sa.Connection]:
    """A transaction in which no trigger fires: what a person with the superuser's password could do."""
    with engine.begin() as connection:
        connection.execute(sa.text("set local session_replication_role = replica"))
        yield connection
