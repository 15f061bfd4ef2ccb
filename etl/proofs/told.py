"""What a person is told of a proof: the witness, both readings side by side, the line to put into the mapping."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from etl import transforms
from etl.cells import letters_at
from etl.mapping.model import AllSource, FieldSpec, Mapping, TransformCall
from etl.mapping.spec_text import written
from etl.proofs.evidence import Amounts, Dates, Evidence, Way, Witness
from etl.proofs.questions import Question
from etl.records import Lists, text_series
from etl.transforms.dates import both_orders

# Not strftime's: its names follow the machine's locale.
_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip
_WAYS = {True: ("day first", "month first"), False: ("a decimal point", "a decimal comma")}


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why the run stops before it starts: a code of SourceError, the message, and the lines of the hint."""

    code: str
    message: str
    hint: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Teller:
    """Puts proofs into words. `header`, `columns`: of the table; `mapping`: for the places of its lines.

    `quotes`: whether cells are quoted, or only named.
    """

    mapping: Mapping
    header: tuple[str, ...]
    columns: int | Sequence[int]
    quotes: bool = True

    def notes(self, question: Question, evidence: Evidence) -> list[str]:
        """Return the sentences that are worth reading before a run that is not stopped."""
        found = []
        sides, way = evidence.sides, evidence.sides.way
        if question.pin is None and way is Way.MIXED:
            found.append(self._mixed(question, evidence))
        elif question.pin is None and way in {Way.FIRST, Way.SECOND} and _matters(evidence):
            proof = self._rules_out(question, sides.only[way.value], way.value)
            found.append(f"{self._what(question)} are read {_read(question, way.value)}: {proof}")
        if isinstance(evidence, Dates) and evidence.is_half_converted:
            found.append(self._half_converted(question, evidence))
        return found

    def ambiguous(self, question: Question, evidence: Evidence) -> Refusal:
        """Return why a column whose cells all read both ways is refused."""
        either = evidence.sides.either
        ways = _WAYS[question.is_of_dates]
        read = _readings(question, either.value if either else "") if self.quotes else ("", "")
        first, second = (f"{one} ({way})" if one else way for one, way in zip(read, ways, strict=True))
        message = (
            f"{self._what(question)} can be read in two ways, and no cell tells which: "
            f"{self._cell(question, either)} is {first} or {second}"
        )
        lines = tuple(self._line(question, way, evidence) for way in (0, 1))
        marks = [one or way for one, way in zip(read, ways, strict=True)]
        told = (
            f"write one of these into {self._place(question)}", f"{lines[0]}  # {marks[0]}", f"{lines[1]}  # {marks[1]}"
        )  # fmt: skip
        return Refusal("dates-ambiguous" if question.is_of_dates else "amounts-ambiguous", message, told)

    def contradicted(self, question: Question, evidence: Evidence) -> Refusal:
        """Return why a file is refused whose cells speak against what the mapping pins."""
        pin = question.pin or 0
        ways = _WAYS[question.is_of_dates]
        witness = evidence.sides.only[1 - pin]
        pinned = f"the mapping reads {self._what(question)} {_read(question, pin)} ({self._place(question)})"
        message = f"{pinned}, and the file has {ways[1 - pin]}: {self._rules_out(question, witness, 1 - pin)}"
        if "formats" in question.call.arguments:
            return Refusal("pin-contradicted", message, ("have the file saved as before, or change the formats there",))
        told = ("have the file saved as before, or change the line to", self._line(question, 1 - pin, evidence))
        return Refusal("pin-contradicted", message, told)

    # ---- parts of a sentence

    def _mixed(self, question: Question, evidence: Evidence) -> str:
        ways = _WAYS[question.is_of_dates]
        cells = [self._cell(question, witness) for witness in evidence.sides.only]
        verb = "is" if question.is_of_dates else "has"
        thing = "a date" if question.is_of_dates else "an amount"
        return (
            f"{self._what(question)} are written in both ways: {cells[0]} {verb} {ways[0]}, "
            f"{cells[1]} {verb} {ways[1]}; {thing} that could be either is an issue of its row"
        )

    def _half_converted(self, question: Question, evidence: Dates) -> str:
        real = self._cell(question, evidence.real_low)
        text = self._cell(question, evidence.sides.only[0] or evidence.sides.only[1])
        return (
            f"{self._name(question)} holds real dates whose day is 12 at most, such as {real}, "
            f"and other dates as text, such as {text}: "
            "the program that saved the file has taken some texts for dates, and probably exchanged day and month in "
            "them; import the original text again, with this column as text   [dates-half-converted]"
        )

    def _rules_out(self, question: Question, witness: Witness | None, way: int) -> str:
        return f"{self._cell(question, witness)} rules out {_WAYS[question.is_of_dates][1 - way]}"

    def _what(self, question: Question) -> str:
        return f"the {'dates' if question.is_of_dates else 'amounts'} of {self._name(question)}"

    def _name(self, question: Question) -> str:
        return f"'{self.header[question.position]}'"

    def _cell(self, question: Question, witness: Witness | None) -> str:
        if witness is None:
            raise AssertionError("BUG: a proof without its witness")
        cell = f"{letters_at(question.position, self.columns)}{witness.row}"
        return f"{cell} = {witness.value}" if self.quotes else cell

    def _place(self, question: Question) -> str:
        return f"{self.mapping.file}, line {question.call.line or question.line.line}"

    def _line(self, question: Question, way: int, evidence: Evidence) -> str:
        signs = sorted(evidence.signs[way]) if isinstance(evidence, Amounts) else []
        # A mapping names one thousands sign: the one that could be mistaken for the decimal sign, where it was seen.
        sign = ",."[way] if ",."[way] in signs else "".join(signs[:1])
        return _rewritten(question, question.calls(question.answered(way, sign)))


def _matters(evidence: Evidence) -> bool:
    """Whether the proof reads a cell as it would not be read without one."""
    return isinstance(evidence, Dates) or evidence.sides.either is not None or evidence.sides.way is Way.SECOND


def _read(question: Question, way: int) -> str:
    return _WAYS[question.is_of_dates][way] if question.is_of_dates else f"with {_WAYS[False][way]}"


def _readings(question: Question, value: str) -> tuple[str, str]:
    if question.is_of_dates:
        first, second = (
            f"{moment.day} {_MONTHS[moment.month - 1]} {moment.year}" for moment in both_orders(value) if moment
        )
        return first, second
    signs = {"decimal": ".", "thousands": ","}, {"decimal": ",", "thousands": "."}
    taken = {name: given for name, given in question.call.arguments.items() if name in {"currency", "accounting"}}
    first, second = (_number(value, {**taken, **one}) for one in signs)
    return first, second


def _number(value: str, arguments: dict[str, Any]) -> str:
    read = transforms.passed(transforms.apply("number", text_series([value]), arguments))
    return str((read.items if isinstance(read, Lists) else read).iloc[0])


def _rewritten(question: Question, calls: tuple[TransformCall, ...]) -> str:
    if question.part is question.line:
        return written(question.line, calls)
    return written(_with_part(question.line, question.part, calls))


def _with_part(spec: FieldSpec, part: FieldSpec, calls: tuple[TransformCall, ...]) -> FieldSpec:
    if spec is part:
        return spec.model_copy(update={"transforms": calls})
    if not isinstance(spec.source, AllSource):
        return spec
    specs = tuple(_with_part(one, part, calls) for one in spec.source.specs)
    return spec.model_copy(update={"source": spec.source.model_copy(update={"specs": specs})})
