"""A process to be killed: writes deliveries from many threads, and prints what `write` has returned for.

python journal_child.py FOLDER RUN FIRST
"""

from __future__ import annotations

import os
import sys
import threading
from pathlib import Path

from made import delivery, intent, new_run, outcome, settings_in

from etl.journal import open_journal

THREADS = 16


def main(folder: str, run: str, first: int) -> None:
    journal = open_journal(settings_in(Path(folder)))
    journal.begin(new_run(run))
    writer = journal.writer(run, "production")

    def work(position: int) -> None:
        while True:
            one = delivery(position, f"p{position}@example.com")
            writer.write([intent(one)])
            os.write(1, b"i %d\n" % position)
            writer.write([outcome(one)])
            os.write(1, b"o %d\n" % position)
            position += THREADS

    for number in range(THREADS):
        threading.Thread(target=work, args=(first + number,), daemon=True).start()
    os.write(1, b"started\n")
    threading.Event().wait()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
