"""Tables as Markdown: what comes from outside is shown, and does nothing."""

from __future__ import annotations

import pytest

from albacore_pipeline import markdown


def test_a_table_has_a_line_a_row() -> None:
    table = markdown.table(("customer", "kWh"), [("acme", 3), ("beta", None)])
    assert table == "| customer | kWh |\n| --- | --- |\n| acme | 3 |\n| beta |  |"


def test_a_table_without_rows_still_names_its_columns() -> None:
    assert markdown.table(("customer",), []) == "| customer |\n| --- |"


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("a | b", r"a \| b"),
        ("<script>", r"\<script\>"),
        ("[pay](http://x.example)", r"\[pay\](http://x.example)"),
        ("*bold* _so_ `code` ~no~", r"\*bold\* \_so\_ \`code\` \~no\~"),
        ("a\\", r"a\\"),
        ("&lt;", r"\&lt;"),
        (" two\n lines\t", "two lines"),
    ],
)
def test_a_text_stays_a_text_in_its_cell(text: str, written: str) -> None:
    assert markdown.table(("c",), [(text,)]).splitlines()[2:] == [f"| {written} |"]


def test_links_are_the_program_s_own_and_stand_side_by_side() -> None:
    links = [
        markdown.Link(text="pay", url="https://pay.example/1"),
        markdown.Link(text="Xero", url="https://x.example"),
    ]
    assert "| [pay](https://pay.example/1) [Xero](https://x.example) |" in markdown.table(("open",), [(links,)])


def test_an_address_does_not_leave_its_link() -> None:
    link = markdown.Link(text="p]ay", url="https://pay.example/a) [x](http://evil.example|")
    assert str(link) == r"[p\]ay](https://pay.example/a%29%20[x]%28http://evil.example%7C)"
