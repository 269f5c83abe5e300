"""The report schema explains itself."""

from __future__ import annotations

import sqlalchemy as sa

from albacore_pipeline_tests.small_world import ask


def test_each_view_and_column_has_a_comment(connection: sa.Connection) -> None:
    silent = ask(
        connection,
        "select relname, attname from pg_class"
        " join pg_attribute on attrelid = pg_class.oid and attnum >= 0 and not attisdropped"
        " where relnamespace = 'report'::regnamespace and col_description(attrelid, attnum) is null",
    )
    views = ask(
        connection,
        "select relname from pg_class where relnamespace = 'report'::regnamespace"
        " and obj_description(oid, 'pg_class') is null",
    )
    assert silent + views == []
