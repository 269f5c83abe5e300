"""Typed settings from the environment; the README's table of settings is made from the fields below.

Belongs here: names, types, defaults and the words for each variable. Does not belong here: what is done with them.
Nothing is read at import: `Settings.from_environment()` is called by the faces (commands, Dagster's resources).
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator

from albacore_pipeline.periods import Clock, Month, SandboxClock, SystemClock
from albacore_pipeline.sites import Site

PROJECT = Path(__file__).resolve().parent.parent

SANDBOX_ENERGY = ("billing", "demo-billing")
SANDBOX_CONTROL = ("control", "demo-control")
SANDBOX_FINLAND_TOKEN = "demo-finland-token"  # noqa: S105 - the sandbox's, visibly demo


class SettingsError(Exception):
    """A setting is missing or wrong; the message names the variable and the mend."""


@dataclass(frozen=True)
class Reach:
    """Where something is reached and as whom. The password never shows."""

    url: str
    username: str
    password: SecretStr


class Settings(BaseModel):
    """Every setting that is not a site's own. The alias is the variable's name."""

    model_config = ConfigDict(frozen=True, populate_by_name=True, extra="ignore")

    home: Path = Field(
        PROJECT / ".albacore", alias="ALBACORE_HOME", description="embedded data, Dagster's home, the sandbox's state"
    )
    archive: str = Field(
        "",
        alias="ALBACORE_ARCHIVE",
        description="raw answers and statements: a path or an fsspec URL; default: under the home",
    )
    archive_days: int | None = Field(
        None,
        alias="ALBACORE_ARCHIVE_DAYS",
        ge=1,
        description="raw answers older than this, on which no invoice of that time rests, go nightly; default: never",
    )
    accept_change: float = Field(
        0.05,
        alias="ALBACORE_ACCEPT_CHANGE",
        gt=0,
        le=1,
        description="the share of a site-day's energy that a new reading may change without waiting for a person",
    )
    registry: str = Field(
        "",
        alias="ALBACORE_REGISTRY",
        description="folder with the registry's files; default: `registry` under the home, or the sandbox's",
    )
    database_url: SecretStr = Field(
        SecretStr(""), alias="ALBACORE_DATABASE_URL", description="the platform database; default: the embedded one"
    )
    dagster_database_url: SecretStr = Field(
        SecretStr(""),
        alias="ALBACORE_DAGSTER_DATABASE_URL",
        description="Dagster's own storage; default: the embedded one",
    )
    sandbox_url: str = Field(
        "",
        alias="ALBACORE_SANDBOX_URL",
        description="set by `albacore env`, `up` and `demo`: the sandbox that stands in for what is not configured",
    )
    effects: Literal["dry_run", "live"] = Field(
        "dry_run",
        alias="ALBACORE_EFFECTS",
        description="`dry_run` prepares and shows documents, and nothing leaves; `live` sends",
    )
    live_from: str = Field("", alias="ALBACORE_LIVE_FROM", description="YYYY-MM; months before it are never sent")
    xero_tenant_id: str = Field(
        "",
        alias="ALBACORE_XERO_TENANT_ID",
        description="must equal the tenant that Xero reports before anything is sent live",
    )
    xero_client_id: str = Field("", alias="XERO_CLIENT_ID", description="of the custom connection")
    xero_client_secret: SecretStr = Field(
        SecretStr(""), alias="XERO_CLIENT_SECRET", description="of the custom connection"
    )
    xero_api_url: str = Field(
        "https://api.xero.com/api.xro/2.0", alias="XERO_API_URL", description="Xero's accounting API"
    )
    xero_token_url: str = Field(
        "https://identity.xero.com/connect/token", alias="XERO_TOKEN_URL", description="Xero's token endpoint"
    )
    xero_sales_account: str = Field(
        "200", alias="XERO_SALES_ACCOUNT", description="the account code that invoice lines are booked to"
    )
    xero_webhook_key: SecretStr = Field(
        SecretStr(""), alias="XERO_WEBHOOK_KEY", description="signing key of the webhook subscription"
    )
    smtp_url: SecretStr = Field(
        SecretStr(""), alias="SMTP_URL", description="smtp:// or smtps://[user:password@]host:port of the mail relay"
    )
    mail_from: str = Field("billing@albacore.example", alias="MAIL_FROM", description="sender of every mail")

    @field_validator("live_from")
    @classmethod
    def _month(cls, value: str) -> str:
        return str(Month.parse(value)) if value else ""

    @field_validator("home")
    @classmethod
    def _absolute(cls, value: Path) -> Path:
        return value.expanduser().resolve()

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> Settings:
        """Read the variables; raises SettingsError that names the variable and never shows a value."""
        environment = os.environ if environment is None else environment
        names = {field.alias or name for name, field in cls.model_fields.items()}
        try:
            return cls.model_validate({name: environment[name] for name in names if environment.get(name)})
        except ValidationError as error:
            wrong = error.errors(include_input=False, include_url=False)[0]
            raise SettingsError(f"{wrong['loc'][0]}: {wrong['msg']}") from None

    @property
    def sandboxed_xero(self) -> bool:
        """Whether Xero is the sandbox's; then mail and power go to the sandbox only."""
        return bool(self.sandbox_url) and not self.xero_client_id

    @property
    def sandbox_home(self) -> Path:
        """Where the sandbox keeps its state."""
        return self.home / "sandbox"

    @property
    def archive_url(self) -> str:
        """Where raw answers and statements are kept."""
        return self.archive or str(self.home / "archive")

    @property
    def registry_folder(self) -> Path:
        """Where the registry's files are taken from."""
        default = self.sandbox_home / "registry" if self.sandbox_url else self.home / "registry"
        return Path(self.registry) if self.registry else default

    def clock(self) -> Clock:
        """The sandbox's clock in the sandbox, the system's otherwise."""
        return SandboxClock(self.sandbox_home / "clock.json") if self.sandbox_url else SystemClock()

    def require_database_url(self) -> str:
        """The platform database's URL; raises SettingsError when there is none."""
        if not self.database_url.get_secret_value():
            raise SettingsError(
                'ALBACORE_DATABASE_URL is not set: eval "$(albacore env)", or give the URL of a PostgreSQL'
            )
        return self.database_url.get_secret_value()


class SiteSettings(BaseModel):
    """A site's own settings, each under `<SITE>_…`."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    url: str = Field("", description="base of the energy interface, without the API's path")
    username: str = Field("", description="of the energy interface")
    password: SecretStr = Field(SecretStr(""), description="of the energy interface; Finland: the API token")
    control_url: str = Field("", description="base of the power control; Finland: the energy interface's when empty")
    control_username: str = Field("", description="of the power control")
    control_password: SecretStr = Field(SecretStr(""), description="of the power control")
    starts_on: date | None = Field(None, description="first day on which data is expected")

    @classmethod
    def from_environment(cls, site: str, environment: Mapping[str, str] | None = None) -> SiteSettings:
        """Read `<SITE>_…`; raises SettingsError that names the variable."""
        environment = os.environ if environment is None else environment
        prefix = f"{site.upper()}_"
        given = {
            name: environment[prefix + name.upper()]
            for name in cls.model_fields
            if environment.get(prefix + name.upper())
        }
        try:
            return cls.model_validate(given)
        except ValidationError as error:
            wrong = error.errors(include_input=False, include_url=False)[0]
            raise SettingsError(f"{prefix}{str(wrong['loc'][0]).upper()}: {wrong['msg']}") from None


def energy_reach(*, site: str, settings: Settings, environment: Mapping[str, str] | None = None) -> Reach | None:
    """Where a site's samples are read: its own URL, else the sandbox's; None means that the site is off."""
    own = SiteSettings.from_environment(site, environment)
    if own.url:
        return Reach(own.url, own.username, own.password)
    if not settings.sandbox_url:
        return None
    username, password = SANDBOX_ENERGY
    return Reach(
        f"{settings.sandbox_url}/{site}",
        username,
        SecretStr(SANDBOX_FINLAND_TOKEN if site == "finland" else password),
    )


def control_reach(*, site: str, settings: Settings, environment: Mapping[str, str] | None = None) -> Reach | None:
    """Where a site's machines are switched.

    With a sandboxed Xero it is always the sandbox: a debt that is only played never stops a real machine.
    """
    username, password = SANDBOX_CONTROL
    if settings.sandboxed_xero:
        path = site if site == "finland" else f"{site}-control"
        return Reach(f"{settings.sandbox_url}/{path}", username, SecretStr(password))
    own = SiteSettings.from_environment(site, environment)
    url = own.control_url or (own.url if site == "finland" else "")
    return Reach(url, own.control_username, own.control_password) if url else None


def starts_on(*, site: Site, environment: Mapping[str, str] | None = None) -> date:
    """From which day on a site's data is expected."""
    return SiteSettings.from_environment(site.name, environment).starts_on or site.starts_on
