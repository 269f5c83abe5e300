from __future__ import annotations

import gzip
import hashlib
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from albacore_pipeline.archive import Archive, ArchiveFailure


def files(base: Path) -> list[Path]:
    return sorted(path for path in base.rglob("*") if path.is_file())


@pytest.mark.parametrize("scheme", ["", "file://"])
def test_content_comes_back_under_its_own_name(tmp_path: Path, scheme: str) -> None:
    archive = Archive(f"{scheme}{tmp_path}/raw")
    sha = archive.put(b"an answer")
    assert sha == hashlib.sha256(b"an answer").hexdigest()
    assert archive.get(sha) == b"an answer"
    assert files(tmp_path) == [tmp_path / "raw" / sha[:2] / f"{sha}.gz"]


def test_equal_content_makes_equal_files_and_is_written_once(tmp_path: Path) -> None:
    one, other = Archive(str(tmp_path / "a")), Archive(str(tmp_path / "b"))
    sha = one.put(b"x" * 1000)
    other.put(b"x" * 1000)
    first, second = files(tmp_path)
    assert first.read_bytes() == second.read_bytes()
    before = first.stat()
    assert one.put(b"x" * 1000) == sha
    assert first.stat() == before


def test_what_came_zipped_is_kept_in_its_own_stream_under_the_content_s_name(tmp_path: Path) -> None:
    archive = Archive(str(tmp_path))
    wire = gzip.compress(b"an answer" * 9, compresslevel=1, mtime=77)
    sha = archive.put_raw(b"an answer" * 9, gzipped=wire)
    assert sha == hashlib.sha256(b"an answer" * 9).hexdigest()
    assert [file.read_bytes() for file in files(tmp_path / "raw")] == [wire]
    assert archive.get(sha) == b"an answer" * 9
    assert archive.put_raw(b"an answer" * 9) == sha  # the same answer, come plain: it is there already
    assert len(files(tmp_path)) == 1


def test_raw_answers_of_old_lie_beside_what_is_kept_for_ever_and_stay_readable(tmp_path: Path) -> None:
    archive = Archive(str(tmp_path))
    sha = archive.put(b"an old answer")
    assert archive.get(sha) == b"an old answer"
    assert archive.put_raw(b"an old answer") == sha
    archive.delete_raw(sha)
    assert archive.get(sha) == b"an old answer"


@pytest.mark.parametrize("scheme", ["", "memory://retention"])
def test_raw_answers_are_known_by_their_age_and_nothing_else_is(tmp_path: Path, scheme: str) -> None:
    archive = Archive(f"{scheme}{tmp_path}")
    assert archive.raw_before(datetime.now(UTC)) == []
    archive.put(b"a statement")
    sha = archive.put_raw(b"an answer")
    now = datetime.now(UTC)
    assert archive.raw_before(now - timedelta(hours=1)) == []
    assert archive.raw_before(now + timedelta(hours=1)) == [sha]
    archive.delete_raw(sha)
    assert archive.raw_before(now + timedelta(hours=1)) == []
    with pytest.raises(ArchiveFailure, match="ALBACORE_ARCHIVE_DAYS"):
        archive.get(sha)


@given(content=st.binary(max_size=2000))
def test_any_content_at_any_url(content: bytes) -> None:
    archive = Archive("memory://archive-test")
    assert archive.get(archive.put(content)) == content


def test_many_writers_of_the_same_content_leave_one_whole_file(tmp_path: Path) -> None:
    content = b"readings" * 10_000
    with ThreadPoolExecutor(16) as pool:
        shas = set(pool.map(lambda _: Archive(str(tmp_path)).put(content), range(64)))
    assert len(shas) == 1
    assert len(files(tmp_path)) == 1
    assert Archive(str(tmp_path)).get(shas.pop()) == content


def test_what_is_missing_or_damaged_says_so(tmp_path: Path) -> None:
    archive = Archive(str(tmp_path))
    with pytest.raises(ArchiveFailure, match="has no 0000"):
        archive.get("0" * 64)
    with pytest.raises(ArchiveFailure, match="is no sha256"):
        archive.get("../../etc/passwd")
    sha = archive.put(b"an answer")
    (file,) = files(tmp_path)
    whole = file.read_bytes()
    flipped = bytes([whole[15] ^ 1])
    for damaged in (b"", whole[:-1], whole[:15] + flipped + whole[16:], b"no zip", gzip.compress(b"another answer")):
        file.write_bytes(damaged)
        with pytest.raises(ArchiveFailure, match="is damaged"):
            archive.get(sha)
