"""Finland, collected from a real Zabbix 6.0 through Dagster into the embedded database, and switched by its scripts.

Of the first days the site has hourly trends only: its housekeeper has deleted their history.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import pytest
import sqlalchemy as sa

from albacore_pipeline.data_centres.connect import power_control
from albacore_pipeline.data_centres.endpoint import Endpoint
from albacore_pipeline.data_centres.interface import PowerControl, PowerFailure, PowerState
from albacore_pipeline.periods import day_window, days
from albacore_pipeline.sites import SITES
from albacore_pipeline_tests.clocks import FrozenClock
from albacore_pipeline_tests.real import gauges, power_servers, zabbix_server
from albacore_pipeline_tests.real.deployment import Deployment, Stored, causes, deployed, reached
from albacore_pipeline_tests.real.gauges import STEP, Gauge, Trouble
from albacore_pipeline_tests.real.loads import FIRST_DAY, HOUR, LAST_DAY, Ints, boundaries, rounded, seconds
from albacore_pipeline_tests.real.pausing import pause_and_resume
from albacore_pipeline_tests.real.servers import RealServer, eventually
from albacore_pipeline_tests.real.zabbix_server import ADMIN, READ, READ_WRITE, USER, Zabbix, zabbix

pytestmark = [pytest.mark.real, pytest.mark.timeout(300)]
TIMEZONE = "Europe/Helsinki"
LAST_OF_TRENDS = date(2025, 10, 4)
KEPT = seconds(day_window(day=LAST_OF_TRENDS, timezone=TIMEZONE).start) + 10 * HOUR + HOUR // 2
"""What was measured before this is deleted from the history: the first days of the month, and half an hour."""
SHARE = 0.9  # of an hour's readings that a trend must stand on


@dataclass(frozen=True, kw_only=True)
class Site:
    """The servers, and as whom the product reads and switches."""

    zabbix: Zabbix
    redfish: RealServer
    reader: RealServer
    switcher: RealServer


@pytest.fixture(scope="module")
def month() -> list[Gauge]:
    return gauges.gauges(prefix="FI", timezone=TIMEZONE, seed=1917)


@pytest.fixture(scope="module")
def site(month: list[Gauge], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    switched = [gauge.machine for gauge in month[:10]]
    with (
        power_servers.redfish(folder=tmp_path_factory.mktemp("redfish"), machines=switched) as redfish,
        zabbix() as here,
    ):
        items = here.add_hosts(item_key="power.active", machines=[(gauge.machine, _tags(gauge)) for gauge in month])
        _load(here, month, items)
        systems = {machine: power_servers.system_id(machine) for machine in switched}
        zabbix_server.power_scripts(here, redfish=redfish, systems=systems)
        reader = here.token_of(here.add_user(name="billing", role=USER, permission=READ))
        switcher = here.add_user(name="control", role=ADMIN, permission=READ_WRITE)
        yield Site(zabbix=here, redfish=redfish, reader=reader, switcher=switcher)


def _tags(gauge: Gauge) -> list[dict[str, str]]:
    unrated = gauge.trouble is Trouble.UNRATED
    return [] if unrated else [{"tag": "rated_watts", "value": str(gauge.rated_watts)}]


def _load(here: Zabbix, month: Sequence[Gauge], items: dict[str, int]) -> None:
    """History from KEPT on, and the trends of every hour."""
    for gauge in month:
        item, kept = items[gauge.machine], gauge.at >= KEPT
        readings = zip(gauge.at[kept].tolist(), gauge.watts[kept].tolist(), strict=True)
        here.copy(
            table="history",
            columns=["itemid", "clock", "value", "ns"],
            rows=((item, at, watts, 0) for at, watts in readings),
        )
        averages = zip(*(column.tolist() for column in gauge.averages()), strict=True)
        here.copy(
            table="trends",
            columns=["itemid", "clock", "num", "value_min", "value_avg", "value_max"],
            rows=((item, at, count, watts, watts, watts) for at, count, watts in averages),
        )


@pytest.fixture(scope="module")
def finland(site: Site, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    with deployed(site="finland", folder=tmp_path_factory.mktemp("home"), variables=reached(site.reader)) as deployment:
        result = deployment.collect()
        assert result.success, causes(result)
        yield deployment


@pytest.fixture(scope="module")
def stored(finland: Deployment, month: list[Gauge]) -> Stored:
    stored = finland.stored()
    assert stored.machines == [gauge.machine for gauge in month]
    assert stored.wh.shape == (100, 31 * 24 + 1)
    return stored


def of(trouble: Trouble, month: list[Gauge]) -> int:
    return next(index for index, gauge in enumerate(month) if gauge.trouble is trouble)


def by_trend(gauge: Gauge) -> Ints:
    """Whole Wh of the hours before KEPT as their trends have them, -1 where a trend stands on too few readings."""
    hours = boundaries(gauge.month)[:-1]
    starts, counts, watts = gauge.averages()
    place = np.searchsorted(starts, hours)
    known = (hours < KEPT) & (counts[place] >= SHARE * HOUR / STEP)
    return rounded(wh=watts[place], timezone=TIMEZONE, known=known)


def by_history(gauge: Gauge) -> Ints:
    """Whole Wh of the hours whose history was kept whole, -1 where it is not."""
    hours = boundaries(gauge.month)
    known = gauge.known() & (hours[:-1] >= KEPT)
    return rounded(wh=np.diff(gauge.load.until(hours)), timezone=TIMEZONE, known=known)


def test_hours_with_history_are_the_truth(finland: Deployment, stored: Stored, month: list[Gauge]) -> None:
    kept = boundaries(month[0].month)[:-1] >= KEPT
    truth = np.array([by_history(gauge) for gauge in month])
    first = finland.hours_of(LAST_OF_TRENDS).stop
    np.testing.assert_array_equal(stored.wh[:, first:], truth[:, first:])
    assert np.flatnonzero((truth[:, kept] < 0).any(axis=1)).tolist() == [of(Trouble.LONG_HOLE, month)]
    # On the day that begins with trends, the fraction of the broken hour may move the rounding of those after it.
    mixed = (stored.wh - truth)[:, kept.argmax() : first]
    assert np.abs(mixed).max() <= 1 and np.abs(np.cumsum(mixed, axis=1)).max() <= 1


def test_hours_without_history_are_what_their_trends_say(stored: Stored, month: list[Gauge]) -> None:
    gone = boundaries(month[0].month)[:-1] < KEPT
    assert gone.sum() == 3 * 24 + 11
    expected = np.array([by_trend(gauge) for gauge in month])
    np.testing.assert_array_equal(stored.wh[:, gone], expected[:, gone])
    thin = of(Trouble.THIN, month)
    assert np.argwhere(expected[:, gone] < 0)[:, 0].tolist() == [thin]  # one hour of one machine


def test_a_trend_is_close_to_the_truth(stored: Stored, month: list[Gauge]) -> None:
    """A mean of twelve readings is not the area under them, but over days the two are the same within a percent."""
    gone = boundaries(month[0].month)[:-1] < KEPT
    for index, gauge in enumerate(month):
        known = gone & stored.known()[index]
        truth = np.diff(gauge.load.until(boundaries(gauge.month)))[known].sum()
        assert stored.wh[index, known].sum() == pytest.approx(truth, rel=0.01)


def test_troubles_and_trends_are_flagged_and_nothing_else_is(finland: Deployment, month: list[Gauge]) -> None:
    expected = {(gauge.machine, day): {"trend"} for gauge in month for day in days(FIRST_DAY, LAST_OF_TRENDS)}
    unrated = month[of(Trouble.UNRATED, month)].machine
    for day in days(FIRST_DAY, LAST_DAY):
        expected.setdefault((unrated, day), set()).add("unrated")
    flags = {key: set(flags.split(",")) for key, flags in finland.flags().items()}
    absurd = month[of(Trouble.ABSURD, month)]
    refused = {key for key, found in flags.items() if "refused" in found}
    assert refused == {(absurd.machine, date(2025, 10, 11))}
    assert {key: found for key, found in flags.items() if key not in refused} == expected
    rows = finland.rows("select machine, at from albacore.quarantined_reading")
    assert [(row.machine, row.at.timestamp()) for row in rows] == [(absurd.machine, absurd.hit[0])]


def test_the_twenty_sixth_has_25_hours(finland: Deployment) -> None:
    question = (
        "select distinct day, hours_expected from report.machine_days where site = :site and hours_expected <> 24"
    )
    assert [tuple(row) for row in finland.rows(question)] == [(date(2025, 10, 26), 25)]


def test_machines_are_described_by_their_hosts(finland: Deployment, month: list[Gauge]) -> None:
    known = finland.rows("select machine, rated_watts from albacore.machine where site = :site")
    assert {row.machine: row.rated_watts for row in known} == {
        gauge.machine: None if gauge.trouble is Trouble.UNRATED else gauge.rated_watts for gauge in month
    }


def test_collecting_the_month_again_stores_nothing_new(finland: Deployment) -> None:
    before = finland.collections()
    assert before == [(day, 1, "accepted") for day in days(FIRST_DAY, LAST_DAY)]
    result = finland.collect()
    assert result.success, causes(result)
    assert finland.collections() == before


def test_a_wrong_token_fails_the_partition_in_one_line_and_stores_nothing(
    finland: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, november = finland.collections(), date(2025, 11, 1)
    monkeypatch.setenv("FINLAND_PASSWORD", "f" * 64)
    result = finland.collect(first=november, last=november, assets=["consumption"])
    assert causes(result) == [
        "finland 2025-11-01: the machines: the API token was refused; check FINLAND_PASSWORD: it is the token"
    ]
    assert finland.collections() == before


def control(site: Site, *, password: str = "") -> PowerControl:
    endpoint = Endpoint(
        url=site.switcher.url, username=site.switcher.username, password=password or site.switcher.password
    )
    return power_control(site=SITES["finland"], endpoint=endpoint)


def test_the_sites_scripts_switch_the_machine_and_not_its_neighbour(site: Site) -> None:
    here = control(site)
    assert here.power_state("FI-0003") is PowerState.ON
    here.power_off("FI-0003")
    eventually(lambda: here.power_state("FI-0003") is PowerState.OFF, what="FI-0003 off")
    assert here.power_state("FI-0004") is PowerState.ON
    here.power_on("FI-0003")
    eventually(lambda: here.power_state("FI-0003") is PowerState.ON, what="FI-0003 on again")


def test_a_debtors_machine_is_paused_verified_and_resumed(site: Site, engine: sa.Engine, clock: FrozenClock) -> None:
    machines = [f"FI-{number:04d}" for number in range(1, 6)]
    pause_and_resume(engine=engine, clock=clock, switch=control(site), machines=machines, at="2025-12-08T09:00")


def test_a_session_that_zabbix_has_forgotten_is_made_anew(site: Site) -> None:
    here = control(site)
    assert here.power_state("FI-0005") is PowerState.ON
    site.zabbix.forget_sessions(site.switcher)
    assert here.power_state("FI-0005") is PowerState.ON


def test_a_script_that_fails_is_a_failure(site: Site) -> None:
    with pytest.raises(PowerFailure, match="Power status of FI-0050") as caught:
        control(site).power_state("FI-0050")  # the site has no address for it
    assert "\n" not in str(caught.value)


def test_a_wrong_password_switches_nothing_and_is_not_told(site: Site) -> None:
    with pytest.raises(PowerFailure) as caught:
        control(site, password="not-the-password").power_off("FI-0001")
    assert "not-the-password" not in str(caught.value) and "\n" not in str(caught.value)
    assert control(site).power_state("FI-0001") is PowerState.ON


def test_the_reader_may_not_switch(site: Site) -> None:
    reads = site.zabbix.add_user(name="curious", role=USER, permission=READ)
    endpoint = Endpoint(url=reads.url, username=reads.username, password=reads.password)
    with pytest.raises(PowerFailure, match=r"Power off of FI-0001: Zabbix says: .*permission"):
        power_control(site=SITES["finland"], endpoint=endpoint).power_off("FI-0001")
