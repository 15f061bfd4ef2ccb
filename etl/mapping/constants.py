"""Whether a constant or a default of a mapping is a value that its field can have, as far as loading can tell."""

from __future__ import annotations

import re

from email_validator import EmailNotValidError, validate_email

from etl.contract import EMAIL_LOCAL_MAX, EMAIL_MAX, Field, FieldType
from etl.mapping.nearest import did_you_mean, listed

_FLOAT = re.compile(r"[+-]?[0-9]+(?:\.[0-9]+)?")
"""A plain decimal, the same that a cell of a Float field must hold."""


def why_refused(field: Field, text: str) -> tuple[str, str] | None:
    """Return what is wrong with `text` as a value of `field` and what to do, or None if it will do."""
    match field.type:
        case FieldType.ENUMERATION if text not in field.values:
            hint = did_you_mean(text, field.values, f"use {listed(field.values)}")
            return f"'{text}' is not a value of {field.path}", hint
        case FieldType.FLOAT if not _FLOAT.fullmatch(text):
            return f"'{text}' is not a number, and {field.path} takes one", "write digits and one point: 12.50"
        case FieldType.EMAIL:
            return _why_no_address(text)
    return None


def _why_no_address(text: str) -> tuple[str, str] | None:
    if len(text.rpartition("@")[0]) > EMAIL_LOCAL_MAX or len(text) > EMAIL_MAX:
        limits = f"at most {EMAIL_LOCAL_MAX} characters before the @, {EMAIL_MAX} in all"
        return f"'{text}' is too long for an e-mail address", limits
    try:
        validate_email(text, check_deliverability=False)
    except EmailNotValidError as error:
        return f"'{text}' is not an e-mail address", str(error).rstrip(".")
    return None
