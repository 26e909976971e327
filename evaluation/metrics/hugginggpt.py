"""HuggingGPT's planning metrics by request type (arXiv 2303.17580, section 4.2 and tables 3 to 5).

The paper compares names of tasks and publishes no scorer; how each metric is read here stands in its docstring. A plan that cannot be
read counts as an empty one. The GPT-4 score of its graph plans is a judgement by a language model, and is not here.
"""

from __future__ import annotations

from collections.abc import Sequence

from ..record import Score
from .counts import Counts, of_bags
from .sequences import distance

PAPER_NAMES = {"single": "single", "chain": "sequential", "dag": "graph"}
"""What the paper calls TaskBench's types."""


def accuracy(label: Sequence[str], plan: Sequence[str], *, ordered: bool = True) -> Score:
    """Plans that are right: the same tasks as often, and, where `ordered`, in the same order; for a graph order is free.

    The share of cases, in [0, 1]. Two empty plans are equal. Source: table 3 of the paper, "identical to the label".
    """
    same = list(label) == list(plan) if ordered else sorted(label) == sorted(plan)
    return float(same), 1.0


def task_counts(label: Sequence[str], plan: Sequence[str]) -> Counts:
    """Tasks with multiplicity: what is wanted twice must be planned twice.

    Gives precision, recall and F1 over all cases (micro), each in [0, 1]; without any task on either side a case adds nothing.
    Source: tables 3 to 5 of the paper.
    """
    return of_bags(label, plan)


def edit_distance(label: Sequence[str], plan: Sequence[str]) -> Score:
    """Levenshtein's distance between the sequences of tasks over the longer length: in [0, 1], 0 for equal ones, also for empty ones.

    The mean over cases is told. Source: table 4 of the paper, "normalized edit distance".
    """
    longest = max(len(label), len(plan))
    return distance(label, plan) / longest if longest else 0.0, 1.0
