from __future__ import annotations

from typing import Any

import pytest

from etl.errors import SettingsError
from etl.sandbox.faults import KINDS, FaultPlan, FaultRule, Faults, parse_fault

POST = "POST /contacts"


def plan(*rules: FaultRule, schedule: tuple[FaultRule | None, ...] = (), seed: int = 1, clock: Any = None) -> FaultPlan:
    return FaultPlan(Faults(rules, schedule), seed, clock or (lambda: 0.0))


def kinds(a_plan: FaultPlan, count: int, route: str = POST, person: str = "", known: bool = True) -> list[str | None]:
    verdicts = [a_plan.judge(route=route, known=known, person=person) for _ in range(count)]
    return [verdict.rule.kind if verdict.rule else None for verdict in verdicts]


@pytest.mark.parametrize(
    ("rule", "fired"),
    [
        (FaultRule("500"), [1, 2, 3, 4, 5, 6]),
        (FaultRule("500", first=2), [1, 2]),
        (FaultRule("500", nth=(2, 5)), [2, 5]),
        (FaultRule("500", every=3), [3, 6]),
        (FaultRule("500", after=4), [5, 6]),
        (FaultRule("500", count=1, after=2), [3]),
        (FaultRule("500", rate=0.0), []),
        (FaultRule("500", rate=1.0, count=2), [1, 2]),
    ],
)
def test_a_rule_fires_when_it_says(rule: FaultRule, fired: list[int]) -> None:
    found = kinds(plan(rule), 6)
    assert [number for number, kind in enumerate(found, start=1) if kind] == fired


def test_a_rate_is_kept_roughly_and_the_seed_decides_which() -> None:
    first, again, other = (kinds(plan(FaultRule("503", rate=0.1), seed=seed), 5000) for seed in (1, 1, 2))
    assert first == again
    assert first != other
    assert 400 < sum(kind is not None for kind in first) < 600


def test_adding_a_rule_does_not_change_what_another_draws() -> None:
    alone = kinds(plan(FaultRule("503", rate=0.3)), 200)
    beside = kinds(plan(FaultRule("503", rate=0.3), FaultRule("reset", rate=0.3)), 200)
    assert [kind if kind == "503" else None for kind in beside] == alone


@pytest.mark.parametrize(
    ("restriction", "route", "known", "fires"),
    [
        (None, "POST /contacts", True, True),
        (None, "GET /", False, False),
        ("GET /", "GET /", False, True),
        ("/contacts", "DELETE /contacts", True, True),
        ("DELETE /contacts", "POST /contacts", True, False),
        ("/events", "POST /contacts", True, False),
    ],
)
def test_a_rule_may_be_restricted_to_a_route(restriction: str | None, route: str, known: bool, fires: bool) -> None:
    assert kinds(plan(FaultRule("500", route=restriction)), 1, route, known=known) == ["500" if fires else None]


def test_requests_of_other_routes_are_not_counted() -> None:
    faults = plan(FaultRule("500", nth=(2,), route="POST /events"))
    found = [kinds(faults, 1, route)[0] for route in ("POST /events", POST, POST, "POST /events")]
    assert found == [None, None, None, "500"]


def test_a_rule_may_be_restricted_to_a_person() -> None:
    faults = plan(FaultRule("500", person="Anna@example.com"))
    assert kinds(faults, 1, person="anna@EXAMPLE.com") == ["500"]
    assert kinds(faults, 1, person="bob@example.com") == [None]


def test_a_schedule_comes_first_and_then_the_rules() -> None:
    schedule = (None, FaultRule("429"), FaultRule("reset"))
    assert kinds(plan(FaultRule("500"), schedule=schedule), 5) == [None, "429", "reset", "500", "500"]


def test_the_first_rule_that_fires_wins_and_latency_adds_up() -> None:
    faults = plan(
        FaultRule("latency", seconds=0.5), FaultRule("latency", seconds=0.25), FaultRule("500"), FaultRule("502")
    )
    verdict = faults.judge(route=POST, known=True, person="")
    assert verdict.rule is not None
    assert (verdict.rule.kind, verdict.delay_seconds) == ("500", 0.75)


def test_latency_is_drawn_between_its_bounds_or_around_its_mean() -> None:
    bounded = plan(FaultRule("latency", seconds=0.1, to=0.2))
    delays = [bounded.judge(route=POST, known=True, person="").delay_seconds for _ in range(500)]
    assert min(delays) >= 0.1
    assert max(delays) <= 0.2
    around = plan(FaultRule("latency", mean=0.1))
    delays = [around.judge(route=POST, known=True, person="").delay_seconds for _ in range(5000)]
    assert sum(delays) / len(delays) == pytest.approx(0.1, rel=0.1)


def test_a_limit_lets_no_more_through_than_it_says() -> None:
    now = [0.0]
    faults = plan(FaultRule("limit", per_second=10, burst=5), clock=lambda: now[0])
    passed = 0
    for _ in range(1000):
        passed += kinds(faults, 1) == [None]
        now[0] += 0.01
    assert 100 <= passed <= 106


def test_a_limit_refuses_only_above_its_rate() -> None:
    now = [0.0]
    faults = plan(FaultRule("limit", per_second=10, burst=1), clock=lambda: now[0])
    found = []
    for _ in range(20):
        found += kinds(faults, 1)
        now[0] += 0.11
    assert found == [None] * 20


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("429", FaultRule("429")),
        ("429:rate=0.1,retry_after=1", FaultRule("429", rate=0.1, retry_after=1)),
        ("429:retry_after=5,retry_after_date=yes", FaultRule("429", retry_after=5, retry_after_date=True)),
        ("lost: nth=3+7, route=POST /events", FaultRule("lost", nth=(3, 7), route="POST /events")),
        ("504:acted=yes,first=2", FaultRule("504", acted=True, first=2)),
        ("latency:seconds=0.1,to=0.5", FaultRule("latency", seconds=0.1, to=0.5)),
        ("limit:per_second=100,burst=10", FaultRule("limit", per_second=100, burst=10)),
        ("redirect:status=307,location=https://example.com/x", FaultRule("redirect", status=307, location="https://example.com/x")),
        ("500:person=anna@example.com", FaultRule("500", person="anna@example.com")),
    ],
)  # fmt: skip
def test_the_text_form_is_read(text: str, rule: FaultRule) -> None:
    assert parse_fault(text) == rule


WHEN = "rate, first, nth, every, after, count, route, person, acted"
ANY = f"it takes {WHEN}"
RETRY = "retry_after, retry_after_date"
ALL_KINDS = f"the kinds are {', '.join(KINDS)}"
MISTAKES = [
    ("teapot", "unknown fault 'teapot'", ALL_KINDS),
    ("teapot:rate=1", "unknown fault 'teapot'", ALL_KINDS),
    ("", "unknown fault ''", ALL_KINDS),
    ("reset:retry_after=1", "fault 'reset:retry_after=1': 'retry_after=1' is not understood", ANY),
    ("429:often", "fault '429:often': 'often' is not understood", f"it takes {RETRY}, {WHEN}"),
    ("reset:rate=half", "fault 'reset:rate=half': rate is 'half'", "write a number"),
    ("reset:acted=maybe", "fault 'reset:acted=maybe': acted is 'maybe'", "write yes or no"),
    ("reset:rate=2", "fault 'reset': rate is 2, not between 0 and 1", ANY),
    ("reset:rate=nan", "fault 'reset': rate is nan, not between 0 and 1", ANY),
    ("reset:nth=0", "fault 'reset': nth counts from 1", ANY),
    ("reset:every=0", "fault 'reset': every is 0, which is not above 0 or too large", ANY),
    ("reset:route=events", "fault 'reset': route is 'events', not like 'POST /events' or '/events'", ANY),
    ("limit", "fault 'limit': per_second is missing", f"it takes per_second, burst, {RETRY}, {WHEN}"),
    (
        "latency",
        "fault 'latency': either seconds (with or without to) or mean is needed",
        f"it takes seconds, to, mean, {WHEN}",
    ),
    ("reset:rate=0.1,rate=0.2", "fault 'reset:rate=0.1,rate=0.2': 'rate' stands there twice", "keep one of them"),
    (
        "redirect:status=200",
        "fault 'redirect': status is 200, not one of 301, 302, 303, 307, 308",
        f"it takes status, location, {WHEN}",
    ),
]


@pytest.mark.parametrize(("text", "message", "hint"), MISTAKES, ids=[text for text, _, _ in MISTAKES])
def test_a_mistake_in_the_text_form_is_explained(text: str, message: str, hint: str) -> None:
    with pytest.raises(SettingsError) as refused:
        parse_fault(text)
    assert str(refused.value) == f"{message}\n  hint: {hint}   [fault]"


def test_a_rule_refuses_what_its_kind_does_not_take() -> None:
    with pytest.raises(SettingsError, match="fault 'reset' takes no 'interval'"):
        FaultRule("reset", interval=1.0)


def test_a_rule_of_an_unknown_kind_is_refused() -> None:
    with pytest.raises(SettingsError, match="unknown fault 'teapot'"):
        FaultRule("teapot")


@pytest.mark.parametrize("text", ["latency:seconds=2,to=1", "429:retry_after=1e10", "latency:seconds=-1"])
def test_a_value_out_of_range_is_refused(text: str) -> None:
    with pytest.raises(SettingsError, match=r"is below|too large"):
        parse_fault(text)
