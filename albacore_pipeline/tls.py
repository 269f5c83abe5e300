"""Whom we trust over TLS: one context for the process, for loading the authorities takes longer than many a call."""

from __future__ import annotations

import functools
import ssl

import httpx


@functools.cache
def trusted() -> ssl.SSLContext:
    """The machine's own certificate authorities, where a private one may be installed, beside those of httpx."""
    context = httpx.create_ssl_context(trust_env=False)
    context.load_default_certs()
    return context
