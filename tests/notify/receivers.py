"""Who is told in the tests: a real web server and a real mail server on this machine, and nights against a sandbox."""

from __future__ import annotations

import contextlib
import json
import os
import ssl
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, Envelope, LoginPassword
from fault_server import FaultServer, Script, reply
from support import CONTACT, Rig, rig, write_csv

import etl
from etl.load.loader import Timing

SECRET = "kanarek-4711-signing"
USER, PASSWORD = "night", "kanarek-mail-password"
GOOD = "E-mail\na@example.com\nb@example.com\nc@example.com\n"
BAD = "E-mail\na@example.com\nkanarek.nowak\n"
WORSE = "E-mail\na@example.com\nkanarek.nowak\nkanarek\n\n"


class Postbox:
    """A mail server's handler that keeps what it takes; refuses recipients whose address starts with `no`."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.farewell = "221 Bye"

    async def handle_RCPT(self, server: Any, session: Any, envelope: Envelope, address: str, options: Any) -> str:  # noqa: N802
        if address.startswith("no"):
            return f"550 no such user {address}"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_QUIT(self, server: Any, session: Any, envelope: Envelope) -> str:  # noqa: N802
        return self.farewell

    async def handle_DATA(self, server: Any, session: Any, envelope: Envelope) -> str:  # noqa: N802
        mail = message_from_bytes(envelope.content or b"", policy=policy.default)
        assert isinstance(mail, EmailMessage)
        self.mails.append(mail)
        return "250 OK"


class _Listening(Controller):
    """On a free port, of which the library tells nobody."""

    def _trigger_server(self) -> None:
        self.port = self.server.sockets[0].getsockname()[1]  # type: ignore[union-attr]
        super()._trigger_server()


@contextlib.contextmanager
def postbox(tls: ssl.SSLContext | None = None, *, login: bool = False) -> Iterator[tuple[Postbox, int]]:
    """Yield a mail server and its port; `tls`: STARTTLS is required; `login`: USER and PASSWORD are."""

    def authenticate(server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
        known = isinstance(data, LoginPassword) and (data.login, data.password) == (USER.encode(), PASSWORD.encode())
        return AuthResult(success=known, handled=known)

    box = Postbox()
    more: dict[str, Any] = {"require_starttls": True, "tls_context": tls} if tls else {}
    if login:
        more |= {"authenticator": authenticate, "auth_required": True, "auth_require_tls": tls is not None}
    controller = _Listening(box, hostname="127.0.0.1", port=0, **more)
    controller.start()
    try:
        yield box, controller.port
    finally:
        controller.stop()


@contextlib.contextmanager
def web(script: Script | None = None) -> Iterator[FaultServer]:
    """Yield a web server that takes everything, unless the script says otherwise."""
    with FaultServer(script or [reply(200, b"ok")]) as server:
        yield server


@dataclass
class Nights:
    """A mapping that runs night after night. `clock`: Unix seconds; `notes`: what was said on stderr."""

    rig: Rig
    clock: float = 1_790_000_000.0
    notes: list[str] = field(default_factory=list)

    def tell(self, lines: str) -> None:
        """Add tables to etl.toml."""
        with self.rig.config.open("a", encoding="utf-8") as config:
            config.write(f"\n{lines}\n")

    def options(self, **more: Any) -> etl.Options:
        clock = self.clock
        timing = replace(Timing(), wall=lambda: clock)
        return etl.Options(timing=timing, complain=self.notes.append, reports=("csv",), **more)

    def run(self, sheet: str | None, mapping: str | Path = "mapping.yaml", **more: Any) -> Any:
        """Run a night on a sheet (None: it did not come); return the report, or the error that came instead."""
        folder = self.rig.folder
        if not (folder / "mapping.yaml").exists():
            (folder / "mapping.yaml").write_text(CONTACT, encoding="utf-8")
        file = folder / "sheet.csv"
        file.unlink(missing_ok=True)
        if sheet is not None:
            write_csv(file, sheet)
        out = folder / f"out-{self.clock:.0f}"
        self.clock += 86_400
        try:
            return etl.run(
                folder / mapping, [file], target="test", config=self.rig.config, options=self.options(out=out, **more)
            )
        except Exception as error:  # noqa: BLE001 - it is what the test looks at
            return error


@contextlib.contextmanager
def nights(folder: Path, **sandbox: Any) -> Iterator[Nights]:
    """Yield nights in a folder."""
    with rig(folder, **sandbox) as running:
        yield Nights(running)


@contextlib.contextmanager
def environment(**variables: str) -> Iterator[None]:
    """Set variables for a while."""
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def bodies(server: FaultServer) -> list[dict[str, Any]]:
    """Return what the server was sent, as JSON."""
    return [json.loads(one.body) for one in server.requests]


def wait_until(is_so: Any, seconds: float = 5.0) -> None:
    """Return once `is_so()`; fail after `seconds`."""
    until = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < until
        time.sleep(0.01)
