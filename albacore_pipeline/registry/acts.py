"""What a person decides about the registry: that a folder of files is in force from now on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from pydantic import Field

from albacore_pipeline.database import sync_sites
from albacore_pipeline.effects.acts import Act, Done, OperatorForm
from albacore_pipeline.registry.files import Registry
from albacore_pipeline.registry.store import Loaded, load


class LoadRegistry(OperatorForm):
    """Where the files are, and who loads them why."""

    folder: str = Field("", description="of the files; empty: ALBACORE_REGISTRY")


@dataclass(frozen=True, kw_only=True)
class RegistryLoaded(Done):
    """What a load did, with what it changed table by table."""

    loaded: Loaded


def load_registry(registry: Registry) -> Act[LoadRegistry, RegistryLoaded]:
    """The act that brings in force what was read and found good before any transaction began."""

    def act(connection: sa.Connection, form: LoadRegistry, now: datetime) -> RegistryLoaded:
        sync_sites(connection)
        loaded = load(connection, registry, actor=form.actor, reason=form.reason, now=now)
        details = {"version": loaded.version, "sha256": registry.content_sha256, "changes": loaded.changes}
        changes = ", ".join(
            f"{table} +{added} -{removed}" for table, (added, removed) in loaded.changes.items() if added or removed
        )
        return RegistryLoaded(
            subject=f"registry {loaded.version}",
            details=details,
            words=f"registry version {loaded.version}: {changes or 'nothing new'}",
            loaded=loaded,
        )

    return act
