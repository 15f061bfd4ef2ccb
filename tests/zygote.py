"""`etl` in a process of its own within milliseconds: it is forked from one that has loaded everything and runs nothing.

    with Zygote() as zygote:
        child = zygote.start(["run", "m.yaml", "s.csv"], cwd=folder)
        child.kill()                     # kill -9
        child.wait()                     # exit code, or minus the signal

`crash` ends a child by `os._exit(9)`, as if it were killed, at a named point: ("after", "etl.deliver:Ledger.settle", 3)
is when the third call of that function returns. The product knows nothing of it: the child wraps the function itself.

What the children are forked from (`breeder.py`) is started once per process of pytest, by the first who asks for a
child, and ends with it. `born` is for those who want the three streams of a child, or a terminal of its own.
"""

from __future__ import annotations

import array
import atexit
import contextlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[1]
Crash = tuple[str, str, int]
CRASHED = 9
_STARTED_WITH = dict(os.environ)


def environment(**extra: str) -> dict[str, str]:
    """Return the environment of these tests and `extra`, for a process that is to find `etl` where it stands here."""
    path = os.pathsep.join(filter(None, [extra.pop("PYTHONPATH", ""), str(ROOT)]))
    # As `python -m etl` says before it loads Arrow.
    return {**os.environ, "ARROW_DEFAULT_MEMORY_POOL": "system", **extra, "PYTHONPATH": path}


@dataclass
class Child:
    """A process that runs `etl`; `output`: what it said, on both streams, once it has ended."""

    pid: int
    _number: int
    _breeder: _Breeder
    _said: Path | None = None
    returncode: int | None = None

    def signal(self, number: int) -> None:
        if self.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def kill(self) -> None:
        self.signal(signal.SIGKILL)

    def poll(self) -> int | None:
        """Return the exit code of one that has ended."""
        if self.returncode is None:
            self.returncode = self._breeder.code(self._number, 0)
        return self.returncode

    def wait(self, seconds: float = 600) -> int:
        if self.returncode is None:
            self.returncode = self._breeder.code(self._number, seconds)
        assert self.returncode is not None, f"process {self.pid} did not end in {seconds} seconds"
        return self.returncode

    @property
    def output(self) -> str:
        assert self._said is not None
        return self._said.read_text("utf-8", "replace")


@dataclass
class _Breeder:
    """The process that children are forked from, and the line to it."""

    process: subprocess.Popen[bytes]
    control: socket.socket
    lock: threading.Lock = field(default_factory=threading.Lock)
    children: int = 0
    ended: dict[int, int] = field(default_factory=dict)

    @classmethod
    def started(cls) -> _Breeder:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            # As the tests were started, whatever the one that comes first has changed.
            process = subprocess.Popen(
                [sys.executable, str(ROOT / "tests" / "breeder.py"), str(theirs.fileno())],
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, pass_fds=[theirs.fileno()], cwd=ROOT,
                env={**_STARTED_WITH, "PYTHONPATH": str(ROOT), "ARROW_DEFAULT_MEMORY_POOL": "system"},
            )  # fmt: skip
        breeder = cls(process, ours)
        atexit.register(breeder.end)
        assert breeder._told(60) == [b"ready"]
        return breeder

    def end(self) -> None:
        self.control.close()
        self.process.wait(60)

    def start(self, order: Mapping[str, object], streams: Sequence[int]) -> tuple[int, int]:
        """Fork a child, and return its number here and its process once it runs `etl`."""
        with self.lock:
            self.children += 1
            rights = (socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", streams))
            self.control.sendmsg([json.dumps({**order, "number": self.children}).encode()], [rights])
            while True:
                what, number, value = self._told(60)
                if what == b"started":
                    return self.children, int(value)
                self.ended[int(number)] = int(value)
                assert self.children not in self.ended, "the child ended before it ran"

    def code(self, number: int, seconds: float) -> int | None:
        """Return the exit code of a child; None if it has not ended within `seconds`."""
        end = time.monotonic() + seconds
        while True:
            with self.lock:
                left = max(0.0, end - time.monotonic())
                # Not all the time at once: somebody else may wait for another child.
                while number not in self.ended and select.select([self.control], [], [], min(left, 0.05))[0]:
                    _, other, code = self._told(0)
                    self.ended[int(other)] = int(code)
                if number in self.ended:
                    return self.ended[number]
            if not left:
                return None

    def _told(self, seconds: float) -> list[bytes]:
        assert select.select([self.control], [], [], seconds)[0], "the process that children are forked from is stuck"
        text = self.control.recv(1_000)
        assert text, "the process that children are forked from has ended"
        return text.split()


_BREEDERS: list[_Breeder] = []


def _breeder() -> _Breeder:
    if not _BREEDERS:
        _BREEDERS.append(_Breeder.started())
    return _BREEDERS[0]


def born(
    arguments: Sequence[str | Path],
    cwd: Path,
    streams: tuple[int, int, int],
    *,
    env: Mapping[str, str],
    owns_terminal: bool = False,
    crash: Crash | None = None,
    setup: str = "",
    said: Path | None = None,
) -> Child:
    """Start `etl` with `arguments`, an environment and three streams; `setup`: code that the child runs before.

    `owns_terminal`: the streams are a terminal, which it takes for its own as a shell gives it to a command.
    """
    order = {
        "arguments": list(map(str, arguments)), "cwd": str(cwd), "env": dict(env), "owns_terminal": owns_terminal,
        "crash": crash, "setup": setup,
    }  # fmt: skip
    breeder = _breeder()
    number, pid = breeder.start(order, streams)
    return Child(pid, number, breeder, said)


class Zygote:
    """Gives birth to one child at a time."""

    def __enter__(self) -> Zygote:
        self._number = 0
        self._child: Child | None = None
        return self

    def __exit__(self, *_: object) -> None:
        self._end_the_last()

    def _end_the_last(self) -> None:
        if self._child is not None:
            # A test that failed may have left it.
            self._child.kill()
            self._child.wait()

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
        self._end_the_last()
        self._number += 1
        said = cwd / f"said-{self._number}.txt"
        with said.open("wb") as out, Path(os.devnull).open("rb") as nothing:
            streams = nothing.fileno(), out.fileno(), out.fileno()
            self._child = born(
                arguments, cwd, streams, env=environment(**(env or {})), crash=crash, setup=setup, said=said
            )
        return self._child

    def run(self, arguments: Sequence[str | Path], cwd: Path, **options) -> Child:
        """Start `etl`, and wait for its end."""
        child = self.start(arguments, cwd, **options)
        child.wait()
        return child
