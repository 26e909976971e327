"""How well a ranked list holds the one item that is right.

A rank counts from 1; None means that the item was not retrieved, which is a failure and never a case less. Each function gives what
one query adds to the numerator and the denominator; the metric is the ratio of the sums. Without any query there is no figure.
"""

from __future__ import annotations

from ...index.errors import CallerError
from ..record import Score


def recall_at(rank: int | None, k: int) -> Score:
    """Recall at k with one right item: 1 if rank <= k, else 0, over the number of queries.

    In [0, 1], higher is better. Source: Manning, Raghavan and Schuetze, Introduction to Information Retrieval, 2008, section 8.4; with
    one right item it is also called success@k or hit rate.

    Raises:
        CallerError: the rank or k is below 1.
    """
    if k < 1:
        raise CallerError(f"k must be 1 or more, not {k}.")
    checked = _checked(rank)
    return float(checked is not None and checked <= k), 1.0


def reciprocal_rank(rank: int | None) -> Score:
    """1 / rank, 0 when not retrieved, over the number of queries: their mean is the MRR.

    In [0, 1], higher is better. A list that is cut at a depth of d loses less than 1 / d a query. Source: Voorhees, The TREC-8 Question
    Answering Track Report, 1999.

    Raises:
        CallerError: the rank is below 1.
    """
    checked = _checked(rank)
    return 0.0 if checked is None else 1 / checked, 1.0


def task_at_1(first: str | None, gold: str) -> Score:
    """1 if the first item is for the right task, else 0, over the number of queries.

    In [0, 1], higher is better; 0 when nothing was retrieved (`first` is None). Source: what Gorilla's evaluation calls accuracy on
    Hugging Face is this, domain against domain (arXiv 2305.15334, `eval-scripts/ast_eval_hf.py`).
    """
    return float(first == gold), 1.0


def _checked(rank: int | None) -> int | None:
    if rank is not None and rank < 1:
        raise CallerError(f"Ranks count from 1; {rank} is none.")
    return rank
