"""benchmarks/planner.py: scores count every wording, and a wrong plan as wrong."""

from __future__ import annotations

import json
from pathlib import Path

from benchmarks.planner import Score, score
from langchain_hugginggpt.agent import EmbeddedPlanner


def test_score_counts_every_row(tmp_path: Path) -> None:
    wording = {"text": "How similar are 'a cat' and 'a kitten'?", "files": []}
    given = [
        {**wording, "case": "similarity", "plans": [["sentence-similarity"]]},
        {**wording, "case": "similarity", "plans": [["text-to-video"]]},
        {**wording, "case": "other", "plans": [[]]},
    ]
    path = tmp_path / "wordings.jsonl"
    path.write_text("".join(json.dumps(r) + "\n" for r in given), "utf-8")
    found = score(EmbeddedPlanner(), path)
    assert found.shown("similarity") == "1 / 2 (50%)"
    assert found.shown("other") == "0 / 1 (0%)"
    assert found.shown("all") == "1 / 3 (33%)"
    assert found.shown("nowhere") == "–"
    assert len(found.seconds) == 3


def test_quantiles() -> None:
    found = Score(seconds=[i / 1000 for i in range(1, 102)])
    assert found.milliseconds(0.5) == "51 ms"
    assert found.milliseconds(0.95) == "96 ms"
