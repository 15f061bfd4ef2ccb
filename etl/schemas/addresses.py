"""E-mail syntax: a fast filter over whole columns, and the library's word on what it leaves.

The filter accepts a strict subset of what email-validator accepts, so that the two never disagree (tested). Sources:
RFC 5321 as email-validator reads it; lengths from the vendor's API reference.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from email_validator import EmailNotValidError, validate_email

from etl.contract import EMAIL_LOCAL_MAX, EMAIL_MAX
from etl.records import Mask

_ATOM = r"[A-Za-z0-9_+-]{1,40}"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9]{0,30}[A-Za-z0-9])?"
_TOP = "com|org|net|pl|de|se|eu|io|info|fr|es|it|cz|at|ch|nl|uk"
PLAIN = rf"^{_ATOM}(?:\.{_ATOM})?@(?:{_LABEL}\.)?{_LABEL}\.(?:{_TOP})\z"
"""Addresses that need no second look: short ASCII local part, plain labels, a well-known top-level domain."""

_TYPOS = {
    "gmial.com": "gmail.com",
    "gmai.com": "gmail.com",
    "gmail.con": "gmail.com",
    "gmail.co": "gmail.com",
    "gnail.com": "gmail.com",
    "hotmial.com": "hotmail.com",
    "hotmail.con": "hotmail.com",
    "yahoo.con": "yahoo.com",
    "yaho.com": "yahoo.com",
    "outlok.com": "outlook.com",
    "outlook.con": "outlook.com",
    "wp.p": "wp.pl",
    "wp.pll": "wp.pl",
    "o2.p": "o2.pl",
    "onet.p": "onet.pl",
    "interia.p": "interia.pl",
}
"""Mistyped domains of the large mail providers, and what was meant; a warning only."""


def is_email(values: pa.Array) -> Mask:
    """Return, for each address (string, no nulls), whether its syntax is right; lengths are judged elsewhere."""
    good = np.array(pc.match_substring_regex(values, PLAIN))
    for place in np.flatnonzero(~good):
        good[place] = not why_not_email(values[int(place)].as_py())
    return good


@lru_cache(maxsize=65_536)
def why_not_email(value: str) -> str:
    """Return what is wrong with the address's syntax, "" if nothing."""
    try:
        validate_email(value, check_deliverability=False, strict=False)
    except EmailNotValidError as error:
        if is_too_long(value):
            return ""
        if value != value.strip():
            return "there is a space before or after it, which the `strip` and `email` transforms take off"
        told = str(error).rstrip(".").replace("\n", " ")
        return told[:1].lower() + told[1:]
    return ""


def is_too_long(value: str) -> bool:
    """Return whether the address is longer than the vendor's limits (64 before the @, 254 in all)."""
    local, at, domain = value.rpartition("@")
    shaped = bool(at and local and domain)
    return shaped and (len(value) > EMAIL_MAX or len(local) > EMAIL_LOCAL_MAX)


def length_fits(values: pa.Array) -> Mask:
    """Return, for each address, whether it is within the vendor's limits."""
    fits = np.array(pc.less_equal(pc.utf8_length(values), EMAIL_LOCAL_MAX))
    for place in np.flatnonzero(~fits):
        fits[place] = not is_too_long(values[int(place)].as_py())
    return fits


def looks_right(values: pa.Array) -> Mask:
    """Return, for each address, whether its domain is not one of the known slips of the finger."""
    domains = pc.utf8_lower(pc.replace_substring_regex(values, r"^.*@", ""))
    return ~np.asarray(pc.is_in(domains, value_set=pa.array(list(_TYPOS))))


def meant(value: str) -> str:
    """Return the address with its mistyped domain put right."""
    local, _, domain = value.rpartition("@")
    return f"{local}@{_TYPOS.get(domain.lower(), domain)}"
