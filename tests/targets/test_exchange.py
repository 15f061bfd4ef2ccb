"""Answers read in the quick way and in the plain way: the same, whatever the endpoint says."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from etl.targets import exchange
from etl.targets.base import Answer, NoAnswer
from etl.targets.network_faults import FAULTS

PIECES = ["\r\n", "\n", "\r", ":", " ", "\t", "0", "5", "x", "é", "\0", "{}", "chunked", "close", "keep-alive", ","]
USUAL = ["Content-Length: 2", "Content-Length: 5", "content-length: 70000", "Date: Tue, 24 Nov 2026 10:00:00 GMT"]
POSSIBLE = [
    "X-A: 1", "x-a:2 ", "Connection: Keep-Alive", "Connection: close", "Transfer-Encoding: chunked", "X y: z", " folded",
    "Content-Length: -1", "Content-Length: 2, 2", "Content-Length: 1234567", "Content-Length: 0", "X-A: \xe9", "",
]  # fmt: skip
LINE = st.one_of(
    st.sampled_from(USUAL), st.sampled_from(POSSIBLE), st.lists(st.sampled_from(PIECES), max_size=4).map("".join)
)
LINES = st.builds(lambda usual, more: [usual, *more], st.sampled_from(USUAL), st.lists(LINE, max_size=2))
FIRST = [
    "HTTP/1.1 200 OK", "HTTP/1.1 403 Forbidden", "HTTP/1.1 404", "HTTP/1.1 204 No Content", "HTTP/1.0 200 OK",
    "HTTP/1.1 304 x", "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK", "HTTP/1.1 999 x", "SSH-2.0", "HTTP/1.1 2x0 OK",
]  # fmt: skip
STATUS = st.one_of(st.sampled_from(FIRST[:3]), st.sampled_from(FIRST))
BODIES = st.sampled_from(
    [b"{}", b"12345", b"", b'{"a":', b"2\r\n{}\r\n0\r\n\r\n", b"2\r\n{", b"{}HTTP/1.1 200 OK\r\n\r\n", b"x" * 70_000]
)
ANSWERS = st.builds(
    lambda status, lines, body: "\r\n".join([status, *lines, "", ""]).encode("latin-1") + body, STATUS, LINES, BODIES
)
CUTS = st.one_of(st.just(0), st.integers(0, 120))


class Pieces:
    """A connection on which these pieces come, then its end or a reset; no socket, so that thousands can be tried."""

    def __init__(self, *pieces, ending=None):
        self._pieces, self._ending = [piece for piece in pieces if piece], ending

    def recv(self, most):
        if not self._pieces:
            if self._ending is not None:
                raise self._ending
            return b""
        piece = self._pieces.pop(0)
        if len(piece) > most:
            self._pieces.insert(0, piece[most:])
        return piece[:most]

    def recv_into(self, buffer):
        piece = self.recv(len(buffer))
        buffer[: len(piece)] = piece
        return len(piece)


def read(way):
    """Return the answer, or the name of what is raised: the transport judges it by its kind.

    How much of a body is there when it breaks off depends on the size of the reads; what is told of it does not.
    """
    try:
        found = way()[0]
    except FAULTS as error:
        return type(error).__name__
    return found if found.no_answer is None else (found.status, found.headers, found.no_answer, found.detail)


@given(ANSWERS, CUTS, st.sampled_from([None, ConnectionResetError(104, "reset"), TimeoutError("timed out")]))
def test_both_ways_of_reading_an_answer_come_to_the_same(text, cut, ending):
    pieces = (text[:cut], text[cut:])
    quick = read(lambda: exchange.receive(Pieces(*pieces, ending=ending), "POST"))
    plain = read(lambda: exchange.receive_any(Pieces(*pieces, ending=ending), "POST", b""))
    assert quick == plain


def answer(head, body=b"{}"):
    return b"HTTP/1.1 200 OK\r\n" + head + b"\r\n\r\n" + body


GOOD = {
    "in one piece": ([answer(b"Content-Length: 2")], True),
    "body later": ([answer(b"Content-Length: 2", b"{"), b"}"], True),
    "head in two pieces": ([b"HTTP/1.1 200 OK\r\nContent-", b"Length: 2\r\n\r\n{}"], True),
    "chunked": ([answer(b"Transfer-Encoding: chunked", b"2\r\n{}\r\n0\r\n\r\n")], True),
    "the endpoint closes": ([answer(b"Content-Length: 2\r\nConnection: close")], False),
    "no length": ([answer(b"X-A: b")], False),
    "given twice": ([answer(b"Content-Length: 2") * 2], False),
}  # fmt: skip


@pytest.mark.parametrize(("pieces", "may_stay"), GOOD.values(), ids=GOOD)
def test_a_connection_is_kept_only_where_nothing_is_left_on_it(pieces, may_stay):
    found, kept = exchange.receive(Pieces(*pieces), "POST")
    assert (found.status, found.body, found.no_answer, kept) == (200, b"{}", None, may_stay)


def test_headers_that_come_twice_are_joined_and_stripped():
    found, _ = exchange.receive(Pieces(answer(b"X-A: 1 \r\nx-a:\t2\r\nContent-Length: 2")), "POST")
    assert found.headers == {"x-a": "1, 2", "content-length": "2"}


def test_a_body_cut_by_a_reset_has_its_head():
    cut = Pieces(answer(b"Content-Length: 9", b'{"a":'), ending=ConnectionResetError(104, "reset"))
    expected = Answer(200, {"content-length": "9"}, b'{"a":', NoAnswer.TRUNCATED, "the answer was cut off")
    assert exchange.receive(cut, "POST") == (expected, False)


def test_no_header_can_end_its_line_early():
    with pytest.raises(AssertionError, match="BUG"):
        exchange.request_bytes(b"GET / HTTP/1.1\r\n", {"x-api-key": "a\r\nb: c"}, b"", has_length=False)
