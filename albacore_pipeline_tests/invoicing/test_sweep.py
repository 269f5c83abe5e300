"""A reading of Xero: what was read and what not, what a person changed there, and money that is set against nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa

from albacore_pipeline.invoicing import payments
from albacore_pipeline.invoicing.payments import Sweep, live_read, reconcile, watch_payments
from albacore_pipeline.xero.interface import AnswerLost, NothingSent, Status, UnappliedKind
from albacore_pipeline_tests.invoicing.fakes import Kept, Office, later

NUMBER, OTHER = "ALB-2025-000001", "ALB-2025-000002"


def sweep(office: Office) -> Sweep:
    return watch_payments(engine=office.engine, xero=office.xero, clock=office.clock)


def live(office: Office, *numbers: str) -> Sweep:
    return live_read(engine=office.engine, xero=office.xero, clock=office.clock, numbers=numbers)


def known(office: Office) -> dict[str, Any]:
    """State, amount due and age of each document."""
    asked = office.ask("select number, state, amount_due, as_of from report.invoices")
    return {number: tuple(rest) for number, *rest in asked}


def edits(office: Office) -> list[Any]:
    return office.ask("select number, fields from albacore.edited_document order by number")


def unapplied(office: Office) -> list[Any]:
    return office.ask("select customer, kind, amount from report.unapplied order by amount")


def fails(office: Office, *calls: str) -> None:
    """These calls reach nobody from now on."""

    def limit(name: str) -> None:
        if name in calls:
            raise NothingSent("Xero's rate limit (minute)")

    office.xero.before = limit


# What was read


def test_a_sweep_says_what_was_read_and_when(two: Office) -> None:
    two.xero.dated = datetime(2025, 11, 1, 6, 0, 30, tzinfo=UTC)
    told = sweep(two)
    assert (told.read, told.missing, told.changed) == (frozenset({NUMBER, OTHER}), (), ())
    assert (told.asked_at, told.xero_date) == (two.clock.now(), two.xero.dated)
    two.xero.dated = None
    assert sweep(two).xero_date is None


def test_a_document_that_the_answer_lacks_keeps_its_age_and_state_and_the_others_are_noted(two: Office) -> None:
    sweep(two)
    before = known(two)
    later(two.clock)
    for number in (NUMBER, OTHER):
        two.xero.pay(number, "500")
    two.xero.short = ["invoices_by_id"]
    told = sweep(two)
    assert (list(told.read), list(told.missing)) == ([NUMBER], [OTHER])
    assert told.reasons == (f"{OTHER}: Xero's answer lacks it",)
    assert known(two) == before | {NUMBER: ("paid", 0, two.clock.now())}
    assert two.ask("select * from report.reconciliation") == [], "an answer says nothing of what it lacks"


def test_an_empty_list_is_no_word_on_anything(two: Office) -> None:
    two.xero.receive("700")
    sweep(two)
    before = known(two)
    later(two.clock)
    two.xero.pay(NUMBER, "500")
    two.xero.empty = {"invoices_by_id", "unapplied"}
    for told in (sweep(two), live(two, NUMBER, OTHER)):
        assert (told.read, told.missing) == (frozenset(), (NUMBER, OTHER))
    assert known(two) == before
    assert unapplied(two) == [("acme", "overpayment", 700)], "its money was not read either"


def test_a_document_is_known_by_its_id_though_another_one_bears_its_number(two: Office) -> None:
    first, other = two.xero.documents[NUMBER], two.xero.documents[OTHER]
    first.change(number=OTHER)
    other.change(number=NUMBER)
    two.xero.pay(NUMBER, "500")  # the first one, whatever it is called by now
    assert sweep(two).changed == (NUMBER,)
    assert {number: state for number, (state, *_) in known(two).items()} == {NUMBER: "paid", OTHER: "issued"}


def test_a_live_read_asks_for_these_documents_only_and_for_money(two: Office) -> None:
    sweep(two)
    before = known(two)
    later(two.clock)
    for number in (NUMBER, OTHER):
        two.xero.pay(number, "100")
    two.xero.receive("50")
    two.xero.calls.clear()
    told = live(two, OTHER, "ALB-2025-000099")
    assert (told.read, told.changed) == (frozenset({OTHER}), (OTHER,))
    assert told.reasons == ("ALB-2025-000099: Xero never had it",)
    assert known(two) == before | {OTHER: ("issued", 400, two.clock.now())}
    assert two.xero.calls == {"invoices_by_id": 1, "unapplied": 1}
    assert unapplied(two) == [("acme", "overpayment", 50)]


def test_a_live_read_reads_a_settled_document_too(two: Office) -> None:
    payment = two.xero.pay(NUMBER, "500")
    sweep(two)
    two.xero.take_back(NUMBER, payment)
    assert live(two, NUMBER).changed == (NUMBER,)
    assert known(two)[NUMBER] == ("issued", 500, two.clock.now())


def test_what_was_read_before_a_rate_limit_stays_and_the_rest_comes_first_next_time(
    two: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(payments, "READ_BATCH", 1)
    for number in (NUMBER, OTHER):
        two.xero.pay(number, "100")
    asked: list[str] = []

    def once(name: str) -> None:
        asked.append(name)
        if asked.count("invoices_by_id") == 2:
            raise NothingSent("Xero's rate limit (minute)")

    for read in ({NUMBER}, {NUMBER, OTHER}):
        later(two.clock)
        asked.clear()
        two.xero.before = once
        with pytest.raises(NothingSent):
            sweep(two)
        assert {number for number, (_, due, _) in known(two).items() if due == 400} == read


def test_an_answer_that_is_older_than_a_newer_one_says_nothing(two: Office) -> None:
    def meanwhile(name: str) -> None:
        """Another process asks later and is answered first."""
        if name == "invoices_by_id":
            two.xero.after = lambda _: None
            later(two.clock, seconds=1)
            two.xero.pay(NUMBER, "500")
            two.xero.documents[NUMBER].change(due_on=date(2026, 2, 1))
            sweep(two)

    two.xero.after = meanwhile
    assert sweep(two).changed == ()
    assert known(two)[NUMBER][:2] == ("paid", 0)
    assert two.ask("select kind, amount from report.payments") == [("payment", 500)], "nothing was taken back"
    assert [number for number, _ in edits(two)] == [NUMBER]


def test_credit_notes_are_read_by_their_ids_in_one_call(office: Office) -> None:
    office.write_documents()
    office.issue()
    office.correct("NO-0001", 900_000)
    office.write_documents()
    office.issue()
    note = office.xero.documents[OTHER]
    note.change(number="GOODWILL-1")
    office.xero.calls.clear()
    assert sweep(office).read == {NUMBER, OTHER}
    assert office.xero.calls == {"invoices_by_id": 1, "credit_notes_by_id": 1, "unapplied": 1}
    assert edits(office) == [(OTHER, f"number: {OTHER} here, GOODWILL-1 in Xero")]


# What a person changed


def with_lines(document: Kept, **change: Any) -> None:
    document.change(lines=[replace(line, **change) for line in document.draft.lines])


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"due_on": date(2026, 2, 1)}, "due date: 2025-11-15 here, 2026-02-01 in Xero"),
        ({"issued_on": date(2025, 11, 2)}, "date: 2025-11-01 here, 2025-11-02 in Xero"),
        ({"contact_id": "id-bolt"}, "contact: id-acme here, id-bolt in Xero"),
        ({"currency": "EUR"}, "currency: NOK here, EUR in Xero"),
        ({"number": "OLD-1"}, f"number: {NUMBER} here, OLD-1 in Xero"),
    ],
)
def test_a_sweep_notes_what_a_person_changed_until_xero_agrees_again(
    two: Office, change: dict[str, Any], words: str
) -> None:
    document = two.xero.documents[NUMBER]
    before = document.draft
    document.change(**change)
    sweep(two)
    assert edits(two) == [(NUMBER, words)]
    seen = two.ask("select seen_at from report.reconciliation")
    later(two.clock)
    sweep(two)
    assert two.ask("select seen_at from report.reconciliation") == seen, "once while it lasts"
    document.draft = before
    sweep(two)
    assert edits(two) == []
    assert two.ask("select settled_at from albacore.document_edit") == [(two.clock.now(),)]


def test_a_changed_total_a_voided_document_and_lines_are_edits_too(two: Office) -> None:
    first, other = two.xero.documents[NUMBER], two.xero.documents[OTHER]
    first.total = Decimal(499)
    other.status = Status.VOIDED
    sweep(two)
    assert edits(two) == [
        (NUMBER, "total: 500.00 here, 499.00 in Xero"),
        (OTHER, "status: live here, gone in Xero"),
    ]


def test_an_invoice_that_was_renamed_and_then_voided_is_owed_no_more(two: Office) -> None:
    document = two.xero.documents[NUMBER]
    document.change(number=f"{NUMBER}-OLD")
    document.status = Status.VOIDED
    assert sweep(two).changed == (NUMBER,)
    assert known(two)[NUMBER][0] == "voided"
    assert two.ask("select number from albacore.unpaid_document") == [(OTHER,)]
    assert edits(two) == [
        (NUMBER, f"number: {NUMBER} here, {NUMBER}-OLD in Xero; status: live here, gone in Xero"),
    ]


@pytest.mark.parametrize(
    ("change", "theirs"),
    [
        ({"quantity": Decimal(500), "unit_price": Decimal(1)}, "500 x 1 NONE"),  # the same total
        ({"tax_type": "ZERORATEDOUTPUT"}, "1000 x 0.5 ZERORATEDOUTPUT"),
    ],
)
def test_quantities_prices_and_taxes_show_in_the_lines(two: Office, change: dict[str, Any], theirs: str) -> None:
    with_lines(two.xero.documents[NUMBER], **change)
    sweep(two)
    assert edits(two) == [(NUMBER, f"lines: 1000 x 0.5 NONE here, {theirs} in Xero")]


def test_accounts_and_descriptions_stop_nothing(two: Office) -> None:
    document = two.xero.documents[NUMBER]
    with_lines(document, account="260", description="Energy, October", unit_price=Decimal("0.5000"))
    document.change(reference="see contract")
    assert sweep(two).read == {NUMBER, OTHER}
    assert edits(two) == []


def test_an_answer_without_lines_says_nothing_of_them(two: Office) -> None:
    two.xero.documents[NUMBER].change(lines=[])
    sweep(two)
    assert edits(two) == []


def test_a_document_that_reconciliation_could_not_read_is_not_said_to_be_edited(two: Office) -> None:
    two.xero.unreadable = {f"id-{NUMBER}"}
    reconcile(engine=two.engine, xero=two.xero, clock=two.clock)
    assert two.ask("select number, field from report.reconciliation") == [(NUMBER, "readable")]
    assert edits(two) == []
    two.xero.unreadable = set()
    sweep(two)
    assert two.ask("select * from report.reconciliation") == [], "it can be read again"


def test_an_edit_that_changes_within_an_instant_is_what_it_became(two: Office) -> None:
    for day in (1, 2, 1):
        two.xero.documents[NUMBER].change(due_on=date(2026, 2, day))
        sweep(two)
        assert edits(two) == [(NUMBER, f"due date: 2025-11-15 here, 2026-02-0{day} in Xero")]


def test_an_edited_document_that_was_paid_is_read_until_it_agrees(two: Office) -> None:
    document = two.xero.documents[NUMBER]
    document.change(due_on=date(2026, 2, 1))
    two.xero.pay(NUMBER, "500")
    sweep(two)
    assert known(two)[NUMBER][0] == "paid"
    document.change(due_on=date(2025, 11, 15))
    assert sweep(two).read == {NUMBER, OTHER}
    assert edits(two) == []
    assert sweep(two).read == {OTHER}


# Money that is set against nothing


def test_unapplied_money_is_kept_while_xero_shows_it(two: Office) -> None:
    over = two.xero.receive("70.50")
    two.xero.receive("600", contact="id-bolt", kind=UnappliedKind.CREDIT_NOTE, number="CN-7")
    sweep(two)
    asked = two.ask(
        "select customer, entity, kind, number, amount, currency, entered_on, xero_id from report.unapplied"
        " where matched and as_of = :now order by amount",
        now=two.clock.now(),
    )
    assert asked == [
        ("acme", "ALB", "overpayment", None, Decimal("70.50"), "NOK", date(2025, 11, 10), over.id),
        ("bolt", "ALB", "credit_note", "CN-7", 600, "NOK", date(2025, 11, 10), "money-2"),
    ]
    two.xero.money[0] = replace(over, remaining=Decimal(20))
    later(two.clock)
    sweep(two)
    assert two.ask("select amount, as_of from report.unapplied where kind = 'overpayment'") == [(20, two.clock.now())]
    two.xero.money.clear()
    sweep(two)
    assert unapplied(two) == []


@pytest.mark.parametrize("contact", ["id-stranger", "id-shared"])
def test_money_of_a_stranger_or_of_two_customers_is_kept_and_nobodys(two: Office, contact: str) -> None:
    if contact == "id-shared":
        share_contact(two.engine, contact, ["acme", "bolt"])
    two.xero.receive("70", contact=contact)
    sweep(two)
    assert two.ask("select customer, entity, matched, amount from report.unapplied") == [(None, None, False, 70)]


def share_contact(engine: sa.Engine, contact: str, customers: Sequence[str]) -> None:
    with engine.begin() as connection:
        change = "update albacore.xero_contact set contact_id = :contact where customer = any(:customers)"
        connection.execute(sa.text(change), {"contact": contact, "customers": list(customers)})


def test_money_that_could_not_be_read_keeps_its_age_and_payments_are_noted_all_the_same(two: Office) -> None:
    two.xero.receive("70")
    sweep(two)
    before = two.ask("select amount, as_of from report.unapplied")
    read = two.ask("select as_of from albacore.unapplied_reading")
    later(two.clock)
    two.xero.money.clear()
    two.xero.pay(NUMBER, "500")
    fails(two, "unapplied")
    with pytest.raises(NothingSent):
        sweep(two)
    with pytest.raises(NothingSent):
        live(two, NUMBER)
    assert two.ask("select amount, as_of from report.unapplied") == before
    assert two.ask("select as_of from albacore.unapplied_reading") == read
    assert known(two)[NUMBER][0] == "paid"


def test_an_older_list_of_money_does_not_replace_a_newer_one(two: Office) -> None:
    two.xero.receive("70")

    def meanwhile(name: str) -> None:
        """Another process asks later, is answered first, and the money is gone by then."""
        if name == "unapplied":
            two.xero.after = lambda _: None
            later(two.clock, seconds=1)
            two.xero.money.clear()
            sweep(two)

    two.xero.after = meanwhile
    sweep(two)
    assert unapplied(two) == []


def test_that_there_is_no_money_is_as_of_a_time_too(two: Office) -> None:
    sweep(two)
    assert two.ask("select tenant, as_of from albacore.unapplied_reading") == [("tenant", two.clock.now())]


def test_another_organisations_money_is_left_alone(two: Office) -> None:
    two.xero.receive("70")
    sweep(two)
    two.xero.tenant_id = "another"
    two.xero.money.clear()
    sweep(two)
    assert unapplied(two) == [("acme", "overpayment", 70)]


def test_no_word_from_xero_raises(two: Office) -> None:
    def down(_: str) -> None:
        raise AnswerLost("Xero answered 500")

    two.xero.before = down
    with pytest.raises(AnswerLost):
        live(two, NUMBER)
