"""The table [journal] of etl.toml."""

from __future__ import annotations

from pathlib import Path

import pytest

from etl.errors import SettingsError
from etl.settings import Settings, load_settings
from etl.settings.journal import JournalSettings


def load(folder: Path, table: str) -> Settings:
    (folder / "etl.toml").write_text(table)
    return load_settings(None, {}, folder)


def test_without_a_table_the_journal_is_a_file_below_the_folder(tmp_path: Path) -> None:
    settings = load_settings(None, {}, tmp_path)
    assert settings.journal == JournalSettings()
    assert settings.journal.file(settings.folder) == tmp_path / ".etl" / "journal.db"
    assert (settings.journal.keys, settings.journal.keep_days) == ("hashed", 400)


def test_a_path_starts_from_the_folder_of_the_settings(tmp_path: Path) -> None:
    settings = load(tmp_path, '[journal]\npath = "memory/etl.db"\nkeys = "plain"\nkeep_days = 30\n')
    assert settings.journal.file(settings.folder) == tmp_path / "memory" / "etl.db"
    assert (settings.journal.keys, settings.journal.keep_days) == ("plain", 30)


def test_a_url_is_taken_with_where_its_password_is(tmp_path: Path) -> None:
    settings = load(tmp_path, '[journal]\nurl = "postgresql://etl@db.example.com/etl"\npassword_env = "ETL_DB"\n')
    assert (settings.journal.url, settings.journal.password_env) == ("postgresql://etl@db.example.com/etl", "ETL_DB")


@pytest.mark.parametrize(
    ("lines", "key", "message", "hint"),
    [
        (['url = "postgresql://etl:hunter2@db/etl"'], "url", "holds a password; no secret may stand in this file",
         'leave it out, and name where it is: password_env = "NAME_OF_VARIABLE" or password_file = "path"'),
        (['url = "postgresql://db/etl?password=hunter2"'], "url", "holds a password; no secret may stand in this file",
         'leave it out, and name where it is: password_env = "NAME_OF_VARIABLE" or password_file = "path"'),
        (['url = "mysql://db/hunter2"'], "url", "is not the address of a PostgreSQL database",
         'write it like url = "postgresql://etl@db.example.com/etl"'),
        (['password = "hunter2"'], "password", "no secret may stand in this file",
         'name where it is: password_env = "NAME_OF_VARIABLE" or password_file = "path"'),
        (['key = "hunter2"'], "key", "no secret may stand in this file",
         'name where it is: key_env = "NAME_OF_VARIABLE" or key_file = "path"'),
        (['key_env = "hunter2 !"'], "key_env", "must be the name of an environment variable, not the secret",
         'write it like key_env = "ETL_JOURNAL_KEY"'),
        (['path = "a.db"', 'url = "postgresql://db/etl"'], "url", "stands beside path", "keep one of the two"),
        (['key_env = "A"', 'key_file = "b"'], "key_file", "stands beside key_env", "keep one of the two"),
        (['password_env = "A"'], "password_env", "belongs to `url` alone", "add `url`, or leave it out"),
        (['keys = "open"'], "keys", "'open' is not one of the words allowed", "use one of hashed, plain"),
        (['keys = "plan"'], "keys", "'plan' is not one of the words allowed", "did you mean 'plain'? use one of hashed, plain"),
        (["keep_days = 0"], "keep_days", "must be greater than or equal to 1", "days that runs are kept; 400 where it is left out"),
        (['keep_days = "x"'], "keep_days", "must be a whole number", "days that runs are kept; 400 where it is left out"),
        (["reconnect_seconds = -1"], "reconnect_seconds", "must be greater than or equal to 0",
         "seconds that a database which is gone is waited for; 60 where it is left out"),
        (["paht = 1"], "paht", "unknown setting", "did you mean 'path'?"),
    ],
    ids=["password in url", "password in query", "other database", "password", "key", "secret as variable", "two places",
         "two keys", "password of a file", "other word", "near word", "too few days", "days as text", "negative wait", "typo"],
)  # fmt: skip
def test_a_wrong_setting_is_refused(tmp_path: Path, lines: list[str], key: str, message: str, hint: str) -> None:
    with pytest.raises(SettingsError) as error:
        load(tmp_path, "[journal]\n" + "\n".join(lines))
    assert str(error.value) == f"{tmp_path / 'etl.toml'}: journal.{key}: {message}\n  hint: {hint}   [settings]"
    assert "hunter2" not in str(error.value)


def test_a_journal_that_is_no_table_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as error:
        load(tmp_path, "journal = 1\n")
    assert str(error.value) == (
        f"{tmp_path / 'etl.toml'}: journal: must be a table\n  hint: write [journal] above its settings   [settings]"
    )
