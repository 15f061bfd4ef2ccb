"""What the loader sends through: one request out, one answer back, nothing decided.

A transport never retries, never sleeps and never judges; `targets.answers` reads the answer, `load.retry` decides.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from etl.records import Endpoint


class NoAnswer(StrEnum):
    """Why there is no (whole) answer. Only the first two are certain not to have reached the endpoint."""

    NOT_CONNECTED = "not-connected"
    TLS = "tls"
    TIMEOUT = "timeout"
    RESET = "reset"
    TRUNCATED = "truncated"
    TOO_LARGE = "answer-too-large"


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back. `status` is None exactly where `no_answer` says why; header names are lower case.

    `no_answer` may stand beside a status: the head came and the body did not.
    """

    status: int | None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    no_answer: NoAnswer | None = None
    detail: str = ""


class Transport(Protocol):
    """Sends one request over a kept-alive connection of its own; used by one thread."""

    def send(self, endpoint: Endpoint, body: bytes) -> Answer:
        """Send `body` (JSON, UTF-8), signed now, and return the answer; never raises for the network's faults."""

    def close(self) -> None:
        """Close the connection."""
