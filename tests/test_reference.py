"""What is published beside the mappings is what the code says: it cannot drift."""

from __future__ import annotations

import json

from make_reference import FOLDER, ISSUES, MISSING, RESULTS, reference

from etl import missing_deletes
from etl.mapping import json_schema
from etl.reports import issues_csv, results_csv


def test_the_reference_is_the_one_of_the_code():
    assert (FOLDER / "REFERENCE.md").read_text(encoding="utf-8") == reference(), "run: make reference"


def test_every_column_of_the_reports_is_explained():
    assert tuple(RESULTS) == results_csv.COLUMNS
    assert tuple(ISSUES) == issues_csv.COLUMNS
    assert tuple(MISSING) == missing_deletes.COLUMNS


def test_the_schema_for_editors_is_the_one_of_the_code():
    published = json.loads((FOLDER / "mapping.schema.json").read_text(encoding="utf-8"))
    assert published == json_schema(), "run: make reference"
