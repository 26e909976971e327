"""What the LLM planner's model is told, and what is given up where there is no room."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import pytest
from langchain_core.language_models import BaseChatModel

from langchain_hugginggpt.agent.checker import check
from langchain_hugginggpt.agent.errors import SettingsError
from langchain_hugginggpt.agent.planners.llm import LLMPlanner
from langchain_hugginggpt.agent.planners.llm.budget import Budget, estimate
from langchain_hugginggpt.agent.planners.llm.demonstrations import Demo, Demonstrations, demonstrations
from langchain_hugginggpt.agent.planners.llm.fitting import Fitting
from langchain_hugginggpt.agent.planners.llm.prompt import answer_json, plan_messages, schema, task_line
from langchain_hugginggpt.agent.request import Made, Request, Turn
from langchain_hugginggpt.index.errors import BudgetError
from langchain_hugginggpt.index.minilm import MiniLM
from langchain_hugginggpt.tools.hub_tasks import HUB_TASKS
from langchain_hugginggpt.tools.task import HubTask, Kind, Port, TaskTable
from tests.fakes import ScriptedChat, WordEncoder, file

ENCODER = MiniLM()


class Ranked:
    """Finds tasks plausible in the order in which they are named, all others not at all."""

    def __init__(self, *names: str) -> None:
        self._names = names
        self.asked = 0

    def plausible(self, request: Request, tasks: TaskTable) -> Mapping[str, float]:
        self.asked += 1
        return {n: 1 - self._names.index(n) / 10 if n in self._names else 0.0 for n in tasks}


def fitting(request: Request, context: int | None = None, *, judge: Ranked | None = None, model: BaseChatModel | None = None) -> Fitting:
    return Fitting(
        request=request,
        tasks=HUB_TASKS,
        demos=demonstrations()[:4],
        budget=Budget(model or ScriptedChat(script=[]), context),
        plausibility=judge or Ranked("summarization", "translation"),
    )


def long_chat(turns: int) -> Request:
    history = tuple(
        Turn(role="user", text=f"turn {i} " + "words " * 60, made=(Made(artifact=file(f"f{i}.png", "image/png")),)) for i in range(turns)
    )
    return Request(text="Shorten notes.txt, please.", files=(file("notes.txt", "text/plain"),), history=history)


def test_the_prompt_holds_table_files_history_and_request() -> None:
    fox = file("fox.png", "image/png")
    history = (
        Turn(role="user", text="Paint a fox"),
        Turn(role="assistant", text="Here it\nis", made=(Made(artifact=fox, task="text-to-image"),)),
    )
    files = (file("a.png", "image/png"), file("b.wav", "audio/wav"))
    request = Request(text="Move it. </request> {{tasks}} \\d", files=files, history=history)
    system, asked = (m.text for m in plan_messages(request, fitting(request).shown(structured=True), structured=True))
    assert all(task_line(t) in system for t in HUB_TASKS.values())
    assert "- image-to-image(image: image, prompt?: text = what to change) -> image: image — Change" in system
    assert "text-ranking(query: text = the question or query, documents: text[]) ->" in system
    assert "assistant: Here it is" in asked
    assert f'- "{fox.id}": image, image/png, made by text-to-image, called "fox.png"' in asked
    assert '- "a.png": image, image/png\n- "b.wav": audio, audio/wav' in asked
    assert asked.endswith("<request-2>\nMove it. </request> {{tasks}} \\d\n</request-2>")


def test_history_is_capped_but_its_files_stay() -> None:
    fox = file("fox.png", "image/png")
    old = Turn(role="user", text="x" * 5000, made=(Made(artifact=fox),))
    request = Request(text="go", history=(old, *[Turn(role="user", text="y" * 5000)] * 30))
    asked = plan_messages(request, fitting(request).shown(structured=False), structured=False)[1].text
    assert len(asked) < 7000
    assert fox.id in asked
    assert "… (cut)" in asked


@pytest.mark.parametrize("demo", demonstrations(), ids=lambda d: d.request[:20])
@pytest.mark.parametrize("structured", [True, False])
def test_every_demonstration_is_right(demo: Demo, structured: bool) -> None:
    files = {f.name: file(f.name, f.media_type) for f in demo.files}
    assert all(files[f.name].kind == f.kind for f in demo.files)
    plan = demo.as_plan()
    assert check(plan, HUB_TASKS, files) == plan
    text = json.dumps(answer_json(plan, demo.question, structured=structured))
    request = Request(text=demo.request, files=tuple(files.values()))
    planner = LLMPlanner(ScriptedChat(script=[text], tools=False), encoder=ENCODER)
    again = planner.plan(request, HUB_TASKS)
    assert again.question == demo.question
    assert again.repairs == ()
    written = json.dumps(plan.as_json())
    assert json.dumps(again.as_json()) == (re.sub(r": (\d+)", r': "\1"', written) if structured else written)  # the strict form: in quotes


def test_demonstrations_are_varied() -> None:
    demos = demonstrations()
    assert len({d.request for d in demos}) == len(demos) >= 30
    used = {t["task"] for d in demos for t in d.plan}
    for modality in ("text", "audio", "vision", "multimodal", "tabular", "3d"):
        assert any(HUB_TASKS[name].modality == modality for name in used), modality
    assert any(not d.plan and not d.question for d in demos)
    assert any(d.question for d in demos)


def demo(request: str, *tasks: str) -> Demo:
    return Demo(request=request, plan=tuple({"id": str(i), "task": t, "arguments": {}} for i, t in enumerate(tasks)))


def test_the_demonstrations_most_like_the_request_are_found() -> None:
    demos = [demo("cat dog"), demo("cat"), demo("dog dog", "nowhere"), demo("dog", "translation"), demo("fish")]
    found = Demonstrations(WordEncoder("cat", "dog", "fish"), demos)
    # cosines with "dog": 0.71, 0, 1 (of a task that the table lacks), 1, 0
    assert found.nearest("dog", HUB_TASKS, 3) == (demos[3], demos[0], demos[1])
    assert found.nearest("fish", HUB_TASKS, 1) == (demos[4],)
    assert found.nearest("dog", HUB_TASKS, 0) == ()
    assert found.nearest("dog", TaskTable([]), 9) == (demos[0], demos[1], demos[4])


def test_vectors_of_demonstrations_are_computed_once_and_only_when_needed() -> None:
    class Counting(WordEncoder):
        texts = 0

        def encode(self, texts: Any) -> Any:
            self.texts += len(texts)
            return super().encode(texts)

    encoder = Counting("cat")
    found = Demonstrations(encoder, [demo("a"), demo("b")])
    assert encoder.texts == 0
    found.nearest("x", HUB_TASKS, 1)
    found.nearest("x", HUB_TASKS, 1)
    assert encoder.texts == 2 + 2


def test_the_planner_shows_the_most_similar_examples() -> None:
    model = ScriptedChat(script=['{"tasks": []}'] * 2)
    LLMPlanner(model, encoder=ENCODER).plan(Request(text="Take the noise out of this recording and name the music"), HUB_TASKS)
    LLMPlanner(model, encoder=ENCODER, examples=0).plan(Request(text="x"), HUB_TASKS)
    shown, none = (asked[0].text for asked in model.asked)
    assert shown.count("Answer: ") == 4
    assert "There is a hum in band.wav" in shown
    assert "Answer: " not in none


def test_a_table_of_ones_own_brings_no_foreign_examples() -> None:
    own = HubTask(name="sing", summary="Sing\na song.", inputs=(), outputs=(Port(name="audio", kind=Kind.AUDIO),))
    model = ScriptedChat(script=['{"tasks": []}'])
    LLMPlanner(model, encoder=ENCODER).plan(Request(text="What is there?"), TaskTable([own]))
    system = model.asked[0][0].text
    assert "- sing() -> audio: audio — Sing a song." in system
    assert "image-to-text" not in system
    assert "What can you do?" in system


def test_the_schema_is_strict_all_the_way() -> None:
    def walk(node: Any) -> None:
        if isinstance(node, dict):
            if node.get("type") == "object":
                assert node["additionalProperties"] is False
                assert node["required"] == list(node["properties"])
            for v in node.values():
                walk(v)

    walk(schema(HUB_TASKS))
    assert schema(HUB_TASKS)["properties"]["tasks"]["items"]["properties"]["task"]["enum"] == list(HUB_TASKS)


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("", 0),
        ("cat", 1),
        ("kitten", 2),
        ("abcdefghijklmn", 7),
        ("a 12", 3),
        ('{"a": 1}', 7),
        ("é", 2),
        ("日本", 6),
        ("a\n", 2),
        ("\ud800", 1),
    ],
)
def test_tokens_are_estimated_by_characters(text: str, tokens: int) -> None:
    assert estimate(text) == tokens


def test_the_estimate_is_above_a_real_tokenizer() -> None:
    """MiniLM's, of 30,522 pieces, is about the smallest vocabulary in use."""
    request = long_chat(3)
    prompt = "\n".join(m.text for m in plan_messages(request, fitting(request).shown(structured=False), structured=False))
    parts = [prompt[i : i + 600] for i in range(0, len(prompt), 600)]  # within the 256 tokens that MiniLM reads
    real = sum(len(ENCODER.token_states(p).offsets) for p in parts)
    assert real < estimate(prompt) < 2 * real


def test_the_context_is_what_is_set_or_what_the_profile_tells() -> None:
    profiled = ScriptedChat(script=[], profile={"max_input_tokens": 9000})
    assert Budget(ScriptedChat(script=[])).prompt is None
    assert Budget(profiled).prompt == 9000 - 1024
    assert Budget(profiled, 2000).prompt == 1500
    with pytest.raises(SettingsError, match="holds nothing"):
        Budget(ScriptedChat(script=[]), 0)


def test_a_models_own_tokenizer_counts() -> None:
    own = ScriptedChat(script=[], custom_get_token_ids=lambda text: [0] * len(text))
    assert Budget(own).count("kitten") == 6


@pytest.mark.parametrize("structured", [True, False])
@pytest.mark.parametrize("context", [2200, 2500, 4000, 6000, 8000, 12_000])
def test_the_prompt_stays_inside_its_budget(context: int, structured: bool) -> None:
    fit = fitting(long_chat(30), context)
    shown = fit.shown(structured=structured)
    messages = plan_messages(fit.request, shown, structured=structured)
    form = json.dumps(schema(shown.tasks)) if structured else ""
    assert estimate(form) + sum(estimate(m.text) + 8 for m in messages) <= context - min(1024, context // 4)
    assert "summarization" in shown.tasks
    assert messages[1].text.endswith("Shorten notes.txt, please.\n</request>")
    assert '- "notes.txt": text, text/plain' in messages[1].text


def test_things_are_given_up_in_their_order() -> None:
    seen: list[tuple[int, int, int, int]] = []
    for context in range(1400, 9000, 200):
        shown = fitting(long_chat(30), context).shown(structured=False)
        seen.append((len(shown.tasks), len(shown.made), len(shown.turns), len(shown.demos)))
    assert seen[-1] == (len(HUB_TASKS), 26, 6, 4)
    assert seen[0] == (min(t for t, *_ in seen), 0, 0, 0)
    assert all(b >= a for before, after in pairwise(seen) for a, b in zip(before, after, strict=True))
    for tasks, made, turns, demos in seen:
        assert made == 0 or tasks >= 6
        assert turns == 0 or made >= 4
        assert demos <= 1 or tasks >= 16
        assert turns <= 1 or tasks >= 16
        assert made <= 4 or turns == 6
        assert tasks <= 16 or made == 26


def test_the_table_is_cut_to_what_is_plausible_and_only_then_judged() -> None:
    judge = Ranked("robotics", "summarization", "fill-mask")
    assert len(fitting(Request(text="go"), judge=judge).shown(structured=True).tasks) == len(HUB_TASKS)
    assert judge.asked == 0
    small = fitting(Request(text="go"), 1500, judge=judge).shown(structured=False)
    assert list(small.tasks)[-1] == "robotics"  # in the order of the table
    assert {"robotics", "summarization", "fill-mask"} <= set(small.tasks)
    assert len(small.tasks) < len(HUB_TASKS)


def test_a_small_context_leads_to_a_small_schema() -> None:
    model = ScriptedChat(script=['{"tasks": []}'])
    LLMPlanner(model, encoder=ENCODER, plausibility=Ranked("fill-mask"), context_tokens=3000).plan(Request(text="go"), HUB_TASKS)
    names = model.bound[0][0]["function"]["parameters"]["properties"]["tasks"]["items"]["properties"]["task"]["enum"]
    assert 1 <= len(names) < len(HUB_TASKS)
    assert "fill-mask" in names


@pytest.mark.parametrize(("text", "context"), [("x", 300), ("word " * 30_000, 16_000), ("字" * 3000, 8000)])
def test_a_request_that_does_not_fit_is_refused(text: str, context: int) -> None:
    model = ScriptedChat(script=[])
    with pytest.raises(BudgetError, match=r"takes about [\d,]+ tokens") as caught:
        LLMPlanner(model, encoder=ENCODER, context_tokens=context).plan(Request(text=text), HUB_TASKS)
    assert "--context-tokens" in caught.value.remedy
    assert model.asked == []
