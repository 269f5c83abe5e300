"""The rating's list of steps says what its files do."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from albacore_pipeline.billing.rating.run import run_steps
from albacore_pipeline.billing.rating.steps import STEPS, Step, picture
from albacore_pipeline.database.engine import SQL_FOLDER
from albacore_pipeline.periods import Month
from albacore_pipeline.settings import PROJECT
from albacore_pipeline_tests.database.contract import describe
from albacore_pipeline_tests.small_world import NOW, small_month

MADE = [step.makes for step in STEPS if step.makes]
READERS_OF_HOURS = {"06_estimated_days", "07_end_estimates", "08_begin_estimates", "11_blocked_customer",
                    "12_estimated_energy", "13_band_energy", "14_index_energy", "22_name_changes"}  # fmt: skip


def text_of(step: Step) -> str:
    """The step's SQL without its comments."""
    return re.sub(r"--.*", "", (SQL_FOLDER / f"{step.file}.sql").read_text())


def named(text: str) -> set[str]:
    """The rating's tables that a text names."""
    return {table for table in MADE if re.search(rf"\b{table}\b", text)}


@pytest.fixture(scope="module")
def rated(scratch_engine: sa.Engine) -> Iterator[sa.Connection]:
    """A session in which a month was rated, so that the temporary tables are there."""
    with scratch_engine.connect() as connection:
        small_month(connection)
        run_steps(connection, month=Month(2025, 10), registry_version=1, run_id="test", now=NOW)
        yield connection
        connection.rollback()


def test_every_file_of_the_rating_is_a_step_in_the_order_of_its_number() -> None:
    files = sorted(f"billing/rating/{path.stem}" for path in (SQL_FOLDER / "billing" / "rating").glob("*.sql"))

    assert [step.file for step in STEPS] == files


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.file)
def test_a_step_reads_and_makes_what_the_list_says(step: Step) -> None:
    text = text_of(step)

    made = re.findall(r"create temp table (\w+) on commit drop as", text)
    written = re.findall(r"(?:insert into|update|delete from) (albacore\.\w+)", text)
    assert (made, written) == ([step.makes] if step.makes else [], [step.writes] if step.writes else [])
    assert named(text) - {step.makes} == set(step.reads)


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.file)
def test_a_step_takes_the_parameters_of_the_list(step: Step, rated: sa.Connection) -> None:
    assert set(describe(rated, step.file).parameters) == set(step.parameters)


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.file)
def test_a_step_reads_only_what_was_made_before(step: Step) -> None:
    before = {earlier.makes for earlier in STEPS[: STEPS.index(step)]}

    assert set(step.reads) <= before


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.file)
def test_no_part_of_a_step_hides_a_table(step: Step, rated: sa.Connection) -> None:
    tables = sa.inspect(rated).get_table_names(schema="albacore") + sa.inspect(rated).get_view_names(schema="albacore")
    parts = re.findall(r"(?:with|,)\s+(\w+) as (?:materialized )?\(", text_of(step))

    assert set(parts) & {*MADE, *tables} == set()


def test_only_a_few_steps_read_the_hours() -> None:
    readers = {Path(step.file).name for step in STEPS if "hourly_" in text_of(step)}

    assert readers == READERS_OF_HOURS


def test_the_picture_in_the_documents_is_made_from_the_list() -> None:
    page = (PROJECT / "docs" / "rating.md").read_text()

    assert picture() in page, "albacore_pipeline.billing.rating.steps.picture() makes it"
