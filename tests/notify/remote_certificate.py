"""A certificate for this machine that nobody vouches for but who is told to."""

from __future__ import annotations

import ssl
import subprocess
from functools import cache
from pathlib import Path
from tempfile import mkdtemp


def certificate(folder: Path) -> tuple[ssl.SSLContext, Path]:
    """Return a server's context, and the file of its certificate, copied into `folder`."""
    key, made = _made()
    copy = folder / "ca.pem"
    copy.write_bytes(made.read_bytes())
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(made, key)
    return context, copy


@cache
def _made() -> tuple[Path, Path]:
    home = Path(mkdtemp())
    key, made = home / "key.pem", home / "cert.pem"
    command = [
        "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
        "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout", key, "-out", made,
    ]  # fmt: skip
    subprocess.run(command, check=True, capture_output=True)
    return key, made
