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
    _error("formula-text-cut", "the result of the formula is a text too long to be read whole from an .xls", "save the workbook as .xlsx"),
    _error("text-not-whole", "the text holds tabs or line breaks that cannot be read from an .ods with so many of them", "save the workbook as .xlsx"),
    _error("nul-character", "the row holds a NUL character, which was left out", "export the table again; the cell may have lost more than that"),
    _error("total-row", "the row looks like a total ('{value}' and numbers)", "leave such rows out with `source: {total_rows: skip}`, or let them pass with `checks: {total-row: warning}`"),
    _error("json-line", "the line is no JSON object: {detail}", "write one object on each line, such as {\"email\": \"a@example.com\"}", fixed=True),
    _error("json-key-repeated", "the object holds the key {detail} more than once", "keep one of them: which one was meant cannot be told", fixed=True),
    _error("half-character", "the row holds half a character (a lone surrogate such as \\ud800), shown as \ufffd", "write the character whole; whatever cut the text cut it there", fixed=True),
    _error("list-item", "an item of the list holds the sign that joins the items (;): '{value}'", "write the list as one text, with another sign between its items"),
    _error("binary-cell", "the cell holds bytes that are no text", "write the column as text"),
    # damage done before
    _error("scientific-number", "'{value}' is what Excel showed of a longer number: its last digits are gone", "format the column as Text before pasting, or import the CSV by Data > From Text/CSV with this column as Text, and save again"),
    _error("error-text", "the cell holds '{value}', an error of the spreadsheet's", "mend the formula and save again, or name the word in the mapping's `blank_if`"),
    _warning("letters-lost", "'{value}' holds a sign (\ufffd) that stands for a letter that was lost", "type the letter again, or export the table as UTF-8: it cannot be told what it was"),
    _warning("mojibake", "'{value}' was read in the wrong encoding (it was probably '{detail}')", "import the CSV by Data > From Text/CSV with File origin 65001 (UTF-8), and save again"),
    _warning("text-cut", "the text has 32,767 characters, the most that a cell of Excel holds: its end is probably gone", "take the text from where it came from"),
    _warning("month-for-size", "'{value}' looks like a size or a code that Excel took for a date", "format the column as Text before pasting or importing, and enter it again; a date is read by the mapping's `date`"),
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
