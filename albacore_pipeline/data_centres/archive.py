"""The archive of raw answers: what came over the wire, kept under its own sha256.

Belongs here: putting bytes away once and getting them back unchanged, on a disk or at any fsspec URL.
Does not belong here: who refers to them.
"""

from __future__ import annotations

import gzip
import hashlib
import os
import re
import uuid
import zlib

import fsspec

_SHA = re.compile(r"[0-9a-f]{64}")


class ArchiveFailure(Exception):
    """Content is missing or damaged. One line, with the mend."""


class Archive:
    """Content-addressed files `<base>/<first two digits>/<sha256>.gz`.

    The sha256 is that of the content. What came over the wire compressed is kept in the stream that it came in, which
    saves unpacking it for nothing. A file appears whole or not at all where the file system moves atomically, and any
    number of writers may put the same content at once.
    """

    def __init__(self, url: str) -> None:
        self._fs, self._base = fsspec.core.url_to_fs(url)

    def put(self, content: bytes, *, gzipped: bytes = b"") -> str:
        """Keep the content and return its sha256 in hex. What is there already is not written again.

        `gzipped` is a gzip stream that was seen to hold just this content, where there is one.
        """
        sha = hashlib.sha256(content).hexdigest()
        path = self._path(sha)
        if self._fs.exists(path):
            return sha
        self._fs.makedirs(path.rpartition("/")[0], exist_ok=True)
        temporary = f"{path}.{uuid.uuid4().hex}.part"
        with self._fs.open(temporary, "wb") as file:
            file.write(gzipped or gzip.compress(content, compresslevel=5, mtime=0))
            file.flush()
            if "file" in self._protocols():
                os.fsync(file.fileno())
        self._fs.mv(temporary, path)
        return sha

    def get(self, sha: str) -> bytes:
        """The content of that sha256. Raises ArchiveFailure where it is missing or is not what it was."""
        if not _SHA.fullmatch(sha):
            raise ArchiveFailure(f"{sha[:80]!r} is no sha256: give 64 hexadecimal digits")
        try:
            content = gzip.decompress(self._fs.cat_file(self._path(sha)))
        except FileNotFoundError:
            raise ArchiveFailure(
                f"the archive has no {sha}: see ALBACORE_ARCHIVE, or restore it from a backup"
            ) from None
        except (gzip.BadGzipFile, EOFError, zlib.error):
            content = None
        if content is None or hashlib.sha256(content).hexdigest() != sha:
            raise ArchiveFailure(f"the archive's copy of {sha} is damaged: restore it from a backup")
        return content

    def _protocols(self) -> tuple[str, ...]:
        protocol = self._fs.protocol
        return (protocol,) if isinstance(protocol, str) else tuple(protocol)

    def _path(self, sha: str) -> str:
        return f"{self._base.rstrip('/')}/{sha[:2]}/{sha}.gz"
