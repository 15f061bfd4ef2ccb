"""Every message of loading, whole: place, text, hint and code."""

import pytest

from tests.mapping.written import contact, event, record, told

FORM = [
    pytest.param(
        contact("contact.name: {colum: Name}"),
        "m.yaml:7:22: unknown key 'colum'\n  hint: did you mean 'column'?   [unknown-key]",
        id="an-unknown-key-of-a-spec",
    ),
    pytest.param(
        record("wen: x"),
        "m.yaml:7:5: unknown key 'wen'\n  hint: did you mean 'when'?   [unknown-key]",
        id="an-unknown-key-of-a-record",
    ),
    pytest.param(
        contact("contact.name: {column: Name, required: yes}"),
        "m.yaml:7:46: 'required': true or false is expected here, not 'yes'\n  hint: write true   [wrong-value]",
        id="a-flag-in-other-words",
    ),
    pytest.param(
        contact("contact.name: {column: Name, blank: clean}"),
        "m.yaml:7:43: 'blank' must be skip, clear, default or error, not 'clean'\n"
        "  hint: did you mean 'clear'?   [wrong-value]",
        id="a-word-that-is-not-listed",
    ),
    pytest.param(
        contact("contact.name: {template: [a]}"),
        "m.yaml:7:32: 'template': text is expected here, not a list   [wrong-value]",
        id="a-list-where-text-is-due",
    ),
    pytest.param(
        contact('contact.name: ""'),
        "m.yaml:7:21: 'column': a name is expected here, not a blank   [wrong-value]",
        id="a-column-without-a-name",
    ),
    pytest.param(
        contact("contact.name: [Name, Name]"),
        "m.yaml:7:28: 'column': 'Name' is named twice\n  hint: keep one of them   [wrong-value]",
        id="an-alternative-given-twice",
    ),
    pytest.param(
        contact("contact.name: []"),
        "m.yaml:7:21: 'column': an empty list\n  hint: write a name, or remove the line   [wrong-value]",
        id="an-empty-list-of-columns",
    ),
    pytest.param(
        contact("contact.name:"),
        "m.yaml:7:7: 'contact.name' has no value\n"
        '  hint: write it, or remove the line; blank text is ""   [null-value]',
        id="a-key-without-a-value",
    ),
    pytest.param(
        contact("contact.name: {column: Name, transform: [{truncate: ~}]}"),
        "m.yaml:7:59: '~' is YAML's word for nothing\n"
        '  hint: write "~" in quotes if the text is meant   [null-value]',
        id="a-null-argument",
    ),
    pytest.param(
        contact("contact.name: A", "contact.name: B"),
        "m.yaml:8:7: 'contact.name' is given twice, first in line 7\n  hint: keep one of them   [duplicate-key]",
        id="a-duplicate-key",
    ),
    pytest.param(
        contact("contact.name: &a Name"),
        "m.yaml:7:21: an anchor, &a\n  hint: remove it; values are written out   [yaml-anchor]",
        id="an-anchor",
    ),
    pytest.param(
        contact("contact.name: &a Name", "contact.fax: *a"),
        "m.yaml:7:21: an anchor, &a\n"
        "  hint: remove it; values are written out   [yaml-anchor]\n"
        "m.yaml:8:20: an alias, *a\n"
        "  hint: write the value out   [yaml-anchor]",
        id="an-alias",
    ),
    pytest.param(
        contact("contact.name: !!str Name"),
        "m.yaml:7:21: a tag, !!str\n  hint: remove it; every value is text here   [yaml-tag]",
        id="a-tag",
    ),
    pytest.param(
        contact("? [a]", ": b"),
        "m.yaml:7:9: a key that is not text\n  hint: write text before the colon   [yaml-key]",
        id="a-key-that-is-a-list",
    ),
]


@pytest.mark.parametrize(("text", "message"), FORM)
def test_a_mistake_in_the_form_is_told_with_its_place_and_a_hint(text: str, message: str) -> None:
    assert told(text) == message


FIELDS = [
    pytest.param(
        contact("contact.nmae: Name"),
        "m.yaml:7:7: contact.upsert has no field 'contact.nmae'\n"
        "  hint: did you mean 'contact.name'?   [unknown-field]",
        id="an-unknown-field",
    ),
    pytest.param(
        contact("city: City"),
        "m.yaml:7:7: contact.upsert has no field 'city'\n"
        "  hint: did you mean 'contact.address.city'?   [unknown-field]",
        id="a-bare-name",
    ),
    pytest.param(
        contact("zzz: City"),
        "m.yaml:7:7: contact.upsert has no field 'zzz'\n"
        '  hint: "etl fields contact.upsert" lists its fields   [unknown-field]',
        id="an-unknown-field-near-nothing",
    ),
    pytest.param(
        contact("contact: {name: Name}"),
        "m.yaml:7:7: 'contact' is no field, but the start of some\n"
        "  hint: write the dotted path, one line a field: contact.name: Column   [nested-field]",
        id="a-nested-mapping",
    ),
    pytest.param(
        contact("properties: {shoe_size: Shoe size}"),
        "m.yaml:7:20: 'shoe_size' is nested below 'properties'\n"
        "  hint: write properties.shoe_size: Shoe size   [nested-field]",
        id="a-nested-dynamic",
    ),
    pytest.param(
        contact("properties.: Shop"),
        "m.yaml:7:7: contact.upsert has no field 'properties.'\n  hint: write properties.KEY   [unknown-field]",
        id="a-dynamic-key-without-a-name",
    ),
    pytest.param(
        contact("properties: Shop"),
        "m.yaml:7:19: 'properties' holds many values, each under a key of its own\n"
        "  hint: write properties.KEY: Shop, or properties: {columns: {Shop: key}}   [wrong-source]",
        id="a-dynamic-field-by-a-column",
    ),
    pytest.param(
        contact("propertes.shop: Shop"),
        "m.yaml:7:7: contact.upsert has no field 'propertes.shop'\n"
        "  hint: did you mean 'properties.shop'?   [unknown-field]",
        id="a-mistyped-dynamic-field",
    ),
    pytest.param(
        contact("contact.name: {columns: [A]}"),
        "m.yaml:7:31: 'columns' serves properties and dictionaryProperties alone\n"
        "  hint: name one column, or put them into a template   [wrong-source]",
        id="columns-for-a-text",
    ),
    pytest.param(
        contact('contact.name: "{First} {Last}"'),
        "m.yaml:7:21: '{First} {Last}' has braces, and a lone text is a column's name\n"
        '  hint: write {template: "{First} {Last}"}; a column that is really called so: {column: "{First} {Last}"}   [braces-in-column]',
        id="a-lone-text-with-braces",
    ),
    pytest.param(
        contact("contact.name: {required: true}"),
        "m.yaml:7:7: 'contact.name' has no source\n  hint: name a column, a template, a value, or all   [no-source]",
        id="no-source",
    ),
    pytest.param(
        contact("contact.name: {column: A, value: b}"),
        "m.yaml:7:33: column and value are two sources\n  hint: keep one of them   [two-sources]",
        id="two-sources",
    ),
    pytest.param(
        contact('contact.name: {column: A, value: b, template: "{c}"}'),
        "m.yaml:7:43: column, template and value are several sources\n  hint: keep one of them   [two-sources]",
        id="three-sources",
    ),
    pytest.param(
        contact("properties.age: A", "properties: {columns: {B: age}}"),
        "m.yaml:8:7: 'properties.age' is given twice, by a line of its own and by the column 'B'\n"
        "  hint: keep one of them   [key-twice]",
        id="the-same-key-twice",
    ),
    pytest.param(
        contact("properties: {columns: {A: age, B: age}}"),
        "m.yaml:7:41: the key 'age' is given twice\n  hint: give each column a key of its own   [key-twice]",
        id="the-same-key-of-two-columns",
    ),
    pytest.param(
        contact("properties: {columns_like: dict_}"),
        "m.yaml:7:34: the pattern 'dict_' has no star\n"
        "  hint: write columns: [dict_], or a star where names differ   [pattern]",
        id="a-pattern-without-a-star",
    ),
    pytest.param(
        contact('properties: {columns_like: "*_*", keys: "*"}'),
        "m.yaml:7:34: the pattern '*_*' has 2 stars\n"
        "  hint: one star alone can be the key; leave out keys to take the whole header   [pattern]",
        id="two-stars-and-one-key",
    ),
    pytest.param(
        contact('properties: {columns: [A], keys: "*"}'),
        "m.yaml:7:34: 'keys' without 'columns_like'\n  hint: keys belongs to columns_like   [misplaced-key]",
        id="keys-without-a-pattern",
    ),
    pytest.param(
        contact("contact.name: {column: A, blank_parts: any}"),
        "m.yaml:7:33: 'blank_parts' without 'template'\n  hint: blank_parts belongs to template   [misplaced-key]",
        id="blank-parts-without-a-template",
    ),
    pytest.param(
        contact("properties: {columns: A}"),
        "m.yaml:7:29: 'columns' must be a list or a table, not 'A'\n  hint: write [A]   [wrong-form]",
        id="columns-as-text",
    ),
    pytest.param(
        contact("properties: {columns: {A: {b: c}}}"),
        "m.yaml:7:33: a key is expected here, not a table of keys\n  hint: write {Column name: key}   [wrong-value]",
        id="a-key-that-is-a-table",
    ),
    pytest.param(
        contact("tags: {all: [A, {all: [B]}]}"),
        "m.yaml:7:24: 'all' inside 'all'\n  hint: put its parts into the outer list   [wrong-source]",
        id="all-inside-all",
    ),
    pytest.param(
        contact("tags: {all: [A, {column: B, required: true}]}"),
        "m.yaml:7:35: 'required' can't stand here\n"
        "  hint: it belongs beside 'all', for the field as a whole   [misplaced-key]",
        id="a-rule-inside-all",
    ),
    pytest.param(
        contact('contact.name: {template: "a {B"}'),
        "m.yaml:7:35: '{' without '}'\n  hint: close the column's name with }   [template]",
        id="an-open-brace",
    ),
    pytest.param(
        contact('contact.name: {template: "a} {B}"}'),
        "m.yaml:7:34: '}' without '{'\n  hint: write }} for a brace that is text   [template]",
        id="a-closing-brace",
    ),
    pytest.param(
        contact('contact.name: {template: "a"}'),
        'm.yaml:7:32: the template names no column\n  hint: write {value: "a"}   [template]',
        id="a-template-without-columns",
    ),
    pytest.param(
        contact('contact.name: {value: ""}'),
        "m.yaml:7:29: 'value' is blank\n"
        "  hint: write the text; to clear the field in every row add blank: clear   [blank-value]",
        id="a-blank-value",
    ),
]


@pytest.mark.parametrize(("text", "message"), FIELDS)
def test_a_mistake_in_fields_is_told_with_its_place_and_a_hint(text: str, message: str) -> None:
    assert told(text) == message


RULES = [
    pytest.param(
        contact("contact.name: {column: A, required: true, blank: skip}"),
        "m.yaml:7:49: required: true and blank: skip contradict each other\n  hint: keep one of them   [contradiction]",
        id="required-and-skip",
    ),
    pytest.param(
        contact("contact.name: {column: A, required: false, blank: error}"),
        "m.yaml:7:50: required: false and blank: error contradict each other\n"
        "  hint: keep one of them   [contradiction]",
        id="not-required-and-error",
    ),
    pytest.param(
        contact("contact.name: {column: A, default: x, blank: skip}"),
        "m.yaml:7:33: default and blank: skip contradict each other\n  hint: keep one of them   [contradiction]",
        id="default-and-skip",
    ),
    pytest.param(
        contact("contact.name: {column: A, default: x, required: true}"),
        "m.yaml:7:33: default and required: true contradict each other\n  hint: keep one of them   [contradiction]",
        id="default-and-required",
    ),
    pytest.param(
        contact("contact.name: {column: A, blank: default}"),
        "m.yaml:7:33: blank: default without a default\n  hint: add default: ...   [contradiction]",
        id="blank-default-without-one",
    ),
    pytest.param(
        contact('contact.name: {column: A, default: " "}'),
        "m.yaml:7:33: the default is blank\n  hint: write the text, or use blank: clear   [contradiction]",
        id="a-blank-default",
    ),
    pytest.param(
        contact("newEmail: {column: A, blank: clear}"),
        "m.yaml:7:29: 'newEmail' is an e-mail address and can't be cleared\n"
        "  hint: use skip, default or error   [not-clearable]",
        id="clear-an-address",
    ),
    pytest.param(
        event("value: {column: A, blank: clear}"),
        "m.yaml:6:26: 'value' is a number and can't be cleared\n  hint: use skip, default or error   [not-clearable]",
        id="clear-a-number",
    ),
    pytest.param(
        event("contactExtEventType: {column: A, blank: clear}"),
        "m.yaml:6:40: 'contactExtEventType' is an enumeration and can't be cleared\n"
        "  hint: use skip, default or error   [not-clearable]",
        id="clear-an-enumeration",
    ),
    pytest.param(
        event("externalId: {column: A, blank: clear}"),
        "m.yaml:6:31: 'externalId' is a key, and a key can't be cleared\n"
        "  hint: use skip, default or error   [not-clearable]",
        id="clear-the-default-key",
    ),
    pytest.param(
        contact("properties: {columns: [A], as: x}"),
        "m.yaml:7:34: 'as' can't stand here\n"
        "  hint: its keys are the outgoing names; write properties.KEY to give one of them another   [misplaced-key]",
        id="as-for-many",
    ),
    pytest.param(
        contact("newEmail: {column: A, default: anna@}"),
        "m.yaml:7:38: 'anna@' is not an e-mail address\n"
        "  hint: There must be something after the @-sign   [wrong-constant]",
        id="a-default-that-is-no-address",
    ),
    pytest.param(
        event("contactExtEventType: {value: purchase}"),
        "m.yaml:6:36: 'purchase' is not a value of contactExtEventType\n"
        "  hint: did you mean 'PURCHASE'?   [wrong-constant]",
        id="a-value-that-is-not-listed",
    ),
    pytest.param(
        event('value: {constant: "1,5"}'),
        "m.yaml:6:25: '1,5' is not a number, and value takes one\n"
        "  hint: write digits and one point: 12.50   [wrong-constant]",
        id="a-constant-that-is-no-number",
    ),
    pytest.param(
        contact("contact.name: {column: A, as: x}", "contact.fax: {column: B, as: x}"),
        "m.yaml:8:7: 'contact.name' and 'contact.fax' both go out as 'x'\n"
        "  hint: give one of them another name with as:   [name-clash]",
        id="two-outgoing-names",
    ),
]


@pytest.mark.parametrize(("text", "message"), RULES)
def test_a_mistake_in_rules_is_told_with_its_place_and_a_hint(text: str, message: str) -> None:
    assert told(text) == message


TRANSFORMS = [
    pytest.param(
        contact("contact.name: {column: A, transform: [strip, lowr]}"),
        "m.yaml:7:52: unknown transform 'lowr'\n"
        "  hint: did you mean 'lower'? \"etl transforms\" lists all of them   [unknown-transform]",
        id="an-unknown-transform",
    ),
    pytest.param(
        contact("contact.name: {column: A, transform: {phne: PL}}"),
        "m.yaml:7:45: unknown transform 'phne'\n"
        "  hint: did you mean 'phone'? \"etl transforms\" lists all of them   [unknown-transform]",
        id="an-unknown-transform-with-arguments",
    ),
    pytest.param(
        contact("contact.name: {column: A, transform: {truncate: x}}"),
        "m.yaml:7:55: `truncate`, argument 'length': expected a whole number from 1 on, not 'x'\n"
        '  hint: "etl transforms truncate" shows its arguments   [transform-argument]',
        id="a-wrong-argument",
    ),
    pytest.param(
        contact("contact.name: {column: A, transform: [truncate]}"),
        "m.yaml:7:45: `truncate` needs the argument 'length': a whole number from 1 on\n"
        '  hint: "etl transforms truncate" shows its arguments   [transform-argument]',
        id="a-missing-argument",
    ),
    pytest.param(
        contact("contact.name: {column: A, transform: {truncate: 3, phone: PL}}"),
        "m.yaml:7:44: a transform is a name or one name with its arguments, not 2 keys\n"
        "  hint: write - {replace: {old: a, new: b}}   [wrong-form]",
        id="two-names-in-one",
    ),
    pytest.param(
        contact('contact.name: {column: A, transform: {split: ";"}}'),
        "m.yaml:7:44: 'contact.name' takes one text, and this gives a list\n"
        "  hint: end with join (one text of all items) or take (one item)   [list-for-text]",
        id="a-list-for-a-text",
    ),
    pytest.param(
        contact("contact.name: {all: [A, B]}"),
        "m.yaml:7:27: 'contact.name' takes one text, and this gives a list\n"
        "  hint: end with join (one text of all items) or take (one item)   [list-for-text]",
        id="all-for-a-text",
    ),
    pytest.param(
        contact('tags: {column: A, transform: [{split: ";"}, {split: ","}]}'),
        "m.yaml:7:51: 'split' works on one text, and gets a list\n  hint: split once alone   [list-for-text]",
        id="split-twice",
    ),
    pytest.param(
        contact('contact.name: {column: A, transform: [{join: ","}]}'),
        "m.yaml:7:45: 'join' works on a list, and gets one text\n"
        "  hint: put split before it, or join columns with all: [..]   [text-for-list]",
        id="join-of-a-text",
    ),
    pytest.param(
        contact("contact.name: {column: A, transform: []}"),
        "m.yaml:7:44: 'transform' is an empty list\n  hint: name a transform, or remove the line   [wrong-value]",
        id="an-empty-list-of-transforms",
    ),
]


@pytest.mark.parametrize(("text", "message"), TRANSFORMS)
def test_a_mistake_in_transforms_is_told_with_its_place_and_a_hint(text: str, message: str) -> None:
    assert told(text) == message


RECORDS = [
    pytest.param(
        record('when: "Consent = 1"'),
        "m.yaml:7:20: '=' is no sign here\n  hint: write ==   [condition]",
        id="a-condition",
    ),
    pytest.param(
        record("when: Consent == yes AND b == 'c'"),
        "m.yaml:7:26: and, or, or the end is expected here, not 'AND'\n"
        "  hint: write and in small letters   [condition]",
        id="a-plain-condition",
    ),
    pytest.param(
        record("key: [contact.email, contact.nam]"),
        "m.yaml:7:26: the key 'contact.nam' is not mapped\n  hint: did you mean 'contact.email'?   [unmapped-key]",
        id="a-key-that-is-not-mapped",
    ),
    pytest.param(
        record("key: email"),
        "m.yaml:7:10: the key 'email' is not mapped\n  hint: did you mean 'contact.email'?   [unmapped-key]",
        id="a-bare-key",
    ),
    pytest.param(
        record("duplicates: lst"),
        "m.yaml:7:17: 'duplicates' must be last, first, all or error, not 'lst'\n"
        "  hint: did you mean 'last'?   [wrong-value]",
        id="duplicates",
    ),
    pytest.param(
        record("checks: {too-lon: warning}"),
        "m.yaml:7:14: unknown check 'too-lon'\n  hint: did you mean 'too-long'?   [unknown-check]",
        id="an-unknown-check",
    ),
    pytest.param(
        record("checks: {required: warning}"),
        "m.yaml:7:24: 'required' can't be turned into a warning\n  hint: remove the line   [fixed-check]",
        id="a-fixed-check",
    ),
    pytest.param(
        record("checks: {too-long: eror}"),
        "m.yaml:7:24: 'too-long' must be error or warning, not 'eror'\n  hint: did you mean 'error'?   [wrong-value]",
        id="a-check-that-is-no-severity",
    ),
    pytest.param(
        record("checks: {too-long: []}"),
        "m.yaml:7:24: 'too-long' must be error or warning, not a list   [wrong-value]",
        id="a-check-that-is-a-list",
    ),
    pytest.param(
        record("attributes: {email: A}"),
        "m.yaml:7:18: 'contact.email' and 'attributes.email' both go out as 'email'\n"
        "  hint: give one of them another name with as:   [name-clash]",
        id="an-attribute-that-clashes",
    ),
    pytest.param(
        record("attributes: {epost: {column: A, as: x}}"),
        "m.yaml:7:37: 'as' can't stand here\n  hint: the name on the left is the outgoing name   [misplaced-key]",
        id="as-of-an-attribute",
    ),
]


@pytest.mark.parametrize(("text", "message"), RECORDS)
def test_a_mistake_in_records_is_told_with_its_place_and_a_hint(text: str, message: str) -> None:
    assert told(text) == message
