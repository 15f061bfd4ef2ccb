"""Ctrl-C and SIGTERM at any moment, once and twice, at the real command; kill -9 leaves a readable file."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from support import CONTACT, rig, write_csv
from zygote import Zygote, environment

ROWS = 4_000


@pytest.fixture(scope="module")
def zygote() -> Iterator[Zygote]:
    with Zygote() as one:
        yield one


def words(folder: Path, config: Path, rows: int = ROWS) -> list[str]:
    (folder / "m.yaml").write_text(CONTACT)
    file = write_csv(folder / "s.csv", "E-mail;Phone\n" + "".join(f"p{n}@example.com;\n" for n in range(rows)))
    command = ["run", folder / "m.yaml", file, "--target", "test", "--config", config, "--out", folder / "out"]
    return list(map(str, command))


def until(condition, seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.01)


def lines_of(folder: Path) -> list[dict[str, str]]:
    text = (folder / "out" / "results.csv").read_bytes()
    return list(csv.DictReader(text[: text.rfind(b"\n") + 1].decode().splitlines()))


def delivered(folder: Path) -> int:
    path = folder / "out" / "results.csv"
    return path.read_bytes().count(b",delivered,") if path.exists() else 0


SIGNALS = {"Ctrl-C": (signal.SIGINT, 130), "SIGTERM": (signal.SIGTERM, 143)}


@pytest.mark.parametrize(("number", "code"), SIGNALS.values(), ids=SIGNALS)
def test_while_it_sends_what_is_in_flight_ends_the_rest_is_blocked_and_all_is_accounted_for(
    zygote, tmp_path, number, code
):
    with rig(tmp_path, latency_seconds=0.01) as server:
        process = zygote.start(words(tmp_path, server.config), tmp_path)
        until(lambda: delivered(tmp_path) > 20)
        process.signal(number)
        ended = process.wait(30)
    assert ended == code, process.output
    assert "Traceback" not in process.output
    counts = Counter(line["status"] for line in lines_of(tmp_path))
    assert set(counts) == {"delivered", "blocked"}
    assert counts["delivered"] == len(server.requests())
    assert counts.total() == ROWS
    assert json.loads((tmp_path / "out" / "summary.json").read_text())["exit_code"] == code
    reports = ["issues.csv", "report.html", "results.csv", "summary.json"]
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == reports


@pytest.mark.parametrize("delay", [0.2, 0.6, 0.9, 1.1, 1.3, 1.6])
def test_at_any_moment_it_ends_with_130_and_without_a_traceback(tmp_path, delay):
    with rig(tmp_path, latency_seconds=0.01) as server:
        # An interpreter that starts: what it loads takes the first second and more.
        process = subprocess.Popen(
            [sys.executable, "-m", "etl", *words(tmp_path, server.config, 60_000)], stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True, cwd=tmp_path, env=environment(),
        )  # fmt: skip
        time.sleep(delay)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert "Traceback" not in out + err
    assert process.returncode in {130, -signal.SIGINT}, out + err
    sent = len(server.requests())
    if (tmp_path / "out" / "summary.json").exists():
        counts = Counter(line["status"] for line in lines_of(tmp_path))
        assert (counts["delivered"], counts.total()) == (sent, 60_000)
    else:
        assert sent == 0


def test_a_second_one_ends_it_at_once_and_leaves_what_is_known(zygote, tmp_path):
    with rig(tmp_path, latency_seconds=20.0) as server:
        process = zygote.start(words(tmp_path, server.config), tmp_path)
        until(lambda: server.sandbox.stats().requests >= 1)
        process.signal(signal.SIGINT)
        time.sleep(0.5)
        assert process.poll() is None
        process.signal(signal.SIGINT)
        started = time.monotonic()
        code = process.wait(30)
        assert time.monotonic() - started < 3
    assert code == 130
    assert {line["status"] for line in lines_of(tmp_path)} <= {"blocked"}


def test_while_everybody_waits_for_a_retry_it_does_not_wait(zygote, tmp_path):
    from etl.sandbox import FaultRule, Faults

    with rig(tmp_path, faults=Faults((FaultRule("429", retry_after=200.0),))) as server:
        process = zygote.start(words(tmp_path, server.config, 200), tmp_path)
        until(lambda: server.sandbox.stats().requests >= 1)
        time.sleep(0.3)
        process.signal(signal.SIGINT)
        started = time.monotonic()
        code = process.wait(30)
        assert time.monotonic() - started < 5
    assert code == 130, process.output
    assert Counter(line["status"] for line in lines_of(tmp_path)).total() == 200


def test_ctrl_c_in_the_middle_of_an_arrow_reader_is_ours_to_handle():
    import io
    import threading

    from pyarrow import csv as arrow_csv

    import etl.sources.csv_plain

    assert etl.sources.csv_plain.columns_of is not None
    asked: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, _: asked.append(number))
    try:
        threading.Timer(0.05, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
        end = time.monotonic() + 20
        while not asked and time.monotonic() < end:
            options = arrow_csv.ReadOptions(use_threads=False)
            assert (
                arrow_csv.read_csv(io.BytesIO(b"a,b\n" + b"1,2\n" * 2_000_000), read_options=options).num_rows
                == 2_000_000
            )
    finally:
        signal.signal(signal.SIGINT, before)
    assert asked == [signal.SIGINT]
