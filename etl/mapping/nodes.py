"""The nodes of a condition: frozen, small, picklable; what `grammar` makes and `expressions` evaluates."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Column:
    """The cells of a column, trimmed."""

    name: str


@dataclass(frozen=True, slots=True)
class Text:
    """A text constant."""

    value: str


@dataclass(frozen=True, slots=True)
class Number:
    """A number constant."""

    value: Decimal


@dataclass(frozen=True, slots=True)
class Lower:
    """Text in small letters."""

    of: Operand


@dataclass(frozen=True, slots=True)
class ToNumber:
    """Text read as a plain decimal number."""

    of: Operand


Operand: TypeAlias = Column | Text | Number | Lower | ToNumber


@dataclass(frozen=True, slots=True)
class Compare:
    """Two operands and one of == != < <= > >=; read as numbers if `numeric`."""

    sign: str
    left: Operand
    right: Operand
    numeric: bool


@dataclass(frozen=True, slots=True)
class Among:
    """Whether the operand is one of the constants, which are of one kind."""

    operand: Operand
    choices: tuple[Text, ...] | tuple[Number, ...]


@dataclass(frozen=True, slots=True)
class IsBlank:
    """Whether the text is empty or white space."""

    operand: Operand


@dataclass(frozen=True, slots=True)
class Contains:
    """Whether `part` stands in the text."""

    operand: Operand
    part: str


@dataclass(frozen=True, slots=True)
class Not:
    """The opposite."""

    of: Condition


@dataclass(frozen=True, slots=True)
class Both:
    """All of the parts (`and`)."""

    parts: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Either:
    """One of the parts (`or`)."""

    parts: tuple[Condition, ...]


Condition: TypeAlias = Compare | Among | IsBlank | Contains | Not | Both | Either
