"""What is seen of a model's folder before anything in it is loaded."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file

from langchain_hugginggpt.tools.errors import ModelRefusedError
from langchain_hugginggpt.tools.runners.local.model_files import read_header, read_model_files


def saved(folder: Path, config: dict[str, Any] | None = None, *, name: str = "model.safetensors", **tensors: Any) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    if config is not None:
        (folder / "config.json").write_text(json.dumps(config))
    save_file(tensors or {"w": np.zeros((3, 4), np.float32), "n": np.zeros(5, np.int64)}, folder / name)
    return folder


BERT = {"architectures": ["BertForMaskedLM"], "model_type": "bert"}


def test_a_folder_of_transformers(tmp_path: Path) -> None:
    files = read_model_files(saved(tmp_path, BERT), "org/name")
    assert (files.layout, files.architectures, [w.name for w in files.weights]) == (
        "transformers",
        ("BertForMaskedLM",),
        ["model.safetensors"],
    )
    assert files.bytes_in_memory() == 3 * 4 * 4 + 5 * 8
    assert files.bytes_in_memory(2) == 3 * 4 * 2 + 5 * 8  # floats only
    assert files.bytes_on_disk == (tmp_path / "model.safetensors").stat().st_size


def test_shards_are_those_that_the_list_names(tmp_path: Path) -> None:
    saved(tmp_path, BERT, name="model-00001-of-00002.safetensors", a=np.zeros(7, np.float32))
    saved(tmp_path, name="model-00002-of-00002.safetensors", b=np.zeros(3, np.float32))
    saved(tmp_path, name="consolidated.safetensors", a=np.zeros(7, np.float32), b=np.zeros(3, np.float32))
    listed = {"weight_map": {"a": "model-00001-of-00002.safetensors", "b": "model-00002-of-00002.safetensors"}}
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps(listed))
    assert read_model_files(tmp_path, "x").bytes_in_memory() == 40
    (tmp_path / "model-00002-of-00002.safetensors").unlink()
    with pytest.raises(ModelRefusedError, match="holds no weights"):
        read_model_files(tmp_path, "x")


def test_shards_outside_the_folder_are_not_read(tmp_path: Path) -> None:
    folder = saved(tmp_path / "m", BERT, name="other.safetensors")
    saved(tmp_path, name="secret.safetensors")
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": {"a": "../secret.safetensors"}}))
    with pytest.raises(ModelRefusedError, match="holds no weights"):
        read_model_files(folder, "x")


def test_a_pipeline_of_diffusers(tmp_path: Path) -> None:
    (tmp_path / "model_index.json").write_text(json.dumps({"_class_name": "StableDiffusionPipeline"}))
    saved(tmp_path / "unet", {"_class_name": "UNet2DConditionModel"}, name="diffusion_pytorch_model.safetensors")
    saved(tmp_path / "text_encoder", {"architectures": ["CLIPTextModel"]})
    files = read_model_files(tmp_path, "x")
    assert (files.layout, files.architectures) == ("diffusers", ("StableDiffusionPipeline",))
    assert [str(w.relative_to(tmp_path)) for w in files.weights] == [
        "text_encoder/model.safetensors",
        "unet/diffusion_pytorch_model.safetensors",
    ]


@pytest.mark.parametrize("name", ["pytorch_model.bin", "model.pt", "weights.pkl", "model.joblib", "tf_model.h5"])
def test_weights_that_are_only_pickled_are_refused_by_name(tmp_path: Path, name: str) -> None:
    (tmp_path / "config.json").write_text(json.dumps(BERT))
    (tmp_path / name).write_bytes(b"\x80\x04")
    with pytest.raises(ModelRefusedError, match=f"only there as {name}, which may run code") as e:
        read_model_files(tmp_path, "org/name")
    assert "safetensors" in e.value.remedy


def test_a_folder_that_holds_nothing(tmp_path: Path) -> None:
    with pytest.raises(ModelRefusedError, match="'org/name' holds no weights in safetensors form"):
        read_model_files(tmp_path, "org/name")
    with pytest.raises(ModelRefusedError, match="is not there"):
        read_model_files(tmp_path / "gone", "org/name")


@pytest.mark.parametrize("text", ["", "{", "[1]", "null", '"x"', "[" * 100_000])
def test_a_config_that_is_no_config(tmp_path: Path, text: str) -> None:
    saved(tmp_path)
    (tmp_path / "config.json").write_text(text)
    with pytest.raises(ModelRefusedError, match=r"config\.json of 'x' cannot be read"):
        read_model_files(tmp_path, "x")


def broken(path: Path) -> list[bytes]:
    whole = path.read_bytes()
    return [
        b"",
        whole[:4],
        whole[:20],
        whole[:-1],
        whole + b"x",
        b"\xff" * 8 + whole[8:],
        b"version https://git-lfs.github.com/spec/v1\n",
        b"<html>" * 50,
        (2).to_bytes(8, "little") + b"[]",
        (14).to_bytes(8, "little") + b'{"w": {"a":1}}',
        (4).to_bytes(8, "little") + b"null",
    ]


@pytest.mark.parametrize("which", range(11))
def test_weights_that_are_cut_off_or_something_else_are_told_before_loading(tmp_path: Path, which: int) -> None:
    saved(tmp_path, BERT)
    path = tmp_path / "model.safetensors"
    path.write_bytes(broken(path)[which])
    with pytest.raises(ModelRefusedError, match=r"weights of 'org/name' are damaged: model\.safetensors is cut off"):
        read_header(path, "org/name")


def test_the_stamp_tells_another_state(tmp_path: Path) -> None:
    saved(tmp_path, BERT)
    before = read_model_files(tmp_path, "x").stamp
    assert read_model_files(tmp_path, "x").stamp == before
    saved(tmp_path, BERT, w=np.ones(9, np.float32))
    assert read_model_files(tmp_path, "x").stamp != before


def test_a_card_whose_lines_merge_one_another_is_not_worked_out(tmp_path: Path) -> None:
    folder = saved(tmp_path, BERT)
    lines = ["a0: &a0 {x: 1}", *(f"a{i}: &a{i} {{<<: [{', '.join([f'*a{i - 1}'] * 9)}]}}" for i in range(1, 12))]
    (folder / "README.md").write_text("\n".join(["---", *lines, "base_model: a/b", "---"]), "utf-8")
    assert read_model_files(folder, "m").facts == {"base_model": "a/b"}  # worked out, it would not end today
    (folder / "README.md").write_text("---\nbase_model: &a [x]\ntags: [*a]\n---\n", "utf-8")
    assert read_model_files(folder, "m").facts == {}
