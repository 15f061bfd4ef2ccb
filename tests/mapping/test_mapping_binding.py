import pickle

import pytest

from etl.errors import MappingError
from etl.mapping import bind, header_score
from etl.mapping.model import DynamicSource
from tests.mapping.written import DESIGN, contact, event, read, record


def refused(text: str, *header: str) -> str:
    with pytest.raises(MappingError) as caught:
        bind(read(text), header, "x.csv")
    return str(caught.value)


@pytest.mark.parametrize(
    ("name", "header", "position"),
    [
        pytest.param("E-mail", ("e mail", "E-mail"), 1, id="the-exact-name-first"),
        pytest.param("E-mail", ("x", "E MAIL"), 1, id="then-without-case-spaces-and-punctuation"),
        pytest.param("[Other, E-mail]", ("E-mail", "other"), 1, id="alternative-by-alternative"),
        pytest.param("'#'", ("x", "#"), 1, id="punctuation-alone-exactly"),
        pytest.param("STRASSE", ("Straße",), 0, id="in-any-script"),
    ],
)
def test_a_column_is_found(name: str, header: tuple[str, ...], position: int) -> None:
    mapping = read(contact().replace("contact.email: E-mail", f"contact.email: {name}"))

    assert bind(mapping, header, "x.csv").positions == (position,)


def test_a_binding_gives_positions_choices_and_dynamic_keys() -> None:
    mapping = read(contact('properties: {columns_like: "dict_*", keys: "*"}', "contact.name: [No, Name]"))

    binding = bind(mapping, ("E-mail", "dict_a", "Name", "dict_b", "rest"), "x.csv")

    source = mapping.records[0].fields[1].source
    assert isinstance(source, DynamicSource)
    assert binding.dynamic(source) == (("a", 1), ("b", 3))
    assert binding.choose(("No", "Name")) == 2
    assert (binding.position("E-mail"), binding.position("No")) == (0, None)
    assert binding.positions == (0, 1, 2, 3)
    assert pickle.loads(pickle.dumps(binding)) == binding


def test_a_column_that_is_named_is_left_alone_by_a_pattern() -> None:
    mapping = read(contact('properties: {columns: {A: first}, columns_like: "*"}', "contact.name: Name"))

    binding = bind(mapping, ("E-mail", "Name", "A", "B"), "x.csv")

    source = mapping.records[0].fields[1].source
    assert isinstance(source, DynamicSource)
    assert binding.dynamic(source) == (("first", 2), ("B", 3))


def test_a_pattern_without_a_match_is_a_warning() -> None:
    binding = bind(read(contact('properties: {columns_like: "dict_*"}')), ("E-mail",), "x.csv")

    assert binding.warnings == ("no column in x.csv is like 'dict_*' (properties)",)


def test_an_optional_column_may_be_missing() -> None:
    binding = bind(read(contact("contact.name: {column: Name, optional: true}")), ("E-mail",), "x.csv")

    assert binding.choose(("Name",)) is None


@pytest.mark.parametrize(
    ("text", "header", "message"),
    [
        pytest.param(
            contact("contact.name: Nmae", "contact.fax: [Faks, Fax]"),
            ("E-mail", "Name"),
            "m.yaml:7:21: column 'Nmae' is not in x.csv\n  hint: did you mean 'Name'?   [missing-column]\n"
            "m.yaml:8:20: none of the columns 'Faks' or 'Fax' is in x.csv\n"
            "  hint: its columns are E-mail, Name   [missing-column]",
            id="all-missing-at-once",
        ),
        pytest.param(
            contact(),
            ("E-mail", "x", "E-mail"),
            "m.yaml:6:22: column 'E-mail' is there twice in x.csv: 'E-mail' (A) and 'E-mail' (C)\n"
            "  hint: rename one of them in the file, or write the exact name in the mapping   [ambiguous-column]",
            id="a-header-twice",
        ),
        pytest.param(
            contact(),
            ("e mail", "EMAIL"),
            "m.yaml:6:22: column 'E-mail' is there twice in x.csv: 'e mail' (A) and 'EMAIL' (B)\n"
            "  hint: rename one of them in the file, or write the exact name in the mapping   [ambiguous-column]",
            id="two-matches",
        ),
        pytest.param(
            event("contactExtEventType: PURCHASE"),
            ("Total",),
            "m.yaml:6:28: column 'PURCHASE' is not in x.csv\n"
            "  hint: write {value: PURCHASE} if the text itself is meant   [missing-column]",
            id="a-value-of-the-enumeration",
        ),
        pytest.param(
            contact('contact.name: {column: "{First} {Last}"}'),
            ("E-mail",),
            "m.yaml:7:30: column '{First} {Last}' is not in x.csv\n"
            '  hint: write {template: "{First} {Last}"} if a template is meant   [missing-column]',
            id="braces",
        ),
        pytest.param(
            record("when: Consent == yes"),
            ("E-mail", "Consent"),
            "m.yaml:7:11: column 'yes' is not in x.csv\n"
            "  hint: text stands in quotes in a condition: 'yes'   [missing-column]",
            id="a-bare-word-in-a-condition",
        ),
        pytest.param(
            contact('properties: {columns_like: "a*", keys: "*"}', "properties.x: B"),
            ("E-mail", "ax", "B"),
            "m.yaml:7:34: 'properties.x' is given twice in x.csv, by the column 'ax' (B) and by a line of its own\n"
            "  hint: keep one of them   [key-twice]",
            id="a-dynamic-key-that-clashes",
        ),
        pytest.param(
            contact('properties: {columns_like: ["a*", "b*"], keys: "*"}'),
            ("E-mail", "ax", "bx"),
            "m.yaml:7:34: 'ax' (B) and 'bx' (C) in x.csv both give 'properties.x'\n"
            "  hint: rename one of them, or name the columns one by one   [key-twice]",
            id="two-columns-of-one-key",
        ),
    ],
)
def test_a_header_that_does_not_fit_is_told(text: str, header: tuple[str, ...], message: str) -> None:
    assert refused(text, *header) == message


def test_the_header_row_scores_highest() -> None:
    score = pickle.loads(pickle.dumps(header_score(read(DESIGN))))

    assert score(["Newsletter contacts", "", ""]) == 0
    assert score(["e-mail", "First name", "dict_a", "x"]) == 3
