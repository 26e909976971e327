from __future__ import annotations

import datetime
import io
import sys
import zipfile
from collections.abc import Callable

import pytest

from langchain_hugginggpt.tools.artifacts import Artifact, ArtifactStore
from langchain_hugginggpt.tools.documents import archive
from langchain_hugginggpt.tools.documents.office import first_sheet
from langchain_hugginggpt.tools.errors import MediaError, MissingExtraError
from langchain_hugginggpt.tools.media import load_text
from langchain_hugginggpt.tools.task import Kind
from tests.tools.documents.files import docx, member, pptx, with_member, xlsx

BODY = "word/document.xml"
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
BOOK = xlsx(Sales=[["city", None, "since"], ["Leeds", None, datetime.datetime(2024, 1, 2)], [None] * 3, [True, None, 2.5]], More=[["x"]])


@pytest.fixture
def take() -> Callable[..., Artifact]:
    store = ArtifactStore()
    return lambda data, name="": store.put(data, name=name)


def with_rows(rows: bytes) -> bytes:
    sheet = member(BOOK, "xl/worksheets/sheet1.xml")
    start, end = sheet.index(b"<sheetData>") + 11, sheet.index(b"</sheetData>")
    return with_member(BOOK, "xl/worksheets/sheet1.xml", sheet[:start] + rows + sheet[end:])


def test_word_files_give_paragraphs_and_tables_in_order(take: Callable[..., Artifact]) -> None:
    artifact = take(docx("Hello", "a\tb", table=[["n", "v"], ["1", "2"]], after="end"), "a.docx")
    assert artifact.kind is Kind.TEXT
    assert load_text(artifact) == "Hello\na\tb\nn | v\n1 | 2\nend"


def test_power_point_files_give_slides_with_notes(take: Callable[..., Artifact]) -> None:
    artifact = take(pptx(("First", "words", "say hello"), ("Second", "more", "")), "a.pptx")
    assert artifact.kind is Kind.TEXT
    assert load_text(artifact) == "Slide 1\nFirst\nwords\nNotes: say hello\nSlide 2\nSecond\nmore"


def test_excel_files_give_all_sheets_as_text_and_the_first_as_rows(take: Callable[..., Artifact]) -> None:
    artifact = take(BOOK, "a.xlsx")
    assert artifact.kind is Kind.TABLE
    assert load_text(artifact) == "Sales:\ncity,,since\nLeeds,,2024-01-02\nTrue,,2.5\n\nMore:\nx\n"
    assert first_sheet(artifact) == [["city", "since"], ["Leeds", "2024-01-02"], [True, 2.5]]


def test_a_million_empty_rows_are_none(take: Callable[..., Artifact]) -> None:
    rows = b"".join(b'<row r="%d"/>' % n for n in range(1, 50_000))
    assert first_sheet(take(with_rows(rows + b'<row r="1048576"/>'))) == [["x"]]  # of the second sheet


@pytest.mark.parametrize(
    "rows",
    [
        b"".join(b'<row r="%d"><c r="XFD%d"/></row>' % (n, n) for n in range(1, 1000)),  # filled up they would be 16 million cells
        b'<row r="1"><c r="XFD1"><v>1</v></c></row>',
        b'<row r="999999999999"><c r="A999999999999"><v>1</v></c></row>',
    ],
)
def test_sheets_that_are_too_large(rows: bytes, take: Callable[..., Artifact]) -> None:
    with pytest.raises(MediaError, match=r"The sheet 'Sales' of 'a\.xlsx' is too large; at most 200,000 rows, 1,000 columns"):
        first_sheet(take(with_rows(rows), "a.xlsx"))


def test_bombs_are_refused_before_they_are_unpacked(take: Callable[..., Artifact], monkeypatch: pytest.MonkeyPatch) -> None:
    bomb = with_member(docx("x"), "word/media/image.bin", bytes(40 * 2**20))
    monkeypatch.setattr(zipfile.ZipFile, "open", lambda *a, **k: pytest.fail("unpacked"))
    with pytest.raises(MediaError, match=r"Word file 'a\.docx' has [\d,]+ bytes and unpacks to 42,[\d,]+; at most [\d,]+ are taken"):
        load_text(take(bomb, "a.docx"))


def test_a_bomb_that_lies_about_its_size_gives_no_more_than_it_says(take: Callable[..., Artifact]) -> None:
    data = bytearray(with_member(docx("x"), "word/big.xml", b" " * 30 * 2**20))
    at = data.rindex(b"PK\x01\x02")
    data[at + 24 : at + 28] = (10).to_bytes(4, "little")
    with pytest.raises(MediaError, match="damaged: Bad CRC-32"):
        load_text(take(bytes(data), "a.docx"))


def test_an_archive_within_is_left_as_it_is(take: Callable[..., Artifact]) -> None:
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w", zipfile.ZIP_DEFLATED) as f:
        f.writestr("zeros", bytes(50 * 2**20))
    assert load_text(take(with_member(docx("hello"), "word/embeddings/inner.zip", inner.getvalue()), "a.docx")) == "hello"


def test_too_many_members(take: Callable[..., Artifact], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "MAX_MEMBERS", 5)
    with pytest.raises(MediaError, match=r"has \d+ parts or more; at most 5 are read"):
        load_text(take(docx("x"), "a.docx"))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
@pytest.mark.parametrize("entity", ['"&b;&b;&b;"', 'SYSTEM "file:///etc/passwd"'])
def test_entities_have_no_effect(entity: str, encoding: str, take: Callable[..., Artifact]) -> None:
    text = member(docx("hello"), BODY).decode().replace("hello", "&a;").split("?>", 1)[1]
    body = f'<?xml version="1.0" encoding="{encoding}"?><!DOCTYPE d [<!ENTITY b "lol"><!ENTITY a {entity}>]>{text}'.encode(encoding)
    with pytest.raises(MediaError, match=r"declares entities \(word/document\.xml\)"):
        load_text(take(with_member(docx("x"), BODY, body), "a.docx"))


@pytest.mark.parametrize(("make", "name"), [(docx, "a.docx"), (pptx, "a.pptx"), (xlsx, "a.xlsx")])
def test_what_is_no_such_file_is_told(make: Callable[..., bytes], name: str, take: Callable[..., Artifact]) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as f:
        f.writestr("hello.txt", "hello")
    with pytest.raises(MediaError, match=rf"'{name}' is named like .* but holds application/zip"):
        take(out.getvalue(), name)
    with pytest.raises(MediaError, match=rf"'{name}' is protected by a password"):
        take(OLE + bytes(500) + "EncryptedPackage".encode("utf-16-le"), name)
    with pytest.raises(MediaError, match="Office 97 to 2003"):
        take(OLE + bytes(500), name)


@pytest.mark.parametrize("part", [BODY, "[Content_Types].xml", "_rels/.rels"])
@pytest.mark.parametrize("content", [b"", b"<a", b"<a/>", bytes(range(256))])
def test_damaged_word_files(part: str, content: bytes, take: Callable[..., Artifact]) -> None:
    with pytest.raises(MediaError, match=r"The (Word|text) file 'a\.docx' (is damaged|holds only white space)"):
        load_text(take(with_member(docx("hello"), part, content), "a.docx"))


def test_files_that_were_cut_off(take: Callable[..., Artifact]) -> None:
    for data, name in ((docx("hello"), "a.docx"), (BOOK, "a.xlsx")):
        with pytest.raises(MediaError, match=r"named like .* but holds application/zip"):
            take(data[:-100], name)
        broken = bytearray(data)
        broken[200:260] = bytes(60)
        with pytest.raises(MediaError, match="is damaged"):
            load_text(take(bytes(broken), name))


@pytest.mark.parametrize(("package", "data"), [("docx", docx("x")), ("pptx", pptx(("a", "b", ""))), ("openpyxl", BOOK)])
def test_without_the_extra(package: str, data: bytes, take: Callable[..., Artifact], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(MissingExtraError, match=r"langchain-hugginggpt\[media\]"):
        load_text(take(data))


NAMESPACES = (
    'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main" '
    'xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006" '
    'xmlns:m="http://schemas.openxmlformats.org/officeDocument/2006/math"'
)


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (
            "<w:p><w:r><w:t>Main.</w:t></w:r><w:r><mc:AlternateContent><mc:Choice><w:txbxContent><w:p><w:r><w:t>Box</w:t></w:r></w:p>"
            "</w:txbxContent></mc:Choice><mc:Fallback><w:txbxContent><w:p><w:r><w:t>Box</w:t></w:r></w:p></w:txbxContent></mc:Fallback>"
            "</mc:AlternateContent></w:r></w:p>",
            "Main.\nBox",
        ),
        ("<w:p><w:r><mc:AlternateContent><mc:Fallback><w:t>old</w:t></mc:Fallback></mc:AlternateContent></w:r></w:p>", "old"),
        (
            "<w:tbl><w:tr><w:tc><w:p><w:r><w:t>outer</w:t></w:r></w:p></w:tc><w:tc><w:tbl><w:tr><w:tc><w:p><w:r><w:t>in</w:t></w:r></w:p>"
            "</w:tc></w:tr></w:tbl><w:p/></w:tc></w:tr></w:tbl>",
            "outer | in",
        ),
        (
            "<w:p><w:r><w:t>E=</w:t></w:r><m:oMath><m:r><m:t>mc</m:t></m:r><m:sSup><m:e/><m:sup><m:r><m:t>2</m:t></m:r></m:sup></m:sSup>"
            "<m:f><m:num><m:r><m:t>1</m:t></m:r></m:num><m:den><m:r><m:t>3</m:t></m:r></m:den></m:f></m:oMath></w:p>",
            "E=mc^21/3",
        ),
        (
            "<w:p><w:del><w:r><w:delText>a</w:delText></w:r></w:del><w:moveFrom><w:r><w:t>b</w:t></w:r></w:moveFrom>"
            "<w:r><w:rPr><w:vanish/></w:rPr><w:t>c</w:t></w:r><w:r><w:rPr><w:vanish w:val='0'/></w:rPr><w:t>d</w:t></w:r>"
            "<w:ins><w:r><w:t>e</w:t></w:r></w:ins><w:moveTo><w:r><w:t>f</w:t></w:r></w:moveTo></w:p>",
            "def",
        ),
        (
            "<w:tbl><w:tr><w:trPr><w:del/></w:trPr><w:tc><w:p><w:r><w:t>gone</w:t></w:r></w:p></w:tc></w:tr>"
            "<w:tr><w:sdt><w:sdtContent><w:tc><w:p><w:r><w:t>kept</w:t></w:r></w:p></w:tc></w:sdtContent></w:sdt></w:tr></w:tbl>",
            "kept",
        ),
    ],
)
def test_word_files_are_read_as_they_are_seen(body: str, text: str, take: Callable[..., Artifact]) -> None:
    document = f"<w:document {NAMESPACES}><w:body>{body}</w:body></w:document>"
    assert load_text(take(with_member(docx("x"), BODY, document.encode()))) == text


def test_formulas_that_were_never_calculated_are_shown(take: Callable[..., Artifact]) -> None:
    rows: list[list[object]] = [["a", "total"], [2, "=A2*2"], [3, "=A3*2"]]
    artifact = take(xlsx(A=rows), "a.xlsx")
    assert first_sheet(artifact) == rows
    assert load_text(artifact) == "a,total\n2,=A2*2\n3,=A3*2\n"


def test_what_formulas_gave_is_read_even_if_it_is_empty(take: Callable[..., Artifact]) -> None:
    row = (
        b'<row r="1"><c r="A1"><f>1+1</f><v>2</v></c><c r="B1" t="str"><f>IF(1,"","x")</f><v></v></c><c r="C1"><v>7</v></c>'
        b'<c r="D1"><f>A1</f></c></row>'
    )
    assert first_sheet(take(with_rows(row))) == [[2, 7, "=A1"]]


def test_hidden_sheets_are_not_read(take: Callable[..., Artifact]) -> None:
    book = xlsx(Secret=[["x"], [1]], Shown=[["y", "z"], [2, None]])
    names = member(book, "xl/workbook.xml").replace(
        b'name="Secret" sheetId="1" state="visible"', b'name="Secret" sheetId="1" state="hidden"'
    )
    artifact = take(with_member(book, "xl/workbook.xml", names))
    assert first_sheet(artifact) == [["y", "z"], [2, None]]  # a column with a name alone stays
    assert load_text(artifact) == "y,z\n2\n\n[Not read: hidden sheet 'Secret'.]"
