"""Where models are found, and what is said of those that are not there."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from langchain_hugginggpt.index.card import ModelCard
from langchain_hugginggpt.index.errors import CallerError
from langchain_hugginggpt.tools.errors import ModelAbsentError
from langchain_hugginggpt.tools.runners.local.places import ModelPlaces
from langchain_hugginggpt.tools.runners.local.table import LOCAL

ROW = LOCAL["text-classification"]
COMMIT = "0123456789012345678901234567890123456789"


def put(folder: Path, architecture: str = "BertForSequenceClassification", *, weights: bool = True) -> Path:
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps({"architectures": [architecture]}))
    if weights:
        save_file({"w": np.zeros(3, np.float32)}, folder / "model.safetensors")
    return folder


def cached(cache: Path, ident: str, *, weights: bool = True) -> Path:
    of_model = cache / f"models--{ident.replace('/', '--')}"
    put(of_model / "snapshots" / COMMIT, weights=weights)
    (of_model / "refs").mkdir()
    (of_model / "refs" / "main").write_text(COMMIT)
    return of_model / "snapshots" / COMMIT


def card(ident: str, **facts: object) -> ModelCard:
    return ModelCard.from_json({"id": ident, "task": "text-classification", **facts})


def test_folders_that_the_user_named_and_the_hubs_cache(tmp_path: Path) -> None:
    models, cache = tmp_path / "models", tmp_path / "cache"
    put(models / "mine")
    put(models / "org" / "theirs")
    put(models / "other", "BertForMaskedLM")
    cached(cache, "hub/fetched")
    cached(cache, "gpt2-ish")
    cached(cache, "hub/half", weights=False)
    (models / "empty").mkdir()
    places = ModelPlaces([models], cache=cache)
    assert places.availability(ROW, None).models == ("mine", "org/theirs", "gpt2-ish", "hub/fetched")
    for ident in ("mine", "org/theirs", "hub/fetched", "gpt2-ish"):
        assert places.availability(ROW, card(ident)).ok
        assert places.find(ROW, card(ident)).id == ident


def test_a_model_for_something_else_is_told(tmp_path: Path) -> None:
    put(tmp_path / "other", "BertForMaskedLM")
    told = ModelPlaces([tmp_path], cache=tmp_path / "none").availability(ROW, card("other"))
    assert (told.ok, told.why) == (False, "other is made for something else (BertForMaskedLM)")


def test_without_leave_nothing_is_downloaded_and_the_remedy_says_how_much_it_would_be(tmp_path: Path) -> None:
    places = ModelPlaces(cache=tmp_path)
    told = places.availability(ROW, card("a/b", bytes=268_000_000))
    assert (told.supported, told.ok, told.why) == (True, False, "a/b (268MB) is not on this machine")
    assert told.remedy == "Fetch it (hf download a/b), or let models be downloaded (--max-download 335MB)."
    assert places.availability(ROW, None).why == "no model that does it is on this machine"
    with pytest.raises(ModelAbsentError, match="'a/b' is not on this machine"):
        places.find(ROW, card("a/b"))


def test_with_leave_what_is_small_enough_and_safe_is_available(tmp_path: Path) -> None:
    places = ModelPlaces(cache=tmp_path, max_download=10**9)
    assert places.availability(ROW, None).ok
    assert places.availability(ROW, None).models is None
    assert places.availability(ROW, card("a/b")).ok
    assert places.availability(ROW, card("a/b", bytes=9 * 10**8, formats=["safetensors"], library="transformers")).ok
    large = places.availability(ROW, card("a/b", bytes=2 * 10**9))
    assert (large.ok, large.why) == (False, "a/b (2.0GB) is not on this machine, and 1.0GB may be downloaded")
    assert "--max-download 2.5GB" in large.remedy
    assert places.availability(ROW, card("a/b", formats=["pytorch"])).why == "a/b has no weights in safetensors form"
    assert places.availability(ROW, card("a/b", library="timm")).why == "models of the library timm are not run here"


@pytest.mark.parametrize("ident", ["../models/mine", "/etc", "a/b/c", "..", "a/..", "", "a\x00b", "models--x/../y", "~root", "C:\\x"])
def test_an_id_is_no_path(tmp_path: Path, ident: str) -> None:
    put(tmp_path / "models" / "mine")
    places = ModelPlaces([tmp_path / "models"], cache=tmp_path / "cache")
    assert not places.availability(ROW, ModelCard(id=ident, task="text-classification")).ok
    with pytest.raises(ModelAbsentError):
        places.find(ROW, ModelCard(id=ident, task="text-classification"))


def test_what_is_put_there_later_is_seen_and_what_goes_is_gone(tmp_path: Path) -> None:
    places = ModelPlaces([tmp_path], cache=tmp_path / "none")
    assert places.availability(ROW, None).models is None
    put(tmp_path / "new")
    assert places.availability(ROW, None).models == ("new",)
    (tmp_path / "new" / "config.json").write_text(json.dumps({"architectures": ["BertForMaskedLM"], "more": 1}))
    assert not places.availability(ROW, card("new")).ok
    for path in (tmp_path / "new").iterdir():
        path.unlink()
    (tmp_path / "new").rmdir()
    assert places.availability(ROW, card("new")).why == "new is not on this machine"


def test_a_folder_that_is_not_there() -> None:
    with pytest.raises(CallerError, match="There is no folder of models '/no/such'"):
        ModelPlaces(["/no/such"])


def test_a_model_that_arrives_part_by_part_is_seen_once_it_is_there(tmp_path: Path) -> None:
    row = LOCAL["text-to-image"]
    part = tmp_path / "m" / "unet"
    part.mkdir(parents=True)
    (tmp_path / "m" / "model_index.json").write_text(json.dumps({"_class_name": "StableDiffusionPipeline"}))
    places = ModelPlaces([tmp_path], cache=tmp_path / "none")
    assert places.here(row) == ()
    save_file({"w": np.zeros(3, np.float32)}, part / "diffusion_pytorch_model.safetensors")
    assert places.here(row) == ("m",)
