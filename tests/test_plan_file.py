"""A plan: what a dry run keeps, what is refused, and what is told where the world is not as it was planned."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import jsonschema
import pytest
from support import CONTACT, write_csv

from etl.errors import SettingsError
from etl.interrupt import Interrupt
from etl.job import Job, open_job
from etl.mapping import load_mapping
from etl.plan_file import PlanFile, checksum, read_plan
from etl.planning import as_agreed, differs, refuse_changes, version_note
from etl.progress import Silent
from etl.release import program_version
from etl.reports.issues_csv import IssuesCsv
from etl.session import Options
from etl.settings import AGREED_SETTINGS, TargetSettings, load_settings
from etl.survey import Survey, survey
from etl.verbs import plan

SHEET = "E-mail,Name\nanna@example.com,Anna\njan@example.com,Jan\nno-address,Ewa\nanna@example.com,Ann\n"
MAPPING = CONTACT + "      contact.name: Name\n"
TARGET = '[targets.t]\nurl = "https://example.com/Production"\nauth = "bearer"\nbearer_env = "TOKEN"\n'


class Desk:
    """A folder with a mapping, a sheet and settings; `kept` is the plan made of them."""

    def __init__(self, folder: Path, **options: object) -> None:
        self.folder = folder
        self.path = folder / "plan.json"
        self.mapping, self.sheet = write_csv(folder / "m.yaml", MAPPING), write_csv(folder / "people.csv", SHEET)
        self.config = write_csv(folder / "etl.toml", TARGET)
        with_values = bool(options.pop("with_values", False))
        self.report = plan(
            self.mapping, self.sheet, target="t", config=self.config, file=self.path, with_values=with_values,
            options=Options(out=folder / "reports", **options),  # type: ignore[arg-type]
        )  # fmt: skip

    @property
    def kept(self) -> PlanFile:
        return read_plan(self.path)

    def target(self) -> TargetSettings:
        return load_settings(self.config, {}, self.folder).target("t")

    def job(self, *more: Path, options: Options = Options()) -> Job:  # noqa: B008  (frozen)
        target = self.target()
        return open_job(load_mapping(self.mapping), [self.sheet, *more], target, limit=options.limit)

    def survey(self) -> Survey:
        """Return what a run would find now."""
        work = self.folder / f"work-{len(list(self.folder.iterdir()))}"
        work.mkdir()
        issues = IssuesCsv(work / "issues.csv")
        found = survey(
            self.job(), work, issues, Silent(), keep_lines=False,
            is_interrupted=lambda: Interrupt().is_requested, digest=True,
        )  # fmt: skip
        issues.close()
        return found

    def refusal(self, *more: Path, options: Options = Options()) -> str:  # noqa: B008  (frozen)
        agreed = as_agreed(options, self.kept)
        with pytest.raises(SettingsError) as caught:
            refuse_changes(self.kept, self.path, self.job(*more, options=agreed), self.target(), agreed)
        assert caught.value.exit_code == 2
        return str(caught.value).replace(f"{self.folder}/", "")


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def test_a_plan_holds_what_a_check_found(desk: Desk) -> None:
    kept = desk.kept

    assert (kept.rows, kept.counts) == (4, {"planned": 2, "duplicate": 1, "invalid": 1})
    assert [(one.record, one.action, one.counts) for one in kept.records] == [(1, "contact.upsert", kept.counts)]
    assert (kept.deletes, kept.clears, kept.target) == (0, {}, "t")
    assert (kept.program, kept.id) == (program_version(), desk.report.id)
    assert kept.estimate.text == "2 requests, at most 50 a second: under a second at that rate"
    assert (kept.given, kept.mapping.path) == ([str(desk.sheet)], str(desk.mapping))
    assert [file.bytes for file in kept.files] == [len(SHEET)]
    assert desk.report.plan == desk.path


def test_its_samples_name_fields_and_no_values(desk: Desk) -> None:
    kept = desk.kept

    assert [(one.row, one.action, one.fields, one.values) for one in kept.samples] == [
        (3, "contact.upsert", ["contact.email", "contact.name"], None),
        (5, "contact.upsert", ["contact.email", "contact.name"], None),
    ]
    results = (desk.folder / "reports" / "results.csv").read_text("utf-8")
    assert all(one.payload_sha256 in results for one in kept.samples)
    assert not [word for word in ("anna@", "jan@", "Anna", "Jan", "no-address") if word in desk.path.read_text("utf-8")]


def test_values_are_shown_where_they_were_asked_for(tmp_path: Path) -> None:
    samples = Desk(tmp_path, with_values=True).kept.samples

    assert [one.values for one in samples] == [
        {"contact.email": "jan@example.com", "contact.name": "Jan"},
        {"contact.email": "anna@example.com", "contact.name": "Ann"},
    ]


def test_the_samples_are_the_first_three_of_a_record_wherever_they_stand(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    rows = ["bad,x\n"] * 5000 + [f"p{n}@example.com,P\n" for n in range(9)]
    write_csv(desk.sheet, "E-mail,Name\n" + "".join(rows))

    plan(desk.mapping, desk.sheet, target="t", config=desk.config, file=desk.path, options=Options(out=tmp_path / "r"))

    assert [one.row for one in desk.kept.samples] == [5002, 5003, 5004]


def test_a_plan_holds_the_settings_that_count_and_no_secret(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKEN", "canary-secret")
    assert desk.kept.settings == {
        "url": "https://example.com/Production", "wire": "fields", "group_key": None, "auth": "bearer",
    }  # fmt: skip
    assert "canary-secret" not in desk.path.read_text("utf-8")


def test_whoever_adds_a_setting_decides_whether_a_plan_is_about_it() -> None:
    of_pace = {
        "rate", "concurrency", "connect_timeout", "deadline", "retries", "patience", "canary", "ca_file", "region",
    }  # fmt: skip
    of_credentials = {
        "api_key_env", "api_key_file", "api_key_header", "bearer_env", "bearer_file", "profile", "credentials_file",
    }  # fmt: skip
    assert set(TargetSettings.model_fields) == {"name", *AGREED_SETTINGS} | of_pace | of_credentials


def test_a_plan_fits_its_schema(desk: Desk) -> None:
    schema = PlanFile.model_json_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(json.loads(desk.path.read_text("utf-8")), schema)


def test_a_plan_replaces_an_older_one_at_once(desk: Desk) -> None:
    first = desk.path.read_bytes()
    plan(desk.mapping, desk.sheet, target="t", config=desk.config, file=desk.path, options=Options(out=desk.folder))
    assert desk.path.read_bytes() != first
    assert not list(desk.folder.glob("*.part"))


def test_a_file_that_is_no_plan_is_not_overwritten(desk: Desk) -> None:
    other = write_csv(desk.folder / "budget.json", "{}")
    with pytest.raises(SettingsError) as caught:
        plan(desk.mapping, desk.sheet, target="t", config=desk.config, file=other)
    assert str(caught.value) == (
        f"{other}: a file is there already that is no plan; it is left as it is\n"
        "  hint: name another file with --out   [out]"
    )
    assert other.read_text("utf-8") == "{}"


def edited(change: Callable[[dict[str, object]], object], *, sign: bool) -> Callable[[Path], None]:
    def edit(path: Path) -> None:
        table = json.loads(path.read_text("utf-8"))
        change(table)
        if sign:
            table["sha256"] = checksum(table)
        path.write_text(json.dumps(table), "utf-8")

    return edit


MAKE_ONE = "make one: etl plan MAPPING FILE... --target NAME --out plan.json   [no-plan]"
NO_PLAN = f"plan.json: this is no plan\n  hint: {MAKE_ONE}"
UNREADABLE = {
    "not there": (Path.unlink, f"plan.json: there is no such plan\n  hint: {MAKE_ONE}"),
    "not JSON": (lambda path: path.write_text("E-mail\n"), NO_PLAN),
    "deep": (lambda path: path.write_text("[" * 100_000), NO_PLAN),
    "not text": (lambda path: path.write_bytes(b"\xff\xfe\x00"), NO_PLAN),
    "a list": (lambda path: path.write_text("[]"), NO_PLAN),
    "other JSON": (lambda path: path.write_text('{"version": 1}'), NO_PLAN),
    "a part of one": (lambda path: path.write_text(path.read_text()[:500]), NO_PLAN),
    "another form": (edited(lambda table: table.pop("target"), sign=True), NO_PLAN),
    "newer": (
        edited(lambda table: table.update(version=2), sign=True),
        ("plan.json: the plan is of version 2, and this program reads up to 1\n"
        "  hint: update this program, or make a new plan with it   [plan-newer]"),
    ),
    "edited": (
        edited(lambda table: table.update(deletes=7), sign=False),
        ("plan.json: the plan was changed after it was made\n"
        "  hint: a plan is not to be edited: make a new one with `etl plan`   [plan-edited]"),
    ),
}  # fmt: skip


@pytest.mark.parametrize(("damage", "told"), UNREADABLE.values(), ids=UNREADABLE)
def test_what_is_no_plan_is_refused_in_one_message(desk: Desk, damage: Callable[[Path], object], told: str) -> None:
    damage(desk.path)
    with pytest.raises(SettingsError) as caught:
        read_plan(desk.path)
    assert str(caught.value).replace(f"{desk.folder}/", "") == told


def test_another_layout_of_the_same_plan_is_the_same_plan(desk: Desk) -> None:
    before = desk.kept
    edited(lambda table: table.update(rows=table.pop("rows")), sign=False)(desk.path)
    assert desk.kept == before


def test_nothing_is_told_where_nothing_has_changed(desk: Desk) -> None:
    os.utime(desk.sheet, (0, 0))
    desk.config.write_text(TARGET + "rate = 7\nconcurrency = 2\n", "utf-8")
    refuse_changes(desk.kept, desk.path, desk.job(), desk.target(), as_agreed(Options(), desk.kept))
    assert differs(desk.kept, desk.survey()) is None
    assert version_note(desk.kept) == ""


def test_one_change_is_one_sentence(desk: Desk) -> None:
    old = desk.kept.files[0].sha256
    write_csv(desk.sheet, SHEET + "ewa@example.com,Ewa\n")
    new = desk.job().files[0].fingerprint.sha256
    assert desk.refusal() == (
        f"plan.json: people.csv has changed: sha256 {new[:8]}, planned {old[:8]}\n"
        "  hint: put it back as it was, or make a new plan; nothing was sent   [plan-changed]"
    )


def test_every_change_is_told_at_once(desk: Desk) -> None:
    old = desk.kept
    write_csv(desk.sheet, SHEET + "ewa@example.com,Ewa\n")
    write_csv(desk.mapping, MAPPING + "      contact.phone: {column: Phone, optional: true}\n")
    desk.config.write_text(
        TARGET.replace("Production", "Test") + 'wire = "envelope"\ngroup_key = "main"\n', encoding="utf-8"
    )
    job = desk.job()
    sheet, mapping = job.files[0].fingerprint.sha256, job.plan.mapping.fingerprint
    assert desk.refusal(options=Options(limit=10, only_changed=True, revive=True)) == (
        "plan.json: 6 things are not as they were planned\n"
        f"  people.csv has changed: sha256 {sheet[:8]}, planned {old.files[0].sha256[:8]}\n"
        f"  m.yaml, or a file that it names, has changed: sha256 {mapping[:8]}, planned {old.mapping.sha256[:8]}\n"
        "  settings of target t have changed: url, wire, group_key\n"
        "  --limit is 10, and not given was planned\n"
        "  --only-changed is on, and as the mapping says was planned\n"
        "  --revive is on, and off was planned\n"
        "  hint: put it back as it was, or make a new plan; nothing was sent   [plan-changed]"
    )


def test_a_file_more_is_a_change(desk: Desk) -> None:
    more = write_csv(desk.folder / "more.csv", SHEET)
    assert "plan.json: 2 files are given, and 1 was planned\n" in desk.refusal(more)


def test_a_changed_table_of_values_is_a_changed_mapping(tmp_path: Path) -> None:
    table = write_csv(tmp_path / "names.csv", "from,to\nAnna,A\nAnn,A\nJan,J\nEwa,E\n")
    desk = Desk(tmp_path)
    write_csv(desk.mapping, CONTACT + "      contact.name: {column: Name, transform: [{map: {file: names.csv}}]}\n")
    plan(desk.mapping, desk.sheet, target="t", config=desk.config, file=desk.path, options=Options(out=tmp_path / "r"))
    write_csv(table, "from,to\nAnna,A\nAnn,A\nJan,X\nEwa,E\n")
    assert "m.yaml, or a file that it names, has changed: sha256 " in desk.refusal()


def test_another_target_is_a_change(desk: Desk) -> None:
    other = desk.target().model_copy(update={"name": "other"})
    with pytest.raises(SettingsError, match="the target is other, and t was planned"):
        refuse_changes(desk.kept, desk.path, desk.job(), other, as_agreed(Options(), desk.kept))


@pytest.mark.parametrize(
    ("planned", "given", "agreed"),
    [
        (Options(limit=3, sheet="May"), Options(), (3, "May", None, False, False)),
        (Options(only_changed=False, all_again=True), Options(), (None, None, False, True, False)),
        (Options(revive=True), Options(), (None, None, None, False, True)),
        (Options(limit=3), Options(limit=4), (4, None, None, False, False)),
        (
            Options(only_changed=False, all_again=True), Options(only_changed=True), (None, None, True, False, False),
        ),
    ],
    ids=["limit and sheet", "all", "revive", "given", "only changed"],
)  # fmt: skip
def test_flags_that_are_not_given_are_those_of_the_plan(
    desk: Desk, planned: Options, given: Options, agreed: tuple[object, ...]
) -> None:
    from etl.planning import agreed_options

    found = as_agreed(given, desk.kept.model_copy(update={"options": agreed_options(planned)}))
    assert (found.limit, found.sheet, found.only_changed, found.all_again, found.revive) == agreed


def test_all_is_told_once(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    told = desk.refusal(options=Options(only_changed=False, all_again=True))
    assert told.startswith("plan.json: --only-changed is off, and as the mapping says was planned\n")


def test_counts_that_differ_stop_the_run_and_are_told(desk: Desk) -> None:
    kept = desk.kept
    write_csv(desk.sheet, SHEET.replace("no-address", "ewa@example.com"))

    stop = differs(kept, desk.survey())

    assert stop is not None
    assert (stop.code, stop.exit_code, stop.message, stop.hint) == (
        "plan-differs",
        3,
        "what would be sent is not what was planned: planned 3 (was 2), invalid 0 (was 1)",
        "another run may have delivered since; look at a new plan",
    )


def test_other_payloads_stop_the_run_though_the_counts_are_the_same(desk: Desk) -> None:
    kept = desk.kept
    write_csv(desk.sheet, SHEET.replace("Jan", "Jana"))

    stop = differs(kept, desk.survey())

    assert stop is not None
    assert stop.message == (
        "what would be sent is not what was planned: as many rows, but others, or with other payloads"
    )


def test_another_version_of_the_program_is_worth_a_note(desk: Desk) -> None:
    old = desk.kept.model_copy(update={"program": "0.0.9"})
    assert version_note(old) == (
        f"the plan was made by version 0.0.9 of this program, and this is version {program_version()}"
    )
