"""Disks and folders: full, read-only, gone; and what stands in files that nobody should find there.

Files that change while they are read, and a disk that fills up, stand in test_delivery_files.py; the journal's own disk
in test_faults_journal.py.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import cycle
from pathlib import Path

import pytest
from fault_runs import Arrived, people, read_lines
from fault_server import CLOSE, FaultServer, reply
from support import CONTACT, EVENTS, rig, write_csv
from zygote import CRASHED, Zygote

pytestmark = [
    pytest.mark.timeout(60),
    pytest.mark.skipif(sys.platform != "linux", reason="disks and devices of Linux"),
]
RUN = ("run", "m.yaml", "s.csv", "--target", "test", "--config", "etl.toml", "--out", "out")


@pytest.fixture(scope="module")
def zygote():
    with Zygote() as one:
        yield one


def write(folder: Path, rows: int, mapping: str = CONTACT) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "m.yaml").write_text(mapping)
    write_csv(folder / "s.csv", people(rows))


@contextmanager
def read_only(folder: Path) -> Iterator[None]:
    """Let nobody make or remove a file in `folder`: not even root, whom rights do not bind."""
    folder.mkdir(parents=True, exist_ok=True)
    if os.geteuid() != 0:
        folder.chmod(0o555)
        try:
            yield
        finally:
            folder.chmod(0o755)
        return
    if subprocess.run(["chattr", "+i", folder], capture_output=True, check=False).returncode:
        pytest.skip("root, on a file system that knows no immutable folder")
    try:
        yield
    finally:
        subprocess.run(["chattr", "-i", folder], check=True)


PLACES = {"the reports": ("out", "the reports cannot be written"), "journal and locks": (".etl", "journal")}


@pytest.mark.parametrize(("place", "words"), PLACES.values(), ids=PLACES)
def test_a_folder_that_cannot_be_written_is_told_and_nothing_is_sent(zygote, tmp_path, place, words):
    write(tmp_path, 20)
    with rig(tmp_path) as server, read_only(tmp_path / place):
        child = zygote.run(RUN, tmp_path)
    assert child.wait() == 2, child.output
    assert words in child.output
    assert "Traceback" not in child.output
    assert server.requests() == []


def test_a_folder_that_becomes_read_only_in_the_middle_loses_no_line(zygote, tmp_path):
    write(tmp_path, 300)
    with rig(tmp_path, latency_seconds=0.01) as server:
        child = zygote.start(RUN, tmp_path)
        while server.sandbox.stats().requests < 20:
            pass
        with read_only(tmp_path / "out"):
            code = child.wait()
        assert "Traceback" not in child.output
        acted = Arrived.of(server.database).acted
    assert code in {2, 3}, child.output
    # results.csv is still the one written line by line; each request that was carried out has its line.
    lines = read_lines(tmp_path / "out" / "results.csv")
    assert {line["payload_sha256"] for line in lines if line["status"] == "delivered"} == set(acted)


def test_a_results_file_that_is_removed_in_the_middle_is_there_in_the_end(zygote, tmp_path):
    write(tmp_path, 300)
    with rig(tmp_path, latency_seconds=0.01) as server:
        child = zygote.start(RUN, tmp_path)
        while server.sandbox.stats().requests < 20:
            pass
        (tmp_path / "out" / "results.csv").unlink()
        assert child.wait() == 0, child.output
    lines = read_lines(tmp_path / "out" / "results.csv")
    assert [line["status"] for line in lines] == ["delivered"] * 300


FULL = ("issues.csv", "results.csv", "summary.json")


@pytest.mark.parametrize("name", FULL)
def test_a_report_on_a_full_device_ends_in_a_message(zygote, tmp_path, name):
    """/dev/full in the place of a report: opening it works, writing does not."""
    write(tmp_path, 20)
    write_csv(tmp_path / "s.csv", people(20) + "no address;x\n" * 20)
    full = (
        "import pathlib, os, io\n"
        "real_open, real_io, real_os = pathlib.Path.open, io.open, os.open\n"
        f"name = {name!r}\n"
        "def elsewhere(path):\n"
        "    return '/dev/full' if os.path.basename(os.fspath(path)).startswith(name) else path\n"
        "pathlib.Path.open = lambda self, *a, **k: real_io(elsewhere(self), *a, **k)\n"
        "import builtins; builtins.open = lambda p, *a, **k: real_io(elsewhere(p) if not isinstance(p, int) else p, *a, **k)\n"
    )
    with rig(tmp_path) as server:
        child = zygote.run(RUN, tmp_path, setup=full)
    assert child.wait() in {2, 3}, child.output
    assert "No space left on device" in child.output
    assert "Traceback" not in child.output
    if name == "issues.csv":
        assert server.requests() == []


SECRET = "canary-secret-93c1f7"
PERSON = "canary.person.5d20@example.com"
OTHER = "canary.other.77aa@example.com"
CANARIES = {"bearer": 'auth = "bearer"\nbearer_env = "CANARY"', "api_key": 'auth = "api_key"\napi_key_env = "CANARY"'}
ENDINGS = {
    "delivered": lambda seen: reply(200, {"success": True, "key": SECRET, "messages": [seen.body.decode()]}),
    "refused": lambda seen: reply(400, {"messages": [f"{seen.body.decode()} {seen.headers}"]}, x_amzn_requestid=SECRET),
    "unauthorised": lambda seen: reply(401, {"message": f"{seen.headers} {seen.body.decode()}"}),
    "cut": lambda seen: (b'HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n{"' + seen.body, CLOSE),
    "redirected": lambda seen: reply(302, b"", location=f"https://x.example.com/{SECRET}?{PERSON}"),
}


def all_bytes(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.mark.parametrize(
    ("ending", "auth"), list(zip(ENDINGS.values(), cycle(CANARIES.values()), strict=False)), ids=ENDINGS
)
def test_no_secret_is_in_any_file_and_no_person_but_in_her_own_reports(zygote, tmp_path, auth, ending):
    write(tmp_path, 0, EVENTS)
    write_csv(tmp_path / "s.csv", f"E-mail;Id\n{PERSON};1\n{OTHER};2\n")
    given = {tmp_path / name for name in ("s.csv",)}
    with FaultServer(ending) as server:
        (tmp_path / "etl.toml").write_text(f'[targets.test]\nurl = "{server.url}"\n{auth}\n')
        child = zygote.run(RUN, tmp_path, env={"CANARY": SECRET})
        child.wait()
    assert any(SECRET in value for value in server.requests[0].headers.values())
    files = {name: data for name, data in all_bytes(tmp_path).items() if tmp_path / name not in given}
    assert [name for name, data in files.items() if SECRET.encode() in data] == []
    private = {name for name, data in files.items() if b"canary.person" in data or b"canary.other" in data}
    # Reports are hers who runs it; journal, locks, logs, the summary and what the command says are anybody's.
    assert private <= {"out/results.csv", "out/issues.csv", "out/report.html", "out/annotated.xlsx", "out/to_fix.csv"}
    assert ".etl/journal.db" in files


def test_a_fault_of_ours_tells_neither_person_nor_secret(zygote, tmp_path):
    write(tmp_path, 0, EVENTS)
    write_csv(tmp_path / "s.csv", f"E-mail;Id\n{PERSON};1\n")
    broken = (
        "import etl.deliver as deliver\n"
        "def settle(self, receipt):\n"
        f"    raise RuntimeError(f'{SECRET} {{receipt.delivery.body.decode()}}')\n"
        "deliver.Ledger.settle = settle\n"
    )
    with FaultServer([reply()]) as server:
        (tmp_path / "etl.toml").write_text(f'[targets.test]\nurl = "{server.url}"\n{CANARIES["bearer"]}\n')
        child = zygote.run(RUN, tmp_path, env={"CANARY": SECRET}, setup=broken)
    assert child.wait() == 4, child.output
    logs = list((tmp_path / ".etl" / "faults").iterdir())
    assert len(logs) == 1
    assert PERSON not in logs[0].read_text() + child.output
    assert (tmp_path / ".etl" / "journal.db").exists()


def test_a_killed_run_leaves_no_secret_either(zygote, tmp_path):
    write(tmp_path, 60)
    with FaultServer([reply()]) as server:
        (tmp_path / "etl.toml").write_text(f'[targets.test]\nurl = "{server.url}"\n{CANARIES["bearer"]}\n')
        at = ("after", "etl.targets.client:HttpTransport.send", 20)
        assert zygote.run(RUN, tmp_path, env={"CANARY": SECRET}, crash=at).wait() == CRASHED
    files = all_bytes(tmp_path)
    assert [name for name, data in files.items() if SECRET.encode() in data] == []
    addressed = {name for name, data in files.items() if b"@example.com" in data}
    assert addressed <= {"s.csv", "out/results.csv", "out/results.csv.ordered", "out/issues.csv"}
