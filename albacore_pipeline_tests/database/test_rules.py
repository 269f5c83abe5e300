"""The rules that stand once in the schema, each at its edges, and that the schema says what everything in it is."""

from __future__ import annotations

from datetime import date

import pytest
import sqlalchemy as sa

from albacore_pipeline.sites import SITES
from albacore_pipeline_tests.clocks import utc
from albacore_pipeline_tests.small_world import ask, assignment, customer, open_sites, register, tariff


def answer(connection: sa.Connection, question: str, **parameters: object) -> object:
    ((value,),) = ask(connection, question, **parameters)
    return value


# The registry


def test_a_customer_who_has_left_is_known_as_he_was_last(connection: sa.Connection) -> None:
    open_sites(connection)
    known = "select customer, legal_name from albacore.known_customer order by customer"
    for names in ({"acme": "Old", "beta": "Beta"}, {"acme": "New", "beta": "Beta"}, {"beta": "Beta"}):
        load(connection, *(customer(code, legal_name=name) for code, name in names.items()))
    assert ask(connection, known) == [("acme", "New"), ("beta", "Beta")]
    assert ask(connection, "select customer from albacore.current_customer") == [("beta",)]
    load(connection, customer("acme", legal_name="Back"), customer("beta", legal_name="Beta"))
    assert ask(connection, known) == [("acme", "Back"), ("beta", "Beta")]


def load(connection: sa.Connection, *customers: object) -> None:
    register(connection, customers=customers, assignments=[], tariffs=[tariff("flat", "1")])  # type: ignore[arg-type]


def test_an_assignment_holds_on_the_site_s_own_day(connection: sa.Connection) -> None:
    open_sites(connection, "norway")
    register(
        connection,
        customers=[customer("acme"), customer("beta")],
        assignments=[
            assignment("NO-0001", "acme", "2025-10-01", "2025-10-05"),
            assignment("NO-0001", "beta", "2025-10-06", state="repair"),
        ],
        tariffs=[tariff("flat", "1")],
    )
    holder = "select customer || ' ' || state from albacore.assigned_at(:at)"
    assert ask(connection, holder, at=utc("2025-09-30T21:59")) == []
    assert answer(connection, holder, at=utc("2025-09-30T22:00")) == "acme billable"
    assert answer(connection, holder, at=utc("2025-10-05T21:59")) == "acme billable"
    assert answer(connection, holder, at=utc("2025-10-05T22:00")) == "beta repair"


@pytest.mark.parametrize(("since", "until", "stands"), [(3, None, True), (4, None, False), (1, 3, False), (1, 4, True)])
def test_a_version_stands_from_its_own_until_the_one_that_ends_it(
    connection: sa.Connection, since: int, until: int | None, stands: bool
) -> None:
    assert answer(connection, "select albacore.valid_at(:since, :until, 3)", since=since, until=until) is stands


# Collection and estimates


@pytest.mark.parametrize(
    ("site", "complete"),
    [
        ("norway", "2025-10-26T23:00"),  # of 25 hours
        ("finland", "2025-10-26T22:00"),
        ("ethiopia", "2025-11-02T21:00"),  # a week late
        ("indonesia", "2025-10-26T17:00"),
    ],
)
def test_a_day_is_complete_at_its_local_end_and_what_may_be_late(
    connection: sa.Connection, site: str, complete: str
) -> None:
    given = {"late": SITES[site].late_days, "zone": SITES[site].timezone, "day": date(2025, 10, 26)}
    assert answer(connection, "select albacore.complete_at(:day, :late, :zone)", **given) == utc(complete)


@pytest.mark.parametrize(
    ("wh", "estimate", "sum_of_both"), [(None, None, None), (5, None, 5), (None, 2, 2), (5, 2, 7), (0, 0, 0)]
)
def test_an_estimate_is_added_to_what_is_known(
    connection: sa.Connection, wh: int | None, estimate: int | None, sum_of_both: int | None
) -> None:
    found = answer(connection, "select albacore.wh_with_estimate(:wh, :estimate)", wh=wh, estimate=estimate)
    assert found == sum_of_both


@pytest.mark.parametrize(("filled", "quality"), [(None, "missing"), (2, "partial"), (3, "estimated")])
def test_a_day_is_estimated_when_all_of_its_missing_hours_are(
    connection: sa.Connection, filled: int | None, quality: str
) -> None:
    assert answer(connection, "select albacore.quality_with_estimate('missing', 3, :n)", n=filled) == quality


# Effects and escalation


@pytest.mark.parametrize(
    ("state", "next_try", "due"),
    [
        ("prepared", "06:00", True),
        ("prepared", "06:01", False),
        ("unknown", "06:00", True),
        ("unknown", "06:01", False),
        ("sending", "06:01", True),
        ("done", "06:00", False),
        ("parked", "06:00", False),
        ("cancelled", "06:00", False),
    ],
)
def test_an_effect_is_due_when_it_may_be_tried_or_was_left_being_sent(
    connection: sa.Connection, state: str, next_try: str, due: bool
) -> None:
    times = {"at": utc(f"2025-11-01T{next_try}"), "now": utc("2025-11-01T06:00")}
    assert answer(connection, "select albacore.is_due(:state, :at, :now)", state=state, **times) is due


@pytest.mark.parametrize(
    ("month", "live_from", "leaves"),
    [("2025-10", "2025-11", False), ("2025-11", "2025-11", True), ("2025-10", "", True), (None, "2025-11", True)],
)
def test_months_before_the_first_live_one_never_leave(
    connection: sa.Connection, month: str | None, live_from: str, leaves: bool
) -> None:
    found = answer(connection, "select albacore.may_leave(:month, :live_from)", month=month, live_from=live_from)
    assert found is leaves


@pytest.mark.parametrize(
    ("at", "held"),
    [
        ("2025-11-01T05:59", set()),
        ("2025-11-01T06:00", {"open", "released"}),
        ("2025-11-05T05:59", {"open", "released"}),
        ("2025-11-05T06:00", {"open"}),
        ("2025-11-08T05:59", {"open"}),
        ("2025-11-08T06:00", set()),
    ],
)
def test_a_hold_is_in_force_from_its_begin_until_it_ends_or_is_released(
    connection: sa.Connection, at: str, held: set[str]
) -> None:
    for name, released_at in (("open", None), ("released", utc("2025-11-05T06:00"))):
        connection.execute(
            sa.text(
                "insert into albacore.hold (customer, kind, reason, owner, from_at, until_at, released_at)"
                " values (:customer, 'manual', 'r', 'o', '2025-11-01 06:00Z', '2025-11-08 06:00Z', :released_at)"
            ),
            {"customer": name, "released_at": released_at},
        )
    assert {name for (name,) in ask(connection, "select customer from albacore.holds_at(:at)", at=utc(at))} == held


# The schema itself


def test_each_table_view_and_function_says_what_it_is(connection: sa.Connection) -> None:
    silent = ask(
        connection,
        "select relname from pg_class where relnamespace = 'albacore'::regnamespace and relkind in ('r', 'p', 'v')"
        " and not relispartition and obj_description(oid, 'pg_class') is null"
        " union all select proname from pg_proc where pronamespace = 'albacore'::regnamespace"
        " and obj_description(oid, 'pg_proc') is null",
    )
    assert silent == []


def test_no_view_asks_for_rights_that_its_readers_lack(connection: sa.Connection) -> None:
    """A view reads tables by its owner's rights, but a function in it reads them by the reader's."""
    reading = ask(
        connection,
        "select relname, proname from pg_depend join pg_rewrite on pg_rewrite.oid = objid"
        " join pg_class view on view.oid = ev_class join pg_proc on pg_proc.oid = refobjid"
        " where classid = 'pg_rewrite'::regclass and refclassid = 'pg_proc'::regclass"
        " and pronamespace = 'albacore'::regnamespace and provolatile <> 'i'",
    )
    assert reading == []


def test_no_function_keeps_a_query_from_several_processes(connection: sa.Connection) -> None:
    unsafe = ask(
        connection,
        "select proname from pg_proc join pg_language on pg_language.oid = prolang"
        " where pronamespace = 'albacore'::regnamespace and lanname = 'sql' and proparallel <> 's'",
    )
    assert unsafe == []
