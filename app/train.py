"""`hugginggpt train planner|reranker`: weights of your own for planning, and for the order of the models found."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from ..evaluation.datasets.apibench import load_selection
from ..evaluation.datasets.taskbench import load_taskbench
from ..evaluation.training import reranker_card
from ..evaluation.training.reranker import train_reranker
from ..evaluation.training.training import Training, save, train_planner
from ..index.minilm import MiniLM


def train(data: Sequence[Path], out: Path, *, encoder: Path | None, epochs: int, seed: int) -> None:
    """Train, write the weights, and say how they score on the cases that were held out."""
    console = Console(highlight=False, emoji=False)
    reading = MiniLM(encoder)
    sets = [load_taskbench(path) for path in data]
    with _Bars() as bars:
        trained = train_planner(sets, Training(epochs=epochs, seed=seed, on_progress=bars.show), encoder=reading)
    path = save(trained, out)
    console.print(f"Trained in {trained.seconds / 60:.1f} min. On requests that were held out:", soft_wrap=True)
    for name, held in trained.weights.card["held_out"].items():
        console.print(
            f"  {name}: {held['requests']} requests, n-F1 {held['n_f1']:.1f}, e-F1 {held['e_f1']:.1f}, exact plans {held['exact']:.1f} %",
            soft_wrap=True,
            markup=False,
        )
    for kind, n in trained.problems.counts.most_common():
        console.print(f"  {n} × {kind}", soft_wrap=True, markup=False)
    with_it = "" if encoder is None else f" --encoder {encoder}"
    console.print(f"Weights: {path}\nUse them: --planner {path}{with_it}", soft_wrap=True, markup=False)


def train_ranking(data: Path, out: Path, *, cards: Path | None, seed: int) -> None:
    """Train the re-ranker of the model-card index, write it, and say how it scores on what it had not seen."""
    console = Console(highlight=False, emoji=False)
    sets = [load_selection(data, downloads=cards), *([load_selection(data, cards)] if cards is not None else [])]
    with _Bars() as bars:
        trained = train_reranker(sets, MiniLM(), seed=seed, on_progress=bars.show)
    told = f"hugginggpt train reranker --data {data}{'' if cards is None else f' --cards {cards}'} --seed {seed}"
    path = reranker_card.save(trained, out, command=told)
    console.print(path.with_suffix(".md").read_text("utf-8"), markup=False, soft_wrap=True)
    for kind, n in trained.problems.counts.most_common():
        console.print(f"  {n} × {kind}", soft_wrap=True, markup=False)
    console.print(f"Weights: {path}", soft_wrap=True, markup=False)


class _Bars:
    """A bar for each stage, on standard error."""

    def __init__(self) -> None:
        console = Console(stderr=True)
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), TextColumn("left"))
        self._progress = Progress(*columns, console=console, refresh_per_second=2, transient=True, disable=not console.is_terminal)
        self._tasks: dict[str, TaskID] = {}

    def __enter__(self) -> _Bars:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def show(self, stage: str, done: int, of: int) -> None:
        """How far a stage is."""
        if stage not in self._tasks:
            self._tasks[stage] = self._progress.add_task(stage, total=of)
        self._progress.update(self._tasks[stage], completed=done, total=of)
