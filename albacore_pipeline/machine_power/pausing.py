"""Pauses as effects, in waves: every gate asked at the moment of the command, and each wave read back before the next.

    live word -> machines read to be on -> gates, and the resolve committed -> commands -> read back -> next wave

The first machine of a site in a dispatch goes alone, and a wave is no larger than what has obeyed before it. One that
disobeys, or a neighbour of the first that changed its state without a command, stops the site's pauses and tells its
people.
"""

from __future__ import annotations

import time as real_time
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import TypeVar

import sqlalchemy as sa

from albacore_pipeline.data_centres.interface import PowerFailure, PowerState
from albacore_pipeline.database import locks
from albacore_pipeline.effects import audit
from albacore_pipeline.effects.interface import Cancelled, Effect, Later, Outcome, Succeeded, Unknown
from albacore_pipeline.machine_power import queries, sites, tickets
from albacore_pipeline.machine_power.controls import PAUSE, Controls, Unreadable, audited
from albacore_pipeline.machine_power.gates import Closed, closed_gate
from albacore_pipeline.machine_power.queries import Pause, Reading, SettledCommand
from albacore_pipeline.machine_power.world import Witness, pause_facts
from albacore_pipeline.periods import Clock

AT_ONCE = 10  # calls at a site's interface
WAVE = 100  # machines, at most
PATIENCE = timedelta(seconds=45)  # how long a machine may take to change its state
Asked = TypeVar("Asked")
Answered = TypeVar("Answered")


@dataclass(kw_only=True)
class PauseHandler:
    """Switching off, behind every gate."""

    controls: Controls
    engine: sa.Engine
    clock: Clock
    witness: Witness
    journal: Callable[[str, Mapping[str, object]], None]
    patience: timedelta = PATIENCE
    poll_seconds: float = 0.5
    name: str = PAUSE
    batch: int = 1000
    _obeyed: Counter[str] = field(default_factory=Counter, init=False)  # machines, by site
    _calls: ThreadPoolExecutor = field(default_factory=partial(ThreadPoolExecutor, AT_ONCE), init=False)

    def look_up(self, effects: Sequence[Effect]) -> list[Outcome]:
        """A command that we never resolved to give was not given; else the machine's state says what became of it."""
        with self.engine.connect() as connection:
            pauses = _by_effect(queries.pauses(connection, effects=_ids(effects), now=self.clock.now()))
        return self._at_once(self._find, [pauses[effect.effect_id] for effect in effects])

    def _find(self, pause: Pause) -> Outcome:
        if pause.commanded_at is None:
            return Later("it was never commanded")
        if self.controls.mailbox(pause.site):
            return Succeeded({"ticket": "written"})  # in the transaction of the resolve
        state = self._state(pause)
        if not isinstance(state, PowerState):
            return Unknown(state.why)
        return Succeeded({"read": state}) if state is PowerState.OFF else Later("the machine is on")

    def send(self, effects: Sequence[Effect]) -> list[Outcome]:
        """Command wave after wave, site by site."""
        outcomes: dict[int, Outcome] = {}
        with self.engine.connect() as connection:
            pauses = queries.pauses(connection, effects=_ids(effects), now=self.clock.now())
        by_site: defaultdict[str, list[Pause]] = defaultdict(list)
        for pause in pauses:
            by_site[pause.site].append(pause)
        for site, waiting in by_site.items():
            outcomes |= self._site(site, waiting)
        return [outcomes[effect.effect_id] for effect in effects]

    def _site(self, site: str, pauses: Sequence[Pause]) -> dict[int, Outcome]:
        """What becomes of a site's pauses. Gates are asked first, so that no interface is bothered for nothing.

        While a wave's gates are asked again, the machines of the next are read, so that the interface is never idle.
        """
        self._ask_xero(pauses)
        with self.engine.connect() as connection:
            closed = self._gates(connection, pauses)[1]
        self._ask_to_sign_off({each.unsigned for each in closed.values() if each.unsigned})
        outcomes = {effect_id: _outcome(each) for effect_id, each in closed.items()}
        waiting = [pause for pause in pauses if pause.effect_id not in closed]
        read: list[Future[PowerState | Unreadable]] = []  # of the first of those that wait
        while waiting:
            size = max(1, min(self._obeyed[site], WAVE))
            read += self._read_ahead(waiting[len(read) : size])
            wave, waiting = waiting[:size], waiting[size:]
            states, read = [state.result() for state in read[:size]], read[size:]
            read += self._read_ahead(waiting[len(read) : min(self._obeyed[site] + size, WAVE)])
            self._ask_xero([*wave, *waiting])
            outcomes |= self._wave(wave, states)
        return outcomes

    def _read_ahead(self, pauses: Sequence[Pause]) -> list[Future[PowerState | Unreadable]]:
        return [self._calls.submit(self._before, pause) for pause in pauses]

    def _ask_xero(self, pauses: Sequence[Pause]) -> None:
        self.witness.ask(sorted({number for pause in pauses for number in pause.numbers}))

    def _before(self, pause: Pause) -> PowerState | Unreadable:
        """The state before the command; at a site of tickets nobody can read it, and the ticket's answer will say."""
        return PowerState.ON if self.controls.mailbox(pause.site) else self._state(pause)

    def _wave(self, wave: Sequence[Pause], states: Sequence[PowerState | Unreadable]) -> dict[int, Outcome]:
        outcomes: dict[int, Outcome] = {
            pause.effect_id: Later(state.why)
            if isinstance(state, Unreadable)
            else Cancelled("it was off already, not by us")
            for pause, state in zip(wave, states, strict=True)
            if state is not PowerState.ON
        }
        resolved, closed = self._resolve([pause for pause in wave if pause.effect_id not in outcomes])
        self._ask_to_sign_off({each.unsigned for each in closed.values() if each.unsigned})
        outcomes |= {effect_id: _outcome(each) for effect_id, each in closed.items()}
        if self.controls.mailbox(wave[0].site):
            return outcomes | {pause.effect_id: Succeeded({"ticket": "written"}) for pause in resolved}
        return outcomes | self._command(resolved)

    def _gates(self, connection: sa.Connection, wave: Sequence[Pause]) -> tuple[list[Pause], dict[int, Closed]]:
        """Those whose gates are all open, counting each against the caps of the next, and why the others' are not."""
        world = self.witness.world(connection)
        fresh = queries.pauses(connection, effects=[pause.effect_id for pause in wave], now=world.now)
        facts = pause_facts(connection, fresh, controls=self.controls, now=world.now)
        commanded: Counter[tuple[str, str]] = Counter()
        for row in queries.commanded_today(connection, but=[pause.effect_id for pause in wave], now=world.now):
            commanded[row.site, row.customer] += row.machines
        opened, closed = [], {}
        for pause in fresh:
            gate = closed_gate(facts[pause.effect_id], world, commanded)
            if gate is None:
                opened.append(pause)
                commanded[pause.site, pause.customer] += 1
            else:
                closed[pause.effect_id] = gate
        return opened, closed

    def _resolve(self, ready: Sequence[Pause]) -> tuple[list[Pause], dict[int, Closed]]:
        """Ask every gate once more and commit the resolve, in one transaction that nobody's hold can slip into."""
        if not ready:
            return [], {}
        with self.engine.begin() as connection:
            locks.hold(connection, locks.ESCALATION)
            opened, closed = self._gates(connection, ready)
            now = self.clock.now()
            queries.resolve(connection, commands=[pause.command_id for pause in opened], now=now)
            for pause in opened:
                if mailbox := self.controls.mailbox(pause.site):
                    tickets.write_pause(connection, pause=pause, mailbox=mailbox, now=now)
            entries = [
                audit.Entry(
                    action="command_pause",
                    subject=f"{pause.site} {pause.machine}",
                    details={"customer": pause.customer, "plan": pause.plan_id, "documents": list(pause.numbers)},
                )
                for pause in opened
            ]
            audit.record_many(connection, entries=entries, now=now)
        for pause in opened:
            facts = {"site": pause.site, "machine": pause.machine, "customer": pause.customer, "at": now.isoformat()}
            self.journal("pause", facts)
        return opened, closed

    def _command(self, pauses: Sequence[Pause]) -> dict[int, Outcome]:
        if not pauses:
            return {}
        site = pauses[0].site
        near = [] if self._obeyed[site] else self._neighbours(pauses[0])
        answers = self._at_once(self._switch, pauses)
        failures = {pause.command_id: answer for pause, answer in zip(pauses, answers, strict=True)}
        read = self._read_back(pauses)
        obeyed = [pause for pause in pauses if read.get(pause.command_id) is PowerState.OFF]
        disobeyed = [
            pause.machine for pause in pauses if pause not in obeyed and not failures[pause.command_id]
        ]  # fmt: skip
        if disobeyed:
            self._stop(site, f"not read to be off after the command: {', '.join(disobeyed)}")
        if others := [machine for machine in near if self.controls.state(site, machine) is PowerState.OFF]:
            self._stop(site, f"off after the command to {pauses[0].machine}, and not commanded: {', '.join(others)}")
        self._obeyed[site] += len(obeyed)
        return {
            pause.effect_id: Unknown(failure)
            if (failure := failures[pause.command_id]) and pause not in obeyed
            else Succeeded({"commanded": "pause", "read": read.get(pause.command_id)})
            for pause in pauses
        }

    def _ask_to_sign_off(self, countries: set[str]) -> None:
        if countries:
            with self.engine.begin() as connection:
                sites.ask_to_sign_off(connection, countries=sorted(countries), now=self.clock.now())

    def _neighbours(self, pause: Pause) -> list[str]:
        """Machines near to the first one of a site that are on, and must still be afterwards."""
        with self.engine.connect() as connection:
            near = queries.neighbours(connection, site=pause.site, machine=pause.machine)
        states = self._at_once(partial(self.controls.state, pause.site), near)
        return [machine for machine, state in zip(near, states, strict=True) if state is PowerState.ON]

    def _stop(self, site: str, why: str) -> None:
        with self.engine.begin() as connection:
            sites.stop(connection, site=site, why=why, now=self.clock.now())

    def _switch(self, pause: Pause) -> str:
        """Command; empty, or why nobody can say whether it worked."""
        try:
            self.controls.control_of(pause.site).power_off(pause.machine)
        except PowerFailure as error:
            return str(error)
        return ""

    def _read_back(self, pauses: Sequence[Pause]) -> dict[int, PowerState]:
        """The states of these machines, read until all are off or patience ends; noted as they are."""
        deadline = real_time.monotonic() + self.patience.total_seconds()
        read: dict[int, PowerState] = {}
        while True:
            waiting = [pause for pause in pauses if read.get(pause.command_id) is not PowerState.OFF]
            for pause, state in zip(waiting, self._at_once(self._state, waiting), strict=True):
                if isinstance(state, PowerState):
                    read[pause.command_id] = state
            if all(read.get(pause.command_id) is PowerState.OFF for pause in pauses):
                break
            if real_time.monotonic() >= deadline:
                break
            real_time.sleep(self.poll_seconds)  # between two readings of a state that takes seconds to change
        readings = [Reading(command_id=command_id, state=state) for command_id, state in read.items()]
        with self.engine.begin() as connection:
            queries.note_readings(connection, readings=readings, now=self.clock.now())
        return read

    def _state(self, pause: Pause) -> PowerState | Unreadable:
        return self.controls.state(pause.site, pause.machine)

    def _at_once(self, act: Callable[[Asked], Answered], asked: Sequence[Asked]) -> list[Answered]:
        """The answers in order, some calls at a time."""
        if len(asked) < 2:
            return [act(each) for each in asked]
        return list(self._calls.map(act, asked))

    def settle(self, connection: sa.Connection, *, effect: Effect, outcome: Outcome, now: datetime) -> None:
        """Note on the command what became of it."""
        self.settle_all(connection, settled=[(effect, outcome)], now=now)

    def settle_all(
        self, connection: sa.Connection, *, settled: Sequence[tuple[Effect, Outcome]], now: datetime
    ) -> None:
        """Note on the commands what became of them: all at once, for the machines themselves can be asked."""
        over = [(effect, outcome) for effect, outcome in settled if isinstance(outcome, Succeeded | Cancelled)]
        commands = {
            row.effect_id: row for row in queries.commands(connection, effects=_ids([effect for effect, _ in over]))
        }
        became = [
            SettledCommand(
                command_id=commands[effect.effect_id].command_id,
                outcome=_became(outcome),
                sent_at=None if isinstance(outcome, Cancelled) else now,
            )
            for effect, outcome in over
        ]
        queries.settle_commands(connection, settled=became)
        readings = [
            Reading(command_id=each.command_id, state=PowerState.OFF) for each in became if each.outcome == "verified"
        ]
        queries.note_readings(connection, readings=readings, now=now)
        entries = [audited(commands[effect.effect_id], kind=effect.kind, outcome=outcome) for effect, outcome in over]
        audit.record_many(connection, entries=entries, now=now)


def _became(outcome: Succeeded | Cancelled) -> queries.Outcome:
    if isinstance(outcome, Cancelled):
        return "cancelled"
    read = outcome.answer.get("read")
    return "verified" if read == PowerState.OFF else "failed" if read == PowerState.ON else "sent"


def _outcome(closed: Closed) -> Outcome:
    return Cancelled(closed.reason) if closed.for_good else Later(closed.reason, closed.again)


def _ids(effects: Sequence[Effect]) -> list[int]:
    return [effect.effect_id for effect in effects]


def _by_effect(pauses: Sequence[Pause]) -> dict[int, Pause]:
    return {pause.effect_id: pause for pause in pauses}
