"""What a newcomer sees first: the help, its examples, and how quickly it comes."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from shell import environment, etl

from etl.__main__ import main
from etl.cli.main import COMMANDS, cli

EVERY = pytest.mark.parametrize("name", COMMANDS)


@EVERY
def test_every_command_has_a_help_with_examples(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([name, "--help"]) == 0

    shown = capsys.readouterr().out
    assert shown.startswith(f"Usage: etl {name} ")
    assert f"Examples:\n    etl {name}" in shown


@pytest.mark.parametrize("words", [[], *[[name] for name in COMMANDS]], ids=["etl", *COMMANDS])
def test_the_help_fits_a_terminal_of_80_columns(words: list[str], tmp_path: Path) -> None:
    shown = etl(*words, "--help", cwd=tmp_path, COLUMNS="80").stdout

    assert [line for line in shown.splitlines() if len(line) > 80] == []


@pytest.mark.parametrize("words", [[], *[[name] for name in COMMANDS]], ids=["etl", *COMMANDS])
def test_the_help_names_no_command_that_does_not_exist(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    main([*words, "--help"])

    named = re.findall(r"(?:^|[`\"]| {2})etl ([a-z]\w*)", capsys.readouterr().out, re.MULTILINE)
    assert set(named) <= set(COMMANDS)


@EVERY
def test_every_command_is_listed_and_there(name: str) -> None:
    command = cli.get_command(cli.make_context("etl", ["x"], resilient_parsing=True), name)

    assert command is not None
    assert command.callback is not None


def test_without_a_command_the_help_is_shown_and_the_code_is_2(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    assert "Commands:" in capsys.readouterr().err


@pytest.mark.parametrize(
    "words",
    [["--help"], ["fields"], ["run", "--help"], ["sandbox", "--help"]],
    ids=["help", "fields", "run", "sandbox"],
)
def test_what_needs_no_pandas_does_not_load_it(words: list[str], tmp_path: Path) -> None:
    script = (
        f"import sys; from etl.__main__ import main; code = main({words!r}); "
        "loaded = {'pandas', 'pyarrow', 'pandera'} & set(sys.modules); print(code, sorted(loaded), file=sys.stderr)"
    )

    done = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, env=environment(), capture_output=True, text=True, check=True
    )

    assert done.stderr == "0 []\n"


def test_python_m_etl_works_as_well(tmp_path: Path) -> None:
    done = etl("--version", cwd=tmp_path, fresh=True)

    assert (done.returncode, done.stdout.split()[0], done.stderr) == (0, "etl", "")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ["chekc"],
            (
                "etl: no such command 'chekc'\n"
                "  hint: did you mean 'check'? \"etl --help\" shows how it is used   [usage]\n"
            ),
        ),
        (
            ["run", "--trget", "x"],
            (
                "etl run: no such option '--trget'\n"
                "  hint: did you mean '--target'? \"etl run --help\" shows how it is used   [usage]\n"
            ),
        ),
        (
            ["run", "a.yaml"],
            "etl run: missing argument 'FILE...'\n  hint: \"etl run --help\" shows how it is used   [usage]\n",
        ),
        (
            ["check", "a.yaml", "b.csv", "--limit", "0"],
            (
                "etl check: invalid value for '--limit': '0' is not a whole number from 1 to 1,000,000,000,000\n"
                '  hint: "etl check --help" shows how it is used   [usage]\n'
            ),
        ),
        (
            ["run", "a.yaml", "b.csv", "--rate", "fast"],
            (
                "etl run: invalid value for '--rate': 'fast' is not a number from 0.1 to 10,000\n"
                '  hint: "etl run --help" shows how it is used   [usage]\n'
            ),
        ),
        (
            ["run", "contacts.csv", "contacts.yaml"],
            "etl run: the mapping comes first, then the files\n  hint: etl run contacts.yaml contacts.csv   [usage]\n",
        ),
        (
            ["check", "kunden.csv"],
            "etl check: the mapping is missing\n  hint: etl check MAPPING kunden.csv   [usage]\n",
        ),
        (
            ["run", "north.xlsx", "south.xlsx"],
            "etl run: the mapping is missing\n  hint: etl run MAPPING north.xlsx south.xlsx   [usage]\n",
        ),
        (
            ["preview", "kunden.csv"],
            "etl preview: the mapping is missing\n  hint: etl preview MAPPING kunden.csv   [usage]\n",
        ),
        (
            ["check", "a.yaml", "b.csv", "--fail-over", "many"],
            "--fail-over 'many' is no limit\n  hint: write a number of rows (25) or a share (2%)   [bad-limit]\n",
        ),
    ],
    ids=["command", "option", "argument", "limit", "rate", "swapped", "no mapping", "two files", "preview", "guard"],
)
def test_a_wrong_command_line_says_what_would_be_right(
    words: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words) == 2

    shown = capsys.readouterr()
    assert (shown.out, shown.err) == ("", message)
