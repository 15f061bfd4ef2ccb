"""The README says what is true: its commands and flags exist, its blocks load and run, its figures are those of the samples."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
import textwrap
from pathlib import Path

import click
import pytest
from support import mapping_of

import etl
from etl.cli.main import cli as command_line
from etl.settings import load_settings

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = [ROOT / "README.md", ROOT / "mappings" / "README.md", ROOT / "sample_data" / "README.md"]


def blocks(language: str) -> list[str]:
    return [textwrap.dedent(found) for found in re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)]


def commands(page: Path) -> list[str]:
    text = page.read_text(encoding="utf-8")
    lines = re.findall(r"^\s*(?:\$ )?(etl [a-z].*)$", text, re.MULTILINE) + re.findall(r"`(etl [a-z][^`]*)`", text)
    return [re.sub(r"\s+#.*", "", line).strip() for line in lines]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_command_on_a_page_exists_with_its_flags(page):
    found = commands(page)
    for command in found:
        name, *arguments = shlex.split(command)[1:]
        subcommand = command_line.get_command(click.Context(command_line), name)
        if isinstance(subcommand, click.Group):
            subcommand = subcommand.get_command(click.Context(subcommand), arguments.pop(0))
        assert subcommand is not None, command
        known = {option for parameter in subcommand.params for option in parameter.opts}
        flags = {argument.split("=")[0] for argument in arguments if argument.startswith("-")}
        assert flags <= known, command


def test_every_command_is_in_the_readme():
    named = {command.split()[1] for command in commands(ROOT / "README.md")}
    missing = set(command_line.list_commands(click.Context(command_line))) - named
    assert missing <= {"fields", "transforms"}  # the reference has both, in full


def test_every_make_target_on_the_page_exists():
    targets = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert set(re.findall(r"make ([a-z]+)", README)) - {"and"} <= set(targets)


def test_the_mapping_on_the_page_loads(tmp_path):
    (text,) = blocks("yaml")
    assert mapping_of(text, tmp_path).name == "newsletter"


def test_the_settings_on_the_page_load(tmp_path):
    (tmp_path / "etl.toml").write_text("\n".join(blocks("toml")), encoding="utf-8")
    target = load_settings(None, {}, tmp_path).target()
    assert (target.name, target.auth, target.rate) == ("production", "sigv4", 50)


def test_the_library_example_runs_and_gives_the_counts_on_the_page(tmp_path):
    (text,) = blocks("python")
    code = text + "\nprint(report.counts)\n"
    for folder in ("mappings", "sample_data"):
        (tmp_path / folder).symlink_to(ROOT / folder)
    code = code.replace('"sample_data/contacts.csv"', repr(str(ROOT / "sample_data" / "contacts.csv")))
    ran = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    assert re.search(r"# (\{.*\})", text)[1] == ran.stdout.strip()


def test_links_on_the_pages_lead_somewhere():
    for page in PAGES:
        for link in re.findall(r"\]\(([^)#]+)\)", page.read_text(encoding="utf-8")):
            assert link.startswith("http") or (page.parent / link).exists(), f"{page.name}: {link}"


def test_the_public_names_are_all_there_and_documented():
    for name in etl.__all__:
        assert getattr(etl, name).__doc__, name
    assert sorted(etl.__all__) == etl.__all__
