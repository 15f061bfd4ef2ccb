"""etl.toml: what is read, and what is said where it is wrong."""

from __future__ import annotations

import pickle

import pytest

from etl.errors import SettingsError
from etl.settings import load_settings

GOOD = """
default_target = "production"
[targets.production]
url = "https://htpfdjhk3h.execute-api.eu-north-1.amazonaws.com/Production/"
auth = "sigv4"
[targets.brand]
url = "https://api.example.com/v1"
wire = "envelope"
group_key = "main"
auth = "api_key"
api_key_env = "BRAND_KEY"
rate = 10
concurrency = 4
"""
AWS = {"AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "kanarek-secret"}


@pytest.fixture
def load(tmp_path):
    def loaded(text, environ=None):
        (tmp_path / "etl.toml").write_text(text, encoding="utf-8")
        return load_settings(None, environ or {}, tmp_path)

    return loaded


def target(**lines):
    return '[targets.t]\nurl = "https://example.com"\n' + "".join(f"{key} = {value}\n" for key, value in lines.items())


def refused(load, text):
    with pytest.raises(SettingsError) as caught:
        load(text)
    return str(caught.value).partition("etl.toml")[2]


def test_targets_are_read_with_their_defaults(load):
    found = load(GOOD).target()
    assert (found.name, found.url[-11:], found.wire, found.group_key) == ("production", "/Production", "fields", None)
    assert (found.rate, found.concurrency, found.connect_timeout, found.deadline, found.retries) == (50, 16, 5, 35, 4)


@pytest.mark.parametrize(
    ("url", "more", "region"),
    [
        ("https://x.execute-api.us-east-2.amazonaws.com/P", "", "us-east-2"),
        ("https://api.example.com", "", "eu-west-1"),
        ("https://evil.example.com/x.execute-api.us-east-2.amazonaws.com", "", "eu-west-1"),
        ("https://x.execute-api.us-east-2.amazonaws.com", 'region = "eu-north-1"', "eu-north-1"),
    ],
)
def test_the_region_is_the_setting_then_the_hosts_then_eu_west_1(load, url, more, region):
    assert load(f'[targets.t]\nurl = "{url}"\n{more}').target("t").signing_region == region


def test_without_a_file_there_is_the_sandbox_alone(tmp_path):
    settings = load_settings(None, {}, tmp_path)
    assert settings.names == ("sandbox",)
    assert settings.target("sandbox").at("http://127.0.0.1:8080/").url == "http://127.0.0.1:8080"
    with pytest.raises(SettingsError) as caught:
        settings.target()
    assert str(caught.value) == (
        "no target is given, and there is no default_target\n"
        "  hint: add --target NAME; the targets are: sandbox   [no-target]"
    )


def test_an_unknown_target_is_refused_with_the_nearest_name(load, tmp_path):
    with pytest.raises(SettingsError) as caught:
        load(GOOD).target("prodction")
    assert str(caught.value) == (
        f"{tmp_path / 'etl.toml'}: unknown target 'prodction'\n"
        "  hint: did you mean 'production'? the targets are: production, brand, sandbox   [unknown-target]"
    )


def test_a_file_that_was_named_must_exist(tmp_path):
    with pytest.raises(SettingsError, match="there is no such file"):
        load_settings(tmp_path / "other.toml", {}, tmp_path)


def test_a_byte_order_mark_does_no_harm(tmp_path):
    (tmp_path / "etl.toml").write_bytes(b"\xef\xbb\xbf" + GOOD.encode())
    assert load_settings(None, {}, tmp_path).default_target == "production"


REFUSED = {
    "unknown key": (
        target(wirre='"x"'),
        "targets.t.wirre: unknown setting",
        "did you mean 'wire'?",
    ),
    "other word": (
        target(read_timeout=3),
        "targets.t.read_timeout: unknown setting",
        "did you mean 'deadline'?",
    ),
    "top key": (
        'default_targt = "x"',
        "default_targt: unknown setting",
        "did you mean 'default_target'?",
    ),
    "default": (
        'default_target = "x"',
        "default_target: there is no target 'x'",
        "the targets are: sandbox",
    ),
    "no url": (
        '[targets.t]\nauth = "none"',
        "targets.t.url: is missing",
        "add url = ...",
    ),
    "wire": (
        target(wire='"envelop"'),
        "targets.t.wire: 'envelop' is not one of the words allowed",
        "did you mean 'envelope'? use one of fields, envelope",
    ),
    "rate": (
        target(rate=0),
        "targets.t.rate: must be greater than or equal to 0.1",
        "requests a second, from 0.1 to 10000; 50 where it is left out",
    ),
    "type": (
        target(concurrency='"4"'),
        "targets.t.concurrency: must be a whole number",
        "requests at a time, from 1 to 256; 16 where it is left out",
    ),
    "group_key": (
        target(group_key='"a"'),
        'targets.t.group_key: belongs to wire = "envelope" alone',
        "change `wire`, or leave it out",
    ),
    "no secret": (
        target(auth='"bearer"'),
        'targets.t.auth: "bearer" needs to know where its secret is',
        'add bearer_env = "NAME_OF_VARIABLE" or bearer_file = "path"',
    ),
    "two secrets": (
        target(auth='"api_key"', api_key_env='"A"', api_key_file='"b"'),
        "targets.t.api_key_file: stands beside api_key_env",
        "keep one of the two",
    ),
    "other auth": (
        target(bearer_env='"A"'),
        'targets.t.bearer_env: belongs to auth = "bearer" alone',
        "change `auth`, or leave it out",
    ),
    "reserved": (
        '[targets.sandbox]\nurl = "https://example.com"',
        "targets.sandbox: the name is reserved",
        "it always exists; choose another name",
    ),
    "http": (
        '[targets.t]\nurl = "http://example.com"',
        "targets.t.url: must be https: plain http is allowed to this machine alone",
        'write it like url = "https://example.com/Production"',
    ),
    "not a table": (
        "[targets]\nt = 3",
        "targets.t: must be a table",
        "write [targets.NAME] above its settings",
    ),
}


@pytest.mark.parametrize(("text", "what", "hint"), REFUSED.values(), ids=REFUSED)
def test_a_wrong_setting_is_named_with_what_is_right(load, text, what, hint):
    assert refused(load, text) == f": {what}\n  hint: {hint}   [settings]"


def test_all_mistakes_are_told_at_once(load):
    said = refused(load, target(wire='"x"', rate=-1, colour='"red"') + '[targets.u]\nurl = "ftp://x"\n')
    assert "4 settings are wrong" in said
    assert all(key in said for key in ("targets.t.wire", "targets.t.rate", "targets.t.colour", "targets.u.url"))


@pytest.mark.parametrize("url", ["http://localhost:8080", "http://127.0.0.1", "http://[::1]:1/x"])
def test_plain_http_to_this_machine_is_allowed(load, url):
    assert load(f'[targets.t]\nurl = "{url}"').target("t").url == url


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1.example.com", "http://localhost@example.com", "https://user:kanarek@example.com",
        "https://example.com?k=kanarek", "https://example.com#kanarek", "https://exa mple.com", "example.com", "https://",
        "https://example.com:99999", "file:///etc/passwd",
    ],
)  # fmt: skip
def test_other_addresses_are_refused_and_not_quoted(load, url):
    said = refused(load, f'[targets.t]\nurl = "{url}"')
    assert "targets.t.url" in said
    assert "kanarek" not in said


SECRETS = [
    'api_key = "kanarek"', 'bearer = "kanarek"', 'token = "kanarek"', 'password = "kanarek"',
    'aws_secret_access_key = "kanarek"',
    'access_key = "kanarek"', 'api_key_env = "kanarek-1/2"', 'auth = "Bearer kanarek"', 'AWS_SESSION_TOKEN = "kanarek"',
]  # fmt: skip


@pytest.mark.parametrize("line", SECRETS)
def test_a_secret_in_the_file_is_refused_and_not_quoted(load, line):
    said = refused(load, '[targets.t]\nurl = "https://example.com"\n' + line)
    assert "kanarek" not in said
    assert "hint: " in said


class TestCredentials:
    def test_sigv4_takes_the_standard_variables(self, load):
        settings = load(GOOD, {**AWS, "AWS_SESSION_TOKEN": "tok"})
        found = settings.credentials(settings.target())
        assert [s.reveal() for s in (found.access_key, found.secret, found.session_token)] == [
            "AKIDEXAMPLE", "kanarek-secret", "tok",
        ]  # fmt: skip

    def test_a_missing_variable_is_named(self, load, tmp_path):
        settings = load(GOOD)
        with pytest.raises(SettingsError) as caught:
            settings.credentials(settings.target("brand"))
        assert str(caught.value) == (
            f"{tmp_path / 'etl.toml'}: the environment variable BRAND_KEY is not set or empty; "
            "target 'brand' (auth = \"api_key\") needs it\n  hint: put the secret there   [no-secret]"
        )

    def test_a_target_can_be_looked_at_without_its_secrets(self, load):
        assert load(GOOD).target("brand").wire == "envelope"

    def test_a_secret_may_stand_in_a_file_beside_etl_toml(self, load, tmp_path):
        (tmp_path / "key.txt").write_text("s3cret\n")
        settings = load(target(auth='"bearer"', bearer_file='"key.txt"'))
        assert settings.credentials(settings.target("t")).secret.reveal() == "s3cret"

    @pytest.mark.parametrize("content", [None, "", "two words", "line\nline", "zażółć"])
    def test_a_file_without_a_usable_secret_is_refused_and_not_quoted(self, load, tmp_path, content):
        if content is not None:
            (tmp_path / "key.txt").write_text(content, encoding="utf-8")
        settings = load(target(auth='"bearer"', bearer_file='"key.txt"'))
        with pytest.raises(SettingsError, match=r"key\.txt") as caught:
            settings.credentials(settings.target("t"))
        assert not content or content not in str(caught.value)

    def test_the_sandbox_needs_none(self, load):
        settings = load(GOOD)
        assert settings.credentials(settings.target("sandbox")).secret is None

    def test_secrets_show_nowhere_and_cross_no_process_border(self, load):
        settings = load(GOOD, AWS)
        assert "kanarek" not in f"{settings!r} {settings.credentials(settings.target())!r}"
        assert b"kanarek" not in pickle.dumps(settings)
        assert pickle.loads(pickle.dumps(settings)).names == settings.names
