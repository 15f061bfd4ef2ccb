"""A real PostgreSQL for the tests: made in a temporary folder, on a free port of this machine, gone with them.

    server = PostgresServer(folder); server.start(); server.url("name"); server.restart(); server.stop()

It runs as an unprivileged user where the tests run as root, which PostgreSQL refuses. What is committed is forced to
disk as in production. Logging in needs a password, so that the tests show where it may stand and where not.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

USER = "etl"
PASSWORD = "correct-horse-battery"
_START_SECONDS = 60.0


class NoPostgresError(Exception):
    """There is no PostgreSQL to start; `str()` says why."""


def binaries() -> Path:
    """Return the folder of initdb and postgres, the newest there is. Raises NoPostgresError."""
    found = shutil.which("initdb")
    places = [Path(found).parent] if found else []
    places += sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda p: int(p.parent.name), reverse=True)
    for place in places:
        if (place / "initdb").exists() and (place / "postgres").exists():
            return place
    raise NoPostgresError("PostgreSQL is not installed (initdb is neither in PATH nor in /usr/lib/postgresql)")


class PostgresServer:
    """One server and its data; `start` and `stop` may alternate."""

    def __init__(self, folder: Path) -> None:
        self._binaries = binaries()
        self._folder = folder
        self._data = folder / "data"
        self._owner = _unprivileged() if os.geteuid() == 0 else None
        self._process: subprocess.Popen[bytes] | None = None
        self.port = _free_port()
        self._made = 0
        self._shared = ""
        if self._owner is not None:
            os.chown(folder, self._owner.pw_uid, self._owner.pw_gid)
        self._initialise()

    def start(self) -> None:
        """Start the server, and return when it takes connections."""
        options = {"port": self.port, "listen_addresses": "127.0.0.1", "unix_socket_directories": self._folder,
                   "max_connections": 40, "shared_buffers": "32MB", "log_min_messages": "fatal"}  # fmt: skip
        given = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
        self._process = self._spawn([self._binaries / "postgres", "-D", self._data, *given])
        until = time.monotonic() + _START_SECONDS
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > until:
                raise RuntimeError((self._folder / "log").read_text(errors="replace")[-2000:])
            time.sleep(0.05)

    def stop(self, *, how: signal.Signals = signal.SIGINT) -> None:
        """Stop the server: SIGINT ends all connections at once, SIGQUIT is as a crash."""
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(_START_SECONDS)
            self._process = None

    def restart(self, *, how: signal.Signals = signal.SIGINT) -> None:
        """Stop and start again."""
        self.stop(how=how)
        self.start()

    def database(self) -> str:
        """Return the URL of a new, empty database, without the password."""
        self._made += 1
        name = f"journal_{self._made}"
        self.execute(f"CREATE DATABASE {name}")
        return f"postgresql://{USER}@127.0.0.1:{self.port}/{name}"

    def emptied(self) -> str:
        """Return the URL of one database that is shared, without a journal in it: 50 times as fast as a new one."""
        if not self._shared:
            self._shared = self.database()
        self.execute("DROP SCHEMA IF EXISTS etl_journal CASCADE", self._shared.rpartition("/")[2])
        return self._shared

    def execute(self, statement: str, database: str = "postgres") -> list[tuple[object, ...]]:
        """Execute one statement as the owner of everything, and return its rows."""
        import psycopg

        url = f"postgresql://{USER}@127.0.0.1:{self.port}/{database}"
        with psycopg.connect(url, password=PASSWORD, autocommit=True) as connection:
            cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []

    def _initialise(self) -> None:
        password = self._folder / "password"
        password.write_text(PASSWORD)
        self._give(password)
        command = [self._binaries / "initdb", "-D", self._data, "-U", USER, "--pwfile", password, "-A", "scram-sha-256",
                   "-E", "UTF8", "--locale", "C", "--no-sync"]  # fmt: skip
        made = self._spawn(command)
        if made.wait(_START_SECONDS):
            raise RuntimeError((self._folder / "log").read_text(errors="replace")[-2000:])

    def _spawn(self, command: list[object]) -> subprocess.Popen[bytes]:
        log = self._folder / "log"
        with log.open("ab") as output:
            self._give(log)
            return subprocess.Popen(
                [str(part) for part in command], cwd=self._folder, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                user=self._owner.pw_uid if self._owner else None, group=self._owner.pw_gid if self._owner else None,
                extra_groups=[] if self._owner else None, env={"PATH": os.environ["PATH"], "LC_ALL": "C"},
            )  # fmt: skip

    def _give(self, path: Path) -> None:
        if self._owner is not None:
            os.chown(path, self._owner.pw_uid, self._owner.pw_gid)

    def _answers(self) -> bool:
        import psycopg

        try:
            self.execute("SELECT 1")
        except psycopg.OperationalError:
            return False
        return True


@contextmanager
def running() -> Iterator[PostgresServer]:
    """Yield a running server; its folder is short (a socket's path is at most 107 bytes) and goes with it."""
    with tempfile.TemporaryDirectory(prefix="etl-pg-", ignore_cleanup_errors=True) as folder:
        server = PostgresServer(Path(folder))
        try:
            server.start()
            yield server
        finally:
            server.stop(how=signal.SIGQUIT)


def _unprivileged() -> pwd.struct_passwd:
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise NoPostgresError("PostgreSQL refuses to run as root, and there is neither a user `postgres` nor `nobody`")


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])
