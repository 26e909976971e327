"""Sounds by labels that the request names (CLAP)."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers as T

from langchain_hugginggpt.index.card import ModelCard
from langchain_hugginggpt.index.errors import ExpertError
from langchain_hugginggpt.tools.artifacts import Artifact
from langchain_hugginggpt.tools.audio import float_wav_bytes, read_windows
from langchain_hugginggpt.tools.errors import ModelRefusedError
from langchain_hugginggpt.tools.experts import Candidate, Experts
from langchain_hugginggpt.tools.hub_tasks import HUB_TASKS
from langchain_hugginggpt.tools.runners.local import LocalRunner
from langchain_hugginggpt.tools.runners.runner import RunnerOutput
from langchain_hugginggpt.tools.tool import HubTaskTool
from tests.local_models import audio, audio_labels
from tests.local_models.case import Case
from tests.local_models.samples import Samples

HZ = audio_labels.HZ
TASK = "audio-classification"
Built = Callable[[Case], Path]
CASES = {c.kind: c for c in audio.CASES if c.task == TASK}
CLAP, OWN_CLASSES = CASES["clap"], CASES["wav2vec2"]


def run(local: LocalRunner, model: str, **inputs: Any) -> RunnerOutput:
    return local.run(HUB_TASKS[TASK], ModelCard(id=model, task=TASK), inputs)


def scores(output: RunnerOutput) -> dict[str, float]:
    assert all(type(e["score"]) is float and type(e["label"]) is str for e in output.values["labels"])
    return {e["label"]: e["score"] for e in output.values["labels"]}


def rising(samples: Samples, seconds: float) -> Artifact:
    at = np.arange(max(1, round(seconds * HZ))) / HZ
    return samples.store.put(float_wav_bytes(0.4 * np.sin(2 * np.pi * (200 + 300 * at) * at), rate=HZ))


@pytest.mark.parametrize("kind", ["clap", "clap-fusion"])
def test_scores_are_those_of_transformers_own_pipeline(kind: str, built: Built, local: LocalRunner, samples: Samples) -> None:
    """In each part of the recording, and then their mean, each weighing as much as it is long."""
    folder, recording, labels = built(CASES[kind]), rising(samples, 5.0), ["a dog", "music", "rain"]
    make: Any = T.pipeline
    own = make("zero-shot-audio-classification", model=str(folder))
    wanted = dict.fromkeys(labels, 0.0)
    windows = list(read_windows(recording, rate=HZ, seconds=2))
    assert [len(w) for w in windows] == [2 * HZ, 2 * HZ, HZ]
    for window in windows:
        for found in own(window, candidate_labels=labels):
            wanted[found["label"]] += found["score"] * len(window) / (5 * HZ)
    output = run(local, CASES[kind].id, audio=recording, candidate_labels=labels)
    assert scores(output) == pytest.approx(wanted, abs=1e-4)
    assert list(scores(output)) == sorted(labels, key=lambda n: -wanted[n])
    assert output.notes == ("scores are the mean over 3 parts of the recording",)


def test_what_sounds_like_a_label_wins(built: Built, local: LocalRunner, samples: Samples, tmp_path: Path) -> None:
    """The model is made to hear in everything what it reads in one of the labels."""
    for wanted in ("a dog", "rain"):
        folder = tmp_path / "m" / wanted.split()[-1]
        shutil.copytree(built(CLAP), folder)
        model: Any = T.ClapModel.from_pretrained(folder)
        tokenizer: Any = T.AutoTokenizer.from_pretrained(folder)
        with torch.inference_mode():
            vector = model.get_text_features(**tokenizer(f"This is a sound of {wanted}.", return_tensors="pt")).pooler_output[0]
        torch.nn.init.zeros_(model.audio_projection.linear2.weight)
        model.audio_projection.linear2.bias.data = vector.clone()
        model.save_pretrained(folder)
        runner = LocalRunner(models=[tmp_path / "m"], device="cpu")
        labels = ["music", "a dog", "rain", "wind in the trees"]
        output = run(runner, folder.name, audio=samples.sound, candidate_labels=labels)
        assert output.values["labels"][0]["label"] == wanted
        assert output.values["labels"][0]["score"] > 0.3
        assert output.notes == ()


@pytest.mark.parametrize("seconds", [1 / HZ, 0.01, 1.99, 2.0, 2.01])
def test_recordings_of_any_length(seconds: float, built: Built, local: LocalRunner, samples: Samples) -> None:
    built(CLAP)
    found = scores(run(local, CLAP.id, audio=rising(samples, seconds), candidate_labels=["a", "b"]))
    assert sum(found.values()) == pytest.approx(1, abs=1e-5)


def test_silence(built: Built, local: LocalRunner, samples: Samples) -> None:
    built(CLAP)
    silent = samples.store.put(float_wav_bytes(np.zeros(HZ), rate=HZ))
    assert sum(scores(run(local, CLAP.id, audio=silent, candidate_labels=["a", "b"])).values()) == pytest.approx(1, abs=1e-5)


def test_labels_in_any_script_and_twice(built: Built, local: LocalRunner, samples: Samples) -> None:
    built(CLAP)
    labels = ["موسيقى", "音乐", "🎵", "{}", "{x} {0}", "dog", "dog", "  "]
    found = scores(run(local, CLAP.id, audio=samples.sound, candidate_labels=labels))
    assert set(found) == set(labels)
    assert sum(found.values()) == pytest.approx(1, abs=1e-5)


def test_many_labels_and_few_give_the_same_vectors(built: Built, local: LocalRunner, samples: Samples) -> None:
    """Labels are read some at a time, padded to the longest: what else is asked must not change how they compare."""
    built(CLAP)
    two = scores(run(local, CLAP.id, audio=samples.sound, candidate_labels=["a dog", "rain"]))
    many = scores(run(local, CLAP.id, audio=samples.sound, candidate_labels=["a dog", *("very " * 20 + str(n) for n in range(70)), "rain"]))
    assert many["a dog"] / many["rain"] == pytest.approx(two["a dog"] / two["rain"], rel=1e-3)


def test_one_label_says_nothing(built: Built, local: LocalRunner, samples: Samples) -> None:
    built(CLAP)
    output = run(local, CLAP.id, audio=samples.sound, candidate_labels=["dog"])
    assert scores(output) == {"dog": 1.0}
    assert "only one label" in output.notes[0]


@pytest.mark.parametrize("inputs", [{}, {"candidate_labels": []}])
def test_clap_wants_labels(inputs: dict[str, Any], built: Built, local: LocalRunner, samples: Samples) -> None:
    built(CLAP)
    with pytest.raises(ExpertError, match="has no classes of its own") as e:
        run(local, CLAP.id, audio=samples.sound, **inputs)
    assert "candidate_labels" in e.value.remedy


def test_too_many_labels(built: Built, local: LocalRunner, samples: Samples) -> None:
    built(CLAP)
    with pytest.raises(ExpertError, match=r"'candidate_labels' holds 1,001 labels.* at most 1,000"):
        run(local, CLAP.id, audio=samples.sound, candidate_labels=[str(n) for n in range(1001)])


def test_a_label_that_is_too_long(built: Built, local: LocalRunner, samples: Samples) -> None:
    built(CLAP)
    with pytest.raises(ModelRefusedError, match=r"too long .* has 1,999 characters, and at most 128 tokens"):
        run(local, CLAP.id, audio=samples.sound, candidate_labels=["cat", "dog " * 499 + "dog"])
    tokenizer: Any = T.AutoTokenizer.from_pretrained(built(CLAP))
    room = 128 - len(tokenizer("This is a sound of .")["input_ids"])
    longest = " ".join(["dog"] * room)
    assert len(scores(run(local, CLAP.id, audio=samples.sound, candidate_labels=["cat", longest]))) == 2
    with pytest.raises(ModelRefusedError, match="at most 128 tokens"):
        run(local, CLAP.id, audio=samples.sound, candidate_labels=["cat", longest + " dog"])


def test_a_model_with_classes_of_its_own_refuses_labels_and_the_next_one_may_try(
    built: Built, local: LocalRunner, samples: Samples
) -> None:
    built(CLAP)
    built(OWN_CLASSES)
    with pytest.raises(ExpertError, match="has classes of its own"):
        run(local, OWN_CLASSES.id, audio=samples.sound, candidate_labels=["cat", "dog"])

    def no_index() -> Any:
        raise AssertionError("candidates are given")

    tool = HubTaskTool(HUB_TASKS[TASK], experts=Experts(no_index, [local]), store=samples.store)
    both = [OWN_CLASSES.id, CLAP.id]

    def called(order: list[str], **inputs: Any) -> Any:
        candidates = [Candidate(card=ModelCard(id=i, task=TASK), runner=local, score=1.0, why="") for i in order]
        arguments = {"audio": samples.sound.id, **inputs, "candidates": candidates}
        return tool.invoke({"name": TASK, "args": arguments, "id": "1", "type": "tool_call"})

    assert {e["label"] for e in called(both, candidate_labels=["cat", "dog"]).artifact["output"]["labels"]} == {"cat", "dog"}
    assert {e["label"] for e in called(both[::-1]).artifact["output"]["labels"]} == {"yes", "no", "up"}


def test_a_model_that_lacks_its_text_part_is_refused(built: Built, samples: Samples, tmp_path: Path) -> None:
    shutil.copytree(built(CLAP), tmp_path / "m" / "half")
    model: Any = T.ClapModel.from_pretrained(tmp_path / "m" / "half")
    state = {n: t for n, t in model.state_dict().items() if not n.startswith("text_projection")}
    model.save_pretrained(tmp_path / "m" / "half", state_dict=state)
    with pytest.raises(ModelRefusedError, match="not whole"):
        run(LocalRunner(models=[tmp_path / "m"], device="cpu"), "half", audio=samples.sound, candidate_labels=["a"])
