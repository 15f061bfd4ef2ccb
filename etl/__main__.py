"""`python -m etl`, and the command `etl`."""

from __future__ import annotations

import sys
from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit code."""
    from etl.cli.main import main as run

    return run(arguments)


if __name__ == "__main__":
    sys.exit(main())
