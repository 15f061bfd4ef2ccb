"""mappings/mapping.schema.json is what editors use: it must be the one that the code gives."""

from __future__ import annotations

import json
from pathlib import Path

from etl.mapping import json_schema

FILE = Path(__file__).parents[2] / "mappings" / "mapping.schema.json"


def test_the_published_schema_is_the_one_of_the_code():
    assert json.loads(FILE.read_text(encoding="utf-8")) == json_schema(), "run: make schema"
