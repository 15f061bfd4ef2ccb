"""report.html without a browser: one file that asks nobody for anything, says what each view may, and stays small."""

from __future__ import annotations

import json
import re
import time
from dataclasses import replace
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import pytest
from page_runs import HOSTILE, REPORT, a_timeline, counted, issue, material_of, mixed_issues, result
from support import CONTACT, mapping_of, write_rows

import etl
from etl.guards import Stop
from etl.records import Status
from etl.report import Example, ProblemGroup
from etl.reports import page, page_facts
from etl.reports.page import packed_lines, write
from etl.reports.page_charts import HEIGHT, charts_of, clock, short
from etl.reports.page_rows import MAX_LINES, lines_of
from etl.reports.page_text import cells, messages, visible
from etl.reports.shelf import write_all
from etl.timeline import Moment, Timeline
from etl.view import View


class Outline(HTMLParser):
    """What stands in a page: the tags with their attributes, the headings, and the text of each section."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.headings: list[tuple[str, str]] = []
        self.texts: dict[str, str] = {}
        self._section = self._heading = ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag == "section":
            self._section = dict(attrs).get("id") or "hero"
        if re.fullmatch("h[1-4]", tag):
            self._heading = tag
            self.headings.append((tag, ""))

    def handle_endtag(self, tag):
        if tag == self._heading:
            self._heading = ""

    def handle_data(self, data):
        if self._heading:
            tag, text = self.headings.pop()
            self.headings.append((tag, text + data))
        self.texts[self._section] = self.texts.get(self._section, "") + f" {data}"

    def attributes(self, name: str) -> list[str]:
        return [attributes[name] or "" for _, attributes in self.tags if name in attributes]


def outline_of(material) -> Outline:
    (path,) = write(material)
    return Outline(path.read_text(encoding="utf-8"))


def held_of(material) -> dict:
    """Return the lines that the page holds for its script."""
    found = re.search(
        r'<script type="application/json" id="lines">(.*?)</script>', write(material)[0].read_text(encoding="utf-8")
    )
    return json.loads(found[1])


def words(text: str) -> str:
    return " ".join(text.split())


def test_the_page_asks_nobody_for_anything(tmp_path):
    found = outline_of(material_of(tmp_path, issues=list(mixed_issues(300)), timeline=a_timeline()))
    assert not found.attributes("src")
    links = [one for one in found.attributes("href") if not one.startswith(("#", "data:image/svg+xml,"))]
    assert set(links) == {"issues.csv", "results.csv", "summary.json"}
    assert [attributes for tag, attributes in found.tags if tag in {"iframe", "object", "embed", "base", "img"}] == []
    assert not re.search(
        r"url\((?!#)|@import|https?://(?!www\.w3\.org/)", page._text("report.css") + page._text("report.js")
    )


def test_the_policy_lets_only_what_is_in_the_page_run(tmp_path):
    found = outline_of(material_of(tmp_path, issues=[issue(4)]))
    (policy,) = [one["content"] for tag, one in found.tags if tag == "meta" and one.get("http-equiv")]
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in policy
    assert found.attributes("style") == []
    assert [
        name for name in dict.fromkeys(name for _, one in found.tags for name in one) if name.startswith("on")
    ] == []


def test_headings_go_down_one_step_at_a_time_and_every_section_has_one(tmp_path):
    found = outline_of(material_of(tmp_path, issues=list(mixed_issues(20))))
    levels = [int(tag[1]) for tag, _ in found.headings]
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    assert [text for tag, text in found.headings if tag == "h2"] == [
        "What to do", "Problems", "Issues", "Sending", "Mapping", "Notes and files",
    ]  # fmt: skip


def test_the_page_says_what_happened_and_what_to_do(tmp_path):
    found = outline_of(material_of(tmp_path, issues=list(mixed_issues(20))))
    (level, verdict), *_ = found.headings
    assert level == "h1"
    assert verdict == (
        "13,871 of 18,204 rows were delivered to production; 402 are unchanged, 3,247 are invalid, 9 were rejected, "
        "21 failed, 6 have an unknown outcome."
    )
    hero = words(found.texts["hero"])
    assert "Needs a look" in hero
    assert "File shop_autumn.xlsx, sheet Contacts Mapping newsletter-contacts Sent to production" in hero
    assert "delivered 13,871 76.2 % the endpoint confirmed it" in hero
    assert words(found.texts["todo"]) == (
        "What to do Mend the 3,247 invalid and 9 rejected rows in the file, as told below, and send it in again. "
        "Send again what did not arrive (27 records): etl retry 20261124-021500-91de Copy"
    )
    problems = words(found.texts["problems"])
    assert (
        "3,120 error Not a country Country → goes to contact.address.country not-a-country Did you mean PL?" in problems
    )
    assert "at mappings/newsletter.yaml:21 ; it mends 2,958 of 3,120 of the cells it was tried on" in problems
    assert "Most frequent values of 17 Polska 2,604 Niemcy 290" in problems
    assert "Contacts!F14 'Niemcy' is not a country" in problems
    assert "9 rejected http-400 contact.phone: too long" in problems
    assert (
        "Run 20261124-021500-91de , mapping version f9dfefec7023 , wire form fields. Checking took 4.2 s, sending 3 min."
    ) in words(found.texts["files"])
    mapping = words(found.texts["mapping"])
    assert "contact.email required E-mail strip, lower 17,633 99.8 %" in mapping


@pytest.mark.parametrize(
    ("changes", "state"),
    [
        ({"counts": {"delivered": 10}, "rows": 10}, "good"),
        ({"counts": {"delivered": 9, "unknown": 1}, "rows": 10}, "look"),
        ({"counts": {}, "rows": 0}, "look"),
        ({"counts": {"blocked": 10}, "rows": 10, "stop": Stop("endpoint-down", "the endpoint is down")}, "stopped"),
    ],
    ids=["all-delivered", "in-doubt", "no-rows", "stopped"],
)
def test_the_state_is_one_of_three(tmp_path, changes, state):
    assert page_facts.state_of(replace(REPORT, out=tmp_path, **changes)) == state


def test_the_lines_are_json_that_no_cell_can_leave(tmp_path):
    material = material_of(tmp_path, issues=[issue(place, value=text) for place, text in enumerate(HOSTILE, start=4)])
    text = write(material)[0].read_text(encoding="utf-8")
    inside = text.split('id="lines">', 1)[1]
    assert inside.index("</script>") == inside.index("}</script>") + 1
    assert "<" not in inside[: inside.index("</script>")]
    assert not re.search("[\u2028\u2029\x00\x1b\u202e]", text)
    assert len(re.findall("<script", text)) == 2
    assert "{{ 7 * 7 }}${7*7}" in text


def test_a_value_is_shown_as_the_cell_has_it_and_cut(tmp_path):
    held = held_of(
        material_of(
            tmp_path, issues=[issue(4, value="+48 12 34"), issue(5, value="=1+1"), issue(6, value="z" * 32_767)]
        )
    )
    values = [row[7] for row in held["rows"]]
    assert values == ["+48 12 34", "'=1+1", "z" * 159 + "…"]
    assert held["rows"][0][8] == "'+48 12 34' is not a country"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("=1+1", "'=1+1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("-1+cmd|' /C calc'!A0", "'-1+cmd|' /C calc'!A0"),
        ("+48 601-234 (567)", "+48 601-234 (567)"),
        ("-3.5", "-3.5"),
        ("@gmial.com", "@gmial.com"),
        ("a\u202eb\u200bc\x00\nd", "a⟨U+202E⟩b⟨U+200B⟩c␀\nd"),
        ("👩‍👩‍👧‍👦 Zażółć", "👩‍👩‍👧‍👦 Zażółć"),
    ],
    ids=["formula", "at", "minus", "phone", "number", "domain", "unseen", "letters"],
)
def test_a_cell_is_text_that_does_nothing_where_it_is_pasted(text, shown):
    assert cells([text]) == [shown]


def test_a_message_that_begins_with_a_quoted_value_needs_no_further_mark():
    assert messages(["'=1' is not a number", "=1 said the endpoint"]) == [
        "'=1' is not a number",
        "'=1 said the endpoint",
    ]


def test_ten_thousand_issues_of_long_cells_stay_below_five_megabytes(tmp_path):
    issues = [issue(row, value=f"{row} " + "👩‍👩‍👧‍👦" * 40, message="ż" * 300) for row in range(4, 10_004)]
    (path,) = write(material_of(tmp_path, issues=issues, **counted(issues)))
    assert path.stat().st_size < 5_000_000
    text = path.read_text(encoding="utf-8")
    held = len(json.loads(re.search(r'id="lines">(.*?)</script>', text)[1])["rows"])
    assert 1_000 < held < 10_000
    lead = re.search(r'id="issues-title".*?<p class="lead">(.*?)</p>', text, re.DOTALL)[1]
    assert words(re.sub("<.*?>", "", lead)) == (
        f"10,000 issues and 36 records that did not arrive. The first {held:,} are on this page; "
        "issues.csv and results.csv hold all of them."
    )


def test_ordinary_issues_are_all_there_up_to_ten_thousand(tmp_path):
    issues = list(mixed_issues(12_000))
    material = material_of(tmp_path, issues=issues, counts={"invalid": 10_800, "delivered": 9}, **counted(issues))
    (path,) = write(material)
    held = held_of(material)
    assert len(held["rows"]) == MAX_LINES
    assert path.stat().st_size < 2_500_000
    assert [row[0] for row in held["rows"]] == [one["row"] for one in issues[:MAX_LINES]]


def test_rows_that_did_not_arrive_stand_among_the_issues_in_the_order_of_the_rows(tmp_path):
    issues = [issue(row) for row in (4, 7, 20)]
    results = [
        result(5, "delivered"), result(6, "failed", code="gateway-error", message="Internal server error"),
        result(9, "rejected", code="http-400", message="too long", field="contact.phone"), result(21, "skipped"),
    ]  # fmt: skip
    counts = {"invalid": 3, "failed": 1, "rejected": 1, "delivered": 1}
    lines = lines_of(material_of(tmp_path, issues=issues, results=results, counts=counts, **counted(issues)))
    assert [(line.row, line.kind, line.code) for line in lines] == [
        (4, "error", "not-a-country"), (6, "failed", "gateway-error"), (7, "error", "not-a-country"),
        (9, "rejected", "http-400"), (20, "error", "not-a-country"),
    ]  # fmt: skip
    assert lines[3].value == "person9@example.com"
    assert [lines[0].cell, lines[0].place] == ["Contacts!F4", ""]


def test_rows_that_were_held_back_leave_room_for_the_issues(tmp_path):
    issues = [issue(row) for row in range(4, 24)]
    results = [result(row, "rejected" if row == 99 else "blocked") for row in range(30, 100)]
    counts = {"invalid": 20, "blocked": 69, "rejected": 1}
    material = material_of(tmp_path, issues=issues, results=results, counts=counts, **counted(issues))
    kinds = [line.kind for line in lines_of(material, most=30)]
    assert [kinds.count(kind) for kind in ("error", "rejected", "blocked")] == [15, 1, 14]


def test_of_several_tables_each_line_names_its_own(tmp_path):
    files = (
        {"file": "/in/a.csv", "tables": [{"sheet": ""}]},
        {"file": "/in/b.xlsx", "tables": [{"sheet": "May"}, {"sheet": "June"}]},
    )
    issues = [issue(9, file="/in/b.xlsx", sheet="June"), issue(4, file="/in/a.csv", sheet="")]
    material = material_of(tmp_path, issues=issues, counts={"invalid": 2}, files=files, **counted(issues))
    assert [(line.place, line.cell) for line in lines_of(material)] == [("a.csv", "F4"), ("b.xlsx, June", "June!F9")]


def test_of_a_million_issues_only_the_first_are_read(tmp_path):
    issues = list(mixed_issues(20_000))
    material = material_of(tmp_path, issues=issues, counts={"invalid": 900_000, "delivered": 9}, **counted(issues))
    whole = material.report.issues_path.read_bytes()
    lines = whole[whole.index(b"\n") + 1 :]
    short_time = _seconds(material)
    with material.report.issues_path.open("ab") as stream:
        for _ in range(49):
            stream.write(lines)
    # Reading all of them takes fifty times as long.
    assert _seconds(material) < 3 * short_time + 0.2


def _seconds(material) -> float:
    def once() -> float:
        started = time.perf_counter()
        lines_of(material)
        return time.perf_counter() - started

    # The quickest of a few: others share the machine.
    return min(once() for _ in range(3))


def test_results_are_not_read_where_every_row_arrived(tmp_path):
    issues = [issue(4)]
    material = material_of(tmp_path, issues=issues, counts={"invalid": 1, "delivered": 9}, **counted(issues))
    material.report.results_path.unlink()
    assert len(lines_of(material)) == 1


def test_somebody_who_asks_to_stop_gets_the_page_and_is_told_what_is_left_out(tmp_path):
    issues = [issue(4)]
    material = material_of(tmp_path, issues=issues, counts={"invalid": 1}, **counted(issues))
    made, notes = write_all(replace(material, is_interrupted=lambda: True), ("html", "parquet"), {})
    assert [path.name for path in made] == ["report.html"]
    assert notes == ("not written, since the run was interrupted: parquet",)


def test_a_dry_run_has_no_charts_and_says_that_nothing_was_sent(tmp_path):
    found = outline_of(
        material_of(
            tmp_path,
            dry_run=True,
            target=None,
            counts={"planned": 3},
            rows=3,
            groups=(),
            problems=(),
            outcomes=(),
            remedies=(),
            notes=(),
            clears={"contact.phone": 1},
        )
    )
    assert [text for tag, text in found.headings if tag == "h2"] == ["What to do", "Issues", "Mapping", "Files"]
    assert "Sent to nothing was sent: a dry run" in words(found.texts["hero"])
    assert words(found.texts["todo"]) == (
        "What to do This would clear contact.phone of 1 contact. "
        "Nothing was sent. To send, give the same command with run in the place of check."
    )
    assert "There are none: every cell that the mapping takes was good." in found.texts["issues"]


def test_a_run_that_was_stopped_says_why_and_how_to_go_on(tmp_path):
    stop = Stop("endpoint-down", "the endpoint is down", hint="try again later")
    found = outline_of(material_of(tmp_path, counts={"blocked": 3}, rows=3, stop=stop, groups=(), problems=()))
    assert words(found.texts["todo"]) == (
        "What to do Stopped: the endpoint is down: try again later [endpoint-down] "
        "Go on with the run where it ended: etl resume 20261124-021500-91de Copy"
    )


def test_the_aggregate_view_has_counts_alone(tmp_path):
    material = material_of(
        tmp_path,
        issues=list(mixed_issues(50)),
        results=[result(99, "failed")],
        view=View.AGGREGATE,
        plan=tmp_path / "p",
    )
    (path,) = write(material)
    text = path.read_text(encoding="utf-8")
    found = Outline(text)
    assert "issues" not in found.texts
    assert 'id="lines"' not in text
    for private in (
        "Polska 2",
        "'Niemcy'",
        "anna.nowak",
        "Contacts!F",
        "person99",
        "/home/anna",
        str(tmp_path),
        "mappings/",
    ):
        assert private not in words(text), private
    assert "3,120 error Not a country" in words(found.texts["problems"])
    assert [one for one in found.attributes("href") if ".csv" in one] == []


@pytest.mark.parametrize("view", [View.PSEUDONYMOUS, View.AGGREGATE])
def test_a_page_of_a_run_shows_no_value_in_the_other_views(tmp_path, view):
    mapping = CONTACT + "      contact.address.country: {column: Country, transform: [country]}\n"
    rows = [("E-mail", "Country"), ("secret.person@example.com", "Geheimland"), ("not-an-address", "PL")]
    file = write_rows(tmp_path / "s.csv", rows)
    options = etl.Options(out=tmp_path / "out", view=view, reports=("csv", "html"))
    report = etl.check(mapping_of(mapping, tmp_path), [file], options=options)
    text = (report.out / "report.html").read_text(encoding="utf-8")
    for private in ("Geheimland", "secret.person", "not-an-address"):
        assert private not in text
    assert ("v-" in Outline(text).texts.get("issues", "")) is (view is View.PSEUDONYMOUS)


def test_a_page_of_a_run_names_its_cells_and_links_the_other_reports(tmp_path):
    rows = [("E-mail",), ("anna@example.com",), ("not-an-address",)]
    options = etl.Options(out=tmp_path / "out", reports=("html", "csv", "xlsx", "fix"))
    report = etl.check(mapping_of(CONTACT, tmp_path), [write_rows(tmp_path / "s.csv", rows)], options=options)
    found = Outline((report.out / "report.html").read_text(encoding="utf-8"))
    assert "3 A3 E-mail contact.email error email-syntax not-an-address" in words(found.texts["issues"])
    links = {one for one in found.attributes("href") if not one.startswith(("#", "data:"))}
    assert links == {path.name for path in report.out.iterdir()} - {"report.html"}
    assert report.made[-1] == report.out / "report.html"


def test_a_kind_that_earlier_runs_did_not_have_is_marked(tmp_path):
    kinds = [{"what": "issue", "code": "email-syntax", "field": "contact.email", "rows": 86, "new": True}]
    found = outline_of(material_of(tmp_path, news={"known_kinds": 3, "kinds": kinds}))
    assert [text for tag, text in found.headings if text.endswith("new")] == ["Not an e-mail address new"]
    found = outline_of(material_of(tmp_path, news={"known_kinds": 0, "kinds": kinds}))
    assert [text for tag, text in found.headings if text.endswith("new")] == []


def test_without_groups_the_problems_are_told_by_their_codes(tmp_path):
    found = outline_of(material_of(tmp_path, groups=()))
    assert "86 error Not an e-mail address contact.email email-syntax" in words(found.texts["problems"])


def test_at_most_ten_problems_are_told_errors_first(tmp_path):
    groups = tuple(ProblemGroup("required", f"properties.p{n}", "", "error", 20 - n) for n in range(12))
    groups = (ProblemGroup("too-long", "tags", "", "warning", 99), *groups)
    found = outline_of(material_of(tmp_path, groups=groups))
    text = words(found.texts["problems"])
    assert text.startswith("Problems The 10 most frequent of 13 kinds, errors first. A warning keeps nothing")
    assert "properties.p9" in text
    assert "properties.p10" not in text


def test_long_values_and_examples_are_cut(tmp_path):
    group = ProblemGroup(
        "required", "tags", "Tags", "error", 1, values=(("z" * 9_999, 1),), examples=(Example("A1", "", "m" * 9_999),)
    )
    (path,) = write(material_of(tmp_path, groups=(group,)))
    assert path.stat().st_size < 100_000


def test_a_file_whose_name_is_no_text_costs_no_report(tmp_path):
    files = ({"file": "/in/caf\udce9.csv", "tables": [{"sheet": ""}]},)
    (path,) = write(material_of(tmp_path, files=files))
    assert "caf?.csv" in path.read_text(encoding="utf-8")


def test_a_single_row_of_a_million_is_seen_in_the_bar():
    shares = page_facts.shares_of(replace(REPORT, counts={"delivered": 999_999, "failed": 1}))
    assert [(one.status, one.share) for one in shares] == [("delivered", "over 99.9 %"), ("failed", "under 0.1 %")]
    assert shares[1].width > 0.5
    assert round(sum(one.width for one in shares), 1) == 100


def test_every_status_has_its_place_and_meaning():
    assert set(page_facts.ORDER) == set(page_facts.MEANINGS) == {status.value for status in Status}
    style, symbols = page._text("report.css"), page._text("macros.html")
    assert [status for status in page_facts.ORDER if f".fill-{status}" not in style] == []
    assert [kind for kind in page.KINDS if f'id="i-{kind}"' not in symbols] == []


def test_charts_count_each_second_and_leave_gaps_where_no_answer_came():
    moments = (
        Moment(delivered=10, requests=12, retries=2, p50_ms=20, p95_ms=50), Moment(),
        Moment(delivered=4, other=1, requests=5, p50_ms=30, p95_ms=100), Moment(delivered=2, requests=2, p50_ms=10, p95_ms=10),
    )  # fmt: skip
    found = charts_of(Timeline(0.0, 2.0, moments))
    assert (found.peak, found.slowest, found.seconds, found.is_long) == (5.0, 100, 8.0, False)
    assert [(tick.at, tick.label) for tick in found.rates] == [(HEIGHT, "0"), (100, "2"), (50, "4"), (0, "6")]
    assert [tick.label for tick in found.latencies] == ["0", "25", "50", "75", "100"]
    assert [(bar.good, bar.other) for bar in found.bars] == [(125, 0), (0, 0), (50, 12.5), (25, 0)]
    assert found.most == ("2.5,0 3.5,135",)
    assert found.most_dots == ((12.5, 75),)
    assert [(mark.at, mark.told) for mark in found.marks] == [(12.5, "0:00: 2 retries")]
    assert found.rows[0].per_second == "5"
    assert found.bars[2].told == "0:04: 2.5 a second, 4 delivered, 1 not"


def test_a_run_that_sent_nothing_has_no_charts():
    assert charts_of(Timeline()) is None
    assert charts_of(Timeline(0.0, 1.0, (Moment(), Moment()))) is None


@pytest.mark.parametrize(
    ("seconds", "labels"),
    [
        (1, ["0:00.00", "0:00.25", "0:00.50", "0:00.75", "0:01.00"]),
        (6, ["0:00", "0:01", "0:02", "0:03", "0:04", "0:05", "0:06"]),
        (90, ["0:00", "0:15", "0:30", "0:45", "1:00", "1:15", "1:30"]),
        (7_200, ["0:00", "30:00", "1:00:00", "1:30:00", "2:00:00"]),
    ],
    ids=["a-second", "seconds", "minutes", "hours"],
)
def test_the_axis_of_time_has_round_steps(seconds, labels):
    moments = tuple(Moment(delivered=1, requests=1) for _ in range(4))
    assert [tick.label for tick in charts_of(Timeline(0.0, seconds / 4, moments)).times] == labels


def test_numbers_have_as_many_digits_as_somebody_reads():
    assert [short(one) for one in (1_240.4, 12.54, 0.0831, 5.0)] == ["1,240", "12.5", "0.0831", "5"]
    assert [clock(one) for one in (7, 67, 3_667)] == ["0:07", "1:07", "1:01:07"]


def test_packed_lines_stop_where_the_room_ends():
    assert packed_lines([])[1] == 0
    assert visible("x" * 400, 10) == "x" * 9 + "…"


def test_the_templates_are_shipped():
    folder = Path(page.__file__).parent / "templates"
    assert {path.name for path in folder.iterdir()} >= {"report.html", "report.css", "report.js", "macros.html"}


def test_what_stands_in_backticks_is_code_and_nothing_else_is_markup():
    assert page.ticked("name it in `date`, <b>") == "name it in <code>date</code>, &lt;b&gt;"
    assert page.ticked("a lone ` & <i>") == "a lone ` &amp; &lt;i&gt;"


def test_values_that_occur_once_each_are_not_listed_beside_the_examples(tmp_path):
    group = ProblemGroup(
        "required", "contact.email", "E-mail", "error", 2, values=(("a", 1), ("b", 1)),
        examples=(Example("row 4", "", "a value is required"), Example("row 9", "", "a value is required")),
    )  # fmt: skip
    found = outline_of(material_of(tmp_path, groups=(group,), outcomes=(), remedies=()))
    assert words(found.texts["problems"]).endswith("Fill in the cell, or delete the row. Examples row 4 row 9")
