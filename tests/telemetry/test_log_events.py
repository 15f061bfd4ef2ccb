"""The log of a run: what is told, at which level, and what never stands in it."""

from __future__ import annotations

import io
import json
import logging
from datetime import UTC, datetime
from pathlib import Path

import pytest
from night_runs import CANARIES, PEOPLE, PHONE, TOKEN, WHO, logged, named, people, run_logged
from support import rig, write_csv

import etl
from etl.errors import SettingsError
from etl.guards import Guards, parse_limit
from etl.interrupt import Interrupt
from etl.logs import LogWish, open_log
from etl.progress import Silent
from etl.sandbox import FaultRule, Faults
from etl.settings.log import LogSettings
from etl.telemetry import Watch
from etl.telemetry.base import Event, Trouble
from etl.telemetry.events import ProgressEvents


class Screen(io.StringIO):
    def isatty(self) -> bool:
        return True


class Clock:
    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


def at_noon() -> datetime:
    return datetime(2026, 1, 2, 12, tzinfo=UTC)


def lines(stream: io.StringIO, level: str | None = None, settings: LogSettings | None = None, **wish: object) -> None:
    log = open_log(LogWish(level, stream=stream, now=at_noon, **wish), settings or LogSettings(), Path())
    for name in ("debug", "info", "warning", "error"):
        getattr(log.logger, name)(f"{name}-event", rows=1)
    log.close()


def levels(stream: io.StringIO) -> list[str]:
    return [word for word in ("debug", "info", "warning", "error") if f"{word}-event" in stream.getvalue()]


@pytest.mark.parametrize(
    ("stream", "level", "wish", "shown"),
    [
        (io.StringIO(), None, {}, ["info", "warning", "error"]),
        (Screen(), None, {}, ["warning", "error"]),
        (Screen(), "info", {}, ["info", "warning", "error"]),
        (io.StringIO(), "debug", {}, ["debug", "info", "warning", "error"]),
        (io.StringIO(), "error", {}, ["error"]),
        (io.StringIO(), "debug", {"is_quiet": True}, []),
    ],
    ids=["a pipe", "a terminal", "a terminal, asked for", "debug", "errors alone", "quiet"],
)
def test_what_is_shown_depends_on_who_looks(stream, level, wish, shown):
    lines(stream, level, **wish)
    assert levels(stream) == shown


def test_json_off_a_terminal_and_lines_to_read_on_one():
    pipe, screen = io.StringIO(), Screen()
    lines(pipe, "error")
    lines(screen, "error")
    assert json.loads(pipe.getvalue()) == {
        "time": "2026-01-02T12:00:00.000+00:00", "level": "error", "event": "error-event", "rows": 1,
    }  # fmt: skip
    assert screen.getvalue().endswith(" error error-event rows=1\n")
    assert "{" not in screen.getvalue()


def test_the_format_can_be_asked_for():
    pipe, screen = io.StringIO(), Screen()
    lines(pipe, "error", LogSettings(format="console"))
    lines(screen, "error", LogSettings(format="json"))
    assert pipe.getvalue().endswith(" error error-event rows=1\n")
    assert json.loads(screen.getvalue())["rows"] == 1


def test_what_is_not_on_the_list_is_left_out_and_addresses_and_numbers_of_others_are_hidden():
    stream = io.StringIO()
    log = open_log(LogWish(stream=stream), LogSettings(), Path())
    log.logger.error(
        "stopped", reason=f"the endpoint says: {WHO}, {PHONE}", payload=WHO, key=WHO, email=WHO,
        files=[f"{WHO}.csv"], request_id=f"id of {WHO}", exit_code=WHO,
    )  # fmt: skip
    event = json.loads(stream.getvalue())
    assert not any(canary in stream.getvalue() for canary in CANARIES)
    assert set(event) == {"time", "level", "event", "reason", "files", "request_id", "exit_code"}
    assert event["reason"] == "the endpoint says: (address), (number)"


def test_a_name_that_would_steer_the_terminal_is_written_as_text():
    screen = Screen()
    log = open_log(LogWish(stream=screen), LogSettings(), Path())
    log.logger.error("run-ended", files=["a\x1b[2J\x9b.csv"])
    assert "\x1b" not in screen.getvalue()
    assert "\x9b" not in screen.getvalue()


def test_a_log_that_cannot_be_written_is_told_before_anything_is_sent(tmp_path):
    with rig(tmp_path) as server, pytest.raises(SettingsError) as raised:
        server.run(PEOPLE, people(tmp_path), log=LogWish(file=tmp_path))
    assert str(raised.value) == (
        f"{tmp_path}: the log cannot be written: Is a directory\n"
        "  hint: name a file that you may write to: --log-file, or `file` in [log] of etl.toml   [log-file]"
    )
    assert server.requests() == []


def test_a_full_disk_under_the_log_does_not_fail_the_run(tmp_path):
    with rig(tmp_path) as server:
        report = server.run(PEOPLE, people(tmp_path), log=LogWish("debug", Path("/dev/full")))
    assert report.exit_code == 0


def test_whoever_uses_us_as_a_library_hears_through_the_standard_library(tmp_path, caplog):
    with rig(tmp_path) as server, caplog.at_level(logging.INFO, "etl"):
        server.run(PEOPLE, people(tmp_path))
    events = [json.loads(record.getMessage()) for record in caplog.records if record.name == "etl"]
    assert [event["event"] for event in events][::4] == ["run-began", "run-ended"]
    assert {event["level"] for event in events} == {"info"}


class TestOfARun:
    def test_its_events_in_order_each_with_its_id(self, tmp_path):
        with rig(tmp_path) as server:
            report, events = run_logged(server, people(tmp_path), "info")
        assert [(event["event"], event.get("stage")) for event in events] == [
            ("run-began", None), ("stage-ended", "checking"), ("stage-began", "sending"), ("stage-ended", "sending"),
            ("run-ended", None),
        ]  # fmt: skip
        assert {event["run"] for event in events} == {report.id}
        began, ended = events[0], events[-1]
        assert {name: began[name] for name in ("verb", "mapping", "target", "files", "rows_estimated")} == {
            "verb": "run", "mapping": "people", "target": "test", "files": ["sheet.csv"], "rows_estimated": 4,
        }  # fmt: skip
        told = {name: ended[name] for name in ("exit_code", "rows", "counts", "requests", "retries", "throttled")}
        assert told == {
            "exit_code": 0, "rows": 3, "counts": {"delivered": 3}, "requests": 3, "retries": 0, "throttled": 0,
        }  # fmt: skip
        assert ended["seconds"] > 0

    def test_each_request_is_one_event_at_debug_retries_included(self, tmp_path):
        with rig(tmp_path, faults=Faults((FaultRule("503", nth=(2,)),))) as server:
            report, events = run_logged(server, people(tmp_path), concurrency=1)
            answered = [status for *_, status in server.requests()]
        asked = named(events, "request")
        assert [event["http_status"] for event in asked] == answered
        assert len(asked) == report.delivery["requests"] == 4
        assert {event["run"] for event in asked} == {report.id}
        (again,) = [event for event in asked if event["outcome"] == "retry"]
        assert (again["http_status"], again["attempt"], again["code"], again["row"]) == (503, 1, "unavailable", 3)
        assert sorted((event["row"], event["attempt"]) for event in asked if event["outcome"] == "delivered") == [
            (2, 1), (3, 2), (4, 1),
        ]  # fmt: skip
        assert {event["action"] for event in asked} == {"contact.upsert"}
        assert {event["endpoint"] for event in asked} == {"/contacts"}
        assert all(event["duration_ms"] > 0 and event["request_id"] for event in asked if event["http_status"] == 200)

    def test_without_debug_no_request_is_an_event(self, tmp_path):
        with rig(tmp_path) as server:
            _, events = run_logged(server, people(tmp_path), "info")
        assert named(events, "request") == []

    def test_no_key_value_payload_or_secret_stands_in_it(self, tmp_path, monkeypatch):
        monkeypatch.setenv("CANARY_TOKEN", TOKEN)
        rules = (FaultRule("400", person=WHO), FaultRule("lost", nth=(2,)), FaultRule("429", nth=(3,), retry_after=0))
        settings = 'auth = "bearer"\nbearer_env = "CANARY_TOKEN"'
        with rig(tmp_path, target=settings, auth="bearer", secret=TOKEN, faults=Faults(rules)) as server:
            file = people(tmp_path, 3, f"{WHO};{PHONE};Wyjatkowa", f"{WHO}@;{PHONE};Wyjatkowa")
            stream = io.StringIO()
            path = tmp_path / "log.jsonl"
            report = server.run(PEOPLE, file, log=LogWish("debug", path, stream))
        assert report.counts == {"delivered": 3, "invalid": 1, "rejected": 1}
        text = path.read_text("utf-8")
        assert stream.getvalue() == text
        assert [canary for canary in (*CANARIES, "@example.com") if canary in text] == []

    def test_a_429_is_told_once_with_the_rate_that_is_left(self, tmp_path):
        faults = Faults((FaultRule("429", nth=(5, 6), retry_after=0),))
        with rig(tmp_path, faults=faults) as server:
            _, events = run_logged(server, people(tmp_path, 12), "info")
        (slowed,) = named(events, "slowed-down")
        assert (slowed["level"], slowed["endpoint"]) == ("warning", "/contacts")
        assert slowed["refused"] >= 1
        assert slowed["rate"] > 0

    def test_an_endpoint_that_is_down_is_told_and_so_is_the_stop(self, tmp_path):
        with rig(tmp_path, target="patience = 0\nretries = 1", faults=Faults((FaultRule("503"),))) as server:
            report, events = run_logged(server, people(tmp_path, 40), "warning")
        assert report.exit_code == 3
        assert [event["event"] for event in events] == ["breaker-opened", "endpoint-given-up", "stopped"]
        assert {event["level"] for event in events} == {"warning"}
        assert events[-1]["code"] == "endpoint-down"

    def test_a_breaker_that_closes_again_is_told(self, tmp_path):
        with rig(tmp_path, faults=Faults((FaultRule("503", nth=tuple(range(2, 12))),))) as server:
            report, events = run_logged(server, people(tmp_path, 12), "warning")
        assert report.counts == {"delivered": 12}
        assert [event["event"] for event in events][:2] == ["breaker-opened", "breaker-closed"]

    def test_a_guard_that_stops_it_is_told_with_its_code(self, tmp_path):
        limit = Guards(fail_over=parse_limit("10%", "--fail-over"))
        with rig(tmp_path) as server:
            _, events = run_logged(server, people(tmp_path, 1, "bad@@;;"), "info", guards=limit)
        assert [event["code"] for event in named(events, "stopped")] == ["fail-over"]
        assert events[-1]["exit_code"] == 3
        assert events[-1]["code"] == "fail-over"

    def test_one_that_is_refused_before_it_begins_is_in_the_file_alone(self, tmp_path):
        stream, path = io.StringIO(), tmp_path / "log.jsonl"
        with rig(tmp_path) as server, pytest.raises(etl.EtlError):
            server.run(PEOPLE, write_csv(tmp_path / "s.csv", "Other\nx\n"), log=LogWish(None, path, stream))
        (event,) = logged(path)
        assert stream.getvalue() == ""
        assert [event[name] for name in ("event", "level", "exit_code", "code", "mapping", "target")] == [
            "run-refused", "error", 2, "missing-column", "people", "test",
        ]  # fmt: skip

    def test_one_that_is_interrupted_says_so(self, tmp_path):
        interrupt = Interrupt()
        with rig(tmp_path, latency_seconds=0.02) as server:

            class Impatient(Silent):
                def advance(self, rows, counts):
                    if counts.get("delivered"):
                        interrupt.request(15)

            report, events = run_logged(
                server, people(tmp_path, 300), "info", interrupt=interrupt, progress=Impatient(), concurrency=1
            )
        assert report.exit_code == 143
        assert (events[-1]["event"], events[-1]["exit_code"], events[-1]["code"]) == ("run-ended", 143, "interrupted")

    def test_a_check_has_one_too_and_a_resumed_run_keeps_its_id(self, tmp_path):
        path = tmp_path / "log.jsonl"
        with rig(tmp_path, target="patience = 0\nretries = 0", faults=Faults((FaultRule("503", first=1),))) as server:
            server.check(PEOPLE, people(tmp_path), log=LogWish(None, path))
            assert [(event["event"], event["verb"]) for event in logged(path)[:1]] == [("run-began", "check")]
            (tmp_path / "people.yaml").write_text(PEOPLE, "utf-8")
            first = etl.run(
                tmp_path / "people.yaml", [people(tmp_path)], target="test", config=server.config,
                options=etl.Options(out=tmp_path / "out"),
            )  # fmt: skip
            assert first.exit_code != 0
            path.unlink()
            etl.retry(first.id, config=server.config, options=etl.Options(log=LogWish(None, path)))
        events = logged(path)
        assert {event["run"] for event in events} == {first.id}
        assert (events[0]["verb"], events[0]["mapping"]) == ("retry", "people")


def test_an_observer_that_fails_is_told_no_more_and_the_log_says_so_once():
    class Broken:
        per_request = True
        seen = 0

        def see(self, event: Event) -> None:
            self.seen += 1
            raise RuntimeError(WHO)

        def close(self) -> None:
            raise RuntimeError(WHO)

    stream = io.StringIO()
    broken, watch = Broken(), Watch(log=open_log(LogWish(stream=stream), LogSettings(), Path()))
    watch.add(broken)
    for _ in range(3):
        watch.tell(Trouble("slowed-down", {}))
    watch.end(None, 0, 1.0)
    event = json.loads(stream.getvalue())
    assert broken.seen == 1
    assert [event[name] for name in ("level", "event", "part", "reason")] == [
        "warning", "telemetry-failed", "Broken", "RuntimeError",
    ]  # fmt: skip


class TestProgress:
    def test_an_event_every_five_seconds_and_one_at_the_end(self):
        stream, clock = io.StringIO(), Clock()
        progress = ProgressEvents(open_log(LogWish(stream=stream), LogSettings(), Path()), clock)
        progress.expect(1)
        progress.begin("sending", 1000)
        for _ in range(11):
            clock.seconds += 1
            progress.advance(50, {"delivered": 40, "invalid": 10})
        progress.end()
        events = [json.loads(line) for line in stream.getvalue().splitlines()]
        assert [(event["event"], event.get("rows"), event.get("seconds_left")) for event in events] == [
            ("stage-began", None, None), ("progress", 250, 15.0), ("progress", 500, 10.0), ("stage-ended", 550, None),
        ]  # fmt: skip
        assert {name: events[1][name] for name in ("stage", "total", "rows_per_second", "counts")} == {
            "stage": "sending", "total": 1000, "rows_per_second": 50.0, "counts": {"delivered": 40, "invalid": 10},
        }  # fmt: skip
        assert events[-1]["seconds"] == 11.0

    def test_without_a_total_no_time_is_promised(self):
        stream, clock = io.StringIO(), Clock()
        progress = ProgressEvents(open_log(LogWish(stream=stream), LogSettings(), Path()), clock)
        progress.begin("checking", None)
        clock.seconds += 5
        progress.advance(1000, {"planned": 1000})
        event = json.loads(stream.getvalue())
        assert (event["rows"], "total" in event, "seconds_left" in event) == (1000, False, False)

    def test_a_short_stage_without_counts_is_not_worth_an_event(self):
        stream, clock = io.StringIO(), Clock()
        progress = ProgressEvents(open_log(LogWish(stream=stream), LogSettings(), Path()), clock)
        progress.begin("writing", 10)
        clock.seconds += 1
        progress.advance(10, {})
        progress.end()
        assert stream.getvalue() == ""

    def test_rows_are_those_accounted_for_also_before_their_chunk_is_complete(self):
        stream, clock = io.StringIO(), Clock()
        progress = ProgressEvents(open_log(LogWish(stream=stream), LogSettings(), Path()), clock)
        progress.expect(2)
        progress.begin("checking", 100)
        clock.seconds += 5
        progress.advance(0, {"delivered": 40})
        assert json.loads(stream.getvalue())["rows"] == 20
