"""`etl` in a process of its own within milliseconds: it is forked from one that has loaded everything and runs nothing.

    with Zygote() as zygote:
        child = zygote.start(["run", "m.yaml", "s.csv"], cwd=folder)
        child.kill()                     # kill -9
        child.wait()                     # exit code, or minus the signal

`crash` ends a child by `os._exit(9)`, as if it were killed, at a named point: ("after", "etl.deliver:Ledger.settle", 3)
is when the third call of that function returns. The product knows nothing of it: the child wraps the function itself.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
Crash = tuple[str, str, int]
CRASHED = 9

_BREEDING = """
import importlib, json, os, signal, sys, threading
for name in sys.argv[1].split(","):
    importlib.import_module(name)

def crash_at(when, place, number):
    module, _, path = place.partition(":")
    *owners, name = path.split(".")
    owner = importlib.import_module(module)
    for part in owners:
        owner = getattr(owner, part)
    real, calls, lock = getattr(owner, name), [0], threading.Lock()
    def wrapped(*arguments, **named):
        with lock:
            calls[0] += 1
            due = calls[0] == number
        if due and when == "before":
            os._exit(9)
        result = real(*arguments, **named)
        if due:
            os._exit(9)
        return result
    setattr(owner, name, wrapped)

def child(order):
    os.chdir(order["cwd"])
    os.environ.update(order["env"])
    with open(order["out"], "wb") as out, open(os.devnull) as nothing:
        os.dup2(nothing.fileno(), 0)
        os.dup2(out.fileno(), 1)
        os.dup2(out.fileno(), 2)
    # As a shell starts it, also where the tests themselves run under nohup.
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    if order["setup"]:
        exec(order["setup"], {})
    if order["crash"]:
        crash_at(*order["crash"])
    from etl.__main__ import main
    code = main(order["arguments"])
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            pass
    os._exit(code)

for line in sys.stdin:
    pid = os.fork()
    if pid == 0:
        try:
            child(json.loads(line))
        except BaseException:
            import traceback
            traceback.print_exc()
            os._exit(99)
    print(pid, flush=True)
    print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)
"""
_LOADED = (
    "etl.cli.main,etl.cli.running,etl.verbs,etl.journal.opening,etl.journal.store,etl.journal.writer,botocore.auth"
)


@dataclass
class Child:
    """A process that runs `etl`; `output`: what it said, on both streams, once it has ended."""

    pid: int
    _zygote: Zygote
    _said: Path
    _code: int | None = None

    def signal(self, number: int) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, number)

    def kill(self) -> None:
        self.signal(signal.SIGKILL)

    def wait(self) -> int:
        if self._code is None:
            self._code = self._zygote.code()
        return self._code

    @property
    def output(self) -> str:
        return self._said.read_text("utf-8", "replace")


class Zygote:
    """What the children are forked from; one child at a time."""

    def __enter__(self) -> Zygote:
        self._number = 0
        self._child: Child | None = None
        self._process = subprocess.Popen(
            [sys.executable, "-c", _BREEDING, _LOADED], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            env={**os.environ, "PYTHONPATH": str(ROOT), "ARROW_DEFAULT_MEMORY_POOL": "system"},
        )  # fmt: skip
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        if self._child is not None:
            self._child.kill()
        self._process.stdin.close()
        self._process.wait(60)
        self._process.stdout.close()

    def start(
        self,
        arguments: Sequence[str | Path],
        cwd: Path,
        *,
        crash: Crash | None = None,
        setup: str = "",
        env: Mapping[str, str] | None = None,
    ) -> Child:
        """Start `etl` with `arguments`; `setup`: code that the child runs before."""
        if self._child is not None:
            # A test that failed left it.
            self._child.kill()
            self._child.wait()
        self._number += 1
        said = cwd / f"said-{self._number}.txt"
        order = {
            "arguments": list(map(str, arguments)), "cwd": str(cwd), "env": dict(env or {}), "out": str(said),
            "crash": crash, "setup": setup,
        }  # fmt: skip
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        self._child = Child(self._line(), self, said)
        return self._child

    def run(self, arguments: Sequence[str | Path], cwd: Path, **options) -> Child:
        """Start `etl`, and wait for its end."""
        child = self.start(arguments, cwd, **options)
        child.wait()
        return child

    def code(self) -> int:
        return self._line()

    def _line(self) -> int:
        assert self._process.stdout is not None
        return int(self._process.stdout.readline())
