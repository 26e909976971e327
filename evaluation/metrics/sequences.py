"""Distance between sequences."""

from __future__ import annotations

from collections.abc import Hashable, Sequence


def distance(a: Sequence[Hashable], b: Sequence[Hashable], *, substitution: int = 1) -> int:
    """Least cost of turning one sequence into the other; an insertion or a deletion costs 1.

    Args:
        a: one sequence.
        b: the other.
        substitution: 1 gives Levenshtein's distance, in [0, max(len)]; 2 that of insertions and deletions only, in [0, sum of len].
    """
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        diagonal, row[0] = row[0], i
        for j, y in enumerate(b, 1):
            diagonal, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, diagonal + (0 if x == y else substitution))
    return row[-1]
