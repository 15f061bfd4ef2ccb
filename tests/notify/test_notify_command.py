"""`etl notify`: what is set, what was told last, and whether a test arrives."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from fault_server import reply
from receivers import BAD, SECRET, environment, nights, postbox, web

from etl.cli.main import main


def tables(*kinds: str) -> str:
    return "\n".join(kinds)


def chat(name: str = "chat", when: str = "trouble") -> str:
    return f'[on_finish.{name}]\nkind = "slack"\nurl_env = "ETL_SLACK"\nwhen = "{when}"\n'


def run(folder: Path, *arguments: str) -> int:
    return main(["notify", *arguments, "--config", str(folder / "etl.toml")])


def test_a_test_is_sent_through_each_and_says_what_it_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with (
        web() as slack,
        web() as other,
        postbox() as (box, port),
        environment(ETL_SLACK=f"{slack.url}/T0", ETL_SECRET=SECRET),
    ):
        (tmp_path / "etl.toml").write_text(
            tables(
                chat(), chat("off", "never"),
                f'[on_finish.hook]\nkind = "webhook"\nurl = "{other.url}/hook"\nsecret_env = "ETL_SECRET"\n',
                f'[on_finish.beat]\nkind = "heartbeat"\nurl = "{other.url}/beat"\nfail = true\n',
                f'[on_finish.mail]\nkind = "email"\nhost = "127.0.0.1"\nport = {port}\nsecurity = "none"\n'
                'from = "etl@localhost.test"\nto = "night@localhost.test"\n',
            )
        )  # fmt: skip
        assert run(tmp_path, "--test") == 0
    assert capsys.readouterr().out == (
        "delivered chat (slack)\n"
        'off       off (slack)  not tried: when = "never"\n'
        "delivered hook (webhook)\n"
        "delivered beat (heartbeat)\n"
        "delivered mail (email)\n"
    )
    title = "TEST: this is a test of the notifier 'chat' of salesmanago-etl; no run has ended"
    (told,) = slack.requests
    assert json.loads(told.body)["text"].startswith(f":white_check_mark: {title}\n")
    assert box.mails[0]["Subject"].startswith("[etl] TEST: this is a test")
    assert sorted(one.path for one in other.requests) == ["/beat", "/hook"]
    assert next(json.loads(one.body)["event"] for one in other.requests if one.path == "/hook") == "test"


def test_what_does_not_arrive_is_told_with_what_to_do_and_no_secret(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with web([reply(404, b"kanarek")]) as slack, environment(ETL_SLACK=f"{slack.url}/kanarek"):
        (tmp_path / "etl.toml").write_text(chat() + chat("other").replace("ETL_SLACK", "ETL_NOT_SET"))
        assert run(tmp_path, "--test") == 1
        shown = capsys.readouterr().out
        assert run(tmp_path, "--test", "other", "--json") == 1
    assert shown == (
        "failed    chat (slack)  the answer was 404\n"
        "          check its address: there is nothing (any more)\n"
        "failed    other (slack)  the environment variable ETL_NOT_SET is not set or empty\n"
        "          it is what url_env names\n"
    )
    (one,) = json.loads(capsys.readouterr().out)
    assert (one["name"], one["state"]) == ("other", "failed")
    assert len(slack.requests) == 1


def test_without_test_what_is_set_is_listed_with_what_was_told_last(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with web([reply(), reply(404)]) as slack, nights(tmp_path) as night, environment(ETL_SLACK=f"{slack.url}/kanarek"):
        night.tell(chat() + chat("off", "never"))
        night.run(BAD)
        night.run(None)
        assert run(tmp_path) == 0
        shown = capsys.readouterr().out
        assert run(tmp_path, "chat", "--json") == 0
        (listed,) = json.loads(capsys.readouterr().out)
    assert [line.split(", told ")[0].split(" since ")[0] for line in shown.splitlines()] == [
        "chat  slack, when = trouble",
        "  test to test: trouble",
        shown.splitlines()[2],
        "off  slack, when = never",
        "  nothing was sent yet",
    ]
    assert shown.splitlines()[2].endswith(": the answer was 404")
    assert "kanarek" not in shown
    (told,) = listed["told"]
    assert (told["state"], told["failure"]) == ("trouble", "the answer was 404")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--test"], "nobody is told how a run ended\n  hint: add to etl.toml: [on_finish.chat]"),
        (["--test", "chta"], "unknown notifier 'chta'\n  hint: did you mean 'chat'? the notifiers are: chat   [unknown-notifier]"),
    ],
    ids=["none", "typo"],
)  # fmt: skip
def test_who_is_not_there_cannot_be_tried(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], told: str
) -> None:
    (tmp_path / "etl.toml").write_text(chat() if len(arguments) > 1 else "")
    assert run(tmp_path, *arguments) == 2
    assert told in capsys.readouterr().err


def test_the_shape_of_a_webhooks_body_is_published(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "etl.toml").write_text("")
    assert run(tmp_path, "--schema") == 0
    schema: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert schema["title"] == "What salesmanago-etl sends to a webhook when a run ends"
    assert {"verdict", "news", "change", "exit_code"} <= set(schema["required"])


def test_a_mapping_that_is_not_there_is_told_by_the_command_as_well(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with web([reply(404), reply()]) as slack, environment(ETL_SLACK=f"{slack.url}/x"):
        (tmp_path / "etl.toml").write_text('[targets.test]\nurl = "http://127.0.0.1:1"\n' + chat())
        assert main(["run", "contacts.yaml", "contacts.csv", "--target", "test"]) == 2
        assert "Note: notification 'chat' was not delivered: the answer was 404" in capsys.readouterr().err
        assert main(["run", "contacts.yaml", "contacts.csv", "--target", "test"]) == 2
        assert main(["check", "contacts.yaml", "contacts.csv", "--target", "test"]) == 2
    assert len(slack.requests) == 2
    assert json.loads(slack.requests[1].body)["text"].startswith(
        ":warning: Trouble: contacts: the run to test ended with exit code 2: the mapping is wrong [mapping]\n"
    )
