"""The README's section "Operation", held to the program: what its examples say is parsed, checked, and run where cheap.

Tried by hand as well: the units in `systemd-analyze`, the container's lines in a bare Debian, the DAG in Airflow.
"""

from __future__ import annotations

import ast
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
import tomllib
from pathlib import Path

import click
import pytest
from support import rig

from etl.cli.main import COMMANDS, cli
from etl.settings import load_settings

README = Path(__file__).parents[1] / "README.md"
CONTACTS = "version: 1\nname: contacts\nrecords:\n  - action: contact.upsert\n    fields: {contact.email: E-mail}\n"
HOME = "/srv/etl"


def section(heading: str) -> str:
    """Return what stands below a heading of the section "Operation", up to the next one."""
    text = README.read_text("utf-8")
    found = re.search(rf"^## Operation\n.*?^### {re.escape(heading)}\n(.*?)(?=^##)", text, re.MULTILINE | re.DOTALL)
    assert found, f'README.md has no "### {heading}" below "## Operation"'
    return found[1]


def block(heading: str, language: str) -> str:
    """Return the block of that language below a heading."""
    (found,) = re.findall(rf"^```{language}\n(.*?)^```$", section(heading), re.MULTILINE | re.DOTALL)
    return str(found)


def hold_to_the_command(words: list[str]) -> None:
    """Fail where `etl WORDS` is no command line that ours would take."""
    assert Path(words[0]).name == "etl"
    name, arguments = words[1], words[2:]
    assert name in COMMANDS
    command = cli.get_command(click.Context(cli), name)
    assert command is not None
    command.make_context(name, list(arguments)).close()


def units() -> dict[str, str]:
    """Return the text of each unit file by its path."""
    parts = re.split(r"^# (?=/etc/systemd)", block("systemd", "ini"), flags=re.MULTILINE)[1:]
    return dict(part.split("\n", 1) for part in parts)


def settings_of(unit: str) -> dict[str, list[str]]:
    """Return the settings of a unit file by their names; each may be there more than once."""
    found: dict[str, list[str]] = {}
    for line in unit.splitlines():
        name, equals, value = line.partition("=")
        if equals and not line.startswith("#"):
            found.setdefault(name, []).append(value)
    return found


def home(folder: Path, url: str) -> Path:
    """Make of `folder` what the examples find in /srv/etl, and return a folder with a command `etl`."""
    for name in ("mappings", "exports", "incoming", "bin"):
        (folder / name).mkdir()
    (folder / "mappings" / "contacts.yaml").write_text(CONTACTS)
    (folder / "exports" / "contacts.csv").write_text("E-mail\n" + "".join(f"p{n}@example.com\n" for n in range(60)))
    (folder / "etl.toml").write_text(f'default_target = "here"\n[targets.here]\nurl = "{url}"\nrate = 1000\n')
    script = folder / "bin" / "etl"
    script.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m etl "$@"\n')
    script.chmod(0o755)
    return folder / "bin"


def through_a_shell(command: str, folder: Path, bin_: Path) -> subprocess.CompletedProcess[str]:
    """Run a command as cron and Airflow do: by a shell, with next to no environment."""
    path = os.pathsep.join([str(bin_), "/usr/bin", "/bin"])
    return subprocess.run(
        ["/bin/sh", "-c", command], cwd=folder, env={"PATH": path, "PYTHONPATH": str(README.parent)}, text=True,
        stdin=subprocess.DEVNULL, capture_output=True, timeout=60, check=False,
    )  # fmt: skip


def crontab() -> tuple[dict[str, str], str, str]:
    """Return the variables of the crontab, the five fields of its line, and the command as cron hands it on."""
    *variables, line = block("cron", "crontab").strip().splitlines()
    fields = line.split(None, 5)
    assert not re.search(r"(?<!\\)%", fields[5]), "cron ends the command at a % without a backslash"
    return dict(one.split("=", 1) for one in variables), " ".join(fields[:5]), fields[5].replace("\\%", "%")


def test_the_crontab_says_to_whom_when_and_where():
    variables, when, command = crontab()

    assert set(variables) == {"MAILTO", "PATH"}
    assert variables["PATH"].startswith(f"{HOME}/.venv/bin:")
    assert re.fullmatch(r"[0-9]+ [0-9]+ \* \* \*", when)
    words = shlex.split(command.split("&& ", 1)[1].split(" > ")[0])
    hold_to_the_command(words)


def test_cron_mails_nothing_after_a_good_night_and_the_verdict_after_a_bad_one(tmp_path):
    _, _, command = crontab()
    with rig(tmp_path / "server") as server:
        (tmp_path / "etl").mkdir()
        bin_ = home(tmp_path / "etl", server.sandbox.url)
        command = command.replace(HOME, str(tmp_path / "etl"))
        good = through_a_shell(command, tmp_path, bin_)
        with (tmp_path / "etl" / "exports" / "contacts.csv").open("a") as file:
            file.write("nobody\n")
        bad = through_a_shell(command, tmp_path, bin_)

    assert (good.returncode, good.stdout, good.stderr) == (0, "", "")
    assert bad.stdout.startswith("etl ended with exit code 1\n")
    assert "\n0 of 61 rows were delivered to here; 60 are unchanged" in bad.stdout


@pytest.mark.parametrize("name", ["etl-night.service", "etl-watch.service"])
def test_what_systemd_starts_is_a_command_of_ours(name):
    (start,) = settings_of(units()[f"/etc/systemd/system/{name}"])["ExecStart"]

    assert not re.search(r"(?<!%)%(?!%)", start), "a single % is systemd's own"
    assert start.startswith(f"{HOME}/.venv/bin/etl ")
    words = shlex.split(start.replace("%%", "%"))
    if words[1] == "watch":
        words.remove("incoming")
        words.append(".")
    hold_to_the_command(words)


def test_the_units_fit_each_other():
    found = {Path(path).name: settings_of(text) for path, text in units().items()}
    common = settings_of(units()["/etc/systemd/system/etl-.service.d/common.conf"])

    assert set(found) == {
        "etl-night.service",
        "etl-night.timer",
        "etl-watch.service",
        "common.conf",
        "tell-failed@.service",
    }
    assert found["etl-night.timer"]["Persistent"] == ["true"]
    assert common["OnFailure"] == ["tell-failed@%n.service"]
    assert common["WorkingDirectory"] == common["ReadWritePaths"] == [HOME]
    assert common["KillMode"] == ["mixed"]
    assert found["etl-watch.service"]["SuccessExitStatus"] == ["143"]
    assert found["etl-night.service"]["SuccessExitStatus"] == ["1"]


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")
def test_systemd_finds_nothing_wrong_with_the_units(tmp_path):
    for path, text in units().items():
        # What it starts must be there.
        text = text.replace(f"{HOME}/.venv/bin/etl", shutil.which("true") or "/bin/true")
        file = tmp_path / Path(path).relative_to("/etc/systemd/system")
        file.parent.mkdir(exist_ok=True)
        file.write_text(text)

    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", "./etl-night.timer", "./etl-night.service", "./etl-watch.service",
         "./tell-failed@x.service"],
        cwd=tmp_path, env={**os.environ, "SYSTEMD_UNIT_PATH": f"{tmp_path}:"}, capture_output=True, text=True,
        timeout=60, check=False,
    )  # fmt: skip

    assert (done.returncode, done.stderr) == (0, "")


def instructions() -> list[tuple[str, str]]:
    text = block("Container", "dockerfile").replace("\\\n", " ")
    return [tuple(line.split(None, 1)) for line in text.splitlines() if line.strip() and not line.startswith("#")]  # type: ignore[misc]


def test_the_container_starts_the_command_itself_as_nobody_special():
    lines = instructions()
    found = dict(lines)

    assert lines[0][0] == "FROM"
    assert [json.loads(found[name]) for name in ("ENTRYPOINT", "CMD")] == [["etl"], ["watch", "incoming"]]
    assert found["USER"] not in {"root", "0"}
    names = [name for name, _ in lines]
    assert names.index("USER") > max(place for place, name in enumerate(names) if name in {"RUN", "COPY"})
    assert found["VOLUME"] == f"{found['WORKDIR']}/.etl"
    assert found["WORKDIR"] == HOME
    (python,) = re.findall(r"python:([0-9.]+)-slim", found["FROM"])
    project = tomllib.loads((README.parent / "pyproject.toml").read_text())["project"]
    assert f"Programming Language :: Python :: {python}" in project["classifiers"]


@pytest.mark.skipif(shutil.which("unshare") is None, reason="unshare is not installed")
def test_as_process_1_it_heeds_sigterm(tmp_path):
    """The kernel keeps from process 1 every signal that it has no handler for."""
    (tmp_path / "incoming").mkdir()
    (tmp_path / "m.yaml").write_text(CONTACTS)
    words = ["watch", "incoming", "--mapping", "m.yaml", "--target", "sandbox"]
    # Only a child of `unshare` is process 1 of a namespace; it tells its number outside.
    inner = f"import os, sys; print(os.readlink('/proc/self'), os.getpid(), flush=True); os.execv({sys.executable!r}, {[sys.executable, '-m', 'etl', *words]!r})"
    process = subprocess.Popen(
        ["unshare", *([] if os.geteuid() == 0 else ["--map-root-user", "--user"]), "--fork", "--pid", "--kill-child",
         sys.executable, "-c", inner],
        cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(README.parent)}, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stderr is not None
    said = process.stdout.readline().split()
    if not said:
        pytest.skip(f"no namespaces here: {process.communicate()[1].strip()}")
    assert said[1] == "1"
    assert "watching" in process.stderr.readline()
    time.sleep(0.2)
    os.kill(int(said[0]), signal.SIGTERM)
    process.communicate(timeout=20)

    assert process.returncode == 143


def dag() -> ast.Module:
    return ast.parse(block("Airflow", "py"))


def test_the_dag_imports_nothing_but_airflow_and_what_python_has():
    imported = [node.module or "" for node in ast.walk(dag()) if isinstance(node, ast.ImportFrom)]
    imported += [name.name for node in ast.walk(dag()) if isinstance(node, ast.Import) for name in node.names]

    assert {name.partition(".")[0] for name in imported} - sys.stdlib_module_names == {"airflow"}


def test_the_commands_of_the_dag_are_ours_and_it_repeats_nothing_by_itself():
    texts = [node.value for node in ast.walk(dag()) if isinstance(node, ast.Constant) and isinstance(node.value, str)]
    commands = [text for text in texts if text.startswith("etl ")]
    found = [shlex.split(text) for text in commands]
    for words in found:
        hold_to_the_command(words)

    assert [words[1] for words in found] == ["run", "resume"]
    assert found[1] == ["etl", "resume", "last"]
    assert "retries" in texts


def test_the_dag_goes_on_after_1_and_3_and_fails_after_2_and_4():
    keywords = {
        (call.keywords[0].value.value, keyword.arg): ast.literal_eval(keyword.value)
        for call in ast.walk(dag())
        if isinstance(call, ast.Call) and getattr(call.func, "id", "") == "BashOperator"
        for keyword in call.keywords
        if keyword.arg in {"skip_on_exit_code", "trigger_rule"}
    }

    assert keywords == {
        ("run", "skip_on_exit_code"): [1, 3],
        ("resume", "skip_on_exit_code"): 1,
        ("resume", "trigger_rule"): "none_failed",
    }


def test_the_rules_for_watching_are_settings_of_ours(tmp_path):
    (tmp_path / "etl.toml").write_text(block("Watch", "toml"))

    (rule,) = load_settings(None, {}, tmp_path).watch

    assert (rule.pattern, rule.mapping) == ("contacts*.csv", str(tmp_path / "mappings/contacts.yaml"))
