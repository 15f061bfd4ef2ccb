"""Formulas of OpenDocument spreadsheets: what became of them, as far as the file says."""

from __future__ import annotations

VALUES = frozenset(
    ("office:value", "office:string-value", "office:date-value", "office:time-value", "office:boolean-value")
)
"""The attributes that hold a cell's value, by its type."""
_ERROR_TEXTS = frozenset(("#NULL!", "#DIV/0!", "#VALUE!", "#REF!", "#NAME?", "#NUM!", "#N/A"))


class FormulaCell:
    """A cell that is followed to its end: a formula, or one that the program that wrote it calls an error."""

    __slots__ = ("column", "has_text", "has_value", "is_error", "repeats", "text")

    def __init__(self, column: int, repeats: int, attributes: dict[str, str]) -> None:
        self.column, self.repeats = column, repeats
        self.is_error = attributes.get("calcext:value-type") == "error"
        self.has_value = not VALUES.isdisjoint(attributes)
        self.has_text = False
        self.text: list[str] = []

    def error(self) -> str:
        """Return the error as the program shows it, or ""."""
        shown = "".join(self.text).strip()
        is_number = shown.startswith("Err:") and shown[4:].isdigit()
        return shown or "#N/A" if self.is_error or is_number or shown in _ERROR_TEXTS else ""
