"""Who is told of the end of a run, and of what: only news is news, and what could not be delivered is tried again.

A notifier is told when good turns bad, when trouble has a kind that it was not told of (or another class of exit code),
and when all is good again. What it was told is remembered once it was delivered, for each notifier, target and mapping.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from etl.errors import JournalError
from etl.journal.model import Condition
from etl.news import Ending
from etl.night import Night
from etl.notify import heartbeat
from etl.notify.base import NotDelivered, Sending, kind_of
from etl.notify.message import BAD, Change, Message, message_of
from etl.settings import Settings
from etl.settings.on_finish import HeartbeatNotifier, Notifier

MOST_SECONDS = 20.0
"""All notifications together hold up the end of a run no longer."""
START_SECONDS = 5.0
"""The same for the beginning; it is sent beside the run."""
_MARGIN = 0.5


@dataclass(slots=True)
class Delivery:
    """A message on its way to a notifier. `failed`: why it did not arrive, None where it did or nobody knows yet."""

    notifier: Notifier
    send: Callable[[Sending], None]
    change: Change = Change.TEST
    is_done: bool = field(default=False, init=False)
    failed: NotDelivered | None = field(default=None, init=False)


def change_of(ending: Ending, told: Condition | None) -> Change | None:
    """Return what an end changes for somebody who was told `told` last; None where it is no news."""
    was_bad = told is not None and told.is_trouble
    if not ending.is_trouble:
        return Change.RECOVERED if was_bad else None
    if told is None or not was_bad:
        return Change.TROUBLE
    is_new = ending.ending != told.ending or any(kind.print not in told.kinds for kind in ending.kinds)
    return Change.CHANGED if is_new else None


def began(night: Night) -> None:
    """Tell the heartbeats that ask for it that a run begins; nobody waits for it."""
    settings = night.settings
    if settings is None:
        return
    for notifier in settings.on_finish:
        if isinstance(notifier, HeartbeatNotifier) and notifier.start and _is_asked(notifier, night):
            thread = threading.Thread(target=_start, args=(notifier, settings), daemon=True)
            night.beside.append(thread)
            thread.start()


def _start(notifier: HeartbeatNotifier, settings: Settings) -> None:
    try:
        heartbeat.ping(notifier, Sending(settings, time.monotonic() + START_SECONDS), "/start", "started")
    except NotDelivered:
        # The end is told by itself, and there a failure is a note.
        return


def ended(night: Night) -> None:
    """Tell whoever is to be told of the end, and remember who was."""
    settings = night.settings
    if settings is None:
        return
    asked = [notifier for notifier in settings.on_finish if _is_asked(notifier, night)]
    told = {notifier.name: _told(night, notifier) for notifier in asked}
    deliveries = [one for notifier in asked if (one := _delivery(night, notifier, told[notifier.name])) is not None]
    until = time.monotonic() + MOST_SECONDS
    begun_until = time.monotonic() + START_SECONDS
    for thread in night.beside:
        # A beginning that arrives after the end would be taken for another one.
        thread.join(max(0.0, begun_until - time.monotonic()))
    for note in deliver(deliveries, settings, until - time.monotonic()):
        night.tell(note)
        night.log(note)
    for one in deliveries:
        if one.failed is not None:
            hint = f"; {one.failed.hint}" if one.failed.hint else ""
            note = f"notification '{one.notifier.name}' was not delivered: {one.failed.reason}{hint}"
            night.tell(note)
            night.log(note)
        _remember(night, one, told[one.notifier.name])


def _is_asked(notifier: Notifier, night: Night) -> bool:
    return notifier.when != "never" and notifier.is_about(night.target, night.mapping)


def _told(night: Night, notifier: Notifier) -> Condition | None:
    try:
        return night.book.told(notifier.name, night.target, night.mapping) if night.book is not None else None
    except JournalError:
        return None


def _delivery(night: Night, notifier: Notifier, told: Condition | None) -> Delivery | None:
    change = change_of(night.ending, told)
    if isinstance(notifier, HeartbeatNotifier):
        if heartbeat.ping_of(notifier, night.ending) is None:
            return None
    elif change is None and notifier.when == "trouble":
        return None
    change = change or (Change.STILL_BAD if night.ending.is_trouble else Change.GOOD)
    message = message_of(night, change, told)
    return Delivery(notifier, lambda sending: kind_of(notifier).send(notifier, message, sending), change)


def deliver(deliveries: Sequence[Delivery], settings: Settings, seconds: float = MOST_SECONDS) -> list[str]:
    """Send all at once, each in a thread of its own, and wait `seconds` for them at most; never raises.

    Returns notes on what went wrong beside.
    """
    sending = Sending(settings, time.monotonic() + seconds - _MARGIN)
    threads = [threading.Thread(target=_deliver, args=(one, sending), daemon=True) for one in deliveries]
    for thread in threads:
        thread.start()
    until = time.monotonic() + seconds
    for thread, one in zip(threads, deliveries, strict=True):
        thread.join(max(0.0, until - time.monotonic()))
        # What arrives later was not waited for, so that nobody knows.
        if not one.is_done:
            one.failed = one.failed or NotDelivered(f"no answer came within {seconds:.0f} seconds")
    return list(sending.notes)


def _deliver(one: Delivery, sending: Sending) -> None:
    try:
        one.send(sending)
    except NotDelivered as error:
        one.failed = error
    except Exception as error:  # noqa: BLE001 - a fault here is no reason for a run to fail
        one.failed = NotDelivered(f"a fault of the program: {type(error).__name__}")
    one.is_done = True


def _remember(night: Night, one: Delivery, told: Condition | None) -> None:
    if night.book is None or night.now is None:
        return
    if one.failed is None:
        condition = _after(night.now, one.change, told)
    else:
        before = told or Condition(False, night.ended_at, night.ended_at)
        condition = replace(before, failure=one.failed.reason, failed_at=night.ended_at)
    try:
        night.book.note_told(one.notifier.name, night.target, night.mapping, condition)
    except JournalError as error:
        night.log(f"what notification '{one.notifier.name}' was told is not remembered: {error.code}")


def _after(now: Condition, change: Change, told: Condition | None) -> Condition:
    """Return what a notifier knows once it was told: of lasting trouble all kinds that it ever was told of."""
    if change not in BAD:
        return replace(now, kinds=(), failure="", failed_at=None)
    before = told.kinds if told is not None and told.is_trouble else ()
    return replace(now, kinds=tuple({*before, *now.kinds}), failure="", failed_at=None)


def test_all(
    notifiers: Sequence[Notifier], settings: Settings, message: Callable[[Notifier], Message]
) -> Mapping[str, NotDelivered | None]:
    """Send each notifier its message, and return by name why it did not arrive, None where it did."""

    def sender(notifier: Notifier) -> Callable[[Sending], None]:
        return lambda sending: kind_of(notifier).send(notifier, message(notifier), sending)

    deliveries = [Delivery(notifier, sender(notifier)) for notifier in notifiers]
    deliver(deliveries, settings)
    return {one.notifier.name: one.failed for one in deliveries}
