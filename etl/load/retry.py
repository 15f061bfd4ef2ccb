"""Verdict → wait, end or stop. Pure: decides and never sleeps; the loader does both."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from etl.records import Status
from etl.targets.answers import Kind, Verdict


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often and how long. Times in seconds; `budget` and the costs in tokens (AWS's standard retry mode).

    Waits are drawn between 0 and `base * 2 ** (tries - 1)`, at most `cap_seconds` ("full jitter").
    """

    max_tries: int = 5
    base_seconds: float = 0.5
    throttled_base_seconds: float = 1.0
    cap_seconds: float = 20.0
    budget: int = 500
    cost: int = 5
    timeout_cost: int = 10

    def cost_of(self, verdict: Verdict) -> int:
        """Return the tokens that one more try costs after this verdict; throttling is free."""
        if verdict.kind in {Kind.THROTTLED, Kind.CLOCK}:
            return 0
        return self.timeout_cost if verdict.timed_out else self.cost


@dataclass(frozen=True, slots=True)
class Tries:
    """What one delivery has gone through, this answer included; throttled answers are counted apart.

    `renewed`: the answer refuses credentials that were replaced since.
    """

    tries: int
    throttled: int = 0
    clock_corrected: bool = False
    renewed: bool = False


@dataclass(frozen=True, slots=True)
class Again:
    """Send again after so many seconds; `cost` tokens of the budget are spent on it."""

    wait_seconds: float
    cost: int = 0
    correct_clock: bool = False


@dataclass(frozen=True, slots=True)
class End:
    """The delivery ends so. `stop`: and the run with it, since the next one would fare no better."""

    status: Status
    stop: bool = False


def decide(
    policy: RetryPolicy,
    verdict: Verdict,
    so_far: Tries,
    *,
    repeat_unknown: bool,
    tokens: int,
    random: Callable[[], float],
) -> Again | End:
    """Return what to do after `verdict`. `tokens`: what is left of the budget; `random`: uniform in [0, 1)."""
    kind = verdict.kind
    # One more than the policy allows: with new credentials it is the first.
    if so_far.renewed and so_far.tries <= policy.max_tries:
        return Again(0.0)
    if kind is Kind.DELIVERED:
        return End(Status.DELIVERED)
    if kind in {Kind.REJECTED, Kind.FORBIDDEN}:
        return End(Status.REJECTED)
    if kind in {Kind.STOP, Kind.EXPIRED}:
        return End(Status.FAILED, stop=True)
    if kind is Kind.CLOCK:
        if so_far.clock_corrected or verdict.server_time is None:
            return End(Status.FAILED, stop=True)
        return Again(0.0, correct_clock=True)
    if kind is Kind.THROTTLED:
        wait = _jitter(policy, policy.throttled_base_seconds, so_far.throttled, random)
        return Again(max(wait, verdict.retry_after or 0.0))
    if kind is Kind.FAILED:
        return End(Status.FAILED)
    if kind is Kind.AMBIGUOUS and not repeat_unknown:
        return End(Status.UNKNOWN)
    cost = policy.cost_of(verdict)
    if so_far.tries >= policy.max_tries or tokens < cost:
        return End(Status.FAILED)
    wait = _jitter(policy, policy.base_seconds, so_far.tries, random)
    return Again(max(wait, verdict.retry_after or 0.0), cost)


def ended_early(verdict: Verdict, *, repeat_unknown: bool) -> Status:
    """Return how a delivery ends whose next try was called off."""
    return Status.UNKNOWN if verdict.kind is Kind.AMBIGUOUS and not repeat_unknown else Status.FAILED


class RetryBudget:
    """Tokens for retries over a whole run, so that a bad night makes no storm. Not locked: one owner."""

    def __init__(self, policy: RetryPolicy) -> None:
        self._full = policy.budget
        self.tokens = policy.budget

    def spend(self, cost: int) -> None:
        """Take `cost` tokens."""
        self.tokens = max(0, self.tokens - cost)

    def refund(self, spent_last: int) -> None:
        """Give back what the successful retry had cost, or one token for a success at the first try."""
        self.tokens = min(self._full, self.tokens + max(1, spent_last))


def _jitter(policy: RetryPolicy, base: float, times: int, random: Callable[[], float]) -> float:
    # 2 ** 30 is beyond any cap; a row throttled ten thousand times would overflow a float.
    return random() * min(policy.cap_seconds, base * 2.0 ** min(max(times - 1, 0), 30))
