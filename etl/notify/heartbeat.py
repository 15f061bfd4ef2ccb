"""A dead man's switch: it is told of every good end, and alarms when that stays away, also where we cannot tell."""

from __future__ import annotations

from urllib.parse import urlsplit, urlunsplit

from etl.news import Ending
from etl.notify import http
from etl.notify.base import Sending
from etl.notify.message import Change, Message
from etl.settings.on_finish import HeartbeatNotifier, Notifier

_ROWS_ALONE = 1
"""The exit code of a run that came to its end, but not with all rows."""


def ping_of(notifier: HeartbeatNotifier, ending: Ending) -> str | None:
    """Return what to add to the address for this end: "" is success, None: nothing is to be sent."""
    is_good = not ending.is_trouble or (notifier.bad_rows == "pass" and ending.exit_code == _ROWS_ALONE)
    if is_good:
        return ""
    return "/fail" if notifier.fail else None


def send(notifier: Notifier, message: Message, sending: Sending) -> None:
    """Send the ping that a message means; with the method post its text is the body. Raises NotDelivered."""
    if not isinstance(notifier, HeartbeatNotifier):
        raise AssertionError(f"BUG: {notifier.kind} is no heartbeat")
    if message.change is Change.TEST:
        ping(notifier, sending, "", message.text)
        return
    code = message.body["exit_code"]
    ending = ping_of(notifier, Ending(code if isinstance(code, int) else 0))
    if ending is not None:
        ping(notifier, sending, ending, message.text)


def ping(notifier: HeartbeatNotifier, sending: Sending, ending: str, text: str) -> None:
    """Ask for the address with `ending` behind its path. Raises NotDelivered."""
    parts = urlsplit(sending.url(notifier))
    url = urlunsplit(parts._replace(path=parts.path.rstrip("/") + ending))
    if notifier.method == "post":
        http.send(url, notifier, sending, method="POST", body=text.encode())
    else:
        http.send(url, notifier, sending, method="GET")
