"""The mail relay as a Dagster resource."""

from functools import partial

import dagster as dg

from albacore_pipeline.archive import Archive
from albacore_pipeline.effects.journal import Journal
from albacore_pipeline.effects.mail import MAIL, MailHandler
from albacore_pipeline.periods import Clock
from albacore_pipeline.settings import Settings, SettingsError


class MailResource(dg.ConfigurableResource):  # type: ignore[type-arg]
    """The relay that takes every mail."""

    def open(self, *, settings: Settings, archive: Archive, clock: Clock) -> MailHandler:
        """What sends mails; raises SettingsError when no relay is known."""
        return MailHandler(
            smtp_url=smtp_url(settings),
            sender=settings.mail_from,
            read_attachment=archive.get,
            clock=clock,
            journal=partial(Journal(archive=archive, clock=clock).note, MAIL),
        )


def smtp_url(settings: Settings) -> str:
    """The relay; raises SettingsError when none is known."""
    if not settings.smtp_url.get_secret_value():
        raise SettingsError("SMTP_URL is not set: enter the mail relay as smtps://user:password@host:465")
    return settings.smtp_url.get_secret_value()
