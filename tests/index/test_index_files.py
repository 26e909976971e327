"""An index on disk: written, opened, replaced, damaged."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from langchain_hugginggpt.index import ModelCard, ModelCardIndex
from langchain_hugginggpt.index.catalogue import load_catalogue
from langchain_hugginggpt.index.errors import CardError, IndexFileError
from langchain_hugginggpt.index.store.vectors import file_name
from tests.fakes import WordEncoder
from tests.index.cards import CARDS, WORDS

if TYPE_CHECKING:
    from langchain_hugginggpt.index.minilm import Floats

ENCODER = WordEncoder(*WORDS)
QUERIES = ("cats", "dogs birds", "words on pictures", "")


def answers(index: ModelCardIndex) -> list[object]:
    return [index.search(q, task=t, limit=9) for q in QUERIES for t in (None, "image-classification", "image-to-text")]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    ModelCardIndex.build(CARDS, tmp_path / "an index", encoder=ENCODER, source="test")
    return tmp_path / "an index"


def generation(folder: Path) -> Path:
    return folder / str(json.loads((folder / "manifest.json").read_text())["generation"])


def change_manifest(folder: Path, **changes: object) -> None:
    path = folder / "manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def test_what_was_built_is_opened(folder: Path) -> None:
    index = ModelCardIndex.open(folder, encoder=ENCODER)
    assert answers(index) == answers(ModelCardIndex.from_cards(CARDS, encoder=ENCODER))
    assert len(index) == 5
    assert index.manifest["source"] == "test"
    assert index.manifest["counts"] == {"image-classification": 3, "image-to-text": 2}
    assert index.get("zoo/dogs") == CARDS[1]


def test_an_index_in_memory_is_saved(tmp_path: Path) -> None:
    index = ModelCardIndex.from_cards(CARDS, encoder=ENCODER)
    index.save(tmp_path / "saved")
    assert answers(ModelCardIndex.open(str(tmp_path / "saved"), encoder=ENCODER)) == answers(index)


def test_an_opened_index_is_saved_elsewhere(folder: Path, tmp_path: Path) -> None:
    ModelCardIndex.open(folder, encoder=ENCODER).save(tmp_path / "copy")
    assert answers(ModelCardIndex.open(tmp_path / "copy", encoder=ENCODER)) == answers(ModelCardIndex.open(folder, encoder=ENCODER))


def test_nothing_in_the_folder_is_pickled(folder: Path) -> None:
    files = [p for p in folder.rglob("*") if p.is_file()]
    assert {p.suffix or p.name for p in files} == {".json", ".sqlite", ".faiss", ".owners", ".lock"}
    heads = {p.suffix: p.read_bytes()[:4] for p in files}
    assert heads[".sqlite"] == b"SQLi"
    assert heads[".faiss"] == b"IxFI"
    assert json.loads((folder / "manifest.json").read_text())["format"] == 2


def test_a_reader_follows_an_index_that_is_replaced(folder: Path) -> None:
    reader = ModelCardIndex.open(folder, encoder=ENCODER)
    assert reader.search("cats")[0].card.id == "zoo/cats"
    for name in ("new/one", "new/two", "new/three"):
        ModelCardIndex.build([ModelCard(id=name, task="image-to-text", text="words")], folder, encoder=ENCODER)
        assert [h.card.id for h in reader.search("words")] == [name]
    assert (len(reader), reader.tasks) == (1, {"image-to-text": 1})


def test_a_generation_that_is_replaced_in_the_middle_of_a_search_is_left_for_the_newest(folder: Path) -> None:
    class Slow(WordEncoder):
        """While the first query is encoded, two builds finish: the generation that was opened is gone."""

        def encode(self, texts: Sequence[str]) -> Floats:
            if self in waiting:
                waiting.remove(self)
                for name in ("new/one", "new/two"):
                    ModelCardIndex.build([ModelCard(id=name, task="image-to-text", text="words")], folder, encoder=ENCODER)
            return super().encode(texts)

    slow = Slow(*WORDS)
    waiting = [slow]
    reader = ModelCardIndex.open(folder, encoder=slow)
    assert [h.card.id for h in reader.search("words")] == ["new/two"]


def test_generations_do_not_pile_up(folder: Path) -> None:
    for _ in range(4):
        ModelCardIndex.build(CARDS, folder, encoder=ENCODER)
    assert len(list(folder.glob("g-*"))) == 2
    assert generation(folder) in list(folder.glob("g-*"))


def test_other_files_in_the_folder_stay(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    ModelCardIndex.build(CARDS, tmp_path, encoder=ENCODER)
    ModelCardIndex.build(CARDS, tmp_path, encoder=ENCODER)
    assert (tmp_path / "notes.txt").read_text() == "mine"


def test_a_build_without_cards_leaves_the_index_as_it_was(folder: Path) -> None:
    with pytest.raises(CardError, match="no model cards"):
        ModelCardIndex.build([], folder, encoder=ENCODER)
    assert len(ModelCardIndex.open(folder, encoder=ENCODER)) == 5


def halve(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


DAMAGE: dict[str, tuple[Callable[[Path], object], str]] = {
    "no manifest": (lambda f: (f / "manifest.json").unlink(), "There is no index in .*Check the path"),
    "manifest cut": (lambda f: halve(f / "manifest.json"), "manifest of the index .* cannot be read.*index build --from"),
    "manifest empty": (lambda f: (f / "manifest.json").write_bytes(b""), "cannot be read.*Build it again"),
    "manifest binary": (lambda f: (f / "manifest.json").write_bytes(b"\xff\xfe\x00"), "cannot be read.*Build it again"),
    "manifest a list": (lambda f: (f / "manifest.json").write_text("[]"), "has format None; this version reads 2.*Build"),
    "other format": (lambda f: change_manifest(f, format=1), "has format 1; this version reads 2.*index build --from"),
    "other encoder": (lambda f: change_manifest(f, encoder="e5"), "made with the encoder 'e5', not 'words'.*Pass that encoder"),
    "no encoder": (lambda f: change_manifest(f, encoder=None), "is incomplete.*Build it again"),
    "no generation": (lambda f: change_manifest(f, generation=None), "is incomplete.*Build"),
    "outside": (lambda f: change_manifest(f, generation="../g-x"), "is incomplete.*Build"),
    "outside in disguise": (lambda f: change_manifest(f, generation="g-x/../../y"), "is no generation of it.*Build"),
    "absolute": (lambda f: change_manifest(f, generation="/etc"), "is incomplete.*Build"),
    "generation gone": (lambda f: change_manifest(f, generation="g-0"), "has lost its card file.*Build the index again"),
    "cards gone": (lambda f: (generation(f) / "cards.sqlite").unlink(), "has lost its card file.*Build the index again"),
    "cards cut": (lambda f: halve(generation(f) / "cards.sqlite"), "card file cannot be read.*Build the index again"),
    "cards empty": (lambda f: (generation(f) / "cards.sqlite").write_bytes(b""), "card file cannot be read.*no such table.*Build"),
    "cards not sqlite": (lambda f: (generation(f) / "cards.sqlite").write_bytes(b"x" * 9000), "not a database.*Build"),
}


@pytest.mark.parametrize("name", DAMAGE)
def test_a_damaged_index_is_refused_when_it_is_opened(folder: Path, name: str) -> None:
    damage, said = DAMAGE[name]
    damage(folder)
    with pytest.raises(IndexFileError, match=said) as e:
        ModelCardIndex.open(folder, encoder=ENCODER)
    assert e.value.remedy


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda p: p.unlink(), "has lost the vectors of image-to-text"),
        (halve, "vectors of image-to-text in .* cannot be read"),
        (lambda p: p.write_bytes(b""), "cannot be read"),
        (lambda p: p.write_bytes(b"nonsense" * 50), "cannot be read"),
    ],
    ids=["gone", "cut", "empty", "not faiss"],
)
def test_damaged_vectors_are_found_on_first_use(folder: Path, damage: Callable[[Path], object], said: str) -> None:
    damage(generation(folder) / "image-to-text.faiss")
    index = ModelCardIndex.open(folder, encoder=ENCODER)
    assert index.search("cats", task="image-classification")  # the other task is whole
    with pytest.raises(IndexFileError, match=said) as e:
        index.search("cats", task="image-to-text")
    assert "uild" in e.value.remedy


def test_vectors_of_another_length_are_refused(folder: Path) -> None:
    shorter = ModelCardIndex.open(folder, encoder=WordEncoder("cats"))  # its name is right, its vectors are not
    with pytest.raises(IndexFileError, match="vectors of 5 numbers and the encoder gives 2") as e:
        shorter.search("cats")
    assert e.value.remedy == "Build the index again."


def test_a_folder_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    for place in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(IndexFileError, match=r"cannot be written to .*rights and room"):
            ModelCardIndex.build(CARDS, place, encoder=ENCODER)
        with pytest.raises(IndexFileError, match="cannot be written to"):
            ModelCardIndex.from_cards(CARDS, encoder=ENCODER).save(place)


def test_there_is_no_index_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    for place in (tmp_path / "file", tmp_path / "none"):
        with pytest.raises(IndexFileError, match=r"index .*(Check the path|Build the index again)"):
            ModelCardIndex.open(place, encoder=ENCODER)


HOSTILE = ("../../etc/passwd", "a/b", "..", "C:\\x", "name\nwith\nlines", "UPPER", "ümlaut 🚀", "x" * 500, "null\x00byte", "a", "A")


def test_whatever_a_task_is_called_its_file_lies_in_the_folder(tmp_path: Path) -> None:
    cards = [ModelCard(id=f"a/{i}", task=t, text="cats") for i, t in enumerate(HOSTILE)]
    index = ModelCardIndex.build(cards, tmp_path / "in" / "here", encoder=ENCODER)
    for card in cards:
        assert [h.card for h in index.search("cats", task=card.task)] == [card]
    assert {p.name for p in tmp_path.iterdir()} == {"in"}
    assert len(list(generation(tmp_path / "in" / "here").glob("*.faiss"))) == len(HOSTILE)


def test_file_names() -> None:
    assert file_name("image-to-text", "faiss") == "image-to-text.faiss"
    names = [file_name(t, "faiss") for t in HOSTILE]
    assert len(set(names)) == len(HOSTILE)
    assert all(Path(n).name == n and len(n) < 120 and n.isascii() for n in names)


def test_the_embedded_catalogue_can_be_saved(tmp_path: Path) -> None:
    index = ModelCardIndex.embedded()
    index.save(tmp_path)
    opened = ModelCardIndex.open(tmp_path)
    assert len(opened) == len(load_catalogue())
    assert opened.search("read a receipt", limit=5) == index.search("read a receipt", limit=5)
