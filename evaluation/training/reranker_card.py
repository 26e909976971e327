"""Writes a trained re-ranker, and beside it its card for people."""

from __future__ import annotations

from pathlib import Path

from ...index.ranking.features import FEATURES
from ..bootstrap import Ratio
from ..errors import DatasetError
from .reranker import DEPTHS, FOLDS, SPLITS, Trained

_TEXT = """\
# {name}

The re-ranker of langchain-hugginggpt's model-card index: a network of {weights} weights over {features} facts that a search has about
each of the 60 cards that it looks at ({listed}),
and a linear classifier of the query's task among {tasks}, over the query's vector by `{encoder}`.
{size} KB, numpy only, less than half a millisecond a search. With another encoder the classifier is left out.
Newness and size count a little as well, by hand: no data set that we have tells what they are worth.

## Trained on

{trained_on}

and, for the classifier, this project's own written requests (`evaluation/training/requests`). **It has seen every one of these requests:**
figures of this very file on them mean nothing. `hugginggpt evaluate selection` trains one for each of {folds} folds instead.

## Scores on what it had not seen

Percent of requests whose right model is among the first k, with the search limited to the right task and without. Cross-fitted in {folds}
folds by the right model, mean of {splits} splits; in brackets the order before re-ranking, and the 95 % interval of the paired difference.

| requests | cards of | R@1 | R@5 | R@10 |
| --- | --- | --- | --- | --- |
{scores}

## Beware

- The requests of APIBench were written by a language model out of the cards, and each has one right model though others would serve.
- Popularity is that of 2023. From the least to the most popular of a list it moves a card by some two units of the logit, about as much as
  two standard deviations of the cosine do, and no more; cards whose downloads are not known are neither raised nor lowered.

## Make it again

    {command}
"""


def save(trained: Trained, path: Path, *, command: str) -> Path:
    """Write weights and card. Raises DatasetError when that cannot be done."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        trained.reranker.save(path)
        path.with_suffix(".md").write_text(_card(trained, path, command), "utf-8")
    except OSError as e:
        raise DatasetError(f"The weights cannot be written to {str(path)!r}: {e.strerror}.", remedy="Choose another --out.") from e
    return path


def told(figures: dict[str, Ratio], block: str, k: int) -> str:
    """E.g. `27.4 (24.9; +0.9 to +4.1)`: cross-fitted, before re-ranking, and the interval of the difference."""
    from ..bootstrap import percentile_interval

    after, before = figures[f"{block}.r{k}"], figures[f"fused/{block}.r{k}"]
    ends = percentile_interval(after.resampled - before.resampled) or (0.0, 0.0)
    return f"{100 * (after.value or 0):.1f} ({100 * (before.value or 0):.1f}; {100 * ends[0]:+.1f} to {100 * ends[1]:+.1f})"


def _card(trained: Trained, path: Path, command: str) -> str:
    reranker = trained.reranker
    rows = [
        f"| {name} | {'right task' if block == 'filtered' else 'all tasks'} | {' | '.join(told(dict(figures), block, k) for k in DEPTHS)} |"
        for name, figures in trained.figures.items()
        for block in ("filtered", "unfiltered")
    ]
    return _TEXT.format(
        name=path.stem,
        weights=sum(w.size for name, w in reranker.weights.items() if not name.startswith("tasks.")),
        features=len(FEATURES),
        listed=", ".join(FEATURES),
        tasks=len(reranker.tasks),
        encoder=reranker.encoder,
        size=round(path.stat().st_size / 1024),
        trained_on="\n".join(f"- {name}: {n} requests" for name, n in trained.sizes.items()),
        folds=FOLDS,
        splits=SPLITS,
        scores="\n".join(rows),
        command=command,
    )
