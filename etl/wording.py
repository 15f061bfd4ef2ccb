"""Counts → sentences: what a verdict says, in words. Knows no terminal."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from etl.report import ProblemGroup, RunReport

TITLES = {
    "ragged-row": "too few or too many cells",
    "nul-character": "a character that no text has (NUL)",
    "total-row": "a row of totals",
    "json-line": "a line that is no JSON object",
    "json-key-repeated": "a key twice in one object",
    "half-character": "half a character",
    "list-item": "a list whose items hold its separator",
    "binary-cell": "bytes that are no text",
    "error-cell": "an error of the spreadsheet's, such as #N/A",
    "formula-without-value": "a formula without its result",
    "formula-text-cut": "a formula's text too long for an .xls",
    "text-not-whole": "a text with tabs or line breaks that cannot be read",
    "scientific-number": "a number shortened to 4.86E+10",
    "error-text": "an error of the spreadsheet's as text, such as #REF!",
    "letters-lost": "letters that were lost (\ufffd)",
    "mojibake": "letters read in the wrong encoding",
    "text-cut": "a text as long as a cell can hold",
    "month-for-size": "perhaps a size or a code that became a date",
    "condition-failed": "`when` cannot be evaluated",
    "required": "blank, but required",
    "group-key-blank": "no group key",
    "empty-record": "nothing would be sent",
    "duplicate-key": "the same key again",
    "not-a-number": "not a number",
    "not-an-integer": "not a whole number",
    "not-a-boolean": "neither yes nor no",
    "not-a-date": "not a date",
    "not-a-phone": "not a phone number",
    "not-a-country": "not a country",
    "not-an-email": "not an e-mail address",
    "no-match": "does not match its pattern",
    "not-in-map": "not in the list of values",
    "email-syntax": "not an e-mail address",
    "email-too-long": "an e-mail address too long",
    "email-typo": "an e-mail address that looks mistyped",
    "not-in-enumeration": "not one of the values allowed",
    "not-finite": "not a finite number",
    "too-long": "a long text",
    "too-many-digits": "more than 19 digits",
    "too-many-decimals": "more than 2 decimals",
    "tag-comma": "a comma in a tag",
    "tag-collision": "two tags that become one",
}
"""What is wrong, in a few words and without a value, by the code of the issue."""

_PREDICATES = {
    "list-item": "has an item that holds the list's separator",
    "binary-cell": "holds bytes that are no text",
    "error-cell": "holds an error of the spreadsheet's",
    "formula-without-value": "holds a formula without its result",
    "formula-text-cut": "holds a formula's text that is too long for an .xls",
    "text-not-whole": "holds tabs or line breaks that cannot be read",
    "scientific-number": "is a number that was shortened: its last digits are gone",
    "error-text": "is an error of the spreadsheet's",
    "letters-lost": "has lost letters",
    "mojibake": "was read in the wrong encoding",
    "text-cut": "is as long as a cell can hold, and probably cut",
    "month-for-size": "is perhaps a size or a code that became a date",
    "group-key-blank": "is blank, but chooses the account",
    "required": "is blank, but required",
    "duplicate-key": "is there more than once",
    "no-match": "does not match its pattern",
    "not-in-map": "is not in the list of values",
    "email-too-long": "is too long for an e-mail address",
    "email-typo": "looks mistyped",
    "too-long": "is very long",
    "too-many-digits": "has more than 19 digits",
    "too-many-decimals": "has more than 2 decimals",
    "tag-comma": "has a comma in a tag",
    "tag-collision": "has two tags that become one",
}
"""What is said of a column, or of a value, by the code of the issue; of the others `is` and the title."""
_LONGEST_SUBJECT = 40
_OF_A_LIST = {"not-in-map", "not-in-enumeration", "no-match"}
_A_COUNTRY = re.compile(r"did you mean [A-Z]{2}\?")
COMMON, COMMON_NUMBER = 3, 20
"""Rows in which a value, and one that may be a phone number or a birthday, stands before it is quoted where others may
read along: what stands in many rows is nobody's own."""
_ADDRESS = re.compile(r"\S@")
_LONG_NUMBER = re.compile(r"[0-9](?:[^0-9]{0,2}[0-9]){6}")

MEANINGS = {
    "planned": "valid; a run would send it",
    "delivered": "the endpoint confirmed it",
    "unchanged": "confirmed before with the same content; not sent again",
    "duplicate": "another row of the same key stands for it",
    "skipped": "blank, or left out by a condition of the mapping",
    "invalid": "something is wrong with it; never sent",
    "rejected": "the endpoint refused it for good",
    "failed": "it could not be delivered; safe to send again",
    "unknown": "sent, and no answer came: somebody has to look",
    "blocked": "the run stopped before it, or it was held back",
}
"""What a status says of a row, in a few words."""

_BAD = {
    "unchanged": ("is unchanged", "are unchanged"),
    "invalid": ("is invalid", "are invalid"),
    "rejected": ("was rejected", "were rejected"),
    "failed": ("failed", "failed"),
    "unknown": ("has an unknown outcome", "have an unknown outcome"),
    "blocked": ("was held back", "were held back"),
}
_SENT = ("planned", "delivered", "rejected", "failed", "unknown", "blocked")
"""Statuses of what was to be sent."""
_MEND_THE_FILE = {
    "fail-over",
    "max-deletes",
    "max-clears",
    "file-changed",
    "canary",
    "too-many-rejects",
    "plan-differs",
    "unexpected-file",
}
"""Stops after which going on would come to the same."""
_OPEN = ("failed", "unknown")
SHOWN_CLEARS = 3
_OF_CONTACTS = ("contact.", "newEmail", "tags", "properties", "dictionaryProperties")


def sentence(report: RunReport) -> str:
    """Return the verdict in one sentence: `312 of 390 rows would be delivered; 14 are invalid`."""
    counts = report.counts
    total = report.rows * report.records
    if not total:
        return "There are no rows below the header: nothing to deliver."
    if deletes_alone(report):
        return _sentence_of_deletes(report, total)
    noun = "row" if report.records == 1 else "record"
    good = counts.get("planned" if report.dry_run else "delivered", 0)
    where = f" to {report.target}" if report.target and not report.dry_run else ""
    done = "would be delivered" if report.dry_run else f"{'was' if good == 1 else 'were'} delivered{where}"
    of = f"All {total:,} {noun}s" if good == total > 1 else f"{good:,} of {total:,} {noun}{'s' * (total != 1)}"
    from_rows = f" (of {report.rows:,} {plural(report.rows, 'row')})" if report.records > 1 else ""
    bad = _bad(report)
    return f"{of}{from_rows} {done}{f'; {bad}' if bad else ''}{_missing(report)}."


def _missing(report: RunReport) -> str:
    """Return what became, or would become, of contacts that the file no longer holds."""
    count = report.missing.get("to_delete" if report.dry_run else "delivered", 0)
    if not count:
        return ""
    verb = "would be" if report.dry_run else "was" if count == 1 else "were"
    return f"; {count:,} {plural(count, 'contact')} missing from the file {verb} deleted"


def deletes_alone(report: RunReport) -> bool:
    """Whether everything to be sent is a deletion."""
    sent = sum(report.counts.get(status, 0) for status in _SENT)
    of_rows = report.deletes - report.missing.get("to_delete", 0)
    return of_rows > 0 and (report.records == 1 or of_rows == sent)


def _sentence_of_deletes(report: RunReport, total: int) -> str:
    good = report.counts.get("planned" if report.dry_run else "delivered", 0)
    verb = "would be" if report.dry_run else "was" if good <= 1 else "were"
    where = f" at {report.target}" if report.target and not report.dry_run else ""
    done = f"{f'{good:,}' if good else 'No'} {plural(good or 1, 'contact')} {verb} deleted{where}"
    noun = plural(total, "row" if report.records == 1 else "record")
    bad = _bad(report)
    return f"{done}{f'; of {total:,} {noun}, {bad}' if bad else ''}."


def _bad(report: RunReport) -> str:
    counts = report.counts
    return ", ".join(
        f"{counts[status]:,} {words[counts[status] != 1]}" for status, words in _BAD.items() if counts.get(status)
    )


def stop_sentence(report: RunReport) -> str:
    """Return why the run stopped (a check: would stop), "" if it did not."""
    if report.stop is None:
        return ""
    if report.stop.code == "interrupted":
        return "Interrupted: what was in flight was finished, the rest was not sent."
    verb = "A run would stop" if report.dry_run else "Stopped"
    told = ": ".join(filter(None, (report.stop.message, report.stop.hint)))
    return f"{verb}: {told}   [{report.stop.code}]"


def next_step(report: RunReport) -> str:
    """Return the command that goes on with this run, "" where nothing is left to go on with."""
    if report.dry_run:
        return ""
    if report.stop is None:
        left = sum(counts.get(status, 0) for counts in (report.counts, report.missing) for status in _OPEN)
        return f"etl retry {report.id}" if left else ""
    if report.stop.code in _MEND_THE_FILE:
        return ""
    return f"etl resume {report.id}{' --yes' if report.stop.code == 'not-confirmed' else ''}"


def mending(report: RunReport, names: Sequence[str]) -> str:
    """Return how the bad rows are mended and sent, "" where there are none; `names`: of the reports that were written.

    Where a limit held back the good rows too, mending the bad ones alone would leave those unsent.
    """
    bad = {status: report.counts[status] for status in ("invalid", "rejected") if report.counts.get(status)}
    if not bad:
        return ""
    counted = " and ".join(f"{count:,} {status}" for status, count in bad.items())
    rows = f"the {counted} {plural(sum(bad.values()), 'row' if report.records == 1 else 'record')}"
    if report.stop is not None and report.stop.code in _MEND_THE_FILE:
        return f"Mend {rows} in your own file, and run it again as a whole: the good rows were held back with them."
    fixes = sorted(name for name in names if name.startswith("to_fix"))
    if len(fixes) > 1:
        *first, last = fixes
        return f"Mend {rows} in {', '.join(first)} and {last}, and send these files in: only these rows go then."
    if fixes:
        return f"Mend {rows} in {fixes[0]}, and send that file in: only these rows go then."
    return f"Mend {rows} in the file, as told below, and send it in again."


def cost_sentences(report: RunReport) -> list[str]:
    """Return what a run would erase and clear; nothing for a run that took place, whose counts tell."""
    if not report.dry_run:
        return []
    found = []
    if report.deletes and not deletes_alone(report):
        found.append(f"This would delete {report.deletes:,} {plural(report.deletes, 'contact')}.")
    if report.clears:
        largest = sorted(report.clears.items(), key=lambda item: -item[1])
        listed = [f"{path} {_of_whom(path, count)}" for path, count in largest[:SHOWN_CLEARS]]
        rest = len(largest) - SHOWN_CLEARS
        more = f", and {rest} more {plural(rest, 'field')}" if rest > 0 else ""
        found.append(f"This would clear {', '.join(listed)}{more}.")
    return found


def said_of(group: ProblemGroup, value: str = "") -> str:
    """Return what is wrong, as a sentence without its end: `Country "Polska" is not a two-letter code`.

    `value`: the one that it is said of (`common_value`), "" for all of them.
    """
    subject = group.column or group.field
    if len(subject) > _LONGEST_SUBJECT:
        # The field of a template of many columns says more than half of their names.
        subject = group.field if group.field and len(group.field) <= len(subject) else subject
        subject = subject if len(subject) <= _LONGEST_SUBJECT else f"{subject[: _LONGEST_SUBJECT - 1]}…"
    title = TITLES.get(group.code, group.code)
    if not subject or group.code in {"condition-failed", "empty-record"}:
        return title
    predicate = _PREDICATES.get(group.code, f"is {title}")
    if value and group.code in _OF_A_LIST and _A_COUNTRY.fullmatch(group.suggestion):
        predicate = "is not a two-letter code"
    return f'{subject} "{value}" {predicate}' if value else f"{subject} {predicate}"


def common_value(group: ProblemGroup) -> str:
    """Return the value that makes up half of the group and more, "" where none does or it may be somebody's own."""
    if not group.values:
        return ""
    value, count = group.values[0]
    least = COMMON_NUMBER if _LONG_NUMBER.search(value) else COMMON
    return "" if count < least or 2 * count < group.count or _ADDRESS.search(value) else value


def hint_of(code: str) -> str:
    """Return what to do about issues of this code, "" if it is not known."""
    from etl.codes import CODES

    return CODES[code].hint.replace("{detail}", "the values allowed") if code in CODES else ""


def plural(count: int, noun: str) -> str:
    """Return `noun`, with an s unless `count` is 1."""
    return noun if count == 1 else f"{noun}s"


def _of_whom(path: str, count: int) -> str:
    of_contact = path.rpartition(": ")[2].startswith(_OF_CONTACTS)
    return f"of {count:,} {plural(count, 'contact')}" if of_contact else f"in {count:,} {plural(count, 'row')}"
