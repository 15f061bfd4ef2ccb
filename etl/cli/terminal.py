"""What a terminal itself does with a key that is pressed, and how to have it leave a bar alone."""

from __future__ import annotations

import contextlib
import os
import sys
from typing import TextIO

if sys.platform != "win32":
    import termios

_FLAGS = 3
"""Where the local flags stand among the attributes of a terminal (termios.tcgetattr)."""


class ControlEcho:
    """The terminal's habit of showing `^C` where somebody presses Ctrl-C: in the middle of a bar it breaks the line."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._is_off = False

    def off(self) -> None:
        """Switch it off; does nothing where there is no terminal, or where it is off already."""
        self._is_off = self._is_off or self._switch(on=False)

    def restore(self) -> None:
        """Switch it on again if `off` switched it off. Safe in a signal handler."""
        if self._is_off and self._switch(on=True):
            self._is_off = False

    def _switch(self, *, on: bool) -> bool:
        """Return whether something was changed."""
        if sys.platform == "win32":
            return False
        with contextlib.suppress(OSError, ValueError, termios.error):
            terminal = self._stream.fileno()
            # A process in the background would be stopped by the system for touching its terminal.
            if os.tcgetpgrp(terminal) != os.getpgrp():
                return False
            attributes = termios.tcgetattr(terminal)
            if bool(attributes[_FLAGS] & termios.ECHOCTL) == on:
                return False
            attributes[_FLAGS] ^= termios.ECHOCTL
            termios.tcsetattr(terminal, termios.TCSANOW, attributes)
            return True
        return False
