"""What children of `zygote` are forked from: a process that has loaded `etl` and runs nothing. Started by `zygote`."""

from __future__ import annotations

import array
import atexit
import contextlib
import fcntl
import gc
import importlib
import json
import os
import pkgutil
import select
import signal
import socket
import sys
import tempfile
import termios
import threading
import time
import traceback
from types import FrameType
from typing import Any

LOADED = (
    "botocore.auth", "etl.__main__", "etl.cli.main", "etl.cli.planned", "etl.cli.running", "etl.cli.verdict",
    "etl.column_kinds", "etl.first_rows", "etl.inspection", "etl.journal.opening", "etl.journal.store",
    "etl.journal.writer", "etl.notify.telling", "etl.reports.annotated", "etl.reports.page", "etl.reports.to_fix",
    "etl.sandbox", "etl.telemetry.events", "etl.verbs", "etl.watch", "jsonschema_rs", "etl.telemetry.otel", "etl.telemetry.prometheus",
    "pandera.accessors.pandas_accessor", "pandera.backends.pandas.builtin_checks",
    "pandera.backends.pandas.builtin_hypotheses", "pandera.backends.pandas.register", "rich.table", "rich.text", "xlsxwriter",
)  # fmt: skip
CRASHED = 9
BROKEN = 99
"""The exit code of a child that ended otherwise than `etl` can."""


def load() -> None:
    """Import what a command may need, so that no child has to."""
    import etl.cli.commands

    for module in pkgutil.iter_modules(etl.cli.commands.__path__, "etl.cli.commands."):
        importlib.import_module(module.name)
    for name in LOADED:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)


def crash_at(when: str, place: str, number: int) -> None:
    """Let this process end, as if it were killed, before or after a call of a function."""
    module, _, path = place.partition(":")
    *owners, name = path.split(".")
    owner: Any = importlib.import_module(module)
    for part in owners:
        owner = getattr(owner, part)
    real, calls, lock = getattr(owner, name), [0], threading.Lock()

    def wrapped(*arguments: Any, **named: Any) -> Any:
        with lock:
            calls[0] += 1
            due = calls[0] == number
        if due and when == "before":
            os._exit(CRASHED)
        result = real(*arguments, **named)
        if due:
            os._exit(CRASHED)
        return result

    setattr(owner, name, wrapped)


def open_streams(streams: list[int]) -> None:
    """Make of three descriptors the standard streams, as the interpreter does when it starts."""
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
    for stream in streams:
        os.close(stream)
    for number, (name, mode, errors) in enumerate(
        [("stdin", "r", sys.stdin.errors), ("stdout", "w", sys.stdout.errors), ("stderr", "w", "backslashreplace")]
    ):
        text = open(number, mode, encoding=getattr(sys, name).encoding, errors=errors, closefd=False)  # noqa: SIM115
        setattr(sys, name, text)
        setattr(sys, f"__{name}__", text)
    sys.stderr.reconfigure(line_buffering=True)  # type: ignore[attr-defined]


def be_as_started(order: dict[str, Any], streams: list[int]) -> None:
    """Undo what tells a forked process from one that a shell has started."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    # Also where the tests themselves run under nohup.
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    if order["owns_terminal"]:
        # Ctrl-C is a key then.
        os.setsid()
        fcntl.ioctl(streams[0], termios.TIOCSCTTY, 0)
    os.chdir(order["cwd"])
    sys.path[0] = order["cwd"]
    sys.argv[:] = ["etl", *order["arguments"]]
    os.environ.clear()
    os.environ.update(order["env"])
    time.tzset()
    tempfile.tempdir = None
    open_streams(streams)


def live(order: dict[str, Any], streams: list[int], control: socket.socket) -> int:
    """Run `etl` in this child, and return its exit code."""
    be_as_started(order, streams)
    if order["setup"]:
        exec(order["setup"], {})
    if order["crash"]:
        crash_at(*order["crash"])
    from etl.__main__ import main

    control.send(f"started {order['number']} {os.getpid()}".encode())
    control.close()
    return main(order["arguments"])


def end(code: int) -> None:
    """End as an interpreter does: wait for threads, do what is to be done at the end, and flush."""
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError, AttributeError):
            stream.flush()
    os._exit(code)


def be_a_child(order: dict[str, Any], streams: list[int], control: socket.socket, others: list[int]) -> None:
    """Be a process of `etl`; never returns."""
    try:
        for other in others:
            os.close(other)
        end(live(order, streams, control))
    except BaseException:  # noqa: BLE001 - whatever it is, no child goes on as its parent
        traceback.print_exc()
        with contextlib.suppress(OSError, ValueError, AttributeError):
            sys.stderr.flush()
    finally:
        os._exit(BROKEN)


def received(control: socket.socket) -> tuple[dict[str, Any] | None, list[int]]:
    """Return the next order and its three streams; no order where nobody is left to give one."""
    numbers = array.array("i")
    text, extra, *_ = control.recvmsg(1 << 20, socket.CMSG_SPACE(3 * numbers.itemsize))
    for _, _, data in extra:
        numbers.frombytes(data)
    return (json.loads(text) if text else None), list(numbers)


def breed(control: socket.socket) -> None:
    """Fork a child per order, and tell how each one ended."""
    children: dict[int, tuple[int, int]] = {}
    """Number and process of each, by the descriptor that tells of its end."""
    while True:
        ready, _, _ = select.select([control, *children], [], [])
        for watch in (one for one in ready if one is not control):
            number, pid = children.pop(watch)
            os.close(watch)
            code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
            control.send(f"ended {number} {code}".encode())
        if control not in ready:
            continue
        order, streams = received(control)
        if order is None:
            break
        pid = os.fork()
        if pid == 0:
            be_a_child(order, streams, control, list(children))
        for stream in streams:
            os.close(stream)
        children[os.pidfd_open(pid)] = order["number"], pid
    for _, pid in children.values():
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def ignore(_: int, __: FrameType | None) -> None:
    """Leave Ctrl-C at the tests to them."""


def main() -> None:
    """Load everything, then take orders at the socket whose number is the first argument."""
    signal.signal(signal.SIGINT, ignore)
    control = socket.socket(fileno=int(sys.argv[1]))
    load()
    gc.collect()
    gc.freeze()
    control.send(b"ready")
    breed(control)


if __name__ == "__main__":
    main()
