"""Notices that are still true when they leave, what stops a document and how it goes on, and the clock."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from albacore_pipeline.escalation.acts import (
    ReopenCase,
    ReportBounce,
    reopen_case,
    report_bounce,
)
from albacore_pipeline.escalation.notices import withdraw
from albacore_pipeline.escalation.run import ClockInDoubt
from albacore_pipeline_tests.clocks import utc
from albacore_pipeline_tests.escalation.debtor import (
    OCTOBER,
    PAYER,
    SEPTEMBER,
    hold,
    run,
    stages,
)
from albacore_pipeline_tests.escalation.desk import CHAIN_DAYS, Desk
from albacore_pipeline_tests.small_world import collect, rate

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


def test_all_copies_of_a_step_that_is_taken_back_stay_here(desk: Desk) -> None:
    """Customer and account manager: neither mail has left."""
    run(desk, "2025-11-17", "2025-11-20")
    desk.clock.at = utc("2025-11-21T06:00")
    desk.read_xero()
    desk.evaluate()
    ((step_id,),) = desk.ask("select max(step_id) from albacore.escalation_step")
    with desk.engine.begin() as connection:
        withdraw(connection, step_id=step_id, why="a test", now=desk.clock.now())
    states = desk.ask(
        "select state from albacore.effect join albacore.notice using (effect_id) where step_id = :step", step=step_id
    )
    assert states == [("cancelled",), ("cancelled",)]
    assert stages(desk, OCTOBER) == ["reminder", "overdue"], "it is said anew"


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


def test_a_mailbox_of_ours_that_takes_no_mail_is_one_task_and_no_endless_chain_of_them(desk: Desk) -> None:
    run(desk, "2025-11-17", "2025-11-17")
    for _ in range(3):
        with desk.engine.begin() as connection:
            refused = (
                "update albacore.effect set state = 'parked', error = 'full' where kind = 'mail' and number is null"
            )
            connection.exec_driver_sql(refused)
        desk.evaluate()
        desk.send_mails()
    assert [subject for subject in desk.tasks() if "came back" in subject] == [
        "a mail to operations@albacore.example came back",
        "a mail to receivables@albacore.example came back",
    ]


def test_a_bounced_invoice_stops_its_chain_and_is_mailed_again_when_reopened(desk: Desk) -> None:
    ((message_id,),) = desk.ask("select answer ->> 'message_id' from albacore.effect where kind = 'mail'")
    desk.perform("report_bounce", report_bounce, ReportBounce(actor="a", reason="no such user", message_id=message_id))
    run(desk, "2025-11-17", "2025-11-25")
    assert stages(desk, OCTOBER) == []
    desk.perform("reopen_case", reopen_case, ReopenCase(actor="a", reason="mended", number=OCTOBER))
    run(desk, "2025-11-26", "2025-11-27")
    assert desk.mails(PAYER).count(f"Invoice {OCTOBER}") == 2
    assert stages(desk, OCTOBER) == ["reminder"]


def test_readings_that_wait_for_a_person_hold_the_documents_that_rest_on_them(desk: Desk) -> None:
    with desk.engine.begin() as connection:
        machines = {"NO-0001": 100_000} | dict.fromkeys(("NO-0002", "NO-0003", "NO-0004", "NO-0005"), 1_000_000)
        collect(connection, site="norway", day=date(2025, 10, 31), machines=machines, accept=False)
    run(desk, "2025-11-17", "2025-11-20")
    assert stages(desk, OCTOBER) == []
    assert desk.cases()[OCTOBER] == ("held", "new readings of 2025-10-31 at norway wait for a person")


def test_a_correction_in_his_favour_that_is_not_issued_yet_holds_the_document(desk: Desk) -> None:
    with desk.engine.begin() as connection:
        machines = {"NO-0001": 100_000} | dict.fromkeys(("NO-0002", "NO-0003", "NO-0004", "NO-0005"), 1_000_000)
        collect(connection, site="norway", day=date(2025, 10, 31), machines=machines)
        rate(connection, "2025-10")
    run(desk, "2025-11-17", "2025-11-20")
    assert stages(desk, OCTOBER) == []
    desk.write_documents()
    desk.issue()
    run(desk, "2025-11-21", "2025-11-24")
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


def test_a_notice_that_is_taken_back_while_the_clock_is_in_doubt_enters_nothing(desk: Desk) -> None:
    """Pauses and resumes send notices too; the Clock jumps before one does."""
    desk.night("2025-11-16T06:00")
    desk.clock.at = utc("2025-11-17T06:00")
    desk.read_xero()
    desk.evaluate()
    desk.xero.pay(OCTOBER, "100")
    desk.clock.at = utc("2026-02-17T06:00")
    desk.read_xero()
    desk.send_mails()
    assert stages(desk, OCTOBER) == []
    desk.clock.at = utc("2025-11-17T07:00")
    desk.evaluate()
    assert stages(desk, OCTOBER) == ["reminder"], "said anew, once the Clock is believed"


def test_ten_days_down_moves_every_later_date_and_skips_nothing(desk: Desk) -> None:
    run(desk, "2025-11-17", "2025-11-18")
    run(desk, "2025-12-01", "2025-12-20")
    days = desk.ask("select stage, decided_at::date from report.escalation order by decided_at")
    assert [stage for stage, _ in days] == ["reminder", "overdue", "final_notice", "pause_scheduled"]
