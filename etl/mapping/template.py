"""Templates: text with column names in braces, `{First name} {Last name}`; `{{` and `}}` are braces themselves."""

from __future__ import annotations

from etl.mapping.braces import TextError, read_column
from etl.mapping.model import TemplatePart


def parse_template(text: str) -> tuple[TemplatePart, ...]:
    """Return the parts of `text` in order, text and columns; raises TextError where a brace is alone.

    >>> [(part.text, part.is_column) for part in parse_template("{{{Shop}}}: {'a } b'}")]
    [('{', False), ('Shop', True), ('}: ', False), ('a } b', True)]
    """
    parts: list[TemplatePart] = []
    literal = ""
    offset = 0
    while offset < len(text):
        pair = text[offset : offset + 2]
        if pair in {"{{", "}}"}:
            literal += pair[0]
            offset += 2
        elif text[offset] == "{":
            name, offset = read_column(text, offset)
            parts += [*_literal(literal), TemplatePart(text=name, is_column=True)]
            literal = ""
        elif text[offset] == "}":
            raise TextError("'}' without '{'", offset, "write }} for a brace that is text")
        else:
            literal += text[offset]
            offset += 1
    return (*parts, *_literal(literal))


def _literal(text: str) -> list[TemplatePart]:
    return [TemplatePart(text=text, is_column=False)] if text else []
