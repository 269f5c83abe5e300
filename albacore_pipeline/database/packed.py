"""Rows as PostgreSQL's binary COPY takes them, put together by numpy many at a time.

Belongs here: columns of numbers and short texts as bytes, and records in which each column has one width.
Does not belong here: which table and which columns. Rows of any widths go through `copy_rows`, one by one.
Source: "Binary Format" in PostgreSQL's documentation of COPY; arrays as `array_send` writes them.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray

from albacore_pipeline.database.engine import driver

Bytes = NDArray[np.uint8]
"""(N, width): a column of N rows."""

_BEGIN, _END = b"PGCOPY\n\xff\r\n\0" + bytes(8), b"\xff\xff"
_INT4 = 23  # the type's oid


def integers(values: NDArray[np.integer], *, width: int) -> Bytes:
    """Integers of so many bytes: 2, 4 or 8."""
    return np.ascontiguousarray(values, dtype=f">i{width}")[:, None].view(np.uint8)


def int4_arrays(values: NDArray[np.integer]) -> Bytes:
    """The rows (N, H) of a table as arrays of H four-byte integers, none of them null."""
    count, size = values.shape
    elements = np.empty((count, size, 2), dtype=">i4")
    elements[:, :, 0], elements[:, :, 1] = 4, values
    header = struct.pack(">5i", 1, 0, _INT4, size, 1)
    return np.hstack([repeated(header, count), elements.reshape(count, -1).view(np.uint8)])


def repeated(value: bytes, count: int) -> Bytes:
    """The same bytes in every row: a text, or a number that is packed already."""
    return np.broadcast_to(np.frombuffer(value, dtype=np.uint8), (count, len(value)))


def records(columns: Sequence[Bytes | None], *, count: int) -> bytes:
    """Records of these columns; None is null in every row."""
    parts = [repeated(struct.pack(">h", len(columns)), count)]
    for column in columns:
        if column is None:
            parts.append(repeated(struct.pack(">i", -1), count))
        else:
            parts += [repeated(struct.pack(">i", column.shape[1]), count), column]
    return np.hstack(parts).tobytes()


def copy_records(connection: sa.Connection, *, table: str, columns: Sequence[str], blocks: Iterable[bytes]) -> None:
    """COPY blocks of records into a table, inside the connection's transaction.

    `table` and `columns` are the program's own words, never data.
    """
    with driver(connection).cursor() as cursor:
        statement = f"copy {table} ({', '.join(columns)}) from stdin (format binary)"
        with cursor.copy(statement.encode()) as copy:
            copy.write(_BEGIN)
            for block in blocks:
                copy.write(block)
            copy.write(_END)
