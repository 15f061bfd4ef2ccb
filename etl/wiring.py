"""Settings → the parts of a run that sends: the only module that knows them all."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from etl.load.loader import Loader, Timing
from etl.load.retry import RetryPolicy
from etl.load.throttle import Throttle
from etl.records import Receipt
from etl.settings import SANDBOX, Settings, TargetSettings
from etl.targets.auth import Signer, signer_for
from etl.targets.client import transport_factory


@dataclass(frozen=True, slots=True)
class Sender:
    """Makes the loader for one target. `database`: where the embedded sandbox keeps what it was sent."""

    target: TargetSettings
    signer: Signer
    timing: Timing
    database: Path | None = None

    def loader(self, on_receipt: Callable[[Receipt], None]) -> Loader:
        """Return a loader that sends to the target and tells `on_receipt` of every outcome."""
        return Loader(
            transport_factory(self.target, self.signer),
            Throttle(self.target.rate, self.timing.clock),
            on_receipt=on_receipt,
            policy=RetryPolicy(max_tries=self.target.retries + 1),
            concurrency=self.target.concurrency,
            correct_clock=self.signer.correct_clock,
            timing=self.timing,
        )

    def facts(self, loader: Loader) -> dict[str, Any]:
        """Return what is worth telling of the sending: requests, retries, latencies."""
        stats = loader.stats
        facts: dict[str, Any] = {
            "requests": stats.requests,
            "retries": stats.retries,
            "throttled": stats.throttled,
            "latency_ms": {f"p{share}": stats.latencies.quantile(share / 100) for share in (50, 95, 99)},
        }
        if self.database is not None:
            facts["sandbox_database"] = str(self.database)
        return facts


@contextmanager
def sending(settings: Settings, target: TargetSettings, timing: Timing) -> Iterator[Sender]:
    """Yield what sends to `target`; the embedded sandbox runs as long. Raises SettingsError, TargetError."""
    signer = signer_for(target, settings.credentials(target))
    if target.name != SANDBOX:
        yield Sender(target, signer, timing)
        return
    from etl.sandbox import Sandbox, SandboxOptions

    database = settings.folder / ".etl" / "sandbox.db"
    database.parent.mkdir(parents=True, exist_ok=True)
    with Sandbox(SandboxOptions(database=database, seed=secrets.randbits(32))) as sandbox:
        yield Sender(target.at(sandbox.url), signer, timing, database)
