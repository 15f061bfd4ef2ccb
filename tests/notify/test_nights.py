"""Several nights against a real sandbox, and what exactly is told of each: only news is news."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import json
import re
from pathlib import Path
from typing import Any

import pytest
from fault_server import CLOSE, HANG, FaultServer, reply
from jsonschema import Draft202012Validator
from receivers import BAD, GOOD, PASSWORD, SECRET, USER, WORSE, Nights, bodies, environment, nights, postbox, web
from remote_certificate import certificate
from support import CONTACT

import etl
from etl.errors import EtlError
from etl.finishing import finishing
from etl.interrupt import Interrupt
from etl.journal.locks import locked
from etl.notify import telling
from etl.notify.message import body_schema
from etl.settings import load_settings

CANARIES = ("kanarek", "example.com", "a@", SECRET, PASSWORD, "services/T0")
OTHER_KIND = "E-mail;Note\na@example.com;\nkanarek.nowak;\nb@example.com;;\n"


def hook(server: FaultServer, name: str = "hook", **more: str) -> str:
    lines = "".join(f"{key} = {value}\n" for key, value in more.items())
    return f'[on_finish.{name}]\nkind = "webhook"\nurl = "{server.url}/etl"\nsecret_env = "ETL_SECRET"\n{lines}'


def changes(server: FaultServer) -> list[tuple[str, str, int]]:
    """Return what was told so far, as (change, code, exit code), and forget it."""
    told = [(one["change"], one["code"], one["exit_code"]) for one in bodies(server)]
    server.requests.clear()
    return told


@pytest.fixture
def secret() -> Any:
    with environment(ETL_SECRET=SECRET):
        yield


@pytest.mark.usefixtures("secret")
class TestNews:
    def test_good_bad_same_bad_worse_recovered(self, tmp_path: Path) -> None:
        with web() as server, nights(tmp_path) as night:
            night.tell(hook(server))
            told = []
            for sheet in (GOOD, BAD, BAD, WORSE, OTHER_KIND, BAD, None, None, GOOD, GOOD):
                night.run(sheet)
                told.append(changes(server))
        assert told == [
            [],
            [("trouble", "", 1)],
            [],
            [],  # more rows of a kind that is known
            [("changed", "", 1)],  # another kind
            [],  # fewer kinds
            [("changed", "file-missing", 2)],
            [],
            [("recovered", "", 0)],
            [],
        ]
        assert night.notes == []

    def test_always_tells_every_run_and_never_none(self, tmp_path: Path) -> None:
        with web() as always, web() as never, nights(tmp_path) as night:
            night.tell(hook(always, "always", when='"always"') + hook(never, "never", when='"never"'))
            for sheet in (GOOD, BAD, BAD, GOOD):
                night.run(sheet)
        assert [change for change, _, _ in changes(always)] == ["good", "trouble", "still-bad", "recovered"]
        assert never.requests == []

    def test_what_could_not_be_delivered_is_told_by_the_next_run(self, tmp_path: Path) -> None:
        with web([reply(404), reply(200), reply(404), reply(200)]) as server, nights(tmp_path) as night:
            night.tell(hook(server))
            report = night.run(BAD)
            assert (report.exit_code, len(night.notes)) == (1, 1)
            night.run(BAD)
            night.run(GOOD)
            night.run(GOOD)
            told = bodies(server)
        assert [one["change"] for one in told] == ["trouble", "trouble", "recovered", "recovered"]
        # Since when it has been bad is told right, though the first message got lost.
        assert {one["since"] for one in told} == {"2026-09-22T14:13:20Z"}

    def test_a_kind_that_was_not_delivered_is_told_as_new_by_the_next_run(self, tmp_path: Path) -> None:
        with web([reply(), reply(404), reply()]) as server, nights(tmp_path) as night:
            night.tell(hook(server))
            for sheet in (BAD, OTHER_KIND, OTHER_KIND):
                night.run(sheet)
            *_, last = bodies(server)
        assert last["change"] == "changed"
        assert [(one["code"], one["new"]) for one in last["news"]["kinds"]] == [
            ("ragged-row", True),
            ("email-syntax", False),
        ]

    def test_each_notifier_has_a_memory_of_its_own(self, tmp_path: Path) -> None:
        with web() as first, web() as second, nights(tmp_path) as night:
            night.tell(hook(first))
            night.run(BAD)
            night.tell(hook(second, "second"))
            night.run(BAD)
        assert [len(one.requests) for one in (first, second)] == [1, 1]

    def test_a_mapping_and_a_target_have_a_memory_of_their_own(self, tmp_path: Path) -> None:
        with web() as server, nights(tmp_path) as night:
            night.tell(hook(server))
            night.run(BAD)
            (tmp_path / "other.yaml").write_text(CONTACT.replace("name: test", "name: other"), encoding="utf-8")
            night.run(BAD, "other.yaml")
            told = bodies(server)
        assert [(one["mapping"], one["change"]) for one in told] == [("test", "trouble"), ("other", "trouble")]

    def test_the_news_of_a_run_stand_in_its_report_and_summary(self, tmp_path: Path) -> None:
        with nights(tmp_path) as night:
            night.run(BAD)
            report = night.run(OTHER_KIND)
        expected = {
            "new_kinds": 1, "new_rows": 1, "known_kinds": 1, "known_rows": 1, "known_rows_before": 1, "trend": "steady",
            "gone_kinds": 0,
            "kinds": [
                {"what": "issue", "code": "ragged-row", "field": "", "rows": 1, "new": True},
                {"what": "issue", "code": "email-syntax", "field": "contact.email", "rows": 1, "new": False},
            ],
        }  # fmt: skip
        assert report.news == expected
        assert json.loads(report.summary_path.read_text())["news"] == expected

    def test_a_retry_that_goes_well_is_a_recovery(self, tmp_path: Path) -> None:
        with web() as server, nights(tmp_path) as night:
            night.tell(hook(server))
            report = night.run(GOOD, interrupt=_interrupted())
            assert isinstance(report, BaseException) or report.exit_code == 130
            resumed = etl.resume("last", config=night.rig.config, options=night.options())
            told = bodies(server)
        assert resumed.exit_code == 0
        assert [(one["verb"], one["change"], one["exit_code"]) for one in told] == [
            ("run", "trouble", 130), ("resume", "recovered", 0)
        ]  # fmt: skip
        assert told[0]["next"] == f"etl resume {told[0]['run']}"

    def test_a_question_about_a_run_that_is_not_there_is_nobodys_news(self, tmp_path: Path) -> None:
        with web() as server, nights(tmp_path) as night:
            night.tell(hook(server))
            night.run(GOOD)
            for asked in (
                lambda: etl.resume("2020", config=night.rig.config),
                lambda: etl.retry("last", config=night.rig.config),
            ):
                with pytest.raises(EtlError):
                    asked()
        assert server.requests == []


def _interrupted() -> Interrupt:
    interrupt = Interrupt()
    interrupt.request(2)
    return interrupt


@pytest.mark.usefixtures("secret")
class TestEndsBeforeAnythingIsSent:
    def test_a_wrong_mapping_is_told_under_its_name_and_so_is_the_recovery(self, tmp_path: Path) -> None:
        with web() as server, nights(tmp_path) as night:
            night.tell(hook(server))
            night.run(GOOD)
            (tmp_path / "mapping.yaml").write_text(CONTACT.replace("E-mail", "{colum: E-mail}"), encoding="utf-8")
            night.run(GOOD)
            (tmp_path / "mapping.yaml").write_text("version: 1\nname: [", encoding="utf-8")
            night.run(GOOD)
            (tmp_path / "mapping.yaml").write_text(CONTACT, encoding="utf-8")
            night.run(GOOD)
            told = bodies(server)
        # The third has no name to be read; the journal knows what the file was called.
        assert [(one["mapping"], one["change"], one["code"]) for one in told] == [
            ("test", "trouble", "mapping"), ("test", "recovered", "")
        ]  # fmt: skip

    def test_a_lock_that_is_held_is_told(self, tmp_path: Path) -> None:
        with web() as server, nights(tmp_path) as night:
            night.tell(hook(server))
            settings = load_settings(night.rig.config, {}, tmp_path)
            night.run(GOOD)
            with locked(settings, "test", "test", "other-run"):
                night.run(GOOD)
            (one,) = bodies(server)
        assert (one["change"], one["code"], one["exit_code"]) == ("trouble", "run-under-way", 3)
        assert "@" not in json.dumps(one)

    def test_a_fault_of_ours_is_told_by_its_type_alone(self, tmp_path: Path) -> None:
        with web() as server, nights(tmp_path) as night:
            night.tell(hook(server))
            with (
                pytest.raises(ZeroDivisionError),
                finishing("run", night.options(), config=night.rig.config, mapping="a/b.yaml", target="test"),
            ):
                raise ZeroDivisionError("kanarek@example.com")
            (one,) = bodies(server)
        assert one["verdict"] == "the run to test ended with exit code 4: a fault of the program [internal-error]"
        assert (one["exit_code"], one["mapping"]) == (4, "b")
        assert "kanarek" not in json.dumps(one)

    def test_a_wrong_etl_toml_is_told_where_the_notifier_itself_can_be_read(self, tmp_path: Path) -> None:
        with web() as server, nights(tmp_path) as night:
            night.tell(hook(server) + "[journal]\nkeep_days = 30\n[targets.odd]\nurl = 1\n")
            error = night.run(GOOD)
            (one,) = bodies(server)
        assert error.code == "settings"
        assert one["verdict"] == "the run to test ended with exit code 2: etl.toml is wrong [settings]"

    def test_a_journal_that_cannot_be_opened_is_told(self, tmp_path: Path) -> None:
        with web() as server, nights(tmp_path) as night:
            night.tell(hook(server))
            (tmp_path / ".etl").mkdir()
            (tmp_path / ".etl" / "journal.db").write_bytes(b"no journal")
            night.run(GOOD)
            (one,) = bodies(server)
        assert (one["change"], one["code"]) == ("trouble", "journal-foreign")

    def test_an_endpoint_that_is_down_is_told_in_our_words(self, tmp_path: Path) -> None:
        with web() as server, nights(tmp_path) as night:
            night.tell(hook(server))
            config = night.rig.config
            config.write_text(
                re.sub(
                    r'url = "http://[^"]*"\nrate',
                    'url = "http://127.0.0.1:1"\nretries = 0\npatience = 0\nrate',
                    config.read_text(),
                )
            )
            night.run(GOOD)
            (one,) = bodies(server)
        assert (one["code"], one["exit_code"]) == ("endpoint-down", 3)
        assert one["verdict"].startswith(
            "stopped: the endpoint did not answer [endpoint-down]. 0 of 3 rows were delivered"
        )
        assert one["next"] == f"etl resume {one['run']}"


@pytest.mark.usefixtures("secret")
class TestWhatIsSaid:
    def test_a_webhook_is_signed_and_has_the_published_shape(self, tmp_path: Path) -> None:
        with web() as server, nights(tmp_path) as night:
            night.tell(hook(server))
            for sheet in (BAD, None, GOOD):
                night.run(sheet)
        validator = Draft202012Validator(body_schema())
        for one in server.requests:
            headers = {name.lower(): value for name, value in one.headers.items()}
            signed = f"{headers['x-etl-timestamp']}.".encode() + one.body
            assert (
                headers["x-etl-signature"] == "sha256=" + hmac.new(SECRET.encode(), signed, hashlib.sha256).hexdigest()
            )
            assert (headers["x-etl-event"], headers["content-type"]) == ("run.finished", "application/json")
            assert list(validator.iter_errors(json.loads(one.body))) == []
        assert len(server.requests) == 3

    def test_slack_gets_blocks_and_the_same_as_plain_text(self, tmp_path: Path) -> None:
        with web() as server, nights(tmp_path) as night, environment(ETL_SLACK=f"{server.url}/services/T0/B0/x"):
            night.tell('[on_finish.chat]\nkind = "slack"\nurl_env = "ETL_SLACK"\n')
            report = night.run(BAD)
            night.run(GOOD)
            bad, good = bodies(server)
        assert server.requests[0].path == "/services/T0/B0/x"
        host, folder = re.search(r"on (\S+), in (\S+)\)", bad["text"]).groups()  # type: ignore[union-attr]
        assert bad["text"] == (
            ":warning: Trouble: test: 1 of 2 rows was delivered to test; 1 is invalid.\n"
            "News: 1 new kind, 1 row\n"
            "New: email-syntax in contact.email (1 row)\n"
            "Files: sheet.csv\n"
            f"Next: etl show {report.id} (on {host}, in {folder})\n"
            f"Reports: {host}:{report.out}\n"
            f"Run: {report.id}"
        )
        assert bad["blocks"][0]["text"]["text"] == "Trouble: test: 1 of 2 rows was delivered to test; 1 is invalid."
        assert "*News:* 1 new kind, 1 row" in bad["blocks"][1]["text"]["text"]
        assert good["text"].startswith(
            ":white_check_mark: Good again: test: All 3 rows were delivered to test.\nHad been bad since: 2026-09-22"
        )

    def test_no_mention_can_be_made_by_a_name(self, tmp_path: Path) -> None:
        with web() as server, nights(tmp_path) as night, environment(ETL_SLACK=f"{server.url}/x"):
            night.tell('[on_finish.chat]\nkind = "slack"\nurl_env = "ETL_SLACK"\n')
            mapping = CONTACT.replace("name: test", 'name: "<!channel> & *all*"')
            (tmp_path / "mapping.yaml").write_text(mapping, encoding="utf-8")
            night.run(BAD)
            (one,) = bodies(server)
        assert "<!channel>" not in one["text"]
        assert "&lt;!channel&gt; &amp; *all*" in one["text"]

    def test_nothing_of_people_or_secrets_is_in_any_message_note_or_log(self, tmp_path: Path) -> None:
        script = [reply(200), reply(500, b"kanarek@example.com")]
        with contextlib.ExitStack() as stack:
            server, (box, port), night = map(stack.enter_context, (web(script), postbox(), nights(tmp_path)))
            with environment(ETL_SLACK=f"{server.url}/services/T0/B0/x"):
                night.tell(
                    '[log]\nfile = "etl.log"\nlevel = "debug"\n[on_finish.chat]\nkind = "slack"\nurl_env = "ETL_SLACK"\n'
                    f'[on_finish.mail]\nkind = "email"\nhost = "127.0.0.1"\nport = {port}\nsecurity = "none"\n'
                    'from = "etl@localhost.test"\nto = ["night@localhost.test"]\n'
                )
                night.run(BAD)
                night.run(None)
                (tmp_path / "mapping.yaml").write_text(CONTACT.replace("E-mail", "kanarek@x.test"), encoding="utf-8")
                night.run(GOOD)
        said = [one.body.decode() for one in server.requests] + [one.as_string() for one in box.mails]
        written = [*said, *night.notes, (tmp_path / "etl.log").read_text()]
        assert len(box.mails) == 3
        assert [canary for canary in CANARIES for text in written if canary in text] == []
        assert (tmp_path / "etl.log").read_text().count(
            "notification 'chat' was not delivered: the answer was 500"
        ) >= 1


@pytest.mark.usefixtures("secret")
class TestFailures:
    @pytest.mark.parametrize(
        ("script", "tries", "note"),
        [
            ([reply(404)], 1, "the answer was 404; check its address: there is nothing (any more)"),
            ([reply(302, location="http://127.0.0.1:1/")], 1,
             "the answer was 302, a redirect, which is not followed; give the address that it leads to"),
            ([reply(503)], 3, "the answer was 503; the other end has trouble; it is tried again after the next run"),
            ([CLOSE], 3, "no connection could be made, or it broke; check its address, and whether this machine may reach it"),
        ],
        ids=["gone", "redirect", "down", "cut"],
    )  # fmt: skip
    def test_a_notification_that_fails_is_a_note_and_changes_no_exit_code(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: list[Any], tries: int, note: str
    ) -> None:
        monkeypatch.setattr("etl.notify.http.WAITS", (0.01, 0.02))
        with web(script) as server, nights(tmp_path) as night:
            night.tell(hook(server))
            report = night.run(BAD)
        assert report.exit_code == 1
        assert night.notes == [f"notification 'hook' was not delivered: {note}"]
        assert len(server.requests) == tries

    def test_a_try_that_fails_is_repeated_under_the_same_id(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("etl.notify.http.WAITS", (0.01, 0.02))
        with web([reply(503), CLOSE, reply(200)]) as server, nights(tmp_path) as night:
            night.tell(hook(server))
            night.run(BAD)
        assert night.notes == []
        ids = {
            value for one in server.requests for name, value in one.headers.items() if name.lower() == "x-etl-delivery"
        }
        assert (len(server.requests), len(ids)) == (3, 1)

    def test_one_that_hangs_holds_nothing_up_for_long(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(telling, "MOST_SECONDS", 1.0)
        with web([HANG]) as server, web() as other, nights(tmp_path) as night:
            night.tell(hook(server) + hook(other, "other"))
            report = night.run(BAD)
        assert report.exit_code == 1
        assert [note.partition(": ")[0] for note in night.notes] == ["notification 'hook' was not delivered"]
        assert [one["change"] for one in bodies(other)] == ["trouble"]

    def test_a_secret_that_is_missing_is_named_by_its_place(self, tmp_path: Path) -> None:
        with nights(tmp_path) as night:
            night.tell(
                '[on_finish.a]\nkind = "slack"\nurl_env = "ETL_NOT_THERE"\n'
                '[on_finish.b]\nkind = "slack"\nurl_file = "not-there.txt"\n'
            )
            report = night.run(BAD)
        assert report.exit_code == 1
        assert night.notes == [
            "notification 'a' was not delivered: the environment variable ETL_NOT_THERE is not set or empty; it is what url_env names",
            (
                "notification 'b' was not delivered: the file not-there.txt cannot be read; "
                "it is what url_file names: the text alone, readable by you"
            ),
        ]

    def test_a_fault_of_a_listener_changes_nothing(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        def fail(_: object) -> None:
            raise KeyError("kanarek")

        monkeypatch.setattr(telling, "ended", fail)
        with nights(tmp_path) as night:
            report = night.run(GOOD)
        assert report.exit_code == 0
        assert night.notes == ["a fault of the program while telling how the run ended: KeyError"]


class TestMail:
    def mail(self, night: Nights, port: int, *lines: str, to: str = '["night@localhost.test"]') -> None:
        night.tell(
            f'[on_finish.mail]\nkind = "email"\nhost = "localhost"\nport = {port}\nfrom = "Nightly <etl@localhost.test>"\n'
            f"to = {to}\n" + "\n".join(lines)
        )

    def test_a_mail_is_text_and_html(self, tmp_path: Path) -> None:
        with postbox() as (box, port), nights(tmp_path) as night:
            self.mail(night, port, 'security = "none"')
            report = night.run(BAD)
        (mail,) = box.mails
        assert night.notes == []
        assert (mail["Subject"], mail["To"]) == (
            "[etl] Trouble: test: 1 of 2 rows was delivered to test; 1 is invalid.",
            "night@localhost.test",
        )
        assert (mail["From"], mail["Auto-Submitted"]) == ("Nightly <etl@localhost.test>", "auto-generated")
        text, page = (mail.get_body((kind,)) for kind in ("plain", "html"))
        assert text is not None
        assert page is not None
        assert f"Run: {report.id}" in text.get_content()
        assert "<strong>Trouble: test: 1 of 2 rows" in page.get_content()

    def test_starttls_and_a_login_are_used(self, tmp_path: Path) -> None:
        context, authority = certificate(tmp_path)
        with postbox(context, login=True) as (box, port), nights(tmp_path) as night, environment(ETL_MAIL=PASSWORD):
            self.mail(night, port, f'user = "{USER}"', 'password_env = "ETL_MAIL"', f'ca_file = "{authority}"')
            night.run(BAD)
        assert night.notes == []
        assert len(box.mails) == 1

    @pytest.mark.parametrize(
        ("lines", "to", "reason"),
        [
            ([f'user = "{USER}"', 'password_env = "ETL_WRONG"'], '["night@localhost.test"]',
             "the mail server refuses user or password; check `user` and its password"),
            ([f'user = "{USER}"', 'password_env = "ETL_MAIL"'], '["no.kanarek@localhost.test"]',
             "the mail server refuses all recipients; check `to`"),
        ],
        ids=["password", "recipient"],
    )  # fmt: skip
    def test_what_the_mail_server_refuses_is_told_without_its_words(
        self, tmp_path: Path, lines: list[str], to: str, reason: str
    ) -> None:
        context, authority = certificate(tmp_path)
        passwords = environment(ETL_MAIL=PASSWORD, ETL_WRONG="kanarek-wrong")
        with postbox(context, login=True) as (box, port), nights(tmp_path) as night, passwords:
            self.mail(night, port, *lines, f'ca_file = "{authority}"', to=to)
            night.run(BAD)
        assert box.mails == []
        assert night.notes == [f"notification 'mail' was not delivered: {reason}"]

    def test_what_the_mail_server_says_to_a_farewell_sends_no_mail_again(self, tmp_path: Path) -> None:
        with postbox() as (box, port), nights(tmp_path) as night:
            box.farewell = "421 going down"
            self.mail(night, port, 'security = "none"')
            night.run(BAD)
        assert (len(box.mails), night.notes) == (1, [])

    def test_a_recipient_that_is_refused_beside_others_is_told(self, tmp_path: Path) -> None:
        with postbox() as (box, port), nights(tmp_path) as night:
            self.mail(night, port, 'security = "none"', to='["night@localhost.test", "no.one@localhost.test"]')
            night.run(BAD)
        assert len(box.mails) == 1
        assert night.notes == ["notification 'mail': the mail server refuses 1 of 2 recipients; check `to`"]

    def test_a_certificate_that_nobody_vouches_for_is_refused(self, tmp_path: Path) -> None:
        context, _ = certificate(tmp_path)
        with postbox(context) as (box, port), nights(tmp_path) as night:
            self.mail(night, port)
            night.run(BAD)
        assert box.mails == []
        assert night.notes == [
            (
                "notification 'mail' was not delivered: no secure connection to the mail server can be made; "
                "check `host` and `security`; `ca_file` names the certificate of a company's own"
            )
        ]

    def test_a_server_without_starttls_is_refused(self, tmp_path: Path) -> None:
        with postbox() as (box, port), nights(tmp_path) as night:
            self.mail(night, port)
            night.run(BAD)
        assert box.mails == []
        assert night.notes == [
            (
                "notification 'mail' was not delivered: the mail server does not offer what is asked of it "
                "(STARTTLS, or a login); check `security` and `user`"
            )
        ]


class TestHeartbeat:
    def beat(self, night: Nights, server: FaultServer, *lines: str) -> None:
        night.tell(f'[on_finish.beat]\nkind = "heartbeat"\nurl = "{server.url}/one?x=1"\n' + "\n".join(lines))

    def test_every_good_end_is_told_and_trouble_is_silence(self, tmp_path: Path) -> None:
        with web() as server, nights(tmp_path) as night:
            self.beat(night, server)
            for sheet in (GOOD, GOOD, BAD, None, GOOD):
                night.run(sheet)
        assert [(one.method, one.path) for one in server.requests] == [("GET", "/one?x=1")] * 3

    def test_trouble_and_the_beginning_are_told_where_they_are_asked_for_each_before_the_end(
        self, tmp_path: Path
    ) -> None:
        with web() as server, nights(tmp_path) as night:
            self.beat(night, server, "fail = true", "start = true", 'method = "post"')
            for sheet in (GOOD, BAD, None):
                night.run(sheet)
        assert [one.path for one in server.requests] == [
            "/one/start?x=1", "/one?x=1", "/one/start?x=1", "/one/fail?x=1", "/one/start?x=1", "/one/fail?x=1"
        ]  # fmt: skip
        assert server.requests[1].body.startswith(b"Good: test: All 3 rows were delivered to test.")

    def test_bad_rows_alone_may_pass(self, tmp_path: Path) -> None:
        with web() as server, nights(tmp_path) as night:
            self.beat(night, server, "fail = true", 'bad_rows = "pass"')
            for sheet in (BAD, None):
                night.run(sheet)
        assert [one.path for one in server.requests] == ["/one?x=1", "/one/fail?x=1"]
