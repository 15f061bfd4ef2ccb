"""`doctor`: each thing that can be wrong with a machine is found, over real HTTP, and no secret is shown."""

from __future__ import annotations

import json
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from etl.__main__ import main
from etl.doctor import examine, lower_bounds
from etl.finding import Finding, State
from etl.sandbox import Credentials, Faults, Sandbox, SandboxOptions, parse_fault

KEYS = {"AWS_ACCESS_KEY_ID": "AKIAEXAMPLE000", "AWS_SECRET_ACCESS_KEY": "the-secret-of-the-test"}
SIGV4: dict[str, Any] = {
    "auth": "sigv4",
    "credentials": (Credentials(KEYS["AWS_ACCESS_KEY_ID"], KEYS["AWS_SECRET_ACCESS_KEY"]),),
}


def look(
    folder: Path, url: str, auth: str = "none", environ: Mapping[str, str] = KEYS, more: str = ""
) -> dict[str, Finding]:
    (folder / "etl.toml").write_text(f'[targets.t]\nurl = "{url}"\nauth = "{auth}"\n{more}', "utf-8")
    found = examine(config=None, target="t", environ=environ, folder=folder)
    return {finding.subject: finding for finding in found}


def failed(found: Mapping[str, Finding]) -> list[str]:
    return [subject for subject, finding in found.items() if finding.state is State.FAILED]


def test_a_good_signature_is_told_by_the_answer_to_a_get(tmp_path: Path) -> None:
    with Sandbox(SandboxOptions(**SIGV4)) as sandbox:
        found = look(tmp_path, sandbox.url, "sigv4")
        stored = sandbox.rows("SELECT method, path FROM requests")

    assert failed(found) == []
    assert found["access"].message == "the endpoint accepts the signature ('No method found matching route')"
    assert [row["method"] for row in stored] == ["GET"]


def test_wrong_keys_are_found(tmp_path: Path) -> None:
    with Sandbox(SandboxOptions(**SIGV4)) as sandbox:
        found = look(tmp_path, sandbox.url, "sigv4", {**KEYS, "AWS_ACCESS_KEY_ID": "AKIAOTHER00000"})

    assert failed(found) == ["access"]
    assert found["access"].hint == "check AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN"


def test_a_wrong_secret_is_found(tmp_path: Path) -> None:
    with Sandbox(SandboxOptions(**SIGV4)) as sandbox:
        found = look(tmp_path, sandbox.url, "sigv4", {**KEYS, "AWS_SECRET_ACCESS_KEY": "another"})

    assert failed(found) == ["access"]


def test_a_clock_that_is_off_is_told_and_the_keys_are_judged_by_the_endpoints(tmp_path: Path) -> None:
    with Sandbox(SandboxOptions(**SIGV4, clock_offset_seconds=3600)) as sandbox:
        found = look(tmp_path, sandbox.url, "sigv4")

    assert failed(found) == []
    assert found["clock"].state is State.WARNING
    assert found["clock"].message in {
        f"this machine's clock is {seconds} s behind the endpoint's" for seconds in ("3,599", "3,600", "3,601")
    }


def test_credentials_that_are_missing_are_named_and_nothing_is_asked(tmp_path: Path) -> None:
    with Sandbox(SandboxOptions(**SIGV4)) as sandbox:
        found = look(tmp_path, sandbox.url, "sigv4", {})
        assert sandbox.stats().requests == 0

    assert failed(found) == ["credentials"]
    assert "AWS_SECRET_ACCESS_KEY is not set or empty" in found["credentials"].message


def test_an_endpoint_that_is_not_there_is_found(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        found = look(tmp_path, url)

    assert failed(found) == ["endpoint"]
    assert found["endpoint"].message == f"{url} does not answer: no connection: Connection refused"


@pytest.mark.parametrize(
    ("fault", "subject", "state"),
    [
        ("html:route=GET /", "endpoint", State.FAILED),
        ("redirect:route=GET /", "endpoint", State.FAILED),
        ("503:route=GET /", "endpoint", State.WARNING),
        ("429:route=GET /", "endpoint", State.WARNING),
        ("401:route=GET /", "access", State.FAILED),
        ("403:route=GET /", "access", State.WARNING),
    ],
    ids=["html", "redirect", "unavailable", "throttled", "unauthorized", "forbidden"],
)
def test_an_answer_is_judged(tmp_path: Path, fault: str, subject: str, state: State) -> None:
    with Sandbox(SandboxOptions(faults=Faults(rules=(parse_fault(fault),)))) as sandbox:
        found = look(tmp_path, sandbox.url)

    assert found[subject].state is state


def test_settings_that_are_wrong_are_shown_as_they_would_be_elsewhere(tmp_path: Path) -> None:
    found = look(tmp_path, "http://example.com")

    assert failed(found) == ["settings"]
    assert "must be https" in found["settings"].message


def test_an_unknown_target_is_found(tmp_path: Path) -> None:
    found = {f.subject: f for f in examine(config=None, target="prod", environ={}, folder=tmp_path)}

    assert failed(found) == ["target"]
    assert found["target"].hint == "the targets are: sandbox"


def test_validation_that_is_switched_off_is_found(tmp_path: Path) -> None:
    environ = {"PANDERA_VALIDATION_ENABLED": "False"}
    found = {f.subject: f for f in examine(config=None, target=None, environ=environ, folder=tmp_path)}

    assert failed(found) == ["validation"]


def test_a_folder_that_cannot_be_written_is_found(tmp_path: Path) -> None:
    (tmp_path / "etl-reports").write_text("a file", "utf-8")

    found = {f.subject: f for f in examine(config=None, target=None, environ={}, folder=tmp_path)}

    assert failed(found) == ["reports"]


def test_the_lower_bounds_are_those_of_the_package() -> None:
    bounds = dict(lower_bounds())

    assert {"pandas", "pandera", "pyarrow", "requests", "click"} <= set(bounds)
    assert bounds["pandas"].startswith("3.")


def test_the_sandbox_is_started_for_its_own_target(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)

    assert main(["doctor", "--target", "sandbox"]) == 0

    out = capsys.readouterr().out
    assert "the endpoint answers as it should" in out
    assert out.endswith("\nReady.\n")
    assert list(tmp_path.iterdir()) == []


def test_what_is_wrong_ends_with_2_and_no_secret_is_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)
    with Sandbox(SandboxOptions(auth="sigv4", credentials=(Credentials("AKIAOTHER00000", "x"),))) as sandbox:
        (tmp_path / "etl.toml").write_text(f'[targets.t]\nurl = "{sandbox.url}"\nauth = "sigv4"\n', "utf-8")
        assert main(["doctor", "--target", "t"]) == 2
        text = capsys.readouterr().out
        assert main(["doctor", "--target", "t", "--json"]) == 2
        found = json.loads(capsys.readouterr().out)

    assert text.endswith("\nNot ready: access.\n")
    assert found["ready"] is False
    for secret in KEYS.values():
        assert secret not in text + json.dumps(found)
