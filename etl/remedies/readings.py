"""How dates, numbers and telephone numbers that cannot be read are probably written, as arguments of transforms."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import phonenumbers

from etl.mapping.header_names import sheet_languages
from etl.mapping.looks import look
from etl.mapping.proposals import hints
from etl.mapping.synonyms import CURRENCY_REGION
from etl.remedies.samples import Samples
from etl.transforms.date_formats import date_format

_DAYS = ("DD.MM.YYYY", "DD/MM/YYYY", "DD-MM-YYYY", "DD.MM.YY", "DD/MM/YY", "DD-MM-YY", "DD MM YYYY")
_FORMATS = (
    *_DAYS, *(day.replace("DD", "##").replace("MM", "DD").replace("##", "MM") for day in _DAYS),
    "YYYY.MM.DD", "YYYY/MM/DD", "YYYYMMDD", "D MMMM YYYY", "D. MMMM YYYY", "D-MMM-YYYY", "D-MMM-YY", "MMMM D, YYYY",
)  # fmt: skip
_TIMES = ("", " HH:mm", " HH:mm:ss")
_MOST_FORMATS = 3
_SERIAL = re.compile(r"(?:[2-5][0-9]{4}|60000)(?:\.[0-9]+)?")
_CURRENCY = re.compile(r"[^\W\d_]|[€$£¥]")
_COUNTED = 50


def date_arguments(known: Mapping[str, Any], words: Sequence[str], good: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Yield arguments of `date` that read more of the bad `words`: further formats, Excel's day numbers, both."""
    serials = sum(_SERIAL.fullmatch(word) is not None for word in words)
    formats = _formats(words, good)
    with_formats: dict[str, Any] = {key: value for key, value in known.items() if key != "day_first"}
    with_formats["formats"] = (*known.get("formats", ()), *formats)
    if formats:
        yield with_formats
    if serials and "excel_serials" not in known:
        yield {**known, "excel_serials": True}
        if formats:
            yield {**with_formats, "excel_serials": True}


def _formats(words: Sequence[str], good: Sequence[str]) -> tuple[str, ...]:
    """Return the formats that read the words, those that read the most first; none that leaves day or month open."""
    left = list(words)
    chosen: list[str] = []
    while left and len(chosen) < _MOST_FORMATS:
        counted = [(sum(map(_reader(one), left)), one) for one in _all_formats()]
        count, best = max(counted, key=lambda pair: pair[0])
        mirror = _mirror(best)
        if not count or (mirror and not _tells_apart(best, mirror, [*left, *good])):
            break
        chosen.append(best)
        reads = _reader(best)
        left = [word for word in left if not reads(word)]
    return tuple(chosen)


def _all_formats() -> Iterator[str]:
    for one in _FORMATS:
        for time in _TIMES:
            yield one + time


def _reader(written: str) -> Any:
    one = date_format(written)
    return lambda value: one.read(value) is not None


def _mirror(written: str) -> str:
    """Return the format with day and month exchanged, "" where it has names of months or the year first."""
    if "MMM" in written or written.startswith("YYYY"):
        return ""
    day, _, time = written.partition(" HH")
    swapped = day.replace("DD", "##").replace("MM", "DD").replace("##", "MM")
    return swapped + (" HH" + time if time else "")


def _tells_apart(written: str, mirror: str, values: Sequence[str]) -> bool:
    """Whether some value is a date in the first order alone, and none in the other alone."""
    one, other = _reader(written), _reader(mirror)
    return any(one(value) and not other(value) for value in values) and not any(
        other(value) and not one(value) for value in values
    )


def number_arguments(name: str, known: Mapping[str, Any], words: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Yield arguments of `number` (or `integer`) with the signs that occur in the bad `words`."""
    some = "".join(words[:_COUNTED])
    groups = [None, *(sign for sign in (" ", ".", ",", "'") if _holds(some, sign))]
    if name == "integer":
        yield from ({**known, "thousands": sign} for sign in groups if sign is not None)
        return
    currencies = [False, True] if _CURRENCY.search(some) else [False]
    for currency in currencies:
        for decimal in (".", ","):
            for sign in groups:
                if sign != decimal:
                    yield _signed(known, decimal, sign, currency=currency)


def _holds(text: str, sign: str) -> bool:
    return any(spelling in text for spelling in {" ": " \u00a0\u2009\u202f", "'": "'’"}.get(sign, sign))


def _signed(known: Mapping[str, Any], decimal: str, thousands: str | None, *, currency: bool) -> dict[str, Any]:
    found = {key: value for key, value in known.items() if key not in {"decimal", "thousands"}}
    if decimal != ".":
        found["decimal"] = decimal
    if thousands is not None:
        found["thousands"] = thousands
    if currency:
        found["currency"] = True
    return found


def regions(samples: Samples, good: Sequence[str]) -> tuple[str, ...]:
    """Return where the sheet's numbers probably belong: by the country codes of good ones, names and addresses."""
    found = [region for value in good[:_COUNTED] if (region := _region_of(value))]
    by_count = sorted(set(found), key=lambda region: -found.count(region))
    if samples.binding is None:
        return tuple(by_count)
    header = samples.binding.header
    votes = sheet_languages(header, "contact.upsert")
    languages = sorted(votes, key=lambda language: -votes[language])
    looks = {int(position): look(samples.head[position]) for position in samples.head.columns}
    emails = next((seen for seen in looks.values() if seen.email > 0.5), None)
    money = next((seen for seen in looks.values() if _are_currencies(seen.values)), None)
    return tuple(dict.fromkeys([*by_count, *hints(languages, None, money, emails).regions]))


def _are_currencies(values: Sequence[str]) -> bool:
    return bool(values) and all(value.upper() in CURRENCY_REGION for value in values)


def _region_of(value: str) -> str:
    try:
        return phonenumbers.region_code_for_number(phonenumbers.parse(value, None)) or ""
    except phonenumbers.NumberParseException:
        return ""
