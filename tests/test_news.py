"""Which kinds of trouble are new, without any run."""

from __future__ import annotations

import pytest

from etl.news import KNOWN_SECONDS, Ending, Kind, News, compared, to_remember

NOW = 1_790_000_000.0
DAY = 86_400.0
EMAIL, PHONE, COUNTRY = (Kind("issue", f"not-{name}", f"contact.{name}", 10) for name in ("email", "phone", "country"))


def remembered(*kinds: Kind, run: str = "before", at: float = NOW - DAY):
    return to_remember(kinds, run, at)


def test_a_kind_is_new_unless_an_earlier_run_had_it() -> None:
    found = compared([EMAIL, PHONE], remembered(PHONE, COUNTRY), "now", NOW)
    assert (found.new, found.known, found.gone) == ((EMAIL,), (PHONE,), 1)


def test_what_this_very_run_has_seen_before_it_was_resumed_is_still_new() -> None:
    assert compared([EMAIL], remembered(EMAIL, run="now"), "now", NOW).new == (EMAIL,)


def test_a_kind_that_was_away_for_a_month_is_new_again() -> None:
    for away, is_new in ((KNOWN_SECONDS, False), (KNOWN_SECONDS + 1, True)):
        assert bool(compared([EMAIL], remembered(EMAIL, at=NOW - away), "now", NOW).new) is is_new


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (Kind("issue", "a", "Tags.1"), Kind("issue", "a", "tags.22", 9), True),
        (Kind("issue", "a", "tags"), Kind("issue", "b", "tags"), False),
        (Kind("issue", "a", "tags"), Kind("issue", "a", "contact.email"), False),
        (Kind("issue", "a"), Kind("stop", "a"), False),
        (Kind("endpoint", "http-400", "rejected"), Kind("endpoint", "http-400", "failed"), False),
    ],
    ids=["numbers and capitals", "code", "field", "what", "status"],
)
def test_a_fingerprint_is_of_what_code_and_field(one: Kind, other: Kind, same: bool) -> None:
    assert (one.print == other.print) is same


@pytest.mark.parametrize(
    ("news", "told"),
    [
        (News(), ""),
        (News(new=(Kind("issue", "a", "x", 412),)), "1 new kind, 412 rows"),
        (News(new=(Kind("stop", "a"), Kind("stop", "b"))), "2 new kinds"),
        (News(known=(EMAIL,), before={EMAIL.print: 10}), "nothing new; 1 known, 10 rows (steady)"),
        (News(new=(Kind("issue", "a", "x", 412),), known=(EMAIL, Kind("issue", "b", "y", 7)), before={EMAIL.print: 30}),
         "1 new kind, 412 rows; 2 known, 17 rows (falling)"),
        (News(known=(EMAIL,), before={EMAIL.print: 1}), "nothing new; 1 known, 10 rows (rising)"),
    ],
    ids=["none", "new", "stops", "steady", "falling", "rising"],
)  # fmt: skip
def test_the_news_in_one_line(news: News, told: str) -> None:
    assert str(news) == told


@pytest.mark.parametrize(
    ("code", "ending", "bad"),
    [(0, "0", False), (1, "1", True), (4, "4", True), (130, "interrupted", True), (143, "interrupted", True)],
    ids=str,
)
def test_exit_codes_have_classes(code: int, ending: str, bad: bool) -> None:
    assert (Ending(code).ending, Ending(code).is_trouble) == (ending, bad)
