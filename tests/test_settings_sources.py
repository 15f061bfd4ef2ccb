"""`[sources]` of etl.toml."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from etl.errors import SettingsError
from etl.settings import load_settings


def written(folder: Path, text: str) -> Path:
    (folder / "etl.toml").write_text(text, "utf-8")
    return folder


def test_private_addresses_are_not_allowed_unless_it_is_written(tmp_path: Path) -> None:
    assert not load_settings(None, {}, tmp_path).sources.allow_private
    settings = load_settings(None, {}, written(tmp_path, "[sources]\nallow_private = true\n"))
    assert settings.sources.allow_private
    assert pickle.loads(pickle.dumps(settings)).sources.allow_private


WRONG = {
    '[sources]\nallow_private = "yes"': "sources.allow_private: must be true or false\n  hint: write it like allow_private = true",
    "[sources]\nallow_privat = true": "sources.allow_privat: unknown setting\n  hint: did you mean 'allow_private'?",
    "sources = 3": "sources: must be a table\n  hint: write [sources] above its settings",
    "[source]": "source: unknown setting\n  hint: did you mean 'sources'?",
}


@pytest.mark.parametrize(("text", "message"), WRONG.items(), ids=["value", "key", "no table", "name"])
def test_what_is_wrong_there_is_told(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(SettingsError) as caught:
        load_settings(None, {}, written(tmp_path, text))
    assert str(caught.value) == f"{tmp_path}/etl.toml: {message}   [settings]"
