"""Files in and out: what is stored, what may be read, and what is refused."""

from __future__ import annotations

import base64
import gc
import hashlib
import io
import os
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from langchain_hugginggpt.index.errors import ExpertError
from langchain_hugginggpt.tools import Artifact, ArtifactStore, Kind
from langchain_hugginggpt.tools.artifacts import is_artifact_id
from langchain_hugginggpt.tools.errors import MediaError
from langchain_hugginggpt.tools.media import load_wav, wav_bytes


def png(colour: str = "red") -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (2, 2), colour).save(out, "PNG")
    return out.getvalue()


PNG = png()
B64 = base64.b64encode(PNG).decode()
ID = f"artifact-{hashlib.sha256(PNG).hexdigest()[:16]}"


@pytest.fixture
def allowed(tmp_path: Path) -> Path:
    (tmp_path / "allowed").mkdir()
    return tmp_path / "allowed"


@pytest.fixture
def store(tmp_path: Path, allowed: Path) -> ArtifactStore:
    return ArtifactStore(tmp_path / "store", allowed=[allowed])


def test_the_same_content_is_the_same_artifact(store: ArtifactStore) -> None:
    one, two, other = store.put(PNG, name="a.png"), store.put(PNG, name="b.png"), store.put(png("blue"))
    assert (one.id, one.path) == (two.id, two.path)
    assert (two.name, store.get(ID).name, store.put(PNG)) == ("b.png", "b.png", two)
    assert (one.id, one.name, one.media_type, one.size, one.kind) == (ID, "a.png", "image/png", len(PNG), Kind.IMAGE)
    assert other.id != one.id
    assert one.read_bytes() == PNG
    assert one.path == store.folder.resolve() / f"{ID.removeprefix('artifact-')}.png"
    assert len(list(store.folder.iterdir())) == 2


def test_the_folder_is_made_on_the_first_write(tmp_path: Path) -> None:
    store = ArtifactStore(tmp_path / "deep" / "er")
    assert not (tmp_path / "deep").exists()
    store.put(b"x")
    assert (tmp_path / "deep" / "er").is_dir()


def test_a_store_without_a_folder_takes_its_files_with_it() -> None:
    store = ArtifactStore()
    path = store.put(b"x").path
    assert path.exists()
    del store
    gc.collect()
    assert not path.exists()


def test_a_lost_file_is_written_again(store: ArtifactStore) -> None:
    path = store.put(PNG).path
    path.unlink()
    assert store.put(PNG).path.exists()


def test_artifacts_survive_json(store: ArtifactStore) -> None:
    artifact = store.put(PNG, name="a.png")
    assert Artifact.from_json(artifact.as_json()) == artifact
    assert artifact.as_json()["path"] == str(artifact.path)


def test_another_store_of_the_folder_knows_its_artifacts(store: ArtifactStore) -> None:
    artifact = store.put(PNG)
    again = ArtifactStore(store.folder).get(artifact.id)
    assert (again.id, again.media_type, again.path) == (artifact.id, "image/png", artifact.path)


def test_an_artifact_whose_file_has_gone_says_so(store: ArtifactStore) -> None:
    artifact = store.put(PNG, name="gone.png")
    artifact.path.unlink()
    assert ArtifactStore().known(artifact) is artifact
    with pytest.raises(MediaError, match=rf"{ID} \('gone.png'\) cannot be read: No such file"):
        artifact.read_bytes()


def test_empty_content_is_refused(store: ArtifactStore, allowed: Path) -> None:
    (allowed / "empty.txt").write_bytes(b"")
    with pytest.raises(MediaError, match=r"The file 'a\.png' is empty \(0 bytes\)\. Give a file"):
        store.put(b"", name="a.png")
    with pytest.raises(MediaError, match=r"empty\.txt' is empty \(0 bytes\)"):
        store.add_file(allowed / "empty.txt")


def test_a_recording_in_a_file_may_be_larger(store: ArtifactStore, allowed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is read bit by bit. Its id is that of its content, as for every file."""
    monkeypatch.setattr("langchain_hugginggpt.tools.artifacts.MAX_BYTES", 1000)
    monkeypatch.setattr("langchain_hugginggpt.tools.media.MAX_BYTES", 1000)
    monkeypatch.setattr("langchain_hugginggpt.tools.artifacts.MAX_RECORDING_BYTES", 3000)
    monkeypatch.setattr("langchain_hugginggpt.tools.artifacts._HEAD", 100)
    data = wav_bytes(b"\0" * 2000, rate=16_000)
    (allowed / "long.wav").write_bytes(data)
    taken = store.add_file(allowed / "long.wav")
    assert (taken.id, taken.kind, taken.size) == (f"artifact-{hashlib.sha256(data).hexdigest()[:16]}", Kind.AUDIO, 2044)
    with pytest.raises(ExpertError, match=r"'long\.wav' has 2,044 bytes; this expert reads at most 1,000"):
        load_wav(taken)
    (allowed / "longer.wav").write_bytes(wav_bytes(b"\0" * 4000, rate=16_000))
    with pytest.raises(MediaError, match=r"longer\.wav' has 4,044 bytes; at most 3,000 are taken"):
        store.add_file(allowed / "longer.wav")


def test_too_much_is_refused(store: ArtifactStore, allowed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("langchain_hugginggpt.tools.artifacts.MAX_BYTES", 1000)
    (allowed / "big.txt").write_bytes(b"x" * 1001)
    (allowed / "fits.txt").write_bytes(b"x" * 1000)
    store.add_file(allowed / "fits.txt")
    said = r"has 1,001 bytes; at most 1,000 are taken\. Give a smaller file"
    with pytest.raises(MediaError, match=said):
        store.add_file(allowed / "big.txt")
    with pytest.raises(MediaError, match=said):
        store.put(b"x" * 1001)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("missing.txt", r"There is no file .*missing\.txt'\. Check the path"),
        ("folder", "is a folder. Name the files in it"),
        ("pipe", "is not a regular file"),
        ("file/below", "cannot be read: Not a directory"),
        ("x" * 300, "cannot be read: File name too long"),
        ("null\x00byte", "cannot be read: embedded null byte"),
        ("circle", "cannot be read: Too many levels of symbolic links"),
        ("dangling", "There is no file"),
    ],
)
def test_what_is_no_file_is_refused(store: ArtifactStore, tmp_path: Path, name: str, said: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_text("x")
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "circle").symlink_to(tmp_path / "circle")
    (tmp_path / "dangling").symlink_to(tmp_path / "nowhere")
    with pytest.raises(MediaError, match=said):
        store.add_file(tmp_path / name)


def test_a_device_is_no_file(store: ArtifactStore) -> None:
    with pytest.raises(MediaError, match="not a regular file"):
        store.add_file("/dev/zero")


def test_a_folder_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    store = ArtifactStore(tmp_path / "file")
    for act in (lambda: store.put(b"x"), store.prepare):
        with pytest.raises(MediaError, match=r"file' cannot be written to: .*Choose another folder for results \(--out DIR\)"):
            act()


@pytest.mark.parametrize(
    "name", ["with space.png", 'it\'s "q".png', "two\nlines.png", "-rf.png", "日本.png", "..", "$(x).png", ".hidden.png"]
)
def test_odd_names_are_only_names(store: ArtifactStore, allowed: Path, name: str) -> None:
    assert store.put(PNG, name=name).path.parent == store.folder.resolve()
    if name != "..":
        (allowed / name).write_bytes(png("blue"))
        artifact = store.resolve(str(allowed / name))
        assert (artifact.name, artifact.path) == (name, (allowed / name).resolve())


@pytest.mark.parametrize("name", ["../../escape.png", "/etc/cron.d/x.png", "a/b/c.png"])
def test_a_name_is_never_a_path(store: ArtifactStore, tmp_path: Path, name: str) -> None:
    block = {"type": "image", "base64": B64, "mime_type": "image/png", "extras": {"filename": name}}
    for artifact in (store.put(PNG, name=name), ArtifactStore(tmp_path / "second").resolve(block)):
        assert artifact.path.parent in ((tmp_path / "store").resolve(), (tmp_path / "second").resolve())
        assert artifact.path.name == ID.removeprefix("artifact-") + ".png"
    assert {p.name for p in tmp_path.iterdir()} == {"allowed", "store", "second"}


def test_a_name_that_claims_another_kind_is_refused(store: ArtifactStore, allowed: Path) -> None:
    (allowed / "words.png").write_text("words")
    (allowed / "data.csv").write_bytes(PNG)
    (allowed / "latin.txt").write_bytes("für".encode("latin-1"))
    with pytest.raises(MediaError, match=r"'words\.png' is named like image/png but holds text\. Give it its right name"):
        store.add_file(allowed / "words.png")
    with pytest.raises(MediaError, match=r"'data\.csv' is named like text/csv but holds image/png"):
        store.resolve(str(allowed / "data.csv"))
    with pytest.raises(MediaError, match=r"Save it as UTF-8 text\."):
        store.add_file(allowed / "latin.txt")
    assert store.put(PNG, name="photo.jpg").media_type == "image/png"  # another picture is a picture


@pytest.mark.parametrize(("name", "kind"), [("a.csv", Kind.TABLE), ("a.json", Kind.JSON), ("a.md", Kind.TEXT), ("a", Kind.TEXT)])
@pytest.mark.parametrize("declared", [None, "text/plain", "text/csv"])
def test_a_name_tells_texts_apart(store: ArtifactStore, name: str, kind: Kind, declared: str | None) -> None:
    expected = Kind.TABLE if (name, declared) == ("a", "text/csv") else kind
    assert store.put(b'["a"]', name=name, media_type=declared).kind is expected


def test_resolving_artifacts_and_ids(store: ArtifactStore) -> None:
    artifact = store.put(PNG)
    assert store.resolve(artifact) is artifact
    assert store.resolve(artifact.id, kind=Kind.IMAGE) is artifact
    assert is_artifact_id(artifact.id)
    for ident in ("artifact-0123456789abcdef", "artifact-" + "*" * 16, "artifact-../../../x"):
        with pytest.raises(MediaError, match=r"There is no artifact|lies in no folder"):
            store.resolve(ident)
    with pytest.raises(MediaError, match=r"no artifact 'artifact-0123456789abcdef'\. Use an id that an earlier task gave"):
        store.get("artifact-0123456789abcdef")


def test_another_kind_is_refused(store: ArtifactStore) -> None:
    with pytest.raises(MediaError, match=r"'a\.png' is an image file \(image/png\); an audio file is wanted\. Give an audio file\."):
        store.resolve(store.put(PNG, name="a.png"), kind=Kind.AUDIO)


def test_a_path_in_an_allowed_folder(store: ArtifactStore, allowed: Path) -> None:
    (allowed / "sub").mkdir()
    (allowed / "sub" / "a.png").write_bytes(PNG)
    assert store.resolve(str(allowed / "sub" / "a.png")).id == ID
    assert store.resolve(str(allowed / "sub" / ".." / "sub" / "a.png")).id == ID


def test_paths_elsewhere_are_refused(store: ArtifactStore, allowed: Path, tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_text("secret")
    (tmp_path / "allowed-not").mkdir()
    (tmp_path / "allowed-not" / "a.txt").write_text("secret")
    (allowed / "link.txt").symlink_to(tmp_path / "secret.txt")
    (allowed / "way-out").symlink_to(tmp_path)
    for path in (
        tmp_path / "secret.txt",
        allowed / ".." / "secret.txt",
        allowed / "link.txt",
        allowed / "way-out" / "secret.txt",
        tmp_path / "allowed-not" / "a.txt",
        Path("/etc/passwd"),
        Path("pyproject.toml"),
        Path("~/.ssh/id_rsa"),
    ):
        with pytest.raises(MediaError, match=r"lies in no folder that may be read.*Attach the file"):
            store.resolve(str(path))


def test_without_allowed_folders_no_path_is_read(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("x")
    with pytest.raises(MediaError, match="lies in no folder that may be read"):
        ArtifactStore(tmp_path).resolve(str(tmp_path / "a.txt"))


@pytest.mark.parametrize("name", ["null\x00byte", "x" * 300, "circle", "missing"])
def test_unusable_paths_are_media_errors(store: ArtifactStore, allowed: Path, name: str) -> None:
    (allowed / "circle").symlink_to(allowed / "circle")
    with pytest.raises(MediaError):
        store.resolve(str(allowed / name))


def test_data_urls(store: ArtifactStore) -> None:
    assert store.resolve(f"data:image/png;base64,{B64}").id == ID
    assert store.resolve("data:text/csv;charset=utf-8;base64,YSxi").media_type == "text/csv"
    assert store.resolve(f"data:;base64,{B64}").media_type == "image/png"
    for url, said in (
        ("data:text/plain,hello", "must be base64"),
        ("data:image/png;base64", "must be base64|is empty"),
        ("data:image/png;base64,%%%", "cannot be decoded"),
        ("data:image/png;base64,", "is empty"),
    ):
        with pytest.raises(MediaError, match=said):
            store.resolve(url)
    assert store.resolve(f"DATA:image/png;BASE64,{B64}").id == ID
    with pytest.raises(MediaError, match=r"is an image file .* an audio file is wanted"):  # whatever the address claims
        store.resolve(f"data:audio/wav;base64,{B64}", kind=Kind.AUDIO)


def test_a_data_url_is_measured_before_it_is_decoded(store: ArtifactStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("langchain_hugginggpt.tools.artifacts.MAX_BYTES", 300)
    assert store.resolve("data:;base64," + "eHh4" * 100).size == 300
    for given in ("data:;base64," + "%" * 500, {"type": "file", "base64": "%" * 500}):  # could not be decoded at all
        with pytest.raises(MediaError, match=r"The file has more than 300 bytes\. Give a smaller file"):
            store.resolve(given)


def test_the_caller_names_files_anywhere(store: ArtifactStore, tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(PNG)
    assert store.add(tmp_path / "a.png").id == store.add(str(tmp_path / "a.png")).id == ID
    with pytest.raises(MediaError, match=r"There is no file 'a:b\.png'"):
        store.add("a:b.png")


@pytest.mark.parametrize("url", ["http://127.0.0.1/a.png", "https://x.org/a.png", "HTTP://X.org"])
def test_without_a_fetcher_addresses_are_not_fetched(store: ArtifactStore, url: str) -> None:
    for given in (url, {"type": "image", "url": url}):
        with pytest.raises(MediaError, match=r"Addresses are not fetched here: .* Download the file and attach it"):
            store.resolve(given)
    with pytest.raises(MediaError, match="Addresses are not fetched here"):
        store.add(url)


@pytest.mark.parametrize(
    ("url", "remedy"), [("ftp://x/a", "Give an http or https address"), ("file:///etc/passwd", "by its path"), ("S3://b/k", "download")]
)
def test_other_addresses_are_refused(store: ArtifactStore, url: str, remedy: str) -> None:
    for given in (url, {"type": "image", "url": url}):
        with pytest.raises(MediaError, match=rf"only http and https addresses are\. .*{remedy}"):
            store.resolve(given)


@pytest.mark.parametrize(
    "block",
    [
        {"type": "image", "base64": B64, "mime_type": "image/png"},
        {"type": "image", "base64": B64},
        {"type": "image", "base64": B64, "mime_type": 5, "extras": "odd"},
        {"type": "file", "base64": B64, "mime_type": "text/plain", "extras": {"filename": "a.png"}},
        {"type": "image", "file_id": ID},
        {"type": "image", "url": ID},
        {"type": "image", "url": f"data:image/png;base64,{B64}"},
    ],
    ids=["base64", "untyped", "odd", "file", "file_id", "url is an id", "data url"],
)
def test_content_blocks(store: ArtifactStore, block: dict[str, Any]) -> None:
    store.put(PNG)
    assert store.resolve(block, kind=Kind.IMAGE).id == ID


def test_text_blocks(store: ArtifactStore) -> None:
    artifact = store.resolve({"type": "text-plain", "mime_type": "text/plain", "text": "hello", "title": "note.txt"})
    assert (artifact.read_bytes(), artifact.name, artifact.kind) == (b"hello", "note.txt", Kind.TEXT)
    assert store.resolve({"type": "text", "text": "half \ud83d"}).read_bytes() == "half \ufffd".encode()


def test_a_block_names_its_file(store: ArtifactStore) -> None:
    block = {"type": "image", "base64": B64, "extras": {"filename": "my photo.png"}}
    assert store.resolve(block).name == "my photo.png"


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ({"type": "image"}, "content block of type 'image' holds neither base64, file_id, text nor url"),
        ({}, "holds neither"),
        ({"type": "image", "base64": 5}, "holds neither"),
        ({"type": "image", "base64": "%%"}, "cannot be decoded"),
        ({"type": "image", "file_id": "artifact-0000000000000000"}, "no artifact"),
        ({"type": "text", "text": ""}, "is empty"),
        (None, "A file is wanted, not None"),
        ("", "A file is wanted, not ''"),
        ("  ", "A file is wanted"),
        (5, "A file is wanted, not 5"),
        ([B64], "A file is wanted"),
    ],
)
def test_what_means_no_file_is_refused(store: ArtifactStore, value: object, said: str) -> None:
    with pytest.raises(MediaError, match=said):
        store.resolve(value)


def test_messages_about_long_values_are_short(store: ArtifactStore) -> None:
    for value in ("x" * 100_000, "http://" + "x" * 100_000, "data:" + "x" * 100_000, ["x" * 100_000]):
        with pytest.raises(MediaError) as e:
            store.resolve(value)
        assert len(str(e.value)) < 300


def test_the_same_bytes_under_another_name_have_its_type(store: ArtifactStore) -> None:
    reply = store.put(b"a,b\n1,2\n", name="reply.txt", media_type="text/plain")
    table = store.put(b"a,b\n1,2\n", name="data.csv")
    assert (reply.kind, table.kind, table.name, table.path) == (Kind.TEXT, Kind.TABLE, "data.csv", reply.path)
    assert store.get(reply.id) == table


def test_nothing_is_left_of_a_file_that_could_not_be_written(store: ArtifactStore, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(self: Path, target: object) -> Path:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(MediaError, match="No space left on device"):
        store.put(b"text")
    assert list(store.folder.iterdir()) == []
