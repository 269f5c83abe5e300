"""Files attached to documents.

Belongs here: keeping and listing them; their contents lie in a folder beside the database.
Does not belong here: what is in them.
"""

from __future__ import annotations

import uuid
from pathlib import Path

from albacore_sandbox.store import Collection, Document
from albacore_sandbox.xero.wire import Invalid, NotFound

MOST_FILES, MOST_BYTES = 10, 10_000_000


class Attachments:
    """The files of each document; the same name again replaces the file."""

    def __init__(self, *, folder: Path, kept: Collection) -> None:
        self._folder = folder
        self._kept = kept  # document -> {"files": [...]}
        folder.mkdir(exist_ok=True)

    def listed(self, document: str) -> list[Document]:
        """The files of a document."""
        return list(self._kept.get(document, {"files": []})["files"])

    def keep(self, document: str, name: str, *, content: bytes, media_type: str) -> Document:
        """Attach a file. Raises Invalid."""
        others = [each for each in self.listed(document) if each["FileName"] != name]
        same = next((each for each in self.listed(document) if each["FileName"] == name), None)
        if not content or len(content) > MOST_BYTES:
            raise Invalid(f"An attachment must have between 1 and {MOST_BYTES} bytes")
        if len(others) >= MOST_FILES:
            raise Invalid(f"A document can't have more than {MOST_FILES} attachments")
        key = same["AttachmentID"] if same else str(uuid.uuid4())
        draft = self._folder / f"{key}.new"
        draft.write_bytes(content)
        draft.replace(self._folder / key)
        file: Document = {"AttachmentID": key, "FileName": name, "MimeType": media_type or "application/octet-stream"}
        file |= {"ContentLength": len(content), "IncludeOnline": False}
        self._kept.put(document, {"files": [*others, file]})
        return file

    def content(self, document: str, name: str) -> tuple[bytes, str]:
        """A file's bytes and media type. Raises NotFound."""
        for file in self.listed(document):
            if name in (file["FileName"], file["AttachmentID"]):
                return (self._folder / file["AttachmentID"]).read_bytes(), file["MimeType"]
        raise NotFound(name)
