"""The two parts of a letter, plain text and HTML, laid out from what one template says.

A template is plain text: paragraphs between blank lines; `# ` begins a heading; lines that begin with two spaces stay
lines. Tables and forms are functions that a template calls; each part has its own.

Belongs here: layout and escaping. Does not belong here: words, and what a letter must say.
"""

from __future__ import annotations

import functools
import re
import textwrap
from collections.abc import Iterator, Mapping, Sequence

from markupsafe import Markup, escape

WIDTH = 72
HEADING = "# "
KEPT = "  "  # lines that begin so stay as they are
LINK = "payment_link"
WIDEST_LINES = 3  # a table of more columns is a list in plain text: one line a cell
CELL = "padding:4px 12px 4px 0;text-align:left;vertical-align:top;border-bottom:1px solid #cccccc"
BODY = "font-family:sans-serif;font-size:15px;line-height:1.45;color:#1a1a1a;background:#ffffff;max-width:60em"

Row = Mapping[str, str]


def text_table(rows: Sequence[Row], **headings: str) -> str:
    """Fields of rows under their headings, in plain text; a field that is empty in every row is left out."""
    shown = _filled(rows, headings)
    if len(headings) > WIDEST_LINES:
        return "\n\n".join(_list(row, shown) for row in rows)
    lines = [dict(shown), *rows]
    widths = {field: max(len(row[field]) for row in lines) for field in shown}
    return "\n".join(KEPT + "  ".join(row[field].ljust(widths[field]) for field in shown).rstrip() for row in lines)


def _list(row: Row, headings: Mapping[str, str]) -> str:
    return "\n".join(f"{KEPT}{heading}: {row[field]}" for field, heading in headings.items() if row[field])


def html_table(rows: Sequence[Row], **headings: str) -> Markup:
    """The same as a table of HTML. A link shows where it leads."""
    shown = _filled(rows, headings)
    head = "".join(f'<th style="{CELL}">{escape(heading)}</th>' for heading in shown.values())
    body = "".join(f"<tr>{''.join(_cell(field, row[field]) for field in shown)}</tr>\n" for row in rows)
    return Markup(f'<table style="border-collapse:collapse">\n<tr>{head}</tr>\n{body}</table>')  # noqa: S704 - escaped


def _cell(field: str, value: str) -> str:
    shown = escape(value)
    if field == LINK and value:
        return f'<td style="{CELL}"><a href="{shown}">{shown}</a></td>'
    return f'<td style="{CELL};white-space:nowrap">{shown}</td>'


def _filled(rows: Sequence[Row], headings: Mapping[str, str]) -> dict[str, str]:
    return {field: heading for field, heading in headings.items() if any(row[field] for row in rows)}


def text_form(form: str) -> str:
    """A form that is typed as it stands."""
    return textwrap.indent(form, KEPT)


def html_form(form: str) -> Markup:
    """A form that is typed as it stands."""
    return Markup("<pre>{}</pre>").format(form)


def text_part(rendered: str) -> str:
    """What a template said, as the plain text of a mail."""
    return "\n\n".join(_text(block) for block in _blocks(rendered)) + "\n"


def _text(block: str) -> str:
    if block.startswith(HEADING):
        title = block.removeprefix(HEADING)
        return f"{title}\n{'-' * len(title)}"
    if block.startswith(KEPT):
        return block
    return _folded(_joined(block))


@functools.lru_cache(maxsize=4096)  # thousands of letters share most paragraphs
def _folded(paragraph: str) -> str:
    return textwrap.fill(paragraph, width=WIDTH, break_long_words=False, break_on_hyphens=False)


def html_part(rendered: str, *, title: str, language: str) -> str:
    """What a template said with escaped values, as a page that needs nothing from elsewhere."""
    body = "\n".join(_html(block) for block in _blocks(rendered))
    return (
        f'<!DOCTYPE html>\n<html lang="{escape(language)}">\n<head><meta charset="utf-8">'
        f"<title>{escape(title)}</title></head>\n<body>\n"
        f'<div style="{BODY}">\n{body}\n</div>\n</body>\n</html>\n'
    )


def _html(block: str) -> str:
    if block.startswith(HEADING):
        return f'<h2 style="font-size:17px;margin:1.4em 0 0.4em">{block.removeprefix(HEADING)}</h2>'
    if block.startswith("<"):  # of a function of ours: what comes from outside is escaped
        return block
    if block.startswith(KEPT):
        return f"<p>{'<br>'.join(line.strip() for line in block.splitlines())}</p>".replace("<br>", "<br>\n")
    return f"<p>{_joined(block)}</p>"


def _blocks(rendered: str) -> Iterator[str]:
    """What stands between blank lines."""
    for block in re.split(r"\n(?:[ \t]*\n)+", rendered.strip("\n")):
        if block.strip():
            yield block


def _joined(block: str) -> str:
    return re.sub(r"[ \n]+", " ", block).strip()
