"""A toolkit whose experts are stubs: what each does is said by the text it is given."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Mapping
from typing import Any

from langchain_hugginggpt.agent import Plan, PlannedTask, Request
from langchain_hugginggpt.index import ModelCard, ModelCardIndex
from langchain_hugginggpt.index.errors import CallerError, ExpertError
from langchain_hugginggpt.tools import (
    HUB_TASKS,
    ArtifactStore,
    Availability,
    HubTask,
    HubToolkit,
    Kind,
    NewMedia,
    Port,
    RunnerOutput,
    TaskTable,
)


class HashEncoder:
    """Unit vectors from letters: enough to rank, nothing to load."""

    name = "letters"

    def encode(self, texts: Any) -> Any:
        import numpy as np

        out = np.zeros((len(texts), 32), np.float32)
        for i, text in enumerate(texts):
            for c in text.lower():
                out[i, ord(c) % 32] += 1
        return out / np.maximum(np.linalg.norm(out, axis=1, keepdims=True), 1e-9)


class StubRunner:
    """Gives `<task>(<text>)`; texts steer it: `sleep 0.1` waits, `fail` fails, `wrong` blames the caller, `crash` raises ValueError."""

    name = "stub"

    def __init__(self, *, without: tuple[str, ...] = ()) -> None:
        self.without = without
        self.calls: list[tuple[str, str]] = []
        self.running = 0
        self.most = 0
        self.cancelled: list[str] = []
        self.both = asyncio.Event()  # set when two tasks run at once
        self._lock = threading.Lock()

    def availability(self, task: HubTask, card: ModelCard | None = None) -> Availability:
        if task.name in self.without:
            return Availability(supported=True, ok=False, why="it was left out of this test", remedy="Put it in.")
        return Availability(supported=True, ok=True)

    def run(self, task: HubTask, card: ModelCard, inputs: Mapping[str, Any]) -> RunnerOutput:
        return asyncio.run(self.arun(task, card, inputs))

    async def arun(self, task: HubTask, card: ModelCard, inputs: Mapping[str, Any]) -> RunnerOutput:
        given = " ".join(v if isinstance(v, str) else getattr(v, "name", str(v)) for v in inputs.values())
        with self._lock:
            self.calls.append((task.name, given))
            self.running += 1
            self.most = max(self.most, self.running)
        if self.running == 2:
            self.both.set()
        try:
            await self._act(card, given)
        except asyncio.CancelledError:
            self.cancelled.append(task.name)
            raise
        finally:
            self.running -= 1
        return RunnerOutput(values={p.name: self._value(task, p, f"{task.name}({given[-60:]})") for p in task.outputs})

    async def _act(self, card: ModelCard, given: str) -> None:
        words = given.split()
        if "sleep" in words:
            await asyncio.sleep(float(words[words.index("sleep") + 1]))
        if "fail" in words or ("fail-first" in words and card.id.endswith("-a")):
            raise ExpertError("the stub was told to fail", retryable=True)
        if "wrong" in words:
            raise CallerError("the stub blames the caller", remedy="Ask for something else.")
        if "crash" in words:
            raise ValueError("boom")

    def _value(self, task: HubTask, port: Port, text: str) -> Any:
        one: Any = {
            Kind.TEXT: text,
            Kind.LABELS: [{"label": "yes", "score": 0.9}, {"label": "no", "score": 0.1}],
            Kind.NUMBER: 0.5,
            Kind.JSON: SAMPLES.get((task.name, port.name), [{"text": text}]),
        }.get(port.kind) or NewMedia(data=_PNG + text.encode(), media_type="image/png", name="made.png")
        return [one, one] if port.many else one


_BOX = {"xmin": 0, "ymin": 0, "xmax": 1, "ymax": 1}
SAMPLES: dict[tuple[str, str], list[Any]] = {
    ("token-classification", "entities"): [{"label": "PER", "score": 0.9, "start": 0, "end": 1, "text": "a"}],
    ("object-detection", "objects"): [{"label": "cat", "score": 0.9, "box": _BOX}],
    ("zero-shot-object-detection", "objects"): [{"label": "cat", "score": 0.9, "box": _BOX}],
    ("image-segmentation", "regions"): [{"label": "sky", "score": 0.9}, {"label": "sea", "score": None}],
    ("keypoint-detection", "keypoints"): [{"label": "nose", "x": 0.5, "y": 0.5, "score": 0.9, "figure": 0}],
    ("text-ranking", "ranking"): [{"text": "a", "index": 0, "score": 0.9}],
    ("text-retrieval", "documents"): [{"text": "a", "index": 0, "score": 0.9}],
    ("visual-document-retrieval", "documents"): [{"index": 0, "score": 0.9}],
    ("sentence-similarity", "scores"): [0.9],
    ("feature-extraction", "embedding"): [0.1, 0.2],
    ("image-feature-extraction", "embedding"): [0.1, 0.2],
    ("voice-activity-detection", "segments"): [{"start": 0.0, "end": 1.0}],
    ("tabular-classification", "predictions"): ["yes"],
    ("tabular-regression", "predictions"): [1.5],
    ("time-series-forecasting", "forecast"): [{"value": 1.5}],
}
"""A value of each output that has a form (tools/forms.py)."""

_PNG = b"\x89PNG\r\n\x1a\n"


def toolkit(runner: StubRunner | None = None, **kwargs: Any) -> HubToolkit:
    """Every Hub task, with two stub models for each: `stub/<task>-a` and `stub/<task>-b`."""
    cards = [ModelCard(id=f"stub/{t}-{x}", task=t, text=f"does {t}") for t in HUB_TASKS for x in "ab"]
    index = ModelCardIndex.from_cards(cards, encoder=HashEncoder())
    return HubToolkit(index=index, runners=[runner or StubRunner()], store=kwargs.pop("store", None) or ArtifactStore(), **kwargs)


class FixedPlanner:
    """Gives the plans it was made with, in order; the last one again and again."""

    def __init__(self, *plans: Plan) -> None:
        self._plans = list(plans)
        self.requests: list[Request] = []

    def plan(self, request: Request, tasks: TaskTable) -> Plan:
        self.requests.append(request)
        return self._plans.pop(0) if len(self._plans) > 1 else self._plans[0]

    async def aplan(self, request: Request, tasks: TaskTable) -> Plan:
        return self.plan(request, tasks)

    async def astream(self, request: Request, tasks: TaskTable) -> AsyncIterator[PlannedTask]:
        for task in self.plan(request, tasks).tasks:
            yield task
