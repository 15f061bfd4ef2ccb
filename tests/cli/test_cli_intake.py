"""What a person types in the place of FILE: patterns, a dash, archives, addresses; and how reports call it."""

from __future__ import annotations

import csv
import gzip
import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from sheets import HEADER, write_contacts
from shell import environment, etl

SIMPLE = "version: 1\nname: people\nrecords:\n  - action: contact.upsert\n    fields: {contact.email: E-mail}\n"


@pytest.fixture
def mapping(tmp_path: Path) -> str:
    (tmp_path / "people.yaml").write_text(SIMPLE, "utf-8")
    return "people.yaml"


def table(name: str) -> str:
    return f"{HEADER}{name}@example.com,Anna,\n"


def files_of(out: Path) -> list[str]:
    with (out / "results.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = [row["file"] for row in csv.DictReader(file)]
    assert [one["file"] for one in json.loads((out / "summary.json").read_text("utf-8"))["files"]] == rows
    return rows


def test_reports_call_each_file_of_a_pattern_by_its_path(tmp_path: Path, mapping: str) -> None:
    (tmp_path / "in").mkdir()
    for name in ("b", "a"):
        (tmp_path / "in" / f"{name}.csv").write_text(table(name), "utf-8")

    done = etl("check", mapping, "in/*.csv", "--out", "r", cwd=tmp_path)

    assert done.returncode == 0, done.stderr
    assert files_of(tmp_path / "r") == ["in/a.csv", "in/b.csv"]


def test_reports_call_a_member_by_archive_and_name(tmp_path: Path, mapping: str) -> None:
    with zipfile.ZipFile(tmp_path / "orders.zip", "w") as archive:
        archive.writestr("may.csv", table("may"))
        archive.writestr("june.csv", table("june"))

    done = etl("run", mapping, "orders.zip", "--target", "sandbox", "--out", "r", cwd=tmp_path)

    assert done.returncode == 0, done.stderr
    assert files_of(tmp_path / "r") == ["orders.zip/may.csv", "orders.zip/june.csv"]


def test_standard_input_is_checked_and_leaves_nothing_behind(tmp_path: Path, mapping: str) -> None:
    spools = tmp_path / "spools"
    spools.mkdir()

    done = subprocess.run(
        [sys.executable, "-m", "etl", "check", mapping, "-", "--out", "r"],
        input=gzip.compress(table("piped").encode()),
        cwd=tmp_path,
        env=environment(TMPDIR=str(spools)),
        capture_output=True,
        timeout=100,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert files_of(tmp_path / "r") == ["standard input"]
    assert list(spools.iterdir()) == []


def test_one_bad_file_of_several_stops_the_run_before_anything_is_sent(tmp_path: Path) -> None:
    mapping, file = write_contacts(tmp_path, 2)
    (tmp_path / "cut.csv.gz").write_bytes(gzip.compress(b"E-mail,Name,Phone\n")[:-4])

    done = etl("run", mapping, file, "cut.csv.gz", "--target", "sandbox", "--out", "r", cwd=tmp_path)

    assert done.returncode == 2
    assert done.stderr == (
        "cut.csv.gz: the archive is damaged or cut off; nothing of it is read\n"
        "  hint: copy or download it again   [archive-damaged]\n"
    )
    assert not (tmp_path / ".etl" / "sandbox.db").exists()


@pytest.mark.parametrize(
    "words",
    [
        ["check", "people.yaml", "https://user:canary@127.0.0.1/x.csv?sig=canary"],
        ["check", "https://user:canary@127.0.0.1/x.csv?sig=canary", "people.yaml"],
        ["check", "https://user:canary@127.0.0.1/x.csv?sig=canary"],
        ["preview", "people.yaml", "https://user:canary@127.0.0.1/x.csv?sig=canary"],
        ["init", "https://user:canary@127.0.0.1/x.csv?sig=canary"],
    ],
    ids=["check", "swapped", "alone", "preview", "init"],
)
def test_no_secret_of_an_address_is_shown(tmp_path: Path, mapping: str, words: list[str]) -> None:
    done = etl(*words, cwd=tmp_path)

    assert done.returncode == 2
    assert "canary" not in done.stdout + done.stderr
    assert "https://127.0.0.1/x.csv" in done.stderr


def test_the_settings_allow_private_addresses(tmp_path: Path, mapping: str) -> None:
    (tmp_path / "etl.toml").write_text("[sources]\nallow_private = true\n", "utf-8")

    done = etl("check", mapping, "https://127.0.0.1:1/x.csv", cwd=tmp_path)

    assert done.returncode == 2
    assert done.stderr == (
        "https://127.0.0.1:1/x.csv: no connection to '127.0.0.1'\n"
        "  hint: check the address and the connection to the network   [remote-unreachable]\n"
    )


def test_a_draft_is_made_of_one_file(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "orders.zip", "w") as archive:
        archive.writestr("may.csv", table("may"))
        archive.writestr("june.csv", table("june"))

    done = etl("init", "orders.zip", cwd=tmp_path)

    assert done.returncode == 2
    assert done.stderr == (
        "orders.zip: a draft is made from one file, and these are 2\n"
        "  hint: name one of them; unpack it first where it lies in an archive   [usage]\n"
    )
