"""What `etl watch` decides, without a file: what is finished, whose it is, where it goes; and the rules of etl.toml."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from etl.errors import SettingsError
from etl.settings import load_settings
from etl.settings.watch import WatchRule
from etl.watch.decisions import (
    Arrival,
    Next,
    Outcome,
    after_run,
    finished,
    folder_name,
    kept_name,
    may_be_taken,
    pause_seconds,
    rule_of,
    sighted,
)

NOON = datetime(2026, 11, 24, 12, 0, 5, tzinfo=UTC)
UNFINISHED = [
    "a.csv.part", "a.csv.PART", "a.csv.partial", "a.csv.filepart", "a.tmp", "a.csv.crdownload", "a.download",
    "~$people.xlsx", ".~lock.people.ods#", ".people.csv.Xy12", ".hidden", "people.csv~", ".people.csv.swp",
]  # fmt: skip


def arrival(name: str = "a.csv", size: int = 10, mtime: int = 100, inode: int = 1) -> Arrival:
    return Arrival(name, size, mtime * 10**9, inode)


def ripe(*seen: tuple[float, list[Arrival]], settle: float = 5, marker: str | None = None) -> list[str]:
    """Return the names that are finished after the last of several looks (when, what was there)."""
    sightings, names = {}, set()
    for now, arrivals in seen:
        sightings, names = sighted(arrivals, sightings, now), {one.name for one in arrivals}
    return [one.name for one in finished(sightings, seen[-1][0], settle, marker, names)]


@pytest.mark.parametrize("name", UNFINISHED)
def test_a_file_named_like_an_unfinished_one_is_not_taken(name):
    assert not may_be_taken(name, None)


@pytest.mark.parametrize("name", ["a.csv", "-a.csv", "a b.csv", "ü.xlsx", "party.csv", "a.part.csv", "~a.csv", "tmp"])
def test_any_other_name_may_be_taken(name):
    assert may_be_taken(name, None)


def test_a_marker_is_no_file_to_take():
    assert not may_be_taken("a.csv.done", ".done")
    assert may_be_taken("a.csv.done", None)


def test_a_file_is_finished_when_it_has_not_changed_for_the_time_of_settling():
    assert ripe((0, [arrival()]), (4.9, [arrival()])) == []
    assert ripe((0, [arrival()]), (5, [arrival()])) == ["a.csv"]


CHANGES = {
    "bytes": arrival(size=11),
    "the time of change": arrival(mtime=101),
    "the file itself, of the same size and time": arrival(inode=2),
}


@pytest.mark.parametrize("changed", CHANGES.values(), ids=CHANGES)
def test_a_change_begins_the_wait_anew(changed):
    assert ripe((0, [arrival()]), (4, [changed]), (8, [changed])) == []
    assert ripe((0, [arrival()]), (4, [changed]), (9, [changed])) == ["a.csv"]


def test_a_file_that_went_away_and_came_back_waits_anew():
    assert ripe((0, [arrival()]), (1, []), (6, [arrival()])) == []


def test_an_old_time_of_change_does_not_make_a_file_finished():
    assert ripe((0, [arrival(mtime=0)])) == []


def test_files_are_taken_by_time_of_change_and_then_by_name():
    there = [arrival("b.csv", mtime=2), arrival("c.csv", mtime=1), arrival("a.csv", mtime=2)]

    assert ripe((0, there), (5, there)) == ["c.csv", "a.csv", "b.csv"]


def test_with_a_marker_only_what_is_marked_is_finished_and_at_once():
    there = [arrival("a.csv"), arrival("b.csv"), arrival("b.csv.ok")]

    assert ripe((0, there), marker=".ok") == ["b.csv"]


def test_what_is_kept_in_mind_is_of_files_that_are_there():
    known = sighted([arrival("a.csv"), arrival("b.csv")], {}, 0)

    assert set(sighted([arrival("b.csv")], known, 1)) == {"b.csv"}


RULES = (WatchRule(pattern="contacts*.csv", mapping="c"), WatchRule(pattern="*.csv", mapping="rest"))


@pytest.mark.parametrize(
    ("name", "mapping"),
    [("contacts_1.csv", "c"), ("CONTACTS.CSV", "c"), ("x.csv", "rest"), ("x.xlsx", None), ("a/contacts.csv", "rest")],
)
def test_the_first_rule_whose_pattern_matches_counts(name, mapping):
    rule = rule_of(name, RULES)

    assert (rule.mapping if rule else None) == mapping


def test_a_name_from_a_mac_matches_a_pattern_typed_elsewhere():
    assert rule_of("zu\u0308rich.csv", (WatchRule(pattern="z\u00fcrich*", mapping="m"),)) is not None


AFTER = {
    "all delivered": (0, "", Outcome.DONE),
    "some rows bad": (1, "", Outcome.ATTENTION),
    "a file that cannot be read": (2, "file-empty", Outcome.REFUSED),
    "a guard": (3, "max-deletes", Outcome.STOPPED),
    "deletions that nobody confirmed": (3, "not-confirmed", Outcome.STOPPED),
    "an endpoint that is down": (3, "endpoint-down", Next.WAIT),
    "another run under way": (3, "run-under-way", Next.WAIT),
    "wrong keys": (2, "wrong-keys", Next.WAIT),
    "a journal that cannot be written": (3, "journal-write", Next.WAIT),
    "settings": (2, "surroundings", Next.WAIT),
    "a file that changed": (3, "file-changed", Next.ANEW),
    "a fault of ours": (4, "internal-error", Next.STAY),
    "SIGTERM": (143, "interrupted", Next.STAY),
    "Ctrl-C": (130, "interrupted", Next.STAY),
}


@pytest.mark.parametrize(("exit_code", "code", "expected"), AFTER.values(), ids=AFTER)
def test_what_becomes_of_a_file_follows_from_how_its_run_ended(exit_code, code, expected):
    assert after_run(exit_code, code) == expected


def test_pauses_grow_and_end_at_a_quarter_of_an_hour():
    assert [pause_seconds(times) for times in (1, 2, 3, 7, 8, 5_000)] == [10, 20, 40, 640, 900, 900]


def test_the_folder_of_a_file_is_named_by_time_and_name():
    assert folder_name("a b.csv", NOON, lambda _: False) == "20261124-120005-a b.csv"


def test_a_folder_that_is_there_is_never_named_again():
    there = {"20261124-120005-a.csv", "20261124-120005-a.csv-2"}

    assert folder_name("a.csv", NOON, there.__contains__) == "20261124-120005-a.csv-3"


def test_a_name_too_long_for_two_is_cut_between_letters():
    named = folder_name("ü" * 127, NOON, lambda _: False)

    assert named == "20261124-120005-" + "ü" * 60


@pytest.mark.parametrize(
    ("name", "expected"),
    [("a.csv", "a-2.csv"), ("A.CSV", "A-2.CSV"), ("none", "none-2"), (".csv", ".csv-2"), ("free.csv", "free.csv")],
)
def test_a_file_in_its_archive_takes_the_name_of_nothing_else(name, expected):
    assert kept_name(name, {"a.csv", "none", ".csv"}) == expected


def rules_of(folder: Path, text: str) -> tuple[WatchRule, ...]:
    (folder / "etl.toml").write_text(text, "utf-8")
    return load_settings(None, {}, folder).watch


def test_rules_stand_in_etl_toml_and_their_mappings_are_seen_from_there(tmp_path):
    (rule, other) = rules_of(
        tmp_path,
        '[[watch]]\npattern = "c*.csv"\nmapping = "m/c.yaml"\ntarget = "live"\nonly_changed = true\nmax_deletes = 5\n'
        'fail_over = "2%"\nyes = true\n[[watch]]\nmapping = "/abs/rest.yaml"\n',
    )

    assert rule == WatchRule(
        pattern="c*.csv", mapping=str(tmp_path / "m/c.yaml"), target="live", only_changed=True, max_deletes="5",
        fail_over="2%", yes=True,
    )  # fmt: skip
    assert other == WatchRule(pattern="*", mapping="/abs/rest.yaml")


def test_what_is_given_on_the_command_line_goes_before_the_rule():
    rule = WatchRule(mapping="m", target="live", yes=True, fail_over="2%")
    flags = {"target": "sandbox", "yes": False, "fail_over": None, "only_changed": True, "mapping": "x", "rate": 5}

    assert rule.with_flags(flags) == rule.model_copy(update={"target": "sandbox", "only_changed": True})


WRONG = {
    "no list": ("[watch]\nmapping = 'm'", "watch: must be a list of tables"),
    "no mapping": ("[[watch]]\npattern = '*'", "watch.1.mapping: is missing"),
    "a folder in the pattern": ("[[watch]]\nmapping='m'\npattern='a/*'", "watch.1.pattern: must be the pattern of a name, without a folder"),
    "a wrong key": ("[[watch]]\nmaping='m'\nmapping='m'", "watch.1.maping: unknown setting"),
    "a limit that is none": ("[[watch]]\nmapping='m'\n[[watch]]\nmapping='m'\nfail_over='lots'", "watch.2.fail_over: must be a number of rows, or a share of them"),
    "a limit that is yes or no": ("[[watch]]\nmapping='m'\nmax_deletes=true", "watch.1.max_deletes: must be a number of rows, or a share of them"),
    "text for yes or no": ("[[watch]]\nmapping='m'\nyes='yes'", "watch.1.yes: must be true or false"),
}  # fmt: skip


@pytest.mark.parametrize(("text", "message"), WRONG.values(), ids=WRONG)
def test_a_rule_that_is_wrong_is_refused_by_its_number_and_key(tmp_path, text, message):
    with pytest.raises(SettingsError) as raised:
        rules_of(tmp_path, text)

    assert f"{raised.value.where}: {raised.value.message}" == f"{tmp_path / 'etl.toml'}: {message}"
    assert raised.value.hint
