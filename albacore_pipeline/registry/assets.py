"""The registry as an asset, loaded by the job `load_registry`."""

from pathlib import Path

import dagster as dg

from albacore_pipeline import markdown
from albacore_pipeline.effects.acts import perform
from albacore_pipeline.orchestration.platform import PlatformResource
from albacore_pipeline.registry.acts import LoadRegistry, load_registry
from albacore_pipeline.registry.files import RegistryRefused, read_registry


class RegistryConfig(dg.Config, LoadRegistry):
    """The form as Dagster takes it."""


@dg.asset(group_name="registry", owners=["team:finance"])
def registry(config: RegistryConfig, platform: PlatformResource) -> dg.MaterializeResult:  # type: ignore[type-arg]
    """Customers, assignments, tariffs and policies in force. Loaded whole or not at all; each load is a version."""
    folder = Path(config.folder) if config.folder else platform.settings.registry_folder
    try:
        content = read_registry(folder)
    except RegistryRefused as refused:
        raise dg.Failure(f"registry refused: {refused}", allow_retries=False) from None
    act, now = load_registry(content), platform.clock.now()
    loaded = perform("load_registry", act, config, engine=platform.engine, now=now).loaded
    changes = [(table, added, removed) for table, (added, removed) in loaded.changes.items()]
    return dg.MaterializeResult(
        metadata={
            "version": loaded.version,
            "customers": len(content.customers),
            "assignments": len(content.assignments),
            "tariffs": len(content.tariffs),
            "notes": dg.MetadataValue.json([str(note) for note in content.notes[:50]]),
            "changes": dg.MetadataValue.md(
                markdown.table(("table", "added", "removed"), changes) if changes else "nothing new"
            ),
            "dagster/column_schema": _columns(platform),
        },
        data_version=dg.DataVersion(content.content_sha256),
    )


def _columns(platform: PlatformResource) -> dg.TableSchema:
    """The columns of the registry's views, each with the view before it."""
    columns = [
        dg.TableColumn(f"{view}.{column.name}", column.type, column.description)
        for view in ("assignments", "tariffs", "tariff_bands", "prices")
        for column in platform.columns(view).columns
    ]
    return dg.TableSchema(columns=columns)


definitions = dg.Definitions(assets=[registry], jobs=[dg.define_asset_job("load_registry", selection=[registry])])
