"""Cases, steps, notices and holds in the database."""

from __future__ import annotations

import threading

import pytest
import sqlalchemy as sa

from albacore_pipeline.escalation import store
from albacore_pipeline.escalation.acts import ReportBounce, report_bounce
from albacore_pipeline.escalation.evaluate import Close, Enter, Wait
from albacore_pipeline.registry.policies import Stage
from albacore_pipeline_tests.escalation.desk import CHAIN_DAYS, PAUSE_DAY, Desk

NUMBER = "ALB-2025-000001"


def notices(desk: Desk) -> list[str]:
    """Who was written to for a step, in order."""
    return [mails[0]["to"] for key, mails in desk.mail.sent.items() if key.startswith("mail:step:")]


def test_a_step_is_written_with_its_notices_once(desk: Desk) -> None:
    (decided,) = desk.night("2025-11-17")
    assert isinstance(decided.decision, Enter)
    assert desk.ask("select customer, number, stage, owner from report.escalation") == [
        ("acme", NUMBER, "reminder", "receivables@albacore.example")
    ]
    assert notices(desk) == ["pay@acme.example"]
    (mail,) = desk.mail.sent["mail:step:1:pay@acme.example"]
    assert mail["subject"] == f"Reminder: payment overdue ({NUMBER})"
    assert f"{NUMBER}: 500.00 NOK, due on 2025-11-15" in mail["text"]
    for _ in range(3):
        (again,) = desk.night()
        assert isinstance(again.decision, Wait)
    assert desk.stages() == ["reminder"]
    assert len(notices(desk)) == 1


def test_two_that_escalate_at_once_enter_one_step(desk: Desk) -> None:
    start = threading.Barrier(3)

    def work() -> None:
        start.wait()
        with desk.engine.begin() as connection:
            store.escalate(connection, now=desk.clock.now())

    desk.night("2025-11-16")  # nothing is due on a Sunday, but Xero's word is fresh
    desk.clock.advance(hours=24)
    workers = [threading.Thread(target=work) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert desk.stages() == ["reminder"]
    assert desk.ask("select count(*) from albacore.notice") == [(1,)]


def test_the_chain_comes_to_the_eve_of_the_pause_and_no_further(desk: Desk) -> None:
    for day in CHAIN_DAYS:
        desk.night(day)
    (decided,) = desk.night(PAUSE_DAY)
    assert decided.decision == Wait("the pause is due")
    assert desk.stages() == ["reminder", "overdue", "final_notice", "pause_scheduled"]
    final = desk.mail.sent["mail:step:3:pay@acme.example"][0]
    assert "Machines: norway NO-0001" in final["text"]
    assert "kam@albacore.example" in notices(desk)


def test_an_invoice_that_was_never_sent_is_never_dunned(desk: Desk) -> None:
    with desk.engine.begin() as connection:
        connection.execute(
            sa.text("update albacore.effect set state = 'unknown' where business_key ~ '^mail:document'")
        )
    assert [item.decision for item in desk.night("2025-12-17")] == [Wait("nothing to collect")]


def test_a_bounced_notice_stops_the_chain(desk: Desk) -> None:
    desk.night(CHAIN_DAYS[0])
    (message,) = desk.ask("select answer ->> 'message_id' from albacore.effect where business_key like 'mail:step:%'")
    bounce = ReportBounce(actor="anna", reason="it came back", message_id=message[0])
    desk.perform("report_bounce", report_bounce, bounce)
    (decided,) = desk.night(CHAIN_DAYS[1])
    assert decided.decision == Wait("the notice of stage reminder is not delivered yet")
    assert desk.ask("select sent_at is not null, delivered_at from report.escalation") == [(True, None)]


@pytest.mark.parametrize("number", [None, NUMBER])
def test_a_hold_stops_until_it_is_released(desk: Desk, number: str | None) -> None:
    desk.clock.advance(days=14)
    desk.hold(number)
    (decided,) = desk.night("2025-11-17")
    assert isinstance(decided.decision, Wait)
    with desk.engine.begin() as connection:
        assert store.release_hold(connection, customer="acme", number=number, actor="anna", now=desk.clock.now()) == 1
    (decided,) = desk.night()
    assert isinstance(decided.decision, Enter)
    with desk.engine.begin() as connection, pytest.raises(LookupError, match="no hold"):
        store.release_hold(connection, customer="acme", number=number, actor="anna", now=desk.clock.now())


def test_a_hold_ends_by_itself(desk: Desk) -> None:
    desk.clock.advance(days=14)
    desk.hold()
    assert isinstance(desk.night("2025-11-23")[0].decision, Wait)
    assert isinstance(desk.night("2025-11-25")[0].decision, Enter)


def test_a_payment_closes_the_case_and_a_new_debt_begins_anew(desk: Desk) -> None:
    for day in CHAIN_DAYS[:3]:
        desk.night(day)
    payment = desk.xero.pay(NUMBER, "500")
    (decided,) = desk.night("2025-12-01")
    assert decided.decision == Close("settled")
    assert desk.night("2025-12-02") == []
    desk.xero.take_back(NUMBER, payment)
    with desk.engine.begin() as connection:  # as the nightly reconciliation notes it
        connection.execute(sa.text("update albacore.document set state = 'issued', amount_due = 500"))
    (decided,) = desk.night("2025-12-03")
    assert isinstance(decided.decision, Enter)
    assert decided.decision.stage is Stage.REMINDER, "from the first notice, never at once to the pause"
    assert desk.ask("select count(*) from albacore.escalation_case") == [(2,)]


def test_every_step_keeps_what_it_was_decided_on(desk: Desk) -> None:
    desk.night("2025-11-17")
    (row,) = desk.ask(
        "select facts -> 'debts' -> 0 ->> 'number', policy, length(facts_sha256) from albacore.escalation_step"
    )
    assert row == (NUMBER, "default", 64)
    assert ("escalate", "acme") in desk.ask("select action, subject from report.audit")
