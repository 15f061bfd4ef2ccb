"""The two nouns that travel between a connection and the gateway."""

from __future__ import annotations

from dataclasses import dataclass

from etl.sandbox.answers import Answer
from etl.sandbox.faults import FaultRule


@dataclass(frozen=True, slots=True)
class Request:
    """One request, whole. `target`: path and query as sent.

    `headers`: names in lower case, repeated ones joined by a comma. `refusal`: what the connection itself found wrong
    with it; then `body` is empty.
    """

    method: str
    target: str
    headers: dict[str, str]
    body: bytes
    keep_alive: bool
    version: str
    refusal: Answer | None = None


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer, when it leaves, and the fault that befalls it on its way (None: none)."""

    answer: Answer
    request_id: str
    delay_seconds: float = 0.0
    fault: FaultRule | None = None
