"""Word, PowerPoint and Excel files as text, Excel sheets as rows. With python-docx, python-pptx and openpyxl, of the extra `media`.

Text, tables and notes are read; pictures, headers, footers, comments and macros are not.
"""

from __future__ import annotations

import csv
import datetime
import io
import re
import warnings
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

from ..artifacts import Artifact
from ..errors import MediaError, MissingExtraError
from .archive import office_file

MAX_CHARACTERS = 5_000_000
MAX_ROWS = 200_000
MAX_COLUMNS = 1_000
_MAX_CELLS = 5_000_000
_LAST_ROW = 2**20  # of Excel; a file may number its rows beyond, and the missing ones are made up
_UNSAVED = re.compile(rb"<(?:\w+:)?f(?:\s[^<>]*)?(?:/>|>[^<]*</(?:\w+:)?f>)\s*(?:<(?:\w+:)?v\s*/>|<(?:\w+:)?v></|</(?:\w+:)?c>)")
_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_M = "{http://schemas.openxmlformats.org/officeDocument/2006/math}"
_MC = "{http://schemas.openxmlformats.org/markup-compatibility/2006}"
_MARKS = {f"{_W}tab": "\t", f"{_W}br": "\n", f"{_W}cr": "\n", f"{_W}noBreakHyphen": "-"}
_BEFORE = {f"{_M}den": "/", f"{_M}sup": "^", f"{_M}sub": "_", f"{_M}rad": "√"}
"""What a line of an equation has before its parts."""
_LEFT_OUT = frozenset(f"{_W}{name}" for name in "del moveFrom pPr rPr sectPr tblPr tblGrid trPr tcPr delText instrText".split())


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


def _blocks(element: Any) -> Iterator[str]:
    """The text of each paragraph and each row of a table. Read from the XML: python-docx takes quadratic time for long tables."""
    for child in _shown(element):
        if child.tag == f"{_W}p":
            yield _line(child)
        elif child.tag == f"{_W}tr":
            cells = (_cell(cell) for cell in _cells(child))
            yield " | ".join(cells)
        else:
            yield from _blocks(child)


def _cells(row: Any) -> Iterator[Any]:
    """The cells of a row, not those of a table within one."""
    for child in _shown(row):
        if child.tag == f"{_W}tc":
            yield child
        else:
            yield from _cells(child)


def _cell(cell: Any) -> str:
    return " ".join(text.replace("\n", " ") for text in _blocks(cell) if text)


def _line(paragraph: Any) -> str:
    """The text of a paragraph; that of a text box in it stands on lines of its own."""
    return re.sub(r"\s*\n\s*\n\s*", "\n", "".join(_words(paragraph))).strip()


def _words(element: Any) -> Iterator[str]:
    for child in _shown(element):
        if child.tag in (f"{_W}t", f"{_M}t"):
            yield child.text or ""
        elif child.tag in _MARKS:
            yield _MARKS[child.tag]
        elif child.tag == f"{_W}txbxContent":
            yield "\n\n" + "\n".join(filter(None, _blocks(child))) + "\n\n"
        else:
            yield _BEFORE.get(child.tag, "")
            yield from _words(child)


def _shown(element: Any) -> Iterator[Any]:
    """What an element holds, without what is deleted, moved away or hidden, and with one of the forms in which something is given."""
    alternatives = element.tag == f"{_MC}AlternateContent"
    for child in element:
        if child.tag in _LEFT_OUT or (child.tag == f"{_W}r" and _is_hidden(child)):
            continue
        if child.tag == f"{_W}tr" and child.find(f"{_W}trPr/{_W}del") is not None:
            continue
        yield child
        if alternatives:  # what is newest stands first, what older programs are to show after it
            return


def _is_hidden(run: Any) -> bool:
    mark = run.find(f"{_W}rPr/{_W}vanish")
    return mark is not None and mark.get(f"{_W}val", "true") not in ("0", "false", "off")


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
    """All sheets of an Excel file that are not hidden as comma-separated values, each below its name where there are several.

    A last line in brackets names hidden sheets. Formulas give what they gave when the file was last saved, those that gave nothing
    themselves.

    Raises:
        MediaError: no such file, a damaged or unsafe one, or a sheet of more than 200,000 rows or 1,000 columns.
        MissingExtraError: openpyxl is not installed.
    """
    out: list[str] = []
    size = 0
    with _book(artifact) as book:
        for sheet in book.shown:
            lines = io.StringIO()
            writer = csv.writer(lines, lineterminator="\n")
            writer.writerows(_rows(artifact, sheet, book.formulas(sheet)))
            if lines.getvalue():
                out += [f"{sheet.title}:"] * (len(book.shown) > 1) + [lines.getvalue()]
            size += len(lines.getvalue())
            _check_size(artifact, size)
        if out and book.hidden:
            what = "hidden sheet" if len(book.hidden) == 1 else f"{len(book.hidden)} hidden sheets, among them"
            out.append(f"[Not read: {what} {book.hidden[0]!r}.]")
    return "\n".join(out)


def first_sheet(artifact: Artifact) -> list[list[Any]]:
    """The rows of the first sheet that is neither hidden nor empty: text, numbers, booleans, dates as ISO 8601 text, None for empty cells.

    Rows are as long as the longest; empty rows and columns around and between are left out, but a column with a name alone is not. An
    empty list when all sheets are empty. Formulas give what they gave when the file was last saved, those that gave nothing themselves.
    Raises as `xlsx_text` does.
    """
    with _book(artifact) as book:
        for sheet in book.shown:
            if rows := list(_rows(artifact, sheet, book.formulas(sheet))):
                width = max(map(len, rows))
                full = [row + [None] * (width - len(row)) for row in rows]
                used = [i for i in range(width) if any(row[i] is not None for row in full)]
                return [[row[i] for i in used] for row in full]
    return []


@dataclass(frozen=True, kw_only=True)
class _Book:
    """An Excel file that is open.

    Attributes:
        values: with what its formulas gave.
        unsaved: with its formulas, where one of them has no value; else None.
    """

    values: Any
    unsaved: Any

    @property
    def shown(self) -> list[Any]:
        return [sheet for sheet in self.values.worksheets if sheet.sheet_state == "visible"]

    @property
    def hidden(self) -> list[str]:
        return [sheet.title for sheet in self.values.worksheets if sheet.sheet_state != "visible"]

    def formulas(self, sheet: Any) -> Any:
        """The sheet with its formulas, or None."""
        return None if self.unsaved is None else self.unsaved[sheet.title]


@contextmanager
def _book(artifact: Artifact) -> Iterator[_Book]:
    try:
        from openpyxl import load_workbook
    except ImportError as e:
        raise MissingExtraError("openpyxl", "media") from e
    with office_file(artifact, "Excel file") as f, warnings.catch_warnings(), ExitStack() as open_books:
        warnings.simplefilter("ignore")  # of what openpyxl does not keep when it writes

        def opened(*, data_only: bool) -> Any:
            book = load_workbook(io.BytesIO(f.getvalue()), read_only=True, data_only=data_only, keep_links=False)
            open_books.callback(book.close)
            return book

        unsaved = _has_unsaved_formulas(f)
        yield _Book(values=opened(data_only=True), unsaved=opened(data_only=False) if unsaved else None)


def _has_unsaved_formulas(file: io.BytesIO) -> bool:
    """Whether a formula has no value: a program that calculates saves one, even of an empty text."""
    with zipfile.ZipFile(file) as archive:
        for name in archive.namelist():
            if name.startswith("xl/worksheets/") and name.endswith(".xml") and _UNSAVED.search(archive.read(name)):
                return True
    return False


def _rows(artifact: Artifact, sheet: Any, formulas: Any) -> Iterator[list[Any]]:
    """Rows that are not empty, without the empty cells at their ends. Formulas stand where they gave nothing, if their sheet is given."""
    for one in filter(None, (sheet, formulas)):
        one.reset_dimensions()  # what a file claims would fill its rows up to 16,384 cells
    rows: Iterable[tuple[Any, ...]] = sheet.iter_rows(values_only=True)
    if formulas is not None:
        rows = map(_with_formulas, sheet.iter_rows(), formulas.iter_rows(values_only=True))
    kept = cells = 0
    for number, row in enumerate(rows):
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


def _with_formulas(cells: tuple[Any, ...], formulas: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(
        getattr(formula, "text", formula) if cell.value is None and getattr(cell, "data_type", "n") == "n" else cell.value
        for cell, formula in zip(cells, formulas, strict=True)
    )


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
