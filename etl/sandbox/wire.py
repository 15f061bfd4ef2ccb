"""body → Record: what a request says, judged against the sandbox's own JSON Schemas.

The schemas (`schemas/*.json`) are written from the integration page and share nothing with `etl.contract`: if the two
ends shared their knowledge, they would agree about each other's mistakes. No other module knows the two wire forms.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any, Literal

import jsonschema_rs
import orjson

Wire = Literal["fields", "envelope", "either"]

ROUTES: dict[tuple[str, str], str] = {
    ("POST", "/contacts"): "contact.upsert",
    ("DELETE", "/contacts"): "contact.delete",
    ("POST", "/events"): "event.create",
}
ACTIONS = tuple(ROUTES.values())
MESSAGES_MAX = 20

CONTACT_FIELDS = ("fax", "name", "phone", "company", "streetAddress", "zipCode", "city", "country")
EVENT_FIELDS = (
    "description",
    "products",
    "location",
    "value",
    "contactExtEventType",
    "externalId",
    "shopDomain",
    *(f"detail{number}" for number in range(1, 21)),
)
_OWN_FIELDS = {
    "contact.upsert": frozenset({*CONTACT_FIELDS, "email", "newEmail", "tags"}),
    "contact.delete": frozenset({"email"}),
    "event.create": frozenset({*EVENT_FIELDS, "email"}),
}
_PLAIN_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_EMAIL = re.compile(r"[^@\s,;<>()\x00]{1,64}@[^@\s.,;<>()\x00]+(\.[^@\s.,;<>()\x00]+)+")


@dataclass(frozen=True, slots=True)
class Record:
    """What a request asks for, the same for both wire forms.

    `email`: as sent, "" for an event without one. `values`: the page's plain fields and `tags`, by their last name,
    those that were sent alone. `attributes`: the envelope's names that are no field of the page.
    """

    action: str
    email: str
    group_key: str = ""
    new_email: str = ""
    values: Mapping[str, Any] = field(default_factory=dict)
    properties: Mapping[str, str] = field(default_factory=dict)
    dictionary_properties: Mapping[str, str] = field(default_factory=dict)
    attributes: Mapping[str, Any] = field(default_factory=dict)


@cache
def schema(action: str, form: str) -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of an action in a wire form (`fields` or `envelope`)."""
    text = files("etl.sandbox").joinpath("schemas", f"{action}.{form}.json").read_bytes()
    loaded: dict[str, Any] = orjson.loads(text)
    return loaded


def form_of(body: object, wire: Wire) -> str:
    """Return the form to judge `body` by: the configured one, or, for `either`, the one that its top keys show."""
    if wire != "either":
        return wire
    return "envelope" if isinstance(body, dict) and ("data" in body or "group_key" in body) else "fields"


def faults(action: str, form: str, body: object) -> list[str]:
    """Return what is wrong with `body`, each with its JSON path and without its value; empty if nothing is."""
    validator = _validator(action, form)
    if validator.is_valid(body):
        return []
    found: list[str] = []
    for error in validator.iter_errors(body):
        found.extend(_messages(error))
        if len(found) >= MESSAGES_MAX:
            break
    return found[:MESSAGES_MAX]


def person(action: str, form: str, body: object, names: Mapping[str, str]) -> str:
    """Return the e-mail that names whom `body` is about, "" if none; `body` need not be valid.

    In an envelope this is `email`, or the attribute that `names` (attribute to field) calls so, or else the first text
    that looks like an address: customers choose the names, and an account's mapping is not always told to the sandbox.
    """
    if not isinstance(body, dict):
        return ""
    inner = (
        body.get({"envelope": "data"}.get(form, "contact"))
        if form == "envelope" or action == "contact.upsert"
        else body
    )
    if not isinstance(inner, dict):
        return ""
    email = inner.get("email")
    if form == "envelope" and email is None:
        email = _email_under_another_name(inner, names)
    return email if isinstance(email, str) else ""


def read(action: str, form: str, body: dict[str, Any], names: Mapping[str, str]) -> Record | list[str]:
    """Return the record that a valid `body` holds, or what is wrong with it beyond its schema."""
    email = person(action, form, body, names)
    if form == "envelope":
        return _read_envelope(action, email, body, names)
    if action == "contact.upsert":
        contact = {**body["contact"]}
        values = {**contact.pop("address", {}), **contact}
        del values["email"]
        if "tags" in body:
            values["tags"] = body["tags"]
        return Record(
            action,
            email,
            new_email=body.get("newEmail", ""),
            values=values,
            properties=body.get("properties", {}),
            dictionary_properties=body.get("dictionaryProperties", {}),
        )
    return Record(action, email, values={name: value for name, value in body.items() if name != "email"})


def _read_envelope(action: str, email: str, body: dict[str, Any], names: Mapping[str, str]) -> Record | list[str]:
    if not email and action != "event.create":
        return ["$.data: no attribute holds the contact's e-mail address"]
    if email and not _EMAIL.fullmatch(email):
        return ["$.data: the e-mail's attribute is not an e-mail address"]
    own = _OWN_FIELDS[action]
    values: dict[str, Any] = {}
    attributes: dict[str, Any] = {}
    for name, value in body["data"].items():
        field_name = names.get(name, name)
        target = values if field_name in own else attributes
        target[field_name] = value
    values.pop("email", None)
    new_email = values.pop("newEmail", "")
    return Record(action, email, body["group_key"], new_email, values, attributes=attributes)


def _email_under_another_name(attributes: dict[str, Any], names: Mapping[str, str]) -> object:
    for name, value in attributes.items():
        if names.get(name) == "email":
            return value
    for name, value in attributes.items():
        if name != "newEmail" and isinstance(value, str) and _EMAIL.fullmatch(value):
            return value
    return None


@cache
def _validator(action: str, form: str) -> jsonschema_rs.Draft202012Validator:
    return jsonschema_rs.Draft202012Validator(schema(action, form))


def _messages(error: jsonschema_rs.ValidationError) -> Iterator[str]:
    path, name, detail = json_path(error.instance_path), error.kind.name, error.kind.value
    if name == "additionalProperties":
        for key in detail:
            yield f"{json_path([*error.instance_path, key])}: no field of this name"
    elif name == "required":
        yield f"{json_path([*error.instance_path, detail])}: is missing"
    else:
        yield f"{path}: {_complaint(name, detail)}"


def _complaint(keyword: str, detail: Any) -> str:
    match keyword:
        case "type":
            return f"must be of type {' or '.join(sorted(detail))}"
        case "enum":
            return f"must be one of {', '.join(detail)}"
        case "pattern":
            return "is not an e-mail address"
        case "maxLength" | "minLength":
            return f"must have {'at most' if keyword == 'maxLength' else 'at least'} {detail} character(s)"
        case "minProperties":
            return "holds nothing"
        case "propertyNames":
            return "a key is empty"
    return f"breaks the rule {keyword}"


def json_path(parts: list[str | int]) -> str:
    """Return `$.contact.address.city`, `$.tags[0]`, `$.properties["shoe size"]`."""
    path = "$"
    for part in parts:
        if isinstance(part, int):
            path += f"[{part}]"
        elif _PLAIN_KEY.fullmatch(part):
            path += f".{part}"
        else:
            path += f"[{orjson.dumps(part).decode()}]"
    return path
