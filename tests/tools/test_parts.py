from __future__ import annotations

import io
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from langchain_hugginggpt.tools import HUB_TASKS, ArtifactStore
from langchain_hugginggpt.tools.artifacts import Artifact
from langchain_hugginggpt.tools.audio import read_whole
from langchain_hugginggpt.tools.errors import InputError, MediaError, MissingExtraError
from langchain_hugginggpt.tools.inputs import read_inputs
from langchain_hugginggpt.tools.media import load_image, wav_bytes
from langchain_hugginggpt.tools.parts import split_part
from langchain_hugginggpt.tools.sniff import media_type_of
from langchain_hugginggpt.tools.task import Kind
from langchain_hugginggpt.tools.video import mp4_bytes
from tests.tools.documents.files import docx, scan_pdf, text_pdf, xlsx

COLOURS = ("red", "green", "blue")


def silent_video() -> bytes:
    return mp4_bytes([Image.new("RGB", (64, 64), c) for c in COLOURS], fps=1)


def sound(form: str, codec: str, *, pictures: bool = False, samples: int = 16_000) -> bytes:
    """A recording of a tone, or a video with it."""
    import av

    out = io.BytesIO()
    with av.open(out, "w", format=form) as container:
        stream: Any = container.add_stream(codec, rate=48_000)
        seen = container.add_stream("mpeg4", rate=1) if pictures else None
        if seen is not None:
            seen.width, seen.height, seen.pix_fmt = 64, 64, "yuv420p"
            frame = av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8), format="rgb24")
            container.mux(seen.encode(frame))
            container.mux(seen.encode(None))
        tone = np.sin(np.arange(3 * samples) * 0.05, dtype=np.float32)[None]
        for start in range(0, tone.shape[1], 960):
            part = av.AudioFrame.from_ndarray(np.ascontiguousarray(tone[:, start : start + 960]), format="flt", layout="mono")
            part.sample_rate = 48_000
            part.pts = start
            for made in av.AudioResampler(format=stream.format.name, layout=stream.layout.name, rate=48_000).resample(part):
                container.mux(stream.encode(made))
        container.mux(stream.encode(None))
    return out.getvalue()


@pytest.fixture
def store() -> ArtifactStore:
    return ArtifactStore()


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("artifact-1#page=2", ("artifact-1", "page=2")),
        ("a b.pdf#page=12", ("a b.pdf", "page=12")),
        ("a.mp4#t=12.5", ("a.mp4", "t=12.5")),
        ("https://x/a.pdf#page=1", ("https://x/a.pdf", "page=1")),
        ("#page=2", ("#page=2", "")),
        ("a#b.png", ("a#b.png", "")),
    ],
)
def test_what_names_a_part(value: str, expected: tuple[str, str]) -> None:
    assert split_part(value) == expected


@pytest.mark.parametrize("value", ["page=0", "page=-1", "page=99999999", "page=x", "page=02", "page=", "page=1.5", "t=1e9", "t=-1", "t=x"])
def test_what_only_looks_like_a_part_is_told(value: str, store: ArtifactStore, tmp_path: Path) -> None:
    said = "Pages count from 1" if value.startswith("page") else "Times are seconds from the beginning"
    (tmp_path / "a.pdf").write_bytes(text_pdf([["One"], ["Two"]]))
    kept = store.add(tmp_path / "a.pdf")
    for ask_for in (
        lambda: store.add(f"{tmp_path}/a.pdf#{value}"),
        lambda: store.resolve(f"{kept.id}#{value}", kind=Kind.IMAGE),
        lambda: store.add(f"http://127.0.0.1/a.pdf#{value}"),
        lambda: read_inputs(HUB_TASKS["summarization"], {"text": f"{kept.id}#{value}"}, store),
    ):
        with pytest.raises(MediaError, match=said):
            ask_for()
    text = f"Look at a.pdf#{value}"
    assert read_inputs(HUB_TASKS["summarization"], {"text": text}, store)["text"] == text


def test_a_page_that_the_caller_names_is_a_text_and_a_picture(store: ArtifactStore, tmp_path: Path) -> None:
    (tmp_path / "a.pdf").write_bytes(text_pdf([["One"], ["Two"]]))
    page = store.add(f"{tmp_path}/a.pdf#page=2")
    assert (page.name, page.kind, page.fits(Kind.IMAGE)) == ("a-page-2.pdf", Kind.TEXT, True)
    assert read_inputs(HUB_TASKS["summarization"], {"text": page.id}, store)["text"] == "Two"
    assert store.resolve(page.id, kind=Kind.IMAGE).media_type == "image/png"
    with pytest.raises(MediaError, match=r"There is no page 3 in 'a\.pdf'; it has 2"):
        store.add(f"{tmp_path}/a.pdf#page=3")
    (tmp_path / "a.pdf#page=2").write_bytes(text_pdf([["A file of exactly that name"]]))
    named = store.add(tmp_path / "a.pdf#page=2")
    assert read_inputs(HUB_TASKS["summarization"], {"text": named.id}, store)["text"] == "A file of exactly that name"
    assert ArtifactStore(allowed=[tmp_path]).resolve(f"{tmp_path}/a.pdf#page=2").id == named.id


def ask(store: ArtifactStore, **given: object) -> dict[str, object]:
    return read_inputs(HUB_TASKS["document-question-answering"], {"question": "Which?", **given}, store)


def test_the_only_page_of_a_pdf_is_taken_as_a_picture(store: ArtifactStore) -> None:
    image = ask(store, image=store.put(text_pdf([["x"]]), name="a.pdf").id)["image"]
    assert isinstance(image, Artifact)
    assert (image.name, image.media_type, image.kind) == ("a-page-1.png", "image/png", Kind.IMAGE)
    assert store.get(image.id) is image


def test_one_of_several_pages_is_named(store: ArtifactStore, tmp_path: Path) -> None:
    scan = store.put(scan_pdf("one", "two"), name="a.pdf")
    with pytest.raises(
        MediaError, match=rf"'image' of document-.*: The PDF 'a\.pdf' has 2 pages; one picture is wanted\..*{scan.id}#page=2"
    ):
        ask(store, image=scan.id)
    image = ask(store, image=f"{scan.id}#page=2")["image"]
    assert isinstance(image, Artifact)
    assert image.name == "a-page-2.png"
    (tmp_path / "b.pdf").write_bytes(scan_pdf("one", "two"))
    allowed = ArtifactStore(allowed=[tmp_path])
    assert allowed.resolve(f"{tmp_path}/b.pdf#page=1", kind=Kind.IMAGE).name == "b-page-1.png"
    for wrong, said in (("page=3", "no page 3 in 'a.pdf'; it has 2"), ("t=1", r"'a\.pdf' \(application/pdf\) has no times")):
        with pytest.raises(MediaError, match=said):
            ask(store, image=f"{scan.id}#{wrong}")


def test_a_port_for_several_pictures_takes_all_pages(store: ArtifactStore, monkeypatch: pytest.MonkeyPatch) -> None:
    task = HUB_TASKS["visual-document-retrieval"]
    scan = store.put(scan_pdf("one", "two"), name="a.pdf")
    found = read_inputs(task, {"query": "x", "images": [scan.id, f"{scan.id}#page=1"]}, store)["images"]
    assert [f.name for f in found] == ["a-page-1.png", "a-page-2.png", "a-page-1.png"]
    monkeypatch.setattr("langchain_hugginggpt.tools.documents.pdf.MAX_PICTURES", 1)
    with pytest.raises(MediaError, match=r"'images' of visual-.*: The PDF 'a\.pdf' has 2 pages; at most 1 are looked at"):
        read_inputs(task, {"query": "x", "images": [scan.id]}, store)


def test_text_ports_take_documents_and_pages(store: ArtifactStore) -> None:
    task = HUB_TASKS["summarization"]
    report = store.put(text_pdf([["Page one"], ["Page two"]]), name="a.pdf")
    assert read_inputs(task, {"text": report.id}, store)["text"] == "Page one\n\nPage two"
    assert read_inputs(task, {"text": f"{report.id}#page=2"}, store)["text"] == "Page two"
    assert read_inputs(task, {"text": store.put(docx("Hello")).id}, store)["text"] == "Hello"
    with pytest.raises(MediaError, match=r"'text' of summarization: The PDF 'b\.pdf' is a picture without text .*image-to-text first"):
        read_inputs(task, {"text": store.put(scan_pdf("x"), name="b.pdf").id}, store)


def test_table_ports_take_the_first_sheet(store: ArtifactStore) -> None:
    def read(rows: list[list[object]]) -> object:
        return read_inputs(HUB_TASKS["tabular-classification"], {"table": store.put(xlsx(A=rows)).id}, store)["table"]

    assert read([["a", None, "b"], [1, 5, "x"]]) == [{"a": 1, "column 2": 5, "b": "x"}]
    assert read([["column 2", None, "b"], [1, 2, 3]]) == [{"column 2": 1, "column 2'": 2, "b": 3}]
    assert read([["a", "b"], [1, None]]) == [{"a": 1, "b": None}]
    assert read([[1.5, 9], [3, 4]]) == [{"column 1": 1.5, "column 2": 9}, {"column 1": 3, "column 2": 4}]
    with pytest.raises(InputError, match="2 columns named 'a'"):
        read([["a", "a"], [1, 2]])
    with pytest.raises(InputError, match="must be a table"):
        read([["a", "b"]])


@pytest.mark.parametrize(("at", "colour"), [("0", "red"), ("1.2", "green"), ("2.9", "blue")])
def test_a_frame_of_a_video(at: str, colour: str, store: ArtifactStore) -> None:
    picture = load_image(store.resolve(f"{store.put(silent_video(), name='a.mp4').id}#t={at}", kind=Kind.IMAGE))
    pixel = picture.getpixel((32, 32))
    assert isinstance(pixel, tuple)
    assert COLOURS[int(np.argmax(pixel))] == colour


def test_a_video_is_no_picture_without_a_time(store: ArtifactStore) -> None:
    clip = store.put(silent_video(), name="a.mp4")
    with pytest.raises(
        MediaError, match=rf"an image file is wanted\. Name a time in seconds for one of its frames, as in {clip.id}#t=12\.5"
    ):
        store.resolve(clip.id, kind=Kind.IMAGE)
    with pytest.raises(MediaError, match=r"'a\.mp4' lasts 3\.0 s; there is no frame at 99 s"):
        store.resolve(f"{clip.id}#t=99")
    with pytest.raises(MediaError, match=r"'a\.mp4' \(video/mp4\) has no pages"):
        store.resolve(f"{clip.id}#page=1")


def test_an_audio_port_takes_the_sound_of_a_video(store: ArtifactStore) -> None:
    clip = store.put(sound("mp4", "aac", pictures=True), name="a.mp4")
    assert clip.kind is Kind.VIDEO
    assert store.resolve(clip, kind=Kind.AUDIO) is clip
    assert len(read_whole(clip, rate=16_000)) == pytest.approx(16_000, rel=0.1)
    with pytest.raises(MediaError, match=r"The video 'b\.mp4' has no sound"):
        store.resolve(store.put(silent_video(), name="b.mp4"), kind=Kind.AUDIO)


@pytest.mark.parametrize(
    ("form", "codec"), [("mp3", "libmp3lame"), ("ipod", "aac"), ("ogg", "libopus"), ("webm", "libopus"), ("flac", "flac")]
)
def test_recordings_of_any_format(form: str, codec: str, store: ArtifactStore) -> None:
    samples = read_whole(store.put(sound(form, codec)), rate=16_000)
    assert len(samples) == pytest.approx(16_000, rel=0.1)


def test_without_the_extra_uncompressed_wav_is_read(store: ArtifactStore, monkeypatch: pytest.MonkeyPatch) -> None:
    wav, mp3 = store.put(wav_bytes(b"\x00\x40" * 100, rate=16_000)), store.put(sound("mp3", "libmp3lame"))
    monkeypatch.setitem(sys.modules, "soundfile", None)
    assert read_whole(wav, rate=16_000).tolist() == [0.5] * 100
    with pytest.raises(MissingExtraError, match=r"langchain-hugginggpt\[media\]"):
        read_whole(mp3, rate=16_000)


def test_files_that_hold_nothing_or_are_cut_off(store: ArtifactStore) -> None:
    for data in (silent_video()[:400], silent_video()[:-600]):
        clip = store.put(data, name="a.mp4")
        with pytest.raises(MediaError, match=r"'a\.(mp4|m4a)'"):
            store.resolve(f"{clip.id}#t=0")
    empty = store.put(wav_bytes(b"", rate=16_000), name="a.wav")
    with pytest.raises(MediaError, match=r"'a\.wav' holds no sound \(0 samples\)"):
        read_whole(empty, rate=16_000)
    cut = store.put(sound("ipod", "aac")[:-3000], name="a.m4a")  # its table of contents stood at the end
    with pytest.raises(MediaError, match=r"'a\.m4a' cannot be read as a recording"):
        read_whole(cut, rate=16_000)


@pytest.mark.parametrize("name", ["a\x00b.pdf", "../../etc/passwd.pdf", "/etc/passwd.pdf", "..pdf", ".pdf", "a" * 5000 + ".pdf"])
def test_names_are_no_paths(name: str, store: ArtifactStore) -> None:
    made = store.resolve(f"{store.put(text_pdf([['x']]), name=name).id}#page=1")
    assert made.path.parent == store.folder.resolve()


def test_nothing_is_left_on_disk(store: ArtifactStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    for value in (text_pdf([["x"]]), text_pdf([]), xlsx(A=[["a"], [1]]), docx("x")[:-50] + b"x" * 50):
        kept = store.put(value)
        for kind in (Kind.IMAGE, Kind.TEXT):
            try:
                store.resolve(kept, kind=kind)
            except MediaError:
                continue
    assert [p for p in tmp_path.iterdir() if not p.samefile(store.folder)] == []


@pytest.mark.parametrize(
    ("brand", "others", "media_type"),
    [
        (b"heic", b"mif1", "image/heic"),
        (b"mif1", b"heic", "image/heic"),
        (b"mif1", b"avif", "image/avif"),
        (b"avif", b"mif1", "image/avif"),
        (b"isom", b"avif", "video/mp4"),
    ],
)
def test_pictures_in_the_container_of_mp4(brand: bytes, others: bytes, media_type: str) -> None:
    assert media_type_of(b"\x00\x00\x00\x14ftyp" + brand + bytes(4) + others) == media_type


def test_heic_is_told_and_avif_is_read(store: ArtifactStore) -> None:
    with pytest.raises(MediaError, match=r"'a\.heic' is a HEIC picture, which is not read\. Give a PNG or JPEG file"):
        load_image(store.put(b"\x00\x00\x00\x14ftypheic" + bytes(4) + b"mif1", name="a.heic"))
    out = io.BytesIO()
    Image.new("RGB", (8, 8), "red").save(out, "AVIF")
    assert load_image(store.put(out.getvalue(), name="a.avif")).size == (8, 8)


def test_a_wrong_ending_is_told(store: ArtifactStore) -> None:
    out = io.BytesIO()
    Image.new("RGB", (2, 2)).save(out, "PNG")
    for name in ("a.pdf", "a.docx", "a.html"):
        with pytest.raises(MediaError, match=rf"'{name}' is named like .* but holds image/png"):
            store.put(out.getvalue(), name=name)


def test_kinds_of_pdfs_are_looked_up_once(store: ArtifactStore, monkeypatch: pytest.MonkeyPatch) -> None:
    from langchain_hugginggpt.tools.documents import pdf

    asked: list[str] = []
    ask = pdf._ask

    def counted(artifact: Artifact, do: str, **request: Any) -> tuple[dict[str, Any], bytes]:
        asked.append(do)
        return ask(artifact, do, **request)

    monkeypatch.setattr(pdf, "_ask", counted)
    scan = store.put(scan_pdf("once"))
    assert [scan.kind, scan.kind, scan.fits(Kind.IMAGE), scan.fits(Kind.TEXT)] == [Kind.IMAGE, Kind.IMAGE, True, False]
    assert asked == ["count", "has_text"]
