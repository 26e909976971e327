"""The conformance suite against the real Hub: `make live`. It downloads the models that the cases name, up to 3 GB each."""

from __future__ import annotations

import datetime
import json

import pytest

from langchain_hugginggpt.index.card import ModelCard
from langchain_hugginggpt.tools.artifacts import Artifact
from langchain_hugginggpt.tools.experts import Candidate, Experts
from langchain_hugginggpt.tools.hub_tasks import HUB_TASKS
from langchain_hugginggpt.tools.runners.local import LocalRunner
from langchain_hugginggpt.tools.tool import HubTaskTool
from tests.local_models.all import CASES
from tests.local_models.case import Case
from tests.local_models.samples import Samples
from tests.local_models.table import LIVE, live_runs
from tests.tools.runners.local.test_conformance import no_index, values

MOST = 3 * 10**9


@pytest.fixture(scope="session")
def live_runner() -> LocalRunner:
    return LocalRunner(max_download=MOST)


@pytest.mark.live
@pytest.mark.parametrize("case", [c for c in CASES if c.live], ids=lambda c: c.id)
def test_a_real_model(case: Case, live_runner: LocalRunner, samples: Samples) -> None:
    model = str(case.live)
    tool = HubTaskTool(HUB_TASKS[case.task], experts=Experts(no_index, [live_runner]), store=samples.store)
    arguments = {k: v.id if isinstance(v, Artifact) else v for k, v in case.inputs(samples).items()}
    candidates = [Candidate(card=ModelCard(id=model, task=case.task), runner=live_runner, score=1.0, why="")]
    message = tool.invoke({"name": case.task, "args": {**arguments, "candidates": candidates}, "id": "1", "type": "tool_call"})
    (case.live_check or case.check)(values(case, message), samples)
    noted = live_runs()
    noted[case.id] = {"model": model, "date": datetime.datetime.now(datetime.UTC).date().isoformat()}
    LIVE.write_text(json.dumps(dict(sorted(noted.items())), indent=1) + "\n", "utf-8")
