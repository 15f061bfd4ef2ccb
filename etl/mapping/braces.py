"""Column names in braces, `{First name}` and `{'odd } name'}`: the form that templates and conditions share."""

from __future__ import annotations


class TextError(ValueError):
    """A mistake in a template or a condition. `offset`: in characters from the text's start."""

    def __init__(self, message: str, offset: int, hint: str = "") -> None:
        super().__init__(message, offset, hint)
        self.message = message
        self.offset = offset
        self.hint = hint


def read_column(text: str, start: int) -> tuple[str, int]:
    """Return the name in the braces that open at `start`, and the offset after them. Raises TextError."""
    if text[start + 1 : start + 2] in {"'", '"'}:
        name, end = _quoted(text, start)
    else:
        end = text.find("}", start)
        if end < 0:
            raise TextError("'{' without '}'", start, "close the column's name with }")
        name = text[start + 1 : end]
        if "{" in name:
            raise TextError("'{' inside the braces", start, "a name with braces stands in quotes: {'odd } name'}")
        end += 1
    if not name.strip():
        raise TextError("braces without a column's name", start, "write the column's name into them: {First name}")
    return name.strip(), end


def write_column(name: str) -> str:
    """Return `name` in braces, in quotes where it needs them."""
    if not {"{", "}"} & set(name) and name[:1] not in {"'", '"'}:
        return f"{{{name}}}"
    quote = '"' if "'" in name else "'"
    return f"{{{quote}{name}{quote}}}"


def _quoted(text: str, start: int) -> tuple[str, int]:
    quote = text[start + 1]
    end = text.find(quote + "}", start + 2)
    if end < 0:
        raise TextError(f"{{{quote} without {quote}}}", start, f"close the column's name with {quote}}}")
    return text[start + 2 : end], end + 2
