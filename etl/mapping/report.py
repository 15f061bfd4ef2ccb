"""Gathers the problems of a mapping, each with its place, and reads one level of it after the other."""

from __future__ import annotations

from typing import Any, Generic, NamedTuple, TypeVar

from pydantic import ValidationError

from etl.errors import Problem
from etl.mapping.nearest import did_you_mean, listed
from etl.mapping.parser import BROKEN, Document, Loc, Place
from etl.mapping.syntax import Level, shape

L = TypeVar("L", bound=Level)


class Read(NamedTuple, Generic[L]):
    """A level that was read. `dropped`: its keys whose values were refused, which count as absent in `level`."""

    level: L
    dropped: frozenset[str]


class Report:
    """The problems of one document, in the order in which they are found."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.problems: list[Problem] = list(document.problems)

    def place(self, loc: Loc) -> Place:
        """Return the place of what `loc` names: of its key, where it is an entry of a table."""
        return self.document.place(loc, key=True)

    def add(self, loc: Loc, message: str, code: str, hint: str = "") -> None:
        """Tell a problem of the value at `loc`."""
        self._tell(self.document.place(loc), message, code, hint)

    def add_at_key(self, loc: Loc, message: str, code: str, hint: str = "") -> None:
        """Tell a problem of the key that `loc` ends with."""
        self._tell(self.place(loc), message, code, hint)

    def add_in_text(self, loc: Loc, offset: int, message: str, code: str, hint: str = "") -> None:
        """Tell a problem `offset` characters into the text at `loc`; at its start where it is not written out."""
        exact = self.document.exact.get(loc)
        place = (exact[0], exact[1] + offset) if exact else self.document.place(loc)
        self._tell(place, message, code, hint)

    def table(self, raw: object, loc: Loc, what: str) -> dict[str, Any]:
        """Return `raw` without what was refused already; {} with a problem where it is no table of keys."""
        if isinstance(raw, dict):
            return {key: value for key, value in raw.items() if value is not BROKEN}
        if raw is not BROKEN and raw is not None:
            self.add(loc, f"{what} must be a table of keys, not {shape(raw)}", "wrong-form")
        return {}

    def items(self, raw: object, loc: Loc, what: str) -> list[tuple[Loc, Any]]:
        """Return the items of a list with their ways; [] with a problem where `raw` is no list."""
        if isinstance(raw, list):
            return [((*loc, place), item) for place, item in enumerate(raw) if item is not BROKEN]
        if raw is not BROKEN and raw is not None:
            self.add(loc, f"{what} must be a list, not {shape(raw)}", "wrong-form", "start each item with `- `")
        return []

    def read_level(self, model: type[L], raw: object, loc: Loc, what: str) -> Read[L]:
        """Return `raw` as a `model`; what does not fit is told, and left out."""
        table = self.table(raw, loc, what)
        dropped = {key for key, value in raw.items() if value is BROKEN} if isinstance(raw, dict) else {"*"}
        try:
            return Read(model.model_validate(table), frozenset(dropped))
        except ValidationError as error:
            for fault in error.errors(include_url=False):
                key = str(fault["loc"][0])
                if key not in dropped:
                    self._form_problem(model, loc, key, table[key], fault)
                dropped.add(key)
        kept = {key: value for key, value in table.items() if key not in dropped}
        return Read(model.model_validate(kept), frozenset(dropped))

    def _form_problem(self, model: type[Level], loc: Loc, key: str, value: object, fault: Any) -> None:
        here = (*loc, key)
        context = fault.get("ctx", {})
        match fault["type"]:
            case "extra_forbidden":
                keys = [field.alias or name for name, field in model.model_fields.items()]
                hint = did_you_mean(key, keys, f"the keys here are {listed(keys, 'and')}")
                self.add_at_key(here, f"unknown key '{key}'", "unknown-key", hint)
            case "literal_error":
                choices = [choice.strip("'") for choice in context["expected"].replace(" or ", ", ").split(", ")]
                hint = did_you_mean(value, choices) if isinstance(value, str) else ""
                self.add(here, f"'{key}' must be {listed(choices)}, not {shape(value)}", "wrong-value", hint)
            case "wrong":
                at = context["at"]
                self.add(
                    here if at is None else (*here, at),
                    f"'{key}': {context['message']}",
                    "wrong-value",
                    context["hint"],
                )
            case other:
                raise AssertionError(f"BUG: no words for pydantic's {other} at {here}")

    def _tell(self, place: Place, message: str, code: str, hint: str) -> None:
        self.problems.append(Problem(message, code, place[0], place[1], hint))
