"""Text of a person → keyed hash: the same for the same text, and worth nothing to who has the database alone.

The key stands in a file beside the database, or where `[journal]` says, never in the database. It is needed on every
machine that shares a journal. A hash of 16 bytes collides once in 10^19 pairs.
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
from collections.abc import Iterable, Mapping
from pathlib import Path

import pyarrow as pa

from etl.errors import JournalError
from etl.settings.journal import JournalSettings

SEPARATOR = "\x1f"
"""Between group key and value of an identity; the same as pipeline.KEY_SEPARATOR (a test holds the two together)."""
BY_PAYLOAD = "\x1epayload" + SEPARATOR
"""Before the body of an event without a key: such an identity is the event's whole payload."""
HASH_BYTES = 16
FIELD_BYTES = 8
DIGEST_BYTES = 32
_KEY_BYTES = 32
_HEX = re.compile(r"[0-9a-f]{64}")
_SHORTEST = 32


class Hasher:
    """Keyed hashes (BLAKE2b): of identities, of fields, and pads that hide digests. Safe in many threads."""

    def __init__(self, key: bytes) -> None:
        self._identity = hashlib.blake2b(key=key, digest_size=HASH_BYTES)
        self._pad = hashlib.blake2b(key=key, digest_size=DIGEST_BYTES, person=b"digest")
        self._fields = hashlib.blake2b(key=key, digest_size=FIELD_BYTES, person=b"field")
        told = hashlib.blake2b(b"the key of this journal", key=key, digest_size=HASH_BYTES, person=b"check")
        self.check = told.hexdigest()
        """Stands in the journal, so that another key is refused."""
        self.masks = hashlib.blake2b(key=key, digest_size=_KEY_BYTES, person=b"masks").digest()
        """The key of the tokens that stand for people in reports; it tells nothing of `key`."""

    def of(self, text: str) -> bytes:
        """Return the hash of `text`, 16 bytes."""
        hashed = self._identity.copy()
        hashed.update(text.encode("utf-8", "surrogatepass"))
        return hashed.digest()

    def of_all(self, texts: pa.Array) -> list[bytes]:
        """Return the hash of each text (string), b"" for null."""
        copy = self._identity.copy
        found = []
        for text in texts.cast(pa.binary()).to_pylist():
            if text is None:
                found.append(b"")
                continue
            hashed = copy()
            hashed.update(text)
            found.append(hashed.digest())
        return found

    def fields(self, owner: bytes, values: Iterable[tuple[str, bytes]]) -> tuple[tuple[str, bytes], ...]:
        """Return (path, hash of 8 bytes) for each (path, value); the same value of another `owner` hashes otherwise."""
        start = self._fields.copy()
        start.update(owner)
        copy = start.copy
        found = []
        for path, value in values:
            hashed = copy()
            hashed.update(b"%b\0%b" % (path.encode("utf-8", "surrogatepass"), value))
            found.append((path, hashed.digest()))
        return tuple(found)

    def seal(self, digest: bytes, salt: bytes) -> bytes:
        """Return `digest` (32 bytes) hidden under a pad that only the key gives; sealing again opens it.

        A plain SHA-256 of `{"email": ...}` is found again by trying addresses. `salt`: unique for each place.
        """
        return _xor(digest, self.pad(salt))

    def pad(self, salt: bytes) -> bytes:
        """Return the 32 bytes that hide a digest stored at the place that `salt` names."""
        hashed = self._pad.copy()
        hashed.update(salt)
        return hashed.digest()

    def pads(self, start: bytes, ends: Iterable[bytes]) -> bytes:
        """Return the pads of the salts that begin with `start`, one after the other."""
        salted = self._pad.copy()
        salted.update(start)
        copy = salted.copy
        found = []
        for end in ends:
            hashed = copy()
            hashed.update(end)
            found.append(hashed.digest())
        return b"".join(found)


def bare(identity: str) -> str:
    """Return an identity or a lane without its group key: what a person would type."""
    return identity.partition(SEPARATOR)[2]


def spoken(key: str) -> tuple[str, ...]:
    """Return the texts that a person may mean by `key`: as it is, and folded as e-mails are."""
    stripped = key.strip()
    return tuple(dict.fromkeys((key, stripped, stripped.casefold())))


def given_key(settings: JournalSettings, folder: Path, environ: Mapping[str, str]) -> bytes | None:
    """Return the hashing key that the settings name, None where they name none. Raises JournalError."""
    if settings.key_env is not None:
        text = environ.get(settings.key_env, "")
        if not text:
            message = f"the environment variable {settings.key_env} is not set"
            hint = "it must hold the hashing key of the journal (`key_env` under [journal])"
            raise JournalError(message, code="journal-key", hint=hint)
        return _parsed(text.strip(), settings.key_env)
    if settings.key_file is not None:
        key = read_key(folder / Path(settings.key_file).expanduser())
        if key is None:
            hint = "it must hold the hashing key of the journal (`key_file` under [journal])"
            raise JournalError("there is no such file", code="journal-key", where=settings.key_file, hint=hint)
        return key
    return None


def read_key(path: Path) -> bytes | None:
    """Return the key in the file, None where there is no such file. Raises JournalError."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no text"
        hint = "it holds the hashing key of the journal: 64 characters from 0 to f"
        raise JournalError(f"cannot be read: {reason}", code="journal-key", where=str(path), hint=hint) from None
    return _parsed(text.strip(), str(path))


def make_key(path: Path) -> bytes:
    """Return the key in the file, a new one where there is none; of two who make it at once both get the same.

    The file is readable by its owner alone. Raises OSError, JournalError.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    started = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    try:
        handle = os.open(started, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(secrets.token_hex(_KEY_BYTES) + "\n")
            file.flush()
            os.fsync(file.fileno())
        publish(started, path)
    finally:
        started.unlink(missing_ok=True)
    key = read_key(path)
    if key is None:
        raise AssertionError("BUG: the key that was just made is gone")
    return key


def publish(started: Path, path: Path) -> bool:
    """Give a finished file its name, unless that is taken: whether it was free. Both names may be left."""
    try:
        os.link(started, path)
    except FileExistsError:
        return False
    except OSError:
        # A file system without links; two at once are told apart only as well as they can be.
        if path.exists():
            return False
        started.replace(path)
    _sync_folder(path.parent)
    return True


def _sync_folder(folder: Path) -> None:
    try:
        handle = os.open(folder, os.O_RDONLY)
    except OSError:
        return
    try:
        os.fsync(handle)
    except OSError:
        pass
    finally:
        os.close(handle)


def _parsed(text: str, where: str) -> bytes:
    if _HEX.fullmatch(text.lower()):
        return bytes.fromhex(text)
    if len(text) < _SHORTEST:
        hint = "take 64 characters from 0 to f, or any secret text of at least 32 characters"
        raise JournalError("the hashing key of the journal is too short", code="journal-key", where=where, hint=hint)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()


def _xor(one: bytes, other: bytes) -> bytes:
    size = len(one)
    return (int.from_bytes(one) ^ int.from_bytes(other[:size])).to_bytes(size)
