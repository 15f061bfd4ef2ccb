"""summary.json keeps its published schema, whatever a run comes to. `support.Rig` holds every other test's run to it."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest
from support import CONTACT, DELETES, mapping_of, rig, summary_of, write_csv

import etl
from etl import verbs
from etl.guards import Guards, parse_limit
from etl.interrupt import Interrupt
from etl.reports.summary_json import SCHEMA, VERSION
from etl.sandbox import FaultRule, Faults

ROWS = "E-mail;Name\nanna@example.com;Anna\nbroken;Bo\njan@gmial.com;Jan\nanna@example.com;A\n"
NAMED = CONTACT + "      contact.name: {column: Name, blank: clear}\n"
PLAIN = '[journal]\nkeys = "plain"'
FULL = NAMED.replace("    fields:", "    missing: report\n    duplicates: last\n    fields:")


def test_a_check_without_a_target_conforms(tmp_path):
    file = write_csv(tmp_path / "s.csv", ROWS)
    summary = summary_of(etl.check(mapping_of(NAMED, tmp_path), [file], options=etl.Options(out=tmp_path / "out")))
    assert (summary["version"], summary["target"], summary["timeline"], summary["view"]) == (
        VERSION,
        None,
        None,
        "full",
    )
    assert {(group["code"], group["count"]) for group in summary["groups"]} == {("email-syntax", 1), ("email-typo", 1)}
    assert [(fill["field"], fill["filled"], fill["rows"]) for fill in summary["fills"]][:1] == [("contact.email", 4, 4)]


def test_a_run_with_every_kind_of_outcome_conforms_and_says_when_it_was(tmp_path):
    rules = (FaultRule("400", every=3), FaultRule("500", every=2))
    with rig(tmp_path, target="retries = 0", faults=Faults(rules)) as server:
        file = write_csv(tmp_path / "s.csv", "E-mail;Name\n" + "".join(f"p{n}@example.com;P\n" for n in range(40)))
        summary = summary_of(server.run(NAMED, file))
    assert summary["started_at"] <= summary["timeline"]["started_at"][:19] + ".999Z"
    assert summary["started_at"] < summary["ended_at"]
    assert sum(summary["timeline"]["requests"]) == summary["delivery"]["requests"]


def test_a_run_that_a_limit_stops_conforms(tmp_path):
    with rig(tmp_path) as server:
        file = write_csv(tmp_path / "s.csv", ROWS)
        summary = summary_of(server.run(NAMED, file, guards=Guards(fail_over=parse_limit("0", "--fail-over"))))
    assert (summary["stopped"]["code"], summary["exit_code"]) == ("fail-over", 3)


def test_a_run_that_is_interrupted_and_resumed_conforms(tmp_path):
    interrupt = Interrupt()
    with rig(tmp_path) as server:
        path = tmp_path / "m.yaml"
        path.write_text(NAMED)
        file = write_csv(tmp_path / "s.csv", "E-mail;Name\n" + "".join(f"p{n}@example.com;P\n" for n in range(300)))
        stopper = etl.Options(out=tmp_path / "o", interrupt=interrupt, tell=lambda _: interrupt.request(signal.SIGINT))
        report = etl.run(path, file, target="test", config=server.config, options=stopper)
        assert summary_of(report)["exit_code"] == 130
        assert summary_of(etl.resume(report.id, config=server.config))["exit_code"] == 0


def test_runs_of_who_is_missing_of_deletions_and_a_plan_conform(tmp_path):
    with rig(tmp_path, target=PLAIN) as server:
        server.run(FULL, write_csv(tmp_path / "s.csv", ROWS), out=tmp_path / "one")
        fewer = server.run(
            FULL, write_csv(tmp_path / "t.csv", "E-mail;Name\nnew@example.com;N\n"), out=tmp_path / "two"
        )
        assert summary_of(fewer)["missing"]["keys"] > 0
        server.run(
            DELETES, write_csv(tmp_path / "d.csv", "E-mail\nanna@example.com\n"), yes=True, out=tmp_path / "three"
        )
        planned = verbs.plan(mapping_of(NAMED, tmp_path), tmp_path / "s.csv", target="test", config=server.config)
        assert "estimate" in summary_of(planned)


@pytest.mark.parametrize("change", [
    {"host": "here"}, {"counts": {"lost": 1}}, {"view": "some"}, {"exit_code": 4}, {"reports": {"results": ""}},
    {"groups": [{"code": "required", "value": "anna@example.com"}]}, {"started_at": "yesterday"},
], ids=str)  # fmt: skip
def test_a_field_or_a_value_that_is_not_in_the_schema_is_refused(tmp_path, change):
    file = write_csv(tmp_path / "s.csv", ROWS)
    summary = summary_of(etl.check(mapping_of(NAMED, tmp_path), [file], options=etl.Options(out=tmp_path / "out")))
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(summary | change, json.loads(SCHEMA.read_text("utf-8")))


def test_every_member_is_described():
    schema = json.loads(SCHEMA.read_text("utf-8"))
    assert [path for path, part in _members(schema, "") if len(part.get("description", "")) < 4] == []


def _members(part: dict[str, Any], path: str) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, inner in part.get("properties", {}).items():
        yield f"{path}/{name}", inner
        yield from _members(inner, f"{path}/{name}")
    for inner in (part.get("items"), part.get("additionalProperties"), *part.get("oneOf", ())):
        if inner and isinstance(inner, dict):
            yield from _members(inner, path)
