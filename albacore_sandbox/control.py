"""The world's own controls under `/sandbox`: the clock, the truth, customers who pay, faults, power, the mailbox.

Belongs here: what a story or a test does to the world, as JSON over HTTP.
Does not belong here: anything that the pipeline itself may know of.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import date, timedelta
from pathlib import Path

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from albacore_sandbox.addresses import variables
from albacore_sandbox.answers import json_answer
from albacore_sandbox.clock import instant, iso
from albacore_sandbox.mailbox import Mailbox
from albacore_sandbox.registry import Handover, write_registry
from albacore_sandbox.store import Document, from_json
from albacore_sandbox.truth import HOUR_MS
from albacore_sandbox.world import World
from albacore_sandbox.xero.advances import TYPES
from albacore_sandbox.xero.http import Xero
from albacore_sandbox.xero.ledger import CREDIT_NOTE, INVOICE
from albacore_sandbox.xero.wire import Invalid, NotFound

Handler = Callable[[Request], Awaitable[Response]]
MOST_TRUE_VALUES = 20_000_000


class Control:
    """The controls of one world."""

    def __init__(self, *, world: World, xero: Xero, mailbox: Mailbox) -> None:
        self.world = world
        self.xero = xero
        self.mailbox = mailbox

    async def status(self, request: Request) -> Response:
        """GET `/sandbox/status`."""
        ledger = self.xero.api.ledger
        counts = {
            "contacts": len(self.xero.api.contacts.all()),
            "invoices": len(ledger.documents[INVOICE]),
            "credit_notes": len(ledger.documents[CREDIT_NOTE]),
            "payments": len(ledger.payments),
            "mails": len(self.mailbox),
            "machines_off": sum(1 for machine in self.world.power.off_pieces() if not self.world.power.on(machine)),
        }
        fleet = {site: len(fleet) for site, fleet in self.world.fleets.items()}
        head = {"home": str(self.world.home), "now": iso(self.world.clock.now()), "seed": self.world.seed}
        return json_answer(head | {"fleet": fleet, "counts": counts, "faults": self.world.faults.listed()})

    async def addresses(self, request: Request) -> Response:
        """GET `/sandbox/addresses`: every address of this world, and the variables that lead there."""
        named = variables(url=self.world.url, smtp_url=self.world.smtp_url)
        addresses = [value for name, value in named.items() if name.endswith("_URL")]
        return json_answer({"addresses": addresses, "variables": named})

    async def clock(self, request: Request) -> Response:
        """GET the time; POST `{"to": iso}` or `{"days": n}` moves it forward, at most to the real present."""
        if request.method == "POST":
            given = await _body(request)
            if "to" in given:
                self.world.clock.move_to(instant(str(given["to"])))
            elif "days" in given:
                self.world.clock.move_to(self.world.clock.now() + timedelta(days=float(given["days"])).total_seconds())
            else:
                raise ValueError('say {"to": an instant} or {"days": a number}')
        return json_answer({"now": iso(self.world.clock.now())})

    async def truth(self, request: Request) -> Response:
        """GET `/sandbox/truth?site=&start=&end=`: the true Wh of each machine by UTC hour."""
        given = request.query_params
        fleet = self.world.fleets.get(given.get("site", ""))
        if fleet is None or "start" not in given or "end" not in given:
            raise ValueError("say site, start and end")
        start_ms, end_ms = (round(instant(given[name]) * 1000) for name in ("start", "end"))
        if start_ms % HOUR_MS or end_ms % HOUR_MS or end_ms < start_ms:
            raise ValueError("start and end must be full hours, in this order")
        hours = (end_ms - start_ms) // HOUR_MS
        if hours * len(fleet) > MOST_TRUE_VALUES:
            raise ValueError(f"that is more than {MOST_TRUE_VALUES} values: ask for a shorter time")
        energy = self.world.truth(fleet.shape.name, start_ms=start_ms, hours=hours).round(6).tolist()
        return json_answer({"machines": dict(zip(fleet.names, energy, strict=True))})

    async def pay(self, request: Request) -> Response:
        """POST `{"number", "amount"? or "left"?, "on"?}`: a customer pays an invoice, or all of it but `left`."""
        given = await _body(request)
        amount, left = (None if given.get(name) is None else str(given[name]) for name in ("amount", "left"))
        return json_answer(self.xero.pay(number=str(given.get("number")), amount=amount, left=left, on=given.get("on")))

    async def money(self, request: Request) -> Response:
        """GET overpayments and prepayments as Xero shows them, and what is left of each by `id`; POST enters money.

        It takes `{"kind", "contact", "amount", ...}`: `kind` is overpayment, prepayment or credit_note; `currency`,
        `on` and `number` may be given; with
        `"spent": true` it is ours, at a supplier.
        """
        if request.method == "GET":
            advances = self.xero.api.advances
            shown = [each for plural in TYPES for each in advances.all(plural)]
            left = [{"id": each["ID"], "left": each["RemainingCredit"]} for each in shown if each["RemainingCredit"]]
            return json_answer({"money": shown, "left": left})
        given = await _body(request)
        with self.world.store.transaction():
            return json_answer({"id": self.xero.api.by_hand.enter_money(given)}, status=201)

    async def pay_back(self, request: Request) -> Response:
        """POST `{"id", "amount"?}`: an overpayment or prepayment is paid back."""
        given = await _body(request)
        with self.world.store.transaction():
            self.xero.api.by_hand.pay_back(given)
        return json_answer({})

    async def edit(self, request: Request) -> Response:
        """POST `{"number", "due"?, "date"?, "contact"?, "quantity"?, "rename"?, "void"?, ...}`: a person edits."""
        given = await _body(request)
        with self.world.store.transaction():
            return json_answer({"id": self.xero.api.by_hand.edit(given)})

    async def faults(self, request: Request) -> Response:
        """GET, POST one, DELETE all (or `?id=`)."""
        if request.method == "POST":
            return json_answer(self.world.faults.switch_on(await _body(request)), status=201)
        if request.method == "DELETE":
            return json_answer({"removed": self.world.faults.switch_off(request.query_params.get("id"))})
        return json_answer({"faults": self.world.faults.listed()})

    async def power(self, request: Request) -> Response:
        """GET every machine's state; POST `{"machine", "state": "On"|"Off"}` is a person at the site, at once."""
        machines = [name for fleet in self.world.fleets.values() for name in fleet.names]
        if request.method == "POST":
            given = await _body(request)
            if given.get("machine") not in machines or given.get("state") not in ("On", "Off"):
                raise ValueError('say {"machine": a known machine, "state": "On" or "Off"}')
            self.world.power.command(given["machine"], on=given["state"] == "On", settling_ms=0)
        return json_answer({name: "On" if self.world.power.on(name) else "Off" for name in machines})

    async def mail(self, request: Request) -> Response:
        """GET `/sandbox/mail?to=&since=`."""
        given = request.query_params
        return json_answer({"mails": self.mailbox.listed(to=given.get("to"), since=given.get("since"))})

    async def bounce(self, request: Request) -> Response:
        """POST `{"message_id"}` or `{"to"}`: these mails have bounced."""
        given = await _body(request)
        if not given.get("message_id") and not given.get("to"):
            raise ValueError("say message_id or to")
        return json_answer({"bounced": self.mailbox.bounce(message_id=given.get("message_id"), to=given.get("to"))})

    async def registry(self, request: Request) -> Response:
        """POST `{"dir"}`: write the registry files of this world there."""
        folder = Path(str((await _body(request)).get("dir", "")))
        if not folder.is_absolute():
            raise ValueError("say dir as an absolute path")
        written = write_registry(folder=folder, fleets=self.world.fleets, handovers=self.world.handed_over())
        return json_answer({"files": [str(path) for path in written]})

    async def handover(self, request: Request) -> Response:
        """POST `{"machine", "customer", "from_day"}`: whose a machine is from a day on, in files written later."""
        given = await _body(request)
        self.world.hand_over(
            Handover(
                machine=str(given.get("machine")),
                customer=str(given.get("customer")),
                from_day=date.fromisoformat(str(given.get("from_day"))),
            )
        )
        return json_answer({"handovers": len(self.world.handed_over())})


async def _body(request: Request) -> Document:
    try:
        given = from_json(await request.body() or b"{}")
    except msgspec.DecodeError as error:
        raise ValueError(f"the body is not JSON: {error}") from None
    if not isinstance(given, dict):
        raise ValueError("the body must be a JSON object")
    return given


def _answered(handler: Handler) -> Handler:
    """The handler, with what can't be done told in one line."""

    async def endpoint(request: Request) -> Response:
        try:
            return await handler(request)
        except (ValueError, Invalid) as error:
            return json_answer({"error": str(error)}, status=400)
        except NotFound as error:
            return json_answer({"error": f"no such document: {error}"}, status=404)

    return endpoint


def routes(control: Control) -> list[Route]:
    """The paths below `/sandbox`."""
    return [
        Route("/status", _answered(control.status)),
        Route("/addresses", _answered(control.addresses)),
        Route("/clock", _answered(control.clock), methods=["GET", "POST"]),
        Route("/truth", _answered(control.truth)),
        Route("/pay", _answered(control.pay), methods=["POST"]),
        Route("/xero/money", _answered(control.money), methods=["GET", "POST"]),
        Route("/xero/pay-back", _answered(control.pay_back), methods=["POST"]),
        Route("/xero/edit", _answered(control.edit), methods=["POST"]),
        Route("/faults", _answered(control.faults), methods=["GET", "POST", "DELETE"]),
        Route("/power", _answered(control.power), methods=["GET", "POST"]),
        Route("/mail", _answered(control.mail)),
        Route("/mail/bounce", _answered(control.bounce), methods=["POST"]),
        Route("/registry", _answered(control.registry), methods=["POST"]),
        Route("/registry/handover", _answered(control.handover), methods=["POST"]),
    ]
