"""From training to the answer: models that really learned something, saved as folders with cards, indexed, chosen and run by the agent."""

from __future__ import annotations

import csv
import io
import random
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from langchain_hugginggpt.agent import HuggingGPT, Settings
from langchain_hugginggpt.index.building import build_index
from langchain_hugginggpt.index.encoders import load_encoder
from langchain_hugginggpt.index.sources import open_source
from langchain_hugginggpt.tools.artifacts import Artifact
from tests.local_models import trained

HELD_OUT = 200
REVIEWS = trained.sentences(9, 60)
TOY = [trained.toy_sentence(random.Random(1000 + i)) for i in range(40)]


@dataclass(frozen=True, kw_only=True)
class Trained:
    """The agent over the trained models, and the wines that were held out."""

    agent: HuggingGPT
    rows: list[dict[str, Any]]
    cultivars: list[str]

    def picture(self, values: Any) -> Artifact:
        out = io.BytesIO()
        trained.picture_of(values).save(out, "PNG")
        return self.agent.toolkit.store.put(out.getvalue(), name="picture.png")

    def ran(self, task: str, model: str, **arguments: Any) -> dict[str, Any]:
        """A model's output, through the tool."""
        call = {"type": "tool_call", "id": "1", "name": task, "args": {**arguments, "model": model}}
        result = self.agent.toolkit.tool(task).invoke(call).artifact
        assert result["status"] == "ok", result
        output: dict[str, Any] = result["output"]
        return output

    def asked(self, text: str, *files: Path) -> tuple[str, str, str]:
        """Task and model of the only task of a request, and the reply."""
        reply = self.agent.ask(text, files)
        (result,) = reply.trace.results
        assert result.status == "ok", result.error
        return result.task, str(result.model), reply.text


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    folder = tmp_path_factory.mktemp("trained")
    for name in ("digits", "stripes", "sentiment", "toy", "wine"):
        (folder / "models" / "our" / name).mkdir(parents=True)
    ours = folder / "models" / "our"
    trained.digit_classifier(ours / "digits", held_out=HELD_OUT)
    trained.stripe_classifier(ours / "stripes")
    trained.sentiment_classifier(ours / "sentiment", not_these=frozenset(s for s, _ in REVIEWS))
    trained.toy_translator(ours / "toy", not_these=frozenset(s for s, _ in TOY))
    rows, cultivars = trained.wine_classifier(ours / "wine", held_out=20)
    build_index(open_source(str(folder / "models")), folder / "index", load_encoder())
    settings = Settings(index=folder / "index", models=(folder / "models",), out=folder / "out", device="cpu")
    return Trained(agent=HuggingGPT.from_settings(settings), rows=rows, cultivars=cultivars)


def saved(folder: Path, picture: Artifact) -> Path:
    path = folder / "picture.png"
    path.write_bytes(picture.read_bytes())
    return path


def test_digits(models: Trained, tmp_path: Path) -> None:
    pictures, targets = (part[-HELD_OUT:] for part in trained.digits())
    files = [models.picture(p) for p in pictures[:60]]
    found = [models.ran("image-classification", "our/digits", image=f.id)["labels"][0]["label"] for f in files]
    assert sum(f == str(t) for f, t in zip(found, targets, strict=False)) >= 52
    right = next(i for i, f in enumerate(found) if f == str(targets[i]))
    task, model, reply = models.asked("Classify this picture: which digit is it?", saved(tmp_path, files[right]))
    assert (task, model) == ("image-classification", "our/digits")
    assert reply.startswith(f"{targets[right]} (")


def test_stripes_are_not_taken_for_digits(models: Trained, tmp_path: Path) -> None:
    pictures, targets = trained.stripes(40, seed=2)
    files = [models.picture(p) for p in pictures]
    found = [models.ran("image-classification", "our/stripes", image=f.id)["labels"][0]["label"] for f in files]
    assert sum(f == trained.STRIPES[t] for f, t in zip(found, targets, strict=True)) >= 38
    task, model, reply = models.asked("Classify this picture by the direction of its stripes", saved(tmp_path, files[1]))
    assert (task, model) == ("image-classification", "our/stripes")
    assert reply.startswith("vertical (")


def test_reviews(models: Trained) -> None:
    found = [models.ran("text-classification", "our/sentiment", text=s)["labels"][0]["label"] for s, _ in REVIEWS]
    assert sum(f == ("NEGATIVE", "POSITIVE")[t] for f, (_, t) in zip(found, REVIEWS, strict=True)) >= 55
    for review, label in (("the breakfast was dreadful", "NEGATIVE"), ("what a delightful garden", "POSITIVE")):
        task, model, reply = models.asked(f"Is this review positive or negative: '{review}'")
        assert (task, model) == ("text-classification", "our/sentiment")
        assert reply.startswith(f"{label} (")


def test_a_language_that_nobody_else_speaks(models: Trained) -> None:
    found = [models.ran("translation", "our/toy", text=english)["text"] for english, _ in TOY]
    assert sum(f == toy for f, (_, toy) in zip(found, TOY, strict=True)) >= 35
    task, model, reply = models.asked("Translate this sentence: 'the big dog sees a red house'")
    assert (task, model) == ("translation", "our/toy")
    assert reply.startswith("la kalo grota vidi una domu ruja")


def test_a_long_text_in_that_language(models: Trained) -> None:
    """Longer than the model's 32 tokens: translated sentence by sentence, nothing lost."""
    text = " ".join(english.capitalize() + "." for english, _ in TOY[:12])
    translated = models.ran("translation", "our/toy", text=text)["text"].split(". ")
    assert len(translated) == 12
    assert sum(t.strip(" .") == toy for t, (_, toy) in zip(translated, TOY, strict=False)) >= 10


def test_wines(models: Trained, tmp_path: Path) -> None:
    path = tmp_path / "wines.csv"
    with path.open("w", newline="") as out:
        writer = csv.DictWriter(out, list(models.rows[0]))
        writer.writeheader()
        writer.writerows(models.rows)
    task, model, reply = models.asked("Predict the class of each row in this table", path)
    assert (task, model) == ("tabular-classification", "our/wine")
    predictions = models.ran("tabular-classification", "our/wine", table=models.rows)["predictions"]
    assert sum(p == c for p, c in zip(predictions, models.cultivars, strict=True)) >= 18
    assert predictions[0] in reply
