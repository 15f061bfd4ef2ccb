import json
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from ruamel.yaml import YAML

from etl.mapping import json_schema
from tests.mapping.written import DESIGN, contact, event, read, record

VALID = [
    pytest.param(DESIGN, id="the-design-s-example"),
    pytest.param(
        contact("tags: {all: [A, [B, C], {value: VIP}]}", "contact.fax: [Fax, Faks]"), id="all-and-alternatives"
    ),
    pytest.param(contact("contact.name: {column: A, transform: lower, blank: clear, as: namn}"), id="rules"),
    pytest.param(event("email: E-mail", "detail20: D", "value: {constant: 5}"), id="an-event"),
    pytest.param(record("missing: delete", "revive: true") + "only_changed: true\n", id="every-night"),
    pytest.param(record("checks: {too-long: error}", "key: [contact.email]", "attributes: {a: B}"), id="a-record"),
]
WRONG = [
    pytest.param(contact("contact.nmae: A"), id="an-unknown-field"),
    pytest.param(contact("contact.name: {colum: A}"), id="an-unknown-key"),
    pytest.param(contact("contact.name: {column: A, transform: lowr}"), id="an-unknown-transform"),
    pytest.param(contact("contact.name: {column: A, value: b}"), id="two-sources"),
    pytest.param(record("checks: {required: warning}"), id="a-fixed-check"),
    pytest.param(record("duplicates: lst"), id="an-unknown-policy"),
    pytest.param(record("missing: remove"), id="an-unknown-word-for-missing"),
    pytest.param(contact().replace("version: 1", "version: 2"), id="version-2"),
]


def _document(text: str) -> Any:
    return YAML(typ="safe", pure=True).load(text)


def test_the_schema_is_a_schema_and_the_same_at_every_call() -> None:
    Draft202012Validator.check_schema(json_schema())

    assert json.dumps(json_schema()) == json.dumps(json_schema())


@pytest.mark.parametrize("text", VALID)
def test_what_loads_is_valid(text: str) -> None:
    read(text)

    assert [error.message for error in Draft202012Validator(json_schema()).iter_errors(_document(text))] == []


@pytest.mark.parametrize("text", WRONG)
def test_what_is_wrong_in_its_form_is_not_valid(text: str) -> None:
    assert not Draft202012Validator(json_schema()).is_valid(_document(text))
