"""Training on another encoder than the packaged one, from the folder to the plan; the two belong together from then on."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from langchain_hugginggpt.agent import EmbeddedPlanner, Request, Settings, WeightsError
from langchain_hugginggpt.agent.building import build, build_planner
from langchain_hugginggpt.agent.planners.embedded.weights import SHIPPED, Weights
from langchain_hugginggpt.evaluation.training.training import Trained, Training, save, train_planner
from langchain_hugginggpt.index.errors import CallerError
from langchain_hugginggpt.index.minilm import MiniLM
from langchain_hugginggpt.tools import HUB_TASKS
from tests.evaluation.training.folders import requests_folder
from tests.fakes import file
from tests.index.tiny_encoders import tiny_encoder


@dataclass(frozen=True, kw_only=True)
class Made:
    """A tiny encoder, and a planner that was trained on it."""

    folder: Path
    trained: Trained
    weights: Path
    layers: int


@pytest.fixture(scope="module", params=[("bert", 3, 32), ("xlm-roberta", 4, 48)], ids=["bert", "xlm-roberta"])
def made(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Made:
    kind, layers, units = request.param
    place = tmp_path_factory.mktemp("other")
    folder = tiny_encoder(place / "tiny-many", kind=kind, layers=layers, units=units)
    training = Training(epochs=25, generated=0, folder=requests_folder(place / "requests", each=8))
    trained = train_planner([], training, encoder=MiniLM(folder))
    return Made(folder=folder, trained=trained, weights=save(trained, place / "w.safetensors"), layers=layers)


def test_the_two_top_layers_are_trained_as_wide_as_they_are(made: Made) -> None:
    own, read = MiniLM(made.folder), Weights.load(made.weights, MiniLM(made.folder).name)
    assert {name.split(".")[2] for name in read.layers} == {str(made.layers - 2), str(made.layers - 1)}
    before = own.weights()
    assert {k: v.shape for k, v in read.layers.items()} == {k: before[k].shape for k in read.layers}
    moved = {k: float(np.abs(v - before[k]).mean()) for k, v in read.layers.items() if v.ndim == 2}
    assert min(moved.values()) > 1e-3
    assert max(moved.values()) < 0.1  # the weights are some 0.3
    assert read.head["described"].shape == (len(HUB_TASKS), own.dimension)
    assert read.encoder == own.name


PICTURE = Request(text="Describe picture 3 for me", files=(file("p3.jpg", "image/jpeg"),))
CHAT = Request(text="Good day number 3 to you")


def test_they_plan(made: Made) -> None:
    """As well as three dozen requests teach a network that knew nothing: what to do with a picture, and less for small talk."""
    planner = EmbeddedPlanner(MiniLM(made.folder), made.weights)
    asked, talked = (planner.plausible(r, HUB_TASKS) for r in (PICTURE, CHAT))
    assert "image-to-text" in sorted(asked, key=lambda n: -asked[n])[:2]  # the other may be speech, which comes with pages that are read
    assert asked["image-to-text"] > 1.5 * talked["image-to-text"]
    for text in ("Fasse den Bericht zusammen", "Резюмируй отчёт", "x" * 5000, "", "🙂"):
        assert "English" not in planner.plan(Request(text=text), HUB_TASKS).question


def test_the_card_tells_of_the_encoder(made: Made) -> None:
    text = made.weights.with_suffix(".md").read_text("utf-8")
    assert f"two top layers of {MiniLM(made.folder).name}, adapted" in text
    assert "--encoder FOLDER --epochs 25" in text
    assert "English.\n" not in text
    assert "was not measured" in text


def test_a_folder_that_was_moved_is_the_same_encoder(made: Made, tmp_path: Path) -> None:
    shutil.copytree(made.folder, tmp_path / "elsewhere")
    assert EmbeddedPlanner(MiniLM(tmp_path / "elsewhere"), made.weights).weights.head.keys() == made.trained.weights.head.keys()
    assert EmbeddedPlanner(MiniLM(tmp_path / "elsewhere"), made.trained.weights).weights is made.trained.weights


def test_another_encoder_is_refused(made: Made, tmp_path: Path) -> None:
    own = MiniLM(made.folder).name
    with pytest.raises(WeightsError, match=rf"for '{own}'; .* for '{MiniLM.name}' is needed\. Either set tiny-many with --encoder FOLDER"):
        EmbeddedPlanner(weights=made.weights)
    other = MiniLM(tiny_encoder(tmp_path / "another", seed=5))
    with pytest.raises(WeightsError, match=rf"for '{own}'; .* for '{other.name}' is needed\. .*train planner --encoder FOLDER"):
        EmbeddedPlanner(other, made.weights)
    with pytest.raises(WeightsError, match=rf"were trained on '{own}', and '{other.name}' is to plan"):
        EmbeddedPlanner(other, made.trained.weights)
    with pytest.raises(WeightsError, match=rf"for '{MiniLM.name}'; .* for '{own}' is needed\. Either leave out --encoder"):
        EmbeddedPlanner(MiniLM(made.folder), SHIPPED)
    unset = EmbeddedPlanner(MiniLM(made.folder))
    with pytest.raises(WeightsError, match=f"for '{own}' is needed"):
        unset.plan(Request(text="Describe picture 3 for me"), HUB_TASKS)


def test_settings_name_the_encoder_of_the_planner_alone(made: Made, tmp_path: Path) -> None:
    settings = Settings(planner=str(made.weights), encoder=made.folder, out=tmp_path / "out")
    agent = build(settings)
    assert agent.toolkit.encoder.name == MiniLM.name
    assert agent.planner.plan(PICTURE, HUB_TASKS) == EmbeddedPlanner(MiniLM(made.folder), made.trained.weights).plan(PICTURE, HUB_TASKS)
    with pytest.raises(WeightsError, match="Either leave out --encoder"):
        build_planner(Settings(encoder=made.folder))
    with pytest.raises(WeightsError, match="Either set tiny-many with --encoder FOLDER"):
        build_planner(Settings(planner=str(made.weights)))
    with pytest.raises(CallerError, match="no folder 'nowhere' with an encoder"):
        build_planner(Settings(planner=str(made.weights), encoder=Path("nowhere")))
    assert isinstance(build_planner(Settings(planner="embedded")), EmbeddedPlanner)


def test_the_environment_names_it() -> None:
    assert Settings.from_environment({"HUGGINGGPT_ENCODER": " /some/folder "}).encoder == Path("/some/folder")
    assert Settings.from_environment({"HUGGINGGPT_ENCODER": ""}).encoder is None
