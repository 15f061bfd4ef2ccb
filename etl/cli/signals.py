"""Ctrl-C and SIGTERM → a request to stop; a second one ends the process at once."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Iterator
from types import FrameType

from etl.interrupt import Interrupt

STOPPING = "stopping: finishing what is in flight; press Ctrl-C again to stop at once"
_STDERR = 2


class Stopper:
    """What the handlers know. While `asking` a person, the first signal ends the question: nothing is in flight."""

    def __init__(self, interrupt: Interrupt) -> None:
        self.interrupt = interrupt
        self.asking = False

    def handle(self, number: int, _frame: FrameType | None) -> None:
        """Handle a signal. Written with `os.write`: the buffered streams may be in the middle of a write."""
        if self.interrupt.is_requested:
            os.write(_STDERR, b"\n")
            os._exit(128 + number)
        if self.asking:
            self.interrupt.request(number)
            raise KeyboardInterrupt
        clear = b"\r\x1b[K" if os.isatty(_STDERR) else b""
        with contextlib.suppress(OSError):
            os.write(_STDERR, clear + STOPPING.encode() + b"\n")
        self.interrupt.request(number)

    @contextlib.contextmanager
    def question(self) -> Iterator[None]:
        """Let a signal, also one that came before, end what is done inside, by KeyboardInterrupt."""
        self.asking = True
        try:
            if self.interrupt.is_requested:
                raise KeyboardInterrupt
            yield
        finally:
            self.asking = False


@contextlib.contextmanager
def stopping(interrupt: Interrupt) -> Iterator[Stopper]:
    """Have SIGINT and SIGTERM ask `interrupt` to stop; only the main thread can take signals, others go without."""
    stopper = Stopper(interrupt)
    if threading.current_thread() is not threading.main_thread():
        yield stopper
        return
    before = {number: signal.signal(number, stopper.handle) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stopper
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
