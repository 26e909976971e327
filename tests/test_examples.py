"""Every example runs as a user would run it, and gives what it is there to show."""

from __future__ import annotations

import io
import os
import re
import shutil
import subprocess
import sys
import wave
from pathlib import Path

import pytest

from langchain_hugginggpt.tools import HubToolkit, LocalRunner
from tests.local_models import trained

EXAMPLES = Path(__file__).parent.parent / "examples"
PARTS = {"inputs", "cards", "models", "make_inputs.py", "__pycache__"}
CASES = {"cases.yaml", "test_own_cases.py"}  # run by tests/evaluation/test_own_cases.py
RUN = {"demo", "toolkit_in_create_agent", "retriever_in_chain", "agent_as_subgraph", "agent_as_runnable", "own_tool"}


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A copy of the examples, away from the checkout."""
    shutil.copytree(EXAMPLES, tmp_path / "examples", ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def output(name: str, place: Path) -> str:
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("HUGGINGGPT_", "OPENAI_"))} | {"COLUMNS": "120"}
    done = subprocess.run(
        [sys.executable, f"examples/{name}.py"], cwd=place, env=environment, capture_output=True, text=True, timeout=180, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def seconds_of(path: Path) -> float:
    with wave.open(str(path)) as f:
        return float(f.getnframes() / f.getframerate())


def test_every_example_is_run_here() -> None:
    assert {p.stem for p in EXAMPLES.iterdir() if p.name not in PARTS | CASES} == RUN


def test_demo(place: Path) -> None:
    runs = output("demo", place).split("$ hugginggpt ask ")[1:]
    assert len(runs) == 5
    receipt, notice, article, letter, fox = runs
    assert "25.72" in receipt
    assert "CITY LIBRARY" in notice
    assert "✓ 2  text-to-speech" in article
    assert "port alder" in article.lower()
    assert re.search(r"^complaint \(", letter, re.M)
    assert "✓ 4  text-to-speech" in letter
    assert "No expert can run text-to-image here" in fox
    assert "The index would choose" in fox
    spoken = [Path(p) for p in re.findall(r"^Audio: (\S+) ", "".join(runs), re.M)]
    assert len(spoken) == 3
    for path in spoken:
        assert path.parent == (place / "out").resolve()
        assert seconds_of(path) > 3


def test_toolkit_in_create_agent(place: Path) -> None:
    printed = output("toolkit_in_create_agent", place)
    made = re.findall(r"artifact-[0-9a-f]{16}", printed)
    assert len(made) == 2  # text-to-speech made it, and voice-activity-detection was given it
    assert made[0] == made[1]
    found = re.search(r"segments: ([\d.]+) to ([\d.]+) s", printed.rsplit("Ai Message", 1)[1])
    assert found is not None
    assert 0 <= float(found[1]) < float(found[2]) <= seconds_of(next((place / "out").glob("*.wav"))) + 0.01  # rounded


def test_retriever_in_chain(place: Path) -> None:
    printed = output("retriever_in_chain", place)
    lines = [line for line in printed.splitlines() if line.startswith("- ")]
    assert "Wanted: transcribe long meetings on a laptop" in printed
    assert len(lines) == 4
    assert all(re.match(r"- \S+/\S+ \((apache-2\.0|mit)\): \w", line) for line in lines)


def test_agent_as_subgraph(place: Path) -> None:
    printed = output("agent_as_subgraph", place)
    assert "delivery (" in printed
    assert printed.rstrip().endswith("queue: delivery")


def test_agent_as_runnable(place: Path) -> None:
    printed = output("agent_as_runnable", place)
    assert re.search(r"invoke: scores: 0\.\d\d \[1\]", printed)
    assert "stream: CITY LIBRARY" in printed
    assert "events: text-classification" in printed
    assert seconds_of(place / "out" / "notice.wav") > 3


def test_own_tool(place: Path) -> None:
    printed = output("own_tool", place)
    assert "image-to-text → readability" in printed
    assert re.search(r"^\d+ years of school \[2\]$", printed, re.M)
    assert "[2] readability: reading_level" in printed


def test_the_example_model_is_as_good_as_its_card_says() -> None:
    """97 % of the 300 digits that it has not seen; here of the last 100, with room for chance."""
    pictures, targets = trained.digits()
    toolkit = HubToolkit(runners=[LocalRunner(models=[EXAMPLES / "models"], device="cpu")])
    right = 0
    for picture, target in zip(pictures[-100:], targets[-100:], strict=True):
        out = io.BytesIO()
        trained.picture_of(picture).save(out, "PNG")
        artifact = toolkit.store.put(out.getvalue(), name="digit.png")
        call = {"type": "tool_call", "id": "1", "name": "image-classification", "args": {"image": artifact.id, "model": "digits"}}
        labels = toolkit.tool("image-classification").invoke(call).artifact["output"]["labels"]
        right += labels[0]["label"] == str(target)
    assert right >= 92
