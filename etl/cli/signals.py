"""Ctrl-C, SIGTERM and SIGHUP → a request to stop; a second one ends the process at once, with a last word."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Callable, Iterator
from types import FrameType

from etl.interrupt import Interrupt

STOPPING = "stopping: finishing what is in flight; press Ctrl-C again to stop at once"
_STDERR = 2
_HANGUP = getattr(signal, "SIGHUP", None)
"""The terminal is gone, or the connection to this machine; Windows has no such signal."""


class Stopper:
    """What the handlers know. While `asking` a person, the first signal ends the question: nothing is in flight.

    `last_word` is called before the process ends at once: it leaves the terminal as it was, and returns what to say.
    """

    def __init__(self, interrupt: Interrupt) -> None:
        self.interrupt = interrupt
        self.asking = False
        self._is_stopping = False
        self.last_word: Callable[[], str] = lambda: ""

    def handle(self, number: int, _frame: FrameType | None) -> None:
        """Handle a signal. Written with `os.write`: the buffered streams may be in the middle of a write."""
        if self._is_stopping and number == _HANGUP:
            # Shell and kernel both send one when a terminal closes: nobody has asked twice.
            return
        if self._is_stopping:
            with contextlib.suppress(OSError):
                _write_line(self.last_word())
            os._exit(128 + number)
        # Before all else: the second signal may come while the first is being handled.
        self._is_stopping = True
        if self.asking:
            self.interrupt.request(number)
            raise KeyboardInterrupt
        with contextlib.suppress(OSError):
            _write_line(STOPPING)
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
    """Have signals ask `interrupt` to stop; only the main thread can take signals, others go without.

    SIGINT and SIGTERM always, SIGHUP unless it is ignored (`nohup`): then the run is meant to outlive its terminal.
    """
    stopper = Stopper(interrupt)
    if threading.current_thread() is not threading.main_thread():
        yield stopper
        return
    before = {number: signal.signal(number, stopper.handle) for number in _asked_by()}
    try:
        yield stopper
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def ending() -> Iterator[threading.Event]:
    """Have the signals of `stopping` set the event that is given. Call it in the main thread."""
    ended = threading.Event()
    before = {number: signal.signal(number, lambda *_: ended.set()) for number in _asked_by()}
    try:
        yield ended
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _asked_by() -> tuple[int, ...]:
    """Return the signals that ask a run to stop."""
    if _HANGUP is None or signal.getsignal(_HANGUP) is signal.SIG_IGN:
        return signal.SIGINT, signal.SIGTERM
    return signal.SIGINT, signal.SIGTERM, _HANGUP


def _write_line(text: str) -> None:
    """Write a line where a bar may stand, which it takes away."""
    clear = b"\r\x1b[K" if os.isatty(_STDERR) else b""
    os.write(_STDERR, clear + text.encode("utf-8", "backslashreplace") + b"\n")
