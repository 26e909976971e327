"""The embedded planner as the judge of what a request may need, and of whether prose is an answer to it."""

from __future__ import annotations

import pytest

from langchain_hugginggpt.agent.errors import PlanError
from langchain_hugginggpt.agent.plan import Plan
from langchain_hugginggpt.agent.planners.embedded import EmbeddedPlanner
from langchain_hugginggpt.agent.planners.llm import LLMPlanner
from langchain_hugginggpt.agent.request import Request
from langchain_hugginggpt.index.minilm import MiniLM
from langchain_hugginggpt.tools.hub_tasks import HUB_TASKS
from langchain_hugginggpt.tools.task import HubTask, Kind, Port, TaskTable
from tests.fakes import ScriptedChat, file

ENCODER = MiniLM()
JUDGE = EmbeddedPlanner(ENCODER)
PROSE = "Well, let me think about that."
TYPES = {"png": "image/png", "jpg": "image/jpeg", "wav": "audio/wav", "mp4": "video/mp4", "txt": "text/plain", "csv": "text/csv"}
SMALL_TALK = [
    "Hi there, how are you?",
    "Good morning!",
    "Thanks, that was great.",
    "Who are you?",
    "What can you do?",
    "I'm bored today.",
    "Nice weather, isn't it?",
    "You are really helpful, thank you so much!",
    "ok",
    "See you tomorrow",
    "lol",
    "How old are you?",
]
WANTS = [
    ("Read scan.png aloud.", "scan.png"),
    ("Please put this into Dutch: 'good morning'", ""),
    ("Paint a fox in the snow", ""),
    ("Shorten this text for me", "long.txt"),
    ("Is this review good or bad: 'the soup was cold'", ""),
    ("How many dogs are in the photo?", "dogs.jpg"),
    ("Transcribe memo.wav and translate the transcript to German", "memo.wav"),
    ("What happens in this clip?", "clip.mp4"),
    ("What is the total on this receipt?", "receipt.png"),
    ("Estimate how far away the things in street.jpg are", "street.jpg"),
    ("Which row has the highest price?", "prices.csv"),
    ("Clean the hum from this recording", "band.wav"),
]


def request_of(text: str, name: str) -> Request:
    return Request(text=text, files=(file(name, TYPES[name.rpartition(".")[2]]),) if name else ())


def asked(text: str, name: str = "") -> tuple[Plan, ScriptedChat]:
    """The plan for a request that a model answers with prose, and then with an empty plan."""
    model = ScriptedChat(script=[PROSE, '{"tasks": []}'], tools=False)
    return LLMPlanner(model, encoder=ENCODER, plausibility=JUDGE).plan(request_of(text, name), HUB_TASKS), model


@pytest.mark.parametrize("text", SMALL_TALK)
def test_prose_is_the_answer_to_small_talk(text: str) -> None:
    plan, model = asked(text)
    assert plan == Plan(answer=PROSE)
    assert len(model.asked) == 1


@pytest.mark.parametrize(("text", "name"), WANTS, ids=lambda v: v[:12])
def test_prose_is_a_fault_where_a_task_is_asked_for(text: str, name: str) -> None:
    plan, model = asked(text, name)
    assert plan.answer == ""
    assert "holds no plan" in plan.repairs[0]
    assert len(model.asked) == 2


@pytest.mark.parametrize(
    ("text", "name", "believed"),
    [
        ("Explain quantum entanglement to me", "", True),
        ("Please put this into Dutch: 'good morning'", "", True),
        ("Order a taxi to the station", "", True),
        ("Paint a fox in the snow", "", False),
        ("Shorten this text for me", "long.txt", False),
        ("How many dogs are in the photo?", "dogs.jpg", False),
    ],
)
def test_a_model_that_keeps_to_its_prose_is_believed_where_words_can_do_it(text: str, name: str, believed: bool) -> None:
    model = ScriptedChat(script=[PROSE, PROSE], tools=False)
    planner = LLMPlanner(model, encoder=ENCODER, plausibility=JUDGE)
    request = request_of(text, name)
    if believed:
        assert planner.plan(request, HUB_TASKS) == Plan(answer=PROSE)
    else:
        with pytest.raises(PlanError, match="holds no plan") as caught:
            planner.plan(request, HUB_TASKS)
        assert caught.value.answer == PROSE


def test_a_table_that_was_never_seen_is_judged_by_its_summaries() -> None:
    out = (Port(name="x", kind=Kind.TEXT),)
    tasks = TaskTable(
        HubTask(name=n, summary=s, inputs=(), outputs=out)
        for n, s in [("brew", "Make a cup of coffee."), ("mow", "Cut the grass of a lawn."), ("paint", "Paint the walls of a room.")]
    )
    found = JUDGE.plausible(Request(text="The lawn is too high, the grass must be cut."), tasks)
    assert max(found, key=lambda n: found[n]) == "mow"
    assert set(found) == set(tasks)


@pytest.mark.parametrize(
    ("text", "best"),
    [
        ("Read scan.png aloud.", {"image-to-text", "text-to-speech"}),
        ("Please put this into Dutch: 'good morning'", {"translation"}),
        ("The harbour was busy that day. " * 500 + "Summarise this text.", {"summarization"}),
    ],
)
def test_plausible_tasks_of_a_request(text: str, best: set[str]) -> None:
    found = JUDGE.plausible(Request(text=text, files=(file("scan.png", "image/png"),)), HUB_TASKS)
    assert set(sorted(found, key=lambda n: -found[n])[: len(best)]) == best
    assert all(0 <= p <= 1 for p in found.values())
