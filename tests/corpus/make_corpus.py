"""Write the corpus anew: `python tests/corpus/make_corpus.py` (needs LibreOffice). Each file has its `.expected.json`.

What must come out is written from the cells that went in, never from what the readers say.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from corpus.books import BOOKS, ENCODINGS, SEPARATORS, text_rows
from corpus.books import TEXTS as EXPORTS
from corpus.flat_ods import write_flat_ods
from corpus.texts import TEXTS

FILES = Path(__file__).parent / "files"


def main() -> None:
    shutil.rmtree(FILES, ignore_errors=True)
    FILES.mkdir()
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        for stem, book in BOOKS.items():
            flat = write_flat_ods(work / f"{stem}.fods", book.sheets, null_date=book.null_date)
            for kind in book.formats:
                convert(flat, kind)
                expect(f"{stem}.{kind}", {"options": book.options, "tables": list(book.tables)})
        for stem, (sheet, encoding, separator) in EXPORTS.items():
            flat = write_flat_ods(work / f"{stem}.fods", [sheet])
            convert(
                flat,
                f"csv:Text - txt - csv (StarCalc):{SEPARATORS[separator]},34,{ENCODINGS[encoding][0]},1,,0,false,true,false",
            )
            header, *rows = text_rows(sheet).items()
            table = {
                "sheet": "",
                "header": header[1],
                "header_row": 1,
                "rows": {str(line): cells for line, cells in rows},
            }
            expect(f"{stem}.csv", {"tables": [table]})
    for name, (content, expected) in TEXTS.items():
        (FILES / name).write_bytes(content)
        expect(name, expected)
    print(f"{len(list(FILES.glob('*.expected.json')))} files in {FILES}")


def convert(flat: Path, kind: str) -> None:
    subprocess.run(
        ["soffice", "--headless", "--convert-to", kind, "--outdir", str(FILES), str(flat)],
        check=True,
        capture_output=True,
        timeout=120,
    )


def expect(name: str, expected: dict[str, Any]) -> None:
    text = json.dumps(expected, ensure_ascii=False, indent=1)
    (FILES / f"{name}.expected.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
