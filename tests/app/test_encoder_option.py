"""`--encoder FOLDER`: training on it and planning with it, as a user meets them; and what is said where the two do not go together."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from langchain_hugginggpt.evaluation.training.training import Training, save, train_planner
from langchain_hugginggpt.index.minilm import MiniLM
from tests.evaluation.training.folders import requests_folder
from tests.index.tiny_encoders import tiny_encoder

COMMAND = [sys.executable, "-c", "from langchain_hugginggpt.app.main import main; main()"]


@pytest.fixture
def run(tmp_path: Path) -> Any:
    def runs(*args: str | Path, **env: str) -> subprocess.CompletedProcess[str]:
        environment = {k: v for k, v in os.environ.items() if not k.startswith("HUGGINGGPT_")}
        environment |= {"HOME": str(tmp_path), "XDG_DATA_HOME": str(tmp_path / "data"), "COLUMNS": "120"} | env
        done = subprocess.run(
            [*COMMAND, *map(str, args)], capture_output=True, text=True, env=environment, cwd=tmp_path, timeout=120, check=False
        )
        assert "Traceback" not in done.stdout + done.stderr, done.stderr
        return done

    return runs


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_encoder(tmp_path_factory.mktemp("encoders") / "tiny")


@pytest.fixture(scope="module")
def weights(folder: Path) -> Path:
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)  # so small a training gains nothing by several
    training = Training(epochs=1, generated=0, folder=requests_folder(folder.parent / "requests", each=4))
    trained = train_planner([], training, encoder=MiniLM(folder))
    torch.set_num_threads(before)
    return save(trained, folder.parent / "w.safetensors")


def test_the_option_and_the_variable_are_the_same(run: Any, folder: Path, weights: Path) -> None:
    asked = ("plan", "Fasse diesen Bericht zusammen", "--planner", weights, "--json")
    by_option, by_variable = run(*asked, "--encoder", folder), run(*asked, HUGGINGGPT_ENCODER=str(folder))
    assert by_option.returncode == 0, by_option.stderr
    assert by_option.stdout == by_variable.stdout
    assert "English" not in by_option.stdout
    with_packaged = json.loads(run("plan", "Fasse diesen Bericht zusammen", "--json").stdout)
    assert "does not look English" in with_packaged["question"]


def test_evaluations_take_it(run: Any, folder: Path, weights: Path, tmp_path: Path) -> None:
    cases = tmp_path / "cases.yaml"
    cases.write_text("cases:\n- id: one\n  request: Sum up report 3\n  tasks: []\n", "utf-8")
    done = run("evaluate", "planning", "--data", cases, "--planner", weights, "--encoder", folder, "--out", tmp_path / "out", "--json")
    assert done.returncode == 0, done.stderr
    refused = run("evaluate", "planning", "--data", cases, "--planner", weights, "--out", tmp_path / "other")
    assert refused.returncode == 2
    assert "Either set tiny with --encoder FOLDER" in refused.stderr


@pytest.mark.parametrize("command", [["ask", "x"], ["plan", "x"], ["train", "planner"]])
def test_no_such_folder(run: Any, command: list[str]) -> None:
    done = run(*command, "--encoder", "nowhere")
    assert done.returncode == 2
    assert "There is no folder 'nowhere' with an encoder." in done.stderr


def test_the_packaged_weights_stand_on_the_packaged_encoder(run: Any, folder: Path) -> None:
    done = run("ask", "x", "--encoder", folder)
    assert done.returncode == 2
    assert "train planner --encoder FOLDER" in done.stderr
