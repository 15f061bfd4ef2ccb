"""Request → Reply: faults, authentication, routing, validation, storing. Knows no socket; one request at a time.

A `Reply` says what to answer, and how it goes wrong on its way; `protocol` does that.
"""

from __future__ import annotations

import random
import time
import uuid
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import formatdate
from typing import Any

import orjson

from etl.sandbox import answers, signatures, wire
from etl.sandbox.answers import Answer, HttpDate
from etl.sandbox.exchange import Reply, Request
from etl.sandbox.faults import FaultPlan, FaultRule, Verdict
from etl.sandbox.options import SandboxOptions
from etl.sandbox.store import Arrival, Store
from etl.sandbox.wire import ROUTES, Record

DEFAULT_HUGE_BYTES = 4 * 1024 * 1024
NO_ANSWER = frozenset({"reset", "lost", "hang"})
"""Faults after which the client never sees a status."""

_HTML = b"<!DOCTYPE html><html><head><title>Maintenance</title></head><body><h1>We are back soon</h1></body></html>"


@dataclass(frozen=True, slots=True)
class _Call:
    """A request as far as it can be understood. `action` None: no such route; `body` None: not JSON, or JSON's null."""

    request: Request
    request_id: str
    path: str
    action: str | None
    form: str = "fields"
    body: Any = None
    fault_of_body: str = ""
    person: str = ""


@dataclass(slots=True)
class Tally:
    """Counts since the start: requests, answers by status, faults by kind."""

    requests: int = 0
    by_status: Counter[int] = field(default_factory=Counter)
    by_fault: Counter[str] = field(default_factory=Counter)


class Gateway:
    """The endpoint's behaviour over a store. Each reply may leave only after `store.commit`."""

    def __init__(self, options: SandboxOptions, store: Store, clock: HttpDate) -> None:
        self.store = store
        self.tally = Tally()
        self._options = options
        self._clock = clock
        self._guard = signatures.guard_for(options)
        self._plan = FaultPlan(options.faults, options.seed, time.monotonic)
        self._ids = random.Random(f"{options.seed}:request ids")  # noqa: S311  they are no secret
        self._routes: Mapping[tuple[str, str], str] = {
            (method, options.base_path + path): action for (method, path), action in ROUTES.items()
        }

    def reply(self, request: Request) -> Reply:
        """Carry out one request, record it, and return what to answer. Raises sqlite3.Error, with nothing done."""
        call = self._understand(request)
        below_base = call.path.removeprefix(self._options.base_path)
        verdict = self._plan.judge(
            route=f"{request.method} {below_base}", known=call.action is not None, person=call.person
        )
        answer, acted = self._answer(call, verdict)
        delay = verdict.delay_seconds + self._options.latency_seconds
        reply = Reply(answer, call.request_id, delay, verdict.rule)
        self._note(call, reply, acted)
        return reply

    def refuse(self, request: Request, answer: Answer) -> Reply:
        """Record a request that was refused before it was whole, and return that refusal."""
        reply = Reply(answer, self.request_id())
        path = request.target.partition("?")[0]
        self._note(_Call(request, reply.request_id, path, None), reply, acted=False)
        return reply

    def request_id(self) -> str:
        """Return a new request id, the same ones in the same order for the same seed."""
        return str(uuid.UUID(int=self._ids.getrandbits(128), version=4))

    def _understand(self, request: Request) -> _Call:
        request_id = self.request_id()
        path = request.target.partition("?")[0]
        action = self._routes.get((request.method, path))
        if action is None:
            return _Call(request, request_id, path, None)
        try:
            body = orjson.loads(request.body)
        except orjson.JSONDecodeError as error:
            text = f"$: the body is not JSON: {error.msg} at byte {error.pos}"
            return _Call(request, request_id, path, action, fault_of_body=text)
        form = wire.form_of(body, self._options.wire)
        person = wire.person(action, form, body, self._options.names)
        return _Call(request, request_id, path, action, form, body, "", person)

    def _answer(self, call: _Call, verdict: Verdict) -> tuple[Answer, bool]:
        rule = verdict.rule
        if rule is None:
            return self._carry_out(call)
        if not rule.acts:
            return self._gone_wrong(rule, call, None), False
        answer, acted = self._carry_out(call)
        return self._gone_wrong(rule, call, answer), acted

    def _carry_out(self, call: _Call) -> tuple[Answer, bool]:
        if call.action is None and call.path.rstrip("/") != self._options.base_path:
            return signatures.missing_token(), False
        refusal = self._guard(call.request, self._clock.now())
        if refusal is not None:
            return refusal, False
        if call.action is None:
            method = call.request.method
            return answers.gateway(404, f"No method found matching route / for http method {method}."), False
        messages = [call.fault_of_body] if call.fault_of_body else wire.faults(call.action, call.form, call.body)
        if messages:
            return self._refused(call, messages), False
        record = wire.read(call.action, call.form, call.body, self._options.names)
        if isinstance(record, list):
            return self._refused(call, record), False
        return self._store(call, record)

    def _store(self, call: _Call, record: Record) -> tuple[Answer, bool]:
        now = _now()
        match record.action:
            case "contact.upsert":
                self.store.upsert(record, now)
                message = "Contact upserted"
            case "contact.delete":
                if not self.store.delete(record, now):
                    return self._refused(call, ["Contact not found"], 404), False
                message = "Contact deleted"
            case _:
                self.store.add_event(record, now)
                message = "Event created"
        done = answers.completed(success=True, messages=[message], request_id=call.request_id, key=self._key(call))
        return done, True

    def _refused(self, call: _Call, messages: list[str], status: int = 400) -> Answer:
        return answers.completed(
            success=False, messages=messages, request_id=call.request_id, key=self._key(call), status=status
        )

    def _key(self, call: _Call) -> str:
        return signatures.caller(call.request) if self._options.auth == "sigv4" else "sandbox"

    def _gone_wrong(self, rule: FaultRule, call: _Call, answer: Answer | None) -> Answer:
        match rule.kind:
            case "limit":
                return self._throttled(answers.gateway(429), rule)
            case "huge":
                size = rule.size if rule.size is not None else DEFAULT_HUGE_BYTES
                return Answer(200, b'{"success":true,"messages":["' + b"x" * size + b'"]}')
            case "not-json":
                return Answer(200, b"OK", content_type="text/plain")
            case "html":
                return Answer(200, _HTML, content_type="text/html")
            case "redirect":
                location = rule.location or "https://example.com/elsewhere"
                return Answer(rule.status or 302, b"", (("Location", location),))
            case "success-false":
                return self._refused(call, ["The contact could not be saved"], 200)
            case "expired":
                return signatures.expired(self._clock.now())
            case kind if kind.isdigit():
                return self._throttled(answers.gateway(int(kind)), rule)
        return answer if answer is not None else answers.gateway(500)

    def _throttled(self, answer: Answer, rule: FaultRule) -> Answer:
        if rule.retry_after is None:
            return answer
        if rule.retry_after_date:
            value = formatdate(self._clock.now() + rule.retry_after, usegmt=True)
        else:
            value = f"{rule.retry_after:g}"
        return Answer(answer.status, answer.body, (*answer.headers, ("Retry-After", value)))

    def _note(self, call: _Call, reply: Reply, acted: bool) -> None:
        fault = reply.fault.kind if reply.fault else None
        status = None if fault in NO_ANSWER else reply.answer.status
        self.store.record(
            Arrival(
                method=call.request.method,
                path=call.path,
                action=call.action,
                wire=call.form if call.action and not call.fault_of_body else None,
                person=call.person.casefold(),
                body=call.request.body,
                status=status,
                fault=fault,
                acted=acted,
                request_id=call.request_id,
                received_at=_now(),
            )
        )
        self.tally.requests += 1
        if status is not None:
            self.tally.by_status[status] += 1
        if fault is not None:
            self.tally.by_fault[fault] += 1


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
