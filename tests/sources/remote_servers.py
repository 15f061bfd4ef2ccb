"""Servers that the tests of remote files speak to over loopback: https, S3, Google's storage, SFTP."""

from __future__ import annotations

import asyncio
import contextlib
import json
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from email.utils import formatdate
from hashlib import md5
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

import asyncssh


def make_certificate(folder: Path, name: str = "localhost") -> tuple[ssl.SSLContext, Path]:
    key, certificate = folder / "key.pem", folder / "cert.pem"
    command = [
        "openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={name}",
        "-addext", f"subjectAltName=DNS:{name}", "-keyout", key, "-out", certificate,
    ]  # fmt: skip
    subprocess.run(command, check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context, certificate


@dataclass
class Seen:
    path: str
    headers: dict[str, str] = field(default_factory=dict)


Answer = Callable[["Handler"], None]


class Handler(BaseHTTPRequestHandler):
    """Answers with what its server's routes say; 404 for the rest."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        server = self.server
        assert isinstance(server, _Server)
        server.seen.append(Seen(self.path, {name.lower(): value for name, value in self.headers.items()}))
        with contextlib.suppress(ConnectionError, ssl.SSLError):
            server.answer(self)

    def do_HEAD(self) -> None:
        self.do_GET()

    def give(self, body: bytes = b"", status: int = 200, length: int | None = None, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
        if length is not None:
            self.close_connection = True

    def log_message(self, *_: object) -> None:
        pass


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, answer: Answer, tls: ssl.SSLContext | None, host: str) -> None:
        super().__init__((host, 0), Handler)
        self.answer, self.seen, self._tls = answer, [], tls

    def get_request(self):
        connection, address = super().get_request()
        if self._tls is not None:
            connection = self._tls.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
        return connection, address

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of a client that went away."""


@contextlib.contextmanager
def serving(
    answer: Answer, tls: ssl.SSLContext | None = None, host: str = "127.0.0.1"
) -> Iterator[tuple[int, list[Seen]]]:
    with _Server(answer, tls, host) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server.server_address[1], server.seen
        finally:
            server.shutdown()
            thread.join()


def routes(**answers: Answer) -> Answer:
    """Answer `/name` by the answer of that name; `_` stands for a dot."""

    def answer(request: Handler) -> None:
        name = urlsplit(request.path).path.lstrip("/").replace(".", "_")
        answers.get(name, lambda request: request.give(b"no", 404))(request)

    return answer


def s3(objects: dict[str, bytes]) -> Answer:
    """Answer as S3 does, of one bucket: the head of an object, ranges of it, and the list of all of them."""

    def answer(request: Handler) -> None:
        parts = urlsplit(request.path)
        key = unquote(parts.path).strip("/").partition("/")[2]
        if "AWS4-HMAC-SHA256" not in request.headers.get("Authorization", ""):
            request.give(status=403)
        elif "list-type=2" in parts.query:
            prefix = parse_qs(parts.query).get("prefix", [""])[0]
            found = "".join(_listed(name, body) for name, body in sorted(objects.items()) if name.startswith(prefix))
            xml = f'<?xml version="1.0"?><ListBucketResult><Name>b</Name>{found}<IsTruncated>false</IsTruncated></ListBucketResult>'
            request.give(xml.encode(), Content_Type="application/xml")
        elif key in objects:
            body, tag = objects[key], f'"{md5(objects[key]).hexdigest()}"'
            _ranged(request, body, ETag=tag, Last_Modified=formatdate(0, usegmt=True))
        else:
            request.give(b"<Error><Code>NoSuchKey</Code></Error>", 404, Content_Type="application/xml")

    return answer


def google(objects: dict[str, bytes]) -> Answer:
    """Answer as Google's storage does, of one bucket `b`."""

    def described(name: str) -> dict[str, str]:
        return {"kind": "storage#object", "name": name, "bucket": "b", "size": str(len(objects[name])), "generation": "1",
                "etag": "e", "updated": "2026-01-01T00:00:00Z", "timeCreated": "2026-01-01T00:00:00Z"}  # fmt: skip

    def answer(request: Handler) -> None:
        parts = urlsplit(request.path)
        name = unquote(parts.path.rpartition("/o/")[2])
        prefix = parse_qs(parts.query).get("prefix", [""])[0]
        if parts.path.endswith("/o"):
            request.give(
                json.dumps({"items": [described(one) for one in objects if one.startswith(prefix)]}).encode(),
                Content_Type="application/json",
            )
        elif name not in objects:
            request.give(b'{"error": {"code": 404, "message": "No such object"}}', 404, Content_Type="application/json")
        elif "/download/" in parts.path or "alt=media" in parts.query:
            _ranged(request, objects[name])
        else:
            request.give(json.dumps(described(name)).encode(), Content_Type="application/json")

    return answer


def _listed(name: str, body: bytes) -> str:
    return (
        f"<Contents><Key>{name}</Key><Size>{len(body)}</Size><ETag>&quot;{md5(body).hexdigest()}&quot;</ETag>"
        "<LastModified>2026-01-01T00:00:00.000Z</LastModified></Contents>"
    )


def _ranged(request: Handler, body: bytes, **headers: str) -> None:
    asked = request.headers.get("Range")
    if asked is None:
        request.give(body, **headers)
        return
    first, last = asked.removeprefix("bytes=").split("-")
    end = min(int(last or len(body) - 1), len(body) - 1)
    headers["Content_Range"] = f"bytes {first}-{end}/{len(body)}"
    request.give(body[int(first) : end + 1], 206, **headers)


class _OnePassword(asyncssh.SSHServer):
    def __init__(self, connections: list[asyncssh.SSHServerConnection]) -> None:
        self._connections = connections

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        self._connections.append(conn)

    def begin_auth(self, username: str) -> bool:
        return True

    def password_auth_supported(self) -> bool:
        return True

    def validate_password(self, username: str, password: str) -> bool:
        return (username, password) == ("shop", "pa:ss@word")


@contextlib.contextmanager
def sftp(folder: Path) -> Iterator[tuple[int, str]]:
    """Serve `folder` to user `shop`; yield the port and the line of its key for known_hosts."""
    key = asyncssh.generate_private_key("ssh-ed25519")
    connections: list[asyncssh.SSHServerConnection] = []
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()

    async def start() -> asyncssh.SSHAcceptor:
        return await asyncssh.listen(
            "127.0.0.1", 0, server_factory=lambda: _OnePassword(connections), server_host_keys=[key],
            sftp_factory=lambda channel: asyncssh.SFTPServer(channel, chroot=str(folder)),
        )  # fmt: skip

    async def stop() -> None:
        server.close()
        await server.wait_closed()
        for connection in connections:
            connection.close()
            await connection.wait_closed()

    server = asyncio.run_coroutine_threadsafe(start(), loop).result(20)
    try:
        port = server.get_port()
        yield port, f"[127.0.0.1]:{port} {key.export_public_key().decode()}"
    finally:
        asyncio.run_coroutine_threadsafe(stop(), loop).result(20)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
