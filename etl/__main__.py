"""`python -m etl`, and the command `etl`."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit code."""
    # Arrow's own allocator keeps what each thread has used: 60 MB more for a check, 90 MB per 30,000 rows of a run
    # (measured 2026-11, pyarrow 26), and none of it faster. Must be said before pyarrow is loaded.
    os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")
    try:
        from etl.cli.main import main as run

        return run(arguments)
    except KeyboardInterrupt:
        # Ctrl-C before the commands are loaded: from then on, they see to it themselves.
        sys.stderr.write("interrupted   [interrupted]\n")
        return 130


if __name__ == "__main__":
    sys.exit(main())
