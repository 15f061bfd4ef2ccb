"""The line of a spec, written back: it loads as what it was written from."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import mapping_of

from etl.mapping.model import AllSource, ColumnSource, FieldSpec, Mapping, Node
from etl.mapping.spec_text import written

HEAD = "version: 1\nname: test\nrecords:\n  - action: contact.upsert\n    fields:\n      contact.email: E-mail\n"
LINES = [
    "contact.name: Name", "contact.name: [Name, Full name]", "contact.name: {column: Name, optional: true}",
    'contact.name: {column: "a: {b}, [c] # d", required: true}', "contact.name: {column: '\"odd\" \\ name', blank: clear}",
    "contact.name: {column: Name, default: 'no'}", "contact.name: {template: '{First} {{x}} {Last}', blank_parts: any}",
    "contact.name: {template: \"{'odd } name'}\"}", "contact.name: {value: 'yes'}",
    "tags: {column: Tags, transform: [{split: ';'}, upper]}", "tags: {column: Tags, transform: [{split: {separator: ','}}]}",
    "tags: {all: [T1, {column: T2, transform: [upper]}, {value: vip}]}",
    "properties.d: {column: D, transform: [{date: [DD.MM.YYYY, D MMMM YYYY]}]}",
    "properties.d: {column: D, transform: [{date: {day_first: no, output: 'DD.MM.YYYY HH:mm'}}]}",
    "properties.n: {column: N, transform: [strip, {number: {decimal: ',', thousands: ' ', decimals: 2, currency: [PLN, zł]}}]}",
    "properties.m: {column: M, transform: [{map: {values: {'1': one, 'no': 'null', '': x}, else: '~'}}]}",
    "properties.x: {column: X, transform: [{replace: {old: '\"', new: \"\\t\"}}]}",
    "properties: {columns: [A, B]}", "properties: {columns: {Shoe size: shoe_size}, columns_like: ['dict_*'], keys: '*'}",
    "'properties.odd: key': X",
]  # fmt: skip


def plain(value: Any) -> Any:
    """Return a node as plain values, without places."""
    if isinstance(value, Node):
        return {
            name: plain(getattr(value, name)) for name in type(value).model_fields if name not in {"line", "column"}
        }
    if isinstance(value, tuple | list):
        return [plain(one) for one in value]
    return {key: plain(one) for key, one in value.items()} if isinstance(value, dict) else value


def spec_of(mapping: Mapping) -> FieldSpec:
    return mapping.records[0].fields[-1]


@pytest.mark.parametrize("line", LINES)
def test_a_written_line_loads_as_the_spec_that_it_was_written_from(tmp_path, line):
    spec = spec_of(mapping_of(f"{HEAD}      {line}\n", tmp_path))
    again = spec_of(mapping_of(f"{HEAD}      {written(spec)}\n", tmp_path))
    assert plain(again) == plain(spec)


def test_an_attribute_is_written_as_it_stands_below_attributes(tmp_path):
    text = HEAD + "    attributes:\n      shop: {column: Shop, transform: [upper]}\n"
    (spec,) = mapping_of(text, tmp_path).records[0].attributes
    assert written(spec) == "shop: {column: Shop, transform: [upper]}"


def test_other_calls_can_be_written_in_the_place_of_its_own(tmp_path):
    spec = spec_of(mapping_of(HEAD + "      properties.n: {column: Net, transform: [strip, number]}\n", tmp_path))
    strip, number = spec.transforms
    calls = [strip, number.model_copy(update={"arguments": {"decimal": ","}})]
    assert written(spec, calls) == 'properties.n: {column: Net, transform: [strip, {number: {decimal: ","}}]}'


NAMES = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=12).filter(
    lambda name: name.strip() == name
)


@settings(max_examples=150, deadline=None)
@given(st.lists(NAMES, min_size=1, max_size=3, unique=True))
def test_any_name_of_a_column_is_written_so_that_it_is_read_again(tmp_path_factory, names):
    for source in (
        ColumnSource(names=tuple(names)),
        AllSource(specs=(FieldSpec(path="tags", source=ColumnSource(names=tuple(names))),)),
    ):
        spec = FieldSpec(path="tags", source=source, gives_list=isinstance(source, AllSource))
        again = spec_of(mapping_of(f"{HEAD}      {written(spec)}\n", tmp_path_factory.getbasetemp()))
        assert plain(again) == plain(spec)
