"""The daily schedule of rating, as Dagster's daemon ticks it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import dagster as dg
import pytest

from albacore_pipeline.billing.assets import bill_month, billing_records, monthly_billing
from albacore_pipeline.database import connect
from albacore_pipeline.orchestration.platform import PlatformResource
from albacore_pipeline_tests.clocks import utc
from albacore_pipeline_tests.small_world import assignment, collect_month, customer, open_sites, register, tariff


def test_several_months_are_asked_for_in_one_tick(
    make_database: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    url = make_database()
    monkeypatch.setenv("ALBACORE_DATABASE_URL", url)
    with connect(url).begin() as connection:
        open_sites(connection, "norway")
        register(
            connection,
            customers=[customer("acme")],
            assignments=[assignment("NO-0001", "acme", "2025-10-01")],
            tariffs=[tariff("flat", "0.5")],
        )
        for month in ("2025-10", "2025-11"):
            collect_month(connection, month=month, machines=["NO-0001"])
    everything = dg.Definitions(
        assets=[billing_records],
        jobs=[bill_month],
        schedules=[monthly_billing],
        resources={"platform": PlatformResource()},
    )

    with dg.build_schedule_context(
        repository_def=everything.get_repository_def(),
        resources={"platform": PlatformResource()},
        scheduled_execution_time=datetime.now(UTC),
    ) as context:
        tick = everything.resolve_schedule_def("monthly_billing").evaluate_tick(context)

    keys = [request.partition_key for request in tick.run_requests or []]
    assert {"2025-10", "2025-11"} <= set(keys)
    assert len(keys) == len(set(keys))
    assert utc("2026-01-01") < datetime.now(UTC), "the machine's own clock counts here: both months are over"
