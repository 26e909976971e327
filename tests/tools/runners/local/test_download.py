"""Models from the Hub: the real client of huggingface_hub against a local server."""

from __future__ import annotations

import asyncio
import errno
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from langchain_hugginggpt.index.card import ModelCard
from langchain_hugginggpt.index.errors import HuggingGPTError
from langchain_hugginggpt.tools.errors import ModelAbsentError, ModelRefusedError
from langchain_hugginggpt.tools.hub_tasks import HUB_TASKS
from langchain_hugginggpt.tools.runners.local import LocalRunner
from langchain_hugginggpt.tools.runners.local import download as downloading
from langchain_hugginggpt.tools.runners.local.download import download, wanted
from langchain_hugginggpt.tools.runners.local.model_files import read_model_files
from tests.local_models.text import text_classifier
from tests.tools.runners.local.hub_of_files import COMMIT, HubOfFiles

TASK = HUB_TASKS["text-classification"]
GB = 10**9


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model as it lies on the Hub: with pickled twins of its weights, and more."""
    folder = tmp_path_factory.mktemp("repository") / "tiny"
    folder.mkdir()
    text_classifier(folder)
    (folder / "README.md").write_text("# tiny")
    (folder / "pytorch_model.bin").write_bytes(b"\x80" * 5000)
    (folder / "onnx").mkdir()
    (folder / "onnx" / "model.onnx").write_bytes(b"x" * 5000)
    return folder


@pytest.fixture
def hub(repository: Path) -> Iterator[HubOfFiles]:
    with HubOfFiles({"org/tiny": repository}) as served:
        yield served


def card(ident: str = "org/tiny") -> ModelCard:
    return ModelCard(id=ident, task=TASK.name)


async def test_a_model_is_fetched_and_run_and_the_next_time_nothing_is_asked(hub: HubOfFiles, tmp_path: Path) -> None:
    runner = LocalRunner(max_download=GB, cache=tmp_path, endpoint=hub.url, device="cpu")
    output = await runner.arun(TASK, card(), {"text": "a great movie"})
    assert len(output.values["labels"]) == 2
    fetched = {path.rpartition("/")[2] for _, path, _ in hub.seen if "/resolve/" in path}
    assert {"model.safetensors", "README.md"} <= fetched
    assert fetched.isdisjoint({"pytorch_model.bin", "model.onnx"})
    asked = len(hub.seen)
    again = LocalRunner(cache=tmp_path, endpoint=hub.url, device="cpu")  # may not download
    assert again.availability(TASK, card()).ok
    assert (await again.arun(TASK, card(), {"text": "a great movie"})).values == output.values
    assert len(hub.seen) == asked


async def test_ten_callers_fetch_a_model_once(hub: HubOfFiles, repository: Path, tmp_path: Path) -> None:
    runner = LocalRunner(max_download=GB, cache=tmp_path, endpoint=hub.url, device="cpu", concurrency=4)
    outputs = await asyncio.gather(*(runner.arun(TASK, card(), {"text": "a great movie"}) for _ in range(10)))
    assert all(o.values == outputs[0].values for o in outputs)
    assert [p.rpartition("/")[2] for m, p, _ in hub.seen if m == "GET"].count("model.safetensors") == 1


def test_what_has_come_is_not_fetched_again_after_a_cut(tmp_path: Path) -> None:
    piece = 10 * 2**20  # what huggingface_hub writes at a time
    folder = tmp_path / "large"
    folder.mkdir()
    (folder / "model.safetensors").write_bytes(bytes(range(256)) * (100 * 2**10))
    with HubOfFiles({"org/large": folder}) as hub:
        hub.cut = [piece + piece // 2]
        got = download("org/large", max_bytes=GB, cache=tmp_path / "cache", endpoint=hub.url)
        assert (got / "model.safetensors").read_bytes() == (folder / "model.safetensors").read_bytes()
        spans = [span for m, p, span in hub.seen if m == "GET" and "model.safetensors" in p]
    assert spans == [None, f"bytes={piece}-"]


async def test_cancelling_frees_the_caller_at_once_and_what_has_come_stays(hub: HubOfFiles, repository: Path, tmp_path: Path) -> None:
    hub.hold.set()
    runner = LocalRunner(max_download=GB, cache=tmp_path, endpoint=hub.url, device="cpu", concurrency=1)
    running = asyncio.create_task(runner.arun(TASK, card(), {"text": "x"}))
    assert await asyncio.to_thread(hub.held.wait, 10)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    hub.hold.clear()
    hub.let_go.set()
    output = await runner.arun(TASK, card(), {"text": "x"})  # with its only place
    assert len(output.values["labels"]) == 2


@pytest.mark.parametrize(
    ("status", "code", "message", "remedy"),
    [
        (403, "GatedRepo", "'org/x' is gated", "Accept them at https://huggingface.co/org/x, then log in"),
        (404, "RepoNotFound", "The Hub has no model 'org/x', or it is private", "hf auth login"),
        (401, "RepoNotFound", "The Hub has no model 'org/x', or it is private", "HF_TOKEN"),
        (500, "", "answered with status 500 when 'org/x'", "Try again later"),
    ],
)
def test_what_the_hub_does_not_give(tmp_path: Path, status: int, code: str, message: str, remedy: str) -> None:
    with HubOfFiles({"org/x": status}, {"org/x": code}) as hub, pytest.raises(ModelAbsentError, match=message) as e:
        download("org/x", max_bytes=GB, cache=tmp_path, endpoint=hub.url)
    assert remedy in e.value.remedy


def test_a_hub_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ModelAbsentError, match=r"could not be fetched: Connect\w+") as e:
        download("org/x", max_bytes=GB, cache=tmp_path, endpoint="http://127.0.0.1:9")
    assert "Check the network" in e.value.remedy


def test_sizes_are_looked_at_before_anything_is_fetched(hub: HubOfFiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ModelRefusedError, match=r"'org/tiny' has 0\.00 GB to fetch, more than the 0\.00 GB that may be \(--max-download\)"):
        download("org/tiny", max_bytes=1000, cache=tmp_path, endpoint=hub.url)
    monkeypatch.setattr(downloading, "free_memory", lambda: 100)
    with pytest.raises(ModelRefusedError, match=r"GB of memory are free"):
        download("org/tiny", max_bytes=GB, cache=tmp_path, endpoint=hub.url)
    assert not [p for _, p, _ in hub.seen if "/resolve/" in p]


def test_a_full_disk_is_told_before(hub: HubOfFiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: type("Usage", (), {"free": 1000}))
    with pytest.raises(ModelRefusedError, match=r"0\.00 GB are free on the disk"):
        download("org/tiny", max_bytes=GB, cache=tmp_path, endpoint=hub.url)


def test_pickled_weights_are_refused_before_anything_is_fetched(tmp_path: Path) -> None:
    folder = tmp_path / "pickled"
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps({"architectures": ["BertForSequenceClassification"]}))
    (folder / "pytorch_model.bin").write_bytes(b"\x80")
    with (
        HubOfFiles({"org/pickled": folder}) as hub,
        pytest.raises(HuggingGPTError, match=r"only as pytorch_model\.bin, which may run code"),
    ):
        download("org/pickled", max_bytes=GB, cache=tmp_path / "cache", endpoint=hub.url)
    assert len(hub.seen) == 1


def test_the_snapshot_is_what_other_programs_find(hub: HubOfFiles, tmp_path: Path) -> None:
    from huggingface_hub import try_to_load_from_cache

    folder = download("org/tiny", max_bytes=GB, cache=tmp_path, endpoint=hub.url)
    assert folder.name == COMMIT
    found = try_to_load_from_cache("org/tiny", "model.safetensors", cache_dir=tmp_path)
    assert found == str(folder / "model.safetensors")
    assert read_model_files(folder, "org/tiny").architectures == ("BertForSequenceClassification",)


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (
            ["config.json", "model.safetensors", "pytorch_model.bin", "tf_model.h5", "README.md", "docs/README.md"],
            ["config.json", "README.md", "model.safetensors"],
        ),
        (
            ["model_index.json", "sd.safetensors", "unet/config.json", "unet/diffusion_pytorch_model.safetensors",
             "unet/diffusion_pytorch_model.fp16.safetensors", "vae/diffusion_pytorch_model.bin"],
            ["model_index.json", "unet/config.json", "unet/diffusion_pytorch_model.safetensors"],
        ),
        (
            ["model.safetensors.index.json", "model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors", "onnx/config.json"],
            ["model.safetensors.index.json", "model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"],
        ),
        (["modules.json", "1_Pooling/config.json", "model.safetensors"], ["modules.json", "1_Pooling/config.json", "model.safetensors"]),
        (["config.json", "model.skops", "model.pkl"], ["config.json", "model.skops"]),
    ],
)  # fmt: skip
def test_only_what_a_loader_reads_is_fetched(names: list[str], expected: list[str]) -> None:
    assert wanted(names, "a/b") == expected


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EACCES])
def test_a_cache_that_cannot_be_written_is_no_fault_of_the_network(
    hub: HubOfFiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr("huggingface_hub.hf_hub_download", fail)
    with pytest.raises(ModelAbsentError, match="could not be written to") as caught:
        download("org/tiny", max_bytes=GB, cache=tmp_path, endpoint=hub.url)
    assert str(tmp_path) in caught.value.message
    assert "network" not in caught.value.remedy
