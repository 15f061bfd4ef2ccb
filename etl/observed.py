"""A verb, and those who are told how it goes (`etl.telemetry`): from its settings to its end, however it ends."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

from etl.errors import EtlError
from etl.finishing import ANSWERS, name_of
from etl.logs import LogWish, note_after
from etl.night import Night
from etl.options import Options
from etl.settings import Settings, load_settings
from etl.telemetry import About, watching


@contextmanager
def watched(
    verb: str, mapping: object, target: str | None, settings: Settings, options: Options, night: Night | None = None
) -> Iterator[Options]:
    """Yield the options with those who are told, until the verb has ended. Raises SettingsError.

    `mapping`: it, or its path; `night`: who goes on after that, and gets a way to the log.
    """
    if night is not None:
        # On the screen it is told in a sentence of its own.
        unseen = replace(options.log or LogWish(), stream=None)
        night.log = lambda text: note_after(unseen, settings.log, settings.folder, night.run_id, text)
    about = About(verb, name_of(mapping), target or settings.default_target or "")
    answers = ANSWERS if verb in {"resume", "retry"} else ()
    with watching(
        about, settings, options.log, interrupted=lambda: options.interrupt.stop.exit_code, answers=answers
    ) as watch:
        yield replace(options, watch=watch, progress=watch.progress(options.progress))


def refused(error: EtlError, mapping: Path, *, target: str | None, config: Path | None, options: Options) -> None:
    """Tell that a run was refused before `etl.run` could be called: its mapping cannot be loaded."""
    with suppress(EtlError):
        settings = load_settings(config, os.environ, Path.cwd())
        with watched("run", mapping, target, settings, options):
            raise error
