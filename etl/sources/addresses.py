"""A URL → an Address whose secrets show themselves to nobody; and whether a host may be connected to."""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import SplitResult, unquote, urlsplit, urlunsplit

from etl.errors import SourceError

_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
SCHEMES = ("https", "s3", "sftp", "gs")
_KNOWN = (*SCHEMES, "http")
_IP = ipaddress.IPv4Address | ipaddress.IPv6Address
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_NEVER = tuple(
    ipaddress.ip_network(network)
    for network in (
        "0.0.0.0/8", "100.64.0.0/10", "192.0.0.0/24", "192.88.99.0/24", "198.18.0.0/15", "::/96", "64:ff9b:1::/48",
        "100::/64", "2001::/23", "2001:db8::/32", "5f00::/16", "fec0::/10",
    )
)  # fmt: skip
"""What is not for the public, beyond what `ipaddress` of every Python that we run on knows (IANA's registries)."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where a remote file lies. `name`: the URL without user, password, query and fragment, for everyone to see.

    `host`: in s3 and gs the bucket. `path`: as it stands in the URL. `user`, `password`: decoded.
    """

    name: str
    scheme: str
    host: str
    port: int | None
    path: str
    query: str = field(default="", repr=False)
    user: str | None = field(default=None, repr=False)
    password: str | None = field(default=None, repr=False)

    @property
    def origin(self) -> tuple[str, str, int | None]:
        """Whom credentials are meant for."""
        return self.scheme, self.host, self.port


def is_url(text: str) -> bool:
    """Whether `text` begins as a URL does; no path of a file system begins so."""
    return _URL.match(text) is not None


def shown_name(text: str) -> str:
    """Return `text` as messages may show it: a URL without user, password, query and fragment."""
    if not is_url(text):
        return text
    try:
        return _without_secrets(urlsplit(text))
    except ValueError:
        return f"{text.partition('://')[0]}://..."


def parse_address(text: str) -> Address:
    """Return the address of a URL. Raises SourceError: a scheme that is not read, no host, a port that is none."""
    name = shown_name(text)
    try:
        parts = urlsplit(text)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise bad_address("this is no address that can be read", name, "check its host and port") from None
    scheme = parts.scheme.lower()
    if scheme not in _KNOWN:
        hint = "give the path itself" if scheme == "file" else f"addresses begin with {', '.join(SCHEMES)}"
        raise bad_address(f"'{scheme}://' is not read", name, hint)
    if not host or not parts.path.strip("/"):
        raise bad_address("the address names no file", name, f"write it like {scheme}://HOST/FOLDER/FILE.csv")
    return Address(
        name,
        scheme,
        # A bucket's name is kept as it is; hosts know no upper case.
        host,
        port,
        parts.path,
        parts.query,
        None if parts.username is None else unquote(parts.username),
        None if parts.password is None else unquote(parts.password),
    )


def bad_address(message: str, name: str, hint: str) -> SourceError:
    """Return the SourceError for an address that cannot be used."""
    return SourceError(message, code="address", where=name, hint=hint)


def resolve(host: str, port: int, name: str, may_connect: Callable[[str], bool]) -> list[str]:
    """Return the numeric addresses of `host`, once looked up and each one checked: connect to these, not to the name.

    Raises SourceError: no such host, or one of its addresses is one that `may_connect` (`is_public`, usually) denies.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise SourceError(
            f"there is no host '{host}', or its name cannot be looked up now",
            code="remote-unreachable",
            where=name,
            hint="check the address and the connection to the network",
        ) from None
    addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
    private = next((one for one in addresses if not may_connect(one)), None)
    if private is not None:
        raise SourceError(
            f"'{host}' leads to {private}, an address of a private network or of this machine",
            code="address-private",
            where=name,
            hint="if that is meant, write into etl.toml: [sources] and below it allow_private = true",
        )
    return addresses


def is_public(address: str) -> bool:
    """Whether a numeric address is one of the public internet, also where IPv6 wraps an IPv4 address."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return False
    inner = _wrapped(ip)
    if inner is not None:
        return is_public(str(inner))
    if any(ip.version == network.version and ip in network for network in _NEVER):
        return False
    return ip.is_global and not (ip.is_multicast or ip.is_reserved or ip.is_link_local or ip.is_unspecified)


def is_loopback(address: str) -> bool:
    """Whether a numeric address is this machine."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return False
    return (_wrapped(ip) or ip).is_loopback


def _wrapped(ip: _IP) -> ipaddress.IPv4Address | None:
    """Return the IPv4 address in an IPv4-mapped, NAT64 or 6to4 one."""
    if isinstance(ip, ipaddress.IPv4Address):
        return None
    if ip in _NAT64:
        return ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
    return ip.ipv4_mapped or ip.sixtofour


def _without_secrets(parts: SplitResult) -> str:
    netloc = parts.netloc.rpartition("@")[2]
    path = "".join(sign if sign.isprintable() else f"\\x{ord(sign):02x}" for sign in parts.path)
    return urlunsplit((parts.scheme, netloc, path, "", ""))
