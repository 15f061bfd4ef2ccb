"""report.html in a real Chromium, opened from the disk: the table works, nothing is asked of the net, all can use it."""

from __future__ import annotations

import shutil
import time
from contextlib import contextmanager

import pytest
from page_runs import GROUPS, HOSTILE, a_timeline, counted, issue, material_of, mixed_issues, result

from etl.report import Example
from etl.reports.page import write

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
if CHROMIUM is None:
    pytest.skip("no Chromium is installed here", allow_module_level=True)
playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed here")

COLUMNS = ("row", "column", "field", "kind", "value", "message")
LINES = [
    issue(20, column="E-mail", field="contact.email", code="email-syntax", value="Zoe", message="'Zoe' is not an e-mail address"),
    issue(4, value="12"),
    issue(7, value="-3.5", severity="warning", code="too-long", column="Notes", field="properties.note"),
    issue(11, value="7"),
    issue(100, value="1.25", message="a"),
    issue(101, value="1,5", column="", field="", code="ragged-row", message="the row has 3 cells"),
    issue(102, value="anna"),
]  # fmt: skip


@pytest.fixture(scope="module")
def browser():
    with playwright.sync_playwright() as running:
        started = running.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield started
        started.close()


@contextmanager
def opened(browser, material, **settings):
    """Yield the page of a run; fails on a request of the net, on an error of the script and on words in the console."""
    path = material.out / "report.html"
    if not path.exists():
        write(material)
    told: list[str] = []

    def judge(route):
        if route.request.url.startswith(("file:", "data:")):
            route.continue_()
        else:
            told.append(f"asked for {route.request.url}")
            route.abort()

    context = browser.new_context(
        **{"viewport": {"width": 1200, "height": 900}, "reduced_motion": "reduce", **settings}
    )
    context.route("**/*", judge)
    page = context.new_page()
    page.on("console", lambda message: told.append(message.text))
    page.on("pageerror", lambda error: told.append(str(error)))
    page.goto(path.as_uri())
    yield page
    context.close()
    assert told == []


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    issues = sorted(LINES, key=lambda one: one["row"])
    return material_of(tmp_path_factory.mktemp("small"), issues=issues, counts={"invalid": 6}, **counted(issues))


@pytest.fixture(scope="module")
def small_page(browser, small):
    with opened(browser, small) as page:
        yield page


@pytest.fixture
def page(small_page):
    """The page of `small`, as it is when it has just been opened."""
    small_page.reload()
    return small_page


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    issues = list(mixed_issues(950))
    results = [result(90_000 + at, "failed", code="gateway-error", message="Internal server error") for at in range(50)]
    changed = counted(issues) | {"groups": GROUPS}
    return material_of(
        tmp_path_factory.mktemp("large"),
        issues=issues,
        results=results,
        counts={"invalid": 900, "failed": 50},
        **changed,
    )


def shown(page, column: str) -> list[str]:
    return page.locator(f"#body .c-{column}").evaluate_all(
        "cells => cells.map(one => (one.querySelector('.number, .kind') || one.firstElementChild || one).textContent)"
    )


def rows_of(page) -> list[int]:
    return [int(text.replace(",", "")) for text in shown(page, "row")]


def status_of(page) -> str:
    return page.locator("#status").text_content()


def as_number(text: str) -> tuple[int, float, str]:
    try:
        return 0, float(text.replace(",", ".")), ""
    except ValueError:
        return 1, 0.0, text.casefold()


ORDERS = {
    "row": lambda one: one["row"],
    "column": lambda one: one["column"].casefold(),
    "field": lambda one: one["field"],
    "kind": lambda one: (one["severity"], one["code"]),
    "value": lambda one: as_number(one["value"]),
    "message": lambda one: one["message"].replace("'", "").casefold(),
}


@pytest.mark.parametrize("column", COLUMNS)
def test_each_column_sorts_both_ways_numbers_by_their_size(page, column):
    upwards = sorted(sorted(LINES, key=lambda one: one["row"]), key=ORDERS[column])
    head = page.locator(f"th.c-{column}")
    if column != "row":
        head.locator("button").click()
    assert head.get_attribute("aria-sort") == "ascending"
    values = shown(page, column)
    if column == "message":
        # Where quotes stand in the order of signs is the browser's business; both ways are each other's mirror.
        assert sorted(values) == sorted(one["message"] for one in upwards)
    else:
        assert rows_of(page) == [one["row"] for one in upwards]
    head.locator("button").click()
    assert head.get_attribute("aria-sort") == "descending"
    assert page.locator("th[aria-sort]").count() == 1
    assert shown(page, column) == values[::-1]


@pytest.mark.parametrize(
    ("typed", "rows"),
    [
        ("ANNA", [102]),
        ("country 12", [4]),
        ("e-mail", [20]),
        ("f101", [101]),
        ("ragged", [101]),
        ("warning", [7]),
        ("no such thing", []),
    ],
    ids=["any-case", "all-words", "column", "cell", "code", "kind", "nothing"],
)
def test_searching_finds_lines_by_any_of_their_words(page, typed, rows):
    page.fill("#search", typed)
    playwright.expect(page.locator("#status")).to_contain_text(" of ")
    assert rows_of(page) == rows
    assert status_of(page) == f"{len(rows)} of 7 lines"
    assert page.locator("#none").is_visible() is (not rows)
    page.click("#clear")
    assert status_of(page) == "7 lines"
    assert page.evaluate("document.activeElement.id") == "search"


@pytest.mark.parametrize(
    ("chosen", "rows"),
    [
        ({"kind": "=warning"}, [7]),
        ({"code": "=not-a-country"}, [4, 11, 100, 102]),
        ({"field": "="}, [101]),
        ({"kind": "=error", "field": "=contact.email"}, [20]),
        ({"kind": "=warning", "code": "=ragged-row"}, []),
    ],
    ids=["kind", "code", "whole-row", "two", "none"],
)
def test_filters_go_together(page, chosen, rows):
    for name, value in chosen.items():
        page.select_option(f"#{name}", value)
    assert rows_of(page) == rows


def test_a_filter_says_how_many_lines_it_has(page):
    options = page.locator("#code option").all_text_contents()
    assert options == [
        "All problems", "not-a-country: not a country (4)", "too-long: a long text (1)",
        "email-syntax: not an e-mail address (1)", "ragged-row: too few or too many cells (1)",
    ]  # fmt: skip


def test_pages_hold_a_hundred_lines_each(browser, large):
    with opened(browser, large) as page:
        assert status_of(page) == "1,000 lines, 1 to 100 shown"
        first = rows_of(page)
        assert len(first) == 100
        page.click("[data-page=next]")
        assert status_of(page) == "1,000 lines, 101 to 200 shown"
        assert rows_of(page)[0] > first[-1]
        page.click("[data-page=last]")
        assert page.locator("#page").text_content() == "Page 10 of 10"
        assert page.locator("[data-page=next]").is_disabled()
        assert rows_of(page)[-1] == 90_049
        page.click("[data-page=previous]")
        page.click("[data-page=first]")
        assert rows_of(page) == first
        assert page.locator("[data-page=previous]").is_disabled()


def test_a_problem_leads_to_its_lines(browser, large):
    with opened(browser, large) as page:
        page.click("[data-code=email-syntax]")
        assert set(shown(page, "field")) == {"contact.email"}
        assert status_of(page).startswith("190 of 1,000 lines")
        # No line of the table is of this kind, so nothing leads there.
        assert page.locator("[data-code=required]").count() == 0


def test_the_table_can_be_used_with_the_keyboard_alone(browser, large):
    with opened(browser, large) as page:
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.className") == "skip"
        page.keyboard.press("Enter")
        assert page.evaluate("document.activeElement.id") == "main"
        _tab_to(page, "document.activeElement.id === 'search'")
        page.keyboard.type("exmaple")
        playwright.expect(page.locator("#status")).to_contain_text("95 of ")
        _tab_to(page, "document.activeElement.id === 'clear'")
        page.keyboard.press("Enter")
        _tab_to(page, "document.activeElement.id === 'kind'")
        page.keyboard.type("failed")
        assert status_of(page) == "50 of 1,000 lines"
        page.select_option("#kind", "")
        _tab_to(page, "document.activeElement.closest('th.c-value') !== null")
        page.keyboard.press("Space")
        assert page.locator("th.c-value").get_attribute("aria-sort") == "ascending"
        assert shown(page, "value")[0] == "-3.5"
        _tab_to(page, "document.activeElement.dataset.page === 'last'")
        page.keyboard.press("Enter")
        # The button that was pressed can be pressed no more: the focus is not lost.
        assert page.evaluate("document.activeElement.dataset.page") == "first"


def _tab_to(page, condition: str) -> None:
    for _ in range(60):
        if page.evaluate(condition):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"no Tab leads to {condition}")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1200, 360])
def test_axe_finds_nothing_to_complain_of(browser, large, scheme, width):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-core is not installed here").Axe()
    with opened(browser, large, color_scheme=scheme, viewport={"width": width, "height": 900}) as page:
        page.click("details summary")
        # One line is like the other, and axe-core takes its time for each.
        page.evaluate("document.querySelectorAll('tbody tr:nth-child(n + 8)').forEach(row => row.remove())")
        found = axe.run(
            page,
            options={
                "resultTypes": ["violations"],
                "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
            },
        )
        told = [
            (one["id"], one["nodes"][0]["html"], one["nodes"][0]["failureSummary"])
            for one in found.response["violations"]
        ]
    assert told == []


def test_the_theme_is_the_systems_until_somebody_chooses_and_then_stays(browser, small):
    def paper(page):
        return page.evaluate("getComputedStyle(document.body).backgroundColor")

    with opened(browser, small, color_scheme="dark") as page:
        dark = paper(page)
        assert page.get_attribute("#theme", "aria-pressed") == "true"
        page.click("#theme")
        light = paper(page)
        assert light != dark
        page.reload()
        assert paper(page) == light
        assert page.get_attribute("#theme", "aria-pressed") == "false"


def test_a_browser_that_keeps_nothing_costs_nothing_but_the_choice(browser, small):
    with opened(browser, small) as page:
        page.add_init_script(
            "Object.defineProperty(window, 'localStorage', {get() { throw new DOMException('no', 'SecurityError') }})"
        )
        page.reload()
        page.click("#theme")
        assert page.evaluate("document.documentElement.dataset.theme") == "dark"
        assert status_of(page) == "7 lines"


def test_a_line_for_the_mapping_is_copied_from_a_file_on_the_disk(browser, large):
    with opened(browser, large) as page:
        page.locator("#problems [data-copy]").first.click()
        playwright.expect(page.locator("#problems [data-copy]").first).to_have_text("Copied")
        assert page.locator("#said").text_content() == "Copied"
        page.fill("#search", "")
        page.focus("#search")
        page.keyboard.press("Control+V")
        assert page.input_value("#search") == large.report.remedies[0].line


def test_a_line_is_copied_where_the_clipboard_is_refused(browser, large):
    with opened(browser, large) as page:
        page.evaluate("Object.defineProperty(navigator, 'clipboard', {value: {writeText: () => Promise.reject()}})")
        page.locator("#todo [data-copy]").first.click()
        playwright.expect(page.locator("#todo [data-copy]").first).to_have_text("Copied")


def test_without_a_script_all_but_the_search_can_be_read(browser, large):
    with opened(browser, large, java_script_enabled=False) as page:
        assert page.locator("#body tr").count() == 100
        assert page.locator("noscript p").text_content() == (
            "Searching and sorting need a script. These are the first 100 of 1,000; issues.csv holds all."
        )
        for control in ("#controls", "#pager", "#theme", "[data-copy] >> nth=0", "[data-code] >> nth=0"):
            assert not page.locator(control).is_visible(), control
        for section in ("todo", "problems", "issues", "sending", "mapping", "files"):
            assert page.locator(f"#{section} h2").is_visible(), section


def test_the_script_shows_the_same_lines_as_the_page_itself(browser, large):
    texts = "rows => rows.map(row => [...row.cells].map(cell => cell.textContent).join('|'))"
    with opened(browser, large) as page:
        by_script = page.locator("#body tr").evaluate_all(texts)
    with opened(browser, large, java_script_enabled=False) as page:
        assert page.locator("#body tr").all_text_contents() == [line.replace("|", "") for line in by_script]


def test_ten_thousand_lines_are_there_within_a_second(browser, tmp_path):
    issues = list(mixed_issues(10_000))
    material = material_of(tmp_path, issues=issues, counts={"invalid": 9_000}, **counted(issues))
    with opened(browser, material) as page:
        assert status_of(page) == "10,000 lines, 1 to 100 shown"
        timing = page.evaluate("performance.getEntriesByType('navigation')[0].domContentLoadedEventEnd")
        started = time.perf_counter()
        page.click("th.c-message button")
        page.fill("#search", "nowak997")
        playwright.expect(page.locator("#status")).to_contain_text(" of ")
        seconds = time.perf_counter() - started
    # A shared machine is no stopwatch: measured here are 0.15 s.
    assert timing < 3_000
    assert seconds < 3


def test_no_cell_is_taken_for_anything_but_text(browser, tmp_path):
    issues = [issue(row, value=text, message=text, column=text, hint=text) for row, text in enumerate(HOSTILE, start=4)]
    group = GROUPS[0].__class__(
        "not-a-country", "contact.address.country", HOSTILE[0], "error", 12, hint=HOSTILE[2], suggestion=HOSTILE[1],
        values=tuple((text, 1) for text in HOSTILE[:5]), examples=tuple(Example(text, text, text) for text in HOSTILE[:3]),
    )  # fmt: skip
    changed = counted(issues) | {"groups": (group,), "notes": HOSTILE[:4], "mapping": HOSTILE[1]}
    with opened(browser, material_of(tmp_path, issues=issues, counts={"invalid": 12}, **changed)) as page:
        page.click("th.c-value button")
        page.click("th.c-row button")
        page.fill("#search", "")
        assert page.evaluate("window.hit") is None
        assert page.locator("main img, main script").count() == 0
        values = shown(page, "value")
        assert values[:4] == list(HOSTILE[:4])
        assert values[5] == "שלום ⟨U+202E⟩gpj.exe"
        assert len(values[6]) == 160
        assert values[8] == "'" + HOSTILE[8]
        assert page.evaluate("document.documentElement.scrollWidth") == 1200
        assert HOSTILE[1] in page.locator(".fix").all_text_contents()[0]


@pytest.mark.parametrize("width", [360, 768, 1200])
def test_the_page_is_as_wide_as_the_window(browser, large, width):
    with opened(browser, large, viewport={"width": width, "height": 800}) as page:
        assert page.evaluate("document.documentElement.scrollWidth") == width
        page.fill("#search", "no such thing")
        playwright.expect(page.locator("#none")).to_be_visible()
        assert not page.locator("#table").is_visible()


def test_in_print_all_sections_stand_and_the_table_is_cut(browser, large):
    with opened(browser, large, color_scheme="dark") as page:
        page.emulate_media(media="print")
        for section in ("todo", "problems", "issues", "sending", "mapping", "files"):
            assert page.locator(f"#{section} h2").is_visible(), section
        assert page.locator("#body tr:visible").count() == 40
        assert page.locator(".in-print").text_content() == "The first 40 lines; all are in issues.csv."
        for control in (".top", "#controls", "#pager", "[data-copy] >> nth=0", "#status"):
            assert not page.locator(control).is_visible(), control
        assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
        assert page.pdf(format="A4")[:5] == b"%PDF-"


def test_the_charts_stand_one_below_the_other_on_the_same_axis(browser, large):
    with opened(browser, large) as page:
        first, second = (page.locator(".plot > svg").nth(at).bounding_box() for at in (0, 1))
        assert (first["x"], first["width"]) == (second["x"], second["width"])
        assert page.locator(".plot > svg").nth(0).get_attribute("aria-label") == (
            "Records a second over 3 min: at most 50. The table below holds the numbers."
        )
        page.click("details summary")
        assert page.locator("details tbody tr").count() == len(a_timeline().moments)
