"""A message as Slack's incoming webhooks take it; `text` alone is what Mattermost and Rocket.Chat show."""

from __future__ import annotations

import json
from typing import Any

from etl.notify import http
from etl.notify.base import Sending
from etl.notify.message import Message
from etl.settings.on_finish import Notifier

_LONGEST_HEADER = 150
_LONGEST_TEXT = 2_900
"""Slack takes 150 and 3,000 characters (docs.slack.dev/reference/block-kit/blocks)."""
_SIGNS = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}


def send(notifier: Notifier, message: Message, sending: Sending) -> None:
    """Deliver a message. Raises NotDelivered."""
    body = json.dumps(payload(message)).encode()
    http.send(sending.url(notifier), notifier, sending, body=body, headers={"Content-Type": "application/json"})


def payload(message: Message) -> dict[str, Any]:
    """Return the request's body: blocks, and the same as plain text. Nothing in it is taken for markup or a mention."""
    facts = "\n".join(f"*{label}:* {_escaped(text)}" for label, text in message.facts)
    sign = ":warning:" if message.is_bad else ":white_check_mark:"
    title = _cut(message.title, _LONGEST_HEADER)
    blocks: list[dict[str, Any]] = [{"type": "header", "text": {"type": "plain_text", "text": title, "emoji": False}}]
    if title != message.title:
        blocks.append({"type": "section", "text": {"type": "plain_text", "text": message.title, "emoji": False}})
    if facts:
        blocks.append({"type": "section", "text": {"type": "mrkdwn", "text": _cut(facts, _LONGEST_TEXT)}})
    return {"text": f"{sign} {_escaped(message.text)}", "blocks": blocks}


def _escaped(text: str) -> str:
    return "".join(_SIGNS.get(sign, sign) for sign in text)


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else f"{text[: longest - 1]}…"
