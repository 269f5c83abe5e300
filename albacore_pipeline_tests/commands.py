"""`albacore …` as a user runs it, each command in a process of its own, without a second of imports for each.

A process that has imported the commands waits for orders and forks for each; what it imported reads no environment.
Does not belong here: what a command must say. A demo, `up` and scripts are started in full (`story/`).
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from albacore_pipeline.settings import PROJECT


def albacore(*words: str, variables: Mapping[str, str], folder: Path | str) -> subprocess.CompletedProcess[str]:
    """Run `albacore …` to its end in a shell that has these variables and no others."""
    with tempfile.TemporaryDirectory() as outputs:
        out, err = Path(outputs, "out"), Path(outputs, "err")
        order = [list(words), dict(variables), str(folder), str(out), str(err)]
        waiting = _waiting()
        assert waiting.stdin and waiting.stdout
        try:
            waiting.stdin.write(json.dumps(order) + "\n")
            waiting.stdin.flush()
            code = int(waiting.stdout.readline())
        except BaseException:  # a test's deadline: what is under way is no answer to the next order
            waiting.kill()
            _waiting.cache_clear()
            raise
        return subprocess.CompletedProcess(list(words), code, out.read_text(), err.read_text())


@cache
def _waiting() -> subprocess.Popen[str]:
    """The process that waits for orders; it ends with this one, which holds its input."""
    plain = {"PATH": os.environ["PATH"], "PYTHONPATH": str(PROJECT), "LANG": "C.UTF-8"}
    return subprocess.Popen(
        [sys.executable, "-m", __name__], env=plain, cwd="/", text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )


def _wait_for_orders() -> None:
    from albacore_pipeline.cli import main

    for order in sys.stdin:
        child = os.fork()
        if child == 0:
            words, variables, folder, out, err = json.loads(order)
            _become(variables=variables, folder=folder, out=out, err=err)
            sys.argv = ["albacore", *words]
            main()
            return
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


def _become(*, variables: Mapping[str, str], folder: str, out: str, err: str) -> None:
    for path, flags, number in ((os.devnull, os.O_RDONLY, 0), (out, os.O_WRONLY, 1), (err, os.O_WRONLY, 2)):
        opened = os.open(path, flags | os.O_CREAT | os.O_APPEND, 0o600)
        os.dup2(opened, number)
        os.close(opened)
    os.environ.clear()
    os.environ.update(variables)
    time.tzset()
    os.chdir(folder)


if __name__ == "__main__":
    _wait_for_orders()
