"""The letters: what each must say in every language, what none may say, and that nothing from outside breaks them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from html.parser import HTMLParser

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from albacore_pipeline.escalation.letters.facts import (
    Because,
    Letter,
    LetterDocument,
    LetterMachine,
    Mail,
    Task,
    WayOn,
)
from albacore_pipeline.escalation.letters.formats import Formats
from albacore_pipeline.escalation.letters.write import (
    NEEDS,
    TEMPLATES,
    LetterError,
    LetterFields,
    TaskFields,
    check_part,
    check_template,
    languages,
    templates,
    write,
    write_task,
)

DAY = date(2025, 12, 9)
WRITTEN = sorted(path.name for path in TEMPLATES.iterdir())
PAUSES = ("final_notice", "pause_scheduled", "paused", "running_again", "withdrawn")
WITH_EARLIEST_DAY = ("final_notice", "pause_scheduled")
NASTY = (
    "Acme AS", "A\r\nBcc: all@acme.example", "# Overdue", "  claimed", "</p><script>alert(1)</script>", "{{ name }}",
    "{code}", "\u202egnp.exe", "\ud800", "A\n\n\nB", '"><img src="https://x.example/x">', "Ω & Söhne", " ",
)  # fmt: skip


class Reading(HTMLParser):
    """What a mail client would see of an HTML part."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: Sequence[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


amounts = st.decimals(min_value="0.01", max_value="9999999", places=2)


def documents(group: str, *, least: int = 0) -> st.SearchStrategy[tuple[LetterDocument, ...]]:
    """Documents whose numbers say in which group they are."""
    one = st.builds(
        LetterDocument,
        number=st.integers(100_000, 999_999).map(lambda number: f"{group}-{number}"),
        month=st.dates(date(2025, 1, 1), date(2026, 12, 1)).map(lambda day: day.replace(day=1)),
        total=amounts,
        left=amounts,
        due_on=st.dates(date(2025, 1, 1), date(2026, 12, 1)),
        payment_link=st.sampled_from([None, "https://pay.example/1", 'https://pay.example/"><b>', "javascript:x", ""]),
    )
    return st.lists(one, min_size=least, max_size=3, unique_by=lambda document: document.number).map(tuple)


@st.composite
def letters(draw: st.DrawFn, template: str) -> Letter:
    """A letter of a template that holds together."""
    overdue = draw(documents("OVERDUE", least=int(NEEDS[template] == "overdue")))
    owed = sum((document.left for document in overdue), Decimal(0))
    held = draw(st.just(Decimal(0)) | st.decimals(min_value=0, max_value=owed / 2, places=2))
    names = st.sampled_from(["NO-0001", *NASTY[4:8]])
    machine = st.builds(LetterMachine, site=st.just("norway"), machine=names, number=st.just("DOC-1"))
    machines = (
        draw(st.lists(machine, min_size=int(NEEDS[template] == "machines"), max_size=3)) if template in PAUSES else []
    )
    return Letter(
        template=template,
        language="en",
        name=draw(st.sampled_from(NASTY) | st.text(max_size=30)),
        currency=draw(st.sampled_from(["NOK", "EUR", "JPY"])),
        overdue=overdue,
        not_due=draw(documents("LATER", least=int(NEEDS[template] == "not_due"))),
        disputed=draw(documents("DISPUTED")),
        set_against=held,
        claimed=owed - held,
        machines=tuple(machines),
        not_before=date(2031, 5, 6) if machines and template in WITH_EARLIEST_DAY else None,
        again=draw(st.booleans()),
        because=draw(st.sampled_from(Because)),
        as_of=draw(st.none() | st.just(DAY)),
    )


def a_letter(template: str, /, **facts: object) -> Letter:
    """A small letter that holds together."""
    document = LetterDocument(
        number="2025-10-c04-1", month=date(2025, 10, 1), total=Decimal("12500"), left=Decimal("1234.50"),
        due_on=date(2025, 11, 28), payment_link="https://pay.example/1",
    )  # fmt: skip
    letter = Letter(
        template=template, language="en", name="Fjellvind AS", currency="NOK", overdue=(document,),
        not_due=(replace(document, number="2025-11-c04-1"),), claimed=Decimal("1234.50"), because=Because.PAID,
        machines=(LetterMachine(site="norway", machine="NO-0001", number="2025-10-c04-1"),) * (template in PAUSES),
        not_before=date(2025, 12, 23) if template in WITH_EARLIEST_DAY else None,
    )  # fmt: skip
    return replace(letter, **facts)  # type: ignore[arg-type]


def claim_and_rest(text: str, after: Sequence[str]) -> tuple[str, str]:
    """The text up to the first heading of what is not claimed, and from it on."""
    found = [text.index(heading) for heading in after if heading in text]
    return text[: min(found, default=len(text))], text[min(found, default=len(text)) :]


NOT_CLAIMED = {
    "en": ("Disputed: not claimed", "Not yet due: not claimed"),
    "nb": ("Omtvistet: kreves ikke", "Ikke forfalt ennå: kreves ikke"),
    "fi": ("Riitautettu: ei vaadita", "Ei vielä erääntynyt: ei vaadita"),
}
OF_A_PAUSE = re.compile(r"paus|switched o|slå av|slått av|slås av|sammut|keskey", re.IGNORECASE)


@pytest.mark.parametrize("language", WRITTEN)
@pytest.mark.parametrize("template", sorted(templates()))
@settings(max_examples=12)
@given(data=st.data())
def test_a_letter_says_what_is_claimed_and_keeps_the_rest_apart(
    template: str, language: str, data: st.DataObject
) -> None:
    letter = replace(data.draw(letters(template)), language=language)
    mail, formats = write(letter), Formats(language)

    for text in (mail.text, Reading(mail.html or "").text.replace("\n", " ")):
        claim, rest = claim_and_rest(text, NOT_CLAIMED[language])
        for document in letter.overdue:
            assert document.number in claim
            assert formats.amount(document.left, letter.currency).replace("\xa0", " ") in claim.replace("\xa0", " ")
        if letter.overdue:
            assert formats.amount(letter.claimed, letter.currency).replace("\xa0", " ") in claim.replace("\xa0", " ")
        for document in letter.disputed:
            assert document.number in rest and document.number not in claim
        for document in letter.not_due if template != "upcoming" else ():
            assert document.number in rest and document.number not in claim
        for machine in letter.machines:
            assert " ".join(machine.machine.replace("\u202e", " ").split()) in " ".join(text.split())
        if letter.not_before:
            assert formats.day(letter.not_before) in " ".join(text.split())


@pytest.mark.parametrize("language", WRITTEN)
@pytest.mark.parametrize("template", sorted(templates()))
@settings(max_examples=12)
@given(data=st.data())
def test_nothing_from_outside_breaks_out_of_a_letter(template: str, language: str, data: st.DataObject) -> None:
    letter = replace(data.draw(letters(template)), language=language)

    mail = write(letter)

    assert_harmless(mail)
    lines = mail.text.splitlines()
    assert len([line for line in lines if letter.name.strip() and line == letter.name]) == 0


def assert_harmless(mail: Mail) -> None:
    """No header of its own, no tag but ours, nothing from elsewhere."""
    assert mail.subject.isprintable() and 0 < len(mail.subject) <= 200
    assert mail.html is not None
    mail.text.encode(), mail.html.encode()
    tags = Reading(mail.html).tags
    assert {tag for tag, _ in tags} <= {
        "html", "head", "meta", "title", "body", "div", "p", "br", "h2", "table", "tr", "th", "td", "a", "pre",
    }  # fmt: skip
    assert {name for _, given in tags for name in given} <= {"lang", "charset", "style", "href"}
    assert all((given["href"] or "").startswith("https://pay.example/") for _, given in tags if "href" in given)
    assert not [given for _, given in tags if "url" in (given.get("style") or "")]


@pytest.mark.parametrize("language", WRITTEN)
@pytest.mark.parametrize("template", ["reminder", "overdue", "final_notice", "pause_scheduled", "recovery"])
def test_without_machines_no_letter_speaks_of_a_pause(template: str, language: str) -> None:
    mail = write(a_letter(template, language=language, machines=(), not_before=None))

    assert OF_A_PAUSE.findall(mail.subject + mail.text) == []


@pytest.mark.parametrize("language", WRITTEN)
@pytest.mark.parametrize("template", PAUSES)
def test_with_machines_the_letters_from_the_final_notice_on_speak_of_a_pause(template: str, language: str) -> None:
    mail = write(a_letter(template, language=language))

    assert OF_A_PAUSE.search(mail.subject + mail.text)


@pytest.mark.parametrize("language", WRITTEN)
@pytest.mark.parametrize("template", sorted(templates()))
def test_every_letter_says_that_a_person_reads_the_answers_and_who_writes(template: str, language: str) -> None:
    text = write(a_letter(template, language=language, creditor="Albacore Norge AS")).text

    assert re.search("person reads|menneske leser|Ihminen lukee", " ".join(text.split()))
    assert text.endswith("\nAlbacore Norge AS\n")


@pytest.mark.parametrize("language", WRITTEN)
def test_each_reason_has_words_of_its_own_in_every_language(language: str) -> None:
    for template in ("withdrawn", "running_again"):
        found = {write(a_letter(template, language=language, because=because)).text for because in Because}
        assert len(found) == len(Because)


@pytest.mark.parametrize("language", WRITTEN)
def test_a_notice_that_is_repeated_says_so(language: str) -> None:
    once, again = (write(a_letter("final_notice", language=language, again=again)).text for again in (False, True))

    assert len(again.splitlines()) > len(once.splitlines())


def test_what_is_held_for_the_customer_is_set_against_the_claim() -> None:
    text = write(a_letter("reminder", set_against=Decimal("234.50"), claimed=Decimal(1000))).text.replace("\xa0", " ")

    assert "Sum of what is still to pay: NOK 1,234.50" in text
    assert "Less money held that is not yet applied to a document: NOK 234.50" in text
    assert "Claimed: NOK 1,000.00" in text
    assert "What you have to pay is NOK 1,000.00 in all." in " ".join(text.split())


def test_a_document_of_which_a_part_is_disputed_stands_in_both_with_a_word_on_it() -> None:
    letter = a_letter("reminder")
    letter = replace(letter, disputed=(replace(letter.overdue[0], left=Decimal(99)),))

    text = " ".join(write(letter).text.split())

    assert "Of 2025-10-c04-1 only this part is disputed; the rest stands above." in text


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({"claimed": Decimal(5)}, "claims 5, but its documents leave 1234.50 less 0: recompute it"),
        ({"set_against": Decimal(2000), "claimed": Decimal("-765.50")}, "recompute it"),
        ({"set_against": Decimal("1234.50"), "claimed": Decimal(0)}, "claims nothing: what is held covers it"),
        ({"template": "thanks"}, "'thanks' is no letter: one of final_notice, overdue"),
        ({"template": "_claim"}, "'_claim' is no letter"),
        ({"template": "reminder"}, "'reminder' names no machines, and was given 1"),
        ({"overdue": (), "claimed": Decimal(0)}, "'final_notice' has nothing to say without overdue"),
        ({"not_before": None}, "announces a pause without its earliest day: give not_before"),
        ({"template": "paused", "machines": ()}, "'paused' has nothing to say without machines"),
        ({"template": "withdrawn", "because": None}, "'withdrawn' has nothing to say without because"),
        ({"not_due": a_letter("reminder").overdue}, "names a document twice"),
    ],
)
def test_a_letter_that_would_say_something_untrue_is_not_written(facts: dict[str, object], words: str) -> None:
    with pytest.raises(LetterError, match=re.escape(words)):
        write(a_letter("final_notice", **facts))


# Languages and formats


def test_each_reader_gets_his_language_and_english_where_there_is_none() -> None:
    subjects = {
        language: write(a_letter("final_notice", language=language)).subject for language in ("nb", "no", "fi", "id")
    }

    assert languages() == {"en", "nb", "no", "fi"}
    assert subjects["nb"] == subjects["no"] == "Siste varsel: 1 234,50 NOK forfalt (2025-10-c04-1)"
    assert subjects["fi"] == "Viimeinen huomautus: 1 234,50 NOK erääntynyt (2025-10-c04-1)"
    assert subjects["id"] == "Final notice: NOK 1,234.50 overdue (2025-10-c04-1)"


@pytest.mark.parametrize(
    ("language", "amount", "yen", "day", "month"),
    [
        ("en", "NOK 1,234.50", "JPY 1,234", "1 December 2025", "October 2025"),
        ("nb", "1 234,50 NOK", "1 234 JPY", "1. desember 2025", "oktober 2025"),
        ("fi", "1 234,50 NOK", "1 234 JPY", "1. joulukuuta 2025", "lokakuu 2025"),
    ],
)
def test_amounts_and_days_are_in_the_reader_s_own_formats(
    language: str, amount: str, yen: str, day: str, month: str
) -> None:
    formats = Formats(language)

    assert formats.amount(Decimal("1234.5"), "NOK").replace("\xa0", " ") == amount
    assert formats.amount(Decimal("1234"), "JPY").replace("\xa0", " ") == yen
    assert (formats.day(date(2025, 12, 1)), formats.month(date(2025, 10, 1))) == (day, month)


@pytest.mark.parametrize("language", WRITTEN)
def test_a_language_has_every_template_and_part_but_for_the_owner_s(language: str) -> None:
    here, english = ({path.name for path in (TEMPLATES / name).iterdir()} for name in (language, "en"))

    assert here | {"_task.txt"} == english


@pytest.mark.parametrize("path", sorted(TEMPLATES.rglob("*.txt")), ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_every_template_uses_only_fields_that_there_are_and_no_tags(path: object) -> None:
    source = path.read_text()  # type: ignore[attr-defined]
    fields = TaskFields if path.name == "_task.txt" else LetterFields  # type: ignore[attr-defined]

    check_part(source, known=frozenset(fields.__annotations__))
    assert not set(source) & set("<&")  # a word of ours is not escaped


# Templates of others


@pytest.mark.parametrize(
    ("source", "problem"),
    [
        ("Dear {{ name }}", "line 1: a letter begins with its subject: write 'Subject: ' and the words"),
        ("Subject: a\n\n{{ sum }}", "line 3: unknown field 'sum': one of again, as_of, because, claimed"),
        ("Subject: a\n{% if overdew %}x{% endif %}", "line 2: unknown field 'overdew'"),
        ("Subject: a\n{{ table(overdue, nummer='x') }}", "line 2: unknown column 'nummer': one of due_on, left"),
        ("Subject: a\n{{ table(machines, left='x') }}", "line 2: unknown column 'left': one of machine, number, site"),
        ("Subject: a\n{{ overdue[0].number }}", "line 2: the field 'overdue' has no parts"),
        ("Subject: a\n\n{% if name %}", "line 3: Unexpected end of template"),
        ("Subject: a\n{{ name.__class__ }}", "line 2: the field 'name' has no parts"),
    ],
)
def test_a_template_that_can_not_be_used_is_refused_in_one_clear_line(source: str, problem: str) -> None:
    with pytest.raises(LetterError) as refused:
        check_template(source)

    assert str(refused.value).startswith(problem)
    assert "\n" not in str(refused.value)


def test_a_template_that_can_be_used_passes() -> None:
    for name in templates():
        check_template((TEMPLATES / "en" / f"{name}.txt").read_text())


# The owner's mail


def a_task(**facts: object) -> Task:
    task = Task(
        subject="approve a pause", what="Approve the pause, or stop it.", why="It is above the cap of the day.",
        due_by=datetime(2025, 12, 22, 15, tzinfo=UTC), letter=a_letter("pause_scheduled", language="nb"),
        ways_on=(
            WayOn(words="Approve it", job="approve_pause", form=(("plan", 7), ("code", "{code}"))),
            WayOn(words="Stop it", job="veto_pause", form=(("customer", "c04"), ("number", "2025"), ("wait", True))),
        ),
    )  # fmt: skip
    return replace(task, **facts)  # type: ignore[arg-type]


def test_an_owner_reads_what_to_do_why_until_when_and_about_which_documents_and_machines() -> None:
    mail = write_task(a_task())

    assert mail.subject == "To do by 22 December 2025, 15:00 UTC: approve a pause"
    for words in (
        "Approve the pause, or stop it.", "It is above the cap of the day.", "22 December 2025, 15:00 UTC",
        'Fjellvind AS gets the letter "pause scheduled".', "2025-10-c04-1", "Claimed: NOK 1,234.50", "NO-0001",
        "not before 23 December 2025", "at most five tries",
    ):  # fmt: skip
        assert words in " ".join(mail.text.split())
    assert_harmless(mail)


def test_the_forms_can_be_typed_as_they_stand_and_the_code_waits_for_whoever_sends_it() -> None:
    mail = write_task(a_task())

    approve, veto = (yaml.safe_load(form) for form in re.findall(r"^  ops:\n(?:   .*\n)+", mail.text, re.MULTILINE))
    who = {"actor": "<your name or mailbox>", "reason": "<why>"}
    assert approve == {"ops": {"perform_approve_pause": {"config": {**who, "plan": 7, "code": "{code}"}}}}
    assert veto == {
        "ops": {"perform_veto_pause": {"config": {**who, "customer": "c04", "number": "2025", "wait": True}}}
    }
    assert mail.text.count("{code}") == (mail.html or "").count("{code}") == 1


def test_without_a_code_nothing_is_said_of_codes_and_without_a_letter_nothing_of_documents() -> None:
    mail = write_task(a_task(letter=None, ways_on=()))

    assert not re.search("code|letter|Claimed|Ways on", mail.text)


@settings(max_examples=50)
@given(words=st.sampled_from(NASTY) | st.text(max_size=40), days=st.integers(0, 5000))
def test_nothing_from_outside_breaks_out_of_an_owner_s_mail(words: str, days: int) -> None:
    way = WayOn(words=words, job="veto_pause", form=(("customer", words),))
    due_by = datetime(2025, 1, 1, tzinfo=UTC) + timedelta(days=days)

    assert_harmless(write_task(a_task(subject=words * 20, what=words, why=words, due_by=due_by, ways_on=(way,))))
