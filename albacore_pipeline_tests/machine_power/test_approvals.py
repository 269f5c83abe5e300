"""Two people's word: for one plan, by codes that are drawn as the mail leaves."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from albacore_pipeline.machine_power import acts
from albacore_pipeline.registry.policies import Policy
from albacore_pipeline.registry.stages import DEFAULT_STAGES, Need
from albacore_pipeline_tests.escalation.desk import Desk
from albacore_pipeline_tests.invoicing.fakes import later, one_day

FINANCE, OPERATIONS = "finance@albacore.example", "operations@albacore.example"
MakeDesk = Callable[..., Desk]


@pytest.fixture
def desk(make_desk: MakeDesk) -> Desk:
    """Two machines of five would be paused, where one is allowed; two people were asked."""
    desk = make_desk(
        one_day("NO-0001", "acme"), one_day("NO-0002", "acme"), idle=("NO-0003", "NO-0004", "NO-0005")
    )  # fmt: skip
    desk.run_chain()
    desk.plan()
    desk.send_mails()
    return desk


def codes(desk: Desk) -> dict[str, str]:
    """The codes of the mails that left last, by recipient."""
    mails = [sent[-1] for key, sent in desk.mail.sent.items() if key.startswith("mail:approval:")]
    return {mail["to"]: re.findall(r"code: \W?(\w{8})", mail["text"])[0] for mail in mails}


def approve(desk: Desk, approver: str, code: str, *, actor: str = "", plan: int = 1) -> None:
    form = acts.ApprovePause(actor=actor or approver, reason="I looked", plan=plan, approver=approver, code=code)
    desk.perform("approve_pause", acts.approve_pause, form)


def test_two_people_let_a_plan_above_the_caps_pass(desk: Desk) -> None:
    found = codes(desk)
    assert sorted(found) == [FINANCE, OPERATIONS]
    approve(desk, FINANCE, found[FINANCE])
    desk.pause()
    assert len(desk.control.commands) == 1, "one word is not enough for more than the caps allow"
    approve(desk, OPERATIONS, found[OPERATIONS].lower())
    later(desk.clock)
    desk.pause()
    assert sorted(desk.control.commands) == ["off NO-0001", "off NO-0002"]


def test_no_code_stands_in_the_database(desk: Desk) -> None:
    kept = desk.ask("select payload::text from albacore.effect")
    kept += desk.ask("select plan_approval::text from albacore.plan_approval")
    for code in codes(desk).values():
        assert not [text for (text,) in kept if code in text]


def test_a_wrong_code_is_counted_and_the_fifth_ends_it(desk: Desk) -> None:
    right = codes(desk)[FINANCE]
    for left in (4, 3, 2, 1, 0):
        with pytest.raises(ValueError, match=f"is wrong: {left} tries are left"):
            approve(desk, FINANCE, "AAAAAAAA")
    with pytest.raises(LookupError, match="had 5 wrong tries and is worth nothing"):
        approve(desk, FINANCE, right)
    entries = desk.ask("select count(*) from report.audit where action = 'approve_pause'")
    assert entries == [(5,)], "wrong tries are in the audit"


def test_a_code_is_one_person_s_and_good_once(desk: Desk) -> None:
    found = codes(desk)
    with pytest.raises(ValueError, match="is wrong"):
        approve(desk, FINANCE, found[OPERATIONS])
    approve(desk, FINANCE, found[FINANCE])
    with pytest.raises(LookupError, match="has approved plan 1 already"):
        approve(desk, FINANCE, found[FINANCE])
    with pytest.raises(LookupError, match="needs two people"):
        approve(desk, OPERATIONS, found[OPERATIONS], actor="Finance+ops@albacore.example")
    with pytest.raises(LookupError, match="was not asked to approve plan 1"):
        approve(desk, "cfo@albacore.example", found[FINANCE])


def test_a_mail_that_is_sent_again_brings_a_new_code_and_the_old_one_is_worth_nothing(desk: Desk) -> None:
    old = codes(desk)[FINANCE]
    with desk.engine.begin() as connection:
        connection.exec_driver_sql("update albacore.effect set state = 'unknown' where kind = 'mail.approval'")
    later(desk.clock)
    desk.send_mails()
    new = codes(desk)[FINANCE]
    assert old != new
    with pytest.raises(ValueError, match="is wrong"):
        approve(desk, FINANCE, old)
    approve(desk, FINANCE, new)


def test_a_code_of_another_plan_approves_nothing_and_ends_with_its_plan(desk: Desk) -> None:
    found = codes(desk)
    with pytest.raises(LookupError, match="was not asked to approve plan 2"):
        approve(desk, FINANCE, found[FINANCE], plan=2)
    desk.hold()
    with pytest.raises(LookupError, match="plan 1 is over"):
        approve(desk, FINANCE, found[FINANCE])


def test_a_policy_may_want_two_people_for_every_pause(make_desk: MakeDesk) -> None:
    stages = tuple(
        rule.model_copy(update={"needs": (Need.APPROVAL,)}) if rule.stage == "paused" else rule
        for rule in DEFAULT_STAGES
    )
    others = ("NO-0002", "NO-0003", "NO-0004", "NO-0005")
    desk = make_desk(one_day("NO-0001", "acme"), policy=Policy(stages=stages), idle=others)
    desk.run_chain()
    desk.pause()
    assert desk.control.commands == []
    for approver, code in codes(desk).items():
        approve(desk, approver, code)
    later(desk.clock)
    desk.pause()
    assert desk.control.commands == ["off NO-0001"]


def test_nothing_is_asked_where_the_caps_suffice(make_desk: MakeDesk) -> None:
    desk = make_desk(one_day("NO-0001", "acme"), idle=("NO-0002", "NO-0003", "NO-0004", "NO-0005"))
    desk.run_chain()
    desk.pause()
    assert codes(desk) == {}
