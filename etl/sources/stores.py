"""s3://, sftp:// and gs:// → blocks of bytes, by fsspec and the extra of each; loaded when such an address is given.

Credentials are the ones of the tools that people have: AWS_* and ~/.aws, ~/.ssh, Google's application default.
Private addresses are allowed here: a company's own SFTP server has one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from importlib import import_module
from typing import Any
from urllib.parse import unquote

from etl.errors import SourceError
from etl.sources.addresses import Address, bad_address
from etl.sources.https_file import Waits
from etl.sources.spool import BLOCK_BYTES, MAX_BYTES, too_large

_READ_AHEAD_BYTES = 8 << 20
_PACKAGES = {"s3": "s3fs", "sftp": "sshfs", "gs": "gcsfs"}
_VERSION_KEYS = ("ETag", "etag", "generation", "mtime", "size")
_FOREIGN = {
    "s3": ("botocore.exceptions:BotoCoreError", "botocore.exceptions:ClientError", "aiohttp:ClientError"),
    "sftp": ("asyncssh:Error", "asyncssh:KeyImportError"),
    "gs": ("gcsfs.retry:HttpError", "google.auth.exceptions:GoogleAuthError", "aiohttp:ClientError"),
}
_CREDENTIALS = {
    "s3": "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE; the key must be allowed to read there",
    "sftp": "check the user (sftp://USER@HOST/...), and that the server knows your key",
    "gs": "log in by `gcloud auth application-default login`, or set GOOGLE_APPLICATION_CREDENTIALS",
}
_NOT_CONNECTED = frozenset({"gaierror", "EndpointConnectionError", "ClientConnectorError", "ConnectionLost"})
_IS_PATTERN = frozenset("*[")


class Store:
    """The place that an address names, opened. Every fault is a SourceError that holds none of its secrets."""

    def __init__(self, address: Address, waits: Waits) -> None:
        """Connect as `address` says. Raises SourceError: no such scheme's extra, a query, no connection."""
        if address.query:
            raise bad_address(f"{address.scheme}:// takes no query", address.name, "leave out what follows the `?`")
        self._address, self._waits = address, waits
        self._faults = _faults(address)
        try:
            self._files = _opened(address, waits)
        except self._faults as error:
            raise self._told(error) from None

    def paths(self) -> list[str]:
        """Return the files that the address means, sorted where it is a pattern. Raises SourceError: none."""
        path = _path(self._address)
        if not _IS_PATTERN & set(self._address.path):
            return [path]
        try:
            found = self._files.glob(path, detail=True)
        except self._faults as error:
            raise self._told(error) from None
        files = sorted(one for one, status in found.items() if status.get("type") == "file")
        if not files:
            raise SourceError(
                "no file matches this pattern", code="remote-missing", where=self._address.name, hint="check its folder"
            )
        return files

    def name_of(self, path: str) -> str:
        """Return how people call one of `paths`."""
        if not _IS_PATTERN & set(self._address.path):
            return self._address.name
        head = self._address.name.partition("://")[2].partition("/")[0]
        inner = path.removeprefix(f"{self._address.host}/") if self._address.scheme != "sftp" else path.lstrip("/")
        return f"{self._address.scheme}://{head}/{inner}"

    def blocks(self, path: str) -> Iterator[bytes]:
        """Yield the bytes of one file. Raises SourceError: missing, forbidden, changed or cut while it is read."""
        try:
            before = self._version(path)
            size = before.get("size")
            if size is not None and size > MAX_BYTES:
                raise too_large(self.name_of(path))
            read = 0
            with self._files.open(path, "rb", block_size=_READ_AHEAD_BYTES) as file:
                while block := file.read(BLOCK_BYTES):
                    read += len(block)
                    yield bytes(block)
            if (size is not None and read != size) or self._version(path) != before:
                raise SourceError(
                    "the file changed while it was fetched, or the connection broke off; nothing is read",
                    code="remote-cut",
                    where=self.name_of(path),
                    hint="try again",
                )
        except self._faults as error:
            raise self._told(error) from None

    def close(self) -> None:
        """End the connection of SFTP; the others end theirs when they are no longer used."""
        if self._address.scheme == "sftp":
            self._files.loop.call_soon_threadsafe(self._files.client.close)

    def _version(self, path: str) -> dict[str, Any]:
        self._files.invalidate_cache()
        status = self._files.info(path)
        if status.get("type") == "directory":
            raise IsADirectoryError
        if status.get("type") not in {"file", None}:
            raise SourceError(
                "this is a link or a device, not a file", code="not-a-file", where=self._address.name,
                hint="give the file itself",
            )  # fmt: skip
        return {key: status[key] for key in _VERSION_KEYS if key in status}

    def _told(self, error: BaseException) -> SourceError:
        message, code, hint = _words(error, self._address)
        return SourceError(message, code=code, where=self._address.name, hint=hint)


def _words(error: BaseException, address: Address) -> tuple[str, str, str]:
    """Return message, code and hint; by the kind of the error alone, whose own words may hold anything."""
    kind = type(error).__name__
    scheme = address.scheme
    if kind in {"HostKeyNotVerifiable", "KeyImportError"}:
        hint = (
            f"connect once by hand (sftp {address.host}), compare its key and confirm it; ~/.ssh/known_hosts keeps it"
        )
        return "the key of this host is not known, or not the one that is known", "remote-host-key", hint
    if isinstance(error, FileNotFoundError) or kind == "SFTPNoSuchFile":
        return "there is no such file", "remote-missing", "check the address"
    if isinstance(error, IsADirectoryError):
        return "this is a folder, not a file", "remote-missing", "name a file, or a pattern: FOLDER/*.csv"
    if kind in {"NoCredentialsError", "PartialCredentialsError", "DefaultCredentialsError", "RefreshError"}:
        return "there are no credentials for it", "remote-forbidden", _CREDENTIALS[scheme]
    if isinstance(error, PermissionError) or kind == "PermissionDenied" or getattr(error, "code", None) in {401, 403}:
        return "access is refused", "remote-forbidden", _CREDENTIALS[scheme]
    if isinstance(error, ConnectionError) or kind in _NOT_CONNECTED:
        return (
            "no connection to the server",
            "remote-unreachable",
            "check the address and the connection to the network",
        )
    if isinstance(error, TimeoutError) or "Timeout" in kind:
        return "the server takes too long", "remote-timeout", "try again later"
    return (
        f"the file cannot be fetched ({kind})",
        "remote-failed",
        "check the address and the connection to the network",
    )


def _opened(address: Address, waits: Waits) -> Any:
    shared: dict[str, Any] = {"skip_instance_cache": True}
    package = import_module(_PACKAGES[address.scheme])
    if address.scheme == "s3":
        _refuse_user(address, _CREDENTIALS["s3"])
        limits = {"connect_timeout": waits.connect, "read_timeout": waits.block, "retries": {"max_attempts": 3}}
        return package.S3FileSystem(config_kwargs=limits, **shared)
    if address.scheme == "gs":
        _refuse_user(address, _CREDENTIALS["gs"])
        return package.GCSFileSystem(access="read_only", requests_timeout=waits.block, timeout=waits.block, **shared)
    given = {"username": address.user, "password": address.password, "port": address.port}
    kept = {key: value for key, value in given.items() if value is not None}
    # sshfs trusts every host unless it is told otherwise; () is asyncssh's own default, ~/.ssh/known_hosts.
    return package.SSHFileSystem(
        address.host, known_hosts=(), connect_timeout=waits.connect, timeout=waits.block, **kept, **shared
    )


def _refuse_user(address: Address, hint: str) -> None:
    if address.user is not None or address.password is not None:
        raise bad_address("no key may stand in this address", address.name, hint)


def _path(address: Address) -> str:
    return unquote(address.path) if address.scheme == "sftp" else f"{address.host}{address.path}"


def _faults(address: Address) -> tuple[type[BaseException], ...]:
    scheme = address.scheme
    try:
        import_module(_PACKAGES[scheme])
    except ImportError:
        raise SourceError(
            f"{scheme}:// needs a package that is not installed ({_PACKAGES[scheme]})",
            code="extra-missing",
            where=address.name,
            hint=f'pip install "salesmanago-etl[{scheme}]"',
        ) from None
    named = [place.split(":") for place in _FOREIGN[scheme]]
    foreign = [getattr(import_module(module), name) for module, name in named]
    return (OSError, ValueError, RuntimeError, EOFError, asyncio.TimeoutError, *foreign)
