"""Where a customer stands, in words: what he was told, what stops him, what became of his machines, what is next."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from albacore_pipeline.oversight.explain_customer import explain_customer
from albacore_pipeline_tests.clocks import FrozenClock
from albacore_pipeline_tests.escalation.desk import Desk
from albacore_pipeline_tests.invoicing.fakes import later, one_day

NUMBER = "ALB-2025-000001"


@pytest.fixture
def paused(engine: sa.Engine, clock: FrozenClock) -> Desk:
    """Acme does not pay; its machine stands still."""
    desk = Desk(engine=engine, clock=clock)
    desk.open_books(one_day("NO-0001", "acme"), idle=("NO-0002", "NO-0003", "NO-0004", "NO-0005"))
    desk.write_documents()
    desk.issue()
    desk.run_chain()
    desk.pause()
    desk.evaluate()
    return desk


def explained(desk: Desk) -> list[str]:
    with desk.engine.connect() as connection:
        return list(explain_customer(connection, customer="acme"))


def test_a_debtor_whose_machine_stands_still_is_explained_from_his_first_notice_to_what_comes_next(
    paused: Desk,
) -> None:
    lines = explained(paused)
    assert lines[0] == f"{NUMBER}: waiting, 500.00 NOK overdue: the pause is carried out; waiting for the payment"
    assert lines[1].startswith("  next: recovery on 2026-01-")
    assert [line.split()[1] for line in lines[2:7]] == [
        "reminder", "overdue", "final_notice", "pause_scheduled", "paused",
    ]  # fmt: skip
    assert "over 500.00, delivered 2025-11-18" in lines[2]
    assert f"plan 1 for {NUMBER}, not before 2025-12-08, norway NO-0001: stands" in lines
    assert f"2025-12-08 09:00 pause (unpaid {NUMBER}): verified: norway NO-0001" in lines
    assert "pause_scheduled of Acme" in "".join(line for line in lines if line.startswith("to do until"))


def test_a_dispute_says_why_the_plan_fell_and_why_the_machine_runs(paused: Desk) -> None:
    paused.hold(NUMBER)
    later(paused.clock)
    paused.resume()
    paused.evaluate()
    lines = explained(paused)
    assert lines[0] == f"{NUMBER}: held, 500.00 NOK overdue: on hold (dispute): test"
    assert f"hold on {NUMBER} (dispute) of a@albacore.example, 2025-12-08 to 2025-12-17: test" in lines
    assert next(line for line in lines if line.startswith("plan ")).endswith("fell: on hold (dispute): test")
    assert next(line for line in lines if " resume (" in line).endswith("verified: norway NO-0001")


def test_what_is_paid_is_told_without_repeating_it(paused: Desk) -> None:
    paused.xero.pay(NUMBER, "500")
    later(paused.clock)
    paused.night()
    lines = explained(paused)
    assert lines[0] == f"{NUMBER}: closed: paid"
    assert [line for line in lines if "reminder" in line] == ["  2025-11-17 reminder over 500.00, delivered 2025-11-18"]


def test_a_stranger_is_named(paused: Desk) -> None:
    with paused.engine.connect() as connection, pytest.raises(LookupError, match="there is no customer nobody"):
        list(explain_customer(connection, customer="nobody"))
