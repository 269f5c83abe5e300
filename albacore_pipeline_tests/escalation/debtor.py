"""Acme and its documents over days: what tests of escalation ask and do."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal

import pytest

from albacore_pipeline.escalation.acts import (
    PlaceHold,
    place_hold,
)
from albacore_pipeline.invoicing.store import prepare_documents
from albacore_pipeline.periods import Month
from albacore_pipeline.registry.policies import Policy
from albacore_pipeline_tests.clocks import utc
from albacore_pipeline_tests.escalation.desk import Desk
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
