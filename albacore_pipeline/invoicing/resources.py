"""Xero, the mail relay and the gate before them as one Dagster resource."""

import json

import dagster as dg

from albacore_pipeline.data_centres.archive import Archive
from albacore_pipeline.database import connect
from albacore_pipeline.effects.mail import MailKind
from albacore_pipeline.effects.outbox import Gate
from albacore_pipeline.invoicing import xero
from albacore_pipeline.invoicing.issue import Outside
from albacore_pipeline.settings import Settings, SettingsError


class OutsideResource(dg.ConfigurableResource):  # type: ignore[type-arg]
    """The world that documents and notices go to."""

    def open(self) -> Outside:
        """Connect; raises SettingsError that names what is missing or does not agree."""
        settings = Settings.from_environment()
        archive, clock = Archive(settings.archive_url), settings.clock()
        return Outside(
            xero=xero.connect(settings=settings, clock=clock),
            mail=self.mail(),
            archive=archive,
            engine=connect(settings.require_database_url()),
            clock=clock,
            gate=gate(settings),
        )

    def mail(self) -> MailKind:
        """The mail relay alone: what has to work without Xero needs no more."""
        settings = Settings.from_environment()
        archive, clock = Archive(settings.archive_url), settings.clock()
        return MailKind(
            smtp_url=smtp_url(settings), sender=settings.mail_from, read_attachment=archive.get, clock=clock
        )


def gate(settings: Settings) -> Gate:
    """What may leave. Live needs a first month: months before it were billed by whatever came before."""
    if settings.effects == "live" and not settings.live_from:
        raise SettingsError(
            "ALBACORE_LIVE_FROM is not set: enter the first month (YYYY-MM) whose documents may be sent"
        )
    return Gate(live=settings.effects == "live", live_from=settings.live_from)


def smtp_url(settings: Settings) -> str:
    """The relay; with a sandboxed Xero always the sandbox's mailbox."""
    if settings.sandboxed_xero:
        return str(json.loads((settings.sandbox_home / "server.json").read_text())["smtp_url"])
    if not settings.smtp_url.get_secret_value():
        raise SettingsError("SMTP_URL is not set: enter the mail relay as smtps://user:password@host:465")
    return settings.smtp_url.get_secret_value()
