"""OpenTelemetry: spans and metrics at a real collector on this machine, and runs that need none."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from collector import attributes, collector
from night_runs import CANARIES, PEOPLE, PHONE, SECRET, TOKEN, WHO, logged, named, people
from support import rig

from etl.errors import SettingsError
from etl.logs import LogWish
from etl.sandbox import FaultRule, Faults

OTEL = "\n[telemetry]\notel = true\n"
REPOSITORY = Path(__file__).parents[2]
SLOW_SECONDS = 30.0


@pytest.fixture(autouse=True)
def _no_endpoint_of_this_machine(monkeypatch):
    for name in [name for name in os.environ if name.startswith("OTEL_")]:
        monkeypatch.delenv(name)


def test_a_run_is_a_trace_of_its_stages_and_requests(tmp_path, monkeypatch):
    faults = Faults((FaultRule("503", nth=(2,)),))
    with collector() as kept, rig(tmp_path, target=OTEL, faults=faults) as server:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", kept.url)
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "x-tenant=us")
        report = server.run(PEOPLE, people(tmp_path), concurrency=1)
    spans = {span.name: span for span in kept.spans}
    run, checking, sending = spans["etl run"], spans["checking"], spans["sending"]
    assert attributes(run) == {
        "etl.run": report.id, "etl.verb": "run", "etl.mapping": "people", "etl.target": "test", "etl.exit_code": 0,
        "etl.rows": 3,
    }  # fmt: skip
    assert run.parent_span_id == b""
    assert checking.parent_span_id == sending.parent_span_id == run.span_id
    assert len({span.trace_id for span in kept.spans}) == 1
    asked = [span for span in kept.spans if span.name == "POST /contacts"]
    assert {span.parent_span_id for span in asked} == {sending.span_id}
    assert sorted(
        (found["etl.row"], found["etl.attempt"], found["etl.outcome"]) for found in map(attributes, asked)
    ) == [(2, 1, "delivered"), (3, 1, "retry"), (3, 2, "delivered"), (4, 1, "delivered")]
    for span in asked:
        assert run.start_time_unix_nano < span.start_time_unix_nano < span.end_time_unix_nano
        assert span.end_time_unix_nano <= run.end_time_unix_nano
    assert kept.headers["x-tenant"] == "us"
    assert attributes(kept.traces[0].resource_spans[0].resource)["service.name"] == "salesmanago-etl"


def test_the_metrics_add_up_to_the_report(tmp_path, monkeypatch):
    rules = (
        FaultRule("503", nth=(2,)),
        FaultRule("429", nth=(4,), retry_after=0),
        FaultRule("400", person="p4@example.com"),
    )
    with collector() as kept, rig(tmp_path, target=OTEL, faults=Faults(rules)) as server:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", kept.url)
        report = server.run(PEOPLE, people(tmp_path, 5, "bad@@;;"), concurrency=1)
    own = {"etl.mapping": "people"}
    assert {labels["etl.outcome"] for labels, _ in kept.points("etl.requests")} == {"delivered", "retry", "rejected"}
    assert all(own.items() <= labels.items() for labels, _ in kept.points("etl.requests"))
    assert sum(number for _, number in kept.points("etl.requests")) == report.delivery["requests"] == 7
    assert {labels["etl.http_status"] for labels, _ in kept.points("etl.requests")} == {200, 400, 429, 503}
    assert [number for _, number in kept.points("etl.retries")] == [report.delivery["retries"]]
    assert [number for _, number in kept.points("etl.throttled")] == [1]
    assert [number for _, number in kept.points("etl.rows")] == [6]
    found = {labels["etl.status"]: number for labels, number in kept.points("etl.records")}
    assert found == report.counts == {"delivered": 4, "invalid": 1, "rejected": 1}
    assert sum(number for _, number in kept.points("etl.request.duration")) == 7
    ((labels, count),) = kept.points("etl.run.duration")
    assert (labels["etl.exit_code"], count) == (1, 1)


def test_nothing_of_a_person_and_no_secret_leaves_for_the_collector(tmp_path, monkeypatch):
    monkeypatch.setenv("CANARY_TOKEN", TOKEN)
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", f"authorization={SECRET}")
    settings = f'auth = "bearer"\nbearer_env = "CANARY_TOKEN"\n{OTEL}'
    rules = (FaultRule("400", person=WHO), FaultRule("lost", nth=(2,)), FaultRule("429", nth=(3,), retry_after=0))
    with (
        collector() as kept,
        rig(tmp_path, target=settings, auth="bearer", secret=TOKEN, faults=Faults(rules)) as server,
    ):
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", kept.url)
        report = server.run(PEOPLE, people(tmp_path, 3, f"{WHO};{PHONE};Wyjatkowa", f"{WHO}@;{PHONE};Wyjatkowa"))
    assert report.counts == {"delivered": 3, "invalid": 1, "rejected": 1}
    assert kept.headers["authorization"] == SECRET
    sent = b"".join(kept.bodies)
    assert b"delivered" in sent
    assert [canary for canary in (*CANARIES, "@example.com") if canary.encode() in sent] == []


def test_the_environment_alone_turns_it_on_and_the_setting_or_the_sdks_own_switch_off(tmp_path, monkeypatch):
    with collector() as kept, rig(tmp_path) as server:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", kept.url)
        server.check(PEOPLE, people(tmp_path))
        assert [span.name for span in kept.spans][:2] == ["etl check", "checking"]
        arrived = len(kept.bodies)
        monkeypatch.setenv("OTEL_SDK_DISABLED", "true")
        server.check(PEOPLE, people(tmp_path))
        monkeypatch.delenv("OTEL_SDK_DISABLED")
        server.config.write_text(server.config.read_text("utf-8") + "\n[telemetry]\notel = false\n", "utf-8")
        server.check(PEOPLE, people(tmp_path))
        assert len(kept.bodies) == arrived


def test_a_run_that_is_refused_is_a_trace_that_says_so(tmp_path, monkeypatch):
    with collector() as kept, rig(tmp_path, target=OTEL) as server:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", kept.url)
        with pytest.raises(Exception, match="there is no such file"):
            server.run(PEOPLE, tmp_path / "gone.csv")
    (span,) = kept.spans
    assert (attributes(span)["etl.exit_code"], attributes(span)["etl.code"]) == (2, "file-missing")
    assert span.status.code == 2


@pytest.mark.parametrize("kind", ["down", "slow", "unwell"])
def test_a_collector_that_takes_nothing_fails_no_run_and_holds_it_up_for_seconds_at_most(tmp_path, monkeypatch, kind):
    path = tmp_path / "log.jsonl"
    with (
        collector(slow=SLOW_SECONDS if kind == "slow" else 0.0, status=503 if kind == "unwell" else 200) as kept,
        rig(tmp_path, target=OTEL) as server,
    ):
        # Nobody listens on port 1.
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1" if kind == "down" else kept.url)
        started = time.monotonic()
        report = server.run(PEOPLE, people(tmp_path), log=LogWish(None, path))
        seconds = time.monotonic() - started
    assert report.exit_code == 0
    # Not as long as the collector takes, nor as long as the exporter would go on trying.
    assert seconds < SLOW_SECONDS / 2
    (event,) = named(logged(path), "telemetry-not-delivered")
    assert (event["level"], event["run"]) == ("warning", report.id)


def test_an_extra_that_is_not_installed_is_told_before_anything_is_sent_where_it_is_asked_for(tmp_path):
    shadow = tmp_path / "shadow" / "opentelemetry"
    shadow.mkdir(parents=True)
    (shadow / "__init__.py").write_text("", "utf-8")
    people(tmp_path)
    (tmp_path / "people.yaml").write_text(PEOPLE, "utf-8")
    script = """
import os, pathlib
from etl.__main__ import main
words = ["check", "people.yaml", "sheet.csv", "--quiet", "--out", "out"]
print(main(words))
os.environ["OTEL_EXPORTER_OTLP_ENDPOINT"] = "http://127.0.0.1:1"
pathlib.Path("etl.toml").write_text("")
print(main([*words, "--json"]))
"""
    (tmp_path / "etl.toml").write_text(OTEL, "utf-8")
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(shadow.parent), str(REPOSITORY)])},
    )  # fmt: skip
    assert done.stderr == (
        f"{tmp_path / 'etl.toml'}: otel = true needs packages that are not installed\n"
        '  hint: pip install "salesmanago-etl[otel]", or leave it out of [telemetry]   [otel-missing]\n'
    )
    assert [line for line in done.stdout.splitlines() if line.isdigit()] == ["2", "0"]


def test_settings_that_are_wrong_are_told_with_what_is_right(tmp_path):
    wrong = '\n[telemetry]\notel = "yes"\n[log]\nlevel = "loud"\nfile = 1\n'
    with rig(tmp_path, target=wrong) as server, pytest.raises(SettingsError) as raised:
        server.check(PEOPLE, people(tmp_path))
    assert str(raised.value) == (
        f"{server.config}: 3 settings are wrong\n"
        "  log.level: 'loud' is not one of the words allowed (hint: use one of debug, info, warning, error; info where it is left out)\n"
        '  log.file: must be text (hint: write it like file = "etl.log")\n'
        "  telemetry.otel: must be true or false (hint: true: traces and metrics go to OTEL_EXPORTER_OTLP_ENDPOINT; false: never)"
        "   [settings]"
    )


def test_each_report_that_is_written_is_a_span_of_the_run(tmp_path, monkeypatch):
    with collector() as kept, rig(tmp_path, target=OTEL) as server:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", kept.url)
        server.run(PEOPLE, people(tmp_path, 2, "bad@@;;"), reports=("csv", "html", "fix", "parquet"))
    (run,) = (span for span in kept.spans if span.name == "etl run")
    stages = [span.name for span in kept.spans if span.parent_span_id == run.span_id]
    assert stages[:2] == ["checking", "sending"]
    assert sorted(stages[2:]) == sorted(["writing results.parquet", "writing to_fix", "writing report.html"])


def test_what_the_environment_says_wrongly_costs_the_telemetry_and_not_the_run(tmp_path, monkeypatch):
    path = tmp_path / "log.jsonl"
    monkeypatch.setenv("OTEL_METRIC_EXPORT_INTERVAL", "0")
    with rig(tmp_path, target=OTEL) as server:
        report = server.run(PEOPLE, people(tmp_path), log=LogWish(None, path))
    assert report.exit_code == 0
    assert [event["part"] for event in named(logged(path), "telemetry-failed")] == ["otel"]


def test_what_has_nowhere_to_go_is_not_sent(tmp_path, monkeypatch):
    path = tmp_path / "log.jsonl"
    with collector() as kept, rig(tmp_path) as server:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", f"{kept.url}/v1/metrics")
        server.run(PEOPLE, people(tmp_path), log=LogWish(None, path))
        assert (len(kept.traces), len(kept.metrics)) == (0, 1)
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", kept.url)
        monkeypatch.setenv("OTEL_METRICS_EXPORTER", "none")
        server.check(PEOPLE, people(tmp_path), log=LogWish(None, path))
        assert (len(kept.traces), len(kept.metrics)) == (1, 1)
    assert named(logged(path), "telemetry-not-delivered") == []
