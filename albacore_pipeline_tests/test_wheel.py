"""The wheels: what they carry, what they do not, and that the product runs from its own, away from any checkout."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from email.parser import Parser
from pathlib import Path
from zipfile import ZipFile

import pytest
from packaging.requirements import Requirement

from albacore_pipeline.database import embedded
from albacore_pipeline.settings import PROJECT
from albacore_pipeline_tests.registry.folders import write

SOURCES = ("albacore_pipeline", "albacore_sandbox", "sql", "pyproject.toml", "dagster.yaml", "LICENSE")
NOWHERE = "http://127.0.0.1:1"
pytestmark = pytest.mark.timeout(300)


def pip(*words: str | Path, folder: Path) -> None:
    """Run pip without isolation and without a registry: everything that it may need is installed."""
    command = [sys.executable, "-m", "pip", *words, "--quiet", "--no-deps", "--no-index"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The wheels of both distributions by name, built from a copy of the tree."""
    folder = tmp_path_factory.mktemp("wheels")
    for name in SOURCES:
        source = PROJECT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, symlinks=True, ignore=shutil.ignore_patterns("__pycache__", "build"))
        else:
            shutil.copy(source, folder / name)
    pip("wheel", "--no-build-isolation", "--wheel-dir", "made", ".", "./albacore_sandbox", folder=folder)
    return {path.name.split("-")[0]: path for path in (folder / "made").iterdir()}


def carried(wheel: Path) -> set[str]:
    """The files of a wheel but for what describes it."""
    return {name for name in ZipFile(wheel).namelist() if ".dist-info/" not in name}


def needed(wheel: Path) -> set[str]:
    """The distributions that a wheel needs at any time."""
    files = ZipFile(wheel)
    (path,) = (name for name in files.namelist() if name.endswith(".dist-info/METADATA"))
    lines: Sequence[str] = Parser().parsestr(files.read(path).decode()).get_all("Requires-Dist") or ()
    return {Requirement(line).name for line in lines if "extra ==" not in line}


def test_the_product_s_wheel_carries_the_queries_and_every_file_that_the_product_reads(wheels: dict[str, Path]) -> None:
    queries = {f"albacore_pipeline/database/{path.relative_to(PROJECT)}" for path in (PROJECT / "sql").rglob("*.sql")}
    package = {str(path.relative_to(PROJECT)) for path in (PROJECT / "albacore_pipeline").rglob("*") if path.is_file()}
    package = {name for name in package if "__pycache__" not in name and not name.endswith("/README.md")}

    files = carried(wheels["albacore_pipeline"])

    assert len(queries) > 100
    assert queries - files == set()
    assert package - files == set()
    assert {"albacore_pipeline/py.typed", "albacore_pipeline/cli/dagster.yaml"} <= files


def test_the_product_s_wheel_carries_no_fake_of_anything(wheels: dict[str, Path]) -> None:
    product = wheels["albacore_pipeline"]

    assert {name.split("/")[0] for name in carried(product)} == {"albacore_pipeline"}
    assert needed(product) & {"aiosmtpd", "starlette", "uvicorn", "albacore-sandbox"} == set()


def test_the_sandbox_s_wheel_is_the_sandbox_and_names_what_it_imports(wheels: dict[str, Path]) -> None:
    sandbox = wheels["albacore_sandbox"]
    modules = {str(path.relative_to(PROJECT)) for path in (PROJECT / "albacore_sandbox").rglob("*.py")}

    assert carried(sandbox) == {name for name in modules if "/build/" not in name}
    assert needed(sandbox) == {"aiosmtpd", "msgspec", "numpy", "starlette", "uvicorn"}


@pytest.fixture(scope="module")
def installed(wheels: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the product's wheel unpacked as an installation would."""
    folder = tmp_path_factory.mktemp("installed")
    pip("install", "--target", folder, wheels["albacore_pipeline"], folder=folder)
    return folder


def albacore(words: str, *, installed: Path, folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run `albacore …` from the installed wheel, on a machine that has no sandbox."""
    script = f"import sys; sys.modules['albacore_sandbox'] = None; sys.argv[1:] = {words.split()}"
    plain = {"PATH": os.environ["PATH"], "HOME": str(folder), "PYTHONPATH": str(installed)}
    return subprocess.run(
        [sys.executable, "-c", f"{script}; from albacore_pipeline.cli import main; main()"],
        env=plain | variables, cwd=folder, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip


def test_the_product_runs_from_its_wheel(installed: Path, tmp_path: Path) -> None:
    home = tmp_path / ".albacore"  # where no checkout is: in the user's own folder
    registry = write(tmp_path / "registry")
    try:
        entered = albacore("env", installed=installed, folder=tmp_path, NORWAY_URL=NOWHERE)
        loaded = albacore(f"registry load {registry}", installed=installed, folder=tmp_path, NORWAY_URL=NOWHERE)
    finally:
        embedded.remove(home=home)

    assert entered.returncode == 0, entered.stderr
    assert f"export ALBACORE_HOME={home}" in entered.stdout
    assert (home / "dagster" / "dagster.yaml").resolve().is_relative_to(installed)
    assert loaded.stdout.splitlines()[-1].startswith("registry version 1: customer +2 -0"), loaded.stderr


@pytest.mark.parametrize("words", ["up", "demo", "env", "sandbox status"])
def test_where_the_sandbox_is_not_installed_one_line_says_so(words: str, installed: Path, tmp_path: Path) -> None:
    failed = albacore(words, installed=installed, folder=tmp_path)

    assert failed.returncode == 1
    assert failed.stderr.splitlines() == [
        "the sandbox is not installed: pip install ./albacore_sandbox (make demo does), or configure real sites"
    ]
    assert embedded.status(home=tmp_path / ".albacore") is None  # nothing was started for it
