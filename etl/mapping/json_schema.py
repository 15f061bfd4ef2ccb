"""The mapping language as a JSON Schema (draft 2020-12), for editors: completion, descriptions, mistakes underlined.

Derived from the models of `syntax`, the contract, the catalogue of transforms and the codes. It knows the form; what
only loading can tell (columns, chains, contradictions) is not in it.
"""

from __future__ import annotations

from typing import Any

import etl.transforms  # noqa: F401  the catalogue is filled by importing the shelf
from etl.codes import CODES
from etl.contract import ACTIONS, Action, Field, FieldType
from etl.mapping.syntax import WrittenMapping
from etl.transforms.registry import CATALOGUE, Transform

Schema = dict[str, Any]

_SCALAR: Schema = {"type": ["string", "number", "boolean"]}


def json_schema() -> Schema:
    """Return the schema, made of plain dicts and lists, the same at every call."""
    schema = _without_nulls(WrittenMapping.model_json_schema(by_alias=True))
    definitions = schema["$defs"]
    schema["required"] = ["version", "name", "records"]
    schema["properties"]["records"]["minItems"] = 1
    schema["properties"]["checks"] = _checks()
    _sharpen_record(definitions["WrittenRecord"])
    _sharpen_spec(definitions["WrittenSpec"])
    _sharpen_example(definitions["WrittenExample"])
    definitions["Transform"] = _transforms()
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **schema,
        "title": "A mapping of salesmanago-etl",
        "description": "Which column of a spreadsheet feeds which field.",
    }


def _sharpen_record(record: Schema) -> None:
    record["required"] = ["action", "fields"]
    properties = record["properties"]
    properties["action"] = {
        "description": "what each row becomes",
        "oneOf": [{"const": action.name, "description": action.description} for action in ACTIONS.values()],
    }
    properties["checks"] = _checks()
    properties["fields"] = {"type": "object", "description": "field: what feeds it", "minProperties": 1}
    record["allOf"] = [
        {
            "if": {"properties": {"action": {"const": action.name}}, "required": ["action"]},
            "then": {"properties": {"fields": _fields(action)}},
        }
        for action in ACTIONS.values()
    ]


def _fields(action: Action) -> Schema:
    dynamic = "|".join(field.path for field in action.fields if field.type is FieldType.DYNAMIC)
    fields: Schema = {
        "properties": {field.path: _field(field) for field in action.fields},
        "required": [field.path for field in action.fields if field.required],
        "additionalProperties": False,
    }
    if dynamic:
        fields["patternProperties"] = {rf"^({dynamic})\..*\S": _spec("the value of a key of your own")}
    return fields


def _field(field: Field) -> Schema:
    values = f": {', '.join(field.values)}" if field.values else ""
    origin = "; an extension of later versions" if field.extension else ""
    described = f"{field.type}{values}. {field.description}{origin}"
    if field.type is FieldType.DYNAMIC:
        return {"description": described, "$ref": "#/$defs/WrittenSpec"}
    return _spec(described)


def _spec(description: str) -> Schema:
    lists = {"type": "array", "items": _SCALAR, "minItems": 1}
    return {"description": description, "anyOf": [_SCALAR, lists, {"$ref": "#/$defs/WrittenSpec"}]}


def _sharpen_spec(spec: Schema) -> None:
    properties = spec["properties"]
    call: Schema = {"$ref": "#/$defs/Transform"}
    properties["transform"] = {
        "description": properties["transform"]["description"],
        "anyOf": [call, {"type": "array", "items": call, "minItems": 1}],
    }
    sources = ["column", "template", "value", "constant", "all"]
    many = {"anyOf": [{"required": ["columns"]}, {"required": ["columns_like"]}]}
    spec["oneOf"] = [*({"required": [source]} for source in sources), many]
    spec["dependentRequired"] = {"blank_parts": ["template"], "keys": ["columns_like"]}


def _sharpen_example(example: Schema) -> None:
    example["required"] = ["row"]
    example["properties"]["issue"] = {"enum": list(CODES), "description": "the code that the row must give"}
    example["oneOf"] = [{"required": [end]} for end in ("gives", "issue", "skipped")]


def _checks() -> Schema:
    codes = {
        code.name: {
            "description": code.message,
            "enum": ["error"] if code.fixed else ["error", "warning"],
        }
        for code in CODES.values()
    }
    return {
        "type": "object",
        "description": "turns errors into warnings and back",
        "properties": codes,
        "additionalProperties": False,
    }


def _transforms() -> Schema:
    names = [{"const": one.name, "description": one.summary} for one in CATALOGUE.values() if not _demands(one)]
    with_arguments = {
        "type": "object",
        "minProperties": 1,
        "maxProperties": 1,
        "properties": {one.name: _arguments(one) for one in CATALOGUE.values() if one.arguments},
        "additionalProperties": False,
    }
    return {"anyOf": [*names, with_arguments]}


def _demands(transform: Transform) -> bool:
    return any(argument.required for argument in transform.arguments)


def _arguments(transform: Transform) -> Schema:
    """Return the forms of a transform's arguments: its first one alone, or a table of them."""
    table = {
        "type": "object",
        "properties": {argument.name: {} for argument in transform.arguments},
        "required": [argument.name for argument in transform.arguments if argument.required],
        "additionalProperties": False,
    }
    return {"description": transform.summary, "anyOf": [_SCALAR, {"type": "array"}, table]}


def _without_nulls(schema: Any) -> Any:
    """Return a schema of pydantic's without the null of keys that may be absent, their defaults and titles."""
    if isinstance(schema, list):
        return [_without_nulls(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    plain = {key: _without_nulls(value) for key, value in schema.items() if not _is_noise(key, value)}
    choices = [choice for choice in plain.get("anyOf", ()) if choice != {"type": "null"}]
    if len(choices) == 1:
        del plain["anyOf"]
        return {**choices[0], **plain}
    return {**plain, "anyOf": choices} if choices else plain


def _is_noise(key: str, value: Any) -> bool:
    return (key == "title" and isinstance(value, str)) or (key == "default" and value is None)
