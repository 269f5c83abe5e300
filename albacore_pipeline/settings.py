"""Typed settings from the environment, and the law that a played world reaches nothing real.

Belongs here: names, types, defaults and the words for each variable. Does not belong here: what is done with them.
Nothing is read at import: `Settings.from_environment()` is called by the faces (commands, Dagster's resources).
"""

from __future__ import annotations

import functools
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Annotated, Literal

import httpx
from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator
from pydantic.fields import FieldInfo

from albacore_pipeline.periods import Clock, Month, SystemClock, clock_at
from albacore_pipeline.sites import SITES, Site
from albacore_pipeline.tls import trusted

PROJECT = Path(__file__).resolve().parent.parent  # the checkout, where there is one
DEFAULT_HOME = PROJECT / ".albacore" if (PROJECT / "pyproject.toml").exists() else Path("~/.albacore")


class SettingsError(Exception):
    """A setting is missing or wrong; the message names the variable and the mend."""


class Outward:
    """Marks a setting as an address to which something leaves: `only_the_sandbox` looks at each of them."""


Address = Annotated[str, Outward()]
SecretAddress = Annotated[SecretStr, Outward()]  # one that may hold a password


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
        DEFAULT_HOME,
        alias="ALBACORE_HOME",
        validate_default=True,
        description="embedded data, Dagster's home, the sandbox's state",
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
        description="folder with the registry's files; default: `registry` under the home",
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
        description="set by `albacore env`, `up` and `demo`: everything is this sandbox's, and nothing else is reached",
    )
    clock_url: Address = Field(
        "",
        alias="ALBACORE_CLOCK_URL",
        description="where the time of a played world is told; default: the machine's own time",
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
    xero_api_url: Address = Field(
        "https://api.xero.com/api.xro/2.0", alias="XERO_API_URL", description="Xero's accounting API"
    )
    xero_token_url: Address = Field(
        "https://identity.xero.com/connect/token", alias="XERO_TOKEN_URL", description="Xero's token endpoint"
    )
    xero_sales_account: str = Field(
        "200", alias="XERO_SALES_ACCOUNT", description="the account code that invoice lines are booked to"
    )
    xero_webhook_key: SecretStr = Field(
        SecretStr(""), alias="XERO_WEBHOOK_KEY", description="signing key of the webhook subscription"
    )
    smtp_url: SecretAddress = Field(
        SecretStr(""), alias="SMTP_URL", description="smtp:// or smtps://[user:password@]host:port of the mail relay"
    )
    bounces_url: SecretAddress = Field(
        SecretStr(""),
        alias="ALBACORE_BOUNCES_URL",
        description="imaps://user:password@host/folder to which mails come back; default: a person reports them",
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
        """The settings to work with; raises SettingsError that names the variable and never shows a value.

        In a played world they are held to `only_the_sandbox`, so nobody can work with others.
        """
        settings = cls.as_given(environment)
        only_the_sandbox(settings, environment)
        return settings

    @classmethod
    def as_given(cls, environment: Mapping[str, str] | None = None) -> Settings:
        """What the variables say, for a command that is about to set them anew; raises SettingsError likewise."""
        environment = os.environ if environment is None else environment
        names = {field.alias or name for name, field in cls.model_fields.items()}
        try:
            return cls.model_validate({name: environment[name] for name in names if environment.get(name)})
        except ValidationError as error:
            wrong = error.errors(include_input=False, include_url=False)[0]
            raise SettingsError(f"{wrong['loc'][0]}: {wrong['msg']}") from None

    @property
    def archive_url(self) -> str:
        """Where raw answers and statements are kept."""
        return self.archive or str(self.home / "archive")

    @property
    def registry_folder(self) -> Path:
        """Where the registry's files are taken from."""
        return Path(self.registry) if self.registry else self.home / "registry"

    def clock(self) -> Clock:
        """The time that counts: the one that is told at an address, the machine's own otherwise."""
        return clock_at(self.clock_url) if self.clock_url else SystemClock()

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

    url: Address = Field("", description="base of the energy interface, without the API's path")
    username: str = Field("", description="of the energy interface")
    password: SecretStr = Field(SecretStr(""), description="of the energy interface; Finland: the API token")
    control_url: Address = Field(
        "", description="base of the power control; Finland: the energy interface's when empty"
    )
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
    """Where a site's samples are read; None means that the site is off."""
    own = _site(site, settings=settings, environment=environment)
    return Reach(own.url, own.username, own.password) if own.url else None


def control_reach(*, site: str, settings: Settings, environment: Mapping[str, str] | None = None) -> Reach | None:
    """Where a site's machines are switched; None where there is no such place."""
    own = _site(site, settings=settings, environment=environment)
    url = own.control_url or (own.url if site == "finland" else "")
    return Reach(url, own.control_username, own.control_password) if url else None


def _site(site: str, *, settings: Settings, environment: Mapping[str, str] | None) -> SiteSettings:
    """A site's settings, held to the law here too: the site may be none of SITES."""
    own = SiteSettings.from_environment(site, environment)
    if settings.sandbox_url:
        _hold_to(sandbox_addresses(settings.sandbox_url), _addresses(own, prefix=f"{site.upper()}_"))
    return own


def starts_on(*, site: Site, environment: Mapping[str, str] | None = None) -> date:
    """From which day on a site's data is expected."""
    return SiteSettings.from_environment(site.name, environment).starts_on or site.starts_on


def only_the_sandbox(settings: Settings, environment: Mapping[str, str] | None = None) -> None:
    """Hold settings to the law that a played world reaches nothing real, and that a real one plays nothing.

    With ALBACORE_SANDBOX_URL every address must be one that the sandbox there names, the time is the sandbox's, and
    the archive is a local path. Without, no Clock is told: addresses on loopback may be real ones, a told time is none.
    Raises SettingsError that names the variable and the mend.
    """
    if not settings.sandbox_url:
        if settings.clock_url:
            raise SettingsError(
                "ALBACORE_CLOCK_URL is set, but ALBACORE_SANDBOX_URL is not: a real world goes by the machine's time;"
                ' unset it, or eval "$(albacore env)" for the sandbox'
            )
        return
    named = sandbox_addresses(settings.sandbox_url)
    _hold_to(named, _addresses(settings))
    for site in SITES:
        _hold_to(named, _addresses(SiteSettings.from_environment(site, environment), prefix=f"{site.upper()}_"))
    if not settings.clock_url:
        raise SettingsError('ALBACORE_CLOCK_URL is not set: a sandbox has a time of its own; eval "$(albacore env)"')
    keep_on_this_machine(settings)


def keep_on_this_machine(settings: Settings) -> None:
    """See that the archive is a path here, plain or `file://`; raises SettingsError that names the variable."""
    url = settings.archive_url
    if "::" in url or ("://" in url and not url.startswith("file://")):
        raise SettingsError("ALBACORE_ARCHIVE is no local path: what a sandbox plays is kept on this machine; unset it")


@functools.cache
def sandbox_addresses(url: str) -> frozenset[str]:
    """The addresses that the sandbox at `url` names as its own, asked for once in a process. Raises SettingsError."""
    try:
        answer = (
            httpx.get(f"{url}/sandbox/addresses", timeout=30, trust_env=False, verify=trusted())
            .raise_for_status()
            .json()
        )
        return frozenset(map(str, answer["addresses"]))
    except (httpx.HTTPError, httpx.InvalidURL, ValueError, LookupError, TypeError):
        raise SettingsError(
            'ALBACORE_SANDBOX_URL: no sandbox answers there: eval "$(albacore env)" starts it again,'
            " or begin a new shell for the real world"
        ) from None


def is_outward(field: FieldInfo) -> bool:
    """Whether a setting holds an address to which something leaves."""
    return any(isinstance(mark, Outward) for mark in field.metadata)


def _addresses(model: BaseModel, *, prefix: str = "") -> dict[str, str]:
    """The addresses among some settings that are set, by the names of their variables."""
    found = {}
    for name, field in type(model).model_fields.items():
        value = getattr(model, name)
        if is_outward(field):
            text = value.get_secret_value() if isinstance(value, SecretStr) else str(value)
            found[field.alias or f"{prefix}{name.upper()}"] = text
    return {variable: text for variable, text in found.items() if text}


def _hold_to(named: frozenset[str], addresses: Mapping[str, str]) -> None:
    for variable, address in addresses.items():
        if address not in named:
            raise SettingsError(
                f"{variable} does not lead to the sandbox, and with ALBACORE_SANDBOX_URL set nothing else is reached:"
                f' unset {variable} and eval "$(albacore env)", or begin a new shell for the real world'
            )
