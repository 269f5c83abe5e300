"""The audit chain: appended to only, broken links are found, concurrent writers make one chain."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
import sqlalchemy as sa

from albacore_pipeline.effects import audit
from albacore_pipeline_tests.effects.external import NOW

UNGUARD = "alter table albacore.audit_event disable trigger user"


def write(engine: sa.Engine, *subjects: str) -> None:
    with engine.begin() as connection:
        for subject in subjects:
            audit.record(connection, now=NOW, action="test", subject=subject, details={"at": NOW, "words": "æ|\x1f"})


def broken(engine: sa.Engine) -> list[int]:
    with engine.connect() as connection:
        return audit.broken_links(connection)


@pytest.mark.parametrize(
    "statement",
    [
        "update albacore.audit_event set actor = 'nobody'",
        "delete from albacore.audit_event",
        "truncate albacore.audit_event",
    ],
)
def test_it_can_only_be_appended_to(engine: sa.Engine, statement: str) -> None:
    write(engine, "a")
    with engine.connect() as connection, pytest.raises(sa.exc.DBAPIError, match="append-only"):
        connection.execute(sa.text(statement))


def test_an_unbroken_chain_has_no_broken_links(engine: sa.Engine) -> None:
    assert broken(engine) == []
    write(engine, "a", "b")
    write(engine, "c")
    assert broken(engine) == []


@pytest.mark.parametrize(
    "change",
    [
        "update albacore.audit_event set actor = 'nobody' where seq = 2",
        "update albacore.audit_event set at = at + interval '1 microsecond' where seq = 2",
        "update albacore.audit_event set details = '{}' where seq = 2",
        "update albacore.audit_event set hash = repeat('0', 64) where seq = 2",
    ],
)
def test_an_altered_event_is_found(engine: sa.Engine, change: str) -> None:
    write(engine, "a", "b", "c")
    with engine.begin() as connection:
        connection.execute(sa.text(UNGUARD))
        connection.execute(sa.text(change))
    assert broken(engine)[0] == 2


def test_an_event_left_out_is_found_where_the_next_one_stands(engine: sa.Engine) -> None:
    write(engine, "a", "b", "c")
    with engine.begin() as connection:
        connection.execute(sa.text(UNGUARD))
        connection.execute(sa.text("delete from albacore.audit_event where seq = 2"))
    assert broken(engine) == [3]


def test_concurrent_writers_make_one_chain(engine: sa.Engine) -> None:
    def work(name: str) -> None:
        for number in range(5):
            write(engine, f"{name}{number}")

    workers = [threading.Thread(target=work, args=(name,)) for name in "abcd"]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    with engine.connect() as connection:
        seqs = connection.execute(sa.text("select seq from albacore.audit_event order by seq")).scalars().all()
    assert seqs == list(range(1, 21))
    assert broken(engine) == []


def test_the_time_of_an_event_does_not_depend_on_the_reader_s_zone(engine: sa.Engine) -> None:
    write(engine, "a")
    with engine.begin() as connection:
        connection.execute(sa.text("set local time zone 'Asia/Jakarta'"))
        assert audit.broken_links(connection) == []
        at = connection.execute(sa.text("select at from albacore.audit_event")).scalar_one()
    assert at - NOW == timedelta(0)
