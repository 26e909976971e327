"""PDF files: how many pages, their text, and pages as pictures. With pypdfium2, of the extra `media`."""

from __future__ import annotations

import io
import math
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from ..artifacts import Artifact
from ..errors import MediaError, MissingExtraError

MAX_PAGES = 5_000
"""Of which the text is read."""
MAX_PICTURES = 50
"""Pages that are turned into pictures at once."""
MAX_CHARACTERS = 5_000_000
_DPI = 150
_MAX_PAGE_PIXELS = 16_000_000
_LONGEST_SIDE = 16_000
_LOOKED_AT = 10
_FEW = 100
"""Characters below which a page that is covered by a picture counts as a scan: a stamp or a page number is no text layer."""
_COVERED = 0.6
_PDFIUM = threading.Lock()
"""pdfium is not thread-safe: whatever opens a document holds this until it is closed."""


@dataclass(frozen=True, kw_only=True)
class PdfLook:
    """What a PDF file is, at a glance.

    Attributes:
        pages: at least 1.
        has_text: whether one of the first ten pages has a text layer.
    """

    pages: int
    has_text: bool


@lru_cache(maxsize=512)
def look(artifact: Artifact) -> PdfLook:
    """Number of pages, and whether there is text. The file is opened once for each content.

    Raises:
        MediaError: no PDF that can be read: damaged, protected by a password, without pages.
        MissingExtraError: pypdfium2 is not installed.
    """
    with _opened(artifact.path, artifact.name) as document:
        pages = len(document)
        return PdfLook(pages=pages, has_text=any(_text_of(document, i, artifact.name)[1] for i in range(min(pages, _LOOKED_AT))))


def pdf_text(artifact: Artifact) -> str:
    """The text of all pages in their order, an empty line between them. Pages without text are told at the end, if there are some.

    Raises:
        MediaError: as in `look`; more than 5,000 pages or five million characters; no page has text.
        MissingExtraError: pypdfium2 is not installed.
    """
    texts: list[str] = []
    pictures: list[int] = []
    size = 0
    pages = look(artifact).pages
    if pages > MAX_PAGES:
        raise MediaError(
            f"The PDF {artifact.name!r} has {pages:,} pages; at most {MAX_PAGES:,} are read.",
            remedy=f"Name one page, as in {artifact.name}#page=2, or split the file.",
        )
    with _opened(artifact.path, artifact.name) as document:
        for i in range(pages):
            text, is_text = _text_of(document, i, artifact.name)
            if text:
                texts.append(text)
            if not is_text:
                pictures.append(i + 1)
            size += len(text)
            if size > MAX_CHARACTERS:
                raise MediaError(
                    f"The PDF {artifact.name!r} has more than {MAX_CHARACTERS:,} characters in {i + 1:,} of {pages:,} pages; at most "
                    f"{MAX_CHARACTERS:,} are read.",
                    remedy="Split the file.",
                )
    if len(pictures) == pages:
        raise no_text(artifact, pages)
    if pictures:
        texts.append(f"[Not read: {_listed(pictures)} of {pages}, without text.]")
    return "\n\n".join(texts)


def page_text(artifact: Artifact, page: int) -> str:
    """The text of one page, counted from 1. Raises as `pdf_text` does, and MediaError when there is no such page."""
    _check_page(artifact, page)
    with _opened(artifact.path, artifact.name) as document:
        text, is_text = _text_of(document, page - 1, artifact.name)
    if not is_text:
        raise no_text(artifact, 1, page)
    return text


def no_text(artifact: Artifact, pages: int, page: int = 0) -> MediaError:
    """What to say of a scan that is given as a text."""
    what = f"Page {page} of the PDF {artifact.name!r} is" if page else f"The PDF {artifact.name!r} is"
    return MediaError(
        f"{what} a picture without text (a scan, or empty).",
        remedy="Read it with image-to-text first" + (f", page by page, as in {artifact.name}#page=1." if pages > 1 else "."),
    )


def page_png(artifact: Artifact, page: int) -> bytes:
    """A page, counted from 1, as a PNG file of about 150 dots an inch, fewer where it would have more than 16 million of them.

    Raises:
        MediaError: as in `look`; there is no such page, or it cannot be drawn.
        MissingExtraError: pypdfium2 is not installed.
    """
    _check_page(artifact, page)
    with _opened(artifact.path, artifact.name) as document:
        sheet = _page(document, page - 1, artifact.name)
        try:
            picture = sheet.render(scale=_scale(*sheet.get_size()), may_draw_forms=False).to_pil().convert("RGB")
        except (_pdfium().PdfiumError, ValueError, OSError, MemoryError) as e:
            raise _damaged(artifact.name, f"page {page} cannot be drawn: {e}") from e
        finally:
            sheet.close()
    out = io.BytesIO()
    picture.save(out, "PNG")
    return out.getvalue()


def _scale(width: float, height: float) -> float:
    """Pixels a point (1/72 inch), such that the page has at least one pixel and not too many."""
    width, height = max(width, 1.0), max(height, 1.0)
    return min(_DPI / 72, math.sqrt(_MAX_PAGE_PIXELS / (width * height)), _LONGEST_SIDE / max(width, height))


def _check_page(artifact: Artifact, page: int) -> None:
    pages = look(artifact).pages
    if not 1 <= page <= pages:
        raise MediaError(f"There is no page {page} in {artifact.name!r}; it has {pages:,}.", remedy=f"Name a page from 1 to {pages:,}.")


def _text_of(document: Any, index: int, name: str) -> tuple[str, bool]:
    """The text of a page, and whether it is what the page says and not a stamp on a scan."""
    page = _page(document, index, name)
    try:
        layer = page.get_textpage()
        text = layer.get_text_range().replace("\r\n", "\n").replace("\r", "\n").replace("\ufffe", "-").replace("\x00", "").strip()
        layer.close()
        return text, bool(text) and (len(text) >= _FEW or not _is_covered(page))
    except _pdfium().PdfiumError as e:
        raise _damaged(name, f"page {index + 1} cannot be read: {e}") from e
    finally:
        page.close()


def _is_covered(page: Any) -> bool:
    """Whether a picture covers most of the page."""
    from pypdfium2.raw import FPDF_PAGEOBJ_IMAGE

    width, height = page.get_size()
    for found in page.get_objects(filter=[FPDF_PAGEOBJ_IMAGE], max_depth=3):
        left, bottom, right, top = found.get_bounds()
        if (right - left) * (top - bottom) >= _COVERED * width * height:
            return True
    return False


def _page(document: Any, index: int, name: str) -> Any:
    try:
        return document[index]
    except _pdfium().PdfiumError as e:
        raise _damaged(name, f"page {index + 1} cannot be read: {e}") from e


@contextmanager
def _opened(path: Path, name: str) -> Iterator[Any]:
    pdfium = _pdfium()
    from pypdfium2 import raw

    with _PDFIUM:
        if not path.is_file():
            raise MediaError(f"The PDF {name!r} cannot be read: it is not there any more.")
        # opened by hand: pypdfium2 leaves a document without pages open, and tells the error of an earlier one for it
        handle = raw.FPDF_LoadDocument(os.fsencode(path) + b"\0", None)
        if not handle:
            if raw.FPDF_GetLastError() == raw.FPDF_ERR_PASSWORD:
                raise MediaError(f"The PDF {name!r} is protected by a password.", remedy="Save it without one.")
            raise _damaged(name, "it cannot be opened")
        document = pdfium.PdfDocument(handle)
        try:
            if not len(document):
                raise MediaError(f"The PDF {name!r} has no pages, or is cut off.", remedy="Give a whole file.")
            yield document
        finally:
            document.close()


def _damaged(name: str, why: str) -> MediaError:
    return MediaError(f"The PDF {name!r} is damaged or cut off ({why}).", remedy="Give a whole file.")


def _pdfium() -> Any:
    try:
        import pypdfium2
    except ImportError as e:
        raise MissingExtraError("pypdfium2", "media") from e
    return pypdfium2


def _listed(pages: list[int]) -> str:
    shown = ", ".join(map(str, pages[:10]))
    return f"{'page' if len(pages) == 1 else 'pages'} {shown}{f' and {len(pages) - 10} more' if len(pages) > 10 else ''}"
