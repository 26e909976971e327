"""Reads PDF files in a process of its own: a program, started by `readers.py`, that imports nothing of this package.

pdfium is written in C++, cannot be interrupted, and a few kilobytes can keep it busy for days or make it fail as a whole. Here it harms
only this process, which whoever started it ends.

Requests come on standard input, replies go to standard output, one for each. Both are 4 bytes that give the length of what follows, then
JSON; a reply goes on with as many bytes as its `bytes` says. Texts that describe a fault are for those who start it, not for users.
"""

from __future__ import annotations

import ctypes
import io
import json
import math
import os
import signal
import struct
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO

_DPI = 150
_MAX_PAGE_PIXELS = 16_000_000
_LONGEST_SIDE = 16_000
_FEW = 100
"""Characters below which the text of a page that a picture covers may be a stamp on a scan."""
_COVERED = 0.6
_MARGIN = 0.08
"""Share of a page's width and height, at each of its edges, where stamps and page numbers stand."""
_MEMORY = 2 * 2**30
_MAX_FIELDS = 10_000
_GRACE = 5
_UNSEEN = 1 | 2 | 32  # flags of annotations: invisible, hidden, no view
_PASSWORD = 1 << 13  # flag of a text field


class FaultError(Exception):
    """What is wrong with a file: a kind (`gone`, `password`, `empty`, `damaged`, `page`, `size`) and details."""

    def __init__(self, kind: str, why: object = "") -> None:
        super().__init__(kind, why)
        self.reply = {"fault": kind, "why": why}


def count(request: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
    """How many pages there are."""
    with _opened(request) as document:
        return {"pages": len(document)}, b""


def has_text(request: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
    """Whether one of the first pages says something."""
    with _opened(request) as document:
        return {"has_text": any(_page_text(document, i)[1] == "" for i in range(min(len(document), request["most"])))}, b""


def text(request: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
    """The text of each page from `first` to `last`, counted from 1, and what it lacks: nothing, `text`, or all but a `stamp`."""
    texts: list[str] = []
    lacks: list[str] = []
    size = 0
    with _opened(request) as document:
        for i in range(request["first"] - 1, min(request["last"], len(document))):
            said, lacking = _page_text(document, i)
            size += len(said)
            if size > request["most"]:
                raise FaultError("size", i + 1)
            texts.append(said)
            lacks.append(lacking)
        return {"texts": texts, "lacks": lacks}, b""


def picture(request: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
    """A page as a PNG file."""
    with _opened(request) as document, _page(document, request["page"] - 1) as page:
        drawn = page.render(scale=_scale(*page.get_size()), may_draw_forms=True).to_pil().convert("RGB")
    out = io.BytesIO()
    drawn.save(out, "PNG")
    return {}, out.getvalue()


def single(request: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
    """A page as a PDF file of its own."""
    import pypdfium2

    with _opened(request) as document, closing(pypdfium2.PdfDocument.new()) as alone:
        alone.import_pages(document, [request["page"] - 1])
        out = io.BytesIO()
        alone.save(out)
        return {}, out.getvalue()


def _page_text(document: Any, index: int) -> tuple[str, str]:
    """The text of a page with the values of its form fields, and what it lacks."""
    with _page(document, index) as page, closing(page.get_textpage()) as layer:
        said = layer.get_text_range().replace("\r\n", "\n").replace("\r", "\n").replace("\ufffe", "-").replace("\x00", "").strip()
        lacks = "" if said else "text"
        if said and len(said) < _FEW and _is_covered(page) and _is_at_the_edge(page, layer):
            lacks = "stamp"
        if document.formenv and (filled := [f for f in _fields(document, page) if f]):
            return "\n".join(filter(None, [said, *filled])), ""
        return said, lacks


def _is_covered(page: Any) -> bool:
    """Whether a picture covers most of the page."""
    from pypdfium2.raw import FPDF_PAGEOBJ_IMAGE

    width, height = page.get_size()
    for found in page.get_objects(filter=[FPDF_PAGEOBJ_IMAGE], max_depth=3):
        left, bottom, right, top = found.get_bounds()
        if (right - left) * (top - bottom) >= _COVERED * width * height:
            return True
    return False


def _is_at_the_edge(page: Any, layer: Any) -> bool:
    """Whether all letters stand near the edges of the page."""
    left, bottom, right, top = page.get_cropbox()
    aside, above = _MARGIN * (right - left), _MARGIN * (top - bottom)
    for i in range(layer.count_chars()):
        x0, y0, x1, y1 = layer.get_charbox(i)
        if x1 > x0 and left + aside < (x0 + x1) / 2 < right - aside and bottom + above < (y0 + y1) / 2 < top - above:
            return False
    return True


def _fields(document: Any, page: Any) -> Iterator[str]:
    """A line for each filled field of a form: what it is called, and its value; `yes` for a box that is ticked."""
    import pypdfium2.raw as c

    for i in range(min(c.FPDFPage_GetAnnotCount(page), _MAX_FIELDS)):
        field = c.FPDFPage_GetAnnot(page, i)
        try:
            kind = c.FPDFAnnot_GetFormFieldType(document.formenv, field)
            if c.FPDFAnnot_GetFlags(field) & _UNSEEN or c.FPDFAnnot_GetFormFieldFlags(document.formenv, field) & _PASSWORD:
                continue
            if kind in (c.FPDF_FORMFIELD_TEXTFIELD, c.FPDF_FORMFIELD_COMBOBOX, c.FPDF_FORMFIELD_LISTBOX):
                value = _field_text(c.FPDFAnnot_GetFormFieldValue, document, field)
            elif kind == c.FPDF_FORMFIELD_CHECKBOX:
                value = "yes" if c.FPDFAnnot_IsChecked(document.formenv, field) else ""
            elif kind == c.FPDF_FORMFIELD_RADIOBUTTON and c.FPDFAnnot_IsChecked(document.formenv, field):
                value = _field_text(c.FPDFAnnot_GetFormFieldExportValue, document, field)
            else:
                continue
            name = _field_text(c.FPDFAnnot_GetFormFieldAlternateName, document, field)
            name = name or _field_text(c.FPDFAnnot_GetFormFieldName, document, field)
            yield f"{name}: {value}" if name and value else value
        finally:
            c.FPDFPage_CloseAnnot(field)


def _field_text(get: Callable[..., int], document: Any, field: Any) -> str:
    import pypdfium2.raw as c

    size = get(document.formenv, field, None, 0)
    if size <= 2:
        return ""
    buffer = ctypes.create_string_buffer(size)
    get(document.formenv, field, ctypes.cast(buffer, ctypes.POINTER(c.FPDF_WCHAR)), size)
    return (
        buffer.raw[: size - 2].decode("utf-16-le", errors="replace").replace("\r\n", "\n").replace("\r", "\n").replace("\x00", "").strip()
    )


def _scale(width: float, height: float) -> float:
    """Pixels a point (1/72 inch), such that the page has at least one pixel and not too many."""
    width, height = max(width, 1.0), max(height, 1.0)
    return min(_DPI / 72, math.sqrt(_MAX_PAGE_PIXELS / (width * height)), _LONGEST_SIDE / max(width, height))


@contextmanager
def _page(document: Any, index: int) -> Iterator[Any]:
    """A page, with what goes wrong on it told as a FaultError."""
    import pypdfium2

    try:
        with closing(document[index]) as page:
            yield page
    except (pypdfium2.PdfiumError, ValueError, OSError, MemoryError) as e:
        raise FaultError("page", f"page {index + 1}: {e}") from e


@contextmanager
def _opened(request: dict[str, Any]) -> Iterator[Any]:
    import pypdfium2
    from pypdfium2 import raw

    path = os.fsencode(request["path"])
    if not Path(request["path"]).is_file():
        raise FaultError("gone")
    # opened by hand: pypdfium2 leaves a document without pages open, and tells the error of an earlier one for it
    handle = raw.FPDF_LoadDocument(path + b"\0", None)
    if not handle:
        raise FaultError("password" if raw.FPDF_GetLastError() == raw.FPDF_ERR_PASSWORD else "damaged", "it cannot be opened")
    with closing(pypdfium2.PdfDocument(handle)) as document:
        with suppress(pypdfium2.PdfiumError):  # then the rest is read without it
            document.init_forms()
        if not len(document):
            raise FaultError("empty")
        yield document


_WORK = {work.__name__: work for work in (count, has_text, text, picture, single)}


def _restrict() -> None:
    """Bound the memory; an interrupt of the terminal is for the process that started this one."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with suppress(ImportError, ValueError, OSError):
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))


def _answer(request: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
    try:
        return _WORK[request["do"]](request)
    except FaultError as e:
        return e.reply, b""
    except Exception as e:  # pypdfium2 raises what comes to hand
        return FaultError("damaged", f"{type(e).__name__}: {e}").reply, b""


def serve(requests: BinaryIO, replies: BinaryIO) -> None:
    """Answer requests until there are no more."""
    alarm = getattr(signal, "alarm", None)  # ends this process, busy or not, where the one that would is gone itself
    while len(head := requests.read(4)) == 4:
        request = json.loads(requests.read(struct.unpack(">I", head)[0]))
        if alarm is not None:
            alarm(math.ceil(request["seconds"]) + _GRACE)
        reply, data = _answer(request)
        if alarm is not None:
            alarm(0)
        told = json.dumps({**reply, "bytes": len(data)}).encode()
        replies.write(struct.pack(">I", len(told)) + told + data)
        replies.flush()


if __name__ == "__main__":
    sys.path += sys.argv[1:]
    _restrict()
    with suppress(BrokenPipeError), os.fdopen(os.dup(1), "wb") as channel:
        os.dup2(2, 1)  # what a library prints is no reply
        serve(sys.stdin.buffer, channel)
