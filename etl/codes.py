"""Every code an issue of a row can carry: its severity, its message and its hint, in one table.

Messages are templates: `{value}` is the offending value, `{detail}` what the check adds (a limit, a name). They
speak to the person who owns the spreadsheet. `fixed` codes are the contract's own and cannot be turned into a
warning by a mapping's `checks`. Imports nothing from etl but its nouns.
"""

from __future__ import annotations

from dataclasses import dataclass

from etl.records import Severity

# ruff: noqa: E501 - a code is one line, so that the table can be read down its columns


@dataclass(frozen=True, slots=True)
class Code:
    """One kind of issue."""

    name: str
    severity: Severity
    message: str
    hint: str
    fixed: bool = False


def _error(name: str, message: str, hint: str, *, fixed: bool = False) -> Code:
    return Code(name, Severity.ERROR, message, hint, fixed)


def _warning(name: str, message: str, hint: str) -> Code:
    return Code(name, Severity.WARNING, message, hint)


_ALL = (
    # found while reading
    _error("ragged-row", "the row has {detail}", "look for a missing or an extra separator or quote in this line", fixed=True),
    _error("error-cell", "the cell holds the error {value}", "mend the formula, or clear the cell"),
    _error("formula-without-value", "the cell holds a formula whose result was never saved", "open the workbook in Excel or LibreOffice and save it"),
    # mapping
    _error("condition-failed", "`when` cannot be evaluated: {detail}", "mend the cell, or the condition in the mapping", fixed=True),
    _error("required", "a value is required and the cell is blank", "fill in the cell, or delete the row", fixed=True),
    _error("group-key-blank", "the group key is blank", "fill in the cell that chooses the account", fixed=True),
    _error("empty-record", "nothing would be sent: all cells that the record takes are blank", "fill in a cell, or leave such rows out with `when`", fixed=True),
    _error("duplicate-key", "the key occurs more than once ({detail})", "keep one row of this key", fixed=True),
    # transforms
    _error("not-a-number", "'{value}' is not a number", "write it like 1234.50, or name its signs in the mapping's `number`"),
    _error("not-an-integer", "'{value}' is not a whole number", "write digits alone"),
    _error("not-a-boolean", "'{value}' is neither yes nor no", "use one of the words that the mapping's `boolean` lists"),
    _error("not-a-date", "'{value}' is not a date ({detail})", "correct it, or name its form in the mapping's `date`"),
    _error("not-a-phone", "'{value}' is not a phone number ({detail})", "write it with its country code, such as +48 601 234 567"),
    _error("not-a-country", "'{value}' is not a country", "write its name or its two-letter code, such as PL"),
    _error("not-an-email", "'{value}' is not an e-mail address: {detail}", "correct the address"),
    _error("no-match", "'{value}' does not match the pattern {detail}", "mend the cell, or the pattern in the mapping"),
    _error("not-in-map", "'{value}' is not in the mapping's list of values", "mend the cell, or add the value (or an `else`) to the mapping"),
    # schemas
    _error("email-syntax", "'{value}' is not an e-mail address: {detail}", "correct the address", fixed=True),
    _error("email-too-long", "the e-mail address is too long ({detail})", "at most 64 characters before the @, 254 in all", fixed=True),
    _warning("email-typo", "'{value}' looks mistyped (did you mean {detail}?)", "check the part after the @"),
    _error("not-in-enumeration", "'{value}' is not one of the values allowed", "use one of {detail}", fixed=True),
    _error("not-finite", "'{value}' is not a finite number", "write a number", fixed=True),
    _warning("too-long", "the value has {detail}", "shorten it: the endpoint may cut it"),
    _warning("too-many-digits", "'{value}' has more than 19 digits", "the endpoint may round it"),
    _warning("too-many-decimals", "'{value}' has more than 2 decimals", "the endpoint may round it; the `number` transform rounds with `decimals: 2`"),
    _warning("tag-comma", "the tag '{value}' holds a comma and will become two tags", "use the `split` transform, or another sign"),
    _warning("tag-collision", "two tags of the row become one: {detail}", "keep one of them"),
)  # fmt: skip

CODES: dict[str, Code] = {code.name: code for code in _ALL}
