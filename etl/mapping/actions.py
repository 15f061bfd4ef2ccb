"""Which action a sheet is for, and which of its columns may say who is not to be sent. Words for a person included.

To delete is the one choice that cannot be taken back, so each doubt speaks against it: other data of a person, a
column of yes and no, a file name that speaks of people who stay.
"""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from etl.mapping.candidates import ACTIVE, Candidate, Column, Context, candidates, name_tokens
from etl.mapping.draft import ConditionLine, in_braces, shown
from etl.mapping.synonyms import CONSENT, CONTACT_WORDS, DATE, FIRST_NAME, LAST_NAME, OPT_OUT, OPT_OUT_WORDS, REASON

_MANY_CONTACT_FIELDS = 3
_BESIDE_AN_OPT_OUT = frozenset({"contact.email", "contact.name", FIRST_NAME, LAST_NAME, OPT_OUT, REASON, DATE})
_ALONE = frozenset({"contact.email", REASON, DATE})
_LONG_WORD = 6

Choice = tuple[str, tuple[str, ...]]
"""An action, and why, line by line."""


def choose_action(columns: Sequence[Column], nameless: int, name: str) -> Choice:
    """Return the action for a sheet called `name`; `nameless`: how many columns no mapping can name."""
    context = Context.of(columns, "contact.upsert")
    contact = {c.position: _best(c, "contact.upsert", context) for c in columns}
    leaving = _deletion(contact, nameless, name)
    if leaving:
        return "contact.delete", (
            f"DELETION: contact.delete erases the contact of every row. Chosen because {leaving}.",
            "If these people are to stay, write contact.upsert here, and contact.email instead of email below.",
        )
    event = _event(columns, contact)
    if event:
        return "event.create", (f"event.create, because {event}; write contact.upsert for data of persons.",)
    return "contact.upsert", ("contact.upsert, as nothing speaks of purchases or of people who leave.",)


def conditions(columns: Sequence[Column], sample: pd.DataFrame) -> tuple[ConditionLine, ...]:
    """Return the conditions that columns of yes and no about consent make likely, surest first."""
    context = Context.of(columns, "contact.upsert")
    lines = [line for column in columns if (line := _condition(column, sample, context)) is not None]
    return tuple(sorted(lines, key=lambda line: -line.confidence))


def _best(column: Column, action: str, context: Context) -> Candidate | None:
    found = sorted(candidates(column, action, context), key=lambda c: -c.confidence)
    return found[0] if found and found[0].confidence >= ACTIVE else None


def _deletion(contact: dict[int, Candidate | None], nameless: int, name: str) -> str:
    """Return why the sheet is one of people to be deleted, or ""."""
    best = [c for c in contact.values() if c is not None]
    targets = {c.target for c in best}
    opt_outs = [c.column for c in best if c.target == OPT_OUT]
    if "contact.email" not in targets or any(c.seen.flag >= ACTIVE and c.seen.no for c in opt_outs):
        return ""
    if _speaks_of(name, OPT_OUT_WORDS):
        return f"the name {shown(name)} speaks of people who leave"
    if _speaks_of(name, CONTACT_WORDS):
        return ""
    known = nameless == 0 and None not in contact.values()
    everybody_left = bool(opt_outs) and all(c.seen.filled == c.seen.rows for c in opt_outs)
    if everybody_left and known and targets <= _BESIDE_AN_OPT_OUT:
        return f"the column {shown(opt_outs[0].name)} speaks of people who leave, and there is no other data of theirs"
    if known and targets <= _ALONE and len(best) == len(targets):
        return "there is nothing but an e-mail column" + (" (and a reason or a date)" if len(targets) > 1 else "")
    return ""


def _event(columns: Sequence[Column], contact: dict[int, Candidate | None]) -> str:
    """Return why the rows are events, or ""."""
    context = Context.of(columns, "event.create")
    best = {c.target: c for column in columns if (c := _best(column, "event.create", context)) is not None}
    if "contactExtEventType" in best:
        return f"{shown(best['contactExtEventType'].column.name)} holds event types"
    amount = best.get("value")
    if amount is None:
        return ""
    told = f"there is an amount ({shown(amount.column.name)})"
    if "externalId" in best:
        return f"{told} and an order number ({shown(best['externalId'].column.name)})"
    people = {c.target for c in contact.values() if c and c.target.startswith(("contact.", "tags"))} - {"contact.email"}
    for target, words in ((DATE, "a date"), ("products", "a product")):
        if target in best and len(people) < _MANY_CONTACT_FIELDS:
            return f"{told} and {words} ({shown(best[target].column.name)})"
    return ""


def _speaks_of(name: str, words: frozenset[str]) -> bool:
    tokens = name_tokens(name)
    joined = "".join(tokens)
    return any(
        joined.startswith(word)
        or any(token.startswith(word) for token in tokens)
        or (len(word) >= _LONG_WORD and word in joined)
        for word in words
    )


def _condition(column: Column, sample: pd.DataFrame, context: Context) -> ConditionLine | None:
    best = _best(column, "contact.upsert", context)
    written = in_braces(column.name)
    seen = column.seen
    if best is None or best.target not in {CONSENT, OPT_OUT} or seen.flag < ACTIVE or not seen.yes or written is None:
        return None
    words = list(dict.fromkeys(word.lower() for word in seen.yes))
    plain = len(words) == len(seen.yes)
    operand = written if plain else f"lower({written})"
    among = [word for word in (seen.yes if plain else words) if "'" not in word]
    listed = ", ".join(f"'{word}'" for word in among)
    positive = best.target == CONSENT
    if len(among) == 1:
        text = f"{operand} {'==' if positive else '!='} {listed}"
    else:
        text = f"{operand} {'in' if positive else 'not in'} [{listed}]"
    what = "consent" if positive else "people who left"
    says_yes = sample[column.position].str.strip().isin(seen.yes)
    return ConditionLine(
        text,
        best.confidence,
        (f"{shown(column.name)} looks like a record of {what}", *best.reasons),
        column=column.name,
        keeps=positive,
        leaves_out=int((~says_yes if positive else says_yes).sum()),
    )
