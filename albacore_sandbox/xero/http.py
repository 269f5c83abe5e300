"""Xero's endpoints over HTTP: tokens, connections, the accounting API and the page on which a customer pays.

Belongs here: headers, the gate, faults, and HTML. Answers are dated by the world's clock, as Xero dates its own.
Does not belong here: what a request does (`api.py`).
"""

from __future__ import annotations

from decimal import Decimal
from email.utils import formatdate
from html import escape

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from albacore_sandbox.answers import basic_login, json_answer, parameters, with_fault
from albacore_sandbox.store import Document, to_json
from albacore_sandbox.world import World
from albacore_sandbox.xero import reference
from albacore_sandbox.xero.api import Call, XeroApi, new_token
from albacore_sandbox.xero.attachments import Attachments
from albacore_sandbox.xero.gate import Gate, fingerprint
from albacore_sandbox.xero.ledger import INVOICE
from albacore_sandbox.xero.wire import ZERO, Answer, Invalid, to_decimal

BASE = "/xero/api.xro/2.0"
LIMITED = Answer(429, b"", "text/plain")


class Xero:
    """The organisation in Xero and its doors."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._links = world.store.collection("xero_link")  # token -> {"invoice"}
        files = Attachments(folder=world.home / "attachments", kept=world.store.collection("xero_attachment"))
        self.api = XeroApi(clock=world.clock, store=world.store, attachments=files, pay_url=self._pay_url)
        self.gate = Gate(clock=world.clock, store=world.store)

    def pay(self, *, number: str, amount: str | None, left: str | None, on: str | None) -> Document:
        """A customer pays an invoice, wholly or in part; the payment in wire form. Raises Invalid and NotFound.

        With `left` he pays what is open beyond it, so that asking twice pays once.
        """
        key = self.api.ledger.find(INVOICE, number)
        return self._paid(
            key, amount=to_decimal(amount, name="amount"), left=to_decimal(left, name="left") or ZERO, on=on
        )

    async def token(self, request: Request) -> Response:
        """POST `/xero/connect/token`."""
        given = dict(await parameters(request))
        fault = self.world.faults.meet(target="xero-token", method="POST", path=request.url.path)
        error = {"error": "temporarily_unavailable"}
        return await with_fault(
            fault, respond=lambda: _response(self.gate.token(given, basic_login(request))), error=error, empty={}
        )

    async def connections(self, request: Request) -> Response:
        """GET `/xero/connections`."""
        refused = self.gate.refusal(request.headers.get("authorization", ""), None)
        return _response(refused) if refused else json_answer(reference.connections())

    async def accounting(self, request: Request) -> Response:
        """Everything below `/xero/api.xro/2.0`."""
        body = await request.body()
        dated = {"Date": self._date(request)}
        refused = self.gate.refusal(request.headers.get("authorization", ""), request.headers.get("xero-tenant-id"))
        if refused:
            return _response(refused, dated)
        broken, headers = self.gate.enter()
        headers |= dated
        try:
            return await self._limited(request, body, headers) if broken is None else _response(LIMITED, headers)
        finally:
            self.gate.leave()

    async def _limited(self, request: Request, body: bytes, headers: dict[str, str]) -> Response:
        path = request.path_params["path"]
        fault = self.world.faults.meet(target="xero", method=request.method, path=path)
        if fault is not None and fault["kind"] == "http_429":
            headers |= {"X-Rate-Limit-Problem": "minute", "Retry-After": str(fault.get("retry_after", 2))}
            return _response(LIMITED, headers)
        if fault is not None and fault["kind"] == "empty_list":
            return _response(_emptied(self._once(request, path, body)), headers)
        error = {"Type": "ApiException", "Title": "An error occurred", "Detail": "The sandbox fails on request"}
        answer = await with_fault(
            fault, respond=lambda: _response(self._once(request, path, body)), error=error, empty={"Status": "OK"}
        )
        answer.headers.update(headers)
        return answer

    def _date(self, request: Request) -> str:
        """The world's time, or a false one where a fault asks for that."""
        path = request.path_params["path"]
        fault = self.world.faults.meet(target="xero", method=request.method, path=path, kinds={"wrong_date"}) or {}
        return formatdate(self.world.clock.now() + float(fault.get("seconds", 0)), usegmt=True)

    def _once(self, request: Request, path: str, body: bytes) -> Answer:
        """The answer, or the one that this idempotency key got before."""
        call = Call(
            method=request.method,
            path=path,
            parameters=dict(request.query_params),
            modified_since=request.headers.get("if-modified-since"),
            media_type=request.headers.get("content-type", ""),
            body=body,
        )
        key = request.headers.get("idempotency-key")
        if not key or request.method == "GET":
            return self.api.answer(call)
        mark = fingerprint(method=request.method, url=str(request.url), body=body)
        with self.world.store.transaction():
            answer = self.gate.repeated(key, fingerprint=mark)
            if answer is None:
                answer = self.api.answer(call)
                self.gate.remember(key, answer, fingerprint=mark)
        return answer

    async def page(self, request: Request) -> Response:
        """GET `/pay/<token>`: the invoice as the customer sees it, with a button; POST pays what is open."""
        link = self._links.get(request.path_params["token"])
        if link is None:
            return HTMLResponse("<!doctype html><title>Not found</title><p>There is no such invoice.", status_code=404)
        key = link["invoice"]
        if request.method == "POST":
            if self.api.ledger.due(INVOICE, key) > 0:
                self._paid(key, amount=None, on=None)
            return RedirectResponse(request.url.path, status_code=303)
        return HTMLResponse(_page(self.api.shown.document(INVOICE, key)))

    def _paid(self, key: str, *, amount: Decimal | None, on: str | None, left: Decimal = ZERO) -> Document:
        due = self.api.ledger.due(INVOICE, key) - left
        if due <= 0:
            raise Invalid("Nothing is open on this invoice")
        with self.world.store.transaction():
            payment = self.api.settlement.settle(
                kind=INVOICE, key=key, amount=amount or due, day=on, reference="Sandbox"
            )
        return self.api.shown.payment(payment)

    def _pay_url(self, invoice: str) -> str:
        token = next((token for token, link in self._links.items() if link["invoice"] == invoice), None)
        if token is None:
            token = new_token()
            self._links.put(token, {"invoice": invoice})
        return f"{self.world.url}/pay/{token}"


def _response(answer: Answer, headers: dict[str, str] | None = None) -> Response:
    body = answer.body if isinstance(answer.body, bytes) else to_json(answer.body)
    return Response(body, status_code=answer.status, headers=headers, media_type=answer.media_type)


def _emptied(answer: Answer) -> Answer:
    """An answer that claims that there is nothing; one that is no list stays as it is."""
    if answer.status != 200 or not isinstance(answer.body, dict):
        return answer
    body = {name: [] if isinstance(value, list) else value for name, value in answer.body.items()}
    counted = {"pagination": body["pagination"] | {"pageCount": 0, "itemCount": 0}} if "pagination" in body else {}
    return Answer(200, body | counted)


def _page(invoice: Document) -> str:
    currency = escape(invoice["CurrencyCode"])
    rows = "".join(
        f"<tr><td>{escape(line['Description'])}<td class=n>{line.get('LineAmount', '')}"
        for line in invoice["LineItems"]
    )
    button = (
        "<form method=post><button>Pay {due} {currency}</button></form>" if invoice["AmountDue"] > 0 else "<p>Settled."
    )
    return (
        "<!doctype html><html lang=en><meta charset=utf-8><title>Invoice</title>"
        "<style>body{font-family:sans-serif;max-width:48rem;margin:2rem auto}.n{text-align:right}</style>"
        "<p><strong>Sandbox: no money moves here.</strong>"
        f"<h1>Invoice {escape(invoice['InvoiceNumber'])}</h1><p>{escape(invoice['Contact']['Name'])}"
        f"<table>{rows}</table><p>Total {invoice['Total']} {currency}, open {invoice['AmountDue']} {currency}"
        + button.format(due=invoice["AmountDue"], currency=currency)
    )


def routes(xero: Xero) -> list[Route]:
    """Xero's paths, from the root."""
    return [
        Route("/xero/connect/token", xero.token, methods=["POST"]),
        Route("/xero/connections", xero.connections),
        Route("/xero/Connections", xero.connections),  # as Xero's SDK spells it
        Route(BASE + "/{path:path}", xero.accounting, methods=["GET", "PUT", "POST", "DELETE"]),
        Route("/pay/{token}", xero.page, methods=["GET", "POST"]),
    ]
