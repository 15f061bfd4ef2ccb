"""What a mapping gives a transform, checked when the mapping is loaded: types, names, and what the transform adds.

Every scalar of a mapping is text ("2", "no"), so types are read as pydantic's lax mode reads them. The annotations
below are what transforms use beside `str`, `int`, `bool` and `Literal`.
"""

from __future__ import annotations

import difflib
import types
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BeforeValidator, Field, TypeAdapter, ValidationError

from etl.transforms.registry import CATALOGUE, Argument, Transform


@dataclass(frozen=True, slots=True)
class Expected:
    """Metadata of an annotation: what to write there, in words, after "expected"."""

    words: str


@dataclass(frozen=True, slots=True)
class FileName:
    """Metadata of an annotation: the argument is the name of a file that is read when the mapping is loaded."""


def _as_list(given: Any) -> Any:
    return [given] if isinstance(given, str) else given


_WORDS = {str: "text", bool: "true or false", int: "a whole number", float: "a number"}

Words = Annotated[tuple[str, ...], BeforeValidator(_as_list), Expected("text, or a list of texts")]
"""Texts; a lone one stands for a list of one."""

Pair = Annotated[tuple[str, str], Expected("a list of two texts")]
Pairs = Annotated[dict[str, str], Expected("`value: result` pairs")]
File = Annotated[str, FileName(), Expected("the name of a file")]
Character = Annotated[str, Field(min_length=1, max_length=1), Expected("one character")]
NonEmpty = Annotated[str, Field(min_length=1), Expected("text of one character or more")]
Positive = Annotated[int, Field(ge=1, le=1_000_000), Expected("a whole number from 1 on")]
Places = Annotated[int, Field(ge=0, le=30), Expected("a whole number from 0 to 30")]


def check_arguments(transform: Transform | str, given: Any, base: Path = Path()) -> tuple[dict[str, Any], list[str]]:
    """Return the arguments that `apply` takes, and what is wrong with those `given` (no problem: an empty list).

    `given`: None (the bare name), text or a list (the first argument), or a mapping of argument to value. File names
    are resolved against the folder `base` and read here; the arguments hold what the files say, only what was given
    (no defaults), and can be pickled. Each problem is one sentence that names the transform, the argument and what is
    expected. Raises nothing for whatever a mapping may hold; an unknown transform is an AssertionError.
    """
    step = _find(transform)
    if given is not None and not isinstance(given, Mapping):
        if not step.arguments:
            return {}, [f"`{step.name}` takes no arguments"]
        given = {step.arguments[0].name: given}
    values: dict[str, Any] = {}
    problems: list[str] = []
    for name, value in (given or {}).items():
        argument = step.argument(str(name))
        if argument is None:
            problems.append(_unknown(step, str(name)))
            continue
        try:
            values[argument.name] = _adapter(argument).validate_python(_plain(value))
        except ValidationError:
            problems.append(_expected(step, argument, value))
    written = {str(name) for name in given or {}}
    problems += [_missing(step, a) for a in step.arguments if a.required and a.name not in written]
    if step.check is not None and not problems:
        problems += step.check(values, base)
    return values, problems


def files_named(transform: Transform | str, given: Any, base: Path = Path()) -> list[Path]:
    """Return the paths of the files that the arguments `given` name, for a fingerprint of the mapping."""
    step = _find(transform)
    if not isinstance(given, Mapping):
        given = {step.arguments[0].name: given} if step.arguments and given is not None else {}
    names = [given.get(a.name) for a in step.arguments if _metadata(a.annotation, FileName)]
    return [base / name for name in names if isinstance(name, str)]


def nearest(word: str, known: Iterable[str]) -> str | None:
    """Return the one of `known` that looks most like `word`, ignoring case; None if none does."""
    by_fold = {name.casefold(): name for name in known}
    found = difflib.get_close_matches(word.casefold(), list(by_fold), n=1, cutoff=0.5)
    return by_fold[found[0]] if found else None


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return ` (did you mean 'x'?)` for the nearest of `known`, or "" if none is near."""
    found = nearest(word, known)
    return f" (did you mean '{found}'?)" if found else ""


def describe(annotation: Any) -> str:
    """Return in words what an argument of this annotation expects: `a whole number`, `one of sha256, md5`."""
    expected = _metadata(annotation, Expected)
    if expected:
        return str(expected[0].words)
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return describe(inner[0])
    if origin in {Union, types.UnionType}:
        return " or ".join(describe(part) for part in inner if part is not type(None))
    if origin is Literal:
        return "one of " + ", ".join(map(str, inner))
    return _WORDS.get(annotation, str(getattr(annotation, "__name__", annotation)))


def _find(transform: Transform | str) -> Transform:
    if isinstance(transform, Transform):
        return transform
    if transform not in CATALOGUE:
        raise AssertionError(f"BUG: there is no transform {transform!r}")
    return CATALOGUE[transform]


def _adapter(argument: Argument) -> TypeAdapter[Any]:
    return TypeAdapter(argument.annotation)


def _plain(value: Any) -> Any:
    """Return `value` in plain types: what a YAML reader gives carries its place in the file, and more."""
    if isinstance(value, str):
        return str(value)
    if isinstance(value, Mapping):
        return {_plain(key): _plain(item) for key, item in value.items()}
    if isinstance(value, Sequence):
        return [_plain(item) for item in value]
    return value


def _metadata(annotation: Any, kind: type) -> list[Any]:
    """Return the metadata of this kind, of `annotation` or of a part of the union that it is."""
    own = [item for item in getattr(annotation, "__metadata__", ()) if isinstance(item, kind)]
    return own or [item for part in get_args(annotation) for item in _metadata(part, kind)]


def _unknown(step: Transform, name: str) -> str:
    if not step.arguments:
        return f"`{step.name}` takes no arguments, and was given '{name}'"
    known = [argument.name for argument in step.arguments]
    return f"`{step.name}` has no argument '{name}'{did_you_mean(name, known)}; its arguments are {', '.join(known)}"


def _missing(step: Transform, argument: Argument) -> str:
    return f"`{step.name}` needs the argument '{argument.name}': {describe(argument.annotation)}"


def _expected(step: Transform, argument: Argument, value: Any) -> str:
    start = f"`{step.name}`, argument '{argument.name}': expected {describe(argument.annotation)}, not"
    if value is None:
        return f"{start} nothing"
    if isinstance(value, Mapping):
        return f"{start} a mapping"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return f"{start} a list"
    choices = [str(c) for part in _literals(argument.annotation) for c in get_args(part)]
    return f"{start} '{value}'{did_you_mean(value, choices) if choices else ''}"


def _literals(annotation: Any) -> list[Any]:
    if get_origin(annotation) is Literal:
        return [annotation]
    return [found for part in get_args(annotation) for found in _literals(part)]
