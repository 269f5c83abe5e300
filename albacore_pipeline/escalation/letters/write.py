"""Letters from facts and templates: what a customer reads, and what the owner of a stage has to do.

Templates stand in `templates/<language>/<template>.txt`: the first line is the subject. Parts that several of them
share begin with an underscore. docs/adding-a-language.md says how to write them.

Belongs here: which facts a template may use, and what must hold before a letter leaves. Does not belong here: words
(the templates), layout (`parts.py`), formats (`formats.py`), and who gets a letter and when.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from dataclasses import fields
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import TypedDict

import yaml
from jinja2 import Environment, FileSystemLoader, StrictUndefined, TemplateSyntaxError, meta, nodes, select_autoescape

from albacore_pipeline.escalation.letters.facts import Letter, LetterDocument, LetterMachine, Mail, Task, WayOn
from albacore_pipeline.escalation.letters.formats import Formats, line
from albacore_pipeline.escalation.letters.parts import (
    Row,
    html_form,
    html_part,
    html_table,
    text_form,
    text_part,
    text_table,
)

TEMPLATES = Path(__file__).parent / "templates"
ENGLISH = "en"
ALIASES = {"no": "nb"}  # Norwegian without saying which: nine of ten write Bokmål
TASK = "_task"
SUBJECT = "Subject: "
LONGEST_SUBJECT = 200
NUMBERS_IN_SUBJECT = 3
CODE = "{code}"

NEEDS = {  # what a letter would be untrue or empty without
    "upcoming": "not_due",
    "reminder": "overdue",
    "overdue": "overdue",
    "final_notice": "overdue",
    "pause_scheduled": "overdue",
    "paused": "machines",
    "running_again": "machines",
    "withdrawn": "because",
    "recovery": "overdue",
}


class LetterError(ValueError):
    """A letter that can't be written, or a template that can't be used: one line, with the cause."""


class LetterFields(TypedDict):
    """What a template of a letter may use. Amounts, days and months are written; what there is not is empty."""

    name: str
    creditor: str
    overdue: Sequence[Row]
    disputed: Sequence[Row]
    not_due: Sequence[Row]
    partly_disputed: str  # the numbers of documents of which a part is disputed, and the rest claimed or due soon
    overdue_numbers: str
    not_due_numbers: str
    overdue_sum: str
    set_against: str
    claimed: str
    machines: Sequence[Row]
    not_before: str
    again: bool
    because: str
    as_of: str
    links: bool  # whether any document has a link for payment


class TaskWay(TypedDict):
    """A way on, its form as it is typed."""

    words: str
    job: str
    form: str


class TaskFields(LetterFields):
    """What the template of an owner's mail may use; without a letter its fields are empty."""

    subject: str
    what: str
    why: str
    due_by: str
    template: str
    ways_on: Sequence[TaskWay]
    codes: bool  # whether a form holds a code


FUNCTIONS = {"table", "form"}
YAML = getattr(yaml, "CSafeDumper", yaml.SafeDumper)  # libyaml's, where it is: five times as quick
ROW_FIELDS = {
    **dict.fromkeys(("overdue", "disputed", "not_due"), frozenset(field.name for field in fields(LetterDocument))),
    "machines": frozenset(field.name for field in fields(LetterMachine)),
}


def languages() -> frozenset[str]:
    """The languages that there are templates for, by their codes of ISO 639-1; any other reader gets English."""
    return frozenset(path.name for path in TEMPLATES.iterdir() if path.is_dir()) | frozenset(ALIASES)


@functools.cache
def templates() -> frozenset[str]:
    """The letters that a policy may name."""
    return frozenset(path.stem for path in (TEMPLATES / ENGLISH).glob("[!_]*.txt"))


def write(letter: Letter) -> Mail:
    """The letter in its reader's language, as text and HTML. Raises LetterError where its facts don't hold together."""
    _hold_together(letter)
    language = ALIASES.get(letter.language, letter.language)
    if language not in languages():
        language = ENGLISH
    return _mail(letter.template, language=language, context=_letter_fields(letter, Formats(language)))


def write_task(task: Task) -> Mail:
    """The owner's mail, in English. A `{code}` in a form stays as it is, for whoever sends the mail."""
    letter = task.letter
    if letter is not None:
        _hold_together(letter)
    context = TaskFields(
        **_letter_fields(letter or _NO_LETTER, Formats(ENGLISH)),
        subject=line(task.subject),
        what=line(task.what),
        why=line(task.why),
        due_by=_instant(task.due_by),
        template=letter.template.replace("_", " ") if letter else "",
        ways_on=[TaskWay(words=line(way.words), job=way.job, form=_typed(way)) for way in task.ways_on],
        codes=any(CODE in str(value) for way in task.ways_on for _, value in way.form),
    )
    return _mail(TASK, language=ENGLISH, context=context)


_NO_LETTER = Letter(template="", language=ENGLISH, name="", currency="EUR", overdue=(), claimed=Decimal(0))


def _hold_together(letter: Letter) -> None:
    """Raise LetterError where a letter would say something untrue."""
    if letter.template not in templates():
        raise LetterError(f"{letter.template!r} is no letter: one of {', '.join(sorted(templates()))}")
    owed = sum((document.left for document in letter.overdue), Decimal(0))
    needed = NEEDS.get(letter.template, "")
    if letter.claimed != owed - letter.set_against or letter.claimed < 0:
        raise LetterError(
            f"a letter claims {letter.claimed}, but its documents leave {owed} less {letter.set_against}: recompute it"
        )
    if needed == "overdue" and letter.overdue and not letter.claimed:
        raise LetterError(f"the letter {letter.template!r} claims nothing: what is held covers it")
    for documents in (letter.overdue + letter.not_due, letter.disputed):  # of one that is due, a part may be disputed
        if len({document.number for document in documents}) < len(documents):
            raise LetterError("a letter names a document twice: it is overdue, or not yet due, once")
    if needed and not getattr(letter, needed):
        raise LetterError(f"the letter {letter.template!r} has nothing to say without {needed}")
    if letter.machines and "machines" not in _fields_of(letter.template):
        raise LetterError(f"the letter {letter.template!r} names no machines, and was given {len(letter.machines)}")
    if letter.machines and "not_before" in _fields_of(letter.template) and letter.not_before is None:
        raise LetterError(f"the letter {letter.template!r} announces a pause without its earliest day: give not_before")


@functools.cache
def _fields_of(template: str) -> frozenset[str]:
    source = (TEMPLATES / ENGLISH / f"{template}.txt").read_text()
    return frozenset(meta.find_undeclared_variables(Environment(autoescape=True).parse(source)))


def _letter_fields(letter: Letter, formats: Formats) -> LetterFields:
    def amount(value: Decimal) -> str:
        return formats.amount(value, letter.currency)

    def day(value: date | None) -> str:
        return formats.day(value) if value else ""

    def rows(documents: Sequence[LetterDocument]) -> list[Row]:
        return [
            {
                "number": line(document.number),
                "month": formats.month(document.month),
                "total": amount(document.total),
                "left": amount(document.left),
                "due_on": day(document.due_on),
                "payment_link": _link(document.payment_link),
            }
            for document in documents
        ]

    overdue, not_due = rows(letter.overdue), rows(letter.not_due)
    return LetterFields(
        name=line(letter.name),
        creditor=line(letter.creditor),
        overdue=overdue,
        disputed=rows(letter.disputed),
        not_due=not_due,
        partly_disputed=", ".join(sorted(_numbers(letter.overdue or letter.not_due) & _numbers(letter.disputed))),
        overdue_numbers=_some_numbers(overdue),
        not_due_numbers=_some_numbers(not_due),
        overdue_sum=amount(letter.claimed + letter.set_against),
        set_against=amount(letter.set_against) if letter.set_against else "",
        claimed=amount(letter.claimed),
        machines=[_machine(machine) for machine in letter.machines],
        not_before=day(letter.not_before),
        again=letter.again,
        because=letter.because or "",
        as_of=day(letter.as_of),
        links=any(row["payment_link"] for row in (*overdue, *not_due)),
    )


def _machine(machine: LetterMachine) -> Row:
    return {"site": line(machine.site), "machine": line(machine.machine), "number": line(machine.number)}


def _link(link: str | None) -> str:
    """A link for payment, if it is one that a reader may follow."""
    return line(link) if link and link.startswith("https://") else ""


def _numbers(documents: Sequence[LetterDocument]) -> set[str]:
    return {line(document.number) for document in documents}


def _some_numbers(rows: Sequence[Row]) -> str:
    """The documents as a subject names them: the first few."""
    more = ", …" if len(rows) > NUMBERS_IN_SUBJECT else ""
    return ", ".join(row["number"] for row in rows[:NUMBERS_IN_SUBJECT]) + more


def _instant(at: datetime) -> str:
    at = at.astimezone(UTC)
    return f"{Formats(ENGLISH).day(at.date())}, {at:%H:%M} UTC"


def _typed(way: WayOn) -> str:
    """The run configuration of a way on, as the Launchpad takes it."""
    form = {field: line(value) if isinstance(value, str) else value for field, value in way.form}
    config = {"actor": "<your name or mailbox>", "reason": "<why>", **form}
    content = {"ops": {f"perform_{way.job}": {"config": config}}}
    return yaml.dump(content, Dumper=YAML, sort_keys=False, allow_unicode=True, width=10_000).rstrip()


def _mail(template: str, *, language: str, context: LetterFields) -> Mail:
    text, html = (
        _environment(language, html=html).get_template(f"{template}.txt").render(**context) for html in (False, True)
    )
    subject, _, text = text.partition("\n")
    subject = line(subject.removeprefix(SUBJECT))[:LONGEST_SUBJECT]
    page = html_part(html.partition("\n")[2], title=subject, language=language)
    return Mail(subject=subject, text=text_part(text), html=page)


@functools.cache
def _environment(language: str, *, html: bool) -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES / language),
        autoescape=select_autoescape((), default=html),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        auto_reload=False,
    )
    environment.globals.update(
        {"table": html_table, "form": html_form} if html else {"table": text_table, "form": text_form}
    )
    return environment


def check_template(source: str) -> None:
    """See that a letter's template can be used; raises LetterError with the line and the mend."""
    if not source.startswith(SUBJECT):
        raise LetterError(f"line 1: a letter begins with its subject: write {SUBJECT!r} and the words")
    check_part(source, known=frozenset(LetterFields.__annotations__))


def check_part(source: str, *, known: frozenset[str]) -> None:
    """See that a template, or a part of one, uses only fields that are known; raises LetterError likewise."""
    try:
        tree = Environment(autoescape=True).parse(source)
    except TemplateSyntaxError as error:
        raise LetterError(f"line {error.lineno}: {error.message}") from None
    for problem in _problems(tree, known=known):
        raise LetterError(problem)


def _problems(tree: nodes.Template, *, known: frozenset[str]) -> Iterator[str]:
    free = meta.find_undeclared_variables(tree) - FUNCTIONS
    for name in tree.find_all(nodes.Name):
        if name.name in free - known:
            yield f"line {name.lineno}: unknown field {name.name!r}: one of {', '.join(sorted(known))}"
    for call in tree.find_all(nodes.Call):
        rows = call.args[0] if call.args else None
        columns = ROW_FIELDS.get(rows.name, frozenset()) if isinstance(rows, nodes.Name) else frozenset()
        for heading in call.kwargs:
            if heading.key not in columns:
                yield f"line {call.lineno}: unknown column {heading.key!r}: one of {', '.join(sorted(columns))}"
    parts: list[nodes.Getattr | nodes.Getitem] = [*tree.find_all(nodes.Getattr), *tree.find_all(nodes.Getitem)]
    for part in parts:
        if isinstance(part.node, nodes.Name) and part.node.name in free:
            yield f"line {part.lineno}: the field {part.node.name!r} has no parts: write it alone, or as a table"
