"""E-mail addresses in one spelling, and tags as SALESmanago stores them."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from email_validator import SPECIAL_USE_DOMAIN_NAMES, EmailNotValidError, validate_email

from etl.contract import EMAIL_LOCAL_MAX, EMAIL_MAX
from etl.records import Mask, text_series
from etl.transforms.columns import (
    EDGES,
    WHITE_SPACE,
    Failure,
    as_mask,
    by_unique,
    convert,
    spread,
    to_arrow,
)
from etl.transforms.folding import fold_accents
from etl.transforms.registry import Example, Outcome, transform

_ATOM = "[A-Za-z0-9_+'-]+"
_LABEL = "[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
# A strict subset of what email-validator accepts and leaves as it is, but for the domain's capitals (a test holds the
# two against each other): email-validator takes 24 µs a value, this a hundredth of that.
_PLAIN = rf"\A(?P<local>{_ATOM}(?:\.{_ATOM})*)@(?P<domain>(?:{_LABEL}\.)+[A-Za-z]{{2,63}})\z"
_NOT_PLAIN = r"--|\.(?i:" + "|".join(SPECIAL_USE_DOMAIN_NAMES) + r")\z"
_NAMED = re.compile(r"(?P<name>[^<>]*)<(?P<address>[^<>]*)>")


@transform(
    code="not-an-email",
    example=(
        Example({}, " Anna.Nowak@Example.COM ", "Anna.Nowak@example.com"),
        Example({"lower": "true"}, "Anna Nowak <Anna@Example.com>", "anna@example.com"),
        Example({}, "anna@żółw.pl", "anna@xn--w-uga1v8h.pl"),
    ),
)
def email(text: pd.Series[str], *, lower: bool = False) -> Outcome:
    """Write an e-mail address in one spelling: trimmed, its domain in small ASCII letters (IDN as punycode).

    `lower` makes the part before the @ small as well. `mailto:` and `Name <address>` are taken off. Fails with the
    reason; the part before the @ must be ASCII; domains that cannot receive mail (.test, .invalid) are refused,
    example.com is not. No look-up in the DNS.
    """
    trimmed = text_series(pc.utf8_trim(to_arrow(text), characters=EDGES), text.index)
    values, plain = _plain_addresses(trimmed)
    outcome = Outcome(values)
    if not plain.all():
        outcome = spread(convert(trimmed[~plain], _address), values, ~plain)
    if lower and isinstance(outcome.values, pd.Series):
        small = text_series(pc.utf8_lower(to_arrow(outcome.values)), text.index)
        outcome = Outcome(small, outcome.failed, outcome.detail, outcome.reasons)
    return outcome


def as_stored(tags: pd.Series[str]) -> pd.Series[str]:
    """Return each tag as SALESmanago stores it: capitals, accents folded, spaces and `! # $ & * " '` as `_`.

    White space at both ends is trimmed; a comma stays (it makes two tags there). Source: the vendor's support pages.
    """
    values = pc.utf8_trim(to_arrow(tags), characters=EDGES)
    simple = pc.replace_substring_regex(pc.ascii_upper(values), pattern=_FORBIDDEN_ASCII, replacement="_")
    others = pc.invert(pc.string_is_ascii(values))
    if not as_mask(others).any():
        return text_series(simple, tags.index)
    stored = by_unique(text_series(values.filter(others)), _stored)
    return text_series(pc.replace_with_mask(simple, others, to_arrow(stored)), tags.index)


@transform(
    example=(
        Example({}, "Łódź & okolice", "LODZ___OKOLICE"),
        Example({}, "Große Größe", "GROSSE_GROSSE"),
    )
)
def tag(text: pd.Series[str]) -> pd.Series[str]:
    """Write a tag as SALESmanago will store it: capitals, no accents, `_` for spaces and forbidden signs."""
    return as_stored(text)


_FORBIDDEN_ASCII = "[\\t-\\r\\x1c-\\x1f !#$&*\"']"
_FORBIDDEN = re.compile("[" + re.escape(WHITE_SPACE) + "!#$&*\"']")


def _stored(value: str) -> str:
    return _FORBIDDEN.sub("_", fold_accents(value.upper()))


def _plain_addresses(text: pd.Series[str]) -> tuple[pd.Series[str], Mask]:
    """Return `text` with the plain addresses normalised, and one bool per value: whether it is one."""
    values = to_arrow(text)
    parts = pc.extract_regex(values, pattern=_PLAIN)
    local, domain = pc.struct_field(parts, "local"), pc.struct_field(parts, "domain")
    plain: Mask = (
        as_mask(pc.is_valid(parts))
        & ~as_mask(pc.match_substring_regex(values, pattern=_NOT_PLAIN))
        & as_mask(pc.less_equal(pc.fill_null(pc.binary_length(local), 0), EMAIL_LOCAL_MAX))
        & as_mask(pc.less_equal(pc.binary_length(values), EMAIL_MAX))
    )
    joined = pc.binary_join_element_wise(local, pc.ascii_lower(domain), pa.scalar("@", pa.large_string()))
    return text_series(pc.if_else(plain, joined, values), text.index), np.asarray(plain, dtype=np.bool_)


def _address(value: str) -> str | Failure:
    if value[:7].lower() == "mailto:":
        value = value[7:].partition("?")[0]
    named = _NAMED.fullmatch(value)
    if named:
        value = named["address"]
        if "@" in named["name"] and value not in named["name"]:
            return Failure("it holds two addresses")
    try:
        found = validate_email(value.strip(EDGES), check_deliverability=False, allow_smtputf8=False)
    except EmailNotValidError as error:
        return Failure(_reason(str(error)))
    return f"{found.local_part}@{found.ascii_domain}"


def _reason(sentence: str) -> str:
    return sentence[:1].lower() + sentence[1:].removesuffix(".")
