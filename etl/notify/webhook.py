"""A message as JSON to any address, signed, so that whoever gets it knows that it is ours, whole and fresh.

Headers:
X-Etl-Event        run.finished, or test
X-Etl-Delivery     an id; the same where a message is sent again because no answer came
X-Etl-Timestamp    Unix seconds
X-Etl-Signature    sha256= and, in hex digits, HMAC-SHA256 with the secret over timestamp, ".", and the body's bytes
"""

from __future__ import annotations

import hashlib
import hmac
import json
import time
import uuid

from etl.notify import http
from etl.notify.base import Sending
from etl.notify.message import Message
from etl.settings.on_finish import Notifier


def send(notifier: Notifier, message: Message, sending: Sending) -> None:
    """Deliver a message. Raises NotDelivered."""
    secret = sending.secret(notifier, "secret") or ""
    body = json.dumps(message.body, ensure_ascii=False, separators=(",", ":")).encode()
    timestamp = str(int(time.time()))
    headers = {
        "Content-Type": "application/json",
        "X-Etl-Event": message.body["event"],
        "X-Etl-Delivery": str(uuid.uuid4()),
        "X-Etl-Timestamp": timestamp,
        "X-Etl-Signature": signature(secret, timestamp, body),
    }
    http.send(sending.url(notifier), notifier, sending, body=body, headers=headers)


def signature(secret: str, timestamp: str, body: bytes) -> str:
    """Return the signature of a body."""
    return "sha256=" + hmac.new(secret.encode(), f"{timestamp}.".encode() + body, hashlib.sha256).hexdigest()
