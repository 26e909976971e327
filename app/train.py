"""`hugginggpt train planner`: weights of your own for planning."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from ..evaluation.datasets.taskbench import load_taskbench
from ..evaluation.training.training import Training, save, train_planner


def train(data: Sequence[Path], out: Path, *, epochs: int, seed: int) -> None:
    """Train, write the weights, and say how they score on the cases that were held out."""
    console = Console(highlight=False)
    sets = [load_taskbench(path) for path in data]
    with _Bars() as bars:
        trained = train_planner(sets, Training(epochs=epochs, seed=seed, on_progress=bars.show))
    path = save(trained, out)
    held = trained.weights.card["held_out"]
    console.print(
        f"Trained on {trained.weights.card['cases']} cases in {trained.seconds:.0f} s. On {held['cases']} held-out cases: "
        f"n-F1 {held['n_f1']:.1f}, e-F1 of the given links {held['e_f1']:.1f}.",
        soft_wrap=True,
    )
    for kind, n in trained.problems.counts.most_common():
        console.print(f"  {n} × {kind}", soft_wrap=True, markup=False)
    console.print(f"Weights: {path}\nUse them: --planner {path}", soft_wrap=True, markup=False)


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
