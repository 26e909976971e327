"""What several experts give put together, for tests."""

from __future__ import annotations

from typing import Any

from langchain_hugginggpt.index import ModelCard
from langchain_hugginggpt.tools import HUB_TASKS, Candidate, HubTask, Kind, Port, RunnerOutput
from langchain_hugginggpt.tools.consensus.agreed import Agreed, agree
from langchain_hugginggpt.tools.consensus.panel import Answer
from tests.fakes import ScriptedRunner, WordEncoder

ENCODER = WordEncoder("cat", "dog", "bird", "house")
NUMBER = HubTask(name="weigh", summary="Weigh.", inputs=(), outputs=(Port(name="grams", kind=Kind.NUMBER),))
TASKS: dict[str, HubTask] = {**HUB_TASKS, "weigh": NUMBER}


def agreed(task: str, *values: Any, encoder: Any = ENCODER) -> Agreed:
    """Of values of the main port, or of all ports."""
    chosen = TASKS[task]
    given_ = [v if isinstance(v, dict) and v.keys() == {p.name for p in chosen.outputs} else {chosen.output.name: v} for v in values]
    runner = ScriptedRunner({})
    answers = [
        Answer(
            candidate=Candidate(card=ModelCard(id=f"m{i}/x", task=task), runner=runner, score=1.0, why=""),
            seconds=0.1,
            output=RunnerOutput(values=v),
        )
        for i, v in enumerate(given_)
    ]
    return agree(chosen, answers, {}, encoder)


def score(found: Agreed) -> float:
    assert found.agreement is not None, found.notes
    return found.agreement.score


def value(task: str, *values: Any, encoder: Any = ENCODER) -> Any:
    return agreed(task, *values, encoder=encoder).values[TASKS[task].output.name]
