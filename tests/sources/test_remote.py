from __future__ import annotations

import subprocess
import sys
import time
import traceback
from pathlib import Path

import pytest
from remote_servers import google, make_certificate, routes, s3, serving, sftp

from etl.errors import SourceError
from etl.sources import take_in
from etl.sources.addresses import is_public, parse_address
from etl.sources.https_file import Waits, read_https
from etl.sources.remote import fetch
from etl.sources.spool import Spool

TABLE = b"E-mail;Name\na@example.com;A\n"


@pytest.fixture(scope="module")
def tls(tmp_path_factory):
    return make_certificate(tmp_path_factory.mktemp("tls"))


@pytest.fixture
def trusted(tls, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(tls[1]))
    return tls[0]


def content(url, **options):
    spool = Spool()
    return {name: path.read_bytes() for name, path in fetch(url, spool, **options)}


def refusal(url, **options):
    with pytest.raises(SourceError) as caught:
        content(url, **options)
    return caught.value


def test_a_file_is_fetched_over_https_and_named_without_its_query(trusted):
    with serving(routes(may_csv=lambda request: request.give(TABLE)), trusted) as (port, seen):
        found = content(f"https://localhost:{port}/may.csv?X-Amz-Signature=canary#x", allow_private=True)
    assert found == {f"https://localhost:{port}/may.csv": TABLE}
    assert seen[0].path == "/may.csv?X-Amz-Signature=canary"
    assert seen[0].headers["host"] == f"localhost:{port}"


def test_a_private_address_is_refused_and_nothing_is_sent_to_it(trusted):
    with serving(routes(may_csv=lambda request: request.give(TABLE)), trusted) as (port, seen):
        error = refusal(f"https://127.0.0.1:{port}/may.csv")
    assert seen == []
    assert str(error) == (
        f"https://127.0.0.1:{port}/may.csv: '127.0.0.1' leads to 127.0.0.1, an address of a private network or of this "
        "machine\n  hint: if that is meant, write into etl.toml: [sources] and below it allow_private = true"
        "   [address-private]"
    )


@pytest.mark.parametrize(
    "host", ["2130706433", "0177.0.0.1", "0x7f.1", "127.1", "0.0.0.0", "[::1]", "[::ffff:127.0.0.1]", "localhost"]
)
def test_no_way_of_writing_it_makes_this_machine_public(host):
    assert refusal(f"https://{host}/x.csv").code in {"address-private", "remote-unreachable"}


PUBLIC = ["93.184.216.34", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808", "2002:808:808::1"]
PRIVATE = [
    "10.0.0.1", "172.16.0.1", "192.168.1.1", "127.0.0.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1",
    "240.0.0.1", "255.255.255.255", "192.0.0.8", "198.18.0.1", "192.0.2.1", "::", "::1", "fe80::1", "fe80::1%1", "fc00::1",
    "fec0::1", "ff02::1", "2001:db8::1", "::ffff:10.0.0.1", "::10.0.0.1", "64:ff9b::a00:1", "64:ff9b:1::1", "2002:a00:1::1",
    "2001::1", "not an address",
]  # fmt: skip


@pytest.mark.parametrize("address", PUBLIC)
def test_a_public_address_is_told(address):
    assert is_public(address)


@pytest.mark.parametrize("address", PRIVATE)
def test_an_address_that_is_not_for_the_public_is_told(address):
    assert not is_public(address)


def test_a_redirect_is_checked_before_it_is_followed(trusted):
    with serving(routes(), trusted) as (other, at_other):
        there = f"https://localhost:{other}/x.csv"
        with serving(routes(may_csv=lambda request: request.give(status=302, Location=there)), host="127.0.0.2") as (
            port,
            _,
        ):
            address = parse_address(f"http://127.0.0.2:{port}/may.csv")
            with pytest.raises(SourceError) as caught:
                list(read_https(address, may_connect=lambda ip: ip == "127.0.0.2", waits=Waits()))
    assert (caught.value.code, caught.value.where) == ("address-private", f"http://127.0.0.2:{port}/may.csv")
    assert at_other == []


@pytest.mark.parametrize(
    "location",
    ["http://127.0.0.1/x.csv", "file:///etc/passwd", "sftp://127.0.0.1/x.csv", "s3://b/x.csv", "gopher://x/y"],
)
def test_a_redirect_leaves_https_for_nothing(trusted, location):
    with serving(routes(may_csv=lambda request: request.give(status=302, Location=location)), trusted) as (port, _):
        error = refusal(f"https://localhost:{port}/may.csv", allow_private=True)
    assert str(error) == (
        f"https://localhost:{port}/may.csv: a redirect away from https://\n"
        "  hint: give the address of the file itself   [remote-failed]"
    )


def test_a_redirect_is_followed_and_the_credentials_stay_with_the_first_host(trusted):
    with serving(routes(real_csv=lambda request: request.give(TABLE)), trusted) as (other, at_other):
        there = f"https://localhost:{other}/real.csv"
        with serving(routes(may_csv=lambda request: request.give(status=307, Location=there)), trusted) as (
            port,
            at_first,
        ):
            found = content(f"https://shop:canary@localhost:{port}/may.csv", allow_private=True)
    assert found == {f"https://localhost:{port}/may.csv": TABLE}
    assert at_first[0].headers["authorization"] == "Basic c2hvcDpjYW5hcnk="
    assert "authorization" not in at_other[0].headers


def test_credentials_go_along_to_another_path_of_the_same_host(trusted):
    answers = routes(may_csv=lambda r: r.give(status=302, Location="/real.csv"), real_csv=lambda r: r.give(TABLE))
    with serving(answers, trusted) as (port, seen):
        content(f"https://shop:canary@localhost:{port}/may.csv", allow_private=True)
    assert [one.headers["authorization"] for one in seen] == ["Basic c2hvcDpjYW5hcnk="] * 2


def test_redirects_in_a_circle_end(trusted):
    with serving(routes(may_csv=lambda r: r.give(status=302, Location="/may.csv")), trusted) as (port, seen):
        error = refusal(f"https://localhost:{port}/may.csv", allow_private=True)
    assert len(seen) == 6
    assert error.message == "more than 5 redirects"


ANSWERS = {
    "missing": (404, "there is no such file (404)", "check the address, and whether it has expired", "remote-missing"),
    "forbidden": (403, "the server does not give the file (403)", "check user and password; a link that was signed may have expired: make a new one", "remote-forbidden"),
    "broken": (503, "the server cannot give the file now (503)", "try again later", "remote-failed"),
    "odd": (204, "the server answers with 204 and no file", "check the address", "remote-failed"),
}  # fmt: skip


@pytest.mark.parametrize(("status", "message", "hint", "code"), ANSWERS.values(), ids=ANSWERS)
def test_an_answer_that_is_no_file_says_what_to_do(trusted, status, message, hint, code):
    with serving(routes(may_csv=lambda request: request.give(status=status)), trusted) as (port, _):
        error = refusal(f"https://localhost:{port}/may.csv", allow_private=True)
    assert str(error) == f"https://localhost:{port}/may.csv: {message}\n  hint: {hint}   [{code}]"


def test_a_body_that_is_cut_is_refused(trusted):
    with serving(routes(may_csv=lambda request: request.give(TABLE, length=1000)), trusted) as (port, _):
        error = refusal(f"https://localhost:{port}/may.csv", allow_private=True)
    assert str(error) == (
        f"https://localhost:{port}/may.csv: the connection broke off; nothing is read\n  hint: try again   [remote-cut]"
    )


def test_a_chunked_body_that_is_cut_is_refused(trusted):
    def cut(request):
        request.send_response(200)
        request.send_header("Transfer-Encoding", "chunked")
        request.end_headers()
        request.wfile.write(b"4\r\na;b\n\r\n9\r\n1;2")
        request.close_connection = True

    with serving(routes(may_csv=cut), trusted) as (port, _):
        assert refusal(f"https://localhost:{port}/may.csv", allow_private=True).code == "remote-cut"


def test_a_body_without_a_length_is_refused(trusted):
    def endless(request):
        request.send_response(200)
        request.end_headers()
        request.wfile.write(TABLE)
        request.close_connection = True

    with serving(routes(may_csv=endless), trusted) as (port, _):
        error = refusal(f"https://localhost:{port}/may.csv", allow_private=True)
    assert str(error) == (
        f"https://localhost:{port}/may.csv: the server does not say how long the file is, so that a cut one could not be "
        "told\n  hint: download it, and give the file   [remote-no-length]"
    )


@pytest.mark.parametrize("waits", [Waits(block=0.2), Waits(whole=0.2)], ids=["silence", "dripping"])
def test_a_server_that_takes_too_long_is_left(trusted, waits):
    def slow(request):
        request.send_response(200)
        request.send_header("Content-Length", "100")
        request.end_headers()
        for _ in range(8):
            time.sleep(0.1 if waits.whole < 1 else 0.5)
            request.wfile.write(b"x")

    with serving(routes(may_csv=slow), trusted) as (port, _):
        error = refusal(f"https://localhost:{port}/may.csv", allow_private=True, waits=waits)
    assert error.code == "remote-timeout"


def test_a_size_beyond_the_limit_is_refused_before_it_is_read(trusted):
    with serving(routes(may_csv=lambda request: request.give(b"x", length=9 << 30)), trusted) as (port, _):
        error = refusal(f"https://localhost:{port}/may.csv", allow_private=True)
    assert error.message == "this is more than 8 GB of table, the limit"


def test_a_certificate_that_nobody_vouches_for_is_refused(tls):
    with serving(routes(may_csv=lambda request: request.give(TABLE)), tls[0]) as (port, seen):
        error = refusal(f"https://localhost:{port}/may.csv", allow_private=True)
    assert (error.code, seen) == ("remote-tls", [])


def test_a_certificate_of_another_name_is_refused(trusted):
    with serving(routes(may_csv=lambda request: request.give(TABLE)), trusted) as (port, seen):
        error = refusal(f"https://127.0.0.1:{port}/may.csv", allow_private=True)
    assert (error.code, seen) == ("remote-tls", [])


def test_http_is_read_from_this_machine_alone_and_only_where_that_is_allowed():
    with serving(routes(may_csv=lambda request: request.give(TABLE))) as (port, _):
        url = f"http://127.0.0.1:{port}/may.csv"
        assert content(url, allow_private=True) == {url: TABLE}
        assert refusal(url).code == "address-private"
    assert str(refusal("http://192.0.2.1/may.csv", allow_private=True)) == (
        "http://192.0.2.1/may.csv: http:// is not read: anybody on the way could change the file\n"
        "  hint: use https://   [address]"
    )


def test_no_secret_of_a_url_stands_in_an_error_or_its_traceback(trusted):
    with serving(routes(), trusted) as (port, _):
        for url in (
            f"https://user-canary:pass-canary@localhost:{port}/x.csv?token=query-canary",
            "https://user-canary:pass-canary@localhost:1/x.csv?token=query-canary",
            "https://user-canary:pass-canary@localhost:99999/x.csv?token=query-canary",
            "s3://user-canary:pass-canary@bucket/x.csv",
            "s3://bucket/x.csv?token=query-canary",
            "sftp://user-canary:pass-canary@127.0.0.1:1/x.csv",
            "ftp://user-canary:pass-canary@127.0.0.1:1/x.csv",
        ):
            error = refusal(url, allow_private=True)
            assert "canary" not in str(error) + repr(error) + "".join(traceback.format_exception(error))


def test_an_archive_behind_a_url_is_unpacked(trusted, tmp_path):
    import gzip

    with serving(routes(may_csv_gz=lambda request: request.give(gzip.compress(TABLE))), trusted) as (port, _):
        [file] = take_in([f"https://localhost:{port}/may.csv.gz"], allow_private=True)
    assert (file.name, file.path.read_bytes()) == (f"https://localhost:{port}/may.csv.gz", TABLE)


@pytest.fixture
def s3_keys(monkeypatch):
    for name, value in {
        "ACCESS_KEY_ID": "AKIDEXAMPLE",
        "SECRET_ACCESS_KEY": "canary",
        "DEFAULT_REGION": "eu-west-1",
    }.items():
        monkeypatch.setenv(f"AWS_{name}", value)
    return lambda port: monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{port}")


def test_s3_gives_a_file_and_those_that_match_a_pattern(s3_keys):
    objects = {"in/may.csv": TABLE, "in/june.csv": b"a;b\n", "in/notes.txt": b"-"}
    with serving(s3(objects)) as (port, _):
        s3_keys(port)
        assert content("s3://shop/in/may.csv") == {"s3://shop/in/may.csv": TABLE}
        assert list(content("s3://shop/in/*.csv").items()) == [
            ("s3://shop/in/june.csv", b"a;b\n"),
            ("s3://shop/in/may.csv", TABLE),
        ]
        assert refusal("s3://shop/in/*.xlsx").message == "no file matches this pattern"
        assert refusal("s3://shop/in/april.csv").message == "there is no such file"


def test_s3_reads_a_large_file_in_pieces(s3_keys):
    large = TABLE * 700_000
    with serving(s3({"large.csv": large})) as (port, seen):
        s3_keys(port)
        assert content("s3://shop/large.csv") == {"s3://shop/large.csv": large}
    assert len([one for one in seen if "range" in one.headers]) > 1


def test_s3_that_refuses_says_which_credentials_it_takes(s3_keys):
    with serving(lambda request: request.give(status=403)) as (port, _):
        s3_keys(port)
        error = refusal("s3://shop/may.csv")
    assert str(error) == (
        "s3://shop/may.csv: access is refused\n  hint: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE; "
        "the key must be allowed to read there   [remote-forbidden]"
    )


def test_google_storage_gives_a_file(monkeypatch):
    with serving(google({"in/may.csv": TABLE})) as (port, _):
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", f"http://127.0.0.1:{port}")
        assert content("gs://b/in/may.csv") == {"gs://b/in/may.csv": TABLE}
        assert refusal("gs://b/in/april.csv").message == "there is no such file"


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    (tmp_path / "home" / ".ssh").mkdir(parents=True)
    return tmp_path / "home"


def test_sftp_gives_a_file_of_a_host_whose_key_is_known(tmp_path, home):
    (tmp_path / "served").mkdir()
    (tmp_path / "served" / "may 1.csv").write_bytes(TABLE)
    with sftp(tmp_path / "served") as (port, line):
        (home / ".ssh" / "known_hosts").write_text(line)
        found = content(f"sftp://shop:pa%3Ass%40word@127.0.0.1:{port}/may%201.csv")
        matched = content(f"sftp://shop:pa%3Ass%40word@127.0.0.1:{port}/*.csv")
        missing = refusal(f"sftp://shop:pa%3Ass%40word@127.0.0.1:{port}/x.csv")
        wrong = refusal(f"sftp://shop:canary@127.0.0.1:{port}/x.csv")
    assert found == {f"sftp://127.0.0.1:{port}/may%201.csv": TABLE}
    assert matched == {f"sftp://127.0.0.1:{port}/may 1.csv": TABLE}
    assert missing.message == "there is no such file"
    assert wrong.message == "access is refused"


def test_sftp_refuses_a_host_whose_key_is_not_known(tmp_path, home):
    with sftp(tmp_path) as (port, _):
        error = refusal(f"sftp://shop:pa%3Ass%40word@127.0.0.1:{port}/may.csv")
    assert str(error) == (
        f"sftp://127.0.0.1:{port}/may.csv: the key of this host is not known, or not the one that is known\n"
        "  hint: connect once by hand (sftp 127.0.0.1), compare its key and confirm it; ~/.ssh/known_hosts keeps it"
        "   [remote-host-key]"
    )


@pytest.mark.parametrize(("scheme", "package"), [("s3", "s3fs"), ("sftp", "sshfs"), ("gs", "gcsfs")])
def test_a_missing_extra_is_named(scheme, package):
    code = (
        f"import sys; sys.modules[{package!r}] = None\n"
        "from etl.sources import take_in\n"
        f"try: take_in(['{scheme}://place/x.csv'])\n"
        "except Exception as error: print(error)"
    )
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout == (
        f"{scheme}://place/x.csv: {scheme}:// needs a package that is not installed ({package})\n"
        f'  hint: pip install "salesmanago-etl[{scheme}]"   [extra-missing]\n'
    )
