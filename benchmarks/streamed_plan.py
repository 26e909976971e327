"""What it saves to run a plan while a chat model still writes it: `python benchmarks/streamed_plan.py [--taskbench FOLDER]`.

The real ChatOpenAI asks a server on 127.0.0.1 that answers token by token, 50 a second, as hosted models do; every expert takes two
seconds. Each plan runs twice through the whole agent: as it is written, and after the whole of it is there. With TaskBench's folder,
outputs that Mistral 7B and CodeLlama 13B wrote are replayed in the same way, each with a stub for each tool, and all of them are read to
see how many would start early, and when.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import statistics
import struct
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessageChunk, BaseMessage
from langchain_core.outputs import ChatGenerationChunk, ChatResult
from langchain_core.tools import BaseTool
from langchain_openai import ChatOpenAI
from pydantic import SecretStr, create_model

from langchain_hugginggpt.agent import HuggingGPT, Plan, PlannedTask, Ref, Reply, Request
from langchain_hugginggpt.agent.planners.llm import LLMPlanner
from langchain_hugginggpt.agent.planners.llm.prompt import answer_json
from langchain_hugginggpt.agent.planners.planner import Planner
from langchain_hugginggpt.evaluation.datasets.taskbench import load_taskbench, mentioned_files
from langchain_hugginggpt.index import MiniLM, ModelCard
from langchain_hugginggpt.index.errors import HuggingGPTError
from langchain_hugginggpt.tools import Availability, DeclaredTool, HubTask, HubToolkit, Kind, NewMedia, RunnerOutput, TaskTable

sys.path.insert(0, str(Path(__file__).parent.parent))  # so that the script finds the tests when it is run by its path
from tests.openai_server import OpenAIServer, Says

TOKEN_SECONDS = 0.02
EXPERT_SECONDS = 2.0
REPLAYED = 3
_TOKEN = re.compile(r"\w{1,4}|\s*\W")
_PNG = b"\x89PNG\r\n\x1a\n made up"
_WAV = (
    b"RIFF"
    + struct.pack("<I", 40)
    + b"WAVEfmt "
    + struct.pack("<IHHIIHH", 16, 1, 1, 8000, 16000, 2, 16)
    + b"data"
    + struct.pack("<I", 4)
    + b"\0" * 4
)
_MP4 = b"\0\0\0\x18ftypisom\0\0\2\0isomiso2"
_BYTES = {Kind.IMAGE: (_PNG, "png"), Kind.AUDIO: (_WAV, "wav"), Kind.VIDEO: (_MP4, "mp4")}


def task(ident: str, name: str, **arguments: Any) -> PlannedTask:
    """A planned task."""
    return PlannedTask(id=ident, task=name, arguments=arguments)


def to(ident: str) -> Ref:
    """A reference to a task's output."""
    return Ref(task_id=ident)


PLANS = {
    "a chain of two": Plan(tasks=(task("1", "text-to-image", prompt="a red fox in the snow"), task("2", "image-to-text", image=to("1")))),
    "two branches": Plan(
        tasks=(
            task("1", "translation", text="the meeting is at noon", target_language="French"),
            task("2", "text-to-speech", text=to("1")),
            task("3", "summarization", text="the meeting is at noon"),
            task("4", "sentence-similarity", source_sentence=to("1"), sentences=[to("3")]),
        )
    ),
    "six at once": Plan(
        tasks=tuple(
            task(str(i), "translation", text="the meeting is at noon", target_language=language)
            for i, language in enumerate(("French", "Polish", "Dutch", "Czech", "Greek", "Welsh"), 1)
        )
    ),
}


class SleepingRunner:
    """Takes its time and gives something of the right kind."""

    name = "sleeping"

    def availability(self, task: HubTask, card: ModelCard | None = None) -> Availability:
        """Everything can run."""
        return Availability(supported=True, ok=True)

    def run(self, task: HubTask, card: ModelCard, inputs: Mapping[str, Any]) -> RunnerOutput:
        """Not used: the executor calls `arun`."""
        raise NotImplementedError

    async def arun(self, task: HubTask, card: ModelCard, inputs: Mapping[str, Any]) -> RunnerOutput:
        """Sleep."""
        await asyncio.sleep(EXPERT_SECONDS)
        media = {k: NewMedia(data=data, media_type=f"{k}/{end}", name=f"made.{end}") for k, (data, end) in _BYTES.items()}
        return RunnerOutput(values={p.name: media.get(p.kind, [0.5] if p.kind is Kind.JSON else "words") for p in task.outputs})


class SleepingTool(BaseTool):
    """A stub of one of TaskBench's tools."""

    gives: str

    def _run(self, **arguments: Any) -> str:
        raise NotImplementedError

    async def _arun(self, **arguments: Any) -> str:
        await asyncio.sleep(EXPERT_SECONDS)
        return self.gives


class Waiting:
    """A planner whose plans are waited for."""

    def __init__(self, planner: LLMPlanner) -> None:
        self._planner = planner

    def plan(self, request: Request, tasks: TaskTable) -> Plan:
        """Plan."""
        return self._planner.plan(request, tasks)

    async def aplan(self, request: Request, tasks: TaskTable) -> Plan:
        """Plan."""
        return await self._planner.aplan(request, tasks)

    def astream(self, request: Request, tasks: TaskTable) -> AsyncIterator[PlannedTask]:
        """Plan."""
        return self._planner.astream(request, tasks)


class Typist(BaseChatModel):
    """Writes one text, token by token, and knows how far it is."""

    text: str
    typed: float = 0.0

    @property
    def _llm_type(self) -> str:
        return "typist"

    def _generate(
        self, messages: list[BaseMessage], stop: list[str] | None = None, run_manager: CallbackManagerForLLMRun | None = None, **kwargs: Any
    ) -> ChatResult:
        raise HuggingGPTError("The typist writes a text only once.")

    def _stream(
        self, messages: list[BaseMessage], stop: list[str] | None = None, run_manager: CallbackManagerForLLMRun | None = None, **kwargs: Any
    ) -> Iterator[ChatGenerationChunk]:
        tokens = _TOKEN.findall(self.text)
        for i, token in enumerate(tokens, 1):
            self.typed = i / len(tokens)
            yield ChatGenerationChunk(message=AIMessageChunk(content=token))


@dataclass(kw_only=True)
class Timeline:
    """Seconds from the request to: the first expert's start, the whole plan, the reply."""

    first: float = 0.0
    planned: float = 0.0
    done: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Script:
    """A request with the answer that the model gives, and who runs the plan."""

    name: str
    text: str
    answer: str
    toolkit: HubToolkit
    files: Sequence[Path] = field(default_factory=tuple)


async def timeline(script: Script, encoder: MiniLM, *, streamed: bool) -> Timeline:
    """Run it through the agent. Raises RuntimeError when a task does not run."""
    times = Timeline()
    with OpenAIServer(Says(pieces=tuple(_TOKEN.findall(script.answer)), pause=TOKEN_SECONDS)) as server:
        model = ChatOpenAI(model="local", base_url=server.url, api_key=SecretStr("x"), max_retries=0, timeout=120)
        asking = LLMPlanner(model, encoder=encoder)
        planner: Planner = asking if streamed else Waiting(asking)
        agent = HuggingGPT(toolkit=script.toolkit, planner=planner)
        began = time.perf_counter()
        async for step in agent.awatch(script.text, script.files):
            now = time.perf_counter() - began
            if isinstance(step, Reply):
                times.done = now
                if not step.trace.complete:
                    raise RuntimeError(f"{script.name}: {step.text}")
            elif step["type"] == "plan" and step["whole"]:
                times.planned = now
            elif step["type"] == "task_start":
                times.first = times.first or now
    return times


def own_scripts(encoder: MiniLM) -> Iterator[Script]:
    """The three plans above, as a model with structured output writes them."""
    toolkit = HubToolkit(runners=[SleepingRunner()], encoder=encoder)
    for name, plan in PLANS.items():
        yield Script(name=name, text="Do it.", answer=json.dumps(answer_json(plan, "", structured=True)), toolkit=toolkit)


def recorded(folder: Path) -> Iterator[tuple[str, str, str]]:
    """Model, request and answer of TaskBench's recorded outputs."""
    for path in sorted(folder.glob("predictions_[cm]*.jsonl")):
        if "corrupted" not in path.name:
            for line in path.read_text(encoding="utf-8").splitlines():
                row = json.loads(line)
                written = {k: row[k] for k in ("task_steps", "task_nodes", "task_links") if k in row}
                yield path.stem.removeprefix("predictions_"), row["user_request"], json.dumps(written, ensure_ascii=False)


def stubs(tasks: TaskTable, folder: Path) -> HubToolkit:
    """TaskBench's tools as tools that sleep."""
    declared = []
    for number, task in enumerate(tasks.values()):
        gives = str(_file(folder, task.output.kind)) if task.output.kind in _BYTES else "words"
        arguments: Any = create_model("Arguments", **{p.name: (Any, None) for p in task.inputs})  # type: ignore[call-overload]
        declared.append(
            DeclaredTool(tool=SleepingTool(name=f"tool-{number}", description=task.summary, args_schema=arguments, gives=gives), task=task)
        )
    return HubToolkit(tools=declared, runners=[])


def _file(folder: Path, kind: Kind, name: str = "") -> Path:
    data, end = _BYTES.get(kind, (b"words", "txt"))
    path = folder / (name or f"made.{end}")
    path.write_bytes(data + path.name.encode())  # files of one content are one artifact
    return path


async def starts(request: str, answer: str, tasks: TaskTable, encoder: MiniLM) -> tuple[float | None, Plan]:
    """The share of the answer that was written when the first task could start, or None; and the plan, empty when none came of it."""
    typist, plan, first = Typist(text=answer), Plan(), None
    asked = Request(text=request, files=mentioned_files(request))
    try:
        async for plan in LLMPlanner(typist, encoder=encoder, examples=0, repairs=0).agrow(asked, tasks):
            if first is None and plan.tasks and typist.typed < 1:
                first = typist.typed
    except HuggingGPTError:
        plan = Plan()
    return first, plan


async def replayed(data: Path, folder: Path, encoder: MiniLM) -> tuple[list[Script], list[tuple[str, ...]]]:
    """The first recorded outputs with three tasks or more and no fault, as scripts; and by model how many would start early, and when."""
    tasks = load_taskbench(data).tasks
    toolkit = stubs(tasks, folder)
    scripts: list[Script] = []
    found: dict[str, list[tuple[float | None, Plan]]] = {}
    for model, request, answer in recorded(data):
        first, plan = await starts(request, answer, tasks, encoder)
        found.setdefault(model, []).append((first, plan))
        if len(scripts) < REPLAYED and first is not None and len(plan.tasks) > 2 and not plan.repairs:
            files = [_file(folder, f.kind, f.name) for f in mentioned_files(request)]
            scripts.append(Script(name=f"{model}, {len(plan.tasks)} tasks", text=request, answer=answer, toolkit=toolkit, files=files))
    body: list[tuple[str, ...]] = []
    for model, seen in found.items():
        early = [s for s, plan in seen if s is not None and plan.tasks]
        plans = sum(bool(plan.tasks) for _, plan in seen)
        body.append(
            (model, str(len(seen)), str(plans), f"{len(early)} ({len(early) / max(1, plans):.0%})", f"{statistics.median(early):.0%}")
        )
    return scripts, body


async def rows(scripts: Sequence[Script], encoder: MiniLM) -> list[tuple[str, ...]]:
    """Two rows for each script."""
    body: list[tuple[str, ...]] = []
    for script in scripts:
        waited, streamed = [await timeline(script, encoder, streamed=s) for s in (False, True)]
        for how, t in (("waiting", waited), ("streamed", streamed)):
            saved = f"{waited.done - t.done:.2f} s ({1 - t.done / waited.done:.0%})" if how == "streamed" else ""
            before = ("yes" if t.first < t.planned else "NO") if how == "streamed" else ""
            body.append((script.name, how, f"{t.first:.2f} s", f"{t.planned:.2f} s", f"{t.done:.2f} s", before, saved))
    return body


def table(head: Sequence[str], body: Sequence[Sequence[str]]) -> str:
    """Markdown."""
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, ["---"] * len(head), *body))


async def measure(data: Path | None) -> None:
    """Measure and print."""
    encoder = MiniLM()
    await timeline(replace(next(own_scripts(encoder)), name="warm-up"), encoder, streamed=True)  # loads encoder, index and graph
    scripts = list(own_scripts(encoder))
    with tempfile.TemporaryDirectory() as folder:
        more, counts = await replayed(data, Path(folder), encoder) if data is not None else ([], [])
        head = ("plan", "", "first expert starts", "plan is whole", "all done", "starts before the plan's end", "saved")
        print(table(head, await rows([*scripts, *more], encoder)))
    if counts:
        print("\n" + table(("recorded", "outputs", "plans", "first task can start early", "when (median share of the answer)"), counts))


def main() -> None:
    """Parse and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--taskbench", type=Path, metavar="FOLDER", help="TaskBench's folder with recorded outputs")
    asyncio.run(measure(parser.parse_args().taskbench))


if __name__ == "__main__":
    main()
