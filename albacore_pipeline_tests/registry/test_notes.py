"""What is odd is noted and loads; what could be meant otherwise by a file's form is refused with its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from albacore_pipeline.registry.files import RegistryRefused, read_registry
from albacore_pipeline_tests.registry.folders import FILES, KINDS, kinds, line, write
from albacore_pipeline_tests.registry.test_files import problems

CUSTOMERS, ASSIGNMENTS, TARIFFS = FILES["customers.csv"], FILES["assignments.csv"], FILES["tariffs.csv"]


def notes(folder: Path, **changed: str | bytes | None) -> list[str]:
    return [str(note) for note in read_registry(write(folder, **changed)).notes]


def test_a_plain_registry_has_no_notes(tmp_path: Path) -> None:
    assert notes(tmp_path) == []


NOTES = {
    "days of nobody": (
        {"assignments": line("assignments.csv", 3, "2025-10-15", "2025-10-20")},
        "assignments.csv:3: from_day: nobody has NO-0001 from 2025-10-15 to 2025-10-19",
    ),
    "a rating of nobody's machine": (
        {"machines": FILES["machines.csv"] + "norway,NO-0002,3200,,\n"},
        "machines.csv:3: machine: NO-0002 is in no row of assignments.csv",
    ),
    "no tariff at all": (
        {"tariffs": line("tariffs.csv", 2, "NOK", "SEK")},
        "assignments.csv:2: customer: acme: no tariff in NOK holds at norway on 2025-10-01: billing will wait for one",
    ),
    "no tariff from a day on": (
        {"tariffs": line("tariffs.csv", 4, ",2025-10-20,,", ",2025-10-20,2025-12-31,")},
        "assignments.csv:3: customer: bolt: no tariff in EUR holds at norway on 2026-01-01: billing will wait for one",
    ),
    "no tariff in between": (
        {"tariffs": line("tariffs.csv", 4, ",2025-10-20,,", ",2025-10-22,,")},
        "assignments.csv:3: customer: bolt: no tariff in EUR holds at norway on 2025-10-20: billing will wait for one",
    ),
    "a last line that may be cut": (
        {"assignments": ASSIGNMENTS.rstrip("\n")},
        "assignments.csv:4: ends without a line end: make sure that the file was not cut",
    ),
    "a series without a price": (
        kinds() | {"tariffs": line("tariffs.csv", 6, "NO2", "NO-2", files=KINDS)},
        "tariffs.csv:6: index: prices.csv has no price of 'NO-2' in EUR",
    ),
    "bands in two currencies": (
        kinds() | {"tariffs": KINDS["tariffs.csv"] + "tier,,norway,2025-01-01,,tiered,NOK,1,,,,\n"},
        "tariffs.csv:8: currency: the bands of 'tier' mean EUR in line 4 and NOK here",
    ),
}


@pytest.mark.parametrize("odd", NOTES)
def test_what_is_odd_is_noted(tmp_path: Path, odd: str) -> None:
    changed, note = NOTES[odd]
    assert notes(tmp_path, **changed) == [note]


def test_files_that_nobody_reads_are_noted(tmp_path: Path) -> None:
    write(tmp_path)
    (tmp_path / "tariff_band.csv").write_text("tariff\n")
    (tmp_path / "readme.txt").write_text("as it should be")
    (note,) = notes(tmp_path)
    assert note.startswith("tariff_band.csv: is not read: the registry's files are customers.csv")


# The form of the files


def test_a_row_is_named_by_the_line_on_which_it_begins(tmp_path: Path) -> None:
    addressed = CUSTOMERS.replace("1 Street", '"1 Street\nfloor 2\nOslo"')
    found = problems(tmp_path, customers="\n\n" + addressed.replace(",NOK,", ",XXX,").replace("bolt.example", "bolt"))
    assert [(problem.line, problem.column) for problem in found] == [(4, "currency"), (7, "email")]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_ends_and_empty_lines_do_no_harm(tmp_path: Path, end: str) -> None:
    customers = CUSTOMERS.replace("1 Street", '"1 Street\nOslo"') + "\n  \n,,,,,,,,,,,,,\n\n"
    registry = read_registry(write(tmp_path, customers=customers.replace("\n", end)))
    assert [row.address for row in registry.customers] == ["1 Street\nOslo", "2 Street"]


@pytest.mark.parametrize(("mark", "name"), [(";", "semicolons"), ("\t", "tabs")])
def test_another_separator_is_named(tmp_path: Path, mark: str, name: str) -> None:
    (problem,) = problems(tmp_path, tariffs=TARIFFS.replace(",", mark))
    assert str(problem).startswith(f"tariffs.csv:1: is separated by {name}: separate columns by commas")


def test_a_quote_that_is_never_closed_is_named_where_it_opens(tmp_path: Path) -> None:
    (problem,) = problems(tmp_path, customers=CUSTOMERS.replace("Acme AS", '"Acme AS'))
    assert (problem.file, problem.line) == ("customers.csv", 2)
    assert "never closed" in problem.message


def test_a_folder_or_a_broken_link_is_no_file(tmp_path: Path) -> None:
    write(tmp_path, machines=None)
    (tmp_path / "machines.csv").mkdir()
    (tmp_path / "prices.csv").symlink_to(tmp_path / "gone.csv")
    with pytest.raises(RegistryRefused) as refused:
        read_registry(tmp_path)
    assert [str(problem) for problem in refused.value.problems] == [
        "machines.csv: can not be read as a file: Is a directory",
        f"prices.csv: is missing from {tmp_path}",
    ]


def test_what_the_statement_can_not_print_is_refused_with_the_characters(tmp_path: Path) -> None:
    customers = CUSTOMERS.replace("Acme AS", "Acme \u4e2d\u6587").replace("2 Street", "2 \u202eteertS")
    found = problems(tmp_path, customers=customers)
    assert [(problem.line, problem.column) for problem in found] == [(2, "legal_name"), (3, "address")]
    assert "'\u4e2d' (U+4E2D) '\u6587' (U+6587)" in found[0].message
    assert "U+202E" in found[1].message


def test_names_stand_on_one_line(tmp_path: Path) -> None:
    (problem,) = problems(tmp_path, customers=CUSTOMERS.replace("Acme AS", '"Acme\nBcc: x"'))
    assert (problem.line, problem.column) == (2, "legal_name")


def test_a_country_without_a_calendar_of_holidays_is_refused(tmp_path: Path) -> None:
    (problem,) = problems(tmp_path, customers=CUSTOMERS.replace(",NO,", ",QQ,"))
    assert (problem.line, problem.column) == (2, "country")


def test_one_file_that_is_spoiled_hides_nothing_in_the_others(tmp_path: Path) -> None:
    assignments = ASSIGNMENTS.replace("repair", "broken").replace("2025-10-15", "2025-10-14")
    tariffs = TARIFFS.replace("nok,,", "nok,nobody,")
    found = problems(tmp_path, assignments=assignments, tariffs=tariffs)
    assert [(problem.file, problem.line) for problem in found] == [
        ("assignments.csv", 3), ("assignments.csv", 4), ("tariffs.csv", 2),
    ]  # fmt: skip


def test_every_overlap_is_named(tmp_path: Path) -> None:
    rows = ASSIGNMENTS + "norway,NO-0002,acme,2025-01-01,,\n"
    rows += "norway,NO-0002,bolt,2025-02-01,2025-02-02,\nnorway,NO-0002,bolt,2025-03-01,2025-03-02,\n"
    found = problems(tmp_path, assignments=rows)
    assert [(problem.line, problem.message[-8:]) for problem in found] == [(6, "(line 5)"), (7, "(line 5)")]


# policies.yaml

POLICIES = [
    ("default: []\n", "policies.yaml:1: default: has no version"),
    ("default:\n- {}\nstrict:\n- {}\ndefault:\n- {}\n", "policies.yaml:5: default: stands twice"),
    ("default:\n- customers_per_day: 3\n  customers_per_day: 4\n", "policies.yaml:3: customers_per_day: stands twice"),
    ("default:\n- {}\n- customers_per_day: -1\n", "policies.yaml:3: default.customers_per_day: "),
    ("default:\n- owners:\n    reminder: x\n", "policies.yaml:3: default.owners.reminder: "),
    ("default:\n- from_day: 20250101\n", "policies.yaml:2: default.from_day: a value of type int is not a day"),
    ("default:\n- from_day: [1]\n", "policies.yaml:2: default.from_day: "),
    ("default:\n- customers_per_day: !!int ''\n", "policies.yaml: is not YAML that can be read"),
    ("default: [{}]\n'a b': [{}]\n", "policies.yaml:2: a b: is no name for a policy"),
    ("? [a]\n: [{}]\n", "policies.yaml:"),
    ("- default\n", "policies.yaml:1: must be a mapping"),
    ("", "policies.yaml:1: must be a mapping"),
    ("default: &all [*all]\n", "policies.yaml:1: default: "),
    ("default: [{owners: {reminder: 7}}]\n", "policies.yaml:1: default.owners.reminder: a value of type int is no"),
    ("\x00", "policies.yaml: is not YAML"),
    ("default:\n- overdue_days: 9\n", "policies.yaml:2: default: overdue_days is written in `stages` now"),
    ("default: [{machines_per_site_and_day: 999}]\n", "policies.yaml:1: default: machines_per_site_and_day is 999"),
    ("default: [{owners: {paused: Finance+x@albacore.example}}]\n", "must be two people"),
    ("default: [{owners: {nobody: a@albacore.example}}]\n", "owners: nobody is no stage of the policy"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "place"), POLICIES)
def test_a_bad_policy_is_named(tmp_path: Path, text: str, place: str) -> None:
    assert place in str(problems(tmp_path, policies=text)[0])
