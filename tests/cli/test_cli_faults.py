"""The log of a fault of ours: enough to mend it, and nobody's data. And no traceback, however early it ends."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from shell import environment

from etl.cli.faults import write_fault


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def fault(text: str) -> Exception:
    try:
        try:
            raise KeyError("inner")
        except KeyError as error:
            raise ValueError(text) from error
    except ValueError as error:
        return error


def test_addresses_and_numbers_are_left_out_and_long_texts_cut() -> None:
    path = write_fault(fault("bad anna@example.com, +48 600 123 456, " + "x" * 1000), "run")

    assert path is not None
    text = path.read_text("utf-8")
    assert "ValueError: bad (address), (number), xxx" in text
    assert "... (1,039 characters)" in text
    assert "anna" not in text


def test_the_cause_is_told_as_well() -> None:
    path = write_fault(fault("x"), "run")

    assert path is not None
    text = path.read_text("utf-8")
    assert "ValueError: x" in text
    assert "It came out of:" in text
    assert "KeyError: 'inner'" in text


@pytest.mark.skipif(os.geteuid() == 0 and not Path("/proc").exists(), reason="needs a place that nobody can write to")
def test_where_the_folder_cannot_be_made_the_temporary_one_serves(here: Path) -> None:
    (here / ".etl").write_text("a file where the folder should be", "utf-8")

    path = write_fault(fault("x"), "run")

    assert path is not None
    assert path.parent.name == "etl-faults"
    path.unlink()


PRESSED_WHILE_LOADING = """
import sys
class Pressed:
    def find_spec(self, name, *_):
        if name == "etl.cli.main":
            raise KeyboardInterrupt
sys.meta_path.insert(0, Pressed())
from etl.__main__ import main
sys.exit(main(["--help"]))
"""


def test_ctrl_c_while_the_program_loads_leaves_no_traceback() -> None:
    ended = subprocess.run(
        [sys.executable, "-c", PRESSED_WHILE_LOADING], env=environment(), text=True, capture_output=True, check=False
    )

    assert (ended.returncode, ended.stdout, ended.stderr) == (130, "", "interrupted   [interrupted]\n")
