"""Kinds of settings that several tables of etl.toml have."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def _checked_variable(value: str) -> str:
    if not _NAME.fullmatch(value):
        raise PydanticCustomError("variable", "must be the name of an environment variable, not the secret")
    return value


Variable = Annotated[str, AfterValidator(_checked_variable)]
"""The name of an environment variable that holds a secret."""
File = Annotated[str, Field(min_length=1)]
"""A path, from the folder of etl.toml where it is relative."""
