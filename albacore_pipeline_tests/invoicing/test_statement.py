"""The statement: what it says, that outside text stays text, that it is the same file whenever it is set."""

from __future__ import annotations

import hashlib
import io
import re
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st
from pypdf import PdfReader

from albacore_pipeline.invoicing import issue
from albacore_pipeline.invoicing.statement import pdf as statement_pdf
from albacore_pipeline.invoicing.statement.facts import facts, shown, statement_facts
from albacore_pipeline.invoicing.statement.queries import BilledDay, Correction, Head, StatementLine
from albacore_pipeline.invoicing.store import prepare_documents
from albacore_pipeline.money import written as money
from albacore_pipeline.periods import Month
from albacore_pipeline.registry.glyphs import unprintable
from albacore_pipeline.registry.policies import Policy
from albacore_pipeline.registry.rows import Assignment
from albacore_pipeline.xero.interface import AnswerLost
from albacore_pipeline_tests.clocks import FrozenClock, utc
from albacore_pipeline_tests.invoicing.fakes import OCTOBER, Office, one_day
from albacore_pipeline_tests.invoicing.test_handlers import once
from albacore_pipeline_tests.small_world import (
    Day,
    assignment,
    collect,
    collect_month,
    customer,
    open_sites,
    rate,
    register,
    tariff,
)

NUMBER = "ALB-2025-000001"
UGLY = [
    '#import "secret.typ": *',
    "*bold* _it_ `raw` $x^2$ @ref <label>",
    '<script>alert("1")</script>',
    "=1+1",
    "// a comment",
    "\\ #panic() ] } )",
]


def head(**given: Any) -> Head:
    """An invoice of a hundred crowns over October, from ALB to Acme."""
    default: dict[str, Any] = {
        "number": NUMBER, "kind": "invoice", "month": date(2025, 10, 1), "currency": "NOK", "subtotal": Decimal(100),
        "tax": Decimal(25), "total": Decimal(125), "issued_on": date(2025, 11, 1), "due_on": date(2025, 11, 15),
        "payment_link": "https://pay.example/1?a=1&b=2", "customer_month_id": 1, "entity": "ALB", "customer": "acme",
        "legal_name": "Acme AS", "address": "1 Street\n0150 Oslo", "vat_number": "NO 1 MVA", "our_name": None,
        "our_address": None, "our_vat_number": None, "our_email": None,
    }  # fmt: skip
    return Head(**default | given)


def line(amount: str = "100", **given: Any) -> StatementLine:
    default: dict[str, Any] = {
        "description": "Energy", "quantity": Decimal(100), "unit": "kWh", "unit_price": Decimal(1),
        "amount": Decimal(amount), "tax_type": "OUTPUT", "tax": Decimal(amount) / 4,
    }  # fmt: skip
    return StatementLine(**default | given)


def machine_day(
    machine: str = "NO-0001", day: int = 1, wh: int | None = 1_000, *, site: str = "norway", **given: Any
) -> BilledDay:
    default: dict[str, Any] = {
        "customer_month_id": 1, "kwh": None if wh is None else Decimal(wh) / 1000, "quality": "measured",
        "site": site, "machine": machine, "day": date(2025, 10, day), "wh": wh, "estimated_wh": 0,
        "hours_expected": 24, "hours_measured": 24, "hours_estimated": 0, "collection_id": day,
    }  # fmt: skip
    return BilledDay(**default | given)


def told(days: list[BilledDay] | None = None, **given: Any) -> dict[str, Any]:
    """The facts of an invoice."""
    whole = [machine_day(day=day) for day in range(1, 32)] if days is None else days
    return facts(head=head(**given), lines=[line()], corrections=[], days={1: whole})


def pages(facts: dict[str, Any]) -> list[str]:
    """The text of each page; runs of space as one."""
    reader = PdfReader(io.BytesIO(statement_pdf.statement_pdf(facts)))
    return [" ".join(page.extract_text().replace("\u200b", "").split()) for page in reader.pages]


# What it says


def test_a_statement_says_who_what_how_much_and_until_when() -> None:
    (page,) = pages(told(our_name="Albacore Hosting AS", our_vat_number="NO 2 MVA", our_email="bill@albacore.example"))
    for words in (
        "Invoice ALB-2025-000001", "Albacore Hosting AS", "VAT NO 2 MVA", "Acme AS", "1 Street 0150 Oslo",
        "VAT NO 1 MVA", "October 2025", "125.00 NOK", "by 15 November 2025", "Total before VAT 100.00",
        "VAT 25 % of 100.00 25.00", "Total NOK 125.00", "https://pay.example/1?a=1&b=2",
        "write to bill@albacore.example",
        "31.000 kWh in October 2025", "NO-0001 31 744 31.000", "1 of 1",
    ):  # fmt: skip
        assert words in page


def test_without_an_entity_of_ours_its_code_stands_alone() -> None:
    assert "FROM ALB FOR" in pages(told())[0]


def test_a_credit_note_tells_positive_amounts_and_asks_for_nothing() -> None:
    lines = [line("-100", quantity=Decimal(-100))]
    note = head(kind="credit_note", subtotal=Decimal(-100), tax=Decimal(-25), total=Decimal(-125), payment_link=None)
    (page,) = pages(facts(head=note, lines=lines, corrections=[], days={1: [machine_day()]}))
    assert "Credited to you" in page and "125.00 NOK" in page and "100.000 kWh 1 100.00" in page
    assert "How to pay" not in page and "Due" not in page


def test_the_words_of_a_tax_stand_on_it() -> None:
    row = line(tax_type="ECZROUTPUT", tax=Decimal(0))
    (page,) = pages(facts(head=head(), lines=[row], corrections=[], days={1: []}))
    assert "Reverse charge: VAT is to be accounted for by the recipient" in page


@pytest.mark.parametrize(
    ("amount", "currency", "wanted"),
    [
        ("1234567.5", "NOK", "1,234,567.50"),
        ("1161", "JPY", "1,161"),
        ("116.1", "JPY", "116.10"),
        ("-0.5", "EUR", "-0.50"),
    ],
)
def test_money_has_the_currencys_decimals(amount: str, currency: str, wanted: str) -> None:
    assert money(Decimal(amount), currency) == wanted


def test_only_a_link_to_a_page_is_shown() -> None:
    assert told(payment_link="javascript:alert(1)")["pay"] == {"link": "", "qr": ""}
    assert told(payment_link=None)["pay"] == {"link": "", "qr": ""}


def test_machines_that_came_or_went_are_told_with_their_days() -> None:
    days = [machine_day(day=day) for day in (1, 2, 3, 7, 8)] + [machine_day("NO-0002", day=day) for day in range(1, 32)]
    assert told(days)["partly"] == [
        ["Norway", "NO-0001", "1 October 2025", "3 October 2025", "3"],
        ["Norway", "NO-0001", "7 October 2025", "8 October 2025", "2"],
    ]


def test_what_was_estimated_and_what_is_missing_is_told() -> None:
    days = [
        machine_day(day=1, hours_measured=20, hours_estimated=4, estimated_wh=100),
        machine_day(day=2, wh=None, hours_measured=0),
        machine_day(day=3),
    ]
    said = told(days)
    assert said["gaps"] == [
        ["Norway", "1 October 2025", "4", "0.100", ""],
        ["Norway", "2 October 2025", "", "", "24"],
    ]
    assert said["machines"][0]["rows"] == [["NO-0001", "3", "44", "4", "24", "2.000"]]
    bars = said["plots"][0]["bars"]
    assert [(bar["measured"], bar["estimated"], bar["missing"]) for bar in bars[:3]] == [
        (0.9, 0.1, False),
        (0.0, 0.0, True),
        (1.0, 0.0, False),
    ]


def test_a_correction_tells_each_machine_day_that_changed() -> None:
    before = [machine_day(day=day) for day in (1, 2, 3)] + [machine_day("NO-0002", day=3)]
    now = [
        machine_day(day=1),
        machine_day(day=2, wh=1_500, collection_id=99),
        machine_day(day=3, wh=900, estimated_wh=100),
        machine_day("NO-0003", day=3),
    ]
    row = Correction(customer_month_id=1, before_id=2, month=date(2025, 10, 1), corrects=NUMBER)
    (correction,) = facts(head=head(), lines=[line()], corrections=[row], days={1: now, 2: before})["corrections"]
    assert correction["rows"] == [
        ["Norway", "NO-0001", "2 October 2025", "1.000", "1.500", "+0.500", "new readings"],
        ["Norway", "NO-0001", "3 October 2025", "1.000", "0.900", "-0.100", "new estimate"],
        ["Norway", "NO-0002", "3 October 2025", "1.000", "0.000", "-1.000", "machine not yours"],
        ["Norway", "NO-0003", "3 October 2025", "0.000", "1.000", "+1.000", "machine assigned to you"],
    ]
    assert correction["total"] == ["4.000", "4.400", "+0.400"]


def test_a_correction_of_very_many_days_is_told_by_machine() -> None:
    machines = [f"NO-{n:04}" for n in range(1, 21)]
    before = [machine_day(name, day) for name in machines for day in range(1, 32)]
    now = [machine_day(name, day, 2_000, collection_id=99) for name in machines for day in range(1, 32)]
    row = Correction(customer_month_id=1, before_id=2, month=date(2025, 10, 1), corrects=NUMBER)
    (correction,) = facts(head=head(), lines=[line()], corrections=[row], days={1: now, 2: before})["corrections"]
    assert len(correction["rows"]) == 20
    assert correction["rows"][0] == ["Norway", "NO-0001", "31 days", "31.000", "62.000", "+31.000", "new readings"]


# Text from outside


def test_text_from_outside_is_never_markup() -> None:
    said = told(legal_name=UGLY[0], address="\n".join(UGLY), vat_number="=1+1", our_name=UGLY[1], our_email=UGLY[2])
    page = pages(said)[0]
    for text in UGLY:
        assert " ".join(text.split()) in page


def test_machines_and_lines_are_text_too() -> None:
    said = facts(head=head(), lines=[line(description=UGLY[1])], corrections=[], days={1: [machine_day(f"m{UGLY[0]}")]})
    page = " ".join(pages(said))
    assert UGLY[1] in page and f"m{UGLY[0]}" in page


def test_what_the_fonts_lack_shows_as_a_mark_and_fails_nothing() -> None:
    assert shown("東 A") == "\ufffd A"
    assert "Acme \ufffd" in pages(told(legal_name="Acme 東"))[0]


@settings(max_examples=12)
@given(text=st.text(max_size=120))
def test_any_text_can_be_set(text: str) -> None:
    assert unprintable(shown(text).replace("\u200b", "")) == ""
    assert pages(told([], legal_name=text or "x", address=text))


def test_a_word_without_end_breaks_inside_its_column() -> None:
    reader = PdfReader(io.BytesIO(statement_pdf.statement_pdf(told([], legal_name="x" * 500))))
    rows = reader.pages[0].extract_text().splitlines()
    longest = max(len(run) for row in rows for run in re.findall("x+", row))
    assert 20 < longest < 60


# Pages


def test_four_hundred_machines_fill_numbered_pages_with_their_header() -> None:
    machines = [f"NO-{n:04}" for n in range(1, 401)]
    texts = pages(told([machine_day(name, day) for name in machines for day in (1, 2)]))
    assert len(texts) > 5
    for number, text in enumerate(texts, start=1):
        assert f"{number} of {len(texts)}" in text
        assert number == 1 or "Statement to invoice ALB-2025-000001 October 2025" in text
    rows = [text for text in texts if re.search(r"NO-\d{4} 2 48 2\.000", text)]
    assert all("Machine Days Hours measured estimated missing kWh" in text for text in rows)
    assert sorted(re.findall(r"(NO-\d{4}) 2 48 2\.000", " ".join(rows))) == machines
    assert "400 machines 800 19,200 800.000" in " ".join(texts)


# From the database


def test_equal_facts_give_equal_bytes_in_any_process_order(office: Office) -> None:
    office.write_documents()
    with office.engine.connect() as connection:
        said = statement_facts(connection, number=NUMBER)
        again = statement_facts(connection, number=NUMBER)
    first = statement_pdf.statement_pdf(said)
    statement_pdf.statement_pdf(told())
    statement_pdf._compiler.cache_clear()  # as a new process would begin
    assert statement_pdf.statement_pdf(again) == first


def test_the_statement_holds_the_energy_of_the_records(engine: sa.Engine, clock: FrozenClock) -> None:
    office = Office(engine=engine, clock=clock)
    with engine.begin() as connection:
        open_sites(connection, "norway", "finland")
        rows = [assignment("NO-0001", "acme", "2025-10-10"), assignment("FI-0001", "acme", "2025-01-01", "2025-10-20")]
        register(
            connection, customers=[customer("acme")], assignments=rows, tariffs=[tariff("flat", "0.5")],
            policy=Policy(accepted_gap_hours=48),
        )  # fmt: skip
        for day in OCTOBER.days():
            missing = day.day == 15
            collect(connection, site="norway", day=day, machines={"NO-0001": Day(wh=1_234, missing=7 * missing)})
            collect(connection, site="finland", day=day, machines={"FI-0001": None if missing else 2_001})
    office.write_documents()
    ((kwh,),) = office.ask("select sum(kwh) from report.billing_records")
    with engine.connect() as connection:
        said = statement_facts(connection, number=NUMBER)
    assert said["kwh"] == f"{kwh:,.3f}"
    assert [(site["site"], site["total"]) for site in said["machines"]] == [
        ("Finland", ["1 machine", "20", "456", "", "24", "38.019"]),
        ("Norway", ["1 machine", "22", "522", "", "7", "27.148"]),
    ]
    (content,) = office.archive.kept.values()
    assert "finland,FI-0001,2025-10-15,,24,0,0,missing" in content.decode()


def test_a_later_revision_leaves_the_statement_of_an_earlier_one_as_it_was(office: Office) -> None:
    office.write_documents()
    with office.engine.connect() as connection:
        before = statement_facts(connection, number=NUMBER)
    office.correct("NO-0001", 900_000)
    office.write_documents()
    with office.engine.connect() as connection:
        assert statement_facts(connection, number=NUMBER) == before
        (correction,) = statement_facts(connection, number="ALB-2025-000002")["corrections"]
    assert (correction["number"], correction["total"]) == (NUMBER, ["1,000.000", "900.000", "-100.000"])


def test_the_customer_and_xero_get_the_same_file_with_the_payment_link(office: Office) -> None:
    office.write_documents()
    office.issue()
    (mail,) = office.mail.sent[f"mail:document:{NUMBER}"]
    (_, sha256), _ = mail["attachments"]
    statement = office.xero.files[f"id-{NUMBER}"][f"{NUMBER}.pdf"]
    assert hashlib.sha256(statement).hexdigest() == sha256
    (page,) = PdfReader(io.BytesIO(statement)).pages
    notes: Any = page["/Annots"]
    assert {note["/A"]["/URI"] for note in notes} == {f"https://pay.example/id-{NUMBER}"}


def test_a_crash_after_the_statement_is_archived_makes_the_same_statement(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    office.write_documents()
    kept: list[set[str]] = []

    def crash(*_: Any, **__: Any) -> None:
        kept.append(set(office.archive.kept))
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(issue, "document_mail", crash)
        with pytest.raises(KeyboardInterrupt):
            office.issue()
    assert f"attachment:{NUMBER}" not in office.effects(), "the intents of a document are written together"
    office.issue()
    assert set(office.archive.kept) == kept[0]
    assert len(office.mail.sent[f"mail:document:{NUMBER}"]) == 1


def test_a_statement_that_fails_keeps_back_no_other(
    engine: sa.Engine, clock: FrozenClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    office = Office(engine=engine, clock=clock)
    office.open_books(one_day("NO-0001", "acme"), one_day("NO-0002", "bolt"))
    office.write_documents()

    def fails(facts: Mapping[str, Any]) -> bytes:
        return b"pdf" if facts["number"] != NUMBER else statement_pdf.statement_pdf({})

    with monkeypatch.context() as patched:
        patched.setattr(issue, "statement_pdf", fails)
        office.issue()
    assert list(office.mail.sent) == ["mail:document:ALB-2025-000002"]
    office.issue()
    assert list(office.mail.sent) == ["mail:document:ALB-2025-000002", f"mail:document:{NUMBER}"]


def test_an_attachment_whose_answer_is_lost_is_looked_up(office: Office) -> None:
    office.write_documents()
    office.xero.after = once("attach", AnswerLost("lost"))
    office.issue()
    office.clock.at = office.clock.at.replace(day=2)
    office.issue()
    assert list(office.xero.files[f"id-{NUMBER}"]) == [f"{NUMBER}.pdf", f"{NUMBER}.csv"]
    assert office.effects()[f"attachment:{NUMBER}"] == "done"


def test_a_correction_that_the_next_invoice_carries_is_told_there(engine: sa.Engine, clock: FrozenClock) -> None:
    office = Office(engine=engine, clock=clock)
    office.open_books(
        one_day("NO-0001", "acme"), policy=Policy(carry_below={"NOK": Decimal(100)}, review_factor=Decimal(0))
    )
    office.write_documents()
    office.correct("NO-0001", 900_000)
    assert office.write_documents() == [], "fifty crowns wait"
    clock.at = utc("2025-12-01T06:00")
    november = Month(2025, 11)
    with engine.begin() as connection:
        collect_month(connection, month=str(november), machines=["NO-0001"], wh=1_000_000)
        rate(connection, str(november))
        (written,) = prepare_documents(
            connection, month=None, archive=office.archive, sales_account="200", now=clock.now()
        )
        said = statement_facts(connection, number=written.number)
    assert said["kwh"] == "30,000.000", "the energy is November's"
    (correction,) = said["corrections"]
    assert (correction["month"], correction["number"], correction["total"][2]) == ("October 2025", NUMBER, "-100.000")
    assert ["Corrects", NUMBER] in said["meta"]
    assert "What changed in October 2025" in " ".join(pages(said))


def test_a_handover_within_the_month_shows_each_customer_its_days(engine: sa.Engine, clock: FrozenClock) -> None:
    office = Office(engine=engine, clock=clock)
    rows: list[Assignment] = [one_day("NO-0001", "acme"), one_day("NO-0002", "bolt")]
    office.open_books(*rows)
    office.write_documents()
    with engine.connect() as connection:
        for number, machine in ((NUMBER, "NO-0001"), ("ALB-2025-000002", "NO-0002")):
            assert statement_facts(connection, number=number)["partly"] == [
                ["Norway", machine, "31 October 2025", "31 October 2025", "1"]
            ]
