"""Valid registries of any shape, as files, and damages to a file."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Sequence
from datetime import date, timedelta
from typing import Any

from hypothesis import strategies as st

DAY = date(2025, 1, 1)
COLUMNS = {
    "customers.csv": "customer,name,legal_name,address,vat_number,email,country,language,currency,entity,"
    "payment_terms_days,tax_type,account_manager,policy",
    "assignments.csv": "site,machine,customer,from_day,to_day,state",
    "tariffs.csv": "tariff,customer,site,from_day,to_day,kind,currency,unit_price,multiplier,fee_per_machine_day,"
    "minimum_per_month,index",
    "tariff_bands.csv": "tariff,from_kwh,weekdays,from_hour,to_hour,unit_price",
    "prices.csv": "index,hour_start,currency,price_per_kwh",
    "entities.csv": "entity,legal_name,address,vat_number,email",
    "machines.csv": "site,machine,rated_watts,serial,model",
}
texts = st.text(alphabet="Aaå ñ,\"'=+-@;ß9", min_size=1, max_size=12).filter(lambda text: text.strip() == text)
money = st.decimals(min_value=0, max_value=100, places=4)
maybe_money = st.one_of(st.just(""), money)

NASTY = (
    "", " ", "=1+1", "@x", "NaN", "Infinity", "1e30", "-1", "0", "1,5", "1 000", "9" * 50, "\x00", "2025-13-01",
    "0001-01-01", "9999-12-31", "infinity", "'; drop table x; --", "x" * 11_000, "\U0001f4a5", '"', "\n", "Mon-Fri",
    "2025-10-01T00:15+02:00", "default", "a@b.example",
)  # fmt: skip


@st.composite
def registries(draw: st.DrawFn) -> dict[str, bytes]:
    """The files of a registry that holds together."""
    names = [f"c{number}" for number in range(draw(st.integers(1, 3)))]
    currencies = {name: draw(st.sampled_from(["NOK", "EUR"])) for name in names}
    tariffs, bands = draw(_tariffs(currencies))
    rows: dict[str, list[Sequence[Any]]] = {
        "customers.csv": [
            (name, draw(texts), draw(texts), draw(texts), "", f"{name}@x.example", "NO", "en", currencies[name], "ALB",
             draw(st.integers(0, 60)), "NONE", "kam@x.example", "")
            for name in names
        ],
        "assignments.csv": [row for machine in ("NO-1", "NO-2") for row in draw(_stays(machine, names))],
        "tariffs.csv": tariffs,
        "tariff_bands.csv": bands,
        "prices.csv": [
            ("spot", f"2025-10-01T{hour:02d}:00+02:00", "EUR", draw(money) - 50)
            for hour in range(draw(st.integers(0, 4)))
        ],
        "entities.csv": [("ALB", draw(texts), draw(texts), "", "")],
        "machines.csv": [("norway", "NO-1", draw(st.integers(1, 9_999)), draw(texts), "")],
    }  # fmt: skip
    policies = f"default:\n- from_day: 2025-01-01\n  customers_per_day: {draw(st.integers(0, 2))}\n"
    return {name: _written(name, found) for name, found in rows.items()} | {"policies.yaml": policies.encode()}


@st.composite
def _stays(draw: st.DrawFn, machine: str, customers: Sequence[str]) -> list[list[Any]]:
    """A machine's assignments, one after the other, some days between them."""
    stays: list[list[Any]] = []
    day = DAY
    for _ in range(draw(st.integers(1, 3))):
        first = day + timedelta(days=draw(st.integers(0, 2)))
        day = first + timedelta(days=draw(st.integers(1, 40)))
        state = draw(st.sampled_from(["", "billable", "repair", "free"]))
        stays.append(["norway", machine, draw(st.sampled_from(customers)), first, day - timedelta(days=1), state])
    if draw(st.booleans()):
        stays[-1][4] = ""
    return stays


@st.composite
def _tariffs(draw: st.DrawFn, customers: dict[str, str]) -> tuple[list[Sequence[Any]], list[Sequence[Any]]]:
    """A tariff of any kind for everybody in each currency, and one for some customers."""
    tariffs: list[Sequence[Any]] = []
    bands: list[Sequence[Any]] = []
    holders = [("", "NOK"), ("", "EUR"), *draw(st.sets(st.sampled_from(sorted(customers.items()))))]
    for number, (customer, currency) in enumerate(holders):
        name, kind = f"t{number}", draw(st.sampled_from(["flat", "tiered", "time_of_use", "indexed"]))
        price, index = draw(money), draw(st.sampled_from(["", "spot"])) if kind == "indexed" else ""
        tariffs.append(
            (name, customer, "", DAY, "", kind, currency, price, "", draw(maybe_money), draw(maybe_money), index)
        )
        if kind == "tiered":
            steps = draw(st.sets(st.integers(0, 5_000), min_size=1, max_size=3))
            bands += [(name, step, "", "", "", draw(money)) for step in sorted(steps)]
        if kind == "time_of_use":
            hour = draw(st.integers(1, 23))
            bands += [(name, "", "Mon-Fri", hour, 24, draw(money)), (name, "", "Sat Sun", hour, hour, draw(money))]
    return tariffs, bands


def _written(name: str, rows: Iterable[Sequence[Any]]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS[name].split(","))
    writer.writerows(rows)
    return text.getvalue().encode()


# Damages


def _in_lines(change: Callable[[list[bytes], int, int], None]) -> Callable[[bytes, int, int], bytes]:
    def act(content: bytes, here: int, there: int) -> bytes:
        lines = content.splitlines(keepends=True)
        if lines:
            change(lines, here % len(lines), there % len(lines))
        return b"".join(lines)

    return act


def _twice(lines: list[bytes], here: int, there: int) -> None:
    lines.insert(there, lines[here])


def _gone(lines: list[bytes], here: int, _: int) -> None:
    del lines[here]


def _swapped(lines: list[bytes], here: int, there: int) -> None:
    lines[here], lines[there] = lines[there], lines[here]


def _nasty_cell(lines: list[bytes], here: int, there: int) -> None:
    cells = lines[here].rstrip(b"\n").split(b",")
    nasty = NASTY[there % len(NASTY)].encode()
    cells[there % len(cells)] = b'"' + nasty.replace(b'"', b'""') + b'"'
    lines[here] = b",".join(cells) + b"\n"


def _cut(content: bytes, here: int, _: int) -> bytes:
    return content[: here % (len(content) + 1)]


def _without_part(content: bytes, here: int, there: int) -> bytes:
    first = here % (len(content) + 1)
    return content[:first] + content[first + 1 + there % 20 :]


def _other_byte(content: bytes, here: int, there: int) -> bytes:
    place = here % len(content)
    return content[:place] + bytes([there % 256]) + content[place + 1 :]


def _more_bytes(content: bytes, here: int, there: int) -> bytes:
    place = here % (len(content) + 1)
    return content[:place] + NASTY[there % len(NASTY)].encode() + content[place:]


def _utf_16(content: bytes, _: int, __: int) -> bytes:
    return content.decode().encode("utf-16")


DAMAGES: tuple[Callable[[bytes, int, int], bytes], ...] = (
    _in_lines(_twice), _in_lines(_gone), _in_lines(_swapped), _in_lines(_nasty_cell), _cut, _without_part, _other_byte,
    _more_bytes, _utf_16,
)  # fmt: skip


@st.composite
def damages(draw: st.DrawFn) -> Callable[[bytes], bytes]:
    """One damage, at any place."""
    places = st.sampled_from(range(10_000))  # unlike integers they prefer no small ones, which all lie in the header
    act, here, there = draw(st.sampled_from(DAMAGES)), draw(places), draw(places)
    return lambda content: act(content, here, there)
