"""A timeline → the geometry of two aligned charts: how much was sent each second, and how long answers took. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from etl.timeline import Moment, Timeline

HEIGHT = 150
"""Of a chart's plot, in pixels."""
LEAST_MOMENTS = 5
_NICE_SECONDS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 10_800, 21_600, 43_200, 86_400)
_MOST_TIMES, _MOST_STEPS = 6, 4
_LEAST_PART = 0.001


@dataclass(frozen=True, slots=True)
class Tick:
    """A line of an axis. `at`: of a time per cent from the left, of a value pixels from the top."""

    at: float
    label: str


@dataclass(frozen=True, slots=True)
class Bar:
    """One moment's records. All in pixels but `x`, the number of the moment; `other` stands on top of `good`."""

    x: int
    good_y: float
    good: float
    other_y: float
    other: float
    told: str


@dataclass(frozen=True, slots=True)
class Mark:
    """Requests of a moment that were repetitions. `at`: per cent from the left."""

    at: float
    told: str


@dataclass(frozen=True, slots=True)
class Row:
    """One moment as a line of the table that stands for both charts."""

    time: str
    per_second: str
    delivered: int
    other: int
    requests: int
    retries: int
    p50: str
    p95: str


@dataclass(frozen=True, slots=True)
class Charts:
    """What is drawn.

    `half`, `most`: the runs of p50 and p95, points as `x,y x,y`; `half_dots`, `most_dots`: runs of one point, x in per
    cent; `peak`: records a second; `slowest`: milliseconds, None where no answer came; `seconds`: of all moments.
    """

    count: int
    times: tuple[Tick, ...]
    rates: tuple[Tick, ...]
    bars: tuple[Bar, ...]
    marks: tuple[Mark, ...]
    latencies: tuple[Tick, ...]
    half: tuple[str, ...]
    most: tuple[str, ...]
    half_dots: tuple[tuple[float, float], ...]
    most_dots: tuple[tuple[float, float], ...]
    rows: tuple[Row, ...]
    peak: float
    slowest: float | None
    seconds: float

    @property
    def is_long(self) -> bool:
        """Whether it took long enough for a curve to say anything."""
        return self.count >= LEAST_MOMENTS

    @property
    def has_latency(self) -> bool:
        """Whether any answer came."""
        return self.slowest is not None


def charts_of(timeline: Timeline) -> Charts | None:
    """Return the charts, None where nothing was sent."""
    seconds, moments = timeline.seconds, timeline.moments
    if not any(moment.requests or moment.delivered or moment.other for moment in moments):
        return None
    peak = max((moment.delivered + moment.other) / seconds for moment in moments)
    slow = [moment.p95_ms for moment in moments if moment.p95_ms is not None]
    slow += [moment.p50_ms for moment in moments if moment.p50_ms is not None]
    rate_top, rates = _values(peak)
    latency_top, latencies = _values(max(slow, default=0.0))
    half, half_dots = _curve([moment.p50_ms for moment in moments], latency_top)
    most, most_dots = _curve([moment.p95_ms for moment in moments], latency_top)
    starts = [clock(place * seconds, seconds) for place in range(len(moments))]
    return Charts(
        count=len(moments),
        times=_times(len(moments) * seconds),
        rates=rates,
        bars=tuple(_bar(place, one, seconds, rate_top, starts[place]) for place, one in enumerate(moments)),
        marks=tuple(
            Mark(100 * (place + 0.5) / len(moments), f"{starts[place]}: {_many(one.retries, 'retry', 'retries')}")
            for place, one in enumerate(moments)
            if one.retries
        ),
        latencies=latencies,
        half=half,
        most=most,
        half_dots=half_dots,
        most_dots=most_dots,
        rows=tuple(_row(one, seconds, time) for one, time in zip(moments, starts, strict=True)),
        peak=peak,
        slowest=max(slow, default=None),
        seconds=len(moments) * seconds,
    )


def clock(seconds: float, step: float = 1.0) -> str:
    """Return a time since the start as on a stopwatch: `0:07`, `1:02:03`; with tenths where the steps are shorter."""
    whole = int(seconds + _LEAST_PART)
    text = (
        f"{whole // 60 % 60}:{whole % 60:02}"
        if whole < 3_600
        else f"{whole // 3_600}:{whole // 60 % 60:02}:{whole % 60:02}"
    )
    if step % 1 > _LEAST_PART:
        text += f"{seconds - whole + _LEAST_PART / 10:.2f}"[1:]
    return text


def short(value: float) -> str:
    """Return a number with as many digits as somebody reads: `1,240`, `12.5`, `0.08`."""
    if value >= 100 or value == int(value):
        return f"{value:,.0f}"
    return f"{value:.3g}"


def _bar(place: int, moment: Moment, seconds: float, top: float, time: str) -> Bar:
    scale = HEIGHT / top / seconds
    good, other = moment.delivered * scale, moment.other * scale
    told = f"{time}: {short((moment.delivered + moment.other) / seconds)} a second, {moment.delivered:,} delivered"
    if moment.other:
        told += f", {moment.other:,} not"
    return Bar(place, _px(HEIGHT - good), _px(good), _px(HEIGHT - good - other), _px(other), told)


def _row(moment: Moment, seconds: float, time: str) -> Row:
    return Row(
        time, short((moment.delivered + moment.other) / seconds), moment.delivered, moment.other, moment.requests,
        moment.retries, _milliseconds(moment.p50_ms), _milliseconds(moment.p95_ms),
    )  # fmt: skip


def _milliseconds(value: float | None) -> str:
    return "" if value is None else short(value)


def _values(largest: float) -> tuple[float, tuple[Tick, ...]]:
    """Return the top of an axis of values, and its lines, the lowest first: round numbers."""
    largest = max(largest, _LEAST_PART)
    rough = largest / _MOST_STEPS
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * factor for factor in (1, 2, 2.5, 5, 10) if power * factor >= rough * 0.999)
    steps = math.ceil(largest / step - _LEAST_PART)
    return steps * step, tuple(Tick(_px(HEIGHT - HEIGHT * one / steps), short(one * step)) for one in range(steps + 1))


def _times(seconds: float) -> tuple[Tick, ...]:
    step: float = next((one for one in _NICE_SECONDS if seconds / one <= _MOST_TIMES), math.ceil(seconds / _MOST_TIMES))
    if seconds <= 2:
        step = 0.5 if seconds > 1 else 0.25 if seconds > 0.5 else 0.1
    return tuple(
        Tick(_px(100 * place * step / seconds), clock(place * step, step)) for place in range(int(seconds / step) + 1)
    )


def _curve(values: Sequence[float | None], top: float) -> tuple[tuple[str, ...], tuple[tuple[float, float], ...]]:
    """Return the runs of known values: as polylines (x counts moments) and, where a run is one value, as dots."""
    runs: list[list[tuple[float, float]]] = [[]]
    for place, value in enumerate(values):
        if value is None:
            runs.append([])
        else:
            runs[-1].append((place + 0.5, _px(HEIGHT - HEIGHT * value / top)))
    lines = tuple(" ".join(f"{x:g},{y:g}" for x, y in run) for run in runs if len(run) > 1)
    dots = tuple((_px(100 * run[0][0] / len(values)), run[0][1]) for run in runs if len(run) == 1)
    return lines, dots


def _px(value: float) -> float:
    return round(value, 2)


def _many(count: int, one: str, many: str) -> str:
    return f"{count:,} {one if count == 1 else many}"
