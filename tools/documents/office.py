"""Word, PowerPoint and Excel files as text, Excel sheets as rows. With python-docx, python-pptx and openpyxl, of the extra `media`.

Text, tables and notes are read; pictures, headers, footers, comments and macros are not.
"""

from __future__ import annotations

import csv
import datetime
import io
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from ..artifacts import Artifact
from ..errors import MediaError, MissingExtraError
from .archive import office_file

MAX_CHARACTERS = 5_000_000
MAX_ROWS = 200_000
MAX_COLUMNS = 1_000
_MAX_CELLS = 5_000_000
_LAST_ROW = 2**20  # of Excel; a file may number its rows beyond, and the missing ones are made up
_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"


def docx_text(artifact: Artifact) -> str:
    """Paragraphs and tables of a Word file in their order; a row of a table is a line, with ` | ` between its cells.

    Raises:
        MediaError: no such file, a damaged or unsafe one, or one of more than five million characters.
        MissingExtraError: python-docx is not installed.
    """
    try:
        from docx import Document
    except ImportError as e:
        raise MissingExtraError("python-docx", "media") from e
    with office_file(artifact, "Word file") as f:
        return _joined(artifact, _blocks(Document(f).element.body))


def _blocks(body: Any) -> Iterator[str]:
    """The text of each paragraph and each row of a table. Read from the XML: python-docx takes quadratic time for long tables."""
    for element in body.iter(f"{_W}p", f"{_W}tr"):
        above = {a.tag for a in element.iterancestors()}
        if element.tag == f"{_W}tr":
            if f"{_W}tr" not in above:
                yield " | ".join(" ".join(filter(None, map(_line, cell.iter(f"{_W}p")))) for cell in element.iter(f"{_W}tc"))
        elif f"{_W}tr" not in above and f"{_W}p" not in above:
            yield _line(element)


def _line(paragraph: Any) -> str:
    marks = {f"{_W}tab": "\t", f"{_W}br": "\n", f"{_W}cr": "\n", f"{_W}noBreakHyphen": "-"}
    runs = paragraph.iter(f"{_W}t", *marks)
    return "".join((e.text or "") if e.tag == f"{_W}t" else marks[e.tag] for e in runs if e.getparent().tag == f"{_W}r").strip()


def pptx_text(artifact: Artifact) -> str:
    """The slides of a PowerPoint file in their order, each with a line `Slide 1`, its text and tables, and its notes.

    Raises:
        MediaError: no such file, a damaged or unsafe one, or one of more than five million characters.
        MissingExtraError: python-pptx is not installed.
    """
    try:
        from pptx import Presentation
    except ImportError as e:
        raise MissingExtraError("python-pptx", "media") from e
    with office_file(artifact, "PowerPoint file") as f:
        return _joined(artifact, (text for n, slide in enumerate(Presentation(f).slides, 1) for text in _slide(n, slide)))


def _slide(number: int, slide: Any) -> Iterator[str]:
    texts = [text for shape in slide.shapes for text in _shape(shape)]
    notes = slide.notes_slide.notes_text_frame if slide.has_notes_slide else None
    if notes is not None and notes.text.strip():
        texts.append(f"Notes: {notes.text.strip()}")
    if texts:
        yield f"Slide {number}"
        yield from texts


def _shape(shape: Any) -> Iterator[str]:
    waiting = [shape]
    while waiting:
        one = waiting.pop(0)
        if hasattr(one, "shapes"):  # a group
            waiting = [*one.shapes, *waiting]
        elif getattr(one, "has_table", False):
            yield from (" | ".join(cell.text.strip() for cell in row.cells) for row in one.table.rows)
        elif one.has_text_frame and one.text_frame.text.strip():
            yield one.text_frame.text.replace("\v", "\n").strip()


def xlsx_text(artifact: Artifact) -> str:
    """All sheets of an Excel file as comma-separated values, each below its name where there are several.

    Raises:
        MediaError: no such file, a damaged or unsafe one, or a sheet of more than 200,000 rows or 1,000 columns.
        MissingExtraError: openpyxl is not installed.
    """
    out: list[str] = []
    size = 0
    with _book(artifact) as book:
        for sheet in book.worksheets:
            lines = io.StringIO()
            writer = csv.writer(lines, lineterminator="\n")
            writer.writerows(_rows(artifact, sheet))
            if lines.getvalue():
                out += [f"{sheet.title}:"] * (len(book.worksheets) > 1) + [lines.getvalue()]
            size += len(lines.getvalue())
            _check_size(artifact, size)
    return "\n".join(out)


def first_sheet(artifact: Artifact) -> list[list[Any]]:
    """The rows of the first sheet that is not empty: text, numbers, booleans, dates as ISO 8601 text, None for an empty cell.

    Rows are as long as the longest; empty rows and columns around and between are left out. An empty list when all sheets are empty.
    Formulas give what they gave when the file was last saved. Raises as `xlsx_text` does.
    """
    with _book(artifact) as book:
        for sheet in book.worksheets:
            if rows := list(_rows(artifact, sheet)):
                width = max(map(len, rows))
                full = [row + [None] * (width - len(row)) for row in rows]
                used = [i for i in range(width) if any(row[i] is not None for row in full)]
                return [[row[i] for i in used] for row in full]
    return []


@contextmanager
def _book(artifact: Artifact) -> Iterator[Any]:
    try:
        from openpyxl import load_workbook
    except ImportError as e:
        raise MissingExtraError("openpyxl", "media") from e
    with office_file(artifact, "Excel file") as f, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what openpyxl does not keep when it writes
        book = load_workbook(f, read_only=True, data_only=True, keep_links=False)
        try:
            yield book
        finally:
            book.close()


def _rows(artifact: Artifact, sheet: Any) -> Iterator[list[Any]]:
    """Rows that are not empty, without the empty cells at their ends."""
    sheet.reset_dimensions()  # what a file claims would fill its rows up to 16,384 cells
    kept = cells = 0
    for number, row in enumerate(sheet.iter_rows(values_only=True)):
        cells += len(row)  # with the empty ones that are put between
        values = [_value(v) for v in row]
        while values and values[-1] is None:
            values.pop()
        kept += bool(values)
        if kept > MAX_ROWS or len(values) > MAX_COLUMNS or cells > _MAX_CELLS or number >= _LAST_ROW:
            raise MediaError(
                f"The sheet {sheet.title!r} of {artifact.name!r} is too large; at most {MAX_ROWS:,} rows, {MAX_COLUMNS:,} columns and "
                f"{_MAX_CELLS:,} cells are read.",
                remedy="Give a part of it.",
            )
        if values:
            yield values


def _value(value: Any) -> Any:
    if isinstance(value, str):
        return value if value.strip() else None
    if isinstance(value, datetime.datetime) and value.time() == datetime.time():
        return value.date().isoformat()
    if isinstance(value, datetime.date | datetime.time):
        return value.isoformat()
    return value if value is None or isinstance(value, bool | int | float) else str(value)


def _joined(artifact: Artifact, texts: Iterable[str]) -> str:
    out: list[str] = []
    size = 0
    for text in texts:
        if text.strip():
            out.append(text)
            size += len(text) + 1
            _check_size(artifact, size)
    return "\n".join(out)


def _check_size(artifact: Artifact, size: int) -> None:
    if size > MAX_CHARACTERS:
        raise MediaError(
            f"{artifact.name!r} has more than {MAX_CHARACTERS:,} characters; at most so many are read.", remedy="Give a part of it."
        )
