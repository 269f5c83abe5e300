"""Everything that documents and notices go to, as one Dagster resource."""

import dagster as dg

from albacore_pipeline.effects.gate import gate
from albacore_pipeline.effects.mail import MailHandler
from albacore_pipeline.effects.resources import MailResource
from albacore_pipeline.invoicing.issue import ExternalSystems
from albacore_pipeline.orchestration.platform import PlatformResource
from albacore_pipeline.settings import SettingsError
from albacore_pipeline.xero.resources import XeroResource


class ExternalSystemsResource(dg.ConfigurableResource):  # type: ignore[type-arg]
    """Xero, the mail relay and the gate before them."""

    platform: PlatformResource
    xero: XeroResource
    mail: MailResource

    def open(self) -> ExternalSystems:
        """Connect, or fail the run with one line that names what is missing or does not agree."""
        try:
            return ExternalSystems(
                xero=self.xero.open(),
                mail=self.open_mail(),
                archive=self.platform.archive,
                engine=self.platform.engine,
                clock=self.platform.clock,
                gate=gate(self.platform.settings),
            )
        except SettingsError as error:
            raise dg.Failure(str(error)) from None

    def open_mail(self) -> MailHandler:
        """The mail relay alone: what has to work without Xero needs no more."""
        platform = self.platform
        return self.mail.open(settings=platform.settings, archive=platform.archive, clock=platform.clock)
