"""Cells of reports: never a formula. How, says `etl.formulas`, which readers need too (`etl.sent_back`)."""

from etl.formulas import as_it_was, inert

__all__ = ["as_it_was", "inert"]
