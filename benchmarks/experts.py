"""What the local runner costs over calling the libraries by hand: `python -m benchmarks.experts [--seconds N] [--runs N] [--part PART]`.

Claims: warm, a call of a task takes at most 5 % or 3 ms longer than by hand, whichever is more; ten callers at once load a model once; the
memory of a process stays flat and under the pool's bound while 20 models take turns.

`warm` goes through the tiny models of the conformance suite: `LocalRunner.run` and the functions of `benchmarks/by_hand`, each with a
loaded model of its own on the same device in the same numbers, from the same files, in the same thread, in turn (A B A B …). With models
this small nearly all of a call is what is done around the network, which is what is asked here; `large` has models of real sizes, where
there is a GPU or with `--large`: a random ViT-L and a decoder of 1.2 billion weights.
Each part runs in a process of its own.
"""

from __future__ import annotations

import argparse
import asyncio
import platform
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from benchmarks.by_hand import BY_HAND, ByHand
from benchmarks.startup import table
from langchain_hugginggpt.index import ModelCard
from langchain_hugginggpt.tools import HUB_TASKS, ArtifactStore
from langchain_hugginggpt.tools.inputs import read_inputs
from langchain_hugginggpt.tools.runners.local import LocalRunner
from langchain_hugginggpt.tools.runners.local.loaded import LoadedModel
from langchain_hugginggpt.tools.runners.local.model_files import ModelFiles, read_model_files
from langchain_hugginggpt.tools.runners.local.row import Loader, LocalRow
from langchain_hugginggpt.tools.runners.local.table import LOCAL
from langchain_hugginggpt.tools.runners.workers import Workers
from tests.local_models.all import CASES
from tests.local_models.case import Case
from tests.local_models.samples import Samples

Result = TypeVar("Result")
CALLERS = 10
_LEAST_CALLS = 5
_SETTINGS = (
    "max_new_tokens", "max_length", "min_length", "min_new_tokens", "num_beams", "do_sample", "language", "task", "forced_bos_token_id",
    "length_penalty", "no_repeat_ngram_size", "early_stopping", "repetition_penalty", "pad_token_id",
)  # fmt: skip
"""Of what is given to `generate`, all that says how much is written and how it is searched for."""

MORE_DONE: Mapping[str, str] = {
    "visual-document-retrieval": "pages go through the model one by one, so that memory holds one",
    "automatic-speech-recognition": "Whisper: the language is heard first; cut where it is quiet, silence left out",
    "zero-shot-image-classification": "labels go through the text part alone, pictures through theirs",
}
"""By task: what our side does and the short code does not."""


class Keeping:
    """A loader that keeps what it has loaded, and so counts its loads."""

    def __init__(self, loader: Loader) -> None:
        self._loader = loader
        self.loaded: list[LoadedModel] = []
        self.packages, self.name, self.fits, self.expected = loader.packages, loader.name, loader.fits, loader.expected

    def load(self, files: ModelFiles, device: Any) -> LoadedModel:
        """Load it; see `Loader`."""
        self.loaded.append(self._loader.load(files, device))
        return self.loaded[-1]


@dataclass(frozen=True, kw_only=True)
class Sample:
    """One task both ways.

    Attributes:
        id: of the case.
        hand, ours: median milliseconds.
        calls: pairs of calls that were measured.
        modules: how often a module of torch was called in one call, by hand and by us; the same where both do the same work.
    """

    id: str
    hand: float
    ours: float
    calls: int
    modules: tuple[int, int]

    @property
    def overhead(self) -> float:
        """Milliseconds."""
        return self.ours - self.hand

    @property
    def kept(self) -> bool:
        """At most 5 % or 3 ms, whichever is more."""
        return self.overhead <= max(0.05 * self.hand, 3.0)

    def row(self) -> tuple[str, ...]:
        """Of the table."""
        share = f"{self.overhead / self.hand:+.0%}" if self.hand else "–"
        work = "–" if self.modules == (0, 0) else f"{self.modules[0]:,} / {self.modules[1]:,}"
        verdict = "kept" if self.kept else "MISSED"
        why = MORE_DONE.get(self.id.split("--")[0], "")
        return (self.id, work, f"{self.hand:.2f}", f"{self.ours:.2f}", f"{self.overhead:+.2f}", share, str(self.calls), verdict, why)


HEAD = (
    "task--model",
    "module calls by hand / ours",
    "by hand, ms",
    "ours, ms",
    "overhead, ms",
    "%",
    "pairs",
    "≤ 5 % or 3 ms",
    "done besides",
)


def keeping(task: str) -> tuple[LocalRow, tuple[Keeping, ...]]:
    """The row of a task with loaders that keep."""
    loaders = tuple(Keeping(loader) for loader in LOCAL[task].loaders)
    return replace(LOCAL[task], loaders=loaders), loaders


def built(case: Case, models: Path) -> Path:
    """The folder of a case's model, built on first use."""
    import torch

    folder = models / case.id
    if not folder.exists():
        torch.manual_seed(0)
        folder.mkdir()
        case.build(folder)
    return folder


def inputs_of(case: Case, samples: Samples) -> dict[str, Any]:
    """What the runner gets for a case, as the tool reads it."""
    given = {n: v if isinstance(v, str | int | float | list | dict) else v.id for n, v in case.inputs(samples).items()}
    return dict(read_inputs(HUB_TASKS[case.task], given, samples.store))


def counted(action: Callable[[], Any]) -> int:
    """How often modules of torch are called in an action."""
    from torch.nn.modules.module import register_module_forward_pre_hook

    count = 0

    def one(*_: Any) -> None:
        nonlocal count
        count += 1

    hook = register_module_forward_pre_hook(one)
    try:
        action()
    finally:
        hook.remove()
    return count


def asked_of(model: Any, action: Callable[[], Any]) -> dict[str, Any]:
    """What an action asks of a model's `generate` (the last time): lengths, beams and language."""
    if not hasattr(model, "generate"):
        action()
        return {}
    seen: dict[str, Any] = {}
    generate = model.generate

    def watched(*args: Any, **kwargs: Any) -> Any:
        seen.update(kwargs)
        return generate(*args, **kwargs)

    model.generate = watched
    try:
        action()
    finally:
        del model.generate
    return {n: v for n, v in seen.items() if n in _SETTINGS and v is not None}


def timed(action: Callable[[], Any]) -> float:
    """Milliseconds."""
    began = time.perf_counter()
    action()
    return (time.perf_counter() - began) * 1000


def in_turn(timers: Sequence[Callable[[], float]], seconds: float) -> list[list[float]]:
    """What each timer says, one after the other until their time is over, at least five rounds."""
    times: list[list[float]] = [[] for _ in timers]
    end = time.perf_counter() + seconds
    while len(times[0]) < _LEAST_CALLS or time.perf_counter() < end:
        for timer, found in zip(timers, times, strict=True):
            found.append(timer())
    return times


class Worker:
    """The one thread in which both sides compute.

    OpenMP gives each thread that computes a team of its own, and with two teams on two cores each waits for the other: the side that came
    second would look 1.5 ms slower than it is.
    """

    def __init__(self) -> None:
        self.workers = Workers(1)

    def __call__(self, action: Callable[[], Result]) -> Result:
        """Do something there and wait."""
        return self.workers.submit(lambda _: action()).future.result()


def compared(case_id: str, folder: Path, inputs: Mapping[str, Any], by_hand: ByHand, seconds: float, worker: Worker) -> Sample:
    """A task on a warm model both ways. Each side has loaded the folder for itself. By hand is timed within the thread."""
    import torch

    task = case_id.split("--")[0]
    row, loaders = keeping(task)
    runner = LocalRunner(models=[folder.parent], table={task: row})
    runner._workers = worker.workers
    card = ModelCard(id=folder.name, task=task)

    def ours() -> Any:
        return runner.run(HUB_TASKS[task], card, inputs)

    ours()
    settings = asked_of(next(k.loaded[0] for k in loaders if k.loaded).model, ours)
    files = read_model_files(folder, folder.name)
    loader = LOCAL[task].loader_for(files)
    assert loader is not None
    model = worker(lambda: loader.load(files, runner.device))
    for module in _modules(model.model):
        module._forward_pre_hooks.clear()  # nothing of ours in the way of the other side

    def hand() -> Any:
        with torch.inference_mode():
            return by_hand(model, inputs, settings)

    worker(hand)
    modules = (counted(lambda: worker(hand)), counted(ours))
    times = in_turn((lambda: worker(lambda: timed(hand)), lambda: timed(ours)), seconds)
    return Sample(id=case_id, hand=statistics.median(times[0]), ours=statistics.median(times[1]), calls=len(times[0]), modules=modules)


def _modules(model: Any) -> list[Any]:
    import torch

    parts = model.components.values() if hasattr(model, "components") else [model]
    return [part for part in parts if isinstance(part, torch.nn.Module)]


def warm(cases: Sequence[Case], seconds: float) -> list[Sample]:
    """Every case for which there is code by hand. `seconds`: of each."""
    with tempfile.TemporaryDirectory() as folder:
        samples, models = Samples(ArtifactStore(Path(folder) / "files")), Path(folder) / "models"
        models.mkdir()
        worker, found = Worker(), []
        for case in (c for c in cases if c.id in BY_HAND):
            sys.stderr.write(f"{case.id}\n")
            made = worker(partial(built, case, models))
            found.append(compared(case.id, made, inputs_of(case, samples), BY_HAND[case.id], seconds, worker))
        return found


def machine() -> str:
    """What the figures were measured on."""
    import torch
    import transformers

    runner = LocalRunner()
    gpu = f", {torch.cuda.get_device_name()}" if torch.cuda.is_available() else ", no GPU"
    cpu = next((line.split(":")[1].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")), platform.machine())
    return (
        f"{cpu}, {torch.get_num_threads()} threads{gpu}; device {runner.device.name}, 16-bit numbers {runner.device.half}; Python "
        f"{platform.python_version()}, torch {torch.__version__}, transformers {transformers.__version__}."
    )


def _lines(path: str) -> list[str]:
    return Path(path).read_text().splitlines() if Path(path).exists() else []


async def together(case: Case, models: Path, samples: Samples) -> tuple[int, float, float, float]:
    """Ten callers of a model that is not loaded: loads, their seconds; seconds of ten calls at once and of ten one by one once it is."""
    row, loaders = keeping(case.task)
    folder = built(case, models)
    runner = LocalRunner(models=[models], table={case.task: row})
    card, inputs = ModelCard(id=folder.name, task=case.task), inputs_of(case, samples)

    async def ten() -> float:
        began = time.perf_counter()
        await asyncio.gather(*(runner.arun(HUB_TASKS[case.task], card, inputs) for _ in range(CALLERS)))
        return time.perf_counter() - began

    first, again = await ten(), await ten()
    began = time.perf_counter()
    for _ in range(CALLERS):
        await runner.arun(HUB_TASKS[case.task], card, inputs)
    return sum(len(k.loaded) for k in loaders), first, again, time.perf_counter() - began


def concurrent(cases: Sequence[Case]) -> list[tuple[str, ...]]:
    """A row for each case: ten callers at once."""
    with tempfile.TemporaryDirectory() as folder:
        samples, models = Samples(ArtifactStore(Path(folder) / "files")), Path(folder) / "models"
        models.mkdir()
        rows: list[tuple[str, ...]] = []
        for case in cases:
            loads, first, again, one_by_one = asyncio.run(together(case, models, samples))
            kept = "kept" if loads == 1 else "MISSED"
            rows.append((case.id, str(loads), f"{first:.2f}", f"{again:.3f}", f"{one_by_one:.3f}", kept))
        return rows


TOGETHER_HEAD = ("task--model", "loads", "ten at once, cold, s", "ten at once, warm, s", "ten one by one, warm, s", "one load")
_TOGETHER = ("text-classification--bert", "image-classification--vit", "automatic-speech-recognition--whisper")


def part(name: str, options: argparse.Namespace) -> str:
    """What a part prints."""
    from benchmarks import experts_cold, experts_large, experts_turns

    if name == "warm":
        found = warm([c for c in CASES if options.only in c.id], options.seconds)
        kept = sum(s.kept for s in found)
        median = statistics.median(s.overhead for s in found)
        return f"{table(HEAD, [s.row() for s in found])}\n\nKept by {kept} of {len(found)}; median overhead {median:+.2f} ms."
    if name == "cold":
        return experts_cold.report(options.runs)
    if name == "concurrent":
        return table(TOGETHER_HEAD, concurrent([c for c in CASES if c.id in _TOGETHER]))
    if name == "turns":
        return experts_turns.report()
    return experts_large.report(options.seconds)


PARTS = ("warm", "cold", "concurrent", "turns", "large")


def main() -> None:
    """Run the parts, each in a process of its own, and print what they print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=2.0, help="for each task (default 2)")
    parser.add_argument("--runs", type=int, default=3, help="fresh processes for each cold start (default 3)")
    parser.add_argument("--only", default="", metavar="TEXT", help="warm: only cases whose id holds this")
    parser.add_argument("--large", action="store_true", help="models of real sizes without a GPU too")
    parser.add_argument("--part", choices=PARTS, help="this part only")
    options = parser.parse_args()
    if options.part:
        import transformers

        warnings.simplefilter("ignore")
        transformers.utils.logging.set_verbosity_error()  # type: ignore[no-untyped-call]
        transformers.utils.logging.disable_progress_bar()  # type: ignore[no-untyped-call]
        print(part(options.part, options))
        return
    import torch

    print(machine())
    for name in PARTS if options.large or torch.cuda.is_available() else PARTS[:-1]:
        print(f"\n### {name}\n", flush=True)
        command = [sys.executable, "-m", "benchmarks.experts", "--part", name, "--seconds", str(options.seconds)]
        subprocess.run([*command, "--runs", str(options.runs), "--only", options.only], check=True)


if __name__ == "__main__":
    main()
