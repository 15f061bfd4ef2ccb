from etl.errors import Problem
from etl.mapping import bind, check_wire, dynamic_clashes
from tests.mapping.written import contact, read

HINT = 'send it to a target with wire = "envelope", or remove it'


def test_group_key_and_attributes_are_refused_with_fields() -> None:
    text = contact() + "    attributes: {epost: A}\ngroup_key: Market\n"

    found = check_wire(read(text), "fields", has_group_key_setting=False)

    assert found.problems == (
        Problem("a group_key can't be sent in the wire form fields", "wire-form", 8, 1, HINT),
        Problem("the attribute 'epost' can't be sent in the wire form fields", "wire-form", 7, 18, HINT),
    )


def test_as_is_noted_and_ignored_with_fields() -> None:
    found = check_wire(read(contact("contact.name: {column: A, as: namn}")), "fields", has_group_key_setting=False)

    assert found.problems == ()
    assert found.notes == ("line 7: as: namn is ignored; in the wire form fields 'contact.name' keeps its name",)


def test_the_envelope_needs_a_group_key() -> None:
    found = check_wire(read(contact()), "envelope", has_group_key_setting=False)

    hint = "add group_key to the target in etl.toml, or to the mapping"
    assert found.problems == (Problem("the wire form envelope needs a group key", "wire-form", hint=hint),)
    assert check_wire(read(contact()), "envelope", has_group_key_setting=True).problems == ()


def test_names_that_meet_when_flattened_are_refused_with_the_envelope_alone() -> None:
    mapping = read(contact("contact.name: A", "properties.name: B"))

    found = check_wire(mapping, "envelope", has_group_key_setting=True)

    message, hint = (
        "'contact.name' and 'properties.name' both go out as 'name'",
        "give one of them another name with as:",
    )
    assert found.problems == (Problem(message, "name-clash", 8, 7, hint),)
    assert check_wire(mapping, "fields", has_group_key_setting=False).problems == ()


def test_dynamic_keys_of_the_header_meet_other_names_too() -> None:
    mapping = read(contact("contact.name: A", 'properties: {columns_like: "n*"}'))

    found = dynamic_clashes(mapping, bind(mapping, ("E-mail", "A", "name"), "x.csv"))

    message = "'contact.name' and 'properties' both go out as 'name'"
    assert found == (
        Problem(message, "name-clash", 8, 7, "rename the column, or give the other another name with as:"),
    )
