"""Why a run stopped before its end, in words for a person."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from etl.errors import JournalError, impersonal
from etl.load.canary import MOST_REJECTED
from etl.records import Status
from etl.targets.answers import Verdict


class Meaning(StrEnum):
    """What a stop means to the caller: who must act, and with which exit code the run ends."""

    SETTINGS = "settings"
    ENDPOINT_DOWN = "endpoint-down"
    GUARD = "guard"
    JOURNAL = "journal"
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
    "session-expired": (
        "our session at the endpoint has expired, and there are no newer credentials",
        "renew the session token; a `profile` or a file in the target's settings is read again during a run",
    ),
    "wrong-keys": (
        "the endpoint does not know our access key",
        "check AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN, or the target's `profile`",
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


def partly(given_up: Mapping[str, Stopped]) -> Stopped:
    """Return what to say where some endpoints (by path) were given up, and the others went on."""
    first = next(iter(given_up.values()))
    paths = ", ".join(given_up)
    return replace(first, message=f"{paths}: {first.message}; the other endpoints are not concerned")


def deadline() -> Stopped:
    """Return the stop for a run whose time is up."""
    hint = "resume the run to send the rest"
    return Stopped("deadline", "the time for this run is up", Meaning.GUARD, Status.BLOCKED, hint)


def no_canary(action: str, message: str) -> Stopped:
    """Return the stop for an action of which the first hundred rows were rejected."""
    last = impersonal(message) or "(no message)"
    text = f"{action}: each of the first {MOST_REJECTED} rows was rejected; the last answer: {last}"
    hint = "check the mapping: no row was right for the endpoint"
    return Stopped("canary", text, Meaning.GUARD, Status.BLOCKED, hint)


def too_many_rejects(rejected: int, answered: int, verdict: Verdict) -> Stopped:
    """Return the stop for more rejections than were allowed."""
    last = impersonal(verdict.message) or verdict.code
    text = f"the endpoint rejected {rejected:,} of {answered:,} rows that it answered; the last answer: {last}"
    hint = "mend the mapping or the rows, or raise the limit --fail-over"
    return Stopped("too-many-rejects", text, Meaning.GUARD, Status.BLOCKED, hint)


def not_journalled(error: JournalError) -> Stopped:
    """Return the stop for a journal that can no longer be written."""
    return Stopped(error.code, error.message, Meaning.JOURNAL, Status.BLOCKED, error.hint)


def down(verdict: Verdict) -> Stopped:
    """Return the stop for an endpoint that answers nobody any more."""
    last = impersonal(verdict.message) or verdict.code
    message = f"the endpoint is down or does nothing but slow us down; its last answer: {last}"
    hint = "send the rows that failed once it is well again"
    return Stopped("endpoint-down", message, Meaning.ENDPOINT_DOWN, Status.FAILED, hint)


def fault_of_ours(error: BaseException) -> Stopped:
    """Return the stop for a bug; only the error's kind is named, since its text may hold personal data."""
    return Stopped("internal-error", f"a fault of ours: {type(error).__name__}", Meaning.BUG)
