"""A written spec → the model's FieldSpec: its source, its chain of transforms, its rules; every problem told."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import etl.transforms  # noqa: F401  the catalogue is filled by importing the shelf
from etl.contract import FieldType
from etl.mapping.constants import why_refused
from etl.mapping.model import AllSource, Blank, FieldSpec, Source, TransformCall, ValueSource
from etl.mapping.nearest import did_you_mean
from etl.mapping.parser import BROKEN, Loc
from etl.mapping.report import Read, Report
from etl.mapping.spec_sources import SOURCES, Goal, Written, source_of
from etl.mapping.syntax import WrittenSpec, shape
from etl.transforms.arguments import check_arguments, files_named
from etl.transforms.registry import CATALOGUE, Transform

_SPEC_KEYS = frozenset(model.alias or name for name, model in WrittenSpec.model_fields.items())
_FIELD_RULES = ("required", "blank", "default", "as")


@dataclass(slots=True)
class SpecReader:
    """Resolves specs. `base`: the folder that file arguments are relative to; `files`: those that were named."""

    report: Report
    base: Path
    files: list[Path] = field(default_factory=list)

    def read(self, raw: object, loc: Loc, goal: Goal) -> FieldSpec | None:
        """Return the spec of `goal`, or None where a problem was told that leaves it without a meaning."""
        if raw is BROKEN:
            return None
        if isinstance(raw, dict) and self._is_nested(raw, loc, goal):
            return None
        short = not isinstance(raw, dict)
        table: dict[str, object] = raw if isinstance(raw, dict) else {"column": raw}
        level = self._read_short(raw, loc) if short else self.report.read_level(WrittenSpec, raw, loc, f"'{goal.path}'")
        written = Written(level.level, table, loc, short, level.dropped, self.report)
        source = source_of(written, goal, lambda part, here: self.read(part, here, Goal(goal.path, None, "part")))
        calls, gives_list = self._chain(written, source, goal)
        blank = self._blank(written, goal)
        self._refuse_rules(written, goal)
        if source is None or calls is None:
            return None
        spec = written.spec
        self._judge_constants(written, source, calls, goal)
        line, column = self.report.place(loc)
        return FieldSpec(
            path=goal.path, source=source, transforms=calls, blank=blank, default=spec.default,
            optional=bool(spec.optional), as_name=spec.as_, gives_list=gives_list, line=line, column=column,
        )  # fmt: skip

    def _read_short(self, raw: object, loc: Loc) -> Read[WrittenSpec]:
        """Read a lone string or list; its items' places are those of the spec itself."""
        values = self.report.document.values
        for place, _ in enumerate(raw if isinstance(raw, list) else ()):
            values[(*loc, "column", place)] = values[(*loc, place)]
        return self.report.read_level(WrittenSpec, {"column": raw}, loc, "a spec")

    def _is_nested(self, raw: dict[str, object], loc: Loc, goal: Goal) -> bool:
        """Tell a table of keys below a Dynamic field, where the dotted path is meant."""
        if not goal.whole_dynamic or not raw or _SPEC_KEYS & raw.keys():
            return False
        key = next(iter(raw))
        if did_you_mean(key, SOURCES) and not isinstance(raw[key], str):
            return False
        column = raw[key] if isinstance(raw[key], str) else "Column"
        self.report.add_at_key(
            (*loc, key), f"'{key}' is nested below '{goal.path}'", "nested-field", f"write {goal.path}.{key}: {column}"
        )
        return True

    # ---- transforms

    def _chain(
        self, written: Written, source: Source | None, goal: Goal
    ) -> tuple[tuple[TransformCall, ...] | None, bool]:
        """Return the calls and whether they end in a list; None for the calls where one of them is wrong."""
        kind = "list" if isinstance(source, AllSource) else "text"
        decided = source is not None
        calls: list[TransformCall] = []
        sound = "transform" not in written.dropped
        for loc, item in self._transform_items(written):
            call = self._call(item, loc)
            if call is None:
                sound = decided = False
                continue
            calls.append(call)
            known = CATALOGUE[call.name]
            if decided and not self._fits(known, kind, loc):
                sound = decided = False
            kind = known.gives if known.takes == "list" or known.gives == "list" else kind
        gives_list = kind == "list"
        if decided and gives_list and not goal.takes_list:
            loc = written.at("transform") if "transform" in written.raw else written.at("all")
            hint = "end with join (one text of all items) or take (one item)"
            self.report.add(loc, f"'{goal.path}' takes one text, and this gives a list", "list-for-text", hint)
            sound = False
        return (tuple(calls) if sound else None), gives_list

    def _transform_items(self, written: Written) -> list[tuple[Loc, object]]:
        raw, loc = written.raw.get("transform"), written.at("transform")
        if raw is None or raw is BROKEN:
            return []
        if isinstance(raw, str | dict):
            return [(loc, raw)]
        if raw == []:
            self.report.add(loc, "'transform' is an empty list", "wrong-value", "name a transform, or remove the line")
        return list(self.report.items(raw, loc, "'transform'"))

    def _call(self, item: object, loc: Loc) -> TransformCall | None:
        if isinstance(item, dict):
            if len(item) != 1:
                message = f"a transform is a name or one name with its arguments, not {len(item)} keys"
                self.report.add(loc, message, "wrong-form", "write - {replace: {old: a, new: b}}")
                return None
            name, given = next(iter(item.items()))
            loc_name, loc_given = (*loc, name), (*loc, name)
        elif isinstance(item, str):
            name, given, loc_name, loc_given = item, None, loc, loc
        else:
            self.report.add(loc, f"a transform's name is expected here, not {shape(item)}", "wrong-form")
            return None
        known = CATALOGUE.get(name)
        if known is None:
            tell = self.report.add_at_key if isinstance(item, dict) else self.report.add
            hint = f'{did_you_mean(name, CATALOGUE)} "etl transforms" lists all of them'.strip()
            tell(loc_name, f"unknown transform '{name}'", "unknown-transform", hint)
            return None
        if _holds_broken(given):
            return None
        return self._checked(known, given, loc, loc_given)

    def _checked(self, known: Transform, given: Any, loc: Loc, loc_given: Loc) -> TransformCall | None:
        arguments, problems = check_arguments(known, given, self.base)
        for text in problems:
            self.report.add(loc_given, text, "transform-argument", f'"etl transforms {known.name}" shows its arguments')
        self.files += files_named(known, given, self.base)
        if problems:
            return None
        line, column = self.report.place(loc)
        return TransformCall(name=known.name, arguments=arguments, line=line, column=column)

    def _fits(self, known: Transform, kind: str, loc: Loc) -> bool:
        if known.takes == "list" and kind == "text":
            message = f"'{known.name}' works on a list, and gets one text"
            self.report.add(loc, message, "text-for-list", "put split before it, or join columns with all: [..]")
            return False
        if known.takes == "text" and known.gives == "list" and kind == "list":
            self.report.add(
                loc, f"'{known.name}' works on one text, and gets a list", "list-for-text", "split once alone"
            )
            return False
        return True

    # ---- rules

    def _blank(self, written: Written, goal: Goal) -> Blank:
        """Return the policy for blanks. Words that contradict each other, or the contract, are told."""
        spec = written.spec
        if spec.required is not None and spec.blank is not None and spec.required != (spec.blank == "error"):
            said = f"required: {str(spec.required).lower()}"
            self._contradiction(
                written, "blank", f"{said} and blank: {spec.blank} contradict each other", "keep one of them"
            )
        elif spec.default is not None and (spec.required or spec.blank not in {None, "default"}):
            other = f"blank: {spec.blank}" if spec.blank else "required: true"
            self._contradiction(written, "default", f"default and {other} contradict each other", "keep one of them")
        elif spec.blank == "default" and spec.default is None and "default" not in written.dropped:
            self._contradiction(written, "blank", "blank: default without a default", "add default: ...")
        elif spec.default is not None and not spec.default.strip():
            self._contradiction(written, "default", "the default is blank", "write the text, or use blank: clear")
        else:
            self._refuse_by_contract(written, goal)
        if spec.default is not None:
            return Blank.DEFAULT
        demanded = (goal.field is not None and goal.field.required) or goal.kind == "group_key"
        if spec.required or (demanded and spec.blank is None):
            return Blank.ERROR
        return Blank(spec.blank) if spec.blank else Blank.SKIP

    def _refuse_by_contract(self, written: Written, goal: Goal) -> None:
        spec = written.spec
        field_ = goal.field
        weak = "blank" if spec.blank in {"skip", "clear"} else "required" if spec.required is False else ""
        if goal.kind == "group_key" and weak:
            message = "the group key chooses the account and can't be left out"
            self._contradiction(written, weak, message, f"remove '{weak}'", "contract")
        if field_ is None:
            return
        weak = weak or ("optional" if spec.optional else "")
        if field_.required and weak:
            message = f"'{field_.path}' is required by the endpoint"
            self._contradiction(written, weak, message, f"remove '{weak}'", "contract")
        elif spec.blank == "clear" and not field_.clearable:
            kind = {FieldType.EMAIL: "an e-mail address", FieldType.FLOAT: "a number"}.get(
                field_.type, "an enumeration"
            )
            message = f"'{goal.path}' is {kind} and can't be cleared"
            self._contradiction(written, "blank", message, "use skip, default or error", "not-clearable")

    def _contradiction(self, written: Written, key: str, message: str, hint: str, code: str = "contradiction") -> None:
        self.report.add_at_key((*written.loc, key), message, code, hint)

    def _refuse_rules(self, written: Written, goal: Goal) -> None:
        refused: dict[str, str] = {}
        if goal.kind == "part":
            refused = dict.fromkeys(_FIELD_RULES, "it belongs beside 'all', for the field as a whole")
        elif goal.kind == "attribute":
            refused = {"as": "the name on the left is the outgoing name"}
        elif goal.kind == "group_key":
            refused = {"as": "the group key's name is fixed", "optional": "without the column no row has an account"}
        elif goal.whole_dynamic:
            refused = {"as": f"its keys are the outgoing names; write {goal.path}.KEY to give one of them another"}
        for key in written.given(*refused):
            self.report.add_at_key((*written.loc, key), f"'{key}' can't stand here", "misplaced-key", refused[key])

    def _judge_constants(self, written: Written, source: Source, calls: tuple[TransformCall, ...], goal: Goal) -> None:
        if goal.field is None:
            return
        judged = [("default", written.spec.default)]
        if isinstance(source, ValueSource) and not calls and source.value.strip():
            key = "value" if "value" in written.raw else "constant"
            judged.append((key, source.value))
        for key, text in judged:
            why = why_refused(goal.field, text) if text is not None and text.strip() else None
            if why is not None:
                self.report.add((*written.loc, key), why[0], "wrong-constant", why[1])


def _holds_broken(value: object) -> bool:
    if isinstance(value, dict):
        return any(_holds_broken(one) for one in value.values())
    return any(_holds_broken(one) for one in value) if isinstance(value, list) else value is BROKEN
