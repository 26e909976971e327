from __future__ import annotations

import pytest

from langchain_hugginggpt.agent import Plan, PlanError, PlannedTask, Ref
from tests.agent.plans import plan, task


def test_json_form_round_trips() -> None:
    made = plan(
        task("1", "image-to-text", image="scan.png"),
        task("2", "sentence-similarity", source_sentence=Ref(task_id="1", port="text"), sentences=["a", Ref(task_id="1", each=True)]),
    )
    assert made.as_json()[1]["arguments"]["sentences"][1] == {"ref": "1", "port": "output", "each": True}
    assert Plan.from_json(made.as_json()) == made


def test_ids_become_strings_and_missing_ones_are_numbered() -> None:
    read = Plan.from_json([{"task": "a", "id": 7}, {"task": "b", "arguments": {"x": {"ref": 7}}}])
    assert [t.id for t in read.tasks] == ["7", "2"]
    assert read.tasks[1].parents == ("7",)


@pytest.mark.parametrize("wrong", [{}, "x", [1], [{"id": "1"}], [{"task": "a", "arguments": []}]])
def test_another_form_is_refused(wrong: object) -> None:
    with pytest.raises(PlanError, match=r"a plan is a list|not an object"):
        Plan.from_json(wrong)


def test_parents_are_named_once_in_order() -> None:
    made = PlannedTask(id="3", task="x", arguments={"a": Ref(task_id="2"), "b": [Ref(task_id="1"), Ref(task_id="2")]})
    assert made.parents == ("2", "1")
