"""A debtor's documents side by side: what each claims, which machines stand on it, and what stops it."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
import sqlalchemy as sa

from albacore_pipeline.escalation.acts import (
    ReopenCase,
    ResolveDispute,
    reopen_case,
    resolve_dispute,
)
from albacore_pipeline.registry.rows import TariffBand
from albacore_pipeline.xero.interface import UnappliedKind
from albacore_pipeline_tests.clocks import FrozenClock, utc
from albacore_pipeline_tests.escalation.debtor import (
    OCTOBER,
    PAYER,
    SEPTEMBER,
    WIDE,
    MakeDesk,
    hold,
    mail_of,
    run,
    stages,
)
from albacore_pipeline_tests.escalation.desk import PAUSE_DAY, Desk
from albacore_pipeline_tests.invoicing.fakes import one_day
from albacore_pipeline_tests.small_world import (
    assignment,
    collect,
    customer,
    register,
    tariff,
)

# Which machines, which document


def test_a_document_that_is_billed_late_goes_through_every_stage_itself(two: Desk) -> None:
    run(two, "2025-11-17", "2025-12-08")
    two.clock.at = utc(PAUSE_DAY)
    two.night()
    two.pause()
    assert two.control.commands == ["off NO-0001"]
    assert stages(two, SEPTEMBER) == ["upcoming", "reminder"]
    for stage in ("final_notice", "pause_scheduled"):
        assert "NO-0002" not in mail_of(two, stage)


def test_a_document_that_became_due_while_the_pause_waited_pauses_nothing(two: Desk) -> None:
    run(two, "2025-11-17", "2025-12-16")
    two.clock.at = utc("2025-12-16T09:00")
    two.night()
    two.pause()
    assert two.control.commands == ["off NO-0001"]


def test_a_paid_document_takes_its_machine_out_and_the_other_goes_on(two: Desk) -> None:
    run(two, "2025-11-17", "2025-12-05")
    two.xero.pay(OCTOBER, "500")
    run(two, "2025-12-06", "2026-01-05")
    two.clock.at = utc("2026-01-05T09:00")
    two.night()
    two.pause()
    assert two.control.commands == ["off NO-0002"]
    assert "NO-0001" not in mail_of(two, "final_notice")


def test_a_document_whose_mail_never_left_pauses_nothing_and_somebody_is_told(two: Desk) -> None:
    with two.engine.begin() as connection:
        connection.exec_driver_sql(
            "update albacore.effect set state = 'parked', answer = null, error = 'relay refused the recipient (550)'"
            f" where kind = 'mail' and number = '{SEPTEMBER}'"
        )
    run(two, "2025-11-17", "2026-01-20")
    assert stages(two, SEPTEMBER) == []
    assert f"a mail to {PAYER} came back" in two.tasks()
    two.perform("reopen_case", reopen_case, ReopenCase(actor="a", reason="new address", number=SEPTEMBER))
    two.night()
    assert two.mails(PAYER)[-1] == f"Invoice {SEPTEMBER}"
    run(two, "2026-01-21", "2026-01-23")
    assert stages(two, SEPTEMBER) == ["reminder"]


def test_a_supplement_pauses_only_the_machines_whose_difference_it_asks_for(make_desk: MakeDesk) -> None:
    """October is paid. NO-0002 is corrected upwards, and is alone on the supplement."""
    desk = make_desk(one_day("NO-0001", "acme"), one_day("NO-0002", "acme"), policy=WIDE)
    desk.xero.pay(OCTOBER, "1000")
    with desk.engine.begin() as connection:
        machines = {"NO-0001": 1_000_000, "NO-0002": 1_100_000}
        collect(connection, site="norway", day=date(2025, 10, 31), machines=machines)
    desk.write_documents()
    desk.issue()
    run(desk, "2025-11-16", "2025-12-09")
    desk.clock.at = utc("2025-12-09T09:00")
    desk.night()
    desk.pause()
    assert desk.ask("select number, kind, total from report.invoices order by number")[1] == (
        SEPTEMBER, "supplement", Decimal("50.00"),
    )  # fmt: skip
    assert desk.control.commands == ["off NO-0002"]


def test_where_the_corrected_machine_is_somebody_else_s_nothing_is_paused(make_desk: MakeDesk) -> None:
    desk = make_desk(one_day("NO-0001", "acme"), one_day("NO-0002", "acme"), policy=WIDE)
    desk.xero.pay(OCTOBER, "1000")
    with desk.engine.begin() as connection:
        machines = {"NO-0001": 1_000_000, "NO-0002": 1_100_000}
        collect(connection, site="norway", day=date(2025, 10, 31), machines=machines)
    desk.write_documents()
    desk.issue()
    with desk.engine.begin() as connection:
        register(
            connection,
            customers=[customer("acme"), customer("bolt")],
            assignments=[
                one_day("NO-0001", "acme"),
                assignment("NO-0002", "acme", "2025-10-31", "2025-11-30"),
                assignment("NO-0002", "bolt", "2025-12-01"),
            ],
            tariffs=[tariff("flat", "0.5")],
            policy=WIDE,
        )
    run(desk, "2025-11-16", "2026-01-30")
    desk.pause()
    assert desk.control.commands == []
    assert "recovery of Acme (acme)" in desk.tasks(), "a person gets it in the end"
    assert "NO-0001" not in mail_of(desk, "final_notice")


def test_a_credit_note_takes_its_machine_out(make_desk: MakeDesk) -> None:
    desk = make_desk(one_day("NO-0001", "acme"), one_day("NO-0002", "acme"), policy=WIDE)
    run(desk, "2025-11-16", "2025-11-20")
    with desk.engine.begin() as connection:
        machines = {"NO-0001": 1_000_000, "NO-0002": 0}
        collect(connection, site="norway", day=date(2025, 10, 31), machines=machines)
    desk.write_documents()
    desk.issue()
    run(desk, "2025-11-21", "2025-12-08")
    desk.clock.at = utc(PAUSE_DAY)
    desk.night()
    desk.pause()
    assert desk.control.commands in ([], ["off NO-0001"])
    assert "NO-0002" not in mail_of(desk, "final_notice")


def test_a_customer_on_tiers_is_paused_by_the_machines_whose_energy_they_hold(
    clock: FrozenClock, engine: sa.Engine
) -> None:
    """The prices span machines: no record names one. NO-0003 used nothing."""
    desk = Desk(engine=engine, clock=clock)
    desk.open_books(one_day("NO-0001", "acme"), one_day("NO-0002", "acme"), one_day("NO-0003", "acme"), policy=WIDE)
    with engine.begin() as connection:
        tiers = [TariffBand(tariff="tiers", unit_price=Decimal("0.5"), from_kwh=Decimal(0))]
        tiers.append(TariffBand(tariff="tiers", unit_price=Decimal("0.4"), from_kwh=Decimal(1500)))
        register(
            connection,
            customers=[customer("acme")],
            assignments=[one_day(f"NO-000{number}", "acme") for number in (1, 2, 3)],
            tariffs=[tariff("tiers", None, kind="tiered")],
            bands=tiers,
            policy=WIDE,
        )
        machines = {"NO-0001": 1_000_000, "NO-0002": 1_000_000, "NO-0003": 0}
        collect(connection, site="norway", day=date(2025, 10, 31), machines=machines)
    desk.write_documents()
    desk.issue()
    assert desk.ask("select count(*) from albacore.billing_record where machine_id is not null") == [(0,)]
    run(desk, "2025-11-16", "2025-12-07")
    desk.clock.at = utc(PAUSE_DAY)
    desk.night()
    desk.pause()
    assert desk.control.commands == ["off NO-0001", "off NO-0002"]


# What is claimed


def test_notices_claim_what_is_overdue_and_show_the_rest_apart(two: Desk) -> None:
    run(two, "2025-11-17", "2025-11-28")
    text = mail_of(two, "final_notice")
    claim, _, rest = text.partition("Claimed: NOK 500.00")
    assert OCTOBER in claim and SEPTEMBER not in claim
    assert SEPTEMBER in rest, "not due yet, and said so"


def test_a_disputed_line_leaves_the_rest_with_its_machines(make_desk: MakeDesk) -> None:
    """Two sites, a line each. The Finnish one is disputed."""
    desk = make_desk(one_day("FI-0001", "acme"), one_day("NO-0001", "acme"), policy=WIDE)
    lines = dict(desk.ask("select site, line from albacore.document_line"))
    run(desk, "2025-11-16", "2025-11-20")
    hold(desk, OCTOBER, lines=[lines["finland"]])
    run(desk, "2025-11-21", "2025-12-08")
    desk.clock.at = utc(PAUSE_DAY)
    desk.night()
    desk.pause()
    assert "Claimed: NOK 500.00" in mail_of(desk, "final_notice")
    assert desk.control.commands == ["off NO-0001"]


def test_a_line_that_is_disputed_after_the_pause_resumes_its_machine_only(make_desk: MakeDesk) -> None:
    desk = make_desk(one_day("FI-0001", "acme"), one_day("NO-0001", "acme"), policy=WIDE)
    lines = dict(desk.ask("select site, line from albacore.document_line"))
    run(desk, "2025-11-16", "2025-12-07")
    desk.clock.at = utc(PAUSE_DAY)
    desk.night()
    desk.pause()
    hold(desk, OCTOBER, lines=[lines["finland"]])
    desk.resume()
    assert desk.control.commands == ["off FI-0001", "off NO-0001", "on FI-0001"]


@pytest.mark.parametrize(("outcome", "on"), [("refused", True), ("granted", False)])
def test_a_dispute_that_is_refused_goes_on_and_one_that_is_granted_is_not_claimed(
    desk: Desk, outcome: str, on: bool
) -> None:
    hold(desk, OCTOBER)
    form = ResolveDispute.model_validate(
        {"customer": "acme", "number": OCTOBER, "outcome": outcome, "actor": "anna", "reason": "looked"}
    )
    desk.perform("resolve_dispute", resolve_dispute, form)
    run(desk, "2025-11-17", "2025-11-22")
    assert bool(stages(desk, OCTOBER)) is on
    assert (f"correct {OCTOBER}: its dispute was granted" in desk.tasks()) is not on


def test_our_own_money_of_his_is_set_against_the_oldest_first_and_named(two: Desk) -> None:
    two.xero.receive("300")
    run(two, "2025-11-17", "2025-12-06")
    owed = "select number, owed, set_against from albacore.owed_at(:now, '{acme}') order by 1"
    assert two.ask(owed, now=two.clock.now()) == [
        (OCTOBER, Decimal(200), Decimal(300)),
        (SEPTEMBER, Decimal(500), Decimal(0)),
    ]
    text = mail_of(two, "final_notice")
    assert "NOK 300.00" in text and "Claimed: NOK 200.00" in text


@pytest.mark.parametrize("given", [{"currency": "EUR"}, {"kind": UnappliedKind.PREPAYMENT, "currency": "EUR"}])
def test_money_that_can_not_be_matched_holds_the_chain_for_ten_business_days(desk: Desk, given: dict[str, str]) -> None:
    desk.xero.receive("500", **given)  # type: ignore[arg-type]
    run(desk, "2025-11-17", "2025-12-03")
    assert stages(desk, OCTOBER) == ["reminder"]
    assert "money of acme that nobody has applied" in desk.tasks()
    run(desk, "2025-12-04", "2025-12-06")
    assert stages(desk, OCTOBER) == ["reminder", "overdue"]


def test_a_payment_that_is_taken_back_begins_at_the_first_notice(desk: Desk) -> None:
    run(desk, "2025-11-17", "2025-11-30")
    payment = desk.xero.pay(OCTOBER, "100")
    run(desk, "2025-12-01", "2025-12-02")
    desk.xero.take_back(OCTOBER, payment)
    run(desk, "2025-12-03", "2025-12-03")
    assert stages(desk, OCTOBER) == ["reminder"]
