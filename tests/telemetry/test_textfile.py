"""The file for Prometheus' node exporter: read by Prometheus' own parser, after real runs, good and bad."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from night_runs import CANARIES, PEOPLE, PHONE, WHO, logged, named, people
from prometheus_client.parser import text_string_to_metric_families
from support import rig, write_csv

import etl
from etl.__main__ import main
from etl.guards import Guards, parse_limit
from etl.logs import LogWish
from etl.sandbox import FaultRule, Faults
from etl.telemetry.base import About, RunEnded
from etl.telemetry.prometheus import path_of, write

SETTING = '\n[telemetry]\ntextfile = "{}"\n'
SUCCESS = "etl_last_success_timestamp_seconds"
LAST = "etl_last_run_timestamp_seconds"


def figures(path: Path, mapping: str = "people") -> dict[str, float]:
    """Return the figures of a mapping, by name and what its labels say beside mapping and target."""
    found = {}
    for family in text_string_to_metric_families(path.read_text("utf-8")):
        for sample in family.samples:
            labels = dict(sample.labels)
            if labels.pop("mapping") == mapping:
                assert labels.pop("target") == "test"
                found[" ".join([sample.name, *sorted(labels.values())])] = sample.value
    return found


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("folder", "folder/etl_opt_outs_a_b.prom"),
        ("folder/", "folder/etl_opt_outs_a_b.prom"),
        ("one.prom", "one.prom"),
        ("x/{mapping}.{target}.prom", "x/opt_outs.a_b.prom"),
        ("/var/lib/node/etl.prom", "/var/lib/node/etl.prom"),
    ],
)
def test_the_file_is_a_name_or_one_in_a_folder(tmp_path, name, file):
    assert path_of(name, tmp_path, About("run", "opt outs", "a/b")) == tmp_path / file


def test_a_good_run_in_figures(tmp_path):
    (tmp_path / "figures").mkdir()
    with rig(tmp_path, target=SETTING.format("figures")) as server:
        report = server.run(PEOPLE, people(tmp_path))
    file = tmp_path / "figures" / "etl_people_test.prom"
    found = figures(file)
    assert found["etl_run_exit_code"] == 0
    assert found[SUCCESS] == found[LAST]
    assert abs(found[LAST] - file.stat().st_mtime) < 5
    assert found["etl_run_duration_seconds"] >= round(report.timings["sending"], 3)
    assert (found["etl_rows"], found["etl_requests_total"], found["etl_retries"]) == (3, 3, 0)
    assert {name: value for name, value in found.items() if name.startswith("etl_records") and value} == {
        "etl_records delivered": 3,
    }  # fmt: skip
    for quantile in ("0.5", "0.95", "0.99"):
        assert 0 < found[f"etl_latency_seconds {quantile}"] < 10
    assert file.stat().st_mode & 0o777 == 0o644
    assert [path.name for path in file.parent.iterdir()] == [file.name]


def test_a_run_that_is_not_good_keeps_the_time_of_the_last_that_was(tmp_path):
    faults = Faults((FaultRule("400", nth=(4,)),))
    with rig(tmp_path, target=SETTING.format("one.prom"), faults=faults) as server:
        server.run(PEOPLE, people(tmp_path))
        good = figures(tmp_path / "one.prom")
        server.run(PEOPLE, people(tmp_path, 2, "new@example.com;;", "bad@@;;", "worse;;"), all_again=True)
    found = figures(tmp_path / "one.prom")
    assert found["etl_run_exit_code"] == 1
    assert found[SUCCESS] == good[SUCCESS] < found[LAST]
    assert found["etl_requests_total"] == 6
    assert (found["etl_records invalid"], found["etl_records rejected"]) == (2, 1)
    assert found["etl_problems email-syntax error"] == 2


def test_a_run_that_was_refused_or_stopped_is_in_the_figures(tmp_path):
    limit = Guards(fail_over=parse_limit("10%", "--fail-over"))
    with rig(tmp_path, target=SETTING.format("one.prom")) as server:
        server.run(PEOPLE, people(tmp_path))
        good = figures(tmp_path / "one.prom")[SUCCESS]
        with pytest.raises(etl.EtlError):
            server.run(PEOPLE, write_csv(tmp_path / "s.csv", "Other\nx\n"))
        found = figures(tmp_path / "one.prom")
        assert (found["etl_run_exit_code"], found[SUCCESS], "etl_rows" in found) == (2, good, False)
        server.run(PEOPLE, people(tmp_path, 1, "bad@@;;"), guards=limit)
        assert figures(tmp_path / "one.prom")["etl_run_exit_code"] == 3


def test_a_mapping_that_cannot_be_loaded_is_in_the_figures_under_its_name(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    with rig(tmp_path, target=SETTING.format("one.prom")):
        (tmp_path / "m.yaml").write_text(PEOPLE.replace("contact.phone", "contact.fone"), "utf-8")
        code = main(["run", "m.yaml", str(people(tmp_path)), "--target", "test"])
    assert code == 2
    assert "contact.fone" in capsys.readouterr().err
    assert figures(tmp_path / "one.prom")["etl_run_exit_code"] == 2


def test_a_dry_run_is_no_run(tmp_path):
    with rig(tmp_path, target=SETTING.format("one.prom")) as server:
        server.check(PEOPLE, people(tmp_path))
    assert not (tmp_path / "one.prom").exists()


def test_an_answer_about_an_earlier_run_is_no_run_either(tmp_path):
    with rig(tmp_path, target=SETTING.format("one.prom")) as server:
        report = server.run(PEOPLE, people(tmp_path))
        before = (tmp_path / "one.prom").read_bytes()
        with pytest.raises(etl.EtlError, match="is finished"):
            etl.resume(report.id, config=server.config)
    assert (tmp_path / "one.prom").read_bytes() == before


def test_mappings_that_share_a_file_leave_each_others_figures(tmp_path):
    path = tmp_path / "shared.prom"
    write(path, RunEnded(About("run", "people", "test"), 0, 1.0, 1_700_000_000.0, True))
    write(path, RunEnded(About("run", "opt-outs", "test"), 3, 2.0, 1_700_000_100.0, True))
    assert figures(path)[SUCCESS] == 1_700_000_000.0
    assert figures(path, "opt-outs") == {
        LAST: 1_700_000_100.0, "etl_run_duration_seconds": 2, "etl_run_exit_code": 3, "etl_requests_total": 0,
    }  # fmt: skip


def test_a_damaged_file_is_replaced(tmp_path):
    path = tmp_path / "one.prom"
    path.write_bytes(b"etl_rows{mapping=\xff\n")
    write(path, RunEnded(About("run", "people", "test"), 0, 1.0, 1_700_000_000.0, True))
    assert figures(path)["etl_run_exit_code"] == 0


@pytest.mark.parametrize("name", ["gone/one.prom", "taken.prom"], ids=["no folder", "a folder in its place"])
def test_a_file_that_cannot_be_written_is_a_warning(tmp_path, name):
    (tmp_path / "taken.prom").mkdir()
    path = tmp_path / "log.jsonl"
    with rig(tmp_path, target=SETTING.format(name)) as server:
        report = server.run(PEOPLE, people(tmp_path), log=LogWish(None, path))
    assert report.exit_code == 0
    (event,) = named(logged(path), "textfile-not-written")
    assert (event["level"], event["file"], event["run"]) == ("warning", str(tmp_path / name), report.id)
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".etl-")] == []


def test_nothing_of_a_person_stands_in_it(tmp_path):
    faults = Faults((FaultRule("400", person=WHO),))
    with rig(tmp_path, target=SETTING.format("one.prom"), faults=faults) as server:
        server.run(PEOPLE, people(tmp_path, 1, f"{WHO};{PHONE};Wyjatkowa", f"{WHO}@;{PHONE};Wyjatkowa"))
    text = (tmp_path / "one.prom").read_text("utf-8")
    assert [canary for canary in (*CANARIES, "@example.com") if canary in text] == []


def test_prometheus_itself_finds_nothing_to_say_against_it(tmp_path):
    with rig(tmp_path, target=SETTING.format("one.prom")) as server:
        server.run(PEOPLE, people(tmp_path, 2, "bad@@;;"))
    text = (tmp_path / "one.prom").read_text("utf-8")
    for family in text_string_to_metric_families(text):
        assert family.documentation
        assert (family.type == "counter") == (f"{family.name}_total" in text)
        assert (family.type == "summary") == any("quantile" in sample.labels for sample in family.samples)
    # Where its own tool is installed it is asked too.
    promtool = shutil.which("promtool")
    if promtool is not None:
        done = subprocess.run([promtool, "check", "metrics"], input=text, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stdout + done.stderr) == (0, "")
