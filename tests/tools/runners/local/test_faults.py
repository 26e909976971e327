"""What goes wrong with models, each through the agent: the next candidate takes over, and the trace shows every attempt."""

from __future__ import annotations

import asyncio
import contextlib
import json
import shutil
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers as T

from langchain_hugginggpt.agent import HuggingGPT
from langchain_hugginggpt.index import ModelCard, ModelCardIndex
from langchain_hugginggpt.tools import HubToolkit
from langchain_hugginggpt.tools.hub_tasks import HUB_TASKS
from langchain_hugginggpt.tools.runners.local import LocalRunner, ModelPool
from langchain_hugginggpt.tools.runners.local.loaded import LoadedModel
from langchain_hugginggpt.tools.runners.local.row import LocalRow
from langchain_hugginggpt.tools.runners.local.table import LOCAL
from langchain_hugginggpt.tools.runners.runner import Place, RunnerOutput
from tests.agent.plans import plan, task
from tests.agent.stubs import FixedPlanner
from tests.fakes import WordEncoder
from tests.local_models.text import BERT, labels, save, text_classifier
from tests.local_models.tokenizers import word_tokenizer

TASK = HUB_TASKS["text-classification"]
ROW = LOCAL[TASK.name]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """`good` is a classifier; each test puts a bad one beside it, which comes first."""
    torch.manual_seed(0)
    (tmp_path / "models" / "good").mkdir(parents=True)
    text_classifier(tmp_path / "models" / "good")
    return tmp_path / "models"


def agent(runner: LocalRunner, *, first: str = "bad", timeout: float = 60.0) -> HuggingGPT:
    """An agent whose index prefers `first` to `good`, and that plans one classification."""
    cards = [
        ModelCard(id=first, task=TASK.name, library="transformers", text="sentiment sentiment sentiment"),
        ModelCard(id="good", task=TASK.name, library="transformers", text="other"),
    ]
    index = ModelCardIndex.from_cards(cards, encoder=WordEncoder("sentiment", "other"))
    planned = FixedPlanner(plan(task("1", TASK.name, text="a great movie")))
    return HuggingGPT(toolkit=HubToolkit(index=index, runners=[runner]), planner=planned, task_timeout=timeout)


async def attempts(runner: LocalRunner, **options: Any) -> list[tuple[str, str]]:
    """Model and error of each attempt; the last of them must have given the output."""
    reply = await agent(runner, **options).aask("sentiment")
    (result,) = reply.trace.results
    assert result.status == "ok", result.error
    assert result.model == "good"
    assert "bad" not in reply.text.split("[1]")[0]
    return [(a.model, a.error) for a in result.attempts]


def spoilt(folder: Path, change: Callable[[Path], None]) -> Path:
    shutil.copytree(folder / "good", folder / "bad")
    change(folder / "bad")
    return folder


async def test_a_model_without_a_head_for_the_task(folder: Path) -> None:
    """Its config claims a classifier, its weights have none: transformers would make one up."""

    def change(bad: Path) -> None:
        tokenizer = word_tokenizer()
        save(bad, T.BertForMaskedLM(T.BertConfig(vocab_size=len(tokenizer), **BERT)))
        config = json.loads((bad / "config.json").read_text())
        (bad / "config.json").write_text(json.dumps({**config, "architectures": ["BertForSequenceClassification"], **labels("a", "b")}))

    tried = await attempts(LocalRunner(models=[spoilt(folder, change)], device="cpu"))
    assert [m for m, _ in tried] == ["bad", "good"]
    assert "'bad' is not whole: its files lack" in tried[0][1]
    assert "classifier.bias" in tried[0][1]


async def test_a_config_of_a_model_far_larger_than_its_files_is_refused_before_memory_is_taken(folder: Path) -> None:
    """transformers would make 20 GB of random numbers, and then say that they were missing."""

    def change(bad: Path) -> None:
        config = json.loads((bad / "config.json").read_text())
        large = {"num_hidden_layers": 24, "hidden_size": 4096, "intermediate_size": 16384, "num_attention_heads": 32}
        (bad / "config.json").write_text(json.dumps({**config, **large}))

    tried = await attempts(LocalRunner(models=[spoilt(folder, change)], device="cpu"))
    assert "'bad' is not whole: its config.json describes a model of 48" in tried[0][1]


async def test_a_model_of_another_architecture_is_not_even_a_candidate(folder: Path) -> None:
    def change(bad: Path) -> None:
        tokenizer = word_tokenizer()
        save(bad, T.BertForMaskedLM(T.BertConfig(vocab_size=len(tokenizer), **BERT)))

    assert await attempts(LocalRunner(models=[spoilt(folder, change)], device="cpu")) == [("good", "")]


async def test_a_class_of_the_right_name_that_transformers_does_not_have_for_it(folder: Path) -> None:
    def change(bad: Path) -> None:
        config = json.loads((bad / "config.json").read_text())
        (bad / "config.json").write_text(json.dumps({**config, "architectures": ["MyOwnForSequenceClassification"]}))

    tried = await attempts(LocalRunner(models=[spoilt(folder, change)], device="cpu"))
    assert "'bad' does something else: its config.json declares MyOwnForSequenceClassification" in tried[0][1]


async def test_a_model_that_brings_code(folder: Path) -> None:
    def change(bad: Path) -> None:
        config = json.loads((bad / "config.json").read_text())
        own = {"model_type": "own", "auto_map": {"AutoConfig": "code.Config", "AutoModelForSequenceClassification": "code.Model"}}
        (bad / "config.json").write_text(json.dumps({**config, **own}))
        (bad / "code.py").write_text(f"open({str(bad / 'ran')!r}, 'w')\n")

    runner = LocalRunner(models=[spoilt(folder, change)], device="cpu")
    tried = await attempts(runner)
    assert "'bad' wants to run code of its own, which is not done here" in tried[0][1]
    assert not (folder / "bad" / "ran").exists()


@pytest.mark.parametrize("kept", [0, 100, -1, -5000])
async def test_truncated_weights(folder: Path, kept: int) -> None:
    def change(bad: Path) -> None:
        weights = bad / "model.safetensors"
        weights.write_bytes(weights.read_bytes()[:kept])

    tried = await attempts(LocalRunner(models=[spoilt(folder, change)], device="cpu"))
    assert "weights of 'bad' are damaged: model.safetensors is cut off" in tried[0][1]


async def test_weights_that_are_only_pickled_are_not_even_a_candidate(folder: Path) -> None:
    def change(bad: Path) -> None:
        torch.save(T.BertForSequenceClassification.from_pretrained(bad).state_dict(), bad / "pytorch_model.bin")
        (bad / "model.safetensors").unlink()

    runner = LocalRunner(models=[spoilt(folder, change)], device="cpu")
    assert await attempts(runner) == [("good", "")]
    told = HubToolkit(runners=[runner]).tool(TASK.name).invoke({"text": "x", "model": "bad"})
    assert "only there as pytorch_model.bin, which may run code" in told


async def test_a_tokenizer_that_is_missing(folder: Path) -> None:
    def change(bad: Path) -> None:
        for name in ("tokenizer.json", "tokenizer_config.json"):
            (bad / name).unlink(missing_ok=True)

    tried = await attempts(LocalRunner(models=[spoilt(folder, change)], device="cpu"))
    assert tried[0][0] == "bad"
    assert "has no tokenizer" in tried[0][1]


def with_function(function: Callable[[LoadedModel, Mapping[str, Any]], RunnerOutput], folder: Path, **options: Any) -> LocalRunner:
    return LocalRunner(models=[folder], device="cpu", table={TASK.name: replace(ROW, function=function)}, **options)


def usual(model: LoadedModel, inputs: Mapping[str, Any]) -> RunnerOutput:
    return LocalRow(task=TASK.name, function=ROW.function, loaders=()).expert()(model, inputs)


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB"),
        RuntimeError("[enforce fail at alloc_cpu.cpp] DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes"),
    ],
)
async def test_out_of_memory(folder: Path, error: Exception) -> None:
    spoilt(folder, lambda _: None)

    def function(model: LoadedModel, inputs: Mapping[str, Any]) -> RunnerOutput:
        if model.id == "bad":
            raise error
        return usual(model, inputs)

    runner = with_function(function, folder)
    tried = await attempts(runner)
    assert "'bad' ran out of memory" in tried[0][1]
    assert "choose a smaller model" in tried[0][1]
    assert not any("bad" in str(key) for key in runner.pool._held)  # its room is given back


@pytest.fixture
def end() -> Iterator[threading.Event]:
    event = threading.Event()
    yield event
    event.set()


async def test_a_model_that_never_returns(folder: Path, end: threading.Event) -> None:
    spoilt(folder, lambda _: None)

    def function(model: LoadedModel, inputs: Mapping[str, Any]) -> RunnerOutput:
        if model.id == "bad":
            end.wait(60)
        return usual(model, inputs)

    runner = with_function(function, folder, timeout=0.3, concurrency=1)
    began = time.perf_counter()
    tried = await attempts(runner)
    assert "'bad' did not end within 0.3 seconds and was given up" in tried[0][1]
    assert time.perf_counter() - began < 30  # and not the minute that the model takes
    tried = await attempts(runner)  # the one place is free, and nobody waits for the model that hangs
    assert [m for m, _ in tried] == ["bad", "good"]


async def test_a_run_that_is_cancelled_frees_its_place_while_the_model_goes_on(folder: Path, end: threading.Event) -> None:
    inside = threading.Event()

    def function(model: LoadedModel, inputs: Mapping[str, Any]) -> RunnerOutput:
        if inputs["text"] == "slow":
            inside.set()
            end.wait(60)
        return usual(model, inputs)

    runner = with_function(function, folder, concurrency=1)
    card = ModelCard(id="good", task=TASK.name)
    slow = asyncio.create_task(runner.arun(TASK, card, {"text": "slow"}))
    assert await asyncio.to_thread(inside.wait, 30)
    slow.cancel()
    with pytest.raises(asyncio.CancelledError):
        await slow
    other = ModelCard(id="bad", task=TASK.name)
    spoilt(folder, lambda _: None)
    assert (await runner.arun(TASK, other, {"text": "quick"})).values["labels"]


async def test_a_cancelled_generation_ends_at_its_next_step(folder: Path) -> None:
    """Cancelling reaches into the model: no more forward passes than the one that runs."""
    passes, inside, left = 0, threading.Event(), threading.Event()

    def function(model: LoadedModel, inputs: Mapping[str, Any]) -> RunnerOutput:
        nonlocal passes
        try:
            batch = model.tokenizer("a great movie", return_tensors="pt")
            while passes < 10**6:
                model.model(**batch)
                passes += 1
                inside.set()
        finally:
            left.set()
        return usual(model, inputs)

    runner = with_function(function, folder)
    running = asyncio.create_task(runner.arun(TASK, ModelCard(id="good", task=TASK.name), {"text": "x"}))
    assert await asyncio.to_thread(inside.wait, 30)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert await asyncio.to_thread(left.wait, 30)
    assert passes < 10**6


async def test_a_folder_that_is_deleted_while_its_model_is_in_use(folder: Path) -> None:
    spoilt(folder, lambda _: None)
    inside, go = threading.Event(), threading.Event()

    def function(model: LoadedModel, inputs: Mapping[str, Any]) -> RunnerOutput:
        inside.set()
        go.wait(30)
        return usual(model, inputs)

    runner = with_function(function, folder)
    card = ModelCard(id="bad", task=TASK.name)
    running = asyncio.create_task(runner.arun(TASK, card, {"text": "a great movie"}))
    assert await asyncio.to_thread(inside.wait, 30)
    shutil.rmtree(folder / "bad")
    go.set()
    assert (await running).values["labels"]  # what is in memory is whole
    assert await attempts(runner) == [("good", "")]  # and afterwards it is no candidate any more


async def test_a_model_that_comes_later_is_a_candidate_for_the_same_request(folder: Path) -> None:
    assistant = agent(LocalRunner(models=[folder], device="cpu"))
    assert [c.card.id for c in assistant.toolkit.experts.candidates(TASK, "sentiment")] == ["good"]
    spoilt(folder, lambda _: None)
    assert [c.card.id for c in assistant.toolkit.experts.candidates(TASK, "sentiment")] == ["bad", "good"]


async def test_a_folder_that_goes_between_the_choice_and_the_run(folder: Path) -> None:
    spoilt(folder, lambda _: None)
    runner = LocalRunner(models=[folder], device="cpu")
    assistant = agent(runner)
    candidates = assistant.toolkit.experts.candidates(TASK, "sentiment")
    assert [c.card.id for c in candidates] == ["bad", "good"]
    shutil.rmtree(folder / "bad")
    message = assistant.toolkit.tool(TASK.name).invoke(
        {"type": "tool_call", "id": "1", "name": TASK.name, "args": {"text": "x", "candidates": candidates}}
    )
    assert [a["model"] for a in message.artifact["attempts"]] == ["bad", "good"]
    assert "bad is not on this machine" in message.artifact["attempts"][0]["error"]


async def test_a_model_that_does_not_fit(folder: Path) -> None:
    shutil.copytree(folder / "good", folder / "bad")
    tokenizer = word_tokenizer()
    large = T.BertConfig(vocab_size=len(tokenizer), **{**BERT, "hidden_size": 128, "intermediate_size": 512}, **labels("a", "b"))
    save(folder / "bad", T.BertForSequenceClassification(large))
    runner = LocalRunner(models=[folder], device="cpu", pool=ModelPool(max_bytes=400_000))
    tried = await attempts(runner)
    assert "in memory, and the models in memory may take" in tried[0][1]


class _MeetingLoader:
    """Loads as another does, and waits a moment for a second load to come beside it."""

    def __init__(self, loader: Any) -> None:
        self._loader = loader
        self.name, self.packages, self.fits, self.expected = loader.name, loader.packages, loader.fits, loader.expected
        self.barrier = threading.Barrier(2)
        self.met = False

    def load(self, files: Any, device: Any) -> LoadedModel:
        with contextlib.suppress(threading.BrokenBarrierError):
            self.barrier.wait(0.3)
            self.met = True
        loaded: LoadedModel = self._loader.load(files, device)
        return loaded


async def test_models_are_loaded_one_at_a_time_in_a_process(folder: Path) -> None:
    """transformers changes torch's default dtype while it loads: two loads at once give models of mixed precision."""
    shutil.copytree(folder / "good", folder / "other")
    loader = _MeetingLoader(ROW.loaders[0])
    table = {TASK.name: replace(ROW, loaders=(loader,))}
    runners = [LocalRunner(models=[folder], device="cpu", table=table) for _ in range(2)]
    calls = [r.arun(TASK, ModelCard(id=i, task=TASK.name), {"text": "a film"}) for r, i in zip(runners, ("good", "other"), strict=True)]
    outputs = await asyncio.gather(*calls)
    assert outputs[0].values == outputs[1].values
    assert not loader.met


def test_where_a_model_is(folder: Path) -> None:
    runner = LocalRunner(models=[folder], device="cpu", max_download=10**6)
    card, other = (
        ModelCard(id=i, task=TASK.name, library="transformers", formats=("safetensors",), bytes=1) for i in ("good", "lab/other")
    )
    assert runner.availability(TASK).place is None
    assert runner.availability(TASK, card).place is Place.HERE
    assert runner.availability(TASK, other).place is Place.ABSENT
    runner.run(TASK, card, {"text": "a film"})
    assert runner.availability(TASK, card).place is Place.LOADED
    runner.pool.clear()
    assert runner.availability(TASK, card).place is Place.HERE


def test_a_model_larger_than_the_memory_that_is_free_is_told(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("langchain_hugginggpt.tools.runners.local.runner.free_memory", lambda: 10)
    assert LocalRunner(models=[folder]).availability(TASK, ModelCard(id="good", task=TASK.name)).place is Place.TIGHT
