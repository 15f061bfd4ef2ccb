"""What a kind of notifier offers, and the shelf of kinds. A new one is a module and a line in KINDS."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Protocol, cast

from etl.notify.message import Message
from etl.settings import Settings
from etl.settings.on_finish import Notifier, url_problem

KINDS: Mapping[str, str] = {
    "slack": "etl.notify.slack",
    "webhook": "etl.notify.webhook",
    "email": "etl.notify.email",
    "heartbeat": "etl.notify.heartbeat",
}
"""The module of each kind, imported when one is used."""


class NotDelivered(Exception):  # noqa: N818 - a reason, not a fault
    """Why a message did not arrive, and what to do. Holds no address, no secret and no words of the other end's."""

    def __init__(self, reason: str, hint: str = "") -> None:
        super().__init__(reason, hint)
        self.reason = reason
        self.hint = hint


@dataclass(frozen=True, slots=True)
class Sending:
    """How to send: whose settings, and until when (`time.monotonic`); `notes`: what went wrong beside, for people."""

    settings: Settings
    until: float = field(default_factory=lambda: time.monotonic() + 20)
    notes: list[str] = field(default_factory=list)

    @property
    def seconds_left(self) -> float:
        """What is left; 0 where nothing is."""
        return max(0.0, self.until - time.monotonic())

    def secret(self, notifier: Notifier, stem: str) -> str | None:
        """Return what `STEM_env` or `STEM_file` leads to, None where neither is set. Raises NotDelivered."""
        variable, file = getattr(notifier, f"{stem}_env", None), getattr(notifier, f"{stem}_file", None)
        if variable is not None:
            text = self.settings.environ.get(variable, "").strip()
            place, hint = f"the environment variable {variable}", f"it is what {stem}_env names"
        elif file is not None:
            place, hint = f"the file {file}", f"it is what {stem}_file names: the text alone, readable by you"
            try:
                text = self.path(file).read_text(encoding="utf-8-sig").strip()
            except (OSError, UnicodeDecodeError):
                raise NotDelivered(f"{place} cannot be read", hint) from None
        else:
            return None
        if not text:
            raise NotDelivered(f"{place} is not set or empty", hint)
        return text

    def url(self, notifier: Notifier) -> str:
        """Return where to send. Raises NotDelivered, which does not quote it."""
        plain = getattr(notifier, "url", None)
        found = plain or self.secret(notifier, "url") or ""
        problem = url_problem(found)
        if problem:
            raise NotDelivered(f"the address {problem}", "put the right one where url_env or url_file leads to")
        return str(found)

    def path(self, file: str) -> Path:
        """Return a file of the settings; a relative one starts from the folder of etl.toml."""
        return self.settings.folder / Path(file).expanduser()


class Kind(Protocol):
    """What the module of a kind offers."""

    def send(self, notifier: Notifier, message: Message, sending: Sending) -> None:
        """Deliver a message, within `sending.seconds_left`. Raises NotDelivered."""


def kind_of(notifier: Notifier) -> Kind:
    """Return the module that sends for a notifier."""
    return cast(Kind, import_module(KINDS[notifier.kind]))
