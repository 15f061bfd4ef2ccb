"""The tables of tests/README.md say what the tests show: both ways."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

HERE = Path(__file__).parent
TABLE = (HERE / "README.md").read_text(encoding="utf-8")
NAMED = sorted(set(re.findall(r"`([a-z_0-9/]+\.py)::(\w+)`", TABLE)))
OURS = [
    *sorted(path.name for path in HERE.glob("test_faults_*.py") if path.name != Path(__file__).name),
    "test_kill.py",
]


@cache
def tree_of(file: str) -> ast.Module:
    return ast.parse((HERE / file).read_text(encoding="utf-8"))


def functions(tree: ast.AST) -> set[str]:
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")}


def classes(file: str) -> dict[str, ast.ClassDef]:
    return {node.name: node for node in tree_of(file).body if isinstance(node, ast.ClassDef)}


@pytest.mark.parametrize(("file", "name"), NAMED, ids="::".join)
def test_every_test_of_the_tables_exists(file: str, name: str) -> None:
    assert name in functions(tree_of(file)) | classes(file).keys()


@pytest.mark.parametrize("file", OURS)
def test_every_test_of_a_fault_is_in_the_tables(file: str) -> None:
    here = {name for other, name in NAMED if other == file}
    by_class = {name for owner, node in classes(file).items() if owner in here for name in functions(node)}

    assert functions(tree_of(file)) - here - by_class == set()


@pytest.mark.parametrize(
    ("kind", "numbers"),
    [("F", range(1, 33)), ("T", [*range(1, 15), 17, 19]), ("I", range(1, 7))],
    ids=["faults", "kinds", "invariants"],
)
def test_the_tables_are_whole(kind: str, numbers: list[int]) -> None:
    rows = re.findall(rf"^\| {kind}([0-9]+) \|.*$", TABLE, re.MULTILINE)

    assert [int(number) for number in rows] == list(numbers)
    assert all("`" in line for line in TABLE.splitlines() if re.match(rf"\| {kind}[0-9]", line))
