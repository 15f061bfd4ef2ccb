"""A FieldSpec → the line of a mapping that says it, to be pasted: flow style YAML, quoted where it must be."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from etl.mapping.braces import write_column
from etl.mapping.draft import quote
from etl.mapping.model import (
    AllSource,
    Blank,
    ColumnSource,
    DynamicSource,
    FieldSpec,
    Source,
    TemplateSource,
    TransformCall,
    ValueSource,
)
from etl.transforms import CATALOGUE


def written(spec: FieldSpec, calls: Sequence[TransformCall] | None = None) -> str:
    """Return `path: {...}` on one line; read back, it means `spec`, with `calls` for its transforms where given.

    An attribute's line is the one that stands under `attributes`. Arguments are written as they were read: those of
    a file that a transform names stand in the line.
    """
    path = spec.path.removeprefix("attributes.")
    return f"{quote(path)}: {_spec(spec, spec.transforms if calls is None else calls)}"


def _spec(spec: FieldSpec, calls: Sequence[TransformCall]) -> str:
    pairs = [*_source(spec.source), *_rules(spec, calls)]
    # A lone text with braces is refused, lest a template be meant.
    if [key for key, _ in pairs] == ["column"] and not set(pairs[0][1]) & set("{}"):
        return pairs[0][1]
    return _table(pairs)


def _rules(spec: FieldSpec, calls: Sequence[TransformCall]) -> Iterator[tuple[str, str]]:
    if calls:
        yield "transform", _list(_call(call) for call in calls)
    if spec.blank is Blank.ERROR:
        yield "required", "true"
    elif spec.blank is Blank.DEFAULT and spec.default is not None:
        yield "default", quote(spec.default)
    elif spec.blank is Blank.CLEAR:
        yield "blank", "clear"
    if spec.optional:
        yield "optional", "true"
    if spec.as_name is not None:
        yield "as", quote(spec.as_name)


def _source(source: Source) -> Iterator[tuple[str, str]]:
    match source:
        case ColumnSource(names=names):
            yield "column", quote(names[0]) if len(names) == 1 else _list(map(quote, names))
        case TemplateSource() as template:
            yield "template", quote("".join(_template(template)))
            if template.blank_parts == "any":
                yield "blank_parts", "any"
        case ValueSource(value=text):
            yield "value", quote(text)
        case AllSource(specs=specs):
            yield "all", _list(_spec(one, one.transforms) for one in specs)
        case DynamicSource() as dynamic:
            yield from _dynamic(dynamic)


def _template(source: TemplateSource) -> Iterator[str]:
    for part in source.parts:
        yield write_column(part.text) if part.is_column else part.text.replace("{", "{{").replace("}", "}}")


def _dynamic(source: DynamicSource) -> Iterator[tuple[str, str]]:
    if source.columns:
        if all(name == key for name, key in source.columns):
            yield "columns", _list(quote(name) for name, _ in source.columns)
        else:
            yield "columns", _table((quote(name), quote(key)) for name, key in source.columns)
    if source.columns_like:
        yield "columns_like", _list(map(quote, source.columns_like))
    if source.keys == "star":
        yield "keys", quote("*")


def _call(call: TransformCall) -> str:
    if not call.arguments:
        return call.name
    leading = CATALOGUE[call.name].arguments[0]
    (first, value), *others = call.arguments.items()
    # Short where nobody has to guess which argument is meant.
    if not others and first == leading.name and leading.required and not isinstance(value, Mapping):
        return _table([(call.name, _value(value))])
    return _table([(call.name, _value(call.arguments))])


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int):
        return str(value)
    if isinstance(value, Mapping):
        return _table((quote(str(key)), _value(one)) for key, one in value.items())
    if isinstance(value, Sequence) and not isinstance(value, str):
        return _list(map(_value, value))
    return quote(str(value))


def _table(pairs: Iterable[tuple[str, str]]) -> str:
    return "{" + ", ".join(f"{key}: {value}" for key, value in pairs) + "}"


def _list(items: Iterable[str]) -> str:
    return f"[{', '.join(items)}]"
