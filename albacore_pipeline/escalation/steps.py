"""Entering stages: steps with what they claim, the machines they name, their notices, tasks and plans, all at once.

Everything is written in the caller's transaction, for thousands of customers in a handful of statements.

Belongs here: what a stage writes when it is entered. Does not belong here: whether it is (`evaluate.py`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from decimal import Decimal

import sqlalchemy as sa

from albacore_pipeline.effects import audit, keys
from albacore_pipeline.effects.outbox import Intent, fingerprint, prepare_many
from albacore_pipeline.escalation import queries
from albacore_pipeline.escalation.debtors import Debtor
from albacore_pipeline.escalation.evaluate import Claim, Document, Enter
from albacore_pipeline.escalation.letters.facts import Letter, LetterDocument, LetterMachine
from albacore_pipeline.escalation.letters.write import write
from albacore_pipeline.escalation.owners import stage_task
from albacore_pipeline.escalation.queries import DocumentRow, PausableMachine, StepKey
from albacore_pipeline.escalation.tasks import OwnedTask, open_tasks
from albacore_pipeline.mailboxes import same_mailbox
from albacore_pipeline.registry.stages import Audience, Does, StageRule

NOTICE = "notice"  # the kind of effect: a mail that asks, before it leaves, whether it is still true
SAID_AGAIN = "said again"
FOLLOWED = "more machines followed"  # of a pause that is carried out site by site
NAMING = (Does.ANNOUNCE, Does.SCHEDULE)

Machines = Mapping[str, Sequence[PausableMachine]]


@dataclass(frozen=True, kw_only=True)
class Entry:
    """Documents of a debtor that enter a stage together, and the machines that its notice names."""

    debtor: Debtor
    stage: StageRule
    enters: Sequence[Enter]
    machines: Sequence[PausableMachine]

    @property
    def documents(self) -> list[DocumentRow]:
        """The documents, the oldest due date first."""
        numbers = {each.number for each in self.enters}
        return [document for number, document in self.debtor.documents.items() if number in numbers]

    @property
    def claimed(self) -> Decimal:
        """What the notice claims."""
        return sum((each.owed for each in self.enters), Decimal(0))

    def letter(self, *, now: datetime) -> Letter:
        """The notice's facts."""
        ours, row = self.documents, self.debtor.row
        others = [document for document in self.debtor.documents.values() if document not in ours and document.sent_at]
        not_due = [document for document in others if _is_open(document) and document.due_on >= now.date()]
        due = not self.stage.before_due
        promised = [each.not_before for each in self.enters if each.not_before]
        return Letter(
            template=self.stage.template,
            language=row.language,
            name=row.name,
            creditor=row.creditor,
            currency=row.currency,
            overdue=tuple(_shown(document) for document in ours if due),
            not_due=tuple(_shown(document) for document in (not_due if due else ours + not_due)),
            disputed=tuple(
                _shown(document, left=document.disputed)
                for document in self.debtor.documents.values()
                if document.disputed > 0
            ),
            set_against=sum((document.set_against for document in ours), Decimal(0)) if due else Decimal(0),
            claimed=self.claimed if due else Decimal(0),
            machines=tuple(LetterMachine(site=m.site, machine=m.machine, number=m.number) for m in self.machines),
            not_before=max(promised) if promised and self.machines else None,
            again=all(each.again for each in self.enters),
            as_of=now.date(),
        )


def _is_open(document: DocumentRow) -> bool:
    """Whether something of it is to be paid and not disputed."""
    return not document.ended and document.amount_due > document.disputed


def _shown(document: DocumentRow, *, left: Decimal | None = None) -> LetterDocument:
    """A document as letters name it: what is left to pay and not disputed, unless said otherwise."""
    return LetterDocument(
        number=document.number,
        month=document.month,
        total=document.total,
        left=document.amount_due - document.disputed if left is None else left,
        due_on=document.due_on,
        payment_link=document.payment_link,
    )


def enter(
    connection: sa.Connection,
    *,
    entered: Iterable[tuple[Debtor, Enter]],
    now: datetime,
    machines: Machines | None = None,
) -> dict[tuple[str, str], int]:
    """Enter stages: one step a customer and stage; the steps' ids by both.

    The machines that a notice names are looked up where its stage announces or schedules; else they are handed in.
    """
    grouped: defaultdict[tuple[str, str], list[tuple[Debtor, Enter]]] = defaultdict(list)
    for debtor, each in entered:
        grouped[debtor.row.customer, each.stage.stage].append((debtor, each))
    if not grouped:
        return {}
    named = _machines(connection, [each for pairs in grouped.values() for _, each in pairs], now=now)
    named.update(machines or {})
    entries = {key: _entry(pairs, named) for key, pairs in grouped.items()}
    _supersede(connection, entries.values(), now=now)
    steps = {(key.customer, key.stage): key.step_id for key in _insert_steps(connection, entries.values(), now=now)}
    written = [(steps[key], entry) for key, entry in entries.items()]
    _insert_claims(connection, written)
    queries.insert_step_machines(
        connection,
        machines=[
            queries.NamedMachine(step_id=step_id, machine_id=machine.machine_id, number=machine.number)
            for step_id, entry in written
            for machine in entry.machines
        ],
    )
    _insert_plans(connection, written, now=now)
    _tell(connection, written, now=now)
    audit.record_many(connection, entries=[_audited(step_id, entry) for step_id, entry in written], now=now)
    return steps


def _machines(
    connection: sa.Connection, enters: Sequence[Enter], *, now: datetime
) -> dict[str, Sequence[PausableMachine]]:
    """What may be paused for the documents whose notice names it; a scheduled pause takes only what was announced."""
    numbers = [each.number for each in enters if each.stage.does in NAMING]
    if not numbers:
        return {}
    scheduled = {each.number for each in enters if each.stage.does is Does.SCHEDULE}
    announced = {
        (row.number, row.machine_id) for row in queries.announced(connection, numbers=sorted(scheduled))
    }  # fmt: skip
    found: defaultdict[str, list[PausableMachine]] = defaultdict(list)
    for machine in queries.pausable(connection, numbers=numbers, now=now):
        if machine.number not in scheduled or (machine.number, machine.machine_id) in announced:
            found[machine.number].append(machine)
    return dict(found)


def _entry(pairs: Sequence[tuple[Debtor, Enter]], machines: Machines) -> Entry:
    debtor, first = pairs[0]
    enters = [each for _, each in pairs]
    return Entry(
        debtor=debtor,
        stage=first.stage,
        enters=enters,
        machines=[machine for each in enters for machine in machines.get(each.number, ())],
    )


def _supersede(connection: sa.Connection, entries: Iterable[Entry], *, now: datetime) -> None:
    """A stage that is said anew: its claim of before counts no more, and neither does its plan."""
    old = [
        (each, claim)
        for entry in entries
        for each in entry.enters
        if (claim := _claim_of(entry.debtor, each)) is not None
    ]
    if not old:
        return
    queries.supersede_claims(
        connection,
        claims=[
            queries.OldClaim(case_id=claim.case_id, stage=claim.stage, why=_why_superseded(each, claim))
            for each, claim in old
        ],
        now=now,
    )
    fallen = [
        queries.FallenDocument(number=each.number, why="announced again with another sum")
        for each, claim in old
        if claim.does in NAMING
    ]
    queries.fall_items(connection, fallen=fallen, now=now)


def _why_superseded(each: Enter, claim: queries.ClaimRow) -> str:
    if each.again:
        return SAID_AGAIN
    return claim.fell or (FOLLOWED if each.stage.does is Does.PAUSE else "said anew")


def _claim_of(debtor: Debtor, each: Enter) -> queries.ClaimRow | None:
    claims = debtor.facts.claims.get(each.number, ())
    return next(
        (claim for claim in claims if claim.stage == each.stage.stage and isinstance(claim, queries.ClaimRow)), None
    )


def _insert_steps(connection: sa.Connection, entries: Iterable[Entry], *, now: datetime) -> list[StepKey]:
    steps = [
        queries.NewStep(
            customer=entry.debtor.row.customer,
            stage=entry.stage.stage,
            does=entry.stage.does,
            policy=entry.debtor.row.policy,
            policy_from=entry.debtor.policy.from_day,
            owner=entry.debtor.policy.owner(entry.stage),
            due_by=max(each.due_by for each in entry.enters),
            currency=entry.debtor.row.currency,
            claimed=entry.claimed,
            set_against=sum((document.set_against for document in entry.documents), Decimal(0)),
            not_before=max((each.not_before for each in entry.enters if each.not_before), default=None)
            if entry.machines
            else None,
        )
        for entry in entries
    ]
    return queries.insert_steps(connection, steps=steps, now=now)


def _insert_claims(connection: sa.Connection, written: Sequence[tuple[int, Entry]]) -> None:
    claims = []
    for step_id, entry in written:
        for each in entry.enters:
            case_id = entry.debtor.documents[each.number].case_id
            if case_id is None:
                raise ValueError(f"{each.number} enters {each.stage.stage} without a case: open_cases comes first")
            claims.append(
                queries.NewClaim(
                    step_id=step_id,
                    case_id=case_id,
                    number=each.number,
                    stage=each.stage.stage,
                    owed=each.owed,
                    facts_sha256=facts_sha256(entry.debtor, each.number),
                    again=each.again,
                )
            )
    queries.insert_claims(connection, claims=claims)


def facts_sha256(debtor: Debtor, number: str) -> str:
    """Over everything that the decision on a document depended on, but for the hour."""
    facts = debtor.facts
    document = debtor.documents[number]
    return fingerprint(
        {
            "customer": [facts.customer, facts.country, facts.currency, facts.stopped, str(facts.stopped_until)],
            "document": {field.name: str(getattr(document, field.name)) for field in fields(Document)},
            "claims": [
                {field.name: str(getattr(claim, field.name)) for field in fields(Claim)}
                for claim in facts.claims.get(number, ())
            ],
            "owed": {each.number: str(each.owed) for each in facts.documents},
        }
    )


def _insert_plans(connection: sa.Connection, written: Sequence[tuple[int, Entry]], *, now: datetime) -> None:
    plans = []
    for step_id, entry in written:
        promised = [each.not_before for each in entry.enters if each.not_before]
        if entry.stage.does is Does.SCHEDULE and entry.machines and promised:
            frozen = [[machine.site, machine.machine, machine.number] for machine in entry.machines]
            plans.append(
                queries.NewPlan(
                    step_id=step_id,
                    customer=entry.debtor.row.customer,
                    sha256=fingerprint({"customer": entry.debtor.row.customer, "machines": sorted(frozen)}),
                    not_before=max(promised),
                )
            )
    if plans:
        queries.insert_plans(connection, plans=plans, now=now)
        queries.insert_plan_items(connection, steps=[plan.step_id for plan in plans])


def _tell(connection: sa.Connection, written: Sequence[tuple[int, Entry]], *, now: datetime) -> None:
    """The notices of the steps, and the tasks of their owners."""
    numbers = [each.number for _, entry in written for each in entry.enters]
    files = {row.number: row.files for row in queries.attachments(connection, numbers=numbers)}
    intents: list[Intent] = []
    informed: list[tuple[str, int, str, Audience, str]] = []
    tasks = []
    for step_id, entry in written:
        letter = entry.letter(now=now)
        attached = [list(file) for document in entry.documents for file in files.get(document.number, ())]
        recipients = _recipients(entry)
        if recipients:
            mail = write(letter)
            payload = {"subject": mail.subject, "text": mail.text, "html": mail.html, "attachments": attached}
        for recipient, audience in recipients.items():
            key = keys.notice(step_id=step_id, recipient=recipient)
            intents.append(Intent(kind=NOTICE, business_key=key, payload={"to": recipient, **payload}))
            informed.append((key, step_id, recipient, audience, entry.stage.template))
        if not entry.stage.before_due:
            tasks.append(_task(step_id, entry, letter, files=attached))
    effects = prepare_many(connection, intents=intents, now=now)
    notices = [
        queries.NewNotice(
            step_id=step_id, recipient=recipient, audience=audience, template=template, effect_id=effects[key]
        )
        for key, step_id, recipient, audience, template in informed
    ]
    queries.insert_notices(connection, notices=notices)
    open_tasks(connection, tasks=tasks, now=now)


def _task(step_id: int, entry: Entry, letter: Letter, *, files: Sequence[Sequence[str]]) -> OwnedTask:
    return stage_task(
        step_id=step_id,
        stage=entry.stage,
        owner=entry.debtor.policy.owner(entry.stage),
        customer=entry.debtor.row.customer,
        letter=letter,
        due_by=max(each.due_by for each in entry.enters),
        files=files,
    )


def _recipients(entry: Entry) -> dict[str, Audience]:
    """Who is informed: each mailbox once, the customer's first."""
    addresses = {
        Audience.CUSTOMER: entry.debtor.row.email,
        Audience.ACCOUNT_MANAGER: entry.debtor.row.account_manager,
    }
    informed: dict[str, Audience] = {}
    for audience in sorted(entry.stage.tell, key=list(Audience).index):
        address = addresses[audience]
        if not any(same_mailbox(address, each) for each in informed):
            informed[address] = audience
    return informed


def _audited(step_id: int, entry: Entry) -> audit.Entry:
    return audit.Entry(
        action="escalate",
        subject=entry.debtor.row.customer,
        details={
            "stage": entry.stage.stage,
            "step": step_id,
            "documents": {each.number: each.owed for each in entry.enters},
            "machines": [f"{machine.site} {machine.machine}" for machine in entry.machines],
            "policy": f"{entry.debtor.row.policy} from {entry.debtor.policy.from_day}",
        },
    )
