"""text → Mapping; Mapping × Chunk → columns of fields + issues."""

from etl.mapping.binding import Binding, bind, dynamic_clashes, header_score
from etl.mapping.expressions import Expression, NearMiss, Verdict
from etl.mapping.json_schema import json_schema
from etl.mapping.model import Mapping
from etl.mapping.resolve import load_mapping, parse_mapping
from etl.mapping.wire import WireFindings, check_wire

__all__ = [
    "Binding",
    "Expression",
    "Mapping",
    "NearMiss",
    "Verdict",
    "WireFindings",
    "bind",
    "check_wire",
    "dynamic_clashes",
    "header_score",
    "json_schema",
    "load_mapping",
    "parse_mapping",
]
