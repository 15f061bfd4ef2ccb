"""Which changes of a field's chain may mend a kind of issue. Ideas alone: `remedies` tries them on the cells."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from etl.damage import ERROR_WORDS
from etl.mapping.model import Blank, FieldSpec, RecordSpec, TransformCall
from etl.mapping.nearest import most_alike
from etl.remedies.readings import date_arguments, number_arguments, regions
from etl.remedies.samples import Sample, Samples
from etl.transforms.arguments import check_arguments
from etl.transforms.columns import EDGES

MOST_WORDS, LONGEST_WORD = 10, 40
"""Values that a line may hold: it is shown, and kept in summary.json."""
_MOST_LISTED = 30
_PLACEHOLDERS = frozenset((
    "null", "nil", "none", "nan", "na", "n/a", "n.a.", "n.a", "n/d", "n.d.", "nd", "b/d", "b.d.", "bd", "brak",
    "k.a.", "k.a", "keine", "-", "--", "---", "–", "—", ".", "..", "...", "?", "??", "x", "xx", "xxx", "unknown",
    "undefined", "empty", "blank", "nieznany", "unbekannt", "okänd", "saknas", "inconnu", "desconocido",
    "sconosciuto",
    *map(str.casefold, ERROR_WORDS),
))  # fmt: skip
_ADDRESS = r"[^\s<>(),;:]+@[^\s<>(),;:]+"


@dataclass(frozen=True, slots=True)
class Setting:
    """What ideas are made from: the field's spec, its bad cells, and good ones as they stand in the file."""

    record: RecordSpec
    spec: FieldSpec
    sample: Sample
    good: list[str]
    samples: Samples

    @property
    def words(self) -> list[str]:
        """The bad cells, trimmed, the most frequent first; no blanks."""
        ranked = sorted(self.sample.bad, key=lambda value: -self.sample.bad[value])
        return list(dict.fromkeys(word for value in ranked if (word := value.strip(EDGES))))

    def place_of(self, *names: str) -> int | None:
        """Return where the chain has a transform of one of these names."""
        return next((place for place, call in enumerate(self.spec.transforms) if call.name in names), None)


@dataclass(frozen=True, slots=True)
class Idea:
    """A changed spec. `may_blank`: a bad cell that it leaves out is mended; `reading`: others may read it otherwise."""

    spec: FieldSpec
    may_blank: bool = False
    reading: bool = False


Chain = tuple[TransformCall, ...]


def ideas(setting: Setting) -> Iterator[Idea]:
    """Yield the changes that may mend the sample's cells, the simplest first."""
    emptied = _without_placeholders(setting)
    if emptied is not None:
        yield Idea(_with(setting.spec, emptied), may_blank=True)
    if setting.sample.code == "required" and setting.spec.blank is Blank.ERROR:
        yield Idea(setting.spec.model_copy(update={"blank": Blank.SKIP}), may_blank=True)
    of_code = _BY_CODE.get(setting.sample.code)
    for chain, is_reading in () if of_code is None else of_code(setting):
        yield Idea(_with(setting.spec, chain), reading=is_reading)
        both = None if emptied is None else _without_placeholders(setting, chain)
        if both is not None:
            yield Idea(_with(setting.spec, both), may_blank=True, reading=is_reading)


def _with(spec: FieldSpec, chain: Chain) -> FieldSpec:
    return spec.model_copy(update={"transforms": chain})


def _call(name: str, given: Any = None) -> TransformCall:
    arguments, problems = check_arguments(name, given)
    if problems:
        raise AssertionError(f"BUG: {problems}")
    return TransformCall(name=name, arguments=arguments)


def _changed(chain: Chain, place: int, arguments: Mapping[str, Any]) -> Chain:
    call = chain[place]
    return (*chain[:place], call.model_copy(update={"arguments": dict(arguments)}), *chain[place + 1 :])


def _first(chain: Chain, call: TransformCall) -> Chain:
    """Return the chain with `call` in front; behind `strip`, which every cell goes through."""
    place = 1 if chain and chain[0].name in {"strip", "squeeze"} else 0
    return (*chain[:place], call, *chain[place:])


def _without_placeholders(setting: Setting, chain: Chain | None = None) -> Chain | None:
    """Return the chain with `blank_if` for the words among the bad cells that stand for nothing; None without any."""
    chain = setting.spec.transforms if chain is None else chain
    words = [word for word in setting.words if word.casefold() in _PLACEHOLDERS][:MOST_WORDS]
    if not words:
        return None
    place = next((place for place, call in enumerate(chain) if call.name == "blank_if"), None)
    if place is None:
        return _first(chain, _call("blank_if", words))
    known = chain[place].arguments
    return _changed(chain, place, {**known, "values": (*known["values"], *words)})


# ---- by code: the changed chain, and whether the cells may be read in another way too


def _dates(setting: Setting) -> Iterator[tuple[Chain, bool]]:
    place = setting.place_of("date")
    if place is None:
        return
    chain = setting.spec.transforms
    for arguments in date_arguments(chain[place].arguments, setting.words, setting.good):
        yield _changed(chain, place, arguments), True


def _numbers(setting: Setting) -> Iterator[tuple[Chain, bool]]:
    chain = setting.spec.transforms
    place = setting.place_of("number", "integer")
    name = "number" if place is None else chain[place].name
    known = {} if place is None else dict(chain[place].arguments)
    for arguments in number_arguments(name, known, setting.words):
        call = _call(name, {key: _as_written(value) for key, value in arguments.items()} or None)
        yield (*chain, call) if place is None else _changed(chain, place, call.arguments), True


def _as_written(value: Any) -> Any:
    if isinstance(value, bool):
        return str(value).lower()
    return list(value) if isinstance(value, tuple) else str(value)


def _phones(setting: Setting) -> Iterator[tuple[Chain, bool]]:
    place = setting.place_of("phone")
    if place is None or "region" in setting.spec.transforms[place].arguments:
        return
    for region in regions(setting.samples, setting.good):
        yield _changed(setting.spec.transforms, place, {"region": region}), False


def _listed(setting: Setting) -> Iterator[tuple[Chain, bool]]:
    place = setting.place_of("map")
    if place is None:
        return
    chain = setting.spec.transforms
    arguments = dict(chain[place].arguments)
    if _is_sound("map", {**arguments, "ignore_case": "true"}):
        yield _changed(chain, place, {**arguments, "ignore_case": True}), False
    values: dict[str, str] = dict(arguments["values"])
    if len(values) > _MOST_LISTED:
        return
    added = _nearest(setting.words, {**{result: result for result in values.values() if result}, **values})
    changed = {**arguments, "values": {**values, **added}}
    if added and _is_sound("map", {**changed, "ignore_case": _as_written(arguments.get("ignore_case", False))}):
        yield _changed(chain, place, changed), False


def _is_sound(name: str, given: Mapping[str, Any]) -> bool:
    return not check_arguments(name, given)[1]


def _nearest(words: list[str], known: Mapping[str, str]) -> dict[str, str]:
    """Return what the words probably stand for, by the known word that each looks most like."""
    short = [word for word in words if len(word) <= LONGEST_WORD][:MOST_WORDS]
    alike = {word: most_alike(word, known) for word in short}
    return {word: known[near] for word, near in alike.items() if near is not None}


def _enumerated(setting: Setting) -> Iterator[tuple[Chain, bool]]:
    chain = setting.spec.transforms
    for calls in (("strip",), ("upper",), ("strip", "upper"), ("country",)):
        yield (*chain, *map(_call, calls)), False
    field = setting.record.action.field(setting.spec.path)
    if field is None or setting.place_of("map") is not None or len(field.values) > _MOST_LISTED:
        return
    added = _nearest(setting.words, {value: value for value in field.values})
    if added:
        kept = {value: value for value in field.values if value in setting.good}
        yield (*chain, _call("map", {"values": {**kept, **added}})), False


def _addresses(setting: Setting) -> Iterator[tuple[Chain, bool]]:
    chain = setting.spec.transforms
    yield (_call("strip"), *chain), False
    if sum(word.count("@") > 1 for word in setting.words) * MOST_WORDS <= len(setting.words):
        yield _first(chain, _call("regex_extract", _ADDRESS)), False


def _longer(setting: Setting) -> Iterator[tuple[Chain, bool]]:
    field = setting.record.action.field(setting.spec.path)
    if field is not None and field.max_length is not None:
        yield (*setting.spec.transforms, _call("truncate", str(field.max_length))), False


def _tags(setting: Setting) -> Iterator[tuple[Chain, bool]]:
    if setting.place_of("split") is None:
        yield (*setting.spec.transforms, _call("split", ",")), False


_BY_CODE: dict[str, Callable[[Setting], Iterator[tuple[Chain, bool]]]] = {
    "not-a-date": _dates,
    "not-a-number": _numbers,
    "not-an-integer": _numbers,
    "not-a-phone": _phones,
    "not-in-map": _listed,
    "not-in-enumeration": _enumerated,
    "email-syntax": _addresses,
    "not-an-email": _addresses,
    "too-long": _longer,
    "tag-comma": _tags,
}
