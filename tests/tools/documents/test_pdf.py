from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from langchain_hugginggpt.tools.artifacts import Artifact, ArtifactStore
from langchain_hugginggpt.tools.documents.pdf import look, page_png, page_text, pdf_text
from langchain_hugginggpt.tools.errors import MediaError, MissingExtraError
from langchain_hugginggpt.tools.media import load_text
from langchain_hugginggpt.tools.task import Kind
from tests.tools.documents.files import locked_pdf, pdf, scan_pdf, text_pdf

TWO = text_pdf([["Hello world", "Second line"], ["Page two"]])


@pytest.fixture
def take() -> Callable[[bytes], Artifact]:
    store = ArtifactStore()
    return lambda data: store.put(data, name="a.pdf")


def test_the_text_of_all_pages_in_order(take: Callable[[bytes], Artifact]) -> None:
    artifact = take(TWO)
    assert load_text(artifact) == "Hello world\nSecond line\n\nPage two"
    assert page_text(artifact, 2) == "Page two"
    assert artifact.kind is Kind.TEXT


def test_a_scan_is_a_picture_and_says_how_it_is_read(take: Callable[[bytes], Artifact]) -> None:
    artifact = take(scan_pdf("one", "two"))
    assert (look(artifact).pages, artifact.kind) == (2, Kind.IMAGE)
    with pytest.raises(
        MediaError, match=r"'a\.pdf' is a picture without text.*Read it with image-to-text first, page by page, as in a\.pdf#pa"
    ):
        load_text(artifact)
    with pytest.raises(MediaError, match=r"Page 2 of the PDF 'a\.pdf' is a picture"):
        page_text(artifact, 2)


def test_a_page_without_text_among_others_is_told(take: Callable[[bytes], Artifact]) -> None:
    assert load_text(take(text_pdf([["Hello"], []]))) == "Hello\n\n[Not read: page 2 of 2, without text.]"


def test_a_stamp_on_a_scan_is_no_text_layer(take: Callable[[bytes], Artifact]) -> None:
    picture = b"<< /Subtype /Image /Width 1 /Height 1 /ColorSpace /DeviceGray /BitsPerComponent 8 /Length 1 >>\nstream\nx\nendstream"
    content = b"q 595 0 0 842 0 0 cm /P Do Q BT /F1 9 Tf 10 10 Td (Scanned by X) Tj ET"

    def made(said: bytes) -> bytes:
        return pdf(
            [
                b"<< /Type /Catalog /Pages 2 0 R >>",
                b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
                b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R "
                b"/Resources << /Font << /F1 5 0 R >> /XObject << /P 6 0 R >> >> >>",
                b"<< /Length %d >>\nstream\n%s\nendstream" % (len(said), said),
                b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
                picture,
            ]
        )

    assert take(made(content)).kind is Kind.IMAGE
    assert take(made(content.replace(b"Scanned by X", b"a page that was read by a machine " * 5))).kind is Kind.TEXT


@pytest.mark.parametrize(
    ("box", "size"),
    [
        ("0 0 595 842", (1240, 1755)),  # A4 at 150 dpi
        ("0 0 28346 28346", (4000, 4000)),  # 10 m x 10 m
        ("0 0 14400000 1", (16_000, 1)),
        ("0 0 0.01 0.01", (1, 1)),
    ],
)
def test_pages_as_pictures_of_any_size(box: str, size: tuple[int, int], take: Callable[[bytes], Artifact]) -> None:
    with Image.open(io.BytesIO(page_png(take(text_pdf([["x"]], box=box)), 1))) as picture:
        assert picture.format == "PNG"
        assert abs(picture.size[0] - size[0]) <= 1
        assert abs(picture.size[1] - size[1]) <= 1


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (locked_pdf(), r"'a\.pdf' is protected by a password\. Save it without one"),
        (text_pdf([]), r"'a\.pdf' has no pages, or is cut off"),
        (TWO[:200], r"'a\.pdf' is damaged or cut off"),
        (b"%PDF-1.7", r"'a\.pdf' is damaged or cut off"),
        (text_pdf([["x"]], count=100_000), r"'a\.pdf' has 100,000 pages; at most 5,000 are read\. Name one page"),
    ],
)
def test_what_cannot_be_read(data: bytes, said: str, take: Callable[[bytes], Artifact]) -> None:
    artifact = take(data)
    assert artifact.kind is Kind.TEXT  # a port that takes text says what is wrong with it
    take(locked_pdf())  # pdfium keeps the error of an earlier document
    with pytest.raises(MediaError, match=said):
        pdf_text(artifact)


def test_a_page_that_is_not_there(take: Callable[[bytes], Artifact]) -> None:
    for page in (0, 3, 10**6):
        with pytest.raises(MediaError, match=rf"There is no page {page} in 'a\.pdf'; it has 2\. Name a page from 1 to 2"):
            page_png(take(TWO), page)


def test_a_file_that_has_gone(tmp_path: Path) -> None:
    (tmp_path / "a.pdf").write_bytes(TWO)
    artifact = ArtifactStore().add_file(tmp_path / "a.pdf")
    (tmp_path / "a.pdf").unlink()
    look.cache_clear()
    with pytest.raises(MediaError, match="not there any more"):
        load_text(artifact)


def test_without_the_extra_a_pdf_is_a_file_like_any_other(take: Callable[[bytes], Artifact], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "pypdfium2", None)
    look.cache_clear()
    artifact = take(TWO)
    assert artifact.kind is Kind.JSON
    with pytest.raises(MissingExtraError, match=r"langchain-hugginggpt\[media\]"):
        load_text(artifact)


def test_too_many_characters(take: Callable[[bytes], Artifact], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("langchain_hugginggpt.tools.documents.pdf.MAX_CHARACTERS", 20)
    with pytest.raises(MediaError, match="more than 20 characters in 1 of 2 pages"):
        pdf_text(take(TWO))
