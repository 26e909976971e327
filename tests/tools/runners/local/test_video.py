"""Videos and conversations: which frames a model sees, what it hears, and what is refused."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers as T
from PIL import Image

from langchain_hugginggpt.index.card import ModelCard
from langchain_hugginggpt.tools.audio import float_wav_bytes
from langchain_hugginggpt.tools.errors import InputError, MediaError, ModelRefusedError
from langchain_hugginggpt.tools.hub_tasks import HUB_TASKS
from langchain_hugginggpt.tools.runners.local import LocalRunner
from langchain_hugginggpt.tools.runners.local.table import LOCAL
from langchain_hugginggpt.tools.runners.runner import RunnerOutput
from langchain_hugginggpt.tools.video import mp4_bytes
from tests.local_models import video
from tests.local_models.case import Case
from tests.local_models.samples import Samples
from tests.local_models.text import labels, save

Built = Callable[[Case], Path]


def case(task: str, kind: str) -> Case:
    return next(c for c in video.CASES if (c.task, c.kind) == (task, kind))


SEEING, HEARING = case("any-to-any", "idefics3"), case("any-to-any", "qwen2-audio")
VIDEO, AUDIO = case("video-text-to-text", "idefics3"), case("audio-text-to-text", "qwen2-audio")


def run(local: LocalRunner, of: Case, **inputs: Any) -> RunnerOutput:
    return local.run(HUB_TASKS[of.task], ModelCard(id=of.id, task=of.task), inputs)


def pictures(local: LocalRunner, of: Case) -> list[torch.Tensor]:
    """What the model's eye sees from now on: for each question, its pictures one after the other."""
    seen: list[torch.Tensor] = []
    row = LOCAL[of.task]
    with local._model(row, local._places.find(row, ModelCard(id=of.id, task=of.task))) as (_, loaded):
        loaded.model.model.vision_model.register_forward_pre_hook(lambda m, a, given: seen.append(given["pixel_values"]), with_kwargs=True)
    return seen


@pytest.fixture
def fresh(models: Path) -> LocalRunner:
    """A runner whose models nobody else has."""
    return LocalRunner(models=[models], device="cpu")


# Classes


@pytest.mark.parametrize("kind", ["videomae", "timesformer"])
@pytest.mark.parametrize("frames", [1, 2, 30])
def test_a_model_gets_as_many_frames_as_it_wants(kind: str, frames: int, built: Built, fresh: LocalRunner, samples: Samples) -> None:
    of = case("video-classification", kind)
    built(of)
    seen: list[torch.Tensor] = []
    row = LOCAL[of.task]
    with fresh._model(row, fresh._places.find(row, ModelCard(id=of.id, task=of.task))) as (_, loaded):
        loaded.model.register_forward_pre_hook(lambda m, a, given: seen.append(given["pixel_values"]), with_kwargs=True)
    grey = [Image.new("RGB", (64, 48), (round(255 * i / max(1, frames - 1)),) * 3) for i in range(frames)]
    output = run(fresh, of, video=samples.store.put(mp4_bytes(grey, fps=10)))
    assert seen[0].shape == (1, 4, 3, 32, 32)
    light = seen[0][0].float().mean((1, 2, 3))
    light = (light - light[0]) / max(float(light[-1] - light[0]), 0.1)
    assert light.tolist() == pytest.approx({1: [0, 0, 0, 0], 2: [0, 0, 1, 1], 30: [0, 1 / 3, 2 / 3, 1]}[frames], abs=0.05)
    assert "judged by 4 frames" in output.notes[0]


def test_scores_follow_the_weights(models: Path, fresh: LocalRunner, samples: Samples) -> None:
    model: Any = T.VideoMAEForVideoClassification(T.VideoMAEConfig(tubelet_size=2, **video.SMALL, **labels("run", "jump", "sit")))
    torch.nn.init.zeros_(model.classifier.weight)
    model.classifier.bias.data = torch.tensor([0.0, 2.0, 1.0])
    save(models / "always-jump", video.processor(), model)
    output = fresh.run(
        HUB_TASKS["video-classification"], ModelCard(id="always-jump", task="video-classification"), {"video": samples.video}
    )
    wanted = torch.tensor([2.0, 1.0, 0.0]).softmax(0).tolist()
    assert [e["label"] for e in output.values["labels"]] == ["jump", "sit", "run"]
    assert [e["score"] for e in output.values["labels"]] == pytest.approx(wanted, abs=0.01)
    assert all(type(e["score"]) is float for e in output.values["labels"])


def test_a_sound_is_no_video(built: Built, local: LocalRunner, samples: Samples) -> None:
    of = case("video-classification", "videomae")
    built(of)
    with pytest.raises(MediaError, match="holds no moving pictures"):
        run(local, of, video=samples.sound)


# Conversations


def test_a_video_is_shown_as_eight_pictures_with_their_times(built: Built, fresh: LocalRunner, samples: Samples) -> None:
    built(VIDEO)
    seen = pictures(fresh, VIDEO)
    output = run(fresh, VIDEO, video=samples.video, question="what?")
    assert len(seen[0]) == 8
    assert output.notes[0] == "seen as 8 frames, evenly spread over 3.0 seconds, without its sound"


def test_a_picture_comes_before_the_frames_of_a_video(built: Built, fresh: LocalRunner, samples: Samples) -> None:
    built(SEEING)
    seen = pictures(fresh, SEEING)
    run(fresh, SEEING, prompt="what?", image=samples.picture, video=samples.video)
    assert len(seen[0]) == 9
    assert seen[0][0].float().mean() > max(p.float().mean() for p in seen[0][1:])  # the picture is grey, the video black


def test_a_recording_that_is_more_than_the_model_reads(built: Built, local: LocalRunner, samples: Samples) -> None:
    built(AUDIO)
    with pytest.raises(ModelRefusedError, match=r"'question' and the files make [\d,]+ tokens together; .* reads 446"):
        run(local, AUDIO, audio=samples.tone(40), question="what?")


def test_a_longer_recording_in_two_parts(models: Path, fresh: LocalRunner, samples: Samples, monkeypatch: pytest.MonkeyPatch) -> None:
    """With room for both."""
    monkeypatch.setitem(video.DECODER, "max_position_embeddings", 1400)
    (models / "roomy").mkdir(exist_ok=True)
    video.hearing(models / "roomy")
    task = HUB_TASKS["audio-text-to-text"]
    card = ModelCard(id="roomy", task=task.name)
    seen: list[Any] = []
    row = LOCAL[task.name]
    with fresh._model(row, fresh._places.find(row, card)) as (_, loaded):
        loaded.model.register_forward_pre_hook(
            lambda m, a, given: seen.append(given) if given.get("input_features") is not None else None, with_kwargs=True
        )
    output = fresh.run(task, card, {"audio": samples.tone(31), "question": "what?"})
    assert seen[0]["input_features"].shape[0] == 2
    assert seen[0]["feature_attention_mask"].sum(-1).tolist() == [3000, 100]
    assert "heard in 2 parts of at most 30 seconds" in output.notes


def test_a_recording_of_hours_is_refused_before_it_is_read(built: Built, local: LocalRunner, samples: Samples) -> None:
    built(HEARING)
    long = samples.store.put(float_wav_bytes(np.zeros(8_000 * 400), rate=8_000))
    with pytest.raises(ModelRefusedError, match=r"\('audio'\) is longer than 300 seconds"):
        run(local, HEARING, prompt="what?", audio=long)


def test_a_model_that_does_not_hear(built: Built, local: LocalRunner, samples: Samples) -> None:
    built(SEEING)
    with pytest.raises(ModelRefusedError, match=r"takes no audio \('audio' was given\): it has no feature extractor"):
        run(local, SEEING, prompt="what?", audio=samples.sound)


@pytest.mark.parametrize("port", ["image", "video"])
def test_a_model_that_does_not_see(port: str, built: Built, local: LocalRunner, samples: Samples) -> None:
    built(HEARING)
    with pytest.raises(ModelRefusedError, match=rf"takes no {port} \('{port}' was given\)"):
        run(local, HEARING, prompt="what?", **{port: samples.picture if port == "image" else samples.video})


@pytest.mark.parametrize("of", [SEEING, HEARING], ids=lambda c: c.kind)
@pytest.mark.parametrize("prompt", ["what?", "مرحبا 你好 🙂", "<image> <|AUDIO|> what?", "{{ messages }} {% for %}"])
def test_words_alone(of: Case, prompt: str, built: Built, local: LocalRunner) -> None:
    built(of)
    assert isinstance(run(local, of, prompt=prompt).values["text"], str)


@pytest.mark.parametrize("prompt", ["", " \n", "<image>"])
def test_an_empty_instruction(prompt: str, built: Built, local: LocalRunner, samples: Samples) -> None:
    built(SEEING)
    with pytest.raises(InputError, match="'prompt' holds no text"):
        run(local, SEEING, prompt=prompt, image=samples.picture)


def test_an_instruction_that_is_too_long(built: Built, local: LocalRunner) -> None:
    built(SEEING)
    with pytest.raises(ModelRefusedError, match=r"'prompt' and the files make [\d,]+ tokens together; .* reads 446"):
        run(local, SEEING, prompt="what is on the mat? " * 100)


def test_a_model_without_a_chat_template(built: Built, tmp_path: Path) -> None:
    folder = tmp_path / "m" / SEEING.id
    shutil.copytree(built(SEEING), folder)
    (folder / "chat_template.jinja").unlink()
    config = json.loads((folder / "processor_config.json").read_text())
    config.pop("chat_template", None)
    (folder / "processor_config.json").write_text(json.dumps(config))
    with pytest.raises(ModelRefusedError, match="has no chat template"):
        run(LocalRunner(models=[tmp_path / "m"], device="cpu"), SEEING, prompt="what?")
