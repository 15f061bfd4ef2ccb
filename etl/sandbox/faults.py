"""What goes wrong on demand: kinds of faults, when each one fires, and a compact text form for the command line.

    FaultRule("429", rate=0.1, retry_after=1)            parse_fault("429:rate=0.1,retry_after=1")
    FaultRule("lost", nth=(3, 7), route="POST /events")  parse_fault("lost:nth=3+7,route=POST /events")
    Faults(schedule=(None, FaultRule("reset"), None))    the second request alone

Nothing here knows a socket or an answer; `FaultPlan` decides, `gateway` and `protocol` act. All chance is seeded.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from typing import Any

from etl.errors import SettingsError

STATUSES = (400, 401, 403, 404, 408, 409, 413, 422, 425, 429, 500, 502, 503, 504)
REDIRECTS = (301, 302, 303, 307, 308)


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of fault. `acts`: whether the request is carried out before the answer goes wrong, unless told."""

    name: str
    summary: str
    acts: bool = False
    parameters: tuple[str, ...] = ()


_RETRY = ("retry_after", "retry_after_date")

KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        *(Kind(str(status), f"status {status} with the gateway's body", parameters=_RETRY) for status in STATUSES),
        Kind("latency", "a proper answer, later: seconds, seconds..to, or mean", True, ("seconds", "to", "mean")),
        Kind("limit", "429 above per_second requests", parameters=("per_second", "burst", *_RETRY)),
        Kind("reset", "connection reset before any answer; nothing was done"),
        Kind("lost", "carried out, then the connection is reset before the answer", True),
        Kind("reset-mid-body", "connection reset in the middle of the answer's body", True),
        Kind("truncated", "half of the body, then the connection ends", True),
        Kind("truncated-silent", "half of a body whose length was never told", True),
        Kind("hang", "an answer that never comes"),
        Kind("drip", "a proper answer, a byte at a time, interval seconds apart", True, ("interval",)),
        Kind("close", "a proper answer, then the connection ends without notice", True),
        Kind("huge", "status 200 with a body of size bytes", True, ("size",)),
        Kind("not-json", "status 200 with a body that is not JSON"),
        Kind("html", "status 200 with an HTML page"),
        Kind("redirect", "a redirect to location, with status", parameters=("status", "location")),
        Kind("success-false", "status 200 whose body says success: false"),
        Kind("expired", "403 of an expired signature"),
    )
}

_WHEN = ("rate", "first", "nth", "every", "after", "count", "route", "person", "acted")


@dataclass(frozen=True, slots=True)
class FaultRule:
    """One fault and when it fires; what is not set does not restrict.

    When: `rate`: probability (0 to 1); `first`: the first N matching requests; `nth`: these of them, from 1; `every`:
    each N-th; `after`: none of the first N; `count`: at most N times. `route`: "POST /events", or "/events" for any
    method (below the base path); without one, the contract's three. `person`: an e-mail, compared case-folded.
    `acted`: whether the request is carried out (validated, stored) before its answer goes wrong; None: the kind's way.
    How, by kind: all times in seconds; `retry_after_date`: Retry-After as an HTTP date; `size` in bytes.
    Raises SettingsError (code `fault`) for an unknown kind, a value out of range, or a parameter of another kind.
    """

    kind: str
    rate: float | None = None
    first: int | None = None
    nth: tuple[int, ...] = ()
    every: int | None = None
    after: int | None = None
    count: int | None = None
    route: str | None = None
    person: str | None = None
    acted: bool | None = None
    retry_after: float | None = None
    retry_after_date: bool | None = None
    seconds: float | None = None
    to: float | None = None
    mean: float | None = None
    per_second: float | None = None
    burst: int | None = None
    interval: float | None = None
    size: int | None = None
    status: int | None = None
    location: str | None = None

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise _refusal(f"unknown fault {self.kind!r}", f"the kinds are {', '.join(KINDS)}")
        allowed = {*_WHEN, *KINDS[self.kind].parameters}
        for item in fields(self)[1:]:
            if getattr(self, item.name) not in (None, ()) and item.name not in allowed:
                raise _refusal(f"fault {self.kind!r} takes no {item.name!r}", f"it takes {_listed(self.kind)}")
        if complaint := _out_of_range(self):
            raise _refusal(f"fault {self.kind!r}: {complaint}", f"it takes {_listed(self.kind)}")

    @property
    def acts(self) -> bool:
        """Whether the request is carried out although its answer goes wrong."""
        return KINDS[self.kind].acts if self.acted is None else self.acted


@dataclass(frozen=True, slots=True)
class Faults:
    """All faults of a sandbox.

    `schedule`: the i-th request to the contract's routes meets the i-th entry (None: no fault, and no rule either);
    once it is used up, the first of `rules` that fires wins. Latency adds up and lets the others fire.
    """

    rules: tuple[FaultRule, ...] = ()
    schedule: tuple[FaultRule | None, ...] = ()


NO_FAULTS = Faults()


@dataclass(frozen=True, slots=True)
class Verdict:
    """What befalls one request: a fault or None, and by how many seconds the answer is late."""

    rule: FaultRule | None = None
    delay_seconds: float = 0.0


_NOTHING = Verdict()


@dataclass(slots=True)
class _RuleState:
    rule: FaultRule
    random: random.Random
    seen: int = 0
    fired: int = 0
    tokens: float = 0.0
    refilled_at: float | None = None


@dataclass(slots=True)
class FaultPlan:
    """`Faults` in use. `clock`: seconds, monotonic, read by the kind `limit` alone.

    Each rule draws from a generator of its own, seeded by `seed` and its place, so that adding a rule does not change
    what the others do.
    """

    faults: Faults
    seed: int
    clock: Callable[[], float]
    _states: list[_RuleState] = field(init=False)
    _scheduled: int = field(init=False, default=0)
    _schedule_random: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self._states = [
            _RuleState(rule, _seeded(self.seed, str(place)), tokens=_burst(rule))
            for place, rule in enumerate(self.faults.rules)
        ]
        self._schedule_random = _seeded(self.seed, "schedule")

    def judge(self, *, route: str, known: bool, person: str) -> Verdict:
        """Return what befalls this request: `route` as "POST /events"; `known`: whether it is one of the contract's."""
        if known and self._scheduled < len(self.faults.schedule):
            rule = self.faults.schedule[self._scheduled]
            self._scheduled += 1
            return _verdict(rule, self._schedule_random)
        if not self._states:
            return _NOTHING
        delay = 0.0
        for state in self._states:
            if not _matches(state.rule, route, known, person) or not self._fires(state):
                continue
            if state.rule.kind != "latency":
                return Verdict(state.rule, delay)
            delay += _latency(state.rule, state.random)
        return Verdict(None, delay)

    def _fires(self, state: _RuleState) -> bool:
        rule = state.rule
        state.seen += 1
        chance = state.random.random() if rule.rate is not None else 0.0
        due = (
            (rule.count is None or state.fired < rule.count)
            and (rule.after is None or state.seen > rule.after)
            and (rule.first is None or state.seen <= rule.first)
            and (not rule.nth or state.seen in rule.nth)
            and (rule.every is None or state.seen % rule.every == 0)
            and (rule.rate is None or chance < rule.rate)
            and (rule.kind != "limit" or self._over_limit(state))
        )
        state.fired += due
        return due

    def _over_limit(self, state: _RuleState) -> bool:
        now = self.clock()
        per_second = state.rule.per_second or 0.0
        if state.refilled_at is not None:
            refilled = state.tokens + (now - state.refilled_at) * per_second
            state.tokens = min(_burst(state.rule), refilled)
        state.refilled_at = now
        if state.tokens < 1.0:
            return True
        state.tokens -= 1.0
        return False


def parse_fault(text: str) -> FaultRule:
    """Return the rule that `KIND` or `KIND:name=value,name=value` describes; several `nth` are joined by `+`.

    Raises SettingsError (code `fault`) that lists the kinds, or the parameters of the kind.
    """
    kind, _, rest = text.strip().partition(":")
    arguments: dict[str, Any] = {}
    for part in filter(None, (piece.strip() for piece in rest.split(","))):
        name, equals, value = (piece.strip() for piece in part.partition("="))
        if kind in KINDS and (not equals or name not in {*_WHEN, *KINDS[kind].parameters}):
            raise _refusal(f"fault {text!r}: {part!r} is not understood", f"it takes {_listed(kind)}")
        if name in arguments:
            raise _refusal(f"fault {text!r}: {name!r} stands there twice", "keep one of them")
        arguments[name] = _value(text, name, value)
    if kind not in KINDS:
        raise _refusal(f"unknown fault {kind!r}", f"the kinds are {', '.join(KINDS)}")
    return FaultRule(kind, **arguments)


_TRUTH = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


def _value(text: str, name: str, value: str) -> Any:
    try:
        match name:
            case "nth":
                return tuple(int(number) for number in value.split("+"))
            case "first" | "every" | "after" | "count" | "burst" | "size" | "status":
                return int(value)
            case "acted" | "retry_after_date":
                return _TRUTH[value.lower()]
            case "route" | "person" | "location":
                return value
            case _:
                return float(value)
    except (ValueError, KeyError) as error:
        expected = "yes or no" if isinstance(error, KeyError) else "a number"
        raise _refusal(f"fault {text!r}: {name} is {value!r}", f"write {expected}") from error


def _out_of_range(rule: FaultRule) -> str:
    if rule.rate is not None and not 0 <= rule.rate <= 1:
        return f"rate is {rule.rate:g}, not between 0 and 1"
    for name in (
        "first",
        "every",
        "after",
        "count",
        "burst",
        "size",
        "per_second",
        "interval",
        "seconds",
        "to",
        "mean",
    ):
        value = getattr(rule, name)
        least_is_zero = name in {"first", "after", "count", "seconds", "to", "mean", "size"}
        if value is not None and not (0 <= value < 1e9 if least_is_zero else 0 < value < 1e9):
            return f"{name} is {value:g}, which is {'below 0' if least_is_zero else 'not above 0'} or too large"
    if any(number < 1 for number in rule.nth):
        return "nth counts from 1"
    if rule.retry_after is not None and not abs(rule.retry_after) < 1e9:
        return f"retry_after is {rule.retry_after:g}, which is too large"
    if rule.status is not None and rule.status not in REDIRECTS:
        return f"status is {rule.status}, not one of {', '.join(map(str, REDIRECTS))}"
    if rule.route is not None and not re.fullmatch(r"([A-Z]+ )?/[^\s?]*", rule.route):
        return f"route is {rule.route!r}, not like 'POST /events' or '/events'"
    if rule.kind == "limit" and rule.per_second is None:
        return "per_second is missing"
    if rule.kind == "latency" and (rule.seconds is None) == (rule.mean is None):
        return "either seconds (with or without to) or mean is needed"
    if rule.to is not None and rule.to < (rule.seconds or 0.0):
        return "to is below seconds"
    return ""


def _matches(rule: FaultRule, route: str, known: bool, person: str) -> bool:
    if rule.route is None:
        if not known:
            return False
    elif route != rule.route and route.partition(" ")[2] != rule.route:
        return False
    return rule.person is None or rule.person.casefold() == person.casefold()


def _verdict(rule: FaultRule | None, generator: random.Random) -> Verdict:
    if rule is not None and rule.kind == "latency":
        return Verdict(None, _latency(rule, generator))
    return Verdict(rule)


def _latency(rule: FaultRule, generator: random.Random) -> float:
    if rule.mean is not None:
        return generator.expovariate(1.0 / rule.mean) if rule.mean else 0.0
    seconds = rule.seconds or 0.0
    return seconds if rule.to is None else generator.uniform(seconds, rule.to)


def _burst(rule: FaultRule) -> float:
    return float(rule.burst if rule.burst is not None else max(1.0, rule.per_second or 1.0))


def _seeded(seed: int, name: str) -> random.Random:
    return random.Random(f"{seed}:{name}")  # noqa: S311  chance of a test server, not of a secret


def _listed(kind: str) -> str:
    return ", ".join((*KINDS[kind].parameters, *_WHEN))


def _refusal(message: str, hint: str) -> SettingsError:
    return SettingsError(message, code="fault", hint=hint)
