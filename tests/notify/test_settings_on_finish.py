"""The tables [on_finish.NAME] of etl.toml."""

from __future__ import annotations

from pathlib import Path

import pytest

from etl.errors import SettingsError
from etl.settings import load_settings
from etl.settings.on_finish import EmailNotifier, HeartbeatNotifier, Notifier, SlackNotifier

SLACK = ['kind = "slack"', 'url_env = "ETL_SLACK"']
HOOK = ['kind = "webhook"', 'url = "https://hooks.example.com/etl"', 'secret_file = "secret.txt"']
MAIL = ['kind = "email"', 'host = "mail.example.com"', 'from = "etl@example.com"', 'to = ["night@example.com"]']
BEAT = ['kind = "heartbeat"', 'url = "https://beat.example.com/one"']


def load(folder: Path, *lines: str, name: str = "x") -> tuple[Notifier, ...]:
    (folder / "etl.toml").write_text(f"[on_finish.{name}]\n" + "\n".join(lines), encoding="utf-8")
    return load_settings(None, {}, folder).on_finish


def refused(folder: Path, *lines: str, name: str = "x") -> str:
    with pytest.raises(SettingsError) as error:
        load(folder, *lines, name=name)
    return str(error.value).removeprefix(f"{folder / 'etl.toml'}: ")


def test_each_kind_is_read_with_its_defaults(tmp_path: Path) -> None:
    (chat,) = load(tmp_path, *SLACK)
    assert isinstance(chat, SlackNotifier)
    assert (chat.name, chat.when, chat.url_env) == ("x", "trouble", "ETL_SLACK")
    (mail,) = load(tmp_path, *MAIL)
    assert isinstance(mail, EmailNotifier)
    assert (mail.security, mail.port, mail.sender, mail.to) == (
        "starttls",
        None,
        "etl@example.com",
        ["night@example.com"],
    )
    (beat,) = load(tmp_path, *BEAT)
    assert isinstance(beat, HeartbeatNotifier)
    assert (beat.when, beat.fail, beat.start, beat.method, beat.bad_rows) == ("always", False, False, "get", "fail")


def test_one_recipient_may_stand_alone(tmp_path: Path) -> None:
    (mail,) = load(tmp_path, *MAIL[:3], 'to = "night@example.com"')
    assert isinstance(mail, EmailNotifier)
    assert mail.to == ["night@example.com"]


def test_a_notifier_is_about_all_but_the_sandbox_unless_it_says_otherwise(tmp_path: Path) -> None:
    (every,) = load(tmp_path, *SLACK)
    (some,) = load(tmp_path, *SLACK, 'targets = ["sandbox"]', 'mappings = ["contacts"]')
    assert [every.is_about(target, "contacts") for target in ("production", "", "sandbox")] == [True, True, False]
    assert [some.is_about("sandbox", name) for name in ("contacts", "events")] == [True, False]
    assert [some.is_about(target, "contacts") for target in ("production", "")] == [False, True]


URL_PLACE = 'name where it is: url_env = "NAME_OF_VARIABLE" or url_file = "path"'
SECRET_PLACE = 'name where it is: secret_env = "NAME_OF_VARIABLE" or secret_file = "path"'
PASSWORD_PLACE = 'name where it is: password_env = "NAME_OF_VARIABLE" or password_file = "path"'
URL_HINT = 'write it like url = "https://hooks.example.com/etl"'


@pytest.mark.parametrize(
    ("lines", "key", "message", "hint"),
    [
        ([], "kind", "is missing", 'write kind = "slack", or webhook, email, heartbeat'),
        (['kind = "sms"'], "kind", "is none that is known", 'write kind = "slack", or webhook, email, heartbeat'),
        (['kind = "slack"'], "url", "its address is missing", URL_PLACE),
        (['kind = "slack"', 'url = "https://hooks.slack.com/kanarek"'], "url", "no secret may stand in this file", URL_PLACE),
        ([*SLACK, 'url_file = "a"'], "url_file", "stands beside url_env", "keep one of the two"),
        ([*SLACK, 'url_evn = "a"'], "url_evn", "unknown setting", "did you mean 'url_env'?"),
        ([*SLACK, 'name = "kanarek"'], "name", "unknown setting",
         "the settings are: kind, when, ca_file, targets, mappings, url_env, url_file"),
        ([*SLACK, 'when = "troubles"'], "when", "'troubles' is not one of the words allowed",
         "did you mean 'trouble'? use one of trouble, always, never"),
        (['kind = "slack"', 'url_env = "https://kanarek"'], "url_env",
         "must be the name of an environment variable, not the secret", 'write it like url_env = "ETL_SLACK_URL"'),
        ([*HOOK[:2]], "secret", "the key that signs the body is missing", SECRET_PLACE),
        ([*HOOK[:2], 'secret = "kanarek"'], "secret", "no secret may stand in this file", SECRET_PLACE),
        ([*HOOK[::2], 'url = "http://hooks.example.com/kanarek"'], "url",
         "must be https: plain http is allowed to this machine alone", URL_HINT),
        ([*HOOK[::2], 'url = "https://me:kanarek@hooks.example.com"'], "url", "holds a user name or password", URL_HINT),
        ([*HOOK[::2], 'url = "https://hooks.example.com/?token=kanarek"'], "url", "holds a secret; none may stand in this file", URL_PLACE),
        ([*HOOK[::2], 'url = "kanarek"'], "url", "is not an address; write it like https://hooks.example.com/etl", URL_HINT),
        ([*MAIL, 'password = "kanarek"'], "password", "no secret may stand in this file", PASSWORD_PLACE),
        ([*MAIL, 'user = "etl"'], "user", "its password is missing", PASSWORD_PLACE),
        ([*MAIL, 'password_env = "A"'], "user", "is missing", "a password needs a user"),
        ([*MAIL, 'security = "none"'], "security", "none to another machine",
         "use starttls or tls: mail without encryption is allowed to this machine alone"),
        ([*MAIL[:3], "to = []"], "to", "names nobody", 'write it like to = ["night@example.com"]'),
        ([*MAIL[:3], 'to = ["kanarek"]'], "to.0", "is not an e-mail address", 'write it like to = ["night@example.com"]'),
        ([*MAIL[:2], MAIL[3], 'from = "a@example.com\\nBcc: kanarek@example.com"'], "from", "is not an e-mail address",
         'write it like from = "etl@example.com"'),
        ([*MAIL, "port = 0"], "port", "must be greater than or equal to 1", "587 for starttls, 465 for tls, 25 for none, where it is left out"),
        ([*BEAT, 'when = "trouble"'], "when", "'trouble' is not one of the words allowed", "a heartbeat is always sent; never switches it off"),
        ([*BEAT, 'fail = "yes"'], "fail", "must be true or false",
         "true: trouble is told at once, at the same address with /fail behind it; false where it is left out"),
    ],
    ids=["no kind", "other kind", "no url", "secret url", "two urls", "typo", "name", "near word", "url as variable",
         "unsigned", "secret", "http", "user in url", "token in url", "no url at all", "password", "user alone",
         "password alone", "plain mail", "nobody", "bad address", "header injection", "port", "heartbeat when", "flag"],
)  # fmt: skip
def test_a_wrong_setting_is_refused(tmp_path: Path, lines: list[str], key: str, message: str, hint: str) -> None:
    told = refused(tmp_path, *lines)
    assert told == f"on_finish.x.{key}: {message}\n  hint: {hint}   [settings]"
    assert "kanarek" not in told


def test_a_name_with_odd_signs_is_refused(tmp_path: Path) -> None:
    assert refused(tmp_path, *SLACK, name='"a b"') == (
        "on_finish: a name has other signs than letters, digits, - and _\n  hint: rename it   [settings]"
    )


def test_a_notifier_that_is_no_table_is_refused(tmp_path: Path) -> None:
    (tmp_path / "etl.toml").write_text("on_finish = 1\n", encoding="utf-8")
    with pytest.raises(SettingsError, match=r"on_finish: must be tables\n  hint: write \[on_finish.NAME\] above"):
        load_settings(None, {}, tmp_path)


def test_plain_mail_and_http_to_this_machine_are_allowed(tmp_path: Path) -> None:
    load(tmp_path, *HOOK[::2], 'url = "http://127.0.0.1:8080/etl"')
    load(tmp_path, MAIL[0], 'host = "localhost"', *MAIL[2:], 'security = "none"')
