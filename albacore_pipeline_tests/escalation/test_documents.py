"""A debtor's documents side by side: what each claims, which machines stand on it, and what stops it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal

import pytest

from albacore_pipeline.escalation.acts import (
    PlaceHold,
    ReopenCase,
    ReportBounce,
    ResolveDispute,
    place_hold,
    reopen_case,
    report_bounce,
    resolve_dispute,
)
from albacore_pipeline.escalation.run import ClockInDoubt
from albacore_pipeline.invoicing.store import prepare_documents
from albacore_pipeline.periods import Month
from albacore_pipeline.registry.policies import Policy
from albacore_pipeline.xero.interface import UnappliedKind
from albacore_pipeline_tests.clocks import utc
from albacore_pipeline_tests.escalation.desk import CHAIN_DAYS, PAUSE_DAY, Desk
from albacore_pipeline_tests.invoicing.fakes import one_day
from albacore_pipeline_tests.small_world import (
    assignment,
    collect,
    customer,
    rate,
    register,
    tariff,
)

OCTOBER, SEPTEMBER = "ALB-2025-000001", "ALB-2025-000002"
PAYER = "pay@acme.example"
WIDE = Policy(share_of_site_and_day=Decimal(1), customers_per_day=9)
MakeDesk = Callable[..., Desk]


@pytest.fixture
def two(make_desk: MakeDesk) -> Desk:
    """Acme owes October for NO-0001 since 15 November, and September for NO-0002, billed late, since 4 December."""
    desk = make_desk(one_day("NO-0001", "acme"), policy=WIDE)
    desk.clock.at = utc("2025-11-20T06:00")
    with desk.engine.begin() as connection:
        connection.exec_driver_sql("update albacore.site set starts_on = '2025-09-01'")
        register(
            connection,
            customers=[customer("acme")],
            assignments=[
                one_day("NO-0001", "acme"),
                assignment("NO-0002", "acme", "2025-09-30", "2025-09-30"),
                assignment("NO-0002", "acme", "2025-12-01"),
            ],
            tariffs=[tariff("flat", "0.5")],
            policy=WIDE,
        )
        collect(connection, site="norway", day=date(2025, 9, 30), machines={"NO-0002": 1_000_000})
        rate(connection, "2025-09")
        prepare_documents(
            connection, month=Month.parse("2025-09"), archive=desk.archive, sales_account="200", now=desk.clock.now()
        )
    desk.issue()
    desk.clock.at = utc("2025-11-17")
    return desk


def run(desk: Desk, first: str, last: str) -> None:
    """A night each day from `first` to `last`, both included."""
    day = date.fromisoformat(first)
    while day <= date.fromisoformat(last):
        desk.night(f"{day}T06:00")
        day += timedelta(days=1)


def stages(desk: Desk, number: str) -> list[str]:
    """The stages that a document entered and that count."""
    rows = desk.ask(
        "select stage from albacore.escalation_claim where number = :number and superseded_at is null order by step_id",
        number=number,
    )
    return [stage for (stage,) in rows]


def mail_of(desk: Desk, stage: str) -> str:
    """The customer's newest notice of a stage."""
    ((key,),) = desk.ask(
        "select business_key from albacore.effect join albacore.notice using (effect_id)"
        " where template = :stage and audience = 'customer' order by notice_id desc limit 1",
        stage=stage,
    )
    return str(desk.mail.sent[key][-1]["text"]).replace("\N{NO-BREAK SPACE}", " ")


def hold(desk: Desk, number: str = "", **given: object) -> None:
    form = {
        "customer": "acme", "number": number, "kind": "dispute", "days": 30, "owner": "a@albacore.example",
        "actor": "anna", "reason": "hours",
    } | given  # fmt: skip
    desk.perform("place_hold", place_hold, PlaceHold.model_validate(form))


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


# Whether a notice is still true when it leaves


def test_a_notice_is_not_sent_after_the_case_was_paid(desk: Desk) -> None:
    desk.clock.at = utc("2025-11-17T06:00")
    desk.read_xero()
    desk.evaluate()
    desk.xero.pay(OCTOBER, "500")
    desk.read_xero()
    desk.send_mails()
    assert [subject for subject in desk.mails(PAYER) if subject.startswith("Reminder")] == []
    assert desk.cases() == {OCTOBER: ("closed", "paid")}


def test_what_of_a_merged_notice_is_still_true_is_said_anew(two: Desk) -> None:
    """Both documents are reminded in one mail; one is paid before it leaves."""
    two.clock.at = utc("2025-12-05T06:00")
    two.read_xero()
    two.evaluate()
    two.xero.pay(OCTOBER, "500")
    two.read_xero()
    two.send_mails()
    two.send_mails()
    reminders = [subject for subject in two.mails(PAYER) if subject.startswith("Reminder")]
    assert reminders == [f"Reminder: NOK 500.00 overdue ({SEPTEMBER})"]
    assert stages(two, SEPTEMBER) == ["reminder"]


def test_a_notice_that_is_disputed_before_it_leaves_is_taken_back(desk: Desk) -> None:
    desk.clock.at = utc("2025-11-17T06:00")
    desk.read_xero()
    desk.evaluate()
    hold(desk, OCTOBER)
    desk.send_mails()
    assert [subject for subject in desk.mails(PAYER) if subject.startswith("Reminder")] == []
    assert stages(desk, OCTOBER) == []


# Dead ends


@pytest.mark.parametrize("recipient", [PAYER, "kam@albacore.example"])
def test_a_bounce_gives_its_owner_a_task_and_the_case_goes_on_when_it_is_reopened(desk: Desk, recipient: str) -> None:
    run(desk, "2025-11-17", "2025-11-21")
    ((message_id,),) = desk.ask(
        "select answer ->> 'message_id' from albacore.effect join albacore.notice using (effect_id)"
        " where template = 'overdue' and recipient = :recipient", recipient=recipient,
    )  # fmt: skip
    desk.perform("report_bounce", report_bounce, ReportBounce(actor="a", reason="full", message_id=message_id))
    assert f"a mail to {recipient} came back" in desk.tasks()
    run(desk, "2025-11-22", "2025-12-03")
    if recipient != PAYER:
        assert stages(desk, OCTOBER)[-1] == "final_notice", "a copy stops nothing"
        return
    assert stages(desk, OCTOBER) == ["reminder", "overdue"]
    desk.perform("reopen_case", reopen_case, ReopenCase(actor="a", reason="mended", number=OCTOBER))
    run(desk, "2025-12-04", "2025-12-12")
    assert stages(desk, OCTOBER) == ["reminder", "overdue", "final_notice"]


def test_a_bounced_invoice_stops_its_chain_and_is_mailed_again_when_reopened(desk: Desk) -> None:
    ((message_id,),) = desk.ask("select answer ->> 'message_id' from albacore.effect where kind = 'mail'")
    desk.perform("report_bounce", report_bounce, ReportBounce(actor="a", reason="no such user", message_id=message_id))
    run(desk, "2025-11-17", "2025-11-25")
    assert stages(desk, OCTOBER) == []
    desk.perform("reopen_case", reopen_case, ReopenCase(actor="a", reason="mended", number=OCTOBER))
    run(desk, "2025-11-26", "2025-11-27")
    assert desk.mails(PAYER).count(f"Invoice {OCTOBER}") == 2
    assert stages(desk, OCTOBER) == ["reminder"]


def test_a_hold_warns_its_owner_before_it_ends_and_the_chain_goes_on(desk: Desk) -> None:
    desk.clock.at = utc("2025-11-17T06:00")
    hold(desk, OCTOBER, days=60)
    run(desk, "2026-01-12", "2026-01-14")
    assert f"the hold (dispute) on {OCTOBER} ends" in desk.tasks()
    run(desk, "2026-01-15", "2026-01-17")
    assert stages(desk, OCTOBER) == ["reminder"]


def test_a_promise_is_taken_once(desk: Desk) -> None:
    hold(desk, OCTOBER, kind="promise_to_pay", days=5, amount="500")
    with pytest.raises(LookupError, match="has had its promise"):
        hold(desk, OCTOBER, kind="promise_to_pay", days=5)


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"number": "ALB-2025-000009"}, "is not known as a document of acme"),
        ({"number": OCTOBER, "lines": [7]}, f"{OCTOBER} has no line 7: it has 1 to 1"),
    ],
)
def test_a_hold_on_what_is_not_there_is_refused(desk: Desk, given: dict[str, object], why: str) -> None:
    with pytest.raises(LookupError, match=why):
        hold(desk, **given)  # type: ignore[arg-type]


def test_every_open_document_says_where_it_stands_and_every_change_is_kept(two: Desk) -> None:
    run(two, "2025-11-17", "2025-12-06")
    kept = {stage for (stage,) in two.ask("select next_stage from albacore.case_decision")}
    assert {"reminder", "overdue", "final_notice", "pause_scheduled"} <= kept
    assert two.ask("select number, state, next_stage, next_on from report.cases order by number") == [
        (OCTOBER, "waiting", "paused", date(2025, 12, 8)),
        (SEPTEMBER, "waiting", "overdue", date(2025, 12, 10)),
    ]
    before = two.ask("select count(*) from albacore.case_decision")
    two.evaluate()
    assert two.ask("select count(*) from albacore.case_decision") == before, "what did not change writes nothing"


# The clock


def test_a_clock_that_goes_far_ahead_is_not_believed_alone(desk: Desk) -> None:
    desk.night(CHAIN_DAYS[0])
    desk.xero_clock = -timedelta(days=60)
    with pytest.raises(ClockInDoubt, match="nothing is evaluated until the two agree"):
        desk.night("2026-01-16T06:00")
    assert desk.stages() == ["reminder"]
    desk.xero_clock = timedelta(0)
    desk.night("2025-11-21T06:00")
    assert desk.stages() == ["reminder", "overdue"]


def test_ten_days_down_moves_every_later_date_and_skips_nothing(desk: Desk) -> None:
    run(desk, "2025-11-17", "2025-11-18")
    run(desk, "2025-12-01", "2025-12-20")
    days = desk.ask("select stage, decided_at::date from report.escalation order by decided_at")
    assert [stage for stage, _ in days] == ["reminder", "overdue", "final_notice", "pause_scheduled"]
