"""START HERE. Memory between runs: runs, deliveries, and the last confirmed payload of every key.

    with open_journal(settings) as journal:
        journal.begin(new_run)
        with journal.writer(run_id, target) as recorder: ...     # the loader writes intents and outcomes
        journal.memory(target).known(action, keys, persons)      # what was confirmed before
        journal.end(run_id, run_end)

Nothing but JournalError leaves this package, and no personal data enters the database but keys as keyed hashes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from etl.journal.keys import BY_PAYLOAD as BY_PAYLOAD
from etl.journal.model import SENDING as SENDING
from etl.journal.model import WAITING as WAITING
from etl.journal.model import HistoryEntry as HistoryEntry
from etl.journal.model import Known as Known
from etl.journal.model import NewRun as NewRun
from etl.journal.model import Past as Past
from etl.journal.model import Remembered as Remembered
from etl.journal.model import RunEnd as RunEnd
from etl.journal.model import RunRecord as RunRecord
from etl.journal.model import RunState as RunState

if TYPE_CHECKING:
    from etl.journal.memory import Memory as Memory
    from etl.journal.store import Journal as Journal
    from etl.journal.writer import Writer as Writer
    from etl.settings import Settings


def open_journal(settings: Settings, create: bool = True) -> Journal | None:
    """Return the journal that the settings name, whoever calls closes it; it is made where there is none.

    None where there is none and `create` is False. Raises JournalError, which says what to do.
    """
    # SQLAlchemy takes a quarter of a second to load; `etl --help` does not need it.
    from etl.journal.opening import open_journal as opened

    return opened(settings, create=create)


def key_of_masks(settings: Settings) -> bytes | None:
    """Return the key of the tokens that stand for people in reports; None where no journal has been begun here.

    Raises JournalError.
    """
    from etl.journal.opening import key_of_masks as known

    return known(settings)
