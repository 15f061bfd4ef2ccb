"""The most frequent bad values → what was probably meant: "did you mean PL?". Tried on the chain before it is told."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from etl.mapping.nearest import most_alike, squash
from etl.problem_groups import Groups, Key
from etl.remedies import mends
from etl.remedies.samples import Sample, Samples
from etl.report import Remedy
from etl.schemas.addresses import meant
from etl.transforms.columns import EDGES
from etl.transforms.countries import find_country, nearest_country

MOST_KINDS, MOST_VALUES, SHOWN = 30, 5, 3
_MOST_WORDS = 5_000
"""Words that a look-up may have for the nearest of them to be looked for."""


def suggestions(groups: Groups, samples: Samples, remedies: Sequence[Remedy]) -> dict[Key, str]:
    """Return what would mend the most frequent groups, by their key: a word for a word, else a line for the mapping.

    `did you mean PL?` where one value makes up half of the group and more, else
    `did you mean PL for "Polska", DE for "Niemcy"?`.
    """
    found: dict[Key, str] = {}
    lines = {(one.record, one.field, one.code): one for one in remedies}
    for key, count, values in groups.frequent(MOST_KINDS, MOST_VALUES):
        record, field, code, _, _ = key
        sample = samples.by_kind.get((record, field, code))
        meanings = dict(_meanings(code, sample, [value for value, _ in values]))
        told = _asked(meanings, values, count)
        remedy = lines.get((record, field, code))
        if not told and remedy is not None:
            told = told_of(remedy)
        if told:
            found[key] = told
    return found


def told_of(remedy: Remedy) -> str:
    """Return a remedy as a suggestion: `this line of the mapping mends all 3: ...`."""
    mended = f"all {remedy.tried:,}" if remedy.mended == remedy.tried else f"{remedy.mended:,} of {remedy.tried:,}"
    verb = "leaves out" if remedy.line.startswith("when:") and remedy.code == "required" else "mends"
    return f"this line of the mapping {verb} {mended}: {remedy.line}"


def _asked(meanings: Mapping[str, str], values: Sequence[tuple[str, int]], count: int) -> str:
    if not meanings:
        return ""
    (first, times), *_ = values
    if 2 * times >= count:
        return f"did you mean {meanings[first]}?" if first in meanings else ""
    listed = [f'{word} for "{value}"' for value, word in meanings.items()]
    return f"did you mean {', '.join(listed[:SHOWN])}?"


def _meanings(code: str, sample: Sample | None, values: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield the values of which it can be told what was meant, with that."""
    if code == "email-typo":
        yield from ((domain, meant(domain).removeprefix("@")) for domain in values)
        return
    if sample is None:
        return
    for value in values:
        tried = list(dict.fromkeys(_candidates(code, sample, value.strip(EDGES))))
        good = mends(sample, tried) if tried else []
        word = next((word for word, is_good in zip(tried, good, strict=True) if is_good), None)
        if word is not None:
            yield value, word


def _candidates(code: str, sample: Sample, value: str) -> Iterator[str]:
    """Yield the words that may have been meant, the likeliest first."""
    if code == "not-a-country":
        country = nearest_country(value)
        if country is not None:
            yield country
    if code not in {"not-in-map", "not-in-enumeration", "no-match"}:
        return
    words = _allowed(code, sample)
    country = find_country(value)
    if country is not None and (country in words or code == "no-match"):
        yield country
    near = next((word for word in words if squash(word) == squash(value)), None) or most_alike(value, words)
    if near is not None:
        yield near


def _allowed(code: str, sample: Sample) -> list[str]:
    """Return the words that the field takes."""
    if code == "not-in-enumeration":
        field = sample.spec.action.field(sample.path)
        return list(field.values) if field is not None else []
    spec = next((one for one in (*sample.spec.fields, *sample.spec.attributes) if one.path == sample.path), None)
    for call in spec.transforms if spec is not None else ():
        if code == "not-in-map" and call.name == "map" and len(call.arguments["values"]) <= _MOST_WORDS:
            return list(call.arguments["values"])
    return []
