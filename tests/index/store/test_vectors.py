"""One task's vectors: exact or quantised, one row or several for each card, filtered inside the search."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from langchain_hugginggpt.index.errors import IndexFileError
from langchain_hugginggpt.index.store.vectors import MANY, MissingVectorsError, SubIndex, file_name, write_subindex

if TYPE_CHECKING:
    from langchain_hugginggpt.index.minilm import Floats
    from langchain_hugginggpt.index.store.vectors import Places

DIMENSION = 24
TASK = "text-classification"


def unit(rows: int, seed: int) -> Floats:
    v = np.random.default_rng(seed).standard_normal((rows, DIMENSION)).astype(np.float32)
    made: Floats = v / np.linalg.norm(v, axis=1, keepdims=True)
    return made


def in_blocks(vectors: Floats, size: int = 1000) -> Iterator[Floats]:
    for start in range(0, len(vectors), size):
        yield vectors[start : start + size]


def owners_of(rows: int, passages: int) -> Places:
    """Cards of one to `passages` rows each; the places of some that have gone stay empty."""
    counts = np.random.default_rng(3).integers(1, passages + 1, rows)
    places = np.cumsum(np.random.default_rng(4).integers(1, 3, rows)) - 1
    return np.repeat(places, counts)[:rows].astype(np.uint32)


def best_cards(vectors: Floats, owners: Places, query: Floats, allowed: set[int] | None) -> list[tuple[int, float]]:
    """Worked out one by one: each card's best cosine, best first."""
    best: dict[int, float] = {}
    for owner, cosine in zip(owners.tolist(), (vectors @ query).tolist(), strict=True):
        if allowed is None or owner in allowed:
            best[owner] = max(best.get(owner, -2.0), cosine)
    return sorted(best.items(), key=lambda b: -b[1])


@pytest.mark.parametrize("rows", [1, 70, 3000, MANY + 500], ids=["one", "few", "flat", "quantised"])
@pytest.mark.parametrize("passages", [1, 8])
def test_the_nearest_cards_are_those_of_brute_force(tmp_path: Path, rows: int, passages: int) -> None:
    vectors, owners = unit(rows, 1), owners_of(rows, passages)
    write_subindex(tmp_path, TASK, owners, in_blocks(vectors), DIMENSION)
    index = SubIndex.open(tmp_path, TASK)
    assert (index.rows, index.dimension) == (rows, DIMENSION)
    mask = np.zeros(int(owners[-1]) + 1, np.bool_)
    mask[::3] = True
    for query in unit(5, 2):
        for allowed in (None, mask):
            of = None if allowed is None else set(np.flatnonzero(allowed).tolist())
            expected = best_cards(vectors, owners, query, of)[:60]
            places, cosines = index.search(query, limit=60, allowed=allowed)
            assert len(places) == len(expected) == len(set(places.tolist()))
            np.testing.assert_allclose(cosines, [c for _, c in expected], atol=2e-3)
            found, wanted = set(places[:10].tolist()), {p for p, _ in expected[:10]}
            assert len(found & wanted) >= min(len(wanted), 10) - 1


@pytest.mark.parametrize("rows", [500, MANY + 100], ids=["flat", "quantised"])
def test_cosines_of_a_card_are_those_of_its_rows_in_order(tmp_path: Path, rows: int) -> None:
    vectors, owners = unit(rows, 1), owners_of(rows, 8)
    write_subindex(tmp_path, TASK, owners, in_blocks(vectors), DIMENSION)
    index, query = SubIndex.open(tmp_path, TASK), unit(1, 9)[0]
    places = np.unique(owners)[[0, -1, 20]]
    for place, cosines in zip(places, index.cosines(query, places), strict=True):
        np.testing.assert_allclose(cosines, (vectors @ query)[owners == place], atol=1e-3)


@pytest.mark.parametrize("rows", [500, MANY + 100], ids=["flat", "quantised"])
def test_rows_are_read_back_for_the_next_build(tmp_path: Path, rows: int) -> None:
    vectors = unit(rows, 1)
    write_subindex(tmp_path, TASK, owners_of(rows, 2), in_blocks(vectors), DIMENSION)
    index = SubIndex.open(tmp_path, TASK)
    np.testing.assert_allclose(index.vectors, vectors, atol=1e-3)
    np.testing.assert_allclose(np.concatenate(list(index.blocks())), vectors, atol=1e-3)


def test_a_filter_that_nobody_passes_finds_nobody(tmp_path: Path) -> None:
    write_subindex(tmp_path, TASK, owners_of(50, 1), in_blocks(unit(50, 1)), DIMENSION)
    index = SubIndex.open(tmp_path, TASK)
    places, cosines = index.search(unit(1, 2)[0], limit=10, allowed=np.zeros(200, np.bool_))
    assert (len(places), len(cosines)) == (0, 0)


def halve(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


@pytest.mark.parametrize("ending", ["faiss", "owners", "f16"])
def test_a_file_that_is_lost_or_cut_is_told(tmp_path: Path, ending: str) -> None:
    write_subindex(tmp_path, TASK, owners_of(MANY, 1), in_blocks(unit(MANY, 1)), DIMENSION)
    path = tmp_path / file_name(TASK, ending)
    whole = path.read_bytes()
    halve(path)
    with pytest.raises(IndexFileError, match=r"vectors of text-classification .* cannot be read"):
        SubIndex.open(tmp_path, TASK)
    path.unlink()
    with pytest.raises(MissingVectorsError, match="has lost the vectors of text-classification"):
        SubIndex.open(tmp_path, TASK)
    path.write_bytes(whole)
    assert SubIndex.open(tmp_path, TASK).rows == MANY
