"""Every kind of bad input is refused whole, with file, line, column and mend."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from albacore_pipeline.registry.files import Problem, RegistryRefused, read_registry
from albacore_pipeline.registry.rows import FOREVER
from albacore_pipeline_tests.registry.folders import FILES, line, write

CUSTOMERS, ASSIGNMENTS, TARIFFS = FILES["customers.csv"], FILES["assignments.csv"], FILES["tariffs.csv"]


def problems(folder: Path, **changed: str | bytes | None) -> list[Problem]:
    with pytest.raises(RegistryRefused) as refused:
        read_registry(write(folder, **changed))
    return list(refused.value.problems)


def test_a_good_registry_is_read_whole(tmp_path: Path) -> None:
    registry = read_registry(write(tmp_path))
    assert [customer.customer for customer in registry.customers] == ["acme", "bolt"]
    assert registry.customers[0].policy == "default"
    assert [(row.customer, row.to_day, row.state) for row in registry.assignments] == [
        ("acme", date(2025, 10, 14), "billable"),
        ("bolt", FOREVER, "billable"),
        ("bolt", FOREVER, "repair"),
    ]
    assert [(row.unit_price, row.multiplier) for row in registry.tariffs[:2]] == [
        (Decimal("0.70"), Decimal(1)),
        (Decimal("0.07"), Decimal("1.1")),
    ]
    assert registry.policies["default"][0].customers_per_day == 7


BAD_CELLS = [
    ("customers", 2, ",NOK,", ",XXX,", "currency", "no currency"),
    ("customers", 2, "pay@acme.example", "acme", "email", "no mail address"),
    ("customers", 2, "pay@acme.example", "mailto:pay@acme.example", "email", "invalid characters before the @-sign"),
    ("customers", 2, "pay@acme.example", "pay@acme..example", "email", "two periods in a row; write one, as"),
    ("customers", 2, "pay@acme.example", "pay@acme.example.", "email", "cannot end with a period"),
    ("customers", 2, "kam@albacore.example", "kam@albacore", "account_manager", "should have a period"),
    ("customers", 3, ",30,", ",-1,", "payment_terms_days", "greater than or equal to 0"),
    ("customers", 3, "Bolt Oy", "", "legal_name", "is empty"),
    ("customers", 3, ",default", ",strict", "policy", "not in policies.yaml"),
    ("customers", 2, "acme,", "=cmd,", "customer", "is no name"),
    ("assignments", 2, "acme", "nobody", "customer", "not in customers.csv"),
    ("assignments", 2, "norway", "sweden", "site", "is no site"),
    ("assignments", 2, "2025-10-14", "2025-10-32", "to_day", "not a day: write it as 2025-10-01"),
    ("assignments", 2, "2025-10-14", "14.10.2025", "to_day", "not a day"),
    ("assignments", 2, "2025-10-14", "2025-09-30", "to_day", "lies before from_day"),
    ("assignments", 4, "repair", "broken", "state", "Input should be"),
    ("assignments", 3, "2025-10-15", "2025-10-14", "from_day", "belongs to somebody already on 2025-10-14 (line 2)"),
    ("tariffs", 2, "0.70", "1e30", "unit_price", "less than"),
    ("tariffs", 2, "0.70", "NaN", "unit_price", "finite"),
    ("tariffs", 2, "0.70", "Infinity", "unit_price", "finite"),
    ("tariffs", 2, "0.70", "-0.1", "unit_price", "greater than or equal to 0"),
    ("tariffs", 2, "0.70", "0,70", "", "has 12 cells, the header has 11"),
    ("tariffs", 2, "0.70", "", "unit_price", "is empty"),
    ("tariffs", 3, "1.1", "0", "multiplier", "greater than 0"),
    ("tariffs", 4, "2025-10-20", "2025-10-19", "from_day", "another tariff holds"),
    ("tariffs", 2, "nok,,", "nok,bolt,", "currency", "is NOK, in customers.csv it is EUR"),
    ("tariffs", 2, "nok,,", "nok,nobody,", "customer", "not in customers.csv"),
    ("tariffs", 2, "flat", "barter", "kind", "'flat'"),
    ("machines", 2, "3200", "0", "rated_watts", "greater than 0"),
]  # fmt: skip


@pytest.mark.parametrize(("file", "number", "old", "new", "column", "words"), BAD_CELLS)
def test_a_bad_cell_is_named(
    tmp_path: Path, file: str, number: int, old: str, new: str, column: str, words: str
) -> None:
    name = f"{file}.csv"
    (problem,) = problems(tmp_path, **{file: line(name, number, old, new)})
    assert (problem.file, problem.line, problem.column) == (name, number, column)
    assert words in problem.message


@pytest.mark.parametrize(
    ("file", "text", "place", "words"),
    [
        ("customers", CUSTOMERS + CUSTOMERS.splitlines()[1], "customers.csv:4: customer", "line 2 already"),
        ("assignments", ASSIGNMENTS + ASSIGNMENTS.splitlines()[1], "assignments.csv:5: from_day", "somebody already"),
        ("tariffs", TARIFFS + TARIFFS.splitlines()[1], "tariffs.csv:5: from_day", "another tariff"),
        ("machines", FILES["machines.csv"] + "norway,NO-0001,1,,\n", "machines.csv:3: machine", "line 2 already"),
        ("customers", CUSTOMERS.replace("policy", "colour"), "customers.csv:1: colour", "no such column"),
        ("customers", CUSTOMERS.replace("email,", ""), "customers.csv:1: email", "missing from the header"),
        ("customers", CUSTOMERS.replace(",policy", ",name"), "customers.csv:1", "twice in the header"),
        ("assignments", ASSIGNMENTS.replace(",", ";"), "assignments.csv:1", "separate columns by commas"),
        ("assignments", "", "assignments.csv:1: customer", "missing from the header"),
        ("assignments", None, "assignments.csv", "is missing from"),
        ("tariffs", TARIFFS.encode("utf-16"), "tariffs.csv:1", "save the file as UTF-8"),
        ("customers", CUSTOMERS.replace("2 Street", "2 Gränd").encode("latin-1"), "customers.csv:3", "not UTF-8"),
        ("tariffs", TARIFFS[:-20], "tariffs.csv:4", "the header has 11"),
        ("tariffs", TARIFFS + 'half,"', "tariffs.csv:5", "is not CSV"),
        ("customers", CUSTOMERS.replace("1 Street", "x" * 20_000), "customers.csv:2: address", "has 20000 characters"),
        ("customers", CUSTOMERS.replace("1 Street", "x" * 10_000_000), "customers.csv:2", "a cell of more than 131072"),
        ("customers", CUSTOMERS.replace("Acme AS", "Acme\x00AS"), "customers.csv:2: legal_name", "character U+0000"),
        ("policies", "default:\n\t- x\n", "policies.yaml:2", "is not YAML"),
        ("policies", "default:\n  - from_day: 2025-02-30\n", "policies.yaml", "is not YAML"),
        ("policies", "[" * 5_000, "policies.yaml", "is not YAML"),
        ("policies", "default: {}\n", "policies.yaml:1", "must be a mapping"),
        ("policies", "default: [{customers_per_day: soon}]\n", "policies.yaml:1: default.customers_per_day", "integer"),
        ("policies", "default:\n  - overdue: 3\n", "policies.yaml:2: default.overdue", "not permitted"),
        ("policies", "default: [{from_day: 2025-01-01}, {from_day: 2025-01-01}]\n", "policies.yaml:1: default.from_day",
         "2025-01-01 stands twice"),
        ("policies", "default:\n  - owners:\n      reminder: mailto:a@b.example\n",
         "policies.yaml:3: default.owners.reminder", "invalid characters before the @-sign: ':'"),
        ("policies", "default: [{review_factor: 1}]\n", "policies.yaml:1: default.review_factor", "more than 1"),
        ("policies", "default: [{review_factor: -3}]\n", "policies.yaml:1: default.review_factor", "greater than"),
        ("policies", "default: [{estimated_hours: -1}]\n", "policies.yaml:1: default.estimated_hours", "greater than"),
        ("policies", "default: [{carry_below: {EUR: -5}}]\n", "policies.yaml:1: default.carry_below.EUR", "greater"),
        ("policies", "default: [{carry_below: {XXX: 5}}]\n", "policies.yaml:1: default.carry_below.XXX", "no currency"),
    ],
)  # fmt: skip
def test_a_bad_file_is_named(tmp_path: Path, file: str, text: str | bytes | None, place: str, words: str) -> None:
    assert any(
        str(problem).startswith(place) and words in problem.message for problem in problems(tmp_path, **{file: text})
    )


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(RegistryRefused, match="is no folder"):
        read_registry(tmp_path / "nowhere")


def test_everything_that_is_wrong_is_said_at_once(tmp_path: Path) -> None:
    customers = line("customers.csv", 2, "NOK", "XXX").replace("pay@bolt.example", "bolt")
    found = problems(tmp_path, customers=customers, tariffs=None)
    assert [(problem.file, problem.line, problem.column) for problem in found] == [
        ("customers.csv", 2, "currency"),
        ("customers.csv", 3, "email"),
        ("tariffs.csv", 0, ""),
    ]


def test_a_byte_order_mark_and_windows_line_ends_do_no_harm(tmp_path: Path) -> None:
    plain = read_registry(write(tmp_path / "plain"))
    marked = read_registry(
        write(tmp_path / "marked", customers=b"\xef\xbb\xbf" + CUSTOMERS.replace("\n", "\r\n").encode())
    )
    assert marked.customers == plain.customers


def test_a_last_line_without_its_end_is_a_line(tmp_path: Path) -> None:
    assert len(read_registry(write(tmp_path, assignments=ASSIGNMENTS.rstrip("\n"))).assignments) == 3


def test_formulas_in_names_are_text(tmp_path: Path) -> None:
    formula = '=HYPERLINK("http://x.example")'
    quoted = '"' + formula.replace('"', '""') + '"'
    registry = read_registry(write(tmp_path, customers=line("customers.csv", 2, "Acme AS", quoted)))
    assert registry.customers[0].legal_name == formula


def test_machines_and_policies_may_be_left_out(tmp_path: Path) -> None:
    registry = read_registry(write(tmp_path, machines=None, policies=None))
    assert registry.machines == []
    assert list(registry.policies) == ["default"]


def test_the_content_hash_follows_the_content(tmp_path: Path) -> None:
    first = read_registry(write(tmp_path / "a")).content_sha256
    assert read_registry(write(tmp_path / "b")).content_sha256 == first
    assert read_registry(write(tmp_path / "c", machines=None)).content_sha256 != first
