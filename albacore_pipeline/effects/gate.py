"""Whether anything may leave at all."""

from __future__ import annotations

from dataclasses import dataclass

from albacore_pipeline.settings import Settings, SettingsError


@dataclass(frozen=True, kw_only=True)
class Gate:
    """Whether anything leaves at all; effects of months before `live_from` (`YYYY-MM`) never do."""

    live: bool
    live_from: str = ""


def gate(settings: Settings) -> Gate:
    """What may leave. Live needs a first month: months before it were billed by whatever came before."""
    if settings.effects == "live" and not settings.live_from:
        raise SettingsError(
            "ALBACORE_LIVE_FROM is not set: enter the first month (YYYY-MM) whose documents may be sent"
        )
    return Gate(live=settings.effects == "live", live_from=settings.live_from)
