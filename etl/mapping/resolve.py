"""The text of a mapping → the checked model, or MappingError with every problem of it.

The way: `parser` (text → document), `syntax` and `report` (form), `record_reader`, `specs`, `spec_sources` (meaning).
"""

from __future__ import annotations

import codecs
import hashlib
from pathlib import Path
from typing import Any

from etl.errors import MappingError, Problem
from etl.mapping.example_reader import check_examples, read_examples
from etl.mapping.model import ExpectSpec, FieldSpec, Mapping, Missing, RecordSpec, SourceSpec
from etl.mapping.nearest import did_you_mean
from etl.mapping.parser import MAX_BYTES, read_yaml
from etl.mapping.record_reader import RecordReader, read_checks
from etl.mapping.report import Report
from etl.mapping.spec_sources import Goal
from etl.mapping.specs import SpecReader
from etl.mapping.syntax import WrittenExpect, WrittenMapping, WrittenSource

VERSION = "1"
_ENCODINGS = ("utf-8", "utf-16", "cp1250", "cp1252", "iso-8859-1", "iso-8859-2")


def load_mapping(path: Path) -> Mapping:
    """Return the mapping in the file `path`; file arguments are relative to its folder. Raises MappingError."""
    file = str(path)
    try:
        with path.open("rb") as stream:
            content = stream.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = (getattr(error, "strerror", None) or str(error)).lower()
        problem = Problem(f"the mapping can't be read: {reason}", "unreadable-mapping", hint="check the name")
        raise MappingError(file, (problem,)) from error
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        if len(content) <= MAX_BYTES:
            line = content[: error.start].count(b"\n") + 1
            start = content.rfind(b"\n", 0, error.start) + 1
            column = len(content[start : error.start].decode("utf-8", "replace")) + 1
            problem = Problem("the mapping is not in UTF-8", "not-utf-8", line, column, "save it as UTF-8")
            raise MappingError(file, (problem,)) from error
        text = content.decode("utf-8", "replace")
    return parse_mapping(text, file, path.parent)


def parse_mapping(text: str, file: str, base: Path = Path()) -> Mapping:
    """Return the mapping that `text` holds. `file`: for messages; `base`: the folder of file arguments.

    Raises MappingError with every problem found, in the order of the text.
    """
    document = read_yaml(text)
    report = Report(document)
    mapping = None
    if not any(problem.code in {"yaml-syntax", "empty-mapping", "mapping-too-large"} for problem in document.problems):
        mapping = _Reader(report, SpecReader(report, base)).read(document.root, text, file)
    if report.problems:
        raise MappingError(file, tuple(dict.fromkeys(report.problems)))
    if mapping is None:
        raise AssertionError("BUG: a mapping was refused without a problem")
    return mapping


class _Reader:
    def __init__(self, report: Report, specs: SpecReader) -> None:
        self.report = report
        self.specs = specs

    def read(self, root: object, text: str, file: str) -> Mapping | None:
        written, dropped = self.report.read_level(WrittenMapping, root, (), "the mapping")
        if not isinstance(root, dict):
            return None
        self._version(written, dropped)
        if written.name is None and "name" not in dropped:
            hint = "write name: and what the mapping is called in reports"
            self.report.add((), "the mapping has no name", "missing-key", hint)
        source = self._source(root)
        group_key = self._group_key(root)
        checks = read_checks(self.report, root.get("checks"), ("checks",))
        reader = RecordReader(self.report, self.specs, checks)
        records = self._records(root, dropped, reader)
        are_whole = not self.report.problems
        examples = read_examples(self.report, root.get("examples"))
        mapping = Mapping(
            version=1, name=written.name or "", file=file, fingerprint=_fingerprint(text, self.specs.files),
            source=source, group_key=group_key, checks=checks, only_changed=bool(written.only_changed),
            records=records, examples=examples, notes=tuple(reader.notes), line=1, column=1,
        )  # fmt: skip
        if are_whole:
            # Of a mapping that has mistakes it is not known which columns and fields there are.
            check_examples(self.report, mapping, root.get("examples"))
        return None if self.report.problems else mapping

    def _version(self, written: WrittenMapping, dropped: frozenset[str]) -> None:
        if written.version is None and "version" not in dropped:
            self.report.add((), "the mapping has no version", "missing-key", "start with version: 1")
        elif written.version not in {None, VERSION}:
            message = f"version {written.version} of the mapping language is not known"
            self.report.add(("version",), message, "unknown-version", "write version: 1")

    def _source(self, root: dict[str, Any]) -> SourceSpec:
        loc = ("source",)
        if "source" not in root:
            return SourceSpec()
        written = self.report.read_level(WrittenSource, root["source"], loc, "'source'").level
        delimiter = "\t" if written.delimiter == "tab" else written.delimiter
        if delimiter is not None and (len(delimiter) != 1 or delimiter.isalnum() or delimiter in "\"'\r\n"):
            hint = "write the sign in quotes, such as ';', or tab"
            self.report.add((*loc, "delimiter"), f"'{written.delimiter}' can't separate cells", "wrong-value", hint)
        if written.encoding is not None and not _is_text_encoding(written.encoding):
            hint = did_you_mean(written.encoding, _ENCODINGS, f"such as {', '.join(_ENCODINGS)}")
            self.report.add((*loc, "encoding"), f"unknown encoding '{written.encoding}'", "unknown-encoding", hint)
        line, column = self.report.place(loc)
        return SourceSpec(
            sheets=written.sheet, header_row=written.header_row, encoding=written.encoding, delimiter=delimiter,
            skip_rows=written.skip_rows or 0, hidden_rows=written.hidden_rows != "skip",
            hidden_columns=written.hidden_columns != "skip", comment=written.comment,
            total_rows=written.total_rows != "skip", renamed=written.renamed == "accept",
            expect=self._expect(root["source"]), line=line, column=column,
        )  # fmt: skip

    def _expect(self, source: object) -> ExpectSpec | None:
        if not isinstance(source, dict) or "expect" not in source:
            return None
        loc = ("source", "expect")
        written, dropped = self.report.read_level(WrittenExpect, source["expect"], loc, "'expect'")
        if not dropped and all(value in {None, False} for value in written.model_dump().values()):
            self.report.add_at_key(loc, "'expect' expects nothing", "missing-key", "write such as new: true below it")
        line, column = self.report.place(loc)
        complete = written.complete or "false"
        return ExpectSpec(
            by=written.by, is_new=bool(written.new), max_age=written.max_age, size=written.size,
            columns=written.columns or (), is_complete=complete != "false",
            last_cell="" if complete in {"true", "false"} else complete, line=line, column=column,
        )  # fmt: skip

    def _group_key(self, root: dict[str, Any]) -> FieldSpec | None:
        if "group_key" not in root:
            return None
        return self.specs.read(root["group_key"], ("group_key",), Goal("group_key", None, "group_key"))

    def _records(self, root: dict[str, Any], dropped: frozenset[str], reader: RecordReader) -> tuple[RecordSpec, ...]:
        if "records" not in root or root["records"] == []:
            if "records" not in dropped:
                place = ("records",) if "records" in root else ()
                hint = "write what a row becomes: records: [{action: .., fields: {..}}]"
                self.report.add_at_key(place, "the mapping has no records", "missing-key", hint)
            return ()
        items = self.report.items(root["records"], ("records",), "'records'")
        records = [reader.read(raw, loc, number) for number, (loc, raw) in enumerate(items, 1)]
        found = tuple(record for record in records if record is not None)
        self._refuse_two_words([record for record in found if record.action.name == "contact.upsert"])
        return found

    def _refuse_two_words(self, upserts: list[RecordSpec]) -> None:
        """Tell of records that do not agree about `missing`: which of them a contact came from is not remembered."""
        said = [record for record in upserts if record.missing is not None]
        for record in said[1:]:
            if record.missing != said[0].missing:
                message = f"record {said[0].number} says missing: {said[0].missing}, and this one {record.missing}"
                hint = "a contact is missing from the whole file: write the same word in both"
                self.report.add_at_key(("records", record.number - 1, "missing"), message, "wrong-value", hint)
        for record in upserts if said and said[0].missing is Missing.DELETE else []:
            if record.missing is None and record.key != (record.action.person,):
                message = f"record {said[0].number} says missing: delete, and this one has another key than the e-mail"
                hint = "write missing: report there, or remove this key:"
                self.report.add_at_key(("records", record.number - 1, "key"), message, "misplaced-key", hint)


def _is_text_encoding(name: str) -> bool:
    try:
        "".encode(codecs.lookup(name).name)
    except (LookupError, ValueError, UnicodeError):
        return False
    return True


def _fingerprint(text: str, files: list[Path]) -> str:
    """Return the SHA-256 over the mapping's text and the files it names, in order; lengths keep them apart."""
    digest = hashlib.sha256()
    try:
        contents = (text.encode(), *(file.read_bytes() for file in files))
    except OSError as error:
        problem = Problem(f"{error.filename} can't be read any more", "unreadable-file", hint="load the mapping again")
        raise MappingError(str(error.filename), (problem,)) from error
    for content in contents:
        digest.update(len(content).to_bytes(8, "big"))
        digest.update(content)
    return digest.hexdigest()
