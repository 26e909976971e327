"""Reading APIBench, and files of model cards."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from langchain_hugginggpt.evaluation.datasets.apibench import hub_task, load_selection
from langchain_hugginggpt.evaluation.datasets.model_cards import read_cards
from langchain_hugginggpt.evaluation.datasets.selection_data import SelectionCase, SelectionData
from langchain_hugginggpt.evaluation.errors import DatasetError
from langchain_hugginggpt.index import ModelCard
from langchain_hugginggpt.index.problems import Problems
from langchain_hugginggpt.tools.hub_tasks import HUB_TASKS

SHARED = Path(__file__).parents[3] / "shared" / "data"
OWN, READMES = SHARED / "apibench", SHARED / "cards" / "jarvis_2023.jsonl"
shared = pytest.mark.skipif(not OWN.is_dir() or not READMES.is_file(), reason="needs ../shared/data")


def card(name: str, domain: str, **fields: Any) -> dict[str, Any]:
    return {"api_name": name, "domain": domain, "framework": "Hugging Face Transformers", "description": f"About {name}.", **fields}


def query(text: str, api: dict[str, Any]) -> dict[str, Any]:
    return {"code": text, "provider": "Hugging Face", "api_data": api}


CATS = card(
    "zoo/cats", "Computer Vision Image Classification", functionality="Transformers", performance={"dataset": "cats-1k", "accuracy": 1}
)
TALK = card("zoo/talk", "Natural Language Processing Conversational", functionality="Small Talk", performance={"dataset": "N/A"})


def write(path: Path, *rows: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join((r if isinstance(r, str) else json.dumps(r)) + "\n" for r in rows), encoding="utf-8")
    return path


def folder(tmp_path: Path, queries: list[object], cards: list[object]) -> Path:
    write(tmp_path / "huggingface_eval.jsonl", *queries)
    write(tmp_path / "huggingface_api.jsonl", *cards)
    return tmp_path


def cases(data: SelectionData) -> tuple[list[SelectionCase], Problems]:
    problems = Problems()
    return list(data.read(problems)), problems


@pytest.mark.parametrize(
    ("domain", "task"),
    [
        ("Computer Vision Image-to-Image", "image-to-image"),
        ("Natural Language Processing Table Question Answering", "table-question-answering"),
        ("Audio Audio Classification", "audio-classification"),
        ("Audio Classification", "audio-classification"),
        ("Audio Audio-to-Audio", "audio-to-audio"),
        ("Multimodal Document Question Answer", "document-question-answering"),
        ("Multimodal Graph Machine Learning", "graph-ml"),
        ("Reinforcement Learning", "reinforcement-learning"),
        ("Reinforcement Learning Robotics", "robotics"),
        ("Natural Language Processing Text2Text Generation", "text2text-generation"),
        ("Natural Language Processing Sumarization", "summarization"),
        ("Kitchen Cooking", None),
        ("", None),
    ],
)
def test_a_domain_names_a_hub_task(domain: str, task: str | None) -> None:
    assert hub_task(domain) == task


@pytest.mark.parametrize("task", HUB_TASKS)
def test_a_hub_task_is_never_taken_for_another_one(task: str) -> None:
    assert hub_task(f"Some Heading {task.replace('-', ' ').title()}") == task


def test_cards_and_instructions(tmp_path: Path) -> None:
    rows: list[object] = [
        query("###Instruction: Which cat is it?\n###Output: <<<domain>>>: …", CATS),
        query("### Instruction:\nChat with\nguests. \n\n### Output: Talk: zoo/talk", TALK),
    ]
    data = load_selection(folder(tmp_path, rows, [CATS, TALK]))
    assert data.cards == (
        ModelCard(id="zoo/cats", task="image-classification", tags=("cats-1k",), source="huggingface_api.jsonl", text="About zoo/cats."),
        ModelCard(id="zoo/talk", task="conversational", tags=("Small Talk",), source="huggingface_api.jsonl", text="About zoo/talk."),
    )
    found, problems = cases(data)
    assert found == [
        SelectionCase(id="huggingface_eval.jsonl:1", query="Which cat is it?", model="zoo/cats", task="image-classification"),
        SelectionCase(id="huggingface_eval.jsonl:2", query="Chat with\nguests.", model="zoo/talk", task="conversational"),
    ]
    assert not problems
    assert data.size == 2
    assert data.notes[0] == "2 model cards for 2 tasks from huggingface_api.jsonl; downloads known for 0 of them."


def test_what_cannot_be_used_is_counted_and_the_rest_is_read(tmp_path: Path) -> None:
    good = query("###Instruction: Which cat is it?\n###Output: …", CATS)
    rows: list[object] = [
        '{"code": "###Instr',
        "[1]",
        {"code": "###Instruction: no model\n###Output: "},
        query("###Instruction: no end", CATS),
        query("###Instruction:  \n###Output: …", CATS),
        query("###Instruction: who?\n###Output: …", card("zoo/nobody", "Audio Audio-to-Audio")),
        query("###Instruction: listen\n###Output: …", {**CATS, "domain": "Audio Audio-to-Audio"}),
        good,
    ]
    cook = card("zoo/cook", "Kitchen Cooking")
    cards: list[object] = [
        CATS,
        {"domain": "Audio Audio-to-Audio"},
        {**CATS, "description": "Sees cats."},
        cook,
        "not JSON",
        {**cook, "api_name": ""},
    ]
    data = load_selection(folder(tmp_path, rows, cards))
    found, problems = cases(data)
    assert [(c.id.rpartition(":")[2], c.task) for c in found] == [("7", "image-classification"), ("8", "image-classification")]
    assert data.size == 2
    assert problems.counts == {
        "line is not JSON": 2,
        "line is not an object": 1,
        "instruction cannot be used": 1,
        "no instruction between the marks Instruction and Output": 2,
        "right model is in no card (left out)": 1,
        "card and instruction name different tasks (the card's counts)": 1,
        "model card cannot be used": 2,
        "model card occurs twice (made one)": 1,
        "domain names no Hub task (taken as it is)": 1,
    }
    assert problems.places["instruction cannot be used"] == ["huggingface_eval.jsonl:3: api_data: Field required"]
    assert problems.places["model card cannot be used"][0] == "huggingface_api.jsonl:2: api_name: Field required"
    assert [(c.id, c.task, c.text) for c in data.cards] == [
        ("zoo/cats", "image-classification", "About zoo/cats.\n\nSees cats."),
        ("zoo/cook", "kitchen-cooking", "About zoo/cook."),
    ]


def test_each_reading_counts_the_same(tmp_path: Path) -> None:
    data = load_selection(folder(tmp_path, [query("Instruction: a\n###Output", CATS)], [CATS, CATS]))
    assert cases(data)[1].counts == cases(data)[1].counts == {"model card occurs twice (made one)": 1}


@pytest.mark.parametrize(
    ("queries", "cards"),
    [("huggingface_eval.json", "huggingface_api.jsonl"), ("apibench/huggingface_eval.json", "api/huggingface_api.jsonl")],
    ids=["Hub", "Gorilla's repository"],
)
def test_the_official_places(tmp_path: Path, queries: str, cards: str) -> None:
    write(tmp_path / queries, query("###Instruction: a\n###Output: b", CATS))
    write(tmp_path / cards, CATS)
    assert load_selection(tmp_path).size == 1


def test_a_json_array_is_read_too(tmp_path: Path) -> None:
    place = folder(tmp_path, [json.dumps([query("###Instruction: a\n###Output: b", CATS)])], [CATS])
    assert [c.id for c in cases(load_selection(place))[0]] == ["huggingface_eval.jsonl[1]"]


def test_other_cards_and_downloads(tmp_path: Path) -> None:
    rows: list[object] = [query(f"###Instruction: {a['api_name']}\n###Output: …", a) for a in (CATS, TALK)]
    place = folder(tmp_path, rows, [CATS, TALK])
    readmes = write(
        tmp_path / "readmes.jsonl", {"id": "zoo/cats", "task": "image-classification", "downloads": 7, "likes": 2, "description": "# Cats"}
    )
    other = load_selection(place, readmes)
    assert [(c.id, c.text) for c in other.cards] == [("zoo/cats", "# Cats")]
    found, problems = cases(other)
    assert [c.model for c in found] == ["zoo/cats"]
    assert problems.places == {"right model is in no card (left out)": ["huggingface_eval.jsonl:2: zoo/talk"]}
    completed = load_selection(place, downloads=readmes)
    assert [(c.id, c.text, c.downloads, c.likes) for c in completed.cards] == [
        ("zoo/cats", "About zoo/cats.", 7, 2),
        ("zoo/talk", "About zoo/talk.", None, None),
    ]
    assert completed.notes[0].endswith("downloads known for 1 of them.")
    assert len({str(d.settings) for d in (other, completed, load_selection(place))}) == 3


def test_cards_in_every_form(tmp_path: Path) -> None:
    own = ModelCard(id="zoo/own", task="fill-mask", languages=("de",), downloads=3, text="Our own form.")
    jarvis = {
        "id": "zoo/readme", "pipeline_tag": "summarization", "downloads": 9, "likes": 1, "description": "Shortens.",
        "meta": {"tags": ["news", 5], "language": "en", "license": ["mit"], "library_name": "timm", "model-index": []},
    }  # fmt: skip
    path = write(
        tmp_path / "cards.jsonl", own.as_json(), jarvis, {**jarvis, "meta": None, "id": "zoo/bare"}, jarvis, {"task": "fill-mask"},
        {"id": "zoo/x"}, {**own.as_json(), "downloads": "many"},
    )  # fmt: skip
    problems = Problems()
    read = read_cards(path, problems)
    assert read == (
        own,
        ModelCard(
            id="zoo/readme", task="summarization", library="timm", languages=("en",), tags=("news",), downloads=9, likes=1, text="Shortens."
        ),
        ModelCard(id="zoo/bare", task="summarization", downloads=9, likes=1, text="Shortens."),
    )
    assert problems.counts == {"model card cannot be used": 3, "model card occurs twice (the first holds)": 1}


def test_nothing_to_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"There are no instructions in .*Name APIBench's folder"):
        load_selection(tmp_path / "absent")
    write(tmp_path / "huggingface_eval.jsonl")
    with pytest.raises(DatasetError, match="There are no model cards in"):
        load_selection(tmp_path)
    write(tmp_path / "huggingface_api.jsonl")
    with pytest.raises(DatasetError, match=r"No model card in .* can be used \(it is empty\)"):
        load_selection(tmp_path)
    write(tmp_path / "huggingface_api.jsonl", CATS)
    with pytest.raises(DatasetError, match=r"No instruction in .* can be used \(it is empty\)"):
        load_selection(tmp_path)
    write(tmp_path / "huggingface_eval.jsonl", query("###Instruction: a\n###Output: b", TALK))
    with pytest.raises(DatasetError, match=r"can be used \(right model is in no card \(left out\): 1\)"):
        load_selection(tmp_path)
    with pytest.raises(DatasetError, match="cannot be read"):
        load_selection(tmp_path, tmp_path / "absent.jsonl")


@shared
def test_the_real_set() -> None:
    data = load_selection(OWN)
    found, problems = cases(data)
    assert (len(found), data.size, len(data.cards), len({c.task for c in data.cards})) == (907, 907, 907, 36)
    assert problems.counts == {"model card occurs twice (made one)": 29, "no instruction between the marks Instruction and Output": 4}
    assert {c.task for c in found} - set(HUB_TASKS) == {"conversational", "text2text-generation"}


@shared
def test_the_real_set_with_whole_readmes() -> None:
    data = load_selection(OWN, READMES)
    found, problems = cases(data)
    assert (len(found), len(data.cards), sum(c.downloads is not None for c in data.cards)) == (281, 673, 673)
    assert problems.counts["right model is in no card (left out)"] == 907 - 281
    assert problems.counts["card and instruction name different tasks (the card's counts)"] == 18
