"""CP1250, CP1252 or ISO-8859-2: which of them a text that is not UTF-8 was written in, told by its letters.

Each is judged by how likely their reading is: a mixture of languages, each with the share that its letters have
among those outside ASCII (rough shares, rounded), and whether a letter stands where a vowel or a consonant can. How
much of each language there is comes from the text itself (a few rounds of expectation-maximisation), so that a sheet
of Polish names with some German ones is still Polish.
"""

from __future__ import annotations

import itertools
import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

import numpy as np

CENTRAL, WESTERN, ISO = "cp1250", "cp1252", "iso8859-2"

# German stands in both: its letters have the same bytes, so it must not speak for either.
_GERMAN = "ü35 ä30 ö17 ß15 é2"
_LANGUAGES = {
    CENTRAL: {
        "Polish": "ł24 ę15 ó12 ą13 ż11 ś10 ć6 ń6 ź2",
        "Czech": "í22 á16 é11 ě11 ř9 č9 š8 ž7 ý8 ů5 ú1 ň1 ť1 ď1 ó1",
        "Slovak": "á20 í13 é10 č11 ý11 ž10 ú9 š9 ľ4 ť4 ô2 ň2 ä1 ď1 ó1 ĺ1 ŕ1",
        "Hungarian": "á34 é32 ő9 ó8 ö9 í5 ü5 ű2 ú3",
        "Croatian": "č28 š26 ž18 ć20 đ8",
        "Romanian": "ă35 î18 ş18 ţ18 â7 é1",
        "German": _GERMAN,
    },
    WESTERN: {
        "French": "é60 è10 à12 ê8 ç5 ô4 î2 â2 û2 ù1 ë1 ï1 œ3",
        "Spanish": "ó24 í22 á18 é14 ñ12 ú6 ü1 ª1 º1",
        "Portuguese": "ã22 ç16 á13 é14 ó8 í9 ê10 õ9 â3 à3 ú3 ô2 ª1 º1",
        "Italian": "è28 à28 ò16 ù12 ì10 é6",
        "Swedish": "ä40 å30 ö29 é2",
        "Danish": "ø33 å33 æ27 é5 ö1",
        "Finnish": "ä85 ö13 å2",
        "Icelandic": "á20 ð22 í16 ó10 þ10 é8 ö8 æ7 ú6 ý3",
        "Dutch": "é40 ë35 ï15 è5 ö3 ü1",
        "German": _GERMAN,
    },
}

_LANGUAGES[ISO] = _LANGUAGES[CENTRAL]
_PREFERRED = (WESTERN, CENTRAL, ISO)
"""Where two give the same text the earlier one is taken: quotes, dashes and the euro stand in the first two alone."""

_RARE = 0.0005
_SYMBOL_IN_WORD = 1e-6
_SIGN = 0.02
_MISPLACED = 0.12
_HIGH = rb"\x8a\x8c-\x8f\x9a\x9c-\x9f\xa1-\xff"  # letters in one of the two; quotes and dashes are not among them
_WORD = re.compile(rb"(?<![A-Za-z%b])[A-Za-z]*+[%b][A-Za-z%b]*+" % (_HIGH, _HIGH, _HIGH))
_VOWELS = frozenset("aeiouyáàâäãåăąéèêëęěíìîïóòôöõőøúùûüůűýÿæœ")
_ACCENTS = frozenset("ˇ˘˛˝˙")
"""Letters to Unicode, but nobody types them: ½, ², ¡, ¢ and ÿ in the other code page."""
_RULES: dict[str, Callable[[str, str], bool]] = {
    "ń": lambda _, after: after not in _VOWELS,  # before a vowel Polish writes ni, si
    "ś": lambda _, after: after not in _VOWELS,
    "ñ": lambda _, after: after in _VOWELS,
    "ę": lambda before, _: before != "",
    "ą": lambda before, _: before != "",
    "č": lambda _, after: after in _VOWELS or after in "kntlhc",
    "ø": lambda before, after: before not in _VOWELS and after not in _VOWELS,
    "ò": lambda before, _: before not in _VOWELS or before == "i",
    "ã": lambda _, __: True,  # ão, ões
    "õ": lambda _, __: True,
}
_LONGEST_WORD = 1000
_MOST_WORDS = 20_000
_ROUNDS = 12
_CONTROL = re.compile(rb"[\x80-\x9f]")
_MOST_CONFIDENT = 0.99
_FAR_AHEAD = 50.0


class Told(NamedTuple):
    """`codec`: "cp1250", "cp1252" or "iso8859-2"; `confidence`: 0.5 to 0.99, how far it is ahead of the others."""

    codec: str
    confidence: float


def tell_code_page(blocks: Iterable[bytes]) -> Told:
    """Return what the text in `blocks` (bytes, in order) was written in; reads until enough words were seen.

    Where nothing tells two of them apart (German alone), both give the same text, and neither speaks against the other.
    """
    words, has_controls = _count_words(blocks)
    codecs = _PREFERRED[:2] if has_controls else _PREFERRED
    likely = {codec: _likelihood(words, codec) if words else 0.0 for codec in codecs}
    best = max(codecs, key=lambda codec: likely[codec])
    own = _readings(words, best)
    alike = [codec for codec in codecs if _readings(words, codec) == own]
    rivals = [likely[best] - likely[codec] for codec in codecs if codec not in alike]
    return Told(alike[0], min(_MOST_CONFIDENT, 1 / (1 + math.exp(-min(rivals, default=_FAR_AHEAD)))))


def _readings(words: Counter[bytes], codec: str) -> list[str]:
    return [word.decode(codec, "replace") for word in words]


def _count_words(blocks: Iterable[bytes]) -> tuple[Counter[bytes], bool]:
    """Return the words outside ASCII, and whether there are bytes that ISO-8859-2 has as control characters."""
    words: Counter[bytes] = Counter()
    has_controls = False
    for block in _whole_words(blocks):
        words.update(_WORD.findall(block))
        has_controls = has_controls or _CONTROL.search(block) is not None
        if len(words) >= _MOST_WORDS:
            break
    return words, has_controls


def _whole_words(blocks: Iterable[bytes]) -> Iterator[bytes]:
    rest = b""
    for block in blocks:
        block = rest + block
        cut = max(block.rfind(b"\n"), block.rfind(b"\r"), block.rfind(b" ")) + 1
        if not cut and len(block) > _LONGEST_WORD:
            cut = len(block)
        yield block[:cut]
        rest = block[cut:]
    yield rest


def _likelihood(words: Counter[bytes], encoding: str) -> float:
    tables = [_shares(text) for text in _LANGUAGES[encoding].values()]
    texts = [(word.decode(encoding, "ignore"), count) for word, count in words.items()]
    counts = np.array([count for _, count in texts], dtype=np.float64)
    # A name that occurs a thousand times is one piece of evidence said loudly, not a thousand pieces.
    counts = 1 + np.log(counts)
    undefined = np.array([len(word) - len(text) for word, (text, _) in zip(words, texts, strict=True)])
    logs = np.array([[_word_log(text, table) for table in tables] for text, _ in texts])
    logs += undefined[:, None] * np.log(_SYMBOL_IN_WORD)
    mix = np.full(len(tables), 1 / len(tables))
    for _ in range(_ROUNDS):
        joint = logs + np.log(mix)
        joint -= joint.max(axis=1, keepdims=True)
        belongs = np.exp(joint)
        belongs /= belongs.sum(axis=1, keepdims=True)
        mix = (counts @ belongs + 0.5) / (counts.sum() + 0.5 * len(tables))
    return float(counts @ np.logaddexp.reduce(logs + np.log(mix), axis=1))


def _shares(text: str) -> dict[str, float]:
    weights = {part[0]: int(part[1:]) for part in text.split()}
    total = sum(weights.values())
    return {letter: weight / total for letter, weight in weights.items()}


def _word_log(word: str, shares: dict[str, float]) -> float:
    likelihood = 0.0
    lower = word.lower()
    for place, letter in enumerate(lower):
        if letter < "\x80":
            continue
        before = lower[place - 1] if place else ""
        after = lower[place + 1 : place + 2]
        likelihood += math.log(_letter(letter, before, after, shares))
        # A capital inside a small word (Ÿ for ź), a small letter before a capital one (ż for ¿).
        around = word[place - 1 if place else 0 : place + 2]
        if any(left.islower() and right.isupper() for left, right in itertools.pairwise(around)):
            likelihood += math.log(_MISPLACED)
    return likelihood


def _letter(letter: str, before: str, after: str, shares: dict[str, float]) -> float:
    is_alone = not before and not after
    if letter in _ACCENTS:
        return _SYMBOL_IN_WORD
    if not letter.isalpha() or letter in "ªº":
        # Alone (10 £, 5 ², n.º 3) and before a question a sign is in order.
        return _SIGN if is_alone or (letter in "¿¡" and not before) else _SYMBOL_IN_WORD
    share = shares.get(letter, _RARE)
    if is_alone and letter not in _VOWELS:
        return share * _MISPLACED**2
    return share if _stands_well(letter, before, after) else share * _MISPLACED


def _stands_well(letter: str, before: str, after: str) -> bool:
    """Whether the letter may stand between these two ("" at the word's edge): by rule, or as vowel or consonant."""
    rule = _RULES.get(letter)
    if rule is not None:
        return rule(before, after)
    if letter in _VOWELS:
        return not (before in _VOWELS and after in _VOWELS)
    return not before or not after or before in _VOWELS or after in _VOWELS
