"""Where a site's interface is reached, and as whom.

Belongs here: the address and the credentials of one interface, kept so that they can't be printed by accident.
Does not belong here: reading them from the environment (`settings.py`) and using them (`http.py`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import urlsplit


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """The base of one interface, without the API's own path, and its credentials.

    Raises ValueError for an address that is no plain http(s) base: credentials in it would end up in logs.
    """

    url: str
    username: str = ""
    password: str = field(default="", repr=False)

    def __post_init__(self) -> None:
        try:
            parts = urlsplit(self.url)
            usable = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
        except ValueError:  # no port number, or a broken IPv6 address
            usable = False
        if not usable:
            raise ValueError("a site's URL must be http(s)://host[:port][/base]: correct the site's _URL setting")
        if parts.username is not None or parts.password is not None:
            raise ValueError("a site's URL holds credentials: put them into the site's _USERNAME and _PASSWORD")
        if parts.query or parts.fragment:
            raise ValueError("a site's URL has a query or a fragment: give the base only, without the API's path")

    @property
    def base_path(self) -> str:
        """The path of the base, without a slash at its end; empty at the root."""
        return urlsplit(self.url).path.rstrip("/")
