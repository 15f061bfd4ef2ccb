"""What a run's reports and messages say of people, by the view that is asked for: all, tokens, or nothing.

Messages are not searched for values, they are said anew by their code: a value that nobody thought of cannot slip
through. What stays as it is: names of files, sheets and columns, numbers of rows, codes, statuses and times.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from etl.comparison import MEANING
from etl.errors import EtlError, impersonal
from etl.guards import Stop
from etl.masking import Masker
from etl.outcomes import SKIPPED_BECAUSE
from etl.report import Example, ProblemGroup, Remedy, RunReport
from etl.targets.answers import REQUEST_ID
from etl.view import View
from etl.wording import TITLES, hint_of, plural

Columns = Mapping[str, pa.Array]
Shown = Callable[[Columns], Columns]

_WORDS = {
    "timeout": "no answer in time",
    "connection-reset": "the connection was closed before an answer came",
    "answer-truncated": "the answer was cut off",
    "answer-too-large": "the answer was too large",
    "not-connected": "no connection could be made",
    "tls": "no secure connection could be made",
    "earlier-record-failed": "an earlier record of the row was not delivered",
    "missing-held-back": "not deleted: held back",
    "key-unknown": "not deleted: only a hash of the key was kept at its delivery",
    "interrupted": "the run was interrupted before it was sent",
    "deadline": "the time for this run is up",
    "endpoint-down": "the endpoint is down",
    "canary": "each of the first rows was rejected",
    "too-many-rejects": "the endpoint rejected too many rows",
    "file-changed": "the file changed after it was checked; nothing more was sent",
    "not-confirmed": "nobody confirmed it",
    "fail-over": "too many rows are bad",
    "max-deletes": "too many contacts would be deleted",
    "max-clears": "too many fields would be cleared",
    "plan-differs": "what would be sent is not what was planned",
}
"""What a line says by its code alone, beside TITLES and SKIPPED_BECAUSE."""
_DATE = "[0-9]{4}-[0-9]{2}-[0-9]{2}"
_SAME_KEY = r"row [0-9]+(?: of [^\n]*)? of the same key stands for it"
_QUOTES_CELLS = re.compile(r"\b(?:map|blank_if)\b")
"""Transforms whose arguments in a remedy are cells of the file."""
_HTTP = re.compile("HTTP [0-9]{3}")


def _meanings() -> dict[str, str]:
    """Return, by code, the pattern of messages that are ours and hold nothing of anybody's."""
    found: dict[str, list[str]] = {"duplicate": [_SAME_KEY]}
    for _, code, message in MEANING.values():
        found.setdefault(code, []).append(re.escape(message).replace(re.escape("{date}"), _DATE))
    return {code: f"^(?P<told>{'|'.join(patterns)})" for code, patterns in found.items()}


_OURS = _meanings()


@dataclass(frozen=True, slots=True)
class Redaction:
    """Shows texts and messages as one view has them. `masker`: gives the tokens of the view `pseudonymous`."""

    view: View = View.FULL
    masker: Masker = field(default_factory=Masker)

    @property
    def is_full(self) -> bool:
        """Whether everything is shown."""
        return self.view is View.FULL

    def keys(self, texts: pa.Array) -> pa.Array:
        """Return keys (string) as they are shown."""
        return self._shown(texts, self.masker.keys)

    def texts(self, texts: pa.Array) -> pa.Array:
        """Return cells (string) as they are shown."""
        return self._shown(texts, self.masker.values)

    def _shown(self, texts: pa.Array, mask: Callable[[pa.Array], pa.Array]) -> pa.Array:
        if self.is_full:
            return texts
        return _blank(len(texts)) if self.view is View.AGGREGATE else mask(texts)

    def text(self, text: str) -> str:
        """Return one cell as it is shown."""
        if self.is_full:
            return text
        return "" if self.view is View.AGGREGATE else self.masker.value(text)

    @property
    def results_shown(self) -> Shown | None:
        """`results`, None where everything is shown."""
        return None if self.is_full else self.results

    @property
    def issues_shown(self) -> Shown | None:
        """`issues`, None where everything is shown."""
        return None if self.is_full else self.issues

    def results(self, columns: Columns) -> Columns:
        """Return columns of results.csv or missing.csv as they are shown.

        A payload's hash goes too: that of a small payload is found again by trying.
        """
        if self.is_full:
            return columns
        shown = dict(columns)
        count = len(columns["key"])
        shown["key"] = self.keys(columns["key"])
        shown["payload_sha256"] = _blank(count)
        if self.view is View.AGGREGATE:
            return shown | {"message": _blank(count), "request_id": _blank(count)}
        shown["message"] = _messages(columns)
        ids = pc.coalesce(columns["request_id"], "")
        shown["request_id"] = pc.if_else(pc.match_substring_regex(ids, REQUEST_ID), ids, "")
        return shown

    def issues(self, columns: Columns) -> Columns:
        """Return columns of issues.csv as they are shown."""
        if self.is_full:
            return columns
        count = len(columns["value"])
        if self.view is View.AGGREGATE:
            return {**columns, "value": _blank(count), "message": _blank(count), "hint": _blank(count)}
        codes = columns["code"]
        said, hints = _by_code(codes, TITLES), _by_code(codes, {code: hint_of(code) for code in TITLES})
        return {**columns, "value": self.texts(columns["value"]), "message": said, "hint": hints}

    def note(self, text: str) -> str:
        """Return a note of which `Redaction` knows no more than that cells are not quoted in it."""
        return text if self.is_full else impersonal(text)

    def report(self, report: RunReport) -> RunReport:
        """Return the report as it is shown: everything in it but the figures and the names."""
        if self.is_full:
            return report
        kept = tuple(remedy for remedy in report.remedies if not _QUOTES_CELLS.search(remedy.line))
        return replace(
            report,
            notes=tuple(map(self.note, (*report.notes, *_left_out(report.remedies, kept)))),
            remedies=kept,
            outcomes=tuple((status, code, _plain(code, said), n) for status, code, said, n in report.outcomes),
            groups=tuple(map(self._group, report.groups)),
            stop=self._stop(report.stop),
        )

    def _group(self, group: ProblemGroup) -> ProblemGroup:
        bare = replace(group, hint=hint_of(group.code), suggestion="", values=(), examples=())
        if self.view is View.AGGREGATE:
            return bare
        values = tuple((self.text(value), count) for value, count in group.values)
        title = TITLES.get(group.code, group.code)
        examples = tuple(Example(one.where, self.text(one.value), title) for one in group.examples)
        return replace(bare, values=values, examples=examples)

    def stop_by_code(self, stop: Stop | None) -> Stop | None:
        """Return a stop of which it is not known whose words it has, said by its code."""
        if self.is_full or stop is None:
            return stop
        return replace(stop, message=_WORDS.get(stop.code, stop.code), hint="")

    def _stop(self, stop: Stop | None) -> Stop | None:
        return None if stop is None else replace(stop, message=self.note(stop.message), hint=self.note(stop.hint))


FULL = Redaction()
"""Shows everything."""


@contextmanager
def discreet(view: View | None) -> Iterator[None]:
    """Mark errors whose text nobody has looked through, so that no log quotes them, unless everything is shown."""
    try:
        yield
    except EtlError:
        raise
    except Exception as error:
        if view not in {None, View.FULL}:
            error.__dict__["is_discreet"] = True
        raise


def _left_out(all_of_them: Iterable[Remedy], kept: Iterable[Remedy]) -> list[str]:
    count = len(tuple(all_of_them)) - len(tuple(kept))
    if not count:
        return []
    verb = "quotes" if count == 1 else "quote"
    return [f"{count} {plural(count, 'line')} to paste into the mapping {verb} cells, and can be had in the full view"]


def _plain(code: str, said: str) -> str:
    return said if _HTTP.fullmatch(said) else _WORDS.get(code, "")


def _messages(columns: Columns) -> pa.Array:
    """Return what each line says by its code, with the field in front where there is one."""
    codes, messages = pc.coalesce(columns["code"], ""), pc.coalesce(columns["message"], "")
    titles = _by_code(codes, TITLES)
    if "field" in columns:
        fields = pc.coalesce(columns["field"], "")
        located = pc.binary_join_element_wise(fields, ": ", titles, "")
        titles = pc.if_else(pc.or_(pc.equal(fields, ""), pc.equal(titles, "")), titles, located)
    told = pc.if_else(pc.equal(titles, ""), _by_code(codes, SKIPPED_BECAUSE | _WORDS), titles)
    for code, pattern in _OURS.items():
        of_code = pc.equal(codes, code)
        if pc.any(of_code).as_py():
            own = pc.struct_field(pc.extract_regex(messages, pattern), [0])
            told = pc.if_else(of_code, pc.coalesce(own, ""), told)
    answered = pc.and_(pc.equal(told, ""), pc.and_(pc.not_equal(messages, ""), pc.is_valid(columns["http_status"])))
    if pc.any(answered).as_py():
        http = pc.binary_join_element_wise("HTTP ", pc.coalesce(columns["http_status"].cast(pa.string()), ""), "")
        answered = pc.and_(answered, pc.not_equal(http, "HTTP "))
        told = pc.if_else(answered, http, told)
    return told


def _by_code(codes: pa.Array, words: Mapping[str, str]) -> pa.Array:
    """Return what `words` has for each code, "" for the others."""
    encoded = codes.cast(pa.string()).dictionary_encode()
    said = pa.array([words.get(code, "") for code in encoded.dictionary.to_pylist()], pa.string())
    return pc.coalesce(said.take(encoded.indices), "")


def _blank(count: int) -> pa.Array:
    return pa.array(np.full(count, "", dtype=object), pa.string())
