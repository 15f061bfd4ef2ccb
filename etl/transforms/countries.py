"""Countries by name (English, Polish, German, Swedish) or code, from pycountry's tables (ISO 3166-1)."""

from __future__ import annotations

import gettext
import re
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

import pandas as pd
import pycountry
from rapidfuzz import fuzz, process

from etl.transforms.columns import Failure, convert
from etl.transforms.folding import fold_accents
from etl.transforms.registry import Example, Outcome, transform

LANGUAGES = ("pl", "de", "sv")

# What people write and no table has: everyday names, names of parts, names in the country's own language.
_ALSO = {
    "AE": "UAE, ZEA, VAE, Emirates",
    "AT": "Österreich",
    "BA": "Bosnia, Bośnia, Bosnien",
    "BE": "België, Belgique",
    "CH": "Suisse, Svizzera",
    "CN": "PRC",
    "CZ": "Czech Republic, Republika Czeska, Tschechische Republik, Česko, Česká republika, Tjeckiska republiken",
    "DE": "RFN, BRD, Federal Republic of Germany",
    "ES": "España",
    "FI": "Suomi",
    "FR": "France métropolitaine",
    "GB": "UK, U.K., England, Scotland, Wales, Northern Ireland, Great Britain, Anglia, Szkocja, Walia, "
    "Wielka Brytania, Zjednoczone Królestwo, Großbritannien, Schottland, Storbritannien, Skottland",
    "GR": "Ellada",
    "HR": "Hrvatska",
    "HU": "Magyarország",
    "IE": "Éire, Republic of Ireland",
    "IR": "Iran",
    "IT": "Italia",
    "KR": "South Korea, Korea Południowa, Südkorea, Sydkorea",
    "KP": "North Korea, Korea Północna, Nordkorea",
    "LT": "Lietuva",
    "LV": "Latvija",
    "MD": "Moldova, Mołdawia, Moldau, Moldavien",
    "MK": "Macedonia, Mazedonien, Makedonien",
    "NL": "Holland, Holandia, The Netherlands, Nederland",
    "NO": "Norge",
    "PL": "RP, Rzeczpospolita Polska",
    "RU": "Russia, Rosja, Russland, Ryssland",
    "SE": "Sverige",
    "SI": "Slovenija",
    "SK": "Slovensko",
    "SY": "Syria, Syrien",
    "TR": "Turkey, Turcja, Türkei, Turkiet",
    "TW": "Taiwan, Tajwan",
    "TZ": "Tanzania, Tansania",
    "US": "U.S., U.S.A., United States of America, America, Stany Zjednoczone Ameryki, Ameryka, Amerika, "
    "Vereinigte Staaten von Amerika, Förenta staterna, Amerikas förenta stater",
    "VA": "Vatican, Watykan, Vatikan",
    "VE": "Venezuela, Wenezuela",
    "VN": "Vietnam, Wietnam",
    "XK": "Kosovo, Kosowo",
}
# Not of ISO 3166-1, but in everyday use: its codes are set aside for users.
_KOSOVO = ("XK", "XKX", "Kosovo")
_NOT_IN_A_KEY = re.compile(r"[\W_]+")
_LEAST_LETTERS, _CLOSE, _APART = 4, 80, 5
"""Of a name that is misspelled; how alike (0 to 100) it must be, and how much less alike the next country."""


@dataclass(frozen=True, slots=True)
class _Tables:
    """`code_of`: two letters by key (see `_key`); `alpha3`, `name`: by two letters."""

    code_of: dict[str, str]
    alpha3: dict[str, str]
    name: dict[str, str]


@transform(
    code="not-a-country",
    example=(
        Example({}, "Niemcy", "DE"),
        Example({}, "deu", "DE"),
        Example({"output": "name"}, "Schweden", "Sweden"),
    ),
)
def country(text: pd.Series[str], *, output: Literal["alpha2", "alpha3", "name"] = "alpha2") -> Outcome:
    """Write a country's two-letter code, from its name (English, Polish, German, Swedish) or its code.

    `output`: `alpha3` for three letters, `name` for the English name. Capitals, accents and punctuation do not
    matter; a name that two countries share fails, as does one that is not known.
    """
    tables = _tables()

    def code(value: str) -> str | Failure:
        found = find_country(value)
        if found is None:
            return Failure()
        return {"alpha2": found, "alpha3": tables.alpha3[found], "name": tables.name[found]}[output]

    return convert(text, code)


def find_country(written: str) -> str | None:
    """Return the two-letter code of a country, from a name or a code; None if it is not known."""
    return _tables().code_of.get(_key(written))


def nearest_country(written: str) -> str | None:
    """Return the two-letter code of the country whose name is spelled most like `written`, None if none is close.

    Where names of two countries are about equally close, it is not said which was meant.
    """
    known = find_country(written)
    key = _key(written)
    if known is not None or len(key) < _LEAST_LETTERS:
        return known
    names = {name: code for name, code in _tables().code_of.items() if len(name) >= _LEAST_LETTERS}
    found = process.extract(key, list(names), scorer=fuzz.ratio, score_cutoff=_CLOSE, limit=None)
    best = {names[name] for name, score, _ in found if score > found[0][1] - _APART}
    return best.pop() if len(best) == 1 else None


def _key(written: str) -> str:
    return _NOT_IN_A_KEY.sub("", fold_accents(written).casefold())


@cache
def _tables() -> _Tables:
    countries: list[Any] = list(pycountry.countries)
    alpha3 = {c.alpha_2: c.alpha_3 for c in countries} | {_KOSOVO[0]: _KOSOVO[1]}
    name = {c.alpha_2: getattr(c, "common_name", c.name) for c in countries} | {_KOSOVO[0]: _KOSOVO[2]}
    owners: dict[str, set[str]] = {}
    for one in countries:
        kinds = ("name", "common_name", "official_name")
        names = {str(getattr(one, kind)) for kind in kinds if hasattr(one, kind)}
        for written in names | {translate(english) for translate in _translators() for english in names}:
            owners.setdefault(_key(written), set()).add(one.alpha_2)
    code_of = {key: next(iter(codes)) for key, codes in owners.items() if len(codes) == 1}
    code_of |= {_key(written): code for code, listed in _ALSO.items() for written in listed.split(", ")}
    code_of |= {_key(code): two for two, three in alpha3.items() for code in (two, three)}
    return _Tables(code_of, alpha3, name)


def _translators() -> list[Any]:
    return [
        gettext.translation("iso3166-1", pycountry.LOCALES_DIR, languages=[language], fallback=True).gettext
        for language in LANGUAGES
    ]
