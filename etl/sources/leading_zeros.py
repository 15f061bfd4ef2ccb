"""Numbers that a workbook shows with leading zeros: postcodes and phones typed as numbers. Pure."""

from __future__ import annotations

import re

_LITERALS = re.compile(r'\\(.)|"([^"]*)"')
_LOCALE = re.compile(r"\[\$-[0-9A-Fa-f]+\]")
_ZEROS = re.compile(r"0[0 ./-]*0")


def zeros_of(code: str) -> str | None:
    """Return the zeros of a number format with the signs between them; None for any other format.

    >>> zeros_of("00000"), zeros_of(r"[$-415]00\\-000"), zeros_of("0.00")
    ('00000', '00-000', None)
    """
    # A dot that is no literal is the decimal sign.
    if "." in _LITERALS.sub("", code) or "/" in _LITERALS.sub("", code):
        return None
    plain = _LITERALS.sub(lambda found: found[1] or found[2] or "", _LOCALE.sub("", code))
    return plain if _ZEROS.fullmatch(plain) else None


def shown(digits: str, zeros: str) -> str:
    """Return a whole number as it stands on the screen; digits without a place of their own stand in front.

    >>> shown("950", "00000"), shown("950", "00-000"), shown("1234567", "00-000")
    ('00950', '00-950', '1234-567')
    """
    left = list(digits.zfill(zeros.count("0")))
    text = "".join([left.pop() if sign == "0" else sign for sign in reversed(zeros)])[::-1]
    return "".join(left) + text
