"""Intent and Outcome → rows of the journal, hashed and without personal data. Done in the thread that writes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import orjson

from etl.errors import impersonal
from etl.journal.doubts import Doubt
from etl.journal.keys import BY_PAYLOAD, Hasher, bare
from etl.journal.model import SENDING, WAITING
from etl.records import Delivery, Intent, Outcome, Status

UPSERT, DELETE, EVENT = "contact.upsert", "contact.delete", "event.create"
MAX_MESSAGE = 200
_MAX_CODE = 64
_IDENTIFIER = re.compile(r"[A-Za-z0-9._:/+=-]{1,200}")


@dataclass(frozen=True, slots=True)
class Confirmation:
    """A payload that the endpoint confirmed. `fields`: (path, hash); the hashes as in the tables."""

    action: str
    key: bytes
    digest: bytes
    person: bytes | None
    bare: bytes | None
    lane: bytes | None
    fields: tuple[tuple[str, bytes], ...]
    key_text: str | None


@dataclass(frozen=True, slots=True)
class Erasure:
    """A person whom the endpoint deleted."""

    lane: bytes
    bare: bytes


@dataclass(frozen=True, slots=True)
class Row:
    """What one entry says. `values`: the columns of `deliveries` after `run`, but `changed`."""

    place: tuple[int, int]
    values: tuple[Any, ...]
    at: float
    effect: Confirmation | Erasure | None = None
    doubt: Doubt | None = None


class Encoder:
    """Makes rows of entries, for one run. `plain`: whether keys are kept as text beside their hashes."""

    def __init__(self, hasher: Hasher, run: int, *, plain: bool) -> None:
        self._hasher = hasher
        self._run = run
        self._plain = plain

    def row(self, entry: Intent | Outcome) -> Row:
        """Return the row of one entry."""
        if isinstance(entry, Intent):
            answer: tuple[Any, ...] = (SENDING, entry.attempt, None, None, None, None, entry.at, None)
            delivery, delivered, is_open = entry.delivery, False, True
        else:
            receipt, delivery = entry.receipt, entry.receipt.delivery
            state = str(receipt.status) if entry.is_final else WAITING
            answer = (
                state, receipt.attempts, receipt.http_status, _identifier(receipt.request_id),
                _impersonal(receipt.code, _MAX_CODE), _impersonal(receipt.message, MAX_MESSAGE),
                receipt.sent_at, receipt.duration_ms,
            )  # fmt: skip
            delivered = entry.is_final and receipt.status is Status.DELIVERED
            is_open = _stays_open(entry)
        place = (delivery.position, delivery.record)
        person = None if delivery.lane is None else self._hasher.of(bare(delivery.lane))
        key = self._key(delivery, person)
        digest = sha256(delivery.body).digest()
        sealed = self._hasher.seal(digest, delivery_salt(self._run, *place))
        values = (*place, delivery.action, key, person, self._text(delivery), sealed, *answer)
        effect = self._effect(delivery, digest, person) if delivered else None
        return Row(place, values, entry.at, effect, self._doubt(delivery, person, is_open=is_open))

    def _doubt(self, delivery: Delivery, person: bytes | None, *, is_open: bool) -> Doubt | None:
        """Return what is said about the key; of a deletion about the contact's, where its key is the person's."""
        if delivery.action == DELETE:
            identity, action = delivery.lane, UPSERT
        else:
            identity, action = _identity(delivery), delivery.action
        if identity is None or action not in {UPSERT, EVENT}:
            return None
        bare_key = None if delivery.action == DELETE else self._key(delivery, person)
        return Doubt(action, self._hasher.of(identity), person, bare_key, is_open)

    def _key(self, delivery: Delivery, person: bytes | None) -> bytes | None:
        """Return the hash of the key, None where it would repeat the person's."""
        if delivery.key is None or delivery.key == delivery.lane:
            return None
        key = self._hasher.of(bare(delivery.key))
        return None if key == person else key

    def _text(self, delivery: Delivery) -> str | None:
        identity = delivery.key if delivery.key is not None else delivery.lane
        return storable(bare(identity)) if self._plain and identity is not None else None

    def _effect(self, delivery: Delivery, digest: bytes, person: bytes | None) -> Confirmation | Erasure | None:
        lane = None if delivery.lane is None else self._hasher.of(delivery.lane)
        if delivery.action == DELETE:
            return None if lane is None or person is None else Erasure(lane, person)
        identity = _identity(delivery)
        if identity is None or delivery.action not in {UPSERT, EVENT}:
            return None
        key = lane if identity == delivery.lane and lane is not None else self._hasher.of(identity)
        fields = self._hasher.fields(key, _leaves(delivery.body))
        text = storable(identity) if self._plain and delivery.key is not None else None
        return Confirmation(delivery.action, key, digest, person, self._key(delivery, person), lane, fields, text)


def _identity(delivery: Delivery) -> str | None:
    """Return what the memory knows a delivery by: an event without a key by its whole payload."""
    if delivery.key is None and delivery.action == EVENT:
        return BY_PAYLOAD + delivery.body.decode("utf-8", "surrogateescape")
    return delivery.key


def _stays_open(outcome: Outcome) -> bool:
    """Whether the request may have been carried out for all that is known; an event that failed certainly was not."""
    receipt = outcome.receipt
    if receipt.delivery.action == EVENT:
        return outcome.is_final and receipt.status is Status.UNKNOWN
    return not outcome.is_final or receipt.status is not Status.DELIVERED


def delivery_salt(run: int, position: int, record: int) -> bytes:
    """Return what a digest in `deliveries` is sealed with."""
    return b"d%d,%d,%d" % (run, position, record)


def confirmed_salt(scope: int, key: bytes) -> bytes:
    """Return what a digest in `confirmed` is sealed with."""
    return b"c%d,%b" % (scope, key)


def storable(text: str) -> str:
    """Return `text` as both databases take it: no NUL, no half of a surrogate pair."""
    return text.replace("\0", "").encode("utf-8", "replace").decode()


def _leaves(body: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield each field of a body by its path, and its value as JSON; of an envelope, those of its `data`."""
    try:
        tree = orjson.loads(body)
    except orjson.JSONDecodeError:
        return
    if isinstance(tree, dict):
        if isinstance(tree.get("data"), dict) and tree.keys() <= {"data", "group_key"}:
            tree = tree["data"]
        yield from _below(tree, "")


def _below(tree: dict[str, Any], start: str) -> Iterator[tuple[str, bytes]]:
    for name, value in tree.items():
        if isinstance(value, dict):
            yield from _below(value, f"{start}{name}.")
        else:
            path = start + name
            yield path if path.isprintable() else _printable(path), orjson.dumps(value)


def _printable(path: str) -> str:
    """Return a name without SEPARATOR and other characters that cannot be seen."""
    return "".join(letter if letter.isprintable() else "?" for letter in storable(path))


def _identifier(text: str) -> str | None:
    return text if _IDENTIFIER.fullmatch(text) else None


def _impersonal(text: str, longest: int) -> str | None:
    # Cut again after the words are replaced, which may make them longer.
    return storable(impersonal(text[: longest * 5]))[:longest] if text else None
