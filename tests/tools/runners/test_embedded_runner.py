"""The runner itself: what it says it can do, errors, threads."""

from __future__ import annotations

import asyncio
import contextvars
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from langchain_hugginggpt.index.card import ModelCard
from langchain_hugginggpt.index.errors import ExpertError
from langchain_hugginggpt.tools.errors import InputError
from langchain_hugginggpt.tools.hub_tasks import HUB_TASKS
from langchain_hugginggpt.tools.runners.embedded import EmbeddedRunner
from langchain_hugginggpt.tools.runners.embedded.engines import Engines, Expert
from langchain_hugginggpt.tools.runners.embedded.table import EXPERTS, ExpertRow
from langchain_hugginggpt.tools.runners.runner import Runner, RunnerOutput
from tests.tools.runners.pages import do, embedded_card

SIMILARITY = HUB_TASKS["sentence-similarity"]


def test_it_is_a_runner(embedded: EmbeddedRunner) -> None:
    assert isinstance(embedded, Runner)
    assert embedded.name == "embedded"


def test_every_row_is_a_hub_task_with_a_card_of_its_own(embedded: EmbeddedRunner) -> None:
    assert set(EXPERTS) <= set(HUB_TASKS)
    assert len({row.card_id for row in EXPERTS.values()}) == len(EXPERTS) == 11
    for task, row in EXPERTS.items():
        assert row.card_id.startswith("embedded/")
        assert embedded.availability(HUB_TASKS[task], embedded_card(task)).ok


def test_a_task_without_an_expert_is_not_supported(embedded: EmbeddedRunner) -> None:
    found = embedded.availability(HUB_TASKS["text-to-image"])
    assert (found.supported, found.ok, found.why, found.remedy) == (False, False, "no embedded expert does this task", "")


def test_a_hub_model_is_not_supported(embedded: EmbeddedRunner) -> None:
    card = ModelCard(id="org/model", task=SIMILARITY.name)
    found = embedded.availability(SIMILARITY, card)
    assert (found.supported, found.ok, found.why) == (False, False, "embedded experts do not run Hub models")
    with pytest.raises(ExpertError, match="embedded experts do not run Hub models"):
        embedded.run(SIMILARITY, card, {"source_sentence": "a", "sentences": ["b"]})


def test_a_missing_package_is_named_with_its_remedy(embedded: EmbeddedRunner, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "espeakng_loader", None)  # what the import system itself does for a package that is not there
    task = HUB_TASKS["text-to-speech"]
    found = embedded.availability(task)
    assert (found.supported, found.ok) == (True, False)
    assert found.why == "the package espeakng_loader is not installed"
    assert 'pip install "langchain-hugginggpt[embedded]"' in found.remedy
    with pytest.raises(ExpertError, match="espeakng_loader is not installed"):
        do(embedded, "text-to-speech", text="hello")


def test_import_and_availability_load_nothing_heavy() -> None:
    code = """
import sys
from langchain_hugginggpt.tools.hub_tasks import HUB_TASKS
from langchain_hugginggpt.tools.runners.embedded import EmbeddedRunner
runner = EmbeddedRunner()
print(sum(runner.availability(t).ok for t in HUB_TASKS.values()))
print([m for m in ("onnxruntime", "rapidocr", "cv2", "torch", "tokenizers", "silero_vad", "espeakng_loader") if m in sys.modules])
"""
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split("\n")
    assert out[:2] == ["11", "[]"]


@pytest.mark.parametrize(
    ("task", "inputs", "message"),
    [
        ("text-classification", {"text": "  "}, "'text' is empty"),
        ("text-classification", {}, "'text' must be a text, not NoneType"),
        ("zero-shot-classification", {"text": "x", "candidate_labels": []}, "holds no label"),
        ("sentence-similarity", {"source_sentence": "x", "sentences": [" "]}, "'sentences' holds no text"),
        ("text-ranking", {"query": "x", "documents": [1]}, "must be a list of texts"),
        ("summarization", {"text": "x", "max_sentences": 0}, "whole number of at least 1"),
        ("image-to-text", {"image": "page.png"}, "'image' must be a file"),
        ("text-to-speech", {"text": "***"}, "nothing that can be spoken"),
    ],
)
def test_bad_inputs_are_the_callers_to_mend(embedded: EmbeddedRunner, task: str, inputs: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        do(embedded, task, **inputs)


class _Sleeper:
    """An expert that takes its time and reports what it saw."""

    def __init__(self, _: Engines) -> None: ...

    def __call__(self, inputs: Mapping[str, Any]) -> RunnerOutput:
        time.sleep(0.3)
        return RunnerOutput(values={"scores": [threading.current_thread().name, _WHO.get()]})


class _Broken:
    def __init__(self, _: Engines) -> None: ...

    def __call__(self, inputs: Mapping[str, Any]) -> RunnerOutput:
        raise ZeroDivisionError("inside the engine")


_WHO: contextvars.ContextVar[str] = contextvars.ContextVar("who", default="nobody")


def _runner_of(make: Callable[[Engines], Expert]) -> EmbeddedRunner:
    row = ExpertRow(card_id=EXPERTS[SIMILARITY.name].card_id, make=make, packages=())
    return EmbeddedRunner(concurrency=2, table={SIMILARITY.name: row})


async def test_arun_leaves_the_loop_free_and_keeps_the_context() -> None:
    runner = _runner_of(_Sleeper)
    _WHO.set("the caller")
    call = asyncio.ensure_future(runner.arun(SIMILARITY, embedded_card(SIMILARITY.name), {}))
    ticks = 0
    while not call.done():
        await asyncio.sleep(0.01)
        ticks += 1
    thread, who = (await call).values["scores"]
    assert ticks >= 10
    assert thread.startswith("embedded-expert")
    assert who == "the caller"


async def test_no_more_than_the_given_number_run_at_once() -> None:
    runner = _runner_of(_Sleeper)
    started = time.perf_counter()
    await asyncio.gather(*(runner.arun(SIMILARITY, embedded_card(SIMILARITY.name), {}) for _ in range(4)))
    assert 0.55 < time.perf_counter() - started < 1.15


def test_a_fault_inside_an_engine_becomes_an_expert_error() -> None:
    runner = _runner_of(_Broken)
    with pytest.raises(ExpertError, match="failed at sentence-similarity: ZeroDivisionError: inside the engine") as caught:
        runner.run(SIMILARITY, embedded_card(SIMILARITY.name), {})
    assert isinstance(caught.value.__cause__, ZeroDivisionError)


def test_several_threads_at_once_on_a_cold_runner() -> None:
    runner = EmbeddedRunner()
    texts = ["The food was delicious.", "The waiter was rude and the soup was cold.", "A wonderful evening.", "It broke at once."]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda t: do(runner, "text-classification", text=t).values["labels"][0]["label"], texts))
        spoken = list(pool.map(lambda t: len(do(runner, "text-to-speech", text=t).values["audio"].data), texts))
    assert found == ["positive", "negative", "positive", "negative"]
    alone = [len(do(runner, "text-to-speech", text=t).values["audio"].data) for t in texts]
    assert spoken == pytest.approx(alone, rel=0.01), "the engine itself differs by some samples from call to call"
