"""Every mail of the story, read as the other side's lawyer reads it: what it claims, announces and says was done."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from albacore_pipeline_tests.story.letters import Letter, amount, letter
from albacore_pipeline_tests.story.told import Told

pytestmark = [pytest.mark.timeout(600), pytest.mark.xdist_group("story")]

CLAIMING = ("reminder", "overdue", "final_notice", "pause_scheduled", "paused")


@pytest.fixture(scope="module")
def mails(told: Told) -> list[dict[str, Any]]:
    return list(told.sandbox("mail")["mails"])


@pytest.fixture(scope="module")
def letters(mails: list[dict[str, Any]]) -> list[Letter]:
    """What debtors were told, the copies to others left out."""
    read = [each for mail in mails if (each := letter(mail)) is not None]
    assert Counter(each.kind for each in read) >= Counter(dict.fromkeys((*CLAIMING, "upcoming", "running_again"), 1))
    return [each for each in read if not each.to.endswith("@albacore.example")]


def test_every_mail_to_a_debtor_is_a_letter_that_is_read_here_or_brings_a_document(
    mails: list[dict[str, Any]], told: Told
) -> None:
    """So that the laws below pass over none."""
    ours = [mail for mail in mails if not mail["to"].endswith("@albacore.example") and letter(mail) is None]
    documents = {row.number for row in told.rows("select number from report.invoices")}
    assert [mail["subject"] for mail in ours if mail["subject"].split()[-1] not in documents] == []


def test_nothing_is_claimed_before_it_is_due_nor_twice_in_a_letter(letters: list[Letter], told: Told) -> None:
    due_on = {row.number: row.due_on for row in told.rows("select number, due_on from report.invoices")}
    for each in letters:
        numbers = [said.number for said in (*each.claimed, *each.not_due)]
        assert len(numbers) == len(set(numbers)), each.subject
        assert {said.number: said.due_on for said in (*each.claimed, *each.not_due)} == {
            number: due_on[number] for number in numbers
        }
        assert [said for said in each.claimed if said.due_on >= each.at.date()] == [], each.subject
        assert [said for said in each.not_due if said.due_on < each.at.date()] == [], each.subject
        assert bool(each.claimed) == (each.kind in CLAIMING), each.subject


def test_what_is_claimed_adds_up_and_is_what_was_due_that_day(letters: list[Letter], told: Told) -> None:
    totals = {row.number: row.total for row in told.rows("select number, total from report.invoices")}
    payments = told.rows("select number, paid_on, amount from report.payments")
    for each in claiming(letters):
        assert each.claim == sum(said.left for said in each.claimed) - each.held > 0, each.subject
        for said in each.claimed:
            paid = sum(row.amount for row in payments if row.number == said.number and row.paid_on < each.at.date())
            due = totals[said.number] - paid
            assert said.left <= due, each.subject
            assert said.left == due or each.disputed, each.subject


def test_the_subject_says_the_sum_of_the_letter(letters: list[Letter]) -> None:
    for each in claiming(letters):
        if each.kind in ("reminder", "overdue", "final_notice"):
            said = each.subject.partition(": ")[2].rpartition(" (")[0]
            assert amount(said.removesuffix(" overdue").removesuffix(" forfalt")) == each.claim


def test_what_the_letters_claim_is_what_the_database_says_that_they_claimed(letters: list[Letter], told: Told) -> None:
    steps = told.rows("select stage, number, claimed, sent_at from report.escalation where sent_at is not null")
    known = {(row.stage, row.number, row.claimed, row.sent_at.replace(microsecond=0)) for row in steps}
    minute = timedelta(minutes=1)
    for each in claiming(letters):
        (said,) = each.claimed
        assert any(
            (stage, number, claimed) == (each.kind, said.number, each.claim) and abs(sent_at - each.at) < minute
            for stage, number, claimed, sent_at in known
        ), each.subject


def test_no_letter_is_said_twice(letters: list[Letter]) -> None:
    assert {key: count for key, count in Counter((each.to, each.text) for each in letters).items() if count > 1} == {}


def test_a_machine_is_paused_only_after_both_notices_named_it_for_that_document(
    letters: list[Letter], told: Told
) -> None:
    commands = told.rows("select * from report.machine_commands where action = 'pause'")
    assert commands
    for row in commands:
        before = [each for each in letters if each.at < row.commanded_at]
        final = named(before, "final_notice", row.machine)
        announced = named(before, "pause_scheduled", row.machine)
        assert final and announced and final[0].at < announced[0].at
        assert {number for machine, number in announced[0].machines if machine == row.machine} <= {
            number for machine, number in final[0].machines if machine == row.machine
        }
        for each in (final[0], announced[0]):
            assert each.not_before is not None and each.not_before <= row.commanded_at.date()


def test_what_is_announced_was_in_the_final_notice_and_what_was_switched_off_was_announced(
    letters: list[Letter],
) -> None:
    of = {
        kind: {each for one in letters if one.kind == kind for each in one.machines}
        for kind in (*CLAIMING, "running_again")
    }
    assert of["paused"] <= of["pause_scheduled"] <= of["final_notice"]
    assert of["running_again"] < of["paused"], "all but the one that is another's by now"
    assert of["reminder"] == of["overdue"] == set()


def test_a_letter_names_only_machines_for_which_its_documents_ask(letters: list[Letter], told: Told) -> None:
    for each in letters:
        claimed = {said.number for said in each.claimed}
        assert {number for _, number in each.machines} <= claimed or each.kind == "running_again", each.subject
        assert "NO-0050" not in {machine for machine, _ in each.machines}, "it stands on November alone"


def test_switched_off_and_running_again_are_said_after_each_machine_was_read_so(
    letters: list[Letter], told: Told
) -> None:
    commands = told.rows("select * from report.machine_commands")
    for kind, action in (("paused", "pause"), ("running_again", "resume")):
        said = [(each, machine) for each in letters if each.kind == kind for machine, _ in each.machines]
        assert said
        for each, machine in said:
            (row,) = [row for row in commands if (row.machine, row.action) == (machine, action)]
            assert row.commanded_at <= row.verified_at <= each.at
            assert each.at - row.verified_at < timedelta(hours=1), "and without delay"
    paused = {row.machine for row in commands if row.action == "pause"}
    assert paused == {machine for each in letters if each.kind == "paused" for machine, _ in each.machines}


def test_who_owes_nothing_is_told_of_nothing(letters: list[Letter]) -> None:
    assert {each.to for each in letters if each.kind in CLAIMING} == {
        "billing@nordlys.example", "billing@rheinblick.example", "billing@blackpine.example",
    }  # fmt: skip


def claiming(letters: list[Letter]) -> Iterator[Letter]:
    return (each for each in letters if each.kind in CLAIMING)


def named(letters: list[Letter], kind: str, machine: str) -> list[Letter]:
    return [each for each in letters if each.kind == kind and machine in {name for name, _ in each.machines}]
