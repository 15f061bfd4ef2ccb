"""A URL → files in a spool. Which scheme is read by what; nothing of a remote file is held in memory whole."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from etl.sources.addresses import is_public, parse_address
from etl.sources.https_file import Waits, read_https
from etl.sources.spool import Spool
from etl.sources.stores import Store


def fetch(url: str, spool: Spool, *, allow_private: bool = False, waits: Waits | None = None) -> list[tuple[str, Path]]:
    """Return (name for people, file in the spool) of what `url` means: one file, or those a pattern matches.

    `allow_private`: whether https:// may lead to private addresses (and http:// to this machine). Raises SourceError,
    which never holds a password, a token or a signature of the URL.
    """
    waits = waits or Waits()
    address = parse_address(url)
    if address.scheme in {"https", "http"}:
        blocks = read_https(address, may_connect=_anywhere if allow_private else is_public, waits=waits)
        return [(address.name, spool.write(blocks, address.name))]
    with closing(Store(address, waits)) as store:
        return [(store.name_of(path), spool.write(store.blocks(path), store.name_of(path))) for path in store.paths()]


def _anywhere(_: str) -> bool:
    return True
