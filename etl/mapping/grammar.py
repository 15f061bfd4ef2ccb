"""Conditions, text → nodes: a tokenizer and a recursive descent. Nothing is evaluated here.

    either     = both ("or" both)*
    both       = negated ("and" negated)*
    negated    = "not" negated | "(" either ")" | contains "(" operand "," text ")" | comparison
    comparison = operand (== != < <= > >=) operand | operand ["not"] "in" list | operand "is" ["not"] "blank"
    list       = "[" literal ("," literal)* "]", round brackets too
    operand    = {Column name} | name | text | number | lower "(" operand ")" | number "(" operand ")"

What can never be decided, or never be true, is refused here: two constants compared, text against a number, a list
of both, order between two columns read as text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import NoReturn

from etl.mapping.braces import TextError, read_column
from etl.mapping.nodes import (
    Among,
    Both,
    Column,
    Compare,
    Condition,
    Contains,
    Either,
    IsBlank,
    Lower,
    Not,
    Number,
    Operand,
    Text,
    ToNumber,
)

MAX_LENGTH = 4000
MAX_DEPTH = 40

NUMBER = r"[+-]?[0-9]+(?:\.[0-9]+)?"
"""A plain decimal number, as it stands in a condition and in a cell."""


_TOKEN = re.compile(
    rf"""(?P<space>\s+)|(?P<number>{NUMBER}(?![\w.]))|(?P<word>[^\W\d]\w*)|(?P<text>'[^']*'|"[^"]*")"""
    r"""|(?P<sign>==|!=|<=|>=|<|>|[()\[\],])"""
)
_SIGNS = {"==", "!=", "<", "<=", ">", ">="}
_MIRRORED = {"<": ">", ">": "<", "<=": ">=", ">=": "<="}
_RESERVED = {"and", "or", "not", "in", "is"}
_MEANT = {"=": "==", "<>": "!=", "&&": "and", "&": "and", "||": "or", "|": "or", "!": "not"}
_BRACES = "a column's name that is not one plain word stands in braces: {First name}"


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of a condition. `kind`: number, word, text, sign, column or end."""

    kind: str
    value: str
    offset: int


def parse_condition(text: str) -> tuple[Condition, tuple[str, ...]]:
    """Return the condition and the columns it names, in order of appearance. Raises TextError."""
    if len(text) > MAX_LENGTH:
        raise TextError(
            f"a condition of more than {MAX_LENGTH} characters", 0, "use the `map` transform for long lists"
        )
    tokens = list(tokens_of(text))
    columns = tuple(dict.fromkeys(token.value for token in tokens if token.kind == "column"))
    return _Parser(tokens).whole(), columns


def tokens_of(text: str) -> list[Token]:
    """Return the tokens of `text`, an `end` last; a bare word that is a column is of the kind `column`."""
    tokens: list[Token] = []
    offset = 0
    while offset < len(text):
        if text[offset] == "{":
            name, end = read_column(text, offset)
            tokens.append(Token("column", name, offset))
            offset = end
            continue
        found = _TOKEN.match(text, offset)
        if found is None:
            _refuse_character(text, offset)
        kind = str(found.lastgroup)
        if kind != "space":
            value = found.group()
            tokens.append(Token(kind, value[1:-1] if kind == "text" else value, offset))
        offset = found.end()
    tokens.append(Token("end", "", len(text)))
    return [_column_or_word(token, tokens, place) for place, token in enumerate(tokens)]


def _column_or_word(token: Token, tokens: list[Token], place: int) -> Token:
    if token.kind != "word" or token.value in _RESERVED:
        return token
    after_is = place > 0 and tokens[place - 1].value in {"is", "not"} and tokens[place - 1].kind == "word"
    if token.value == "blank" and after_is and _follows_is(tokens, place):
        return token
    following = tokens[place + 1]
    if following.kind == "sign" and following.value == "(":
        return token
    return Token("column", token.value, token.offset)


def _follows_is(tokens: list[Token], place: int) -> bool:
    words = [token.value if token.kind == "word" else "" for token in tokens[max(0, place - 2) : place]]
    return words[-1:] == ["is"] or words == ["is", "not"]


def _refuse_character(text: str, offset: int) -> NoReturn:
    if text[offset] in {"'", '"'}:
        raise TextError("a quote that is never closed", offset, "close it with the same sign")
    for written, meant in _MEANT.items():
        if len(written) == 2 and text.startswith(written, offset):
            raise TextError(f"'{written}' is no sign here", offset, f"write {meant}")
    if text[offset] in _MEANT:
        raise TextError(f"'{text[offset]}' is no sign here", offset, f"write {_MEANT[text[offset]]}")
    if text[offset].isdigit():
        raise TextError("a number that cannot be read", offset, f"write digits and one point, or {_BRACES}")
    raise TextError(f"'{text[offset]}' is no sign here", offset, _BRACES)


class _Parser:
    def __init__(self, tokens: list[Token]) -> None:
        self.tokens = tokens
        self.place = 0
        self.depth = 0

    @property
    def here(self) -> Token:
        return self.tokens[self.place]

    def whole(self) -> Condition:
        condition = self._either()
        if self.here.kind != "end":
            self._unexpected("and, or, or the end")
        return condition

    def _either(self) -> Condition:
        parts = [self._both()]
        while self._take_word("or"):
            parts.append(self._both())
        return parts[0] if len(parts) == 1 else Either(tuple(parts))

    def _both(self) -> Condition:
        parts = [self._negated()]
        while self._take_word("and"):
            parts.append(self._negated())
        return parts[0] if len(parts) == 1 else Both(tuple(parts))

    def _negated(self) -> Condition:
        self._deeper()
        if self._take_word("not"):
            condition: Condition = Not(self._negated())
        elif self._take_sign("("):
            condition = self._either()
            self._expect_sign(")")
        elif self.here.kind == "word" and self.here.value == "contains":
            condition = self._contains()
        else:
            condition = self._comparison()
        self.depth -= 1
        return condition

    def _contains(self) -> Condition:
        self.place += 1
        self._expect_sign("(")
        start = self.here
        operand = self._operand()
        _require_text(operand, start, "contains()")
        self._expect_sign(",")
        if self.here.kind != "text" or not self.here.value:
            self._unexpected("the text to look for, in quotes")
        part = self.here.value
        self.place += 1
        self._expect_sign(")")
        return Contains(operand, part)

    def _comparison(self) -> Condition:
        start = self.here
        left = self._operand()
        if self._take_word("is"):
            return self._is_blank(left, start)
        if self.here.kind == "word" and self.here.value == "not":
            self.place += 1
            if not self._take_word("in"):
                self._unexpected("in")
            return Not(self._among(left, start))
        if self._take_word("in"):
            return self._among(left, start)
        if self.here.kind != "sign" or self.here.value not in _SIGNS:
            self._unexpected("a comparison, such as == 'yes'")
        sign = self.here
        self.place += 1
        right = self._operand()
        if self.here.kind == "sign" and self.here.value in _SIGNS:
            raise TextError("two comparisons in a row", self.here.offset, "join them with `and`")
        return _compare(sign, left, right)

    def _is_blank(self, operand: Operand, start: Token) -> Condition:
        opposite = self._take_word("not")
        if not self._take_word("blank"):
            self._unexpected("blank, or not blank")
        if isinstance(operand, Text | Number):
            raise TextError("a constant is never blank", start.offset, "name a column: {First name} is blank")
        _require_text(operand, start, "is blank")
        return Not(IsBlank(operand)) if opposite else IsBlank(operand)

    def _among(self, operand: Operand, start: Token) -> Condition:
        if isinstance(operand, Text | Number):
            raise TextError("a constant before `in`", start.offset, "name a column: Country in ['PL', 'DE']")
        closing = "]" if self._take_sign("[") else ")"
        if closing == ")":
            self._expect_sign("(", "a list, such as ['PL', 'DE']")
        texts: list[Text] = []
        numbers: list[Number] = []
        while True:
            token = self.here
            choice = self._operand()
            match choice:
                case Text():
                    texts.append(_reachable(choice, operand, token))
                case Number():
                    numbers.append(choice)
                case _:
                    raise TextError(
                        "a column in a list of constants", token.offset, "text stands in quotes: ['PL', 'DE']"
                    )
            if texts and numbers:
                raise TextError("text and numbers in one list", token.offset, "put all of them into quotes, or none")
            if numbers and isinstance(operand, Lower):
                raise TextError("lower() gives text, the list has numbers", token.offset, "put the numbers into quotes")
            if texts and isinstance(operand, ToNumber):
                raise TextError(
                    "number() gives numbers, the list has text", token.offset, "write the numbers without quotes"
                )
            if not self._take_sign(","):
                break
        self._expect_sign(closing)
        return Among(operand, tuple(texts) or tuple(numbers))

    def _operand(self) -> Operand:
        token = self.here
        self.place += 1
        match token.kind:
            case "column":
                return Column(token.value)
            case "text":
                return Text(token.value)
            case "number":
                return Number(Decimal(token.value))
            case "word" if token.value in {"lower", "number"}:
                return self._call(token)
        self.place -= 1
        return self._unexpected("a column, a text in quotes or a number")

    def _call(self, name: Token) -> Operand:
        self._deeper()
        self._expect_sign("(")
        start = self.here
        operand = self._operand()
        self._expect_sign(")")
        self.depth -= 1
        if isinstance(operand, Text | Number):
            raise TextError(f"{name.value}() of a constant", start.offset, "write the constant that is meant")
        _require_text(operand, start, f"{name.value}()")
        return Lower(operand) if name.value == "lower" else ToNumber(operand)

    def _deeper(self) -> None:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise TextError(f"more than {MAX_DEPTH} levels", self.here.offset, "split the record into several")

    def _take_word(self, word: str) -> bool:
        taken = self.here.kind == "word" and self.here.value == word
        self.place += taken
        return taken

    def _take_sign(self, sign: str) -> bool:
        taken = self.here.kind == "sign" and self.here.value == sign
        self.place += taken
        return taken

    def _expect_sign(self, sign: str, wanted: str = "") -> None:
        if not self._take_sign(sign):
            self._unexpected(wanted or f"'{sign}'")

    def _unexpected(self, wanted: str) -> NoReturn:
        token = self.here
        found = f"'{token.value}'" if token.kind != "end" else "the end"
        hint = ""
        if token.kind == "column" and token.value.lower() in {*_RESERVED, "blank"}:
            hint = f"write {token.value.lower()} in small letters"
        elif token.kind == "word" and token.value not in _RESERVED:
            hint = "there are lower(), number() and contains()"
        elif token.kind == "column" and self.place and self.tokens[self.place - 1].kind == "column":
            hint = f"{_BRACES[:-12]}{{{self.tokens[self.place - 1].value} {token.value}}}"
        elif token.kind == "column":
            hint = "text stands in quotes: 'yes'"
        raise TextError(f"{wanted} is expected here, not {found}", token.offset, hint)


def _compare(sign: Token, left: Operand, right: Operand) -> Condition:
    if isinstance(left, Text | Number):
        if isinstance(right, Text | Number):
            raise TextError("two constants are compared", sign.offset, "name a column; text alone stands in quotes")
        left, right = right, left
        sign = Token("sign", _MIRRORED.get(sign.value, sign.value), sign.offset)
    numeric = any(isinstance(one, Number | ToNumber) for one in (left, right))
    for one in (left, right):
        if numeric and isinstance(one, Text | Lower):
            raise TextError(
                "text is compared with a number", sign.offset, "write the number without quotes, or the text with them"
            )
    if isinstance(right, Text):
        _reachable(right, left, sign)
    if not numeric and sign.value in _MIRRORED:
        _require_order(right, sign)
    return Compare(sign.value, left, right, numeric)


def _require_order(right: Operand, sign: Token) -> None:
    if not isinstance(right, Text):
        raise TextError(
            f"{sign.value} between two columns", sign.offset, "say how they are read: number(a) < number(b)"
        )
    if re.fullmatch(NUMBER, right.value):
        raise TextError(f"{sign.value} with a number in quotes", sign.offset, f"write {right.value} without quotes")


def _reachable(constant: Text, operand: Operand, token: Token) -> Text:
    """Refuse a constant that no cell can equal: cells are trimmed, lower() leaves no capitals."""
    if constant.value != constant.value.strip():
        raise TextError(
            "text with spaces at its edge", token.offset, f"cells are trimmed: write '{constant.value.strip()}'"
        )
    if isinstance(operand, Lower) and constant.value != constant.value.lower():
        raise TextError("lower() leaves no capitals", token.offset, f"write '{constant.value.lower()}'")
    return constant


def _require_text(operand: Operand, token: Token, what: str) -> None:
    if isinstance(operand, Number | ToNumber):
        raise TextError(f"{what} of a number", token.offset, "name a column")
