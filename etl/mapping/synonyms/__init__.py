"""What people call the contract's fields: names by language, as data, one file a language. For drafting alone.

A file's NAMES has a line a target, `target: name, name`, continued by lines that begin with a space; QUALIFIERS are
words that may stand beside a name. Case, accents, spaces and punctuation are folded on both sides before names are
compared. Targets in angle brackets are no fields: they become part of a template (`<first_name>`), a condition
(`<consent>`), a hint (`<currency>`), or nothing at all (`<other>`: names that resemble a field's and are none).
A column that speaks of people who leave is `<opt_out>`, though it hold the date or the reason; a remark is `<reason>`.
A mapping that runs never uses these.
"""

from __future__ import annotations

import re

from etl.mapping.synonyms import english, french, german, italian, others, polish, spanish, swedish
from etl.transforms.folding import fold_accents

FIRST_NAME, LAST_NAME = "<first_name>", "<last_name>"
STREET, HOUSE, FLAT = "<street>", "<house>", "<flat>"
CONSENT, OPT_OUT, REASON = "<consent>", "<opt_out>", "<reason>"
DATE, CURRENCY, OTHER = "<date>", "<currency>", "<other>"

Names = dict[str, dict[str, tuple[str, ...]]]
"""Target to language to names."""

_ADDRESS_PARTS = frozenset({STREET, HOUSE, FLAT})
_TABLES = {
    "en": english.NAMES, "pl": polish.NAMES, "de": german.NAMES, "sv": swedish.NAMES, "es": spanish.NAMES,
    "fr": french.NAMES, "it": italian.NAMES, "nl": others.DUTCH, "cs": others.CZECH, "da": others.DANISH,
}  # fmt: skip


def _read(text: str) -> dict[str, tuple[str, ...]]:
    """Return target → names of one language's table."""
    whole = re.sub(r"\n +", " ", text.strip("\n"))
    lines = (line.partition(":") for line in whole.splitlines())
    return {target: tuple(name.strip() for name in listed.split(",") if name.strip()) for target, _, listed in lines}


def _words(text: str) -> frozenset[str]:
    return frozenset(fold_accents(text).casefold().split())


def _by_target() -> Names:
    found: Names = {}
    for language, text in _TABLES.items():
        for target, names in _read(text).items():
            found.setdefault(target, {})[language] = names
    return found


def _is_contact(target: str) -> bool:
    return target.startswith("contact.") or target in {"newEmail", "tags"} or target in _ADDRESS_PARTS


_ALL = _by_target()
_EMAIL = {"email": _ALL.pop("email")}
CONTACT: Names = {"contact.email": _EMAIL["email"]} | {t: n for t, n in _ALL.items() if _is_contact(t)}
ANY_ACTION: Names = {t: n for t, n in _ALL.items() if t.startswith("<") and not _is_contact(t)}
DELETE: Names = _EMAIL
EVENT: Names = _EMAIL | {t: n for t, n in _ALL.items() if not t.startswith("<") and not _is_contact(t)}

QUALIFIERS = frozenset[str]().union(
    *(_words(language.QUALIFIERS) for language in (english, polish, german, swedish, spanish, french, italian)),
    _words("eur euro pln zł usd gbp chf sek czk 1"),
)
"""Words (folded) that may stand beside a name without changing what it is: 'Customer e-mail'."""

OPT_OUT_WORDS = _words("""
    optout unsub wypis rezygnac abmeld loesch losch widerruf usunie usuni dousuniecia delete deletion
    erasure suppress donotcontact avregistr avprenumer avanmal desinscri desabonn austrag desuscri disiscri bajas
""")
"""Beginnings (folded) of words in a file's name that speak of people who leave."""

CONTACT_WORDS = _words("""
    newsletter contact kontakt lead subscriber customer klien kunde abonn signup zapis client kund contatt suscript
    prenumerant iscritt
""")
"""Beginnings of words in a file's name that speak of people who stay."""

YES = _words("""
    1 active ano ja on oui prawda si subscribed t tak true wahr wyrazona x y yes zgoda vrai vero verdadero sant
""")
"""What a cell says for yes, folded."""

NO = _words("""
    0 brak f falsch false falsz inactive n ne nein nej nie no non off unsubscribed faux falso falskt
""")
"""What a cell says for no, folded."""

CURRENCY_REGION = {
    "PLN": "PL", "ZŁ": "PL", "ZL": "PL", "GBP": "GB", "CHF": "CH", "SEK": "SE", "CZK": "CZ", "DKK": "DK",
    "NOK": "NO", "HUF": "HU",
}  # fmt: skip
"""The region that a currency belongs to, for telephone numbers; the euro's is many."""

LANGUAGE_REGIONS = {
    "pl": ("PL",),
    "de": ("DE", "AT", "CH"),
    "sv": ("SE",),
    "fr": ("FR", "BE"),
    "es": ("ES",),
    "it": ("IT",),
    "nl": ("NL", "BE"),
    "cs": ("CZ",),
    "da": ("DK",),
}
"""Regions to try, in this order, for telephone numbers without a country code. English says nothing of it."""

DOMAIN_REGIONS = frozenset(
    {"AT", "BE", "CH", "CZ", "DE", "DK", "ES", "FI", "FR", "HU", "IT", "NL", "NO", "PL", "SE", "SK", "UK"}
)
"""Top-level domains that say in which country most of the people live."""
