"""Who may ask: AWS Signature Version 4 recomputed by botocore, an API key, a bearer token; None means let in.

Texts and order of the refusals are those of Amazon API Gateway: key, then time, then signature.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from hashlib import sha256
from typing import Any

from etl.sandbox.answers import Answer, gateway
from etl.sandbox.exchange import Request
from etl.sandbox.options import Credentials, SandboxOptions

WINDOW = timedelta(minutes=5)
SERVICE = "execute-api"

_AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 +Credential=(?P<key>[^/,\s]+)/(?P<scope>[^,\s]+), *"
    r"SignedHeaders=(?P<signed>[^,\s]+), *Signature=(?P<signature>[0-9a-f]{64})"
)
_STAMP = "%Y%m%dT%H%M%SZ"
_MISMATCH = (
    "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key "
    "and signing method. Consult the service documentation for details."
)

Guard = Callable[[Request, float], Answer | None]


def guard_for(options: SandboxOptions) -> Guard:
    """Return the check of `options.auth`: request and Unix time in seconds in, a refusal or None out."""
    secret = options.secret or ""
    match options.auth:
        case "sigv4":
            return _SignatureGuard({key.access_key_id: key for key in options.credentials}, options.region)
        case "api_key":
            return lambda request, _: None if _same(request.headers.get("x-api-key"), secret) else gateway(403)
        case "bearer":
            expected = f"Bearer {secret}"
            return lambda request, _: None if _same(request.headers.get("authorization"), expected) else gateway(401)
        case "none":
            return lambda _, __: None


def missing_token() -> Answer:
    """Return the gateway's answer to an unsigned request, and to any unknown method or path."""
    return gateway(403, "Missing Authentication Token", "MissingAuthenticationTokenException")


def caller(request: Request) -> str:
    """Return the access key id under which `request` is signed, "" if it is not."""
    parsed = _AUTHORIZATION.fullmatch(request.headers.get("authorization", "").strip())
    return parsed["key"] if parsed else ""


class _SignatureGuard:
    def __init__(self, known: Mapping[str, Credentials], region: str) -> None:
        self._known = known
        self._region = region

    def __call__(self, request: Request, now_seconds: float) -> Answer | None:
        header = request.headers.get("authorization")
        if not header:
            return missing_token()
        parsed = _AUTHORIZATION.fullmatch(header.strip())
        if parsed is None:
            return gateway(
                403,
                "Authorization header requires 'Credential', 'SignedHeaders' and 'Signature' parameters.",
                "IncompleteSignatureException",
            )
        credentials = self._known.get(parsed["key"])
        if credentials is None or not _same(
            request.headers.get("x-amz-security-token", ""), credentials.session_token or ""
        ):
            return gateway(403, "The security token included in the request is invalid.", "UnrecognizedClientException")
        stamp = request.headers.get("x-amz-date", "")
        return _untimely(stamp, now_seconds) or self._mismatch(request, parsed, credentials, stamp)

    def _mismatch(self, request: Request, parsed: re.Match[str], credentials: Credentials, stamp: str) -> Answer | None:
        signed = parsed["signed"].split(";")
        needed = {"host", "x-amz-date", *(["x-amz-security-token"] if credentials.session_token else [])}
        scope = f"{stamp[:8]}/{self._region}/{SERVICE}/aws4_request"
        stated_hash = request.headers.get("x-amz-content-sha256")
        if (
            needed <= set(signed)
            and parsed["scope"] == scope
            and all(name in request.headers for name in signed)
            and stated_hash in (None, sha256(request.body).hexdigest())
            and hmac.compare_digest(
                signature(request, tuple(signed), credentials, self._region, stamp), parsed["signature"]
            )
        ):
            return None
        return gateway(403, _MISMATCH, "InvalidSignatureException")


def signature(request: Request, signed: tuple[str, ...], credentials: Credentials, region: str, stamp: str) -> str:
    """Return the signature that `request` must carry, in hex, over the headers `signed` (lower case) alone."""
    from botocore.awsrequest import AWSRequest

    verifier = _verifier(credentials, region)
    aws_request = AWSRequest(
        method=request.method,
        url=f"http://{request.headers['host']}{request.target}",
        headers={name: request.headers[name] for name in signed},
        data=request.body,
    )
    aws_request.context["timestamp"] = stamp
    canonical = verifier.canonical_request(aws_request)
    return str(verifier.signature(verifier.string_to_sign(aws_request, canonical), aws_request))


@cache
def _verifier(credentials: Credentials, region: str) -> Any:
    from botocore.auth import SigV4Auth
    from botocore.compat import HTTPHeaders
    from botocore.credentials import Credentials as BotocoreCredentials

    class Verifier(SigV4Auth):  # type: ignore[misc]  # botocore ships no types
        def headers_to_sign(self, request: Any) -> Any:
            # The signer leaves some headers out; what counts here are those that the client named.
            chosen = HTTPHeaders()
            for name, value in request.headers.items():
                chosen[name] = value
            return chosen

    key = BotocoreCredentials(credentials.access_key_id, credentials.secret_access_key)
    return Verifier(key, SERVICE, region)


def _untimely(stamp: str, now_seconds: float) -> Answer | None:
    now = datetime.fromtimestamp(now_seconds, UTC)
    try:
        signed_at = datetime.strptime(stamp, _STAMP).replace(tzinfo=UTC)
    except ValueError:
        return gateway(
            403,
            "Date must be in ISO-8601 'basic format'. See http://en.wikipedia.org/wiki/ISO_8601",
            "IncompleteSignatureException",
        )
    if signed_at < now - WINDOW:
        message = f"Signature expired: {stamp} is now earlier than {now - WINDOW:{_STAMP}} ({now:{_STAMP}} - 5 min.)"
    elif signed_at > now + WINDOW:
        message = (
            f"Signature not yet current: {stamp} is still later than {now + WINDOW:{_STAMP}} ({now:{_STAMP}} + 5 min.)"
        )
    else:
        return None
    return gateway(403, message, "InvalidSignatureException")


def expired(now_seconds: float) -> Answer:
    """Return the refusal of a signature made ten minutes ago, whatever the request's own says."""
    stamp = datetime.fromtimestamp(now_seconds, UTC) - 2 * WINDOW
    refusal = _untimely(f"{stamp:{_STAMP}}", now_seconds)
    if refusal is None:
        raise AssertionError(f"BUG: a signature of {stamp} is not expired at {now_seconds}")
    return refusal


def _same(given: str | None, expected: str) -> bool:
    return given is not None and hmac.compare_digest(given.encode(), expected.encode())
