"""Evaluating a hundred thousand open documents, and entering a stage for five thousand customers.

The rows are written by set-based inserts. Evaluated is what has been evaluated before: nothing is due, as on most days.
Seconds depend on the machine, and are given with the processor's own; that twice as many documents take twice as long
holds on any. `python -m albacore_pipeline_tests.bench.escalation 500` takes so many customers.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import sqlalchemy as sa

from albacore_pipeline.database import connect, embedded, migrate, sync_sites
from albacore_pipeline.database.engine import driver
from albacore_pipeline.escalation.evaluate import Enter
from albacore_pipeline.escalation.run import Decided, decide
from albacore_pipeline_tests.clocks import utc

CUSTOMERS, DOCUMENTS = 5_000, 20  # of each customer
NOW = utc("2026-03-02T06:00")  # a Monday
SECONDS, LINEAR = 10.0, 1.3  # the bounds: of each; and of the time per document, by that of a tenth of them

REGISTRY = """
set local session_replication_role = replica;  -- what is written here needs no checking
insert into albacore.registry_version values (1, 'bench', '2025-10-01', 'bench', 'bench');
insert into albacore.policy values ('default', '2025-01-01', '{}', 1);
insert into albacore.entity (entity, legal_name, address, since_version) values ('ALB', 'Albacore AS', 'x', 1);
"""
# A machine each, and a document a month on which it stands. The last ones are not due yet.
CUSTOMERS_AND_DOCUMENTS = """
set local session_replication_role = replica;
create temporary table debtor on commit drop as
select n, 'c' || lpad(n::text, 6, '0') as customer from generate_series(%(first)s + 1, %(last)s) as n;
insert into albacore.customer (customer, name, legal_name, address, email, country, language, currency, entity,
    payment_terms_days, tax_type, account_manager, policy, since_version)
select customer, customer, customer, 'x', 'pay@' || customer || '.example', 'NO', 'en', 'NOK', 'ALB', 14, 'NONE',
    'm' || n %% 20 || '@albacore.example', 'default', 1
from debtor;
insert into albacore.machine (site, machine, rated_watts) select 'norway', customer, 4000 from debtor;
insert into albacore.assignment (machine_id, customer, from_day, state, since_version)
select machine_id, customer, '2024-01-01', 'billable', 1 from debtor join albacore.machine on machine = customer;
insert into albacore.customer_month (month, customer, revision, state, billing_run_id, content_sha256, frozen_at)
select date '2024-06-01' + nth * interval '1 month', customer, 1, 'invoiced', 1, 'x', '2026-01-01'
from debtor cross join generate_series(0, %(documents)s - 1) as nth;
insert into albacore.billing_record (customer_month_id, site, machine_id, from_day, to_day, price_kind, tariff, quantity,
    unit, unit_price, currency, amount, line)
select customer_month_id, 'norway', machine_id, month, month, 'machine_days', 'x', 1, 'day', 100, 'NOK', 100, 1
from debtor join albacore.customer_month using (customer) join albacore.machine on machine = customer;
insert into albacore.document (number, entity, kind, customer, customer_month_id, month, revision, currency, subtotal,
    tax, total, issued_on, due_on, payload, payload_sha256, statement, state, xero_id, amount_due, as_of)
select customer || '-' || to_char(month, 'YYMM'), 'ALB', 'invoice', customer, customer_month_id, month, 1, 'NOK', 100, 0,
    100, '2025-11-01', %(due_on)s::date + %(days)s * (row_number() over (partition by customer order by month) - 1)::integer,
    '{}', 'x', 'x', 'issued', 'x', 100, %(now)s
from debtor join albacore.customer_month using (customer);
insert into albacore.document_line (document_id, line, customer_month_id, price_kind, description, quantity, unit,
    unit_price, amount, tax_type, tax)
select document_id, 1, customer_month_id, 'machine_days', 'x', 1, 'day', 100, 100, 'NONE', 0
from debtor join albacore.document using (customer);
insert into albacore.effect (kind, business_key, payload, payload_sha256, state, prepared_at, next_try_at, answer)
select 'mail', 'mail:invoice:' || number, jsonb_build_object('number', number, 'attachments', '[["a.pdf", "x"]]'::jsonb),
    'x', 'done', %(now)s, %(now)s, '{"accepted_at": "2026-01-05T06:00:00+00:00"}'
from debtor join albacore.document using (customer);
insert into albacore.escalation_case (number, customer, opened_at)
select number, customer, '2026-01-06' from debtor join albacore.document using (customer);
"""
# A stage, with a notice that is delivered, for the documents that are overdue for so many days.
STAGE = """
set local session_replication_role = replica;
create temporary table step on commit drop as
with made as (
    insert into albacore.escalation_step (customer, stage, does, decided_at, policy, policy_from, owner, due_by, currency,
        claimed)
    select distinct customer, %(stage)s, %(does)s, %(now)s, 'default', date '2025-01-01', 'x', %(now)s::timestamptz, 'NOK',
        1
    from albacore.document where due_on < %(overdue_since)s and customer > %(after)s
    returning step_id, customer
)
select * from made;
insert into albacore.escalation_claim (step_id, case_id, number, stage, owed, facts_sha256)
select step_id, case_id, number, %(stage)s, 100, 'x'
from step join albacore.document using (customer) join albacore.escalation_case using (number)
where due_on < %(overdue_since)s;
insert into albacore.effect (kind, business_key, payload, payload_sha256, state, prepared_at, next_try_at, answer)
select 'notice', 'notice:' || step_id, '{}', 'x', 'done', %(now)s, %(now)s, jsonb_build_object('accepted_at', %(sent_at)s::text)
from step;
insert into albacore.notice (step_id, recipient, template, effect_id, audience)
select step_id, 'x', 'x', effect_id, 'customer'
from step join albacore.effect on business_key = 'notice:' || step_id;
insert into albacore.step_machine (step_id, machine_id, number)
select step_id, machine_id, number
from step join albacore.escalation_claim using (step_id) join albacore.machine on machine = customer
where %(does)s = 'announce';
"""
STAGES = (
    ("reminder", "remind", 0),
    ("overdue", "remind", 30),
    ("final_notice", "announce", 80),
    ("recovery", "hand_over", 60),
)


@dataclass(frozen=True, kw_only=True)
class Took:
    """Seconds by the clock, and those of this process's processor; the database's own are the rest, or waiting."""

    seconds: float
    processor: float
    decided: list[Decided]


def build(engine: sa.Engine, *, first: int, last: int, documents: int, due_on: str, days: int) -> None:
    """Customers with documents that are due every so many days from a day on, each with its open case."""
    given = {"first": first, "last": last, "documents": documents, "due_on": due_on, "days": days, "now": NOW}
    _write(engine, CUSTOMERS_AND_DOCUMENTS, given)


def bring_forward(engine: sa.Engine, *, first: int) -> None:
    """The documents' notices, by how long they are overdue."""
    for stage, does, overdue in STAGES:
        _write(engine, STAGE, {
            "stage": stage, "does": does, "overdue_since": (NOW - timedelta(days=overdue)).date(), "now": NOW,
            "sent_at": NOW - timedelta(hours=25), "after": f"c{first:06}",
        })  # fmt: skip


def _write(engine: sa.Engine, statements: str, given: dict[str, object]) -> None:
    """Statement by statement, in one transaction."""
    with engine.begin() as connection:
        for statement in statements.split(";\n"):
            if statement.strip():
                driver(connection).execute(statement.encode(), given)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("analyze")


def evaluate(engine: sa.Engine, *, keep: bool = True) -> Took:
    """One evaluation of everything, in a transaction."""
    with engine.connect() as connection, connection.begin() as transaction:
        started, busy = time.monotonic(), time.process_time()
        decided = decide(connection, now=NOW)
        if keep:
            transaction.commit()
        else:
            transaction.rollback()
        return Took(seconds=time.monotonic() - started, processor=time.process_time() - busy, decided=decided)


def measure_evaluation(engine: sa.Engine, *, customers: int) -> bool:
    """A tenth of the customers, and all."""
    each = []
    for first, last in ((0, customers // 10), (customers // 10, customers)):
        build(engine, first=first, last=last, documents=DOCUMENTS, due_on="2025-11-07", days=10)
        bring_forward(engine, first=first)
        evaluate(engine)
        took = min((evaluate(engine) for _ in range(2)), key=lambda took: took.seconds)
        entered = sum(isinstance(each.decision, Enter) for each in took.decided)
        count = last * DOCUMENTS
        print(f"escalation, {count:,} open documents of {last:,} customers evaluated again: {took.seconds:.2f} s"
              f" (processor {took.processor:.2f} s), {entered} entered a stage")  # fmt: skip
        each.append(took.seconds / count)
    ratio = each[1] / each[0]
    print(f"  time per document by that of a tenth: {ratio:.2f} (bound {LINEAR}); bound {SECONDS:.0f} s")
    return ratio <= LINEAR and each[1] * customers * DOCUMENTS <= SECONDS


def measure_entering(engine: sa.Engine, *, customers: int) -> bool:
    """A document each, whose reminder is due."""
    build(engine, first=0, last=customers, documents=1, due_on="2026-02-27", days=0)
    took = min((evaluate(engine, keep=False) for _ in range(2)), key=lambda took: took.seconds)
    entered = sum(isinstance(each.decision, Enter) for each in took.decided)
    print(f"escalation, a stage entered by {entered:,} customers: {took.seconds:.2f} s (processor {took.processor:.2f} s)"
          f", {took.seconds / max(entered, 1) * 1000:.2f} ms each (bound {SECONDS:.0f} s)")  # fmt: skip
    return entered == customers and took.seconds <= SECONDS


def with_world(act: Callable[[sa.Engine], bool]) -> bool:
    """Measure on an embedded database of its own, which is removed at the end."""
    with tempfile.TemporaryDirectory() as place:
        home = Path(place) / "home"
        try:
            engine = connect(embedded.start(home=home).database_url)
            migrate(engine)
            with engine.begin() as connection:
                sync_sites(connection)
            _write(engine, REGISTRY, {})
            kept = act(engine)
            engine.dispose()
            return kept
        finally:
            embedded.remove(home=home)


def main(arguments: list[str] | None = None) -> bool:
    """Measure both; whether the bounds are kept."""
    customers = int(arguments[0]) if arguments else CUSTOMERS
    evaluated = with_world(lambda engine: measure_evaluation(engine, customers=customers))
    return with_world(lambda engine: measure_entering(engine, customers=customers)) and evaluated


if __name__ == "__main__":
    sys.exit(not main(sys.argv[1:]))
