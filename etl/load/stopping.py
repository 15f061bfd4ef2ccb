"""Why a run stopped before its end, in words for a person."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from etl.errors import impersonal
from etl.records import Status
from etl.targets.answers import Verdict


class Meaning(StrEnum):
    """What a stop means to the caller: who must act, and with which exit code the run ends."""

    SETTINGS = "settings"
    ENDPOINT_DOWN = "endpoint-down"
    GUARD = "guard"
    BUG = "bug"


@dataclass(frozen=True, slots=True)
class Stopped:
    """Why the loader sends nothing more; `status` is what becomes of every delivery not yet begun."""

    code: str
    message: str
    meaning: Meaning
    status: Status = Status.BLOCKED
    hint: str = ""


_REFUSALS = {
    "unauthorized": (
        "the endpoint does not know who we are",
        "check `auth` in the target's settings, and its secret",
    ),
    "wrong-keys": (
        "the endpoint does not know our access key, or its session has expired",
        "check AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN",
    ),
    "forbidden": (
        "the endpoint refuses our requests",
        "check the target's `url` (an unknown path is refused as well), `auth` and `region`, and the keys",
    ),
    "wrong-address": ("the endpoint does not know our paths", "check the target's `url`, its last part included"),
    "clock": (
        "our signature is refused because of its time, also by the endpoint's own clock",
        "set this machine's clock",
    ),
    "tls": (
        "no secure connection to the endpoint can be made",
        "check the target's `url`; behind a company proxy, `ca_file` names its certificate",
    ),
}  # fmt: skip


def refused(verdict: Verdict) -> Stopped:
    """Return the stop for a verdict that every other row would get as well."""
    what, hint = _REFUSALS.get(verdict.code, _REFUSALS["forbidden"])
    status = f" (HTTP {verdict.http_status})" if verdict.http_status else ""
    said = f": {impersonal(verdict.message)}" if verdict.message else ""
    return Stopped(verdict.code, f"{what}{status}{said}", Meaning.SETTINGS, Status.BLOCKED, hint)


def down(verdict: Verdict) -> Stopped:
    """Return the stop for an endpoint that answers nobody any more."""
    last = impersonal(verdict.message) or verdict.code
    message = f"the endpoint is down or does nothing but slow us down; its last answer: {last}"
    hint = "send the rows that failed once it is well again"
    return Stopped("endpoint-down", message, Meaning.ENDPOINT_DOWN, Status.FAILED, hint)


def fault_of_ours(error: BaseException) -> Stopped:
    """Return the stop for a bug; only the error's kind is named, since its text may hold personal data."""
    return Stopped("internal-error", f"a fault of ours: {type(error).__name__}", Meaning.BUG)
