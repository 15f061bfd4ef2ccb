"""Credentials that expire in the middle of a run: read again once, gone on with if they changed, else stopped at once."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from etl import wiring
from etl.errors import SettingsError
from etl.load.loader import Timing
from etl.records import Delivery, Endpoint, Status, Unit
from etl.settings import Credentials, Secret, load_settings
from etl.targets.answers import Kind, judge
from etl.targets.auth import Kept
from etl.targets.base import Answer
from tests.fault_server import FaultServer, reply

UPSERT = Endpoint("POST", "/contacts")
EXPIRED = {"message": "The security token included in the request is expired"}
PROFILE = "[etl]\naws_access_key_id = AKIDEXAMPLE\naws_secret_access_key = canary-secret\naws_session_token = {}\n"
CONCURRENCY = 4


class Door:
    """A server that lets in who carries `accepted`; after five requests it wants `then`, and `on_change` is called."""

    def __init__(self, header, accepted, then, refusal, on_change=lambda: None):
        self._header, self._accepted, self._then = header, accepted, then
        self._refusal, self._on_change, self._lock, self._seen = refusal, on_change, threading.Lock(), 0

    def __call__(self, request):
        with self._lock:
            self._seen += 1
            if self._seen == 6:
                self._accepted = self._then
                self._on_change()
            return reply() if request.headers.get(self._header) == self._accepted else self._refusal


def sent(folder: Path, server: FaultServer, lines: str, count: int = 40, environ=None):
    """Send `count` deliveries to a target with these settings; return the loader and the receipts by position."""
    (folder / "etl.toml").write_text(
        f'[targets.t]\nurl = "{server.url}"\nrate = 10000\nconcurrency = {CONCURRENCY}\n{lines}\n', encoding="utf-8"
    )
    settings = load_settings(None, environ or {}, folder)
    receipts = []
    with wiring.sending(settings, settings.target("t"), Timing()) as sender:
        loader = sender.loader(receipts.append)
        for position in range(count):
            loader.submit(Unit((Delivery(position, 1, UPSERT, b"{}", None, repeat_unknown=True),)))
        loader.drain()
    return loader, sorted(receipts, key=lambda receipt: receipt.delivery.position)


WAYS = {
    "profile": (
        'auth = "sigv4"\nprofile = "etl"\ncredentials_file = "keys"', PROFILE,
        "x-amz-security-token", "{}", reply(403, EXPIRED),
    ),
    "bearer": ('auth = "bearer"\nbearer_file = "keys"', "{}\n", "authorization", "Bearer {}", reply(401, {"message": "Unauthorized"})),
    "api key": ('auth = "api_key"\napi_key_file = "keys"', "{}\n", "x-api-key", "{}", reply(403, {"message": "Forbidden"})),
}  # fmt: skip
EVERY_WAY = pytest.mark.parametrize(("lines", "file", "header", "value", "refusal"), WAYS.values(), ids=WAYS)


@EVERY_WAY
def test_a_run_goes_on_with_the_new_credentials(tmp_path, lines, file, header, value, refusal):
    keys = tmp_path / "keys"
    keys.write_text(file.format("token-one"), encoding="utf-8")
    door = Door(
        header, value.format("token-one"), value.format("token-two"), refusal,
        on_change=lambda: keys.write_text(file.format("token-two"), encoding="utf-8"),
    )  # fmt: skip

    with FaultServer(door) as server:
        loader, receipts = sent(tmp_path, server, lines)

    assert {receipt.status for receipt in receipts} == {Status.DELIVERED}
    assert loader.stopped is None
    assert 1 <= len(server.requests) - 40 <= CONCURRENCY


@EVERY_WAY
def test_a_run_stops_at_once_where_there_are_no_others(tmp_path, lines, file, header, value, refusal):
    (tmp_path / "keys").write_text(file.format("token-one"), encoding="utf-8")
    door = Door(header, value.format("token-one"), value.format("token-two"), refusal)

    with FaultServer(door) as server:
        loader, receipts = sent(tmp_path, server, lines, count=400)

    assert loader.stopped is not None
    assert len(server.requests) <= 5 + 3 * CONCURRENCY
    assert sum(receipt.status is Status.BLOCKED for receipt in receipts) > 300


def test_what_is_said_where_the_session_has_expired(tmp_path):
    environ = {"AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "canary", "AWS_SESSION_TOKEN": "token-one"}
    door = Door("x-amz-security-token", "token-one", "token-two", reply(403, EXPIRED))

    with FaultServer(door) as server:
        loader, _ = sent(tmp_path, server, 'auth = "sigv4"', environ=environ)

    assert loader.stopped is not None
    assert (loader.stopped.code, loader.stopped.message, loader.stopped.hint) == (
        "session-expired",
        (
            "our session at the endpoint has expired, and there are no newer credentials (HTTP 403): "
            "The security token included in the request is expired"
        ),
        "renew the session token; a `profile` or a file in the target's settings is read again during a run",
    )


def test_credentials_that_change_at_every_look_are_not_tried_for_ever(tmp_path):
    keys = tmp_path / "keys"
    keys.write_text("token-0\n", encoding="utf-8")

    def door(request):
        keys.write_text(f"token-{request.number + 1}\n", encoding="utf-8")
        return reply(401, {"message": "Unauthorized"})

    with FaultServer(door) as server:
        loader, _ = sent(tmp_path, server, 'auth = "bearer"\nbearer_file = "keys"\nretries = 2', count=1)

    assert loader.stopped is not None
    assert len(server.requests) == 4


class TestKept:
    ONE, TWO = (Credentials(Secret(text)) for text in ("token-one", "token-two"))

    def test_requests_that_were_refused_together_read_once(self):
        reads = []

        def reread():
            reads.append(1)
            return self.TWO

        kept = Kept(self.ONE, reread, clock=lambda: 10.0)
        assert [kept.refresh(9.0), kept.refresh(9.5)] == [True, True]
        assert len(reads) == 1

    def test_a_request_that_left_with_the_new_ones_reads_again_and_finds_no_others(self):
        kept = Kept(self.ONE, lambda: self.TWO, clock=lambda: 10.0)
        assert [kept.refresh(9.0), kept.refresh(10.5)] == [True, False]

    def test_a_file_that_cannot_be_read_changes_nothing(self):
        def reread():
            raise SettingsError("gone", code="no-secret")

        kept = Kept(self.ONE, reread)
        assert not kept.refresh(0.0)
        assert kept.current is self.ONE

    def test_the_old_ones_stay_secret(self):
        kept = Kept(self.ONE, lambda: self.TWO)
        kept.refresh(0.0)
        assert kept.secrets == ("token-two", "token-one")


def test_no_secret_comes_back_after_the_change_either(tmp_path):
    keys = tmp_path / "keys"
    keys.write_text("token-one\n", encoding="utf-8")

    def door(request):
        if request.headers["x-api-key"] == "token-one":
            keys.write_text("token-two\n", encoding="utf-8")
            return reply(403, {"message": "Forbidden"})
        return reply(400, {"message": "neither token-one nor token-two"})

    with FaultServer(door) as server:
        _, (receipt,) = sent(tmp_path, server, 'auth = "api_key"\napi_key_file = "keys"', count=1)

    assert receipt.message == "neither *** nor ***"


@pytest.mark.parametrize(
    ("status", "message", "kind", "code"),
    [
        (403, "The security token included in the request is expired", Kind.EXPIRED, "session-expired"),
        (401, "The incoming token has expired", Kind.EXPIRED, "session-expired"),
        (403, "The security token included in the request is invalid.", Kind.STOP, "wrong-keys"),
        (403, "Signature expired: 20261124T000000Z is now earlier than ...", Kind.CLOCK, "clock"),
        (400, "the voucher token has expired", Kind.REJECTED, "http-400"),
    ],
    ids=["sts", "jwt", "wrong keys", "clock", "not about us"],
)
def test_an_expired_session_is_told_from_other_refusals(status, message, kind, code):
    verdict = judge(Answer(status, body=f'{{"message": "{message}"}}'.encode()), UPSERT, now=0.0)
    assert (verdict.kind, verdict.code) == (kind, code)


class TestProfile:
    SIGNED = '[targets.t]\nurl = "https://example.com"\nauth = "sigv4"\n'

    def credentials(self, folder, lines, environ=None):
        (folder / "etl.toml").write_text(self.SIGNED + lines, encoding="utf-8")
        settings = load_settings(None, environ or {}, folder)
        return settings.credentials(settings.target("t"))

    def refused(self, folder, lines):
        with pytest.raises(SettingsError) as caught:
            self.credentials(folder, lines)
        return str(caught.value).replace(str(folder), ".")

    def test_its_keys_are_read(self, tmp_path):
        (tmp_path / "keys").write_text(PROFILE.format("token-one"), encoding="utf-8")
        found = self.credentials(tmp_path, 'profile = "etl"\ncredentials_file = "keys"', {"AWS_ACCESS_KEY_ID": "other"})
        texts = [one.reveal() for one in (found.access_key, found.secret, found.session_token) if one]
        assert texts == ["AKIDEXAMPLE", "canary-secret", "token-one"]

    def test_the_usual_file_is_that_of_every_program_of_awss(self, tmp_path):
        (tmp_path / ".aws").mkdir()
        (tmp_path / ".aws" / "credentials").write_text(PROFILE.format("at-home"), encoding="utf-8")
        (tmp_path / "named").write_text(PROFILE.format("named"), encoding="utf-8")
        home = {"HOME": str(tmp_path)}
        for environ, token in ((home, "at-home"), (home | {"AWS_SHARED_CREDENTIALS_FILE": "named"}, "named")):
            found = self.credentials(tmp_path, 'profile = "etl"', environ)
            assert found.session_token is not None
            assert found.session_token.reveal() == token

    def test_no_file_is_read_that_no_setting_asks_for(self, tmp_path):
        (tmp_path / ".aws").mkdir()
        (tmp_path / ".aws" / "credentials").write_text(PROFILE.replace("etl", "default"), encoding="utf-8")
        with pytest.raises(SettingsError, match="AWS_SECRET_ACCESS_KEY is not set"):
            self.credentials(tmp_path, "", {"HOME": str(tmp_path)})

    @pytest.mark.parametrize(
        ("text", "told"),
        [
            (None, "there is no such file{}create it with `aws configure`, or name another"),
            ("[other]\na = b\n", "there is no profile 'etl'{}the profiles are: other"),
            ("not a profile", "the file cannot be read{}it must be a readable file of AWS profiles"),
            ("[etl]\naws_access_key_id = A\n", "profile 'etl' has no secret access key{}add aws_secret_access_key"),
            (
                "[etl]\nrole_arn = canary\n",
                (
                    "profile 'etl' holds no access key{}only keys that stand in the file are read: "
                    "aws_access_key_id, aws_secret_access_key, aws_session_token"
                ),
            ),
        ],
        ids=["no file", "no profile", "no profiles", "half a key", "a role"],
    )
    def test_what_cannot_be_used_is_refused(self, tmp_path, text, told):
        if text is not None:
            (tmp_path / "keys").write_text(text, encoding="utf-8")
        needs = "; target 't' (auth = \"sigv4\") needs it\n  hint: "
        assert self.refused(tmp_path, 'profile = "etl"\ncredentials_file = "keys"') == (
            f"./etl.toml: ./keys: {told.format(needs)}   [no-secret]"
        )

    def test_it_belongs_to_sigv4_alone(self, tmp_path):
        (tmp_path / "etl.toml").write_text(
            '[targets.t]\nurl = "https://example.com"\nprofile = "etl"\n', encoding="utf-8"
        )
        with pytest.raises(SettingsError) as caught:
            load_settings(None, {}, tmp_path)
        assert str(caught.value).removeprefix(str(tmp_path)) == (
            '/etl.toml: targets.t.profile: belongs to auth = "sigv4" alone\n'
            "  hint: change `auth`, or leave it out   [settings]"
        )
