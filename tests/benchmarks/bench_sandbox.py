"""How many requests a second the sandbox takes: server on one core, a load client of raw sockets on another.

    python tests/benchmarks/bench_sandbox.py [--seconds 5] [--connections 32] [--auth none|sigv4]

The sandbox must never be what a benchmark measures: at least 2,000 a second, validation and storing included.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import multiprocessing
import multiprocessing.connection
import os
import time
from urllib.parse import urlsplit

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as BotocoreCredentials

from etl.sandbox import Credentials, Sandbox, SandboxOptions

KEY = Credentials("AKIDEXAMPLE", "secret-of-the-benchmark")
DISTINCT = 2000
REQUIRED = 2000
"""Requests a second of one core that the sandbox must hold, so that it never is what a benchmark measures."""


def contact(number: int) -> bytes:
    body = {
        "contact": {
            "email": f"person{number}@example.com",
            "name": "Zażółć Gęślą",
            "phone": "+48601234567",
            "company": "Example",
            "address": {"streetAddress": "Długa 1", "zipCode": "00-950", "city": "Warszawa", "country": "PL"},
        },
        "tags": ["NEWSLETTER", "VIP"],
        "properties": {"shoe_size": "42"},
    }
    return json.dumps(body).encode()


def event(number: int) -> bytes:
    body = {
        "email": f"person{number}@example.com",
        "contactExtEventType": "PURCHASE",
        "value": 12.5,
        "externalId": f"order-{number}",
        "products": "a,b,c",
    }
    return json.dumps(body).encode()


def request(url: str, path: str, body: bytes, auth: str) -> bytes:
    host = urlsplit(url).netloc
    headers = {"Host": host, "Content-Type": "application/json", "Content-Length": str(len(body))}
    if auth == "sigv4":
        aws = AWSRequest("POST", url + path, {"Host": host}, body)
        SigV4Auth(BotocoreCredentials(KEY.access_key_id, KEY.secret_access_key), "execute-api", "eu-west-1").add_auth(
            aws
        )
        headers |= dict(aws.headers.items())
    lines = [f"POST {path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items()), "", ""]
    return "\r\n".join(lines).encode() + body


async def connection(url: str, requests: list[bytes], until: float) -> int:
    parts = urlsplit(url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    answered = 0
    while time.monotonic() < until:
        writer.write(requests[answered % len(requests)])
        head = await reader.readuntil(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 200"):
            raise SystemExit(f"the sandbox refuses: {head!r}")
        length = int(head.lower().split(b"content-length: ", 1)[1].split(b"\r\n", 1)[0])
        await reader.readexactly(length)
        answered += 1
    writer.close()
    return answered


async def load(url: str, seconds: float, connections: int, auth: str) -> int:
    requests = [
        request(url, *(("/events", event(number)) if number % 3 == 0 else ("/contacts", contact(number))), auth)
        for number in range(DISTINCT)
    ]
    until = time.monotonic() + seconds
    share = max(1, DISTINCT // connections)
    counts = await asyncio.gather(
        *(connection(url, requests[lane * share : (lane + 1) * share], until) for lane in range(connections))
    )
    return sum(counts)


def serve(pipe: multiprocessing.connection.Connection, auth: str) -> None:
    options = SandboxOptions(auth=auth, credentials=(KEY,) if auth == "sigv4" else ())
    with contextlib.suppress(AttributeError, OSError):
        os.sched_setaffinity(0, {0})
    with Sandbox(options) as sandbox:
        before = time.process_time()
        pipe.send(sandbox.url)
        pipe.recv()
        pipe.send((sandbox.stats().requests, time.process_time() - before))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--auth", choices=["none", "sigv4"], default="none")
    chosen = parser.parse_args()
    here, there = multiprocessing.Pipe()
    server = multiprocessing.get_context("spawn").Process(target=serve, args=(there, chosen.auth))
    server.start()
    with contextlib.suppress(AttributeError, OSError):
        os.sched_setaffinity(0, {1})
    started = time.monotonic()
    answered = asyncio.run(load(here.recv(), chosen.seconds, chosen.connections, chosen.auth))
    elapsed = time.monotonic() - started
    here.send("stop")
    served, cpu_seconds = here.recv()
    server.join()
    print(f"{answered / elapsed:,.0f} requests/s over {chosen.connections} connections, auth {chosen.auth}")
    each_us, per_core = cpu_seconds / served * 1e6, served / cpu_seconds
    print(f"server: {served:,} requests, {each_us:.0f} µs of CPU each ({per_core:,.0f}/s of one core)")
    print(f"{per_core / REQUIRED:.1f} of what it must hold")


if __name__ == "__main__":
    main()
