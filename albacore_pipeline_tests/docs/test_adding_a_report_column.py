"""docs/adding-a-report-column.md: its block adds a column, and changes nothing else of the view."""

from __future__ import annotations

import sqlalchemy as sa

from albacore_pipeline.database import queries
from albacore_pipeline_tests.docs.pages import DOCS, blocks
from albacore_pipeline_tests.small_world import ask, rate, small_month

(COLUMN,) = blocks(DOCS / "adding-a-report-column.md", "sql")


def test_the_block_of_the_page_adds_a_column_with_its_words(connection: sa.Connection) -> None:
    before = queries.columns(connection, view="customer_months")
    connection.exec_driver_sql(COLUMN)
    *same, added = queries.columns(connection, view="customer_months")
    assert same == before
    assert (added.name, added.type, added.description) == (
        "account_manager", "text", "Mailbox of who looks after the customer, as last known."
    )  # fmt: skip


def test_the_rows_of_the_view_stay_what_they_are(connection: sa.Connection) -> None:
    small_month(connection)
    rate(connection, "2025-10")
    columns = "month, customer, state, revision, reason, waits"
    before = ask(connection, f"select {columns} from report.customer_months")
    connection.exec_driver_sql(COLUMN)
    assert ask(connection, f"select {columns} from report.customer_months") == before
    assert ask(connection, "select account_manager from report.customer_months") == [("kam@albacore.example",)]
