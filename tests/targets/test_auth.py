"""Signers: what they put into the headers, and that nobody else sees it."""

from __future__ import annotations

import hashlib
import hmac
import pickle

import pytest

from etl.errors import TargetError
from etl.settings import Credentials, Secret, TargetSettings
from etl.targets.auth import signer_for

KEYS = Credentials(Secret("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"), Secret("AKIDEXAMPLE"))
SESSION = Credentials(KEYS.secret, KEYS.access_key, Secret("token/==+1"))
NOW = 1_700_000_000.0
BODY = '{"email":"zoë@example.com"}'.encode()


def target(auth, **more):
    return TargetSettings(name="t", url="https://a.execute-api.us-east-2.amazonaws.com/Production", auth=auth, **more)


def recomputed(method, url, headers, body, secret):
    """Return the signature as AWS describes it, written from its description alone."""
    host, _, path = url.removeprefix("https://").partition("/")
    credential, signed, signature = (
        part.partition("=")[2] for part in headers["Authorization"].removeprefix("AWS4-HMAC-SHA256 ").split(", ")
    )
    _, *scope = credential.split("/")
    all_headers = {"host": host, "content-type": "application/json"}
    all_headers |= {name.lower(): value for name, value in headers.items()}
    lines = "".join(f"{name}:{all_headers[name]}\n" for name in signed.split(";"))
    canonical = f"{method}\n/{path}\n\n{lines}\n{signed}\n{hashlib.sha256(body).hexdigest()}"
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    text = f"AWS4-HMAC-SHA256\n{headers['X-Amz-Date']}\n{'/'.join(scope)}\n{digest}"
    key = f"AWS4{secret}".encode()
    for part in scope:
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest(), signature, scope, signed


@pytest.mark.parametrize("keys", [KEYS, SESSION], ids=["keys", "session token"])
@pytest.mark.parametrize("method", ["POST", "DELETE"])
def test_a_signature_is_the_one_that_aws_describes(keys, method):
    url = "https://a.execute-api.us-east-2.amazonaws.com/Production/contacts"
    headers = signer_for(target("sigv4"), keys, lambda: NOW).headers(method, url, BODY, "application/json")
    expected, given, scope, signed = recomputed(method, url, headers, BODY, keys.secret.reveal())
    assert given == expected
    assert scope == ["20231114", "us-east-2", "execute-api", "aws4_request"]
    assert {"host", "content-type", "x-amz-date"} <= set(signed.split(";"))
    assert ("x-amz-security-token" in signed) == (keys is SESSION)


def test_another_body_has_another_signature():
    signer = signer_for(target("sigv4"), KEYS, lambda: NOW)
    first, second = (signer.headers("POST", "https://example.com/x", body, "application/json") for body in (b"1", b"2"))
    assert first["Authorization"] != second["Authorization"]


def test_a_corrected_clock_signs_by_the_servers_time():
    signer = signer_for(target("sigv4"), KEYS, lambda: NOW)
    assert signer.correct_clock(NOW + 3600)
    assert signer.headers("POST", "https://example.com/x", b"", "application/json")["X-Amz-Date"] == "20231114T231320Z"


@pytest.mark.parametrize(
    ("settings", "headers"),
    [
        (target("none"), {}),
        (target("api_key", api_key_env="K"), {"x-api-key": "s3cret"}),
        (target("api_key", api_key_env="K", api_key_header="X-Token"), {"X-Token": "s3cret"}),
        (target("bearer", bearer_env="K"), {"Authorization": "Bearer s3cret"}),
    ],
    ids=["none", "api_key", "api_key header", "bearer"],
)
def test_other_ways_are_one_header_or_none(settings, headers):
    signer = signer_for(settings, Credentials(Secret("s3cret")))
    assert signer.headers("POST", "https://example.com", b"", "application/json") == headers
    assert not signer.correct_clock(NOW)


@pytest.mark.parametrize("auth", ["sigv4", "api_key", "bearer"])
def test_without_credentials_there_is_no_signer(auth):
    with pytest.raises(TargetError, match="no credentials for target 't'"):
        signer_for(target(auth), Credentials())


def test_a_secret_shows_itself_nowhere():
    assert "wJalr" not in f"{SESSION!r} {SESSION} {SESSION.secret} {[SESSION]}"
    with pytest.raises(TypeError, match="never pickled"):
        pickle.dumps(SESSION)
    for name in ("secret", "access_key", "session_token"):
        assert getattr(SESSION, name).reveal() in signer_for(target("sigv4"), SESSION).secrets()
