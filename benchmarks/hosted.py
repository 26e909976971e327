"""What the hosted runner costs over the client alone: `python -m benchmarks.hosted [--pairs N] [--callers N]`.

Claims: a call of a task through HubTaskTool, RetryingRunner and HostedRunner takes at most 5 % or 3 ms longer than the same call of
huggingface_hub's InferenceClient, whichever is more; many calls at once take no longer than 1.2 times the slowest of them.

The server is in a process of its own and speaks the Hub's protocol. The two sides call it in turn (A B A B …), each with inputs that are
ready: bytes for the client, stored files for the tool. The client's side ends with what a caller would have: a parsed reply, a picture
whose pixels are there. `ainvoke` is held against AsyncInferenceClient.
"""

from __future__ import annotations

import argparse
import asyncio
import io
import multiprocessing
import random
import statistics
import threading
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from multiprocessing.connection import Connection
from typing import Any

import numpy as np
from huggingface_hub import AsyncInferenceClient, InferenceClient
from huggingface_hub.inference._common import MimeBytes
from PIL import Image

from benchmarks.startup import table
from langchain_hugginggpt.index import ModelCard
from langchain_hugginggpt.tools import HUB_TASKS, ArtifactStore, Candidate, Experts, HubTaskTool
from langchain_hugginggpt.tools.media import wav_bytes
from langchain_hugginggpt.tools.runners.hosted import HostedRunner
from langchain_hugginggpt.tools.runners.retrying import RetryingRunner
from tests.hosted_replies import Asked, png
from tests.hosted_server import HostedServer

MODEL = "lab/model"
TOKEN = "hf_benchmark"
SLOWEST = 1.0  # seconds
_WARM = 3

MORE_DONE: Mapping[str, str] = {
    "image-classification": "the picture is decoded before it is sent: a damaged one would cost a call",
    "object-detection": "the picture is decoded before it is sent; boxes are checked, and drawn on a copy of it, which is stored",
    "text-to-image": "the picture is stored under its SHA-256",
}
"""By task: what our side does and the client does not."""


def photo(width: int, height: int) -> bytes:
    """A JPEG with as much detail as a photo."""
    drawn = np.random.default_rng(0).integers(0, 256, (height // 8, width // 8, 3), dtype=np.uint8)
    image = Image.fromarray(drawn).resize((width, height), Image.Resampling.BICUBIC)
    image.paste((220, 20, 20), (width // 4, height // 4, width // 2, height // 2))
    out = io.BytesIO()
    image.save(out, "JPEG")
    return out.getvalue()


def waiting(asked: Asked) -> Any:
    """Answers after as many seconds as the text says."""
    time.sleep(float(asked.text))
    return [[{"label": asked.text, "score": 1.0}]]


def serve(wire: Connection) -> None:
    """A server for one side of the benchmark; runs until the other end of the wire is closed."""
    Image.init()
    made = png(Image.open(io.BytesIO(photo(512, 512))))
    with HostedServer() as server:
        server.replies["text-to-image"] = lambda _: (made, "image/png")
        server.replies["fill-mask"] = waiting  # an address of its own; what is asked there is text-classification
        server.replies["image-classification"] = lambda _: [{"label": "grey", "score": 0.9}, {"label": "red", "score": 0.1}]
        box = {"xmin": 160, "ymin": 120, "xmax": 320, "ymax": 240}
        server.replies["object-detection"] = lambda _: [{"label": "square", "score": 0.9, "box": box}]
        wire.send({name: server.url(name) for name in (*server.replies, "text-generation")})
        try:
            wire.recv()
        except EOFError:
            return


@contextmanager
def served() -> Iterator[dict[str, str]]:
    """Addresses by task."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=serve, args=(theirs,), daemon=True)
    process.start()
    theirs.close()
    try:
        yield ours.recv()
    finally:
        ours.close()
        process.join(10)


@dataclass(frozen=True, kw_only=True)
class Case:
    """A task both ways.

    Attributes:
        task: its name.
        shown: what is sent or comes back.
        files: by port, what is given as a file: name and bytes.
        args: by port, everything else.
        ask: of the client, given the bytes by port; also of the asynchronous one.
        end: makes of the client's reply what a caller would have.
    """

    task: str
    shown: str
    files: Mapping[str, tuple[str, bytes]]
    args: Mapping[str, Any]
    ask: Callable[[Any, Mapping[str, bytes]], Any]
    end: Callable[[Any], Any] = lambda reply: reply


def cases() -> tuple[Case, ...]:
    """Six tasks."""
    picture = {"image": ("photo.jpg", photo(640, 480))}
    sound = wav_bytes(np.random.default_rng(0).integers(-3000, 3000, 160_000, dtype=np.int16).tobytes(), rate=16_000)
    said = [{"role": "user", "content": "hi"}]
    return (
        Case(
            task="text-classification",
            shown="a sentence",
            files={},
            args={"text": "a good film"},
            ask=lambda c, _: c.text_classification("a good film", top_k=5),
        ),
        Case(
            task="image-classification",
            shown="a JPEG of 640 x 480",
            files=picture,
            args={},
            ask=lambda c, f: c.image_classification(MimeBytes(f["image"], "image/jpeg")),
        ),
        Case(
            task="object-detection",
            shown="a JPEG of 640 x 480",
            files=picture,
            args={},
            ask=lambda c, f: c.object_detection(MimeBytes(f["image"], "image/jpeg")),
        ),
        Case(
            task="text-to-image",
            shown="a PNG of 512 x 512",
            files={},
            args={"prompt": "a red square"},
            ask=lambda c, _: c.text_to_image("a red square"),
            end=lambda image: image.load(),
        ),
        Case(
            task="automatic-speech-recognition",
            shown="10 s of wav",
            files={"audio": ("speech.wav", sound)},
            args={},
            ask=lambda c, f: c.automatic_speech_recognition(MimeBytes(f["audio"], "audio/wav")),
        ),
        Case(
            task="text-generation",
            shown="a message (chat)",
            files={},
            args={"prompt": "hi"},
            ask=lambda c, _: c.chat_completion(said),
        ),
    )


@dataclass(frozen=True, kw_only=True)
class Sample:
    """A task one way.

    Attributes:
        case: what was called.
        way: `invoke` or `ainvoke`.
        bare, ours: median milliseconds.
        over: median of the differences of the pairs, milliseconds.
        pairs: how many were measured.
    """

    case: Case
    way: str
    bare: float
    ours: float
    over: float
    pairs: int

    @property
    def kept(self) -> bool:
        """At most 5 % or 3 ms, whichever is more."""
        return self.over <= max(0.05 * self.bare, 3.0)

    def row(self) -> tuple[str, ...]:
        """Of the table."""
        verdict = "kept" if self.kept else "MISSED"
        times = (f"{self.bare:.2f}", f"{self.ours:.2f}", f"{self.over:+.2f}", f"{self.over / self.bare:+.0%}")
        return (self.case.task, self.case.shown, self.way, *times, str(self.pairs), verdict, MORE_DONE.get(self.case.task, ""))


HEAD = ("task", "of", "call", "client, ms", "ours, ms", "overhead, ms", "%", "pairs", "≤ 5 % or 3 ms", "done besides")


def made_tool(task: str, url: str, store: ArtifactStore) -> tuple[HubTaskTool, list[Candidate]]:
    """The tool of a task, and its one candidate, which is at an address."""
    runner = RetryingRunner(HostedRunner(token=TOKEN, endpoints={MODEL: url}, hub=False))
    tool = HubTaskTool(HUB_TASKS[task], experts=Experts(_no_index, [runner]), store=store)
    return tool, [Candidate(card=ModelCard(id=MODEL, task=task), runner=runner, score=1.0, why="")]


def _no_index() -> Any:
    raise AssertionError("candidates are given")


def ours_of(case: Case, url: str, store: ArtifactStore) -> tuple[Callable[[], Any], Callable[[], Awaitable[Any]]]:
    """A call of a task through the tool, and the asynchronous one."""
    tool, candidates = made_tool(case.task, url, store)
    files = {port: store.put(data, name=name).id for port, (name, data) in case.files.items()}
    call = {"type": "tool_call", "id": "1", "name": case.task, "args": {**case.args, **files, "candidates": candidates}}
    return partial(tool.invoke, call), partial(tool.ainvoke, call)


def check_answered(message: Any) -> None:
    """Raises AssertionError where the tool gave no output: failing fast would look like being fast."""
    assert message.status == "success", message.content


def measured(case: Case, url: str, pairs: int, store: ArtifactStore) -> Sample:
    """By `invoke`, held against InferenceClient."""
    ours, _ = ours_of(case, url, store)
    files = {port: data for port, (_, data) in case.files.items()}
    bare_times, our_times = [], []
    with InferenceClient(model=url, token=TOKEN) as client:
        for n in range(-_WARM, pairs):
            begun = time.perf_counter()
            case.end(case.ask(client, files))
            between = time.perf_counter()
            message = ours()
            ended = time.perf_counter()
            check_answered(message)
            if n >= 0:
                bare_times.append(between - begun)
                our_times.append(ended - between)
    return sample(case, "invoke", bare_times, our_times)


async def ameasured(case: Case, url: str, pairs: int, store: ArtifactStore) -> Sample:
    """By `ainvoke`, held against AsyncInferenceClient."""
    _, ours = ours_of(case, url, store)
    files = {port: data for port, (_, data) in case.files.items()}
    bare_times, our_times = [], []
    async with AsyncInferenceClient(model=url, token=TOKEN) as client:
        for n in range(-_WARM, pairs):
            begun = time.perf_counter()
            case.end(await case.ask(client, files))
            between = time.perf_counter()
            message = await ours()
            ended = time.perf_counter()
            check_answered(message)
            if n >= 0:
                bare_times.append(between - begun)
                our_times.append(ended - between)
    return sample(case, "ainvoke", bare_times, our_times)


def sample(case: Case, way: str, bare: Sequence[float], ours: Sequence[float]) -> Sample:
    """Medians, in milliseconds."""
    over = statistics.median(o - b for o, b in zip(ours, bare, strict=True))
    return Sample(
        case=case, way=way, bare=statistics.median(bare) * 1e3, ours=statistics.median(ours) * 1e3, over=over * 1e3, pairs=len(bare)
    )


@dataclass(frozen=True, kw_only=True)
class Crowd:
    """Many calls at once, in seconds: how they were made, how many, how long the slowest was told to take, and all together (median)."""

    way: str
    callers: int
    slowest: float
    took: float

    def row(self) -> tuple[str, ...]:
        """Of the table."""
        ratio = self.took / self.slowest
        verdict = "kept" if ratio <= 1.2 else "MISSED"
        return (self.way, str(self.callers), f"{self.slowest:.2f} s", f"{self.took:.2f} s", f"{ratio:.3f}", verdict)


CROWD_HEAD = ("calls at once", "how many", "slowest", "all", "ratio", "≤ 1.2")


def crowds(url: str, callers: int, *, rounds: int = 5, seed: int = 1) -> tuple[Crowd, ...]:
    """Calls that are answered after 0.2 to 1 seconds each: by ainvoke in one loop, and by invoke in threads."""
    drawn = random.Random(seed)
    seconds = [round(drawn.uniform(0.2, SLOWEST), 3) for _ in range(callers)]
    tool, candidates = made_tool("text-classification", url, ArtifactStore())
    calls = [
        {"type": "tool_call", "id": "1", "name": tool.name, "args": {"text": str(s), "candidates": candidates}} for s in (0.0, *seconds)
    ]

    async def at_once() -> float:
        check_answered(await tool.ainvoke(calls[0]))  # imports, connections
        begun = time.perf_counter()
        messages = await asyncio.gather(*[tool.ainvoke(call) for call in calls[1:]])
        took = time.perf_counter() - begun
        for message in messages:
            check_answered(message)
        return took

    def in_threads(call: Callable[[Any], Any]) -> tuple[float, list[Any]]:
        with ThreadPoolExecutor(callers) as threads:
            ready = threading.Barrier(callers)
            list(threads.map(lambda _: ready.wait(), range(callers)))
            begun = time.perf_counter()
            answers = list(threads.map(call, calls[1:]))
            return time.perf_counter() - begun, answers

    def bare(call: Any) -> Any:
        with InferenceClient(model=url, token=TOKEN) as client:
            return client.text_classification(call["args"]["text"])

    took: dict[str, list[float]] = {"ainvoke": [], "invoke, threads": [], "the client alone, threads": []}
    for _ in range(rounds):
        took["ainvoke"].append(asyncio.run(at_once()))
        by_threads, messages = in_threads(tool.invoke)
        for message in messages:
            check_answered(message)
        took["invoke, threads"].append(by_threads)
        took["the client alone, threads"].append(in_threads(bare)[0])
    return tuple(Crowd(way=way, callers=callers, slowest=max(seconds), took=statistics.median(times)) for way, times in took.items())


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=100, metavar="N", help="pairs of calls for each task and way (default 100)")
    parser.add_argument("--callers", type=int, default=50, metavar="N", help="calls at once (default 50)")
    given = parser.parse_args()
    store = ArtifactStore()
    with served() as urls:
        samples = []
        for case in cases():
            samples.append(measured(case, urls[case.task], given.pairs, store))
            samples.append(asyncio.run(ameasured(case, urls[case.task], given.pairs, store)))
        print(table(HEAD, [s.row() for s in samples]))
        print()
        print(table(CROWD_HEAD, [c.row() for c in crowds(urls["fill-mask"], given.callers)]))


if __name__ == "__main__":
    main()
