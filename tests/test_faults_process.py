"""The process itself is hit: hang-ups, a terminal or a log that is gone, a clock that jumps, little memory."""

from __future__ import annotations

import json
import os
import pty
import select
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest
from fault_runs import Arrived, hold_to_the_invariants, people, read_lines
from support import CONTACT, Rig, rig, write_csv
from zygote import ROOT, Zygote, born, environment

from etl.sandbox import Credentials

pytestmark = [
    pytest.mark.timeout(60),
    pytest.mark.skipif(sys.platform != "linux", reason="signals, terminals and limits of Linux"),
]
ROWS = 2_000
RUN = ("run", "m.yaml", "s.csv", "--target", "test", "--config", "etl.toml", "--out", "out")


@pytest.fixture(scope="module")
def zygote():
    with Zygote() as one:
        yield one


def write(folder: Path, rows: int = ROWS) -> None:
    (folder / "m.yaml").write_text(CONTACT)
    write_csv(folder / "s.csv", people(rows))


def wait_for(server: Rig, requests: int, seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while server.sandbox.stats().requests < requests:
        assert time.monotonic() < end, "nothing was sent in time"
        time.sleep(0.005)


def hold(folder: Path, server: Rig, rows: int = ROWS) -> Counter[str]:
    lines = read_lines(folder / "out" / "results.csv")
    hold_to_the_invariants(lines, Arrived.of(server.database), rows)
    return Counter(line["status"] for line in lines)


class TestHangUp:
    def test_it_ends_what_is_in_flight_blocks_the_rest_and_accounts_for_all(self, zygote, tmp_path):
        write(tmp_path)
        with rig(tmp_path, latency_seconds=0.01) as server:
            child = zygote.start(RUN, tmp_path)
            wait_for(server, 30)
            child.signal(signal.SIGHUP)
            code = child.wait()
        assert (code, json.loads((tmp_path / "out" / "summary.json").read_text())["exit_code"]) == (129, 129)
        counts = hold(tmp_path, server)
        assert set(counts) == {"delivered", "blocked"}
        assert counts["delivered"] == len(server.requests())
        assert "Traceback" not in child.output

    def test_a_second_one_which_shell_and_kernel_both_send_is_no_demand_to_end_at_once(self, zygote, tmp_path):
        write(tmp_path)
        with rig(tmp_path, latency_seconds=0.3) as server:
            child = zygote.start(RUN, tmp_path)
            wait_for(server, 2)
            for _ in range(3):
                child.signal(signal.SIGHUP)
                time.sleep(0.02)
            code = child.wait()
        assert code == 129
        assert hold(tmp_path, server)["delivered"] == len(server.requests())

    def test_where_it_is_ignored_as_nohup_has_it_the_run_goes_on(self, zygote, tmp_path):
        write(tmp_path, 300)
        with rig(tmp_path, latency_seconds=0.01) as server:
            child = zygote.start(RUN, tmp_path, setup="import signal; signal.signal(signal.SIGHUP, signal.SIG_IGN)")
            wait_for(server, 30)
            child.signal(signal.SIGHUP)
            code = child.wait()
        assert code == 0, child.output
        assert hold(tmp_path, server, 300) == {"delivered": 300}

    def test_a_terminal_that_closes_costs_its_lines_and_nothing_else(self, tmp_path):
        write(tmp_path)
        with rig(tmp_path, latency_seconds=0.01) as server:
            master, slave = pty.openpty()
            child = born(RUN, tmp_path, (slave, slave, slave), env=environment(), owns_terminal=True)
            os.close(slave)
            try:
                while server.sandbox.stats().requests < 30:
                    if select.select([master], [], [], 0.01)[0]:
                        os.read(master, 65_536)
            finally:
                os.close(master)
            code = child.wait(50)
        assert code == 129
        assert hold(tmp_path, server)["delivered"] == len(server.requests())
        assert not (tmp_path / ".etl" / "faults").exists()


AGAIN = "sys.stdout, sys.stderr = (open(number, 'w', closefd=False) for number in (1, 2))"
STREAMS = {
    "a pipe that nobody reads": f"import os, sys; r, w = os.pipe(); os.close(r); os.dup2(w, 1); os.dup2(w, 2); {AGAIN}",
    "a log on a full disk": f"import os, sys; os.dup2(os.open('/dev/full', os.O_WRONLY), 2); {AGAIN}",
    "no streams at all": "import os, sys; os.closerange(0, 3); sys.stdin = sys.stdout = sys.stderr = None",
}


@pytest.mark.parametrize("setup", STREAMS.values(), ids=STREAMS)
def test_what_it_says_being_lost_stops_no_run(zygote, tmp_path, setup):
    write(tmp_path, 100)
    with rig(tmp_path) as server:
        child = zygote.run(RUN, tmp_path, setup=setup)
    assert child.wait() == 0
    assert hold(tmp_path, server, 100) == {"delivered": 100}


KEYS = {"AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "s" * 40}
SIGNED = {"auth": "sigv4", "credentials": (Credentials(*KEYS.values()),)}
# Before the product is imported, so that whoever asks for the time asks this clock. (libfaketime's sleep and ours, an
# absolute one of a monotonic clock, do not agree: EINVAL.)
JUMPING = """
import sys, time
real, offset, sent = time.time, 0.0, 0
seconds = float(sys.argv.pop())
time.time = lambda: real() + offset
from etl.targets.client import HttpTransport
send = HttpTransport.send
def jumping(self, *arguments):
    global offset, sent
    sent += 1
    if sent == 40:
        offset = seconds
    return send(self, *arguments)
HttpTransport.send = jumping
from etl.__main__ import main
sys.exit(main(sys.argv[1:]))
"""


class TestClock:
    @pytest.mark.parametrize("seconds", [-3600, 3600], ids=["behind", "ahead"])
    def test_an_hour_off_costs_a_refusal_per_connection_at_most_and_no_row(self, zygote, tmp_path, seconds):
        write(tmp_path, 150)
        with rig(tmp_path, target='auth = "sigv4"', clock_offset_seconds=-seconds, **SIGNED) as server:
            child = zygote.run(RUN, tmp_path, env=KEYS)
        assert child.wait() == 0, child.output
        assert hold(tmp_path, server, 150) == {"delivered": 150}
        assert sum(status == 403 for *_, status in server.requests()) <= 16

    @pytest.mark.parametrize(
        "seconds", [-3600, pytest.param(86_400, marks=pytest.mark.soak)], ids=["an hour back", "a day on"]
    )
    def test_a_jump_in_the_middle_is_found_and_mended_and_no_row_is_lost(self, tmp_path, seconds):
        write(tmp_path, 150)
        with rig(tmp_path, target='auth = "sigv4"\nconcurrency = 8', **SIGNED) as server:
            arguments = [sys.executable, "-c", JUMPING, *RUN, str(seconds)]
            done = subprocess.run(
                arguments, cwd=tmp_path, env={**os.environ, **KEYS, "PYTHONPATH": str(ROOT)}, timeout=50,
                capture_output=True, text=True, check=False,
            )  # fmt: skip
        assert done.returncode == 0, done.stderr
        assert hold(tmp_path, server, 150) == {"delivered": 150}
        assert 1 <= sum(status == 403 for *_, status in server.requests()) <= 2 * 8
        # Durations are of a clock that nobody sets.
        lines = read_lines(tmp_path / "out" / "results.csv")
        assert all(0 <= float(line["duration_ms"]) < 20_000 for line in lines)


LIMITED = "import resource; resource.setrlimit(resource.RLIMIT_DATA, (512 << 20, 512 << 20))"


@pytest.mark.parametrize("rows", [2_000, pytest.param(300_000, marks=[pytest.mark.soak, pytest.mark.timeout(1_800)])])
def test_512_megabytes_are_enough_for_a_run(zygote, tmp_path, rows):
    write(tmp_path, rows)
    with rig(tmp_path) as server:
        child = zygote.run(RUN, tmp_path, setup=LIMITED)
    assert child.wait() == 0, child.output
    assert hold(tmp_path, server, rows) == {"delivered": rows}


def test_where_memory_runs_out_it_says_so_and_what_was_sent_is_known(zygote, tmp_path):
    write(tmp_path, 5_000)
    limit = (
        "import resource, re, pathlib\n"
        "used = int(re.search(r'VmData:\\s+([0-9]+)', pathlib.Path('/proc/self/status').read_text())[1]) << 10\n"
        "resource.setrlimit(resource.RLIMIT_DATA, (used + (12 << 20),) * 2)"
    )
    with rig(tmp_path) as server:
        child = zygote.run(RUN, tmp_path, setup=limit)
    assert child.wait() in {2, 3, 4}, child.output
    assert "Traceback" not in child.output
    told = tmp_path / "out" / "results.csv"
    lines = read_lines(told) if told.exists() else []
    known = {line["payload_sha256"] for line in lines if line["status"] not in {"planned", "blocked"}}
    assert set(Arrived.of(server.database).acted) <= known
