from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from langchain_hugginggpt.tools.artifacts import Artifact, ArtifactStore
from langchain_hugginggpt.tools.documents import pdf as reading
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


PAGE_OF_WORDS = "a page that was read by a machine " * 5 + "in full"


def covered_pdf(*texts: str, at: int) -> bytes:
    """A PDF with a picture on the whole of each page, and a line of text at a height in points."""
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{' '.join(f'{5 + 2 * i} 0 R' for i in range(len(texts)))}] /Count {len(texts)} >>".encode(),
        b"<< /Subtype /Image /Width 1 /Height 1 /ColorSpace /DeviceGray /BitsPerComponent 8 /Length 1 >>\nstream\nx\nendstream",
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    for i, text in enumerate(texts):
        said = f"q 595 0 0 842 0 0 cm /P Do Q BT /F1 9 Tf 60 {at} Td ({text}) Tj ET".encode()
        objects.append(
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents {6 + 2 * i} 0 R "
            "/Resources << /Font << /F1 4 0 R >> /XObject << /P 3 0 R >> >> >>".encode()
        )
        objects.append(b"<< /Length %d >>\nstream\n%s\nendstream" % (len(said), said))
    return pdf(objects)


def test_a_stamp_on_a_scan_is_no_text_layer(take: Callable[[bytes], Artifact]) -> None:
    assert take(covered_pdf("Scanned by X", at=10)).kind is Kind.IMAGE
    assert take(covered_pdf(PAGE_OF_WORDS, at=10)).kind is Kind.TEXT


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
    with pytest.raises(MediaError, match="not there any more"):
        load_text(artifact)


def test_without_the_extra_a_pdf_is_a_file_like_any_other(take: Callable[[bytes], Artifact], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "pypdfium2", None)
    artifact = take(TWO)
    assert artifact.kind is Kind.JSON
    with pytest.raises(MissingExtraError, match=r"langchain-hugginggpt\[media\]"):
        load_text(artifact)


def test_too_many_characters(take: Callable[[bytes], Artifact], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("langchain_hugginggpt.tools.documents.pdf.MAX_CHARACTERS", 20)
    with pytest.raises(MediaError, match="more than 20 characters in the first 1 pages"):
        pdf_text(take(TWO))


def test_a_filled_form_gives_its_values_and_is_drawn_with_them(take: Callable[[bytes], Artifact]) -> None:
    def field(name: str, kind: str, more: str, place: str = "20 80 300 120") -> bytes:
        return f"<< /Type /Annot /Subtype /Widget /T ({name}) /FT /{kind} /Rect [{place}] {more} >>".encode()

    shown = b"/Tx BMC BT /F1 24 Tf 5 10 Td (Rosa) Tj ET EMC"
    on = b"<< /Type /XObject /Subtype /Form /BBox [0 0 280 40] /Resources << /Font << /F1 5 0 R >> >> /Length %d >>\nstream\n%s\nendstream"
    said = b"BT /F1 14 Tf 20 150 Td (Applicant:) Tj ET"

    def form(flags: int) -> bytes:
        return pdf(
            [
                b"<< /Type /Catalog /Pages 2 0 R /AcroForm << /Fields [6 0 R 8 0 R 9 0 R 10 0 R] >> >>",
                b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
                b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 400 200] /Contents 4 0 R /Annots [6 0 R 8 0 R 9 0 R 10 0 R] "
                b"/Resources << /Font << /F1 5 0 R >> >> >>",
                b"<< /Length %d >>\nstream\n%s\nendstream" % (len(said), said),
                b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
                field("name", "Tx", f"/V (Rosa) /F {flags} /DA (/F1 24 Tf 0 g) /AP << /N 7 0 R >>"),
                on % (len(shown), shown),
                field("agreed", "Btn", "/F 4 /V /On /AS /On /AP << /N << /On 7 0 R >> >>", "20 10 160 30"),
                field("key", "Tx", "/F 4 /V (secret) /Ff 8192"),
                field("left", "Tx", "/F 4"),
            ]
        )

    artifact = take(form(4))
    assert load_text(artifact) == "Applicant:\nname: Rosa\nagreed: yes"
    hidden = take(form(2))
    assert load_text(hidden) == "Applicant:\nagreed: yes"
    black = [sum(Image.open(io.BytesIO(page_png(a, 1))).convert("L").histogram()[:64]) for a in (artifact, hidden)]
    assert black[0] > black[1] + 500


def test_slides_with_few_words_are_text(take: Callable[[bytes], Artifact]) -> None:
    artifact = take(covered_pdf("Q3: revenue up 12 percent", "Costs down", at=400))
    assert artifact.kind is Kind.TEXT
    assert load_text(artifact) == "Q3: revenue up 12 percent\n\nCosts down"
    both = PAGE_OF_WORDS, "page 2"
    assert load_text(take(covered_pdf(*both, at=10))) == f"{PAGE_OF_WORDS}\n\npage 2\n\n[Not read: the picture that covers page 2 of 2.]"


def bomb(levels: int = 9, width: int = 10) -> bytes:
    """A PDF whose page draws ten to the power of `levels` things."""
    calls = b"/F Do\n" * width
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 200 200] /Contents 4 0 R /Resources << /XObject << /F 5 0 R >> >> >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(calls), calls),
    ]
    for level in range(levels):
        inner = b"<< /XObject << /F %d 0 R >> >>" % (6 + level) if level < levels - 1 else b"<< >>"
        body = calls if level < levels - 1 else b"0 0 1 1 re f\n"
        head = b"/Type /XObject /Subtype /Form /BBox [0 0 200 200] /Resources " + inner
        objects.append(b"<< /Length %d %s >>\nstream\n%s\nendstream" % (len(body), head, body))
    return pdf(objects)


def test_a_file_that_keeps_its_reader_busy_is_given_up_and_remembered(
    take: Callable[[bytes], Artifact], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "SECONDS_TO_LOOK", 1.0)
    artifact = take(bomb())
    assert artifact.kind is Kind.TEXT  # a port that takes text says what is wrong with it
    monkeypatch.setattr(reading, "SECONDS_TO_LOOK", 100_000.0)
    with pytest.raises(MediaError, match="longer than 1 seconds"):
        look(artifact)
    monkeypatch.setattr(reading, "SECONDS", 0.5)
    for read in (pdf_text, lambda a: page_png(a, 1)):
        with pytest.raises(MediaError, match=r"'a\.pdf' takes longer than 0\.5 seconds to read; it may be made to do so"):
            read(artifact)
    monkeypatch.setattr(reading, "SECONDS", 100.0)
    assert load_text(take(TWO)).startswith("Hello world")  # a new reader takes its place
