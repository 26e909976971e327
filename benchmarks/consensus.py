"""What agreement among experts is worth: `python -m benchmarks.consensus [--plot docs/consensus.png] [--count N]`.

Claims: the agreed answer is at least as often right as the best single expert's, and is right more often the more the experts agree.

Two panels of five small classifiers are trained in the run (tests/local_models/panels.py), of different architectures and unequal quality,
each on its own part of the data: readers of scikit-learn's handwritten digits, and judges of made-up reviews, who have not met all words of
praise and blame. They run as models of a LocalRunner through HubTaskTool with `agree`, on data that none of them learned from; the digits
a second time under noise, so that there are enough errors to tell scores of agreement apart. The experts of each panel of three are the
first three. Intervals are percentiles of 2,000 bootstraps over the held-out cases, paired.
"""

from __future__ import annotations

import argparse
import io
import platform
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import transformers
from numpy.typing import NDArray

from benchmarks.startup import table
from langchain_hugginggpt.index import ModelCard
from langchain_hugginggpt.tools import HUB_TASKS, ArtifactStore, Candidate, Experts, HubTaskTool, LocalRunner
from langchain_hugginggpt.tools.consensus.agreement import LOW
from langchain_hugginggpt.tools.consensus.labels import distribution, overlap, top
from langchain_hugginggpt.tools.consensus.merged import mean_of_pairs
from tests.local_models.panels import build_digits, build_reviews, held_out_digits
from tests.local_models.trained import picture_of, sentences

Distribution = Mapping[str, float]
_BOOTSTRAPS = 2_000
_BINS = (0.0, 0.125, 0.25, 0.375, 0.5, 0.625, 0.75, 1.0)
_NOISE = 0.45
"""Standard deviation of what is added to the brightness of the digits, 0..1."""


@dataclass(frozen=True, kw_only=True)
class Answers:
    """What a panel said about the held-out cases.

    Attributes:
        single: by model id: its distribution for each case.
        right: the label of each case.
        agreed: by size of the panel: the agreed label of each case, and the agreement.
    """

    single: Mapping[str, Sequence[Distribution]]
    right: Sequence[str]
    agreed: Mapping[int, Sequence[tuple[str, float]]]

    def panel(self, size: int) -> list[list[Distribution]]:
        """By case: the distributions of the first `size` experts."""
        return [list(d) for d in zip(*list(self.single.values())[:size], strict=True)]


def _mean(given: Sequence[Distribution]) -> dict[str, float]:
    return {k: sum(d.get(k, 0.0) for d in given) / len(given) for k in {k for d in given for k in d}}


def _share(given: Sequence[Distribution]) -> float:
    best = top(_mean(given))
    return sum(top(d) == best for d in given) / len(given)


def _entropy(given: Distribution) -> float:
    p = np.array([v for v in given.values() if v > 0])
    return float(-(p * np.log2(p)).sum())


def _divergence(given: Sequence[Distribution]) -> float:
    return float(1 - (_entropy(_mean(given)) - np.mean([_entropy(d) for d in given])) / np.log2(len(given)))


def _root(one: Distribution, other: Distribution) -> float:
    return float(sum(np.sqrt(one[k] * other[k]) for k in one.keys() & other.keys()))


SCORES: Mapping[str, Callable[[Sequence[Distribution]], float]] = {
    "overlap of distributions": lambda g: mean_of_pairs(g, overlap),
    "Bhattacharyya coefficient": lambda g: mean_of_pairs(g, _root),
    "1 - Jensen-Shannon divergence": _divergence,
    "share of votes": _share,
    "share of votes × mean probability": lambda g: _share(g) * max(_mean(g).values()),
    "share of votes × overlap (the one that is used)": lambda g: _share(g) * mean_of_pairs(g, overlap),
    "mean probability of the agreed label": lambda g: max(_mean(g).values()),
    "probability that two draws are equal": lambda g: mean_of_pairs(g, lambda a, b: sum(a[k] * b[k] for k in a.keys() & b.keys())),
}
"""Scores of agreement that were tried. Of equal distributions the first four and the sixth give 1, whatever they say."""


class Panel:
    """Experts of one task.

    Args:
        task: its name.
        ids: of the models.
        runner: has them.
        store: of the inputs.
    """

    def __init__(self, task: str, ids: Sequence[str], runner: LocalRunner, store: ArtifactStore) -> None:
        self._task = HUB_TASKS[task]
        self._candidates = [Candidate(card=ModelCard(id=i, task=task), runner=runner, score=1.0, why="") for i in ids]
        self._tool = HubTaskTool(self._task, experts=Experts(_no_index, [runner]), store=store)
        self._port = self._task.inputs[0].name

    def answers(self, inputs: Sequence[Any], given: Sequence[Any], right: Sequence[str]) -> Answers:
        """Ask each expert, and three and five of them together.

        Args:
            inputs: as runners take them.
            given: the same as the tool takes them.
            right: the labels.
        """
        single = {
            c.card.id: [distribution(c.runner.run(self._task, c.card, {self._port: i}).values["labels"]) for i in inputs]
            for c in self._candidates
        }
        return Answers(single=single, right=right, agreed={k: [self._agreed(g, k) for g in given] for k in (3, 5)})

    def _agreed(self, given: Any, size: int) -> tuple[str, float]:
        arguments = {self._port: given, "candidates": self._candidates, "agree": size}
        result = self._tool.invoke({"type": "tool_call", "id": "1", "name": self._tool.name, "args": arguments}).artifact
        return result["output"]["labels"][0]["label"].casefold(), result["agreement"]["score"]


def _no_index() -> Any:
    raise AssertionError("candidates are given")


def digit_answers(root: Path, runner: LocalRunner, ids: Sequence[str], count: int, noise: float) -> Answers:
    """The last digits as pictures."""
    pictures, right = held_out_digits(count)
    chance = np.random.default_rng(0)
    store = ArtifactStore(root)
    files = []
    for picture in pictures:
        encoded = io.BytesIO()
        picture_of(np.clip(picture + chance.normal(0, noise, picture.shape), 0, 1), 8).save(encoded, "PNG")
        files.append(store.put(encoded.getvalue(), name="digit.png", media_type="image/png"))
    return Panel("image-classification", ids, runner, store).answers(files, [f.id for f in files], right)


def review_answers(root: Path, runner: LocalRunner, ids: Sequence[str], count: int) -> Answers:
    """New reviews, with words that some of the judges have not met."""
    made = sentences(99, count)
    texts = [s for s, _ in made]
    panel = Panel("text-classification", ids, runner, ArtifactStore(root))
    return panel.answers(texts, texts, ["positive" if y else "negative" for _, y in made])


def hits(labels: Sequence[str | None], right: Sequence[str]) -> NDArray[np.float64]:
    """1 for each label that is right."""
    return np.array([float(a == b) for a, b in zip(labels, right, strict=True)])


def interval(difference: NDArray[np.float64]) -> tuple[float, float]:
    """The 95 % interval of a mean, by bootstrap."""
    chance = np.random.default_rng(0)
    means = difference[chance.integers(0, len(difference), (_BOOTSTRAPS, len(difference)))].mean(axis=1)
    low, high = np.percentile(means, [2.5, 97.5])
    return float(low), float(high)


def area(scores: Sequence[float], right: NDArray[np.float64]) -> float:
    """The chance that a right answer has a higher score than a wrong one, ties counting half (area under the ROC); nan without both."""
    good, bad = (np.array(scores)[right == side] for side in (1, 0))
    if not len(good) or not len(bad):
        return float("nan")
    return float(((good[:, None] > bad).mean() + (good[:, None] >= bad).mean()) / 2)


def accuracy_rows(name: str, answers: Answers) -> list[list[str]]:
    """One line for each expert and each panel of a data set."""
    found = {m: hits([top(d) for d in given], answers.right) for m, given in answers.single.items()}
    rows = [[name, model, f"{h.mean():.3f}", "", ""] for model, h in found.items()]
    for size, agreed in answers.agreed.items():
        mine = hits([label for label, _ in agreed], answers.right)
        best = max(list(found)[:size], key=lambda m: found[m].mean())
        low, high = interval(mine - found[best])
        over = f"{mine.mean() - found[best].mean():+.3f} ({low:+.3f} to {high:+.3f})"
        kept = "kept" if high >= 0 and mine.mean() >= found[best].mean() else "MISSED"
        rows.append([name, f"agreed, {size} experts", f"{mine.mean():.3f}", over, kept])
    return rows


def bins(answers: Answers, size: int = 5) -> list[tuple[float, float, int, float]]:
    """By bin of agreement: its ends, how many cases are in it, and the accuracy of the agreed answers. Empty bins are left out."""
    right = hits([label for label, _ in answers.agreed[size]], answers.right)
    scores = np.array([s for _, s in answers.agreed[size]])
    found = []
    for low, high in pairwise(_BINS):
        inside = (scores >= low) & ((scores < high) | (high == 1.0))
        if inside.any():
            found.append((low, high, int(inside.sum()), float(right[inside].mean())))
    return found


def score_rows(all_answers: Mapping[str, Answers]) -> list[list[str]]:
    """For each score that was tried: how well it tells right answers from wrong ones."""
    rows = []
    for name, score in SCORES.items():
        row = [name]
        for answers in all_answers.values():
            for size in (3, 5):
                panel = answers.panel(size)
                right = hits([top(_mean(g)) for g in panel], answers.right)
                row.append(f"{area([score(g) for g in panel], right):.3f}")
        rows.append(row)
    return rows


def threshold_rows(all_answers: Mapping[str, Answers]) -> list[list[str]]:
    """What the note on low agreement is worth."""
    rows = []
    for name, answers in all_answers.items():
        for size, agreed in answers.agreed.items():
            right = hits([label for label, _ in agreed], answers.right)
            low = np.array([s < LOW for _, s in agreed])
            means = [f"{right[side].mean():.3f}" if side.any() else "–" for side in (low, ~low)]
            rows.append([name, str(size), *means, f"{low.mean():.2f}"])
    return rows


def draw(all_answers: Mapping[str, Answers], path: Path) -> None:
    """Accuracy by agreement, one panel of the picture for each data set."""
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, len(all_answers), figsize=(4 * len(all_answers), 3.6), sharey=True, layout="constrained")
    for axis, (name, answers) in zip(axes, all_answers.items(), strict=True):
        found = bins(answers)
        axis.bar([(a + b) / 2 for a, b, _, _ in found], [r for *_, r in found], [0.94 * (b - a) for a, b, _, _ in found], color="#4c78a8")
        for low, high, count, right in found:
            axis.text((low + high) / 2, right + 0.01, f"{right:.2f}\nn={count}", ha="center", va="bottom", fontsize=7)
        best = max(hits([top(d) for d in g], answers.right).mean() for g in answers.single.values())
        axis.axhline(best, color="#e45756", linestyle="--", linewidth=1, label=f"best single expert, all cases: {best:.2f}")
        axis.axvline(LOW, color="#888888", linestyle=":", linewidth=1, label=f"a note is given below {LOW:g}")
        axis.set(title=name, xlabel="agreement of 5 experts", xlim=(0, 1), ylim=(0, 1.18))
        axis.legend(fontsize=7, loc="lower left")
    axes[0].set_ylabel("accuracy of the agreed answer")
    figure.savefig(path, dpi=110)


def main() -> None:
    """Print the tables, and draw the picture."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--plot", type=Path, default=None, help="where the picture goes; default: none is made")
    parser.add_argument("--count", type=int, default=600, help="held-out cases of each data set")
    parser.add_argument("--seed", type=int, default=0, help="of the training")
    given = parser.parse_args()
    transformers.utils.logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    transformers.utils.logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        digits, reviews = build_digits(root, held_out=given.count, seed=given.seed), build_reviews(root, seed=given.seed)
        runner = LocalRunner(models=[root], device="cpu")
        answers = {
            "digits": digit_answers(root, runner, digits, given.count, 0.0),
            "digits under noise": digit_answers(root, runner, digits, given.count, _NOISE),
            "reviews": review_answers(root, runner, reviews, given.count),
        }
    print(f"{platform.platform()}, Python {sys.version.split()[0]}; {given.count} held-out cases each, seed {given.seed}\n")
    rows = [row for name, a in answers.items() for row in accuracy_rows(name, a)]
    print(table(["data", "who", "accuracy", "over the best single one of them (95 %)", "at least as good"], rows))
    binned = [[n, f"{a:g} to {b:g}", str(c), f"{r:.3f}"] for n, one in answers.items() for a, b, c, r in bins(one)]
    print("\n" + table(["data", "agreement of 5", "cases", "accuracy"], binned))
    print("\n" + table(["data", "experts", f"accuracy below {LOW:g}", f"accuracy from {LOW:g} on", "share below"], threshold_rows(answers)))
    heads = [f"{n}, {k}" for n in answers for k in (3, 5)]
    print("\n" + table(["score", *heads], score_rows(answers)))
    if given.plot:
        draw(answers, given.plot)


if __name__ == "__main__":
    main()
