"""Settings → the parts of a run that sends: the only module that knows them all."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from etl.load.loader import Loader, Timing
from etl.load.recorder import Recorder
from etl.load.retry import RetryPolicy
from etl.load.schedule import Limits
from etl.load.throttle import Bucket
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

    def loader(
        self,
        on_receipt: Callable[[Receipt], None],
        *,
        recorder: Recorder | None = None,
        deadline: float | None = None,
        reject_limit: Callable[[int, int], bool] | None = None,
        paths: Iterable[str] = (),
        quotes: bool = True,
    ) -> Loader:
        """Return a loader that sends to the target and tells `on_receipt` of every outcome.

        `deadline`: monotonic seconds at which nothing more is begun; `quotes`: whether outcomes say what the
        endpoint said; for the others see `load.schedule.Limits`.
        """
        target = self.target
        return Loader(
            transport_factory(target, self.signer),
            Bucket(target.rate, self.timing.clock),
            on_receipt=on_receipt,
            policy=RetryPolicy(max_tries=target.retries + 1),
            limits=Limits(target.concurrency, target.canary, target.patience, deadline, reject_limit, frozenset(paths)),
            recorder=recorder,
            correct_clock=self.signer.correct_clock,
            refresh=self.signer.refresh,
            timing=self.timing,
            quotes=quotes,
        )

    def facts(self, loader: Loader) -> dict[str, Any]:
        """Return what is worth telling of the sending: requests, retries, latencies."""
        stats = loader.stats
        facts: dict[str, Any] = {
            "requests": stats.requests,
            "retries": stats.retries,
            "throttled": stats.throttled,
            "latency_ms": {f"p{share}": stats.latencies.quantile(share / 100) for share in (50, 95, 99)},
            "endpoints": {path: asdict(found) for path, found in loader.found.items()},
        }
        if self.database is not None:
            facts["sandbox_database"] = str(self.database)
        return facts


@contextmanager
def sending(settings: Settings, target: TargetSettings, timing: Timing) -> Iterator[Sender]:
    """Yield what sends to `target`; the embedded sandbox runs as long. Raises SettingsError, TargetError."""
    signer = signer_for(
        target, settings.credentials(target), reread=lambda: settings.credentials(target), clock=timing.clock
    )
    if target.name != SANDBOX:
        yield Sender(target, signer, timing)
        return
    from etl.sandbox import Sandbox, SandboxOptions

    database = settings.folder / ".etl" / "sandbox.db"
    database.parent.mkdir(parents=True, exist_ok=True)
    with Sandbox(SandboxOptions(database=database, seed=secrets.randbits(32))) as sandbox:
        yield Sender(target.at(sandbox.url), signer, timing, database)
