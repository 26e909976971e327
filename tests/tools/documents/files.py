"""Documents for tests, made by hand or with the libraries that read them."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence

from PIL import Image, ImageDraw


def text_pdf(pages: Sequence[Sequence[str]], *, box: str = "0 0 595 842", count: int | None = None) -> bytes:
    """A PDF with a text layer: one list of lines for each page. `count` is what it claims, if that is something else."""
    kids = " ".join(f"{4 + 2 * i} 0 R" for i in range(len(pages)))
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {len(pages) if count is None else count} >>".encode(),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    for i, lines in enumerate(pages):
        shown = "".join(f"({line}) Tj 0 -20 Td " for line in lines)
        content = f"BT /F1 14 Tf 60 760 Td {shown} ET".encode() if lines else b""
        objects.append(
            f"<< /Type /Page /Parent 2 0 R /MediaBox [{box}] /Contents {5 + 2 * i} 0 R /Resources << /Font << /F1 3 0 R >> >> >>".encode()
        )
        objects.append(b"<< /Length %d >>\nstream\n%s\nendstream" % (len(content), content))
    return pdf(objects)


def pdf(objects: Sequence[bytes], trailer: bytes = b"") -> bytes:
    """A PDF of these objects, numbered from 1; the first is its root."""
    out = bytearray(b"%PDF-1.4\n")
    places = []
    for number, body in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % p for p in places)
    out += b"trailer\n<< /Size %d /Root 1 0 R %s >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, trailer, start)
    return bytes(out)


def locked_pdf() -> bytes:
    """A PDF that opens with a password only."""
    key = b"<" + b"41" * 32 + b">"
    encrypt = b"<< /Filter /Standard /V 1 /R 2 /O %s /U %s /P -4 >>" % (key, key)
    objects = [b"<< /Type /Catalog /Pages 2 0 R >>", b"<< /Type /Pages /Kids [] /Count 0 >>", encrypt]
    return pdf(objects, trailer=b"/Encrypt 3 0 R /ID [%s %s]" % (key, key))


def scan_pdf(*texts: str, size: tuple[int, int] = (1240, 1754)) -> bytes:
    """A PDF of pictures, one for each page, with a line of text drawn on it."""
    pages = [page(text, size=size) for text in texts]
    out = io.BytesIO()
    pages[0].save(out, "PDF", save_all=True, append_images=pages[1:], resolution=150)
    return out.getvalue()


def page(text: str, *, size: tuple[int, int] = (1240, 1754)) -> Image.Image:
    """A white page with lines of text."""
    picture = Image.new("RGB", size, "white")
    ImageDraw.Draw(picture).multiline_text((100, 120), text, fill="black", font_size=40)
    return picture


def docx(*paragraphs: str, table: Sequence[Sequence[str]] = (), after: str = "") -> bytes:
    """A Word file: paragraphs, a table, and a paragraph after it."""
    from docx import Document

    document = Document()
    for text in paragraphs:
        document.add_paragraph(text)
    if table:
        made = document.add_table(len(table), len(table[0]))
        for row, cells in zip(made.rows, table, strict=True):
            for cell, text in zip(row.cells, cells, strict=True):
                cell.text = text
    if after:
        document.add_paragraph(after)
    return saved(document)


def pptx(*slides: tuple[str, str, str]) -> bytes:
    """A PowerPoint file: title, text and notes of each slide."""
    from pptx import Presentation

    show = Presentation()
    for title, text, notes in slides:
        slide = show.slides.add_slide(show.slide_layouts[1])
        slide.shapes.title.text = title
        slide.placeholders[1].text = text
        if notes:
            slide.notes_slide.notes_text_frame.text = notes
    return saved(show)


def xlsx(**sheets: Sequence[Sequence[object]]) -> bytes:
    """An Excel file: rows by sheet."""
    from openpyxl import Workbook

    book = Workbook()
    book.remove(book.active)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(list(row))
    return saved(book)


def saved(document: object) -> bytes:
    """The bytes of what has a method `save`."""
    out = io.BytesIO()
    document.save(out)  # type: ignore[attr-defined]
    return out.getvalue()


def with_member(data: bytes, name: str, content: bytes) -> bytes:
    """A zip archive with a member put in or in the place of another."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for info in old.infolist():
            if info.filename != name:
                new.writestr(info.filename, old.read(info))
        new.writestr(name, content)
    return out.getvalue()


def member(data: bytes, name: str) -> bytes:
    """A member of a zip archive."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return archive.read(name)
