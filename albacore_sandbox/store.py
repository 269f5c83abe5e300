"""What the world remembers: collections of JSON documents, held in memory and written through to one SQLite file.

Belongs here: storing, loading and undoing. A document that was put is never changed in place, only put anew.
Does not belong here: what a document means.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec

Document = dict[str, Any]

_encoder = msgspec.json.Encoder(decimal_format="number")
_decoder = msgspec.json.Decoder(float_hook=Decimal)


def to_json(value: Any) -> bytes:
    """JSON in which Decimals are numbers."""
    return _encoder.encode(value)


def from_json(raw: bytes | str) -> Any:
    """JSON whose fractions become Decimals. Raises msgspec.DecodeError."""
    return _decoder.decode(raw)


class Collection(Mapping[str, Document]):
    """Documents of one kind by id, in the order in which they first came."""

    def __init__(self, *, store: Store, kind: str, documents: dict[str, Document]) -> None:
        self._store = store
        self._kind = kind
        self._documents = documents

    def __getitem__(self, key: str) -> Document:
        return self._documents[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._documents)

    def __len__(self) -> int:
        return len(self._documents)

    def put(self, key: str, document: Document) -> None:
        """Store a document under its id, replacing the one that was there."""
        self._store.write(kind=self._kind, key=key, document=document)
        self.restore(key, document, remember=True)

    def remove(self, key: str) -> None:
        """Forget a document; one that is not there is forgotten already."""
        self._store.write(kind=self._kind, key=key, document=None)
        self.restore(key, None, remember=True)

    def restore(self, key: str, document: Document | None, *, remember: bool = False) -> None:
        """Set the copy in memory; with `remember` so that an open transaction can undo it."""
        if remember:
            self._store.undo_later(self, key, self._documents.get(key))
        if document is None:
            self._documents.pop(key, None)
        else:
            self._documents[key] = document


class Store:
    """The file. One thread uses it; it survives the end of the process at any instant (not of the machine)."""

    def __init__(self, path: Path) -> None:
        self._connection = sqlite3.connect(path, isolation_level=None)
        self._connection.execute("PRAGMA journal_mode=WAL")
        self._connection.execute("PRAGMA synchronous=OFF")
        self._connection.execute(
            "CREATE TABLE IF NOT EXISTS document ("
            " position INTEGER PRIMARY KEY, kind TEXT NOT NULL, key TEXT NOT NULL, body BLOB NOT NULL,"
            " UNIQUE (kind, key))"
        )
        self._undo: list[tuple[Collection, str, Document | None]] = []
        self._depth = 0

    def collection(self, kind: str) -> Collection:
        """The documents of a kind, loaded. Ask for each kind once."""
        rows = self._connection.execute("SELECT key, body FROM document WHERE kind = ? ORDER BY position", (kind,))
        return Collection(store=self, kind=kind, documents={key: from_json(body) for key, body in rows})

    def write(self, *, kind: str, key: str, document: Document | None) -> None:
        """Write a document through to the file; None deletes it."""
        if document is None:
            self._connection.execute("DELETE FROM document WHERE kind = ? AND key = ?", (kind, key))
        else:
            self._connection.execute(
                "INSERT INTO document (kind, key, body) VALUES (?, ?, ?)"
                " ON CONFLICT (kind, key) DO UPDATE SET body = excluded.body",
                (kind, key, to_json(document)),
            )

    def undo_later(self, collection: Collection, key: str, before: Document | None) -> None:
        """Note what a document was before a change, while a transaction is open."""
        if self._depth:
            self._undo.append((collection, key, before))

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All of the changes inside, or none if an exception leaves it. May be nested."""
        self._depth += 1
        name, mark = f"level_{self._depth}", len(self._undo)
        self._connection.execute(f"SAVEPOINT {name}")
        try:
            yield
        except BaseException:
            self._connection.execute(f"ROLLBACK TO {name}")
            while len(self._undo) > mark:
                collection, key, before = self._undo.pop()
                collection.restore(key, before)
            raise
        finally:
            self._connection.execute(f"RELEASE {name}")
            self._depth -= 1
            if not self._depth:
                self._undo.clear()

    def close(self) -> None:
        """Close the file."""
        self._connection.close()
