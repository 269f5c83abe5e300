"""The archive of raw answers: what came over the wire, kept under its own sha256.

Belongs here: putting bytes away once and getting them back unchanged, on a disk or at any fsspec URL; and journals,
which know of what was done outside when the database is put back to an older state.
Does not belong here: who refers to them.
"""

from __future__ import annotations

import gzip
import hashlib
import os
import re
import uuid
import zlib
from datetime import datetime

import fsspec

_SHA = re.compile(r"[0-9a-f]{64}")


class ArchiveFailure(Exception):
    """Content is missing or damaged. One line, with the mend."""


class Archive:
    """Content-addressed files `<base>/<first two digits>/<sha256>.gz`; those of raw answers lie under `<base>/raw/`.

    The sha256 is that of the content. A file appears whole or not at all where the file system moves atomically, and
    any number of writers may put the same content at once.
    """

    def __init__(self, url: str) -> None:
        self._fs, base = fsspec.core.url_to_fs(url)
        self._base = base.rstrip("/")
        self._raw = f"{self._base}/raw"

    def put(self, content: bytes) -> str:
        """Keep content for ever and return its sha256 in hex. What is there already is not written again."""
        return self._put(self._base, content, b"")

    def put_raw(self, content: bytes, *, gzipped: bytes = b"") -> str:
        """Keep a raw answer and return its sha256 in hex. What is there already is not written again.

        `gzipped` is the gzip stream in which the answer came, if it did: kept as it is, nothing is packed anew.
        """
        return self._put(self._raw, content, gzipped)

    def get(self, sha: str) -> bytes:
        """The content of that sha256. Raises ArchiveFailure where it is missing or is not what it was."""
        if not _SHA.fullmatch(sha):
            raise ArchiveFailure(f"{sha[:80]!r} is no sha256: give 64 hexadecimal digits")
        try:
            content = gzip.decompress(self._packed(sha))
        except FileNotFoundError:
            mend = "see ALBACORE_ARCHIVE and ALBACORE_ARCHIVE_DAYS, or restore it from a backup"
            raise ArchiveFailure(f"the archive has no {sha}: {mend}") from None
        except (gzip.BadGzipFile, EOFError, zlib.error):
            content = None
        if content is None or hashlib.sha256(content).hexdigest() != sha:
            raise ArchiveFailure(f"the archive's copy of {sha} is damaged: restore it from a backup")
        return content

    def raw_before(self, instant: datetime) -> list[str]:
        """The sha256 of every raw answer that was put away before an instant."""
        if not self._fs.exists(self._raw):
            return []
        files = (path for path in self._fs.find(self._raw) if path.endswith(".gz"))
        return [_sha_of(path) for path in files if self._fs.modified(path) < instant]

    def delete_raw(self, sha: str) -> None:
        """Delete a raw answer. What was kept for ever stays."""
        self._fs.rm_file(_path(self._raw, sha))

    def append(self, journal: str, name: str, content: bytes) -> None:
        """Add an entry to a journal, a folder of small files that are never changed; names sort by time."""
        path = f"{self._base}/journal/{journal}/{name}.json"
        self._write(path, content)

    def entries(self, journal: str, *, since: str = "") -> list[tuple[str, bytes]]:
        """The entries of a journal from a name on, in order."""
        folder = f"{self._base}/journal/{journal}"
        if not self._fs.exists(folder):
            return []
        paths = sorted(path for path in self._fs.find(folder) if path.endswith(".json"))
        named = [(path.rpartition("/")[2].removesuffix(".json"), path) for path in paths]
        return [(name, self._fs.cat_file(path)) for name, path in named if name >= since]

    def _put(self, base: str, content: bytes, gzipped: bytes) -> str:
        sha = hashlib.sha256(content).hexdigest()
        path = _path(base, sha)
        if self._fs.exists(path):
            return sha
        self._write(path, gzipped or gzip.compress(content, compresslevel=5, mtime=0))
        return sha

    def _write(self, path: str, content: bytes) -> None:
        """Make a file, whole or not at all."""
        self._fs.makedirs(path.rpartition("/")[0], exist_ok=True)
        temporary = f"{path}.{uuid.uuid4().hex}.part"
        with self._fs.open(temporary, "wb") as file:
            file.write(content)
            file.flush()
            if "file" in self._protocols():
                os.fsync(file.fileno())
        self._fs.mv(temporary, path)

    def _packed(self, sha: str) -> bytes:
        """Raises FileNotFoundError. Raw answers of old lie where the others do."""
        packed: bytes
        try:
            packed = self._fs.cat_file(_path(self._raw, sha))
        except FileNotFoundError:
            packed = self._fs.cat_file(_path(self._base, sha))
        return packed

    def _protocols(self) -> tuple[str, ...]:
        protocol = self._fs.protocol
        return (protocol,) if isinstance(protocol, str) else tuple(protocol)


def _path(base: str, sha: str) -> str:
    return f"{base}/{sha[:2]}/{sha}.gz"


def _sha_of(path: str) -> str:
    return path.rpartition("/")[2].removesuffix(".gz")
