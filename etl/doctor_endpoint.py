"""One signed GET on a target's base URL → what its answer says about address, clock and credentials."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

from etl.endpoint import Endpoint
from etl.finding import Finding, State
from etl.settings import TargetSettings
from etl.targets.answers import Kind, Verdict, judge
from etl.targets.auth import Signer
from etl.targets.base import Answer
from etl.targets.client import HttpTransport

CLOCK_WARNING_SECONDS = 60.0
_BASE = Endpoint("GET", "")


def ask(target: TargetSettings, signer: Signer, now: Callable[[], float] = time.time) -> Iterator[Finding]:
    """Yield the findings `endpoint`, `clock` (where the answer tells the time) and `access`. `now`: Unix seconds."""
    transport = HttpTransport(target, signer)
    try:
        before = now()
        answer = transport.send(_BASE, b"")
        verdict = judge(answer, _BASE, now=now())
        offset = None if verdict.server_time is None else verdict.server_time - (before + now()) / 2
        if verdict.kind is Kind.CLOCK and verdict.server_time is not None and signer.correct_clock(verdict.server_time):
            answer = transport.send(_BASE, b"")
            verdict = judge(answer, _BASE, now=now())
    finally:
        transport.close()
    yield _address(target, answer, verdict)
    if offset is not None:
        yield _clock(offset)
    if answer.status is not None:
        yield _access(target, answer, verdict)


def _address(target: TargetSettings, answer: Answer, verdict: Verdict) -> Finding:
    if answer.status is None:
        tls = verdict.code == "tls"
        hint = (
            "behind a company proxy, `ca_file` names its certificate"
            if tls
            else "check the target's `url`, and whether this machine may connect to it"
        )
        return Finding(State.FAILED, "endpoint", f"{target.url} does not answer: {verdict.message}", hint)
    if verdict.code == "redirect":
        return Finding(State.FAILED, "endpoint", f"{target.url}: {verdict.message}", "put the right address into `url`")
    if verdict.code in {"html-page", "not-json"}:
        return Finding(State.FAILED, "endpoint", f"{target.url}: {verdict.message}", "check the target's `url`")
    if answer.status >= 500 or verdict.kind is Kind.THROTTLED:
        message = f"{target.url} answers, but with HTTP {answer.status}: {verdict.message}"
        return Finding(State.WARNING, "endpoint", message, "it is not well, or busy; try again later")
    return Finding(State.OK, "endpoint", f"{target.url} answers (HTTP {answer.status})")


def _clock(offset: float) -> Finding:
    """Judge the difference of the clocks; the Date header has whole seconds."""
    if abs(offset) < CLOCK_WARNING_SECONDS:
        return Finding(State.OK, "clock", "agrees with the endpoint's, within a minute")
    way = "behind" if offset > 0 else "ahead of"
    message = f"this machine's clock is {abs(offset):,.0f} s {way} the endpoint's"
    hint = "set it; a run signs by the endpoint's clock meanwhile, but its reports tell this machine's time"
    return Finding(State.WARNING, "clock", message, hint)


def _access(target: TargetSettings, answer: Answer, verdict: Verdict) -> Finding:
    """Judge whether the endpoint knows who we are, as far as a GET can tell."""
    if verdict.code == "wrong-address":
        known = "accepts the signature" if target.auth == "sigv4" else "answers as it should"
        return Finding(State.OK, "access", f"the endpoint {known} ('No method found matching route')")
    if verdict.code in {"wrong-keys", "session-expired"}:
        hint = "check AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN"
        return Finding(State.FAILED, "access", f"the endpoint does not know the access key: {verdict.message}", hint)
    if verdict.code == "clock":
        message = f"the signature is refused because of its time: {verdict.message}"
        return Finding(State.FAILED, "access", message, "set this machine's clock")
    if answer.status == 401:
        message = f"the endpoint does not know who we are: {verdict.message}"
        return Finding(State.FAILED, "access", message, "check `auth` in the target's settings, and its secret")
    if answer.status == 403 and target.auth == "sigv4":
        message = f"the endpoint refuses the signature: {verdict.message}"
        return Finding(State.FAILED, "access", message, "check the keys, and the target's `url` and `region`")
    if verdict.kind is Kind.DELIVERED:
        return Finding(State.OK, "access", "the endpoint answers a GET; nothing speaks against the credentials")
    message = f"a GET cannot tell whether the endpoint accepts us (HTTP {answer.status}: {verdict.message})"
    return Finding(State.WARNING, "access", message, "send one row: etl run ... --limit 1")
