"""The loader of sentence-transformers: what it refuses, and that nothing of a folder is run."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from safetensors.torch import load_file, save_file

from langchain_hugginggpt.index.card import ModelCard
from langchain_hugginggpt.tools.errors import ModelRefusedError
from langchain_hugginggpt.tools.hub_tasks import HUB_TASKS
from langchain_hugginggpt.tools.runners.local import LocalRunner
from langchain_hugginggpt.tools.runners.local.devices import Device
from langchain_hugginggpt.tools.runners.local.loading.of_sentence_transformers import CrossEncoders, SentenceTransformers
from langchain_hugginggpt.tools.runners.local.model_files import read_model_files
from tests.local_models.text_embedding import bi_encoder, cross_encoder
from tests.local_models.tokenizers import BERT, labels, save, word_tokenizer

CPU = Device(name="cpu", half="float32")


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("whole") / "bi"
    folder.mkdir()
    bi_encoder(folder)
    return folder


@pytest.fixture
def folder(whole: Path, tmp_path: Path) -> Path:
    """A copy of a whole model, to be spoilt."""
    return Path(shutil.copytree(whole, tmp_path / "model"))


def load(folder: Path) -> Any:
    return SentenceTransformers().load(read_model_files(folder, folder.name), CPU)


def change(path: Path, edit: Callable[[Any], None]) -> None:
    read = json.loads(path.read_text("utf-8"))
    edit(read)
    path.write_text(json.dumps(read), "utf-8")


def test_a_whole_model_is_loaded_and_measured(folder: Path) -> None:
    loaded = load(folder)
    assert loaded.bytes > 4 * 32 * 32
    assert loaded.tokenizer is not None


def test_pickled_weights_of_a_part_are_refused(folder: Path) -> None:
    part = folder / "2_Dense"
    torch.save(load_file(part / "model.safetensors"), part / "pytorch_model.bin")
    (part / "model.safetensors").unlink()
    with pytest.raises(ModelRefusedError, match=r"only there as 2_Dense/pytorch_model\.bin"):
        load(folder)


@pytest.mark.parametrize("kind", ["modeling_own.Own", "os.path.Own", "sentence_transformers_own.Own"])
def test_code_of_a_folder_is_not_run(folder: Path, kind: str) -> None:
    (folder / "modeling_own.py").write_text(f"open({str(folder / 'ran')!r}, 'w').close()\nclass Own: pass\n", "utf-8")
    change(folder / "modules.json", lambda modules: modules[1].update(type=kind))
    with pytest.raises(ModelRefusedError, match="wants to run code of its own"):
        load(folder)
    assert not (folder / "ran").exists()


def test_a_config_cannot_ask_for_code(folder: Path) -> None:
    (folder / "modeling_own.py").write_text(f"open({str(folder / 'ran')!r}, 'w').close()\nclass Own: pass\n", "utf-8")
    change(folder / "config.json", lambda config: config.update(auto_map={"AutoModel": "modeling_own.Own"}, model_type="own"))
    change(folder / "sentence_bert_config.json", lambda config: config.update(model_args={"trust_remote_code": True}))
    with pytest.raises(ModelRefusedError, match=r"code of its own|cannot be loaded"):
        load(folder)
    assert not (folder / "ran").exists()


def test_a_part_outside_the_folder_is_refused(folder: Path) -> None:
    change(folder / "modules.json", lambda modules: modules[2].update(path="../elsewhere"))
    with pytest.raises(ModelRefusedError, match="outside its own folder"):
        load(folder)


@pytest.mark.parametrize("spoil", [lambda m: m.pop(), lambda m: m[0].pop("type"), lambda m: m.clear(), lambda m: m.append(3)])
def test_damaged_lists_of_modules_are_refused(folder: Path, spoil: Callable[[Any], None]) -> None:
    change(folder / "modules.json", spoil)
    try:
        load(folder)
    except ModelRefusedError:
        return
    assert len(json.loads((folder / "modules.json").read_text("utf-8"))) == 3  # without the last, optional one: a model all the same


def test_missing_weights_are_refused_and_not_left_random(folder: Path) -> None:
    weights = load_file(folder / "model.safetensors")
    del weights["encoder.layer.1.output.dense.weight"]
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(ModelRefusedError, match=r"lack 1 weight of .*encoder\.layer\.1\.output\.dense\.weight"):
        load(folder)


def test_weights_of_a_masked_language_model_make_no_cross_encoder(tmp_path: Path) -> None:
    tokenizer = word_tokenizer()
    save(tmp_path, tokenizer, transformers.BertForMaskedLM(transformers.BertConfig(vocab_size=len(tokenizer), **BERT)))
    change(tmp_path / "config.json", lambda c: c.update(architectures=["BertForSequenceClassification"], **labels("LABEL_0")))
    files = read_model_files(tmp_path, "masked")
    assert CrossEncoders().fits(files)
    with pytest.raises(ModelRefusedError, match="which would be random numbers"):
        CrossEncoders().load(files, CPU)


def test_which_folders_fit(whole: Path, tmp_path: Path) -> None:
    cross_encoder(tmp_path)
    pairs, texts = read_model_files(tmp_path, "pairs"), read_model_files(whole, "texts")
    assert (CrossEncoders().fits(pairs), SentenceTransformers().fits(pairs)) == (True, False)
    assert (CrossEncoders().fits(texts), SentenceTransformers().fits(texts)) == (False, True)


def test_a_classifier_with_classes_ranks_nothing(tmp_path: Path) -> None:
    tokenizer = word_tokenizer()
    (tmp_path / "two").mkdir()
    save(
        tmp_path / "two", tokenizer, transformers.BertForSequenceClassification(transformers.BertConfig(vocab_size=len(tokenizer), **BERT))
    )
    runner = LocalRunner(models=[tmp_path], device="cpu")
    available = runner.availability(HUB_TASKS["text-ranking"], ModelCard(id="two", task="text-ranking"))
    assert not available.ok


def test_pickled_weights_deeper_in_a_module_of_modules_are_refused(folder: Path) -> None:
    inner = folder / "2_Router" / "query_0_Dense"
    shutil.move(folder / "2_Dense", inner)
    torch.save(load_file(inner / "model.safetensors"), inner / "pytorch_model.bin")
    (inner / "model.safetensors").unlink()
    routes = {
        "types": {inner.name: "sentence_transformers.models.Dense"},
        "structure": {"query": [inner.name]},
        "parameters": {"default_route": "query"},
    }
    (inner.parent / "router_config.json").write_text(json.dumps(routes), "utf-8")
    change(folder / "modules.json", lambda modules: modules[2].update(path="2_Router", type="sentence_transformers.models.Router"))
    with pytest.raises(ModelRefusedError, match=r"only there as query_0_Dense/pytorch_model\.bin"):
        load(folder)


def test_a_tokenizer_from_elsewhere_is_not_asked_for(folder: Path) -> None:
    change(folder / "sentence_bert_config.json", lambda config: config.update(tokenizer_name_or_path="google-bert/bert-base-uncased"))
    with pytest.raises(ModelRefusedError, match="takes its tokenizer from elsewhere"):
        load(folder)
