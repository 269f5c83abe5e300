"""Checks what the pipeline needs from outside; each finding is a line with its mend."""

from __future__ import annotations

import smtplib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

import sqlalchemy as sa

from albacore_pipeline.data_centres.interface import FailedRead
from albacore_pipeline.data_centres.resources import DataCentre
from albacore_pipeline.database import connect, pending
from albacore_pipeline.effects.gate import gate
from albacore_pipeline.effects.inbox import InboxError, unread_mails
from albacore_pipeline.effects.resources import smtp_url
from albacore_pipeline.periods import ClockFailure
from albacore_pipeline.settings import Settings, SettingsError, energy_reach
from albacore_pipeline.sites import SITES
from albacore_pipeline.xero.client import connect as connect_xero
from albacore_pipeline.xero.interface import XeroError

PROBLEMS = (
    SettingsError, ClockFailure, FailedRead, XeroError, sa.exc.SQLAlchemyError, OSError, ValueError,
    smtplib.SMTPException, InboxError,
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One check: what, whether it is good, and what there is to say."""

    what: str
    good: bool
    detail: str


def examine(settings: Settings) -> list[Finding]:
    """Every check in turn; one that fails does not stop the others."""
    checks: list[tuple[str, Callable[[], str]]] = [("database", lambda: _database(settings))]
    checks += [(site, lambda site=site: _site(site, settings)) for site in SITES]  # type: ignore[misc]
    checks += [
        ("collection", lambda: _collection(settings)),
        ("Xero", lambda: _xero(settings)),
        ("mail", lambda: _mail(settings)),
        ("bounces", lambda: _bounces(settings)),
        ("effects", lambda: _effects(settings)),
    ]
    return list(_examined(checks))


def _examined(checks: list[tuple[str, Callable[[], str]]]) -> Iterator[Finding]:
    for what, check in checks:
        try:
            yield Finding(what=what, good=True, detail=check())
        except PROBLEMS as error:
            yield Finding(
                what=what, good=False, detail=str(error).splitlines()[0] if str(error) else type(error).__name__
            )


def _database(settings: Settings) -> str:
    engine = connect(settings.require_database_url())
    with engine.connect() as connection:
        version = int(connection.execute(sa.text("show server_version_num")).scalar_one())
    if version < 150000:
        raise SettingsError("ALBACORE_DATABASE_URL: PostgreSQL 15 or newer is needed")
    if pending(engine):
        raise SettingsError('the schema is behind the program: eval "$(albacore env)" brings it up to date')
    return f"PostgreSQL {version // 10000}, schema up to date"


def _site(site: str, settings: Settings) -> str:
    reach = energy_reach(site=site, settings=settings)
    if reach is None:
        return f"off: {site.upper()}_URL is not set"
    machines = DataCentre(site=SITES[site]).source(settings).machines(as_of=settings.clock().now())
    return f"{len(machines)} machines{_played(settings)}"


def _played(settings: Settings) -> str:
    return " (sandbox)" if settings.sandbox_url else ""


def _collection(settings: Settings) -> str:
    kept = "for ever" if settings.archive_days is None else f"for {settings.archive_days} days"
    return f"readings that change a day by less than {settings.accept_change:.0%} are accepted; raw answers stay {kept}"


def _xero(settings: Settings) -> str:
    xero = connect_xero(settings=settings, clock=settings.clock())
    if xero.reminders_enabled():
        raise SettingsError("Xero sends reminders of its own: switch them off in Xero, or customers get two")
    return f"organisation {xero.tenant_id}{_played(settings)}"


def _mail(settings: Settings) -> str:
    url = urlsplit(smtp_url(settings))
    relay = smtplib.SMTP_SSL if url.scheme == "smtps" else smtplib.SMTP
    with relay(url.hostname or "localhost", url.port or 25, timeout=10) as connection:
        connection.noop()
    return f"relay at {url.hostname}:{url.port}"


def _bounces(settings: Settings) -> str:
    url = settings.bounces_url.get_secret_value()
    if not url:
        return "off: ALBACORE_BOUNCES_URL is not set; people report what comes back (report_bounce)"
    return f"{unread_mails(url)} unread mails{_played(settings)}"


def _effects(settings: Settings) -> str:
    world = gate(settings)
    return f"live from {world.live_from}" if world.live else "dry run: nothing leaves"
