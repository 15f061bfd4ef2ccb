"""The number formats of a workbook's cells, as styles.xml lists them."""

from __future__ import annotations

from etl.sources.workbook_parts import Container
from etl.sources.workbook_xml import local_name, parse

_STYLES = "xl/styles.xml"
_NO_CELLS = frozenset(("cellStyleXfs", "cellStyles", "dxfs"))


def number_formats(container: Container) -> tuple[dict[str, str], list[str]]:
    """Return the workbook's own codes by number, and of each style that a cell may name the number of its format.

    Both are empty where there is no styles.xml. Raises SourceError: damaged, or beyond a limit.
    """
    codes: dict[str, str] = {}
    numbers: list[str] = []
    is_of_cells = False

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal is_of_cells
        kind = local_name(name)
        if kind == "numFmt":
            codes[attributes.get("numFmtId", "")] = attributes.get("formatCode", "")
        elif kind == "cellXfs":
            is_of_cells = True
        elif kind in _NO_CELLS:
            is_of_cells = False
        elif kind == "xf" and is_of_cells:
            numbers.append(attributes.get("numFmtId", ""))

    if _STYLES in container.parts:
        parse(container, _STYLES, start)
    return codes, numbers
