"""Rows a second that `etl run` delivers, beside the requests a second that `wrk` gets out of the same server.

    python tests/benchmarks/bench_delivery.py [--rows 18000] [--connections 64] [--latency 0.05] [--rounds 3]
                                              [--auth sigv4|none]

The server answers 50 ms after a request (`answering_server.py`), so 64 connections can get 1,280 answers a second at
most. `wrk` (which signs nothing and keeps nothing) and `etl run` take turns, with bodies of the same size; `etl run` is
a process of its own that signs, keeps its journal and writes its reports. Of its time the stage that sends counts,
start and drain included (`timings_seconds.sending` in summary.json); reading and checking the file before it does not.
Its processor time is that of the whole process less that of `etl check` of the same file. `wrk` with 256 connections
says whether the server could be the limit. Prints a table, then JSON.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from make_big import make

SETTINGS = """\
[targets.bench]
url = "{url}"
auth = "{auth}"
rate = 10000
concurrency = {connections}
"""
KEYS = {"AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "s" * 40}
SCRIPT = """\
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
wrk.body = '{body}'
"""
WRK_SECONDS = 8
SERVER = Path(__file__).with_name("answering_server.py")


@dataclass(frozen=True, slots=True)
class Sent:
    """What one `etl run` came to. `rate`: delivered rows a second of sending; `cpu`: seconds of the whole process."""

    delivered: int
    rate: float
    cpu: float


@contextmanager
def serving(latency: float) -> Iterator[str]:
    """Yield the address of a server in a process of its own."""
    command = [sys.executable, str(SERVER), "--latency", str(latency)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            if process.stdout is None:
                raise AssertionError("BUG: no pipe")
            yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        finally:
            process.terminate()


def wrk(url: str, folder: Path, connections: int, body: bytes) -> float:
    """Return the requests a second that wrk gets."""
    script = folder / f"post-{connections}.lua"
    script.write_text(SCRIPT.format(body=body.decode().replace("\\", "\\\\").replace("'", "\\'")), encoding="utf-8")
    command = ["wrk", "-t1", f"-c{connections}", f"-d{WRK_SECONDS}s", "-s", str(script), f"{url}/contacts"]
    told = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    if "Non-2xx" in told or "Socket errors" in told:
        sys.exit(told)
    found = re.search(r"Requests/sec:\s*([0-9.]+)", told)
    return float(found[1]) if found else sys.exit(told)


def etl(arguments: Sequence[str], folder: Path) -> float:
    """Run the command in `folder` and return its processor time in seconds. 1: some rows could not be sent."""
    environ = os.environ | KEYS
    process = subprocess.Popen(
        [sys.executable, "-m", "etl", *arguments], cwd=folder, env=environ,
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
    )  # fmt: skip
    said = process.stderr.read() if process.stderr else b""
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in {0, 1}:
        sys.exit(f"exit code {process.returncode}\n{said.decode()}")
    return usage.ru_utime + usage.ru_stime


def run(mapping: Path, table: Path, settings: str, folder: Path) -> Sent:
    """Send the table once, in a folder of its own: the journal of an earlier run would know the rows."""
    folder.mkdir()
    (folder / "etl.toml").write_text(settings, encoding="utf-8")
    cpu = etl(["run", str(mapping), str(table), "--target", "bench", "--out", str(folder / "out")], folder)
    summary = json.loads((folder / "out" / "summary.json").read_text(encoding="utf-8"))
    delivered = summary["counts"]["delivered"]
    return Sent(delivered, delivered / summary["timings_seconds"]["sending"], cpu)


def a_body(mapping: Path, table: Path, folder: Path) -> bytes:
    """Return the first payload of the table as it is sent."""
    command = [sys.executable, "-m", "etl", "preview", str(mapping), str(table), "--limit", "1", "--json"]
    told = subprocess.run(command, check=True, capture_output=True, text=True, cwd=folder).stdout
    return json.dumps(json.loads(told)[0]["payload"], ensure_ascii=False, separators=(",", ":")).encode()


def spread(values: Sequence[float]) -> str:
    """Return the median with the least and the greatest."""
    return f"{statistics.median(values):9,.1f}  ({min(values):,.1f} to {max(values):,.1f})"


def main() -> None:
    """Read the command line, let the two take turns, and print what they reached."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=18_000)
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--latency", type=float, default=0.05)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--auth", choices=["sigv4", "none"], default="sigv4")
    chosen = parser.parse_args()
    if shutil.which("wrk") is None:
        sys.stdout.write(
            "not measured: wrk is not installed (Debian, Ubuntu: apt install wrk; macOS: brew install wrk)\n"
        )
        return
    with tempfile.TemporaryDirectory() as name, serving(chosen.latency) as url:
        measure(Path(name), url, chosen)


def measure(folder: Path, url: str, chosen: argparse.Namespace) -> None:
    """Measure and print."""
    mapping, table = make(chosen.rows, folder, bad=0)
    settings = SETTINGS.format(url=url, auth=chosen.auth, connections=chosen.connections)
    body = a_body(mapping, table, folder)
    most = wrk(url, folder, 256, body)
    check = etl(["check", str(mapping), str(table), "--out", str(folder / "checked")], folder)
    theirs, ours = [], []
    for number in range(chosen.rounds):
        theirs.append(wrk(url, folder, chosen.connections, body))
        ours.append(run(mapping, table, settings, folder / f"run-{number}"))
    rates = [sent.rate for sent in ours]
    cpu = [1000 * (sent.cpu - check) / sent.delivered for sent in ours]
    ratio = statistics.median(rates) / statistics.median(theirs)
    sys.stdout.write(
        f"{chosen.connections} connections, answers after {chosen.latency * 1000:g} ms, bodies of {len(body)} bytes, "
        f"auth {chosen.auth}, {ours[0].delivered:,} rows, {chosen.rounds} rounds\n"
        f"wrk, requests/s            {spread(theirs)}\n"
        f"wrk, 256 connections       {most:9,.1f}\n"
        f"etl run, delivered rows/s  {spread(rates)}\n"
        f"etl run : wrk              {ratio:9.3f}  ({min(rates) / max(theirs):.3f} to {max(rates) / min(theirs):.3f})\n"
        f"CPU s per 1,000 rows sent  {statistics.median(cpu):9.3f}  ({min(cpu):.3f} to {max(cpu):.3f})\n"
    )
    figures = {"wrk": theirs, "wrk_256": most, "etl_run": rates, "ratio": ratio, "cpu_seconds_per_1000": cpu}
    sys.stdout.write(json.dumps(figures) + "\n")


if __name__ == "__main__":
    main()
