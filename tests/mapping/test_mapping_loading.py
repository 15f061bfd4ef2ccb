import pickle
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from etl.errors import MappingError
from etl.mapping import Mapping, load_mapping, parse_mapping
from etl.mapping.model import (
    AllSource,
    Blank,
    ColumnSource,
    Duplicates,
    DynamicSource,
    Missing,
    TemplateSource,
    Unknown,
    ValueSource,
)
from etl.records import Severity
from tests.mapping.written import DESIGN, START, contact, event, read, record, told


def test_the_example_of_the_design_loads() -> None:
    mapping = read(DESIGN)

    first, second = mapping.records
    assert (mapping.name, mapping.source.sheets, mapping.source.header_row) == (
        "newsletter-contacts",
        ("Contacts",),
        3,
    )
    assert first.key == ("contact.email",)
    assert (first.duplicates, first.unknown) == (Duplicates.LAST, Unknown.RETRY)
    assert first.when is not None
    assert first.when.columns == ("Consent",)
    assert [type(spec.source) for spec in first.fields] == [
        ColumnSource, TemplateSource, ColumnSource, ColumnSource, ColumnSource, ColumnSource,
        DynamicSource, DynamicSource,
    ]  # fmt: skip
    assert (second.key, second.duplicates, second.unknown) == ((), Duplicates.ALL, Unknown.HOLD)


def test_a_nightly_mapping_says_so() -> None:
    mapping = read(record("missing: report") + "only_changed: true\n")

    assert (mapping.only_changed, mapping.records[0].missing) == (True, Missing.REPORT)
    assert (read(contact()).only_changed, read(contact()).records[0].missing) == (False, None)


def test_an_event_without_person_and_key_is_noted() -> None:
    assert read(DESIGN).notes == (
        "record 2 (event.create): no field says whose event it is; map 'email' if your account's contract takes it",
        "record 2 (event.create): no key, so rows given twice are not noticed; map 'externalId', or write key:",
    )


def test_an_event_with_person_and_key_is_not_noted() -> None:
    mapping = read(event("email: E-mail", "externalId: Order"))

    assert mapping.notes == ()
    assert mapping.records[0].key == ("externalId",)


def test_a_mapping_keeps_everything_when_pickled() -> None:
    mapping = read(DESIGN)

    assert pickle.loads(pickle.dumps(mapping)) == mapping


@pytest.mark.parametrize(
    "typed", ["NO", "0123", "yes", "12:30", "2024-01-02", "1e3", "0x1F", "1_000", ".inf", "=", "<<"]
)
def test_a_scalar_is_the_text_that_was_typed(typed: str) -> None:
    (_, spec) = read(contact(f"contact.name: {{value: {typed}}}")).records[0].fields

    assert isinstance(spec.source, ValueSource)
    assert spec.source.value == typed


def test_constant_is_another_word_for_value() -> None:
    one, other = read(contact("contact.name: {value: a}", "contact.fax: {constant: a}")).records[0].fields[1:]

    assert one.source.kind == other.source.kind == "value"


@pytest.mark.parametrize(
    ("rules", "blank"),
    [
        pytest.param("column: A", Blank.SKIP, id="nothing"),
        pytest.param("column: A, required: true", Blank.ERROR, id="required"),
        pytest.param("column: A, required: true, blank: error", Blank.ERROR, id="required-and-error"),
        pytest.param("column: A, blank: clear", Blank.CLEAR, id="clear"),
        pytest.param("column: A, default: x", Blank.DEFAULT, id="default"),
        pytest.param("column: A, default: x, blank: default", Blank.DEFAULT, id="default-twice"),
    ],
)
def test_the_words_for_blanks_become_one_policy(rules: str, blank: Blank) -> None:
    assert read(contact(f"contact.name: {{{rules}}}")).records[0].fields[1].blank is blank


@pytest.mark.parametrize(
    ("rule", "place"),
    [("blank: skip", 39), ("required: false", 39), ("optional: true", 39)],
)
def test_the_contract_s_requirement_cannot_be_weakened(rule: str, place: int) -> None:
    text = contact().replace("contact.email: E-mail", f"contact.email: {{column: E-mail, {rule}}}")

    word = rule.partition(":")[0]
    assert told(text) == (
        f"m.yaml:6:{place}: 'contact.email' is required by the endpoint\n  hint: remove '{word}'   [contract]"
    )


def test_what_the_contract_requires_is_an_error_where_blank() -> None:
    assert read(contact()).records[0].fields[0].blank is Blank.ERROR


def test_a_field_that_the_contract_requires_must_be_mapped() -> None:
    text = f"{START}  - action: contact.upsert\n    fields:\n      contact.name: Name\n"

    assert told(text) == (
        "m.yaml:5:5: contact.upsert needs the field 'contact.email'\n"
        "  hint: add contact.email: and the column's name   [required-field]"
    )


def test_a_mistyped_required_field_is_told_once() -> None:
    text = f"{START}  - action: contact.upsert\n    fields:\n      email: E-mail\n"

    assert told(text) == (
        "m.yaml:6:7: contact.upsert has no field 'email'\n  hint: did you mean 'contact.email'?   [unknown-field]"
    )


def test_tags_by_one_text_without_split_is_one_tag() -> None:
    spec = read(contact("tags: Segment")).records[0].fields[1]

    assert not spec.gives_list


def test_all_joins_several_specs_into_a_list() -> None:
    spec = (
        read(contact('tags: {all: [A, [B, C], {value: VIP}, {column: D, transform: {split: ";"}}]}'))
        .records[0]
        .fields[1]
    )

    assert isinstance(spec.source, AllSource)
    assert spec.gives_list
    assert [part.source.kind for part in spec.source.specs] == ["column", "column", "value", "column"]


def test_a_list_that_is_joined_serves_a_text() -> None:
    spec = read(contact('contact.name: {all: [A, B], transform: [{join: " "}]}')).records[0].fields[1]

    assert not spec.gives_list


@pytest.mark.parametrize("written", ['columns: {Shop: shop, "Age in years": age}', "columns: [Shop]"])
def test_many_columns_at_once_are_named_column_first(written: str) -> None:
    source = read(contact(f"properties: {{{written}}}")).records[0].fields[1].source

    assert isinstance(source, DynamicSource)
    assert source.columns[0][0] == "Shop"


def test_checks_of_the_mapping_hold_in_each_record_unless_it_says_otherwise() -> None:
    text = record("checks: {email-typo: error}").replace(
        "records:", "checks: {too-long: error, email-typo: warning}\nrecords:"
    )

    assert read(text).records[0].checks == {"too-long": Severity.ERROR, "email-typo": Severity.ERROR}


def test_all_mistakes_of_a_file_are_told_at_once_in_its_order() -> None:
    text = contact("contact.nmae: Name", "contact.fax: {column: Fax, transform: lowr, blank: cler}") + "    wen: x\n"

    assert [line.split(": ")[0] for line in told(text).splitlines()[::2]] == [
        "m.yaml:7:7", "m.yaml:8:45", "m.yaml:8:58", "m.yaml:9:5",
    ]  # fmt: skip


WHOLE = [
    pytest.param("", "m.yaml:1:1: the mapping is empty\n  hint: start with `version: 1`   [empty-mapping]", id="empty"),
    pytest.param("a", "m.yaml:1:1: the mapping must be a table of keys, not 'a'   [wrong-form]", id="text"),
    pytest.param(
        contact().replace("version: 1", "version: 2"),
        "m.yaml:1:10: version 2 of the mapping language is not known\n  hint: write version: 1   [unknown-version]",
        id="version-2",
    ),
    pytest.param(
        contact().replace("version: 1\n", ""),
        "m.yaml:1:1: the mapping has no version\n  hint: start with version: 1   [missing-key]",
        id="no-version",
    ),
    pytest.param(
        "version: 1\nname: n\nrecords: []\n",
        "m.yaml:3:1: the mapping has no records\n"
        "  hint: write what a row becomes: records: [{action: .., fields: {..}}]   [missing-key]",
        id="no-records",
    ),
    pytest.param(
        contact() + "---\na: b\n",
        "m.yaml:7:1: a second document\n"
        "  hint: one mapping a file: remove the line `---` and what follows   [yaml-document]",
        id="two-documents",
    ),
    pytest.param(
        "a: [b\n",
        "m.yaml:2:1: this is not YAML: while parsing a flow sequence, expected ',' or ']', but got '<stream end>'\n"
        "  hint: check the indentation, and put text with `: `, `#`, `{` or a leading quote into quotes   [yaml-syntax]",
        id="no-yaml",
    ),
    pytest.param(
        "a: \x00\n",
        "m.yaml:1:4: a character that YAML does not allow\n  hint: remove it   [yaml-character]",
        id="a-control-character",
    ),
    pytest.param(
        "#" * (256 * 1024 + 1),
        "m.yaml: a mapping of more than 256 KB\n"
        "  hint: put long lists of values into a CSV file: {map: {file: ...}}   [mapping-too-large]",
        id="too-large",
    ),
    pytest.param(
        contact() + "group_key: {column: Market, blank: skip}\n",
        "m.yaml:7:29: the group key chooses the account and can't be left out\n  hint: remove 'blank'   [contract]",
        id="a-group-key-that-may-be-blank",
    ),
    pytest.param(
        contact() + "source: {delimiter: ab}\n",
        "m.yaml:7:21: 'ab' can't separate cells\n  hint: write the sign in quotes, such as ';', or tab   [wrong-value]",
        id="a-delimiter-of-two-signs",
    ),
    pytest.param(
        contact() + "source: {encoding: utf9}\n",
        "m.yaml:7:20: unknown encoding 'utf9'\n  hint: did you mean 'utf-8'?   [unknown-encoding]",
        id="an-unknown-encoding",
    ),
    pytest.param(
        contact() + "source: {header_row: 0}\n",
        "m.yaml:7:22: 'header_row': a row's number or none is expected here, not '0'\n"
        "  hint: rows count from 1, as Excel shows them   [wrong-value]",
        id="row-0",
    ),
    pytest.param(
        contact() + "examples:\n  - row: {E-mail: b}\n    issue: requird\n",
        "m.yaml:9:12: unknown check 'requird'\n  hint: did you mean 'required'?   [unknown-check]",
        id="an-example-with-an-unknown-code",
    ),
    pytest.param(
        contact() + "examples:\n  - row: {E-mail: b}\n",
        "m.yaml:8:5: the example expects nothing\n"
        "  hint: write one of gives: {..}, issue: code, skipped: true   [example]",
        id="an-example-that-expects-nothing",
    ),
    pytest.param(
        event("detail1: A") + "    duplicates: last\n",
        "m.yaml:7:5: duplicates: last without a key\n"
        "  hint: add key: and the fields that make two rows the same one, or map externalId   [no-key]",
        id="duplicates-without-a-key",
    ),
    pytest.param(
        event("detail1: A") + "    revive: true\n",
        "m.yaml:7:5: event.create revives nothing\n  hint: it belongs to contact.upsert   [misplaced-key]",
        id="an-event-that-revives",
    ),
    pytest.param(
        event("externalId: A") + "    missing: report\n",
        "m.yaml:7:5: event.create misses nobody\n  hint: it belongs to contact.upsert   [misplaced-key]",
        id="an-event-that-is-missing",
    ),
    pytest.param(
        record("missing: delete", "key: contact.name").replace("E-mail\n", "E-mail\n      contact.name: Name\n"),
        "m.yaml:8:5: missing: delete needs the key contact.email\n"
        "  hint: remove key:, or write missing: report; a contact is deleted by its contact.email alone   [misplaced-key]",
        id="a-deletion-by-another-key",
    ),
    pytest.param(
        record("missing: report") + "  - action: contact.upsert\n    missing: delete\n    fields: {contact.email: B}\n",
        "m.yaml:9:5: record 1 says missing: report, and this one delete\n"
        "  hint: a contact is missing from the whole file: write the same word in both   [wrong-value]",
        id="two-words-about-who-is-missing",
    ),
    pytest.param(
        record("missing: delete")
        + "  - action: contact.upsert\n    key: contact.fax\n    fields: {contact.email: B, contact.fax: C}\n",
        "m.yaml:9:5: record 1 says missing: delete, and this one has another key than the e-mail\n"
        "  hint: write missing: report there, or remove this key:   [misplaced-key]",
        id="a-deletion-beside-another-key",
    ),
    pytest.param(
        contact() + "only_changed: yes\n",
        "m.yaml:7:15: 'only_changed': true or false is expected here, not 'yes'\n  hint: write true   [wrong-value]",
        id="only-changed-yes",
    ),
    pytest.param(
        record("missing: remove"),
        "m.yaml:7:14: 'missing' must be report or delete, not 'remove'   [wrong-value]",
        id="a-missing-that-is-neither",
    ),
    pytest.param(
        contact().replace("contact.upsert", "contact.upsrt"),
        "m.yaml:4:13: unknown action 'contact.upsrt'\n  hint: did you mean 'contact.upsert'?   [unknown-action]",
        id="an-unknown-action",
    ),
    pytest.param(
        contact().replace("- action: contact.upsert", "- name: a"),
        "m.yaml:4:5: the record has no action\n"
        "  hint: write action: contact.upsert, contact.delete or event.create   [missing-key]",
        id="no-action",
    ),
]


@pytest.mark.parametrize(("text", "message"), WHOLE)
def test_a_mistake_in_the_whole_is_told_with_its_place_and_a_hint(text: str, message: str) -> None:
    assert told(text) == message


def test_source_and_examples_are_kept() -> None:
    text = contact() + (
        "source: {header_row: none, delimiter: tab, skip_rows: 2}\n"
        "examples:\n"
        "  - {row: {E-mail: x}, gives: {contact: {email: x}}}\n"
        "  - {row: {E-mail: x}, skipped: true}\n"
    )

    mapping = read(text)

    assert (mapping.source.header_row, mapping.source.delimiter, mapping.source.skip_rows) == (0, "\t", 2)
    assert mapping.examples[0].gives == ({"contact.email": "x"},)
    assert mapping.examples[1].skipped


def test_files_that_are_named_are_relative_to_the_mapping_and_part_of_its_fingerprint(tmp_path: Path) -> None:
    path = tmp_path / "m.yaml"
    path.write_text(contact("contact.company: {column: A, transform: [{map: {file: c.csv}}]}"))
    table = tmp_path / "c.csv"
    table.write_text("value,result\na,b\n")
    before = load_mapping(path)
    again = load_mapping(path)
    table.write_text("value,result\na,c\n")

    assert before.fingerprint == again.fingerprint
    assert load_mapping(path).fingerprint != before.fingerprint


def test_a_mapping_that_is_not_there_is_told(tmp_path: Path) -> None:
    path = tmp_path / "none.yaml"

    with pytest.raises(MappingError) as caught:
        load_mapping(path)

    assert str(caught.value) == (
        f"{path}: the mapping can't be read: no such file or directory\n  hint: check the name   [unreadable-mapping]"
    )


def test_a_mapping_in_another_encoding_is_told_with_its_place(tmp_path: Path) -> None:
    path = tmp_path / "m.yaml"
    path.write_bytes(contact("contact.name: Imię").encode("cp1250"))

    with pytest.raises(MappingError) as caught:
        load_mapping(path)

    assert str(caught.value) == f"{path}:7:24: the mapping is not in UTF-8\n  hint: save it as UTF-8   [not-utf-8]"


def test_a_byte_order_mark_is_no_part_of_the_mapping(tmp_path: Path) -> None:
    path = tmp_path / "m.yaml"
    path.write_bytes(b"\xef\xbb\xbf" + contact().encode())

    assert load_mapping(path).name == "n"


def _is_mapping_or_refused(text: str) -> bool:
    try:
        return isinstance(parse_mapping(text, "m.yaml", Path()), Mapping)
    except MappingError as error:
        return bool(str(error)) and all(problem.message for problem in error.problems)


@given(st.text(max_size=60))
def test_any_text_ends_in_a_mapping_or_in_its_problems(text: str) -> None:
    assert _is_mapping_or_refused(text)


_KEYS = st.sampled_from(
    ["version", "name", "records", "source", "checks", "group_key", "examples", "action", "fields", "when", "key", "as",
     "attributes", "column", "template", "value", "all", "columns", "columns_like", "transform", "default", "blank",
     "file",
     "contact.email", "properties", "properties.a", "tags", "split", "map", "row", "gives", "issue", "?", "too-long"]
)  # fmt: skip
_WORDS = st.sampled_from(
    [
        "1",
        "a",
        "contact.upsert",
        "event.create",
        "lower",
        "split",
        "{a}",
        "{",
        "~",
        "a == 'b'",
        "true",
        "error",
        "x*",
        "''",
    ]
)
_TREES = st.recursive(
    _WORDS,
    lambda inner: (
        st.lists(inner, max_size=3).map(lambda items: f"[{', '.join(items)}]")
        | st.dictionaries(_KEYS, inner, max_size=4).map(
            lambda table: "{" + ", ".join(f"{key}: {value}" for key, value in table.items()) + "}"
        )
    ),
    max_leaves=20,
)


@settings(max_examples=300, deadline=None)
@given(st.dictionaries(_KEYS, _TREES, max_size=6), _TREES, _TREES)
def test_any_tree_of_the_language_s_words_ends_in_a_mapping_or_in_its_problems(
    top: dict[str, str], record_tree: str, spec: str
) -> None:
    text = "".join(f"{key}: {value}\n" for key, value in top.items())

    assert _is_mapping_or_refused(text)
    assert _is_mapping_or_refused(f"version: 1\nname: n\nrecords: [{record_tree}]\n")
    assert _is_mapping_or_refused(contact(f"contact.name: {spec}", f"tags: {spec}", f"properties: {spec}"))


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_a_mapping_with_a_piece_cut_out_or_put_in_ends_in_a_mapping_or_in_its_problems(data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(DESIGN)))
    end = data.draw(st.integers(start, min(len(DESIGN), start + 30)))
    piece = data.draw(
        st.sampled_from(["", ":", "{", "]", "&a ", "*a", "!!x ", "\n", "- ", "'", '"\\UFFFFFFFF"', "%YAML 9.9"])
    )

    assert _is_mapping_or_refused(DESIGN[:start] + piece + DESIGN[end:])
