from __future__ import annotations

import re
import time
from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from hashlib import sha256
from typing import Any

import pytest
import requests
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as BotocoreCredentials

from etl.sandbox import Credentials, Sandbox, SandboxOptions

KEY = Credentials("AKIDEXAMPLE", "example-secret")
TEMPORARY = Credentials("ASIAEXAMPLE", "other-secret", "example-session-token")
BODY = b'{"contact":{"email":"anna@example.com"}}'
MISMATCH = (
    "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key "
    "and signing method. Consult the service documentation for details."
)
UNKNOWN_KEY = "The security token included in the request is invalid."


def signed(
    url: str,
    key: Credentials = KEY,
    *,
    method: str = "POST",
    body: bytes = BODY,
    region: str = "eu-west-1",
    service: str = "execute-api",
) -> dict[str, str]:
    request = AWSRequest(method, url, {"Content-Type": "application/json"}, body)
    credentials = BotocoreCredentials(key.access_key_id, key.secret_access_key, key.session_token)
    SigV4Auth(credentials, service, region).add_auth(request)
    return dict(request.headers.items())


def message(response: requests.Response) -> tuple[int, str]:
    return response.status_code, response.json()["message"]


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    options = SandboxOptions(auth="sigv4", credentials=(KEY, TEMPORARY), base_path="/Production")
    with Sandbox(options) as sandbox:
        yield sandbox


@pytest.mark.parametrize("key", [KEY, TEMPORARY], ids=["lasting", "session"])
def test_a_good_signature_is_let_in(sandbox: Sandbox, key: Credentials) -> None:
    url = f"{sandbox.url}/contacts"
    response = requests.post(url, data=BODY, headers=signed(url, key), timeout=5)
    assert (response.status_code, response.json()["success"], response.json()["key"]) == (200, True, key.access_key_id)


def test_the_body_of_a_delete_is_signed_too(sandbox: Sandbox) -> None:
    url, body = f"{sandbox.url}/contacts", b'{"email":"nobody@example.com"}'
    headers = signed(url, method="DELETE", body=body)
    assert requests.delete(url, data=body, headers=headers, timeout=5).status_code == 404
    assert message(requests.delete(url, data=body + b" ", headers=headers, timeout=5)) == (403, MISMATCH)


WRONG: list[Any] = [
    pytest.param({"key": Credentials("AKIDEXAMPLE", "not-the-secret")}, MISMATCH, id="secret"),
    pytest.param({"region": "us-east-1"}, MISMATCH, id="region"),
    pytest.param({"service": "s3"}, MISMATCH, id="service"),
    pytest.param({"body": BODY + b" "}, MISMATCH, id="body"),
    pytest.param({"method": "DELETE"}, MISMATCH, id="method"),
    pytest.param({"key": Credentials("AKIDUNKNOWN", "example-secret")}, UNKNOWN_KEY, id="key"),
    pytest.param({"key": Credentials("AKIDEXAMPLE", "example-secret", "stray")}, UNKNOWN_KEY, id="stray-token"),
    pytest.param({"key": Credentials("ASIAEXAMPLE", "other-secret")}, UNKNOWN_KEY, id="missing-token"),
    pytest.param({"key": Credentials("ASIAEXAMPLE", "other-secret", "old")}, UNKNOWN_KEY, id="old-token"),
]


@pytest.mark.parametrize(("changed", "text"), WRONG)
def test_a_wrong_signature_is_refused(sandbox: Sandbox, changed: dict[str, Any], text: str) -> None:
    url = f"{sandbox.url}/contacts"
    assert message(requests.post(url, data=BODY, headers=signed(url, **changed), timeout=5)) == (403, text)


def test_a_path_or_host_that_was_not_signed_is_refused(sandbox: Sandbox) -> None:
    other_path = signed(f"{sandbox.url}/events")
    other_host = signed("http://elsewhere.example.com/Production/contacts")
    for headers in (other_path, other_host):
        response = requests.post(f"{sandbox.url}/contacts", data=BODY, headers=headers, timeout=5)
        assert message(response) == (403, MISMATCH)


def test_a_stated_hash_of_another_body_is_refused(sandbox: Sandbox) -> None:
    # The hash header is what botocore signs where there is one; the body must still be the one that it names.
    url = f"{sandbox.url}/contacts"
    request = AWSRequest("POST", url, {"X-Amz-Content-SHA256": sha256(b"another").hexdigest()}, BODY)
    SigV4Auth(BotocoreCredentials(KEY.access_key_id, KEY.secret_access_key), "execute-api", "eu-west-1").add_auth(
        request
    )
    response = requests.post(url, data=BODY, headers=dict(request.headers.items()), timeout=5)
    assert message(response) == (403, MISMATCH)


def test_no_signature_is_a_missing_token(sandbox: Sandbox) -> None:
    response = requests.post(f"{sandbox.url}/contacts", data=BODY, timeout=5)
    assert message(response) == (403, "Missing Authentication Token")
    assert response.headers["x-amzn-ErrorType"] == "MissingAuthenticationTokenException"


def test_an_authorization_of_another_kind_is_refused_without_being_repeated(sandbox: Sandbox) -> None:
    headers = {"Authorization": "Basic c2VjcmV0"}
    response = requests.post(f"{sandbox.url}/contacts", data=BODY, headers=headers, timeout=5)
    assert response.status_code == 403
    assert "c2VjcmV0" not in response.text


def test_a_date_that_is_none_is_refused(sandbox: Sandbox) -> None:
    url = f"{sandbox.url}/contacts"
    response = requests.post(url, data=BODY, headers={**signed(url), "X-Amz-Date": "today"}, timeout=5)
    assert (response.status_code, response.headers["x-amzn-ErrorType"]) == (403, "IncompleteSignatureException")


def test_a_signed_get_on_the_base_url_says_that_the_signature_is_good(sandbox: Sandbox) -> None:
    for url in (sandbox.url, f"{sandbox.url}/"):
        response = requests.get(url, headers=signed(url, method="GET", body=b""), timeout=5)
        assert message(response) == (404, "No method found matching route / for http method GET.")


@pytest.mark.parametrize(
    ("offset_seconds", "status"), [(280, 200), (320, 403), (-280, 200), (-320, 403), (86_400, 403)]
)
def test_a_signature_is_good_for_five_minutes_either_way(offset_seconds: float, status: int) -> None:
    options = SandboxOptions(auth="sigv4", credentials=(KEY,), clock_offset_seconds=offset_seconds)
    with Sandbox(options) as sandbox:
        url = f"{sandbox.url}/contacts"
        assert requests.post(url, data=BODY, headers=signed(url), timeout=5).status_code == status


@pytest.mark.parametrize(
    ("offset_seconds", "text"),
    [
        (600, r"Signature expired: [0-9TZ]{16} is now earlier than [0-9TZ]{16} \([0-9TZ]{16} - 5 min\.\)"),
        (-600, r"Signature not yet current: [0-9TZ]{16} is still later than [0-9TZ]{16} \([0-9TZ]{16} \+ 5 min\.\)"),
    ],
    ids=["expired", "not-yet-current"],
)
def test_a_clock_that_is_off_is_told_so_and_can_be_set_by_the_date_header(offset_seconds: float, text: str) -> None:
    options = SandboxOptions(auth="sigv4", credentials=(KEY,), clock_offset_seconds=offset_seconds)
    with Sandbox(options) as sandbox:
        url = f"{sandbox.url}/contacts"
        response = requests.post(url, data=BODY, headers=signed(url), timeout=5)
    assert response.status_code == 403
    assert re.fullmatch(text, response.json()["message"])
    ahead = parsedate_to_datetime(response.headers["Date"]).timestamp() - time.time()
    assert ahead == pytest.approx(offset_seconds, abs=2)


@pytest.mark.parametrize(
    ("auth", "good", "bad", "refusal"),
    [
        ("api_key", {"x-api-key": "s3cret"}, {"x-api-key": "other"}, (403, "Forbidden")),
        ("bearer", {"Authorization": "Bearer s3cret"}, {"Authorization": "Bearer other"}, (401, "Unauthorized")),
    ],
    ids=["api_key", "bearer"],
)
def test_a_key_or_token_must_be_the_right_one(auth: Any, good: Any, bad: Any, refusal: tuple[int, str]) -> None:
    with Sandbox(SandboxOptions(auth=auth, secret="s3cret")) as sandbox:
        url = f"{sandbox.url}/contacts"
        assert requests.post(url, data=BODY, headers=good, timeout=5).status_code == 200
        assert message(requests.post(url, data=BODY, headers=bad, timeout=5)) == refusal
        assert message(requests.post(url, data=BODY, timeout=5)) == refusal


def test_no_secret_is_in_a_repr() -> None:
    options = SandboxOptions(auth="sigv4", credentials=(TEMPORARY,), secret="s3cret")
    for secret in ("other-secret", "example-session-token", "s3cret"):
        assert secret not in repr(options)
