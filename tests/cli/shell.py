"""The command line as a person meets it: as a process with pipes, and as a process on a terminal."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from zygote import Child, born

from etl.__main__ import main

ROOT = Path(__file__).parents[2]
_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


_OF_THE_START = ("PYTHON", "LC_", "LANG")
"""What the interpreter heeds when it starts, before it runs anything: with these, a process is begun from nothing."""


def environment(**extra: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name not in {"COLUMNS", "NO_COLOR", "FORCE_COLOR"}}
    path = os.pathsep.join(filter(None, [extra.pop("PYTHONPATH", ""), str(ROOT)]))
    return {**kept, "TERM": "xterm-256color", **extra, "PYTHONPATH": path}


def etl(
    *arguments: str | Path, cwd: Path, stdin: bytes = b"", fresh: bool = False, **extra: str
) -> subprocess.CompletedProcess[str]:
    """Run `etl` with pipes to its end; `fresh`: by starting an interpreter, not by forking one that has loaded it."""
    if fresh or any(name.startswith(_OF_THE_START) for name in extra):
        return subprocess.run(
            [sys.executable, "-m", "etl", *map(str, arguments)],
            cwd=cwd,
            env=environment(**extra),
            text=True,
            encoding="utf-8",
            capture_output=True,
            input=stdin.decode(),
            timeout=100,
            check=False,
        )
    with tempfile.TemporaryFile() as given:
        given.write(stdin)
        given.seek(0)
        (out, child_out), (err, child_err) = os.pipe(), os.pipe()
        child = born(arguments, cwd, (given.fileno(), child_out, child_err), env=environment(**extra))
    os.close(child_out)
    os.close(child_err)
    try:
        said = _read_to_the_end([out, err], 100)
        code = child.wait(10)
    finally:
        child.kill()
        os.close(out)
        os.close(err)
    return subprocess.CompletedProcess(list(map(str, arguments)), code, said[out], said[err])


def _read_to_the_end(pipes: list[int], seconds: float) -> dict[int, str]:
    said = dict.fromkeys(pipes, b"")
    end, still = time.monotonic() + seconds, list(pipes)
    while still:
        ready, _, _ = select.select(still, [], [], max(0.0, end - time.monotonic()))
        assert ready, f"it did not end in {seconds} seconds, and said {said}"
        for pipe in ready:
            block = os.read(pipe, 65_536)
            said[pipe] += block
            if not block:
                still.remove(pipe)
    return {pipe: block.decode("utf-8").replace("\r\n", "\n") for pipe, block in said.items()}


class Terminal:
    """A process on a pseudo-terminal. `text` is what it has shown so far, without colours, line ends as \\n."""

    def __init__(self, process: Child, master: int) -> None:
        self.process = process
        self._master = master
        self.raw = ""

    @property
    def text(self) -> str:
        return _ESCAPES.sub("", self.raw).replace("\r\n", "\n")

    def wait_for(self, text: str, seconds: float = 60) -> None:
        self._read(seconds, until=text)
        assert text in self.text, f"{text!r} was not shown, but: {self.text}"

    @property
    def shows_control_keys(self) -> bool:
        return bool(termios.tcgetattr(self._master)[3] & termios.ECHOCTL)

    def type(self, text: str) -> None:
        os.write(self._master, text.encode())

    def signal(self, number: signal.Signals) -> None:
        self.process.signal(number)

    def exit_code(self, seconds: float = 60) -> int:
        self._read(seconds)
        return self.process.wait(seconds)

    def _read(self, seconds: float, until: str | None = None) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end and (until is None or until not in self.text):
            ready, _, _ = select.select([self._master], [], [], 0.05)
            if ready:
                try:
                    block = os.read(self._master, 65536)
                except OSError:  # the other side is closed
                    return
                if not block:
                    return
                self.raw += block.decode("utf-8", "replace")


@contextlib.contextmanager
def on_terminal(*arguments: str | Path, cwd: Path, columns: int = 80, **extra: str) -> Iterator[Terminal]:
    """Yield the terminal of an `etl` that is forked from one that has loaded everything."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    process = born(arguments, cwd, (slave, slave, slave), env=environment(**extra), owns_terminal=True)
    os.close(slave)
    try:
        yield Terminal(process, master)
    finally:
        process.kill()
        process.wait()
        os.close(master)


def at_home(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in `folder` from now on, with a terminal of 100 columns."""
    monkeypatch.chdir(folder)
    monkeypatch.setenv("COLUMNS", "100")
    return folder


def run(words: Sequence[str | Path], capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    """Run a command in this process; return its exit code, stdout and stderr."""
    code = main([str(word) for word in words])
    shown = capsys.readouterr()
    return code, shown.out, shown.err
