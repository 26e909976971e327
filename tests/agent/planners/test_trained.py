"""The trained planner: what it reads, how it searches, and what it does with weights that cannot be used."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file

from langchain_hugginggpt.agent import Plan, Request, WeightsError
from langchain_hugginggpt.agent.planners.trained import Decoding, TrainedPlanner, TrainedWeights
from langchain_hugginggpt.agent.planners.trained.literals import Literal, literals, sentence_at, shortened
from langchain_hugginggpt.agent.planners.trained.scoring import described, flags
from langchain_hugginggpt.agent.planners.trained.search import choose, ordered, wire
from langchain_hugginggpt.tools import HUB_TASKS, Kind, TaskTable
from langchain_hugginggpt.tools.task import hub_spelling
from tests.fakes import file

ASR, SUMMARY, SPEECH = (HUB_TASKS[n] for n in ("automatic-speech-recognition", "summarization", "text-to-speech"))
CLASSIFY = HUB_TASKS["image-classification"]
TABLE = TaskTable([ASR, SUMMARY, SPEECH, CLASSIFY])


def weights(tasks: int = 2, **own: Any) -> TrainedWeights:
    """Weights that say nothing, but for what is given."""
    shapes = {
        "ask": (128, 392), "key": (128, 384), "value": (128, 384), "files": (128, 4), "logit": (1, 128), "match": (128, 384),
        "source": (48, 128), "target": (48, 128), "pair1": (48, 163), "pair2": (1, 48), "rank1": (24, 53), "rank2": (1, 24),
        "where": (64, 392),
        "mix.qkv": (384, 128), "mix.attended": (128, 128), "mix.inner": (256, 128), "mix.outer": (128, 256),
    }  # fmt: skip
    head = {f"{n}.weight": np.zeros(s, np.float32) for n, s in shapes.items()} | {
        f"{n}.bias": np.zeros(s[0], np.float32) for n, s in shapes.items()
    }
    head["pair2.bias"] -= 5  # nothing flows
    head["spot.weight"] = np.zeros((64, 384), np.float32)
    for name in ("norm_q", "norm_s", "mix.norm1", "mix.norm2"):
        head |= {f"{name}.weight": np.ones(128, np.float32), f"{name}.bias": np.zeros(128, np.float32)}
    head |= {"own_query": np.zeros((tasks, 384), np.float32), "own_weight": np.zeros((tasks, 384), np.float32)}
    head |= {
        "own_bias": np.zeros(tasks, np.float32),
        "own_state": np.zeros((tasks, 128), np.float32),
        "own_where": np.zeros((tasks, 64), np.float32),
    }
    known = ("Automatic Speech Recognition", "Summarization", "Text-to-Speech", "Image Classification")[:tasks]
    return TrainedWeights(layers={}, head=head | own, known=known, decoding=Decoding(), card={"cases": 3})


def test_literals_are_files_and_quoted_texts() -> None:
    text = "Say 'It's 5 o'clock.' and \"Bye\", then read 'talk.wav' and talk.wav."
    assert literals(text, (file("talk.wav", "audio/wav"), file("other.png", "image/png"))) == [
        Literal(text="other.png", kind=Kind.IMAGE, start=0),  # attached, and not named
        Literal(text="It's 5 o'clock.", kind=Kind.TEXT, start=5),
        Literal(text="Bye", kind=Kind.TEXT, start=27),
        Literal(text="talk.wav", kind=Kind.AUDIO, start=44),
    ]
    assert literals("", ()) == []


def test_long_quotes_are_cut_and_places_found_again() -> None:
    words = "word " * 40
    text = f"Translate '{words}' into French, then read it."
    short = shortened(text)
    assert short.text.startswith("Translate 'word word")
    assert short.text.endswith(" ...' into French, then read it.")
    assert len(short.text) < 100
    at = short.text.index("French")
    assert text[short.original(at) :].startswith("French")
    assert short.original(3) == 3
    assert shortened("Say 'hello'.").text == "Say 'hello'."


def test_the_sentence_that_stands_for_a_text() -> None:
    text = "Look at cat.png. What colour is version 2.5 of the cat? Then read it to me."
    assert sentence_at(text, 70.0, ["cat.png"]) == "What colour is version 2.5 of the cat?"  # a question, though it is further away
    assert sentence_at("Tell me a story. Then sing it.", 25.0, []) == "Then sing it."
    assert sentence_at("cat.png", 0.0, ["cat.png"]) == "cat.png"


def test_what_the_head_reads_of_a_task() -> None:
    assert described(ASR).endswith("Takes audio, gives text.")
    assert flags(ASR) == [0, 0, 1, 0, 1, 0, 0, 0]
    similar = HUB_TASKS["sentence-similarity"]
    assert described(similar).startswith("sentence-similarity. ")
    assert hub_spelling("Text_to Speech") == hub_spelling(" text-to-speech") == "text-to-speech"


def links(**scores: float) -> Any:
    """Logits by `from_to`, -5 for the rest."""
    found = np.full((4, 4), -5.0, np.float32)
    for pair, score in scores.items():
        a, b = pair.strip("_").split("_")
        found[int(a), int(b)] = score
    return found


def test_links_fit_by_kind_have_no_cycle_and_cost_when_there_are_many() -> None:
    tasks = list(TABLE.values())
    chosen = [0, 1, 2]
    assert wire(chosen, links(_0_1=3.0, _1_2=2.0, _0_2=0.5), tasks, {Kind.AUDIO}, Decoding()) == [(0, 1), (1, 2)]
    # speech gives audio, which a summary does not take; and recognition of the speech would close a circle
    assert wire(chosen, links(_0_1=3.0, _1_2=2.0, _2_0=1.9, _2_1=9.0), tasks, {Kind.AUDIO}, Decoding()) == [(0, 1), (1, 2)]
    # one parent costs nothing, a second child a little, a second parent much
    assert wire(chosen, links(_0_1=3.0, _0_2=2.0, _1_2=0.9), tasks, {Kind.AUDIO}, Decoding()) == [(0, 1), (0, 2)]


def test_a_task_that_nothing_feeds_takes_its_best_parent() -> None:
    tasks = list(TABLE.values())
    assert wire([0, 2], links(), tasks, {Kind.TEXT}, Decoding()) == [(2, 0)]  # recognition needs a recording: only the speech makes one
    assert wire([0, 2], links(), tasks, {Kind.AUDIO}, Decoding()) == []


def test_order_and_choice() -> None:
    places = np.array([50, 10, 30, 5], np.float32)
    assert ordered([0, 1, 2], [(0, 1)], places) == [2, 0, 1]
    assert choose(np.array([0.3, -0.2, 0.0, -3.0], np.float32), Decoding(node=-0.1)) == [0, 2]
    assert choose(np.array([-4.0, -3.0], np.float32), Decoding()) == [1]


def planner(*asked: float) -> TrainedPlanner:
    """One that asks for tasks by the bias of each."""
    return TrainedPlanner(weights(4, own_bias=np.array(asked, np.float32)))


def test_a_plan_with_files_outputs_and_quotes() -> None:
    plan = planner(3, -9, 3, -9).plan(
        Request(text="Say 'Good morning' and write down talk.wav", files=(file("talk.wav", "audio/wav"),)), TABLE
    )
    found = {t.task: dict(t.arguments) for t in plan.tasks}
    assert found["automatic-speech-recognition"] == {"audio": "talk.wav"}
    assert found["text-to-speech"] == {"text": "Good morning"}
    assert plan.confidence == pytest.approx(0.95, abs=0.02)


def test_what_a_task_lacks_leaves_it_out_or_is_asked_for() -> None:
    plan = planner(-9, 3, -9, 3).plan(Request(text="Shorten 'A long story about a dog.' and sort the picture"), TABLE)
    assert [t.task for t in plan.tasks] == ["summarization"]
    assert plan.repairs == ("image-classification was left out: nothing in the request feeds it",)
    alone = planner(-9, -9, -9, 3).plan(Request(text="Sort the picture"), TABLE)
    assert alone.tasks == ()
    assert alone.question == "For image-classification I lack an input. Please attach it, or quote it."


def test_doubt_is_asked_back() -> None:
    for text in ("Hello", "", " "):
        plan = planner(-5, -5, -5, -5).plan(Request(text=text), TABLE)
        assert plan.tasks == ()
        assert plan.question


@pytest.mark.parametrize("text", ["x" * 100_000, "'" * 5_000, '"a' * 5_000, "\ud800", "你好" * 500, "a.b?" * 20_000])
def test_odd_requests_give_a_plan_or_a_question(text: str) -> None:
    plan = planner(3, 3, 3, 3).plan(Request(text=text), TABLE)
    assert isinstance(plan, Plan)


async def test_async_is_the_same() -> None:
    asked, made = Request(text="Shorten 'A long story.'"), planner(-9, 3, -9, -9)
    plan = await made.aplan(asked, TABLE)
    assert plan == made.plan(asked, TABLE)
    assert [t async for t in made.astream(asked, TABLE)] == list(plan.tasks)


def test_weights_both_ways(tmp_path: Path) -> None:
    path = tmp_path / "planner.safetensors"
    made = weights(2, own_bias=np.array([0.5, -0.25], np.float32))
    made.save(path)
    read = TrainedWeights.load(path)
    assert (read.known, read.decoding, read.card) == (made.known, made.decoding, made.card)
    assert np.array_equal(read.head["own_bias"], made.head["own_bias"])
    assert list(tmp_path.iterdir()) == [path]


def test_weights_that_cannot_be_used(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="cannot be read"):
        TrainedPlanner(tmp_path / "nowhere.safetensors")
    broken = tmp_path / "broken.safetensors"
    broken.write_bytes(b"\x08\0\0\0\0\0\0\0{torn")
    with pytest.raises(WeightsError, match="cannot be read"):
        TrainedPlanner(broken)
    save_file({"x": np.zeros(3, np.float32)}, broken)
    with pytest.raises(WeightsError, match=r"'no planner' for None; 'hugginggpt-planner/1' for .* is needed"):
        TrainedPlanner(broken)
    facts = {
        "format": "hugginggpt-planner/1",
        "encoder": "sentence-transformers/all-MiniLM-L6-v2",
        "known": "{",
        "decoding": "{}",
        "card": "{}",
    }
    save_file({"x": np.zeros(3, np.float32)}, broken, metadata=facts)
    with pytest.raises(WeightsError, match="what it says of itself is broken"):
        TrainedPlanner(broken)
