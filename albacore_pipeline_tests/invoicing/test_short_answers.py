"""An answer of Xero that lacks an element, for every kind of effect: in doubt, looked up, and done in the end."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from albacore_pipeline_tests.clocks import FrozenClock
from albacore_pipeline_tests.invoicing.fakes import Office, later, one_day

FIRST, SECOND = "ALB-2025-000001", "ALB-2025-000002"


@pytest.fixture
def two(engine: sa.Engine, clock: FrozenClock) -> Office:
    """Acme and Bolt had a machine each."""
    office = Office(engine=engine, clock=clock)
    office.open_books(one_day("NO-0001", "acme"), one_day("FI-0001", "bolt"))
    return office


def corrected(office: Office) -> None:
    """Both get a credit note."""
    office.correct("NO-0001", 900_000)
    office.correct("FI-0001", 900_000)
    office.write_documents()
    office.issue()


CALLS = {
    "write_contacts": "xero.contact",
    "create_invoices": "xero.document",
    "create_credit_notes": "xero.document",
    "approve_invoices": "xero.approve",
    "approve_credit_notes": "xero.approve",
    "mark_sent": "xero.sent",
    "attach": "xero.attachment",
    "allocate": "xero.allocation",
}


@pytest.mark.parametrize("call", CALLS)
def test_what_an_answer_lacks_is_looked_up_and_done(two: Office, call: str) -> None:
    two.xero.short = [call]
    two.write_documents()
    two.issue()
    corrected(two)
    doubtful = two.ask("select kind, state from albacore.effect where state not in ('done', 'prepared')")
    assert doubtful == [(CALLS[call], "unknown")]
    for _ in range(4):  # a credit note that came before its invoice waits a day for it
        later(two.clock, days=1)
        two.issue()
    assert set(two.effects().values()) == {"done"}
    assert set(two.documents().values()) == {"issued"}
    assert len(two.xero.documents) == 4
    assert {two.xero.documents[number].open for number in (FIRST, SECOND)} == {450}, "each note is set against it once"
