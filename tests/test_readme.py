"""README.md and CONTRIBUTING.md say what is true: every block runs, every command prints what is shown, every dependency is named."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text("utf-8")
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
MAIN = "import sys; from langchain_hugginggpt.app.main import main; main()"
VARIES = (
    (r"(?<=\s)/\S*/(?=[0-9a-f]{16}\.)", "/"),  # folders
    (r"\d+\.\d\d s\b|\d+\.\d ms\b", "0 s"),  # seconds
    (r"confidence \d\.\d\d", "confidence"),  # moves whenever the planner is refitted
)


def blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.S | re.M)


def commands() -> list[tuple[str, str]]:
    """Every `$ hugginggpt …` of the console blocks with the output shown below it."""
    parts = [p for b in blocks(README, "console") for p in re.split(r"^\$ ", b, flags=re.M)[1:]]
    return [(p.split("\n", 1)[0], p.split("\n", 1)[1]) for p in parts]


def comparable(output: str) -> list[str]:
    """Lines in any order (tasks that run at once end in any order), without what varies from run to run."""
    for pattern, instead in VARIES:
        output = re.sub(pattern, instead, output)
    return sorted(line.rstrip() for line in output.splitlines() if line.strip())


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder with the examples where README.md looks for them."""
    shutil.copytree(ROOT / "examples", tmp_path / "examples", ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def run(arguments: list[str], place: Path) -> subprocess.CompletedProcess[str]:
    environment = {k: v for k, v in os.environ.items() if not k.startswith("HUGGINGGPT_")}
    environment |= {"XDG_DATA_HOME": str(place / "data"), "COLUMNS": "100", "OPENAI_API_KEY": "test", "PYTHONWARNINGS": "ignore"}
    return subprocess.run(
        [sys.executable, *arguments], cwd=place, env=environment, capture_output=True, text=True, timeout=120, check=False
    )


@pytest.mark.parametrize("block", blocks(README, "python"), ids=lambda b: b.split("\n", 1)[0][:60])
def test_python_block_runs(block: str, place: Path) -> None:
    done = run(["-c", block], place)
    assert done.returncode == 0, done.stderr
    assert "print(" not in block or done.stdout.strip()
    assert "No expert can run" not in done.stdout
    assert "failed" not in done.stdout


@pytest.mark.parametrize(("command", "shown"), commands(), ids=[c[:60] for c, _ in commands()])
def test_command_prints_what_is_shown(command: str, shown: str, place: Path) -> None:
    program, *arguments = shlex.split(command)
    assert program == "hugginggpt"
    done = run(["-c", MAIN, *arguments], place)
    assert done.returncode == 0, done.stderr
    assert comparable(done.stdout) == comparable(shown)


@pytest.mark.parametrize(
    "command", [c.split("#")[0].strip() for c in "".join(blocks(README, "sh")).splitlines() if c.startswith("hugginggpt")]
)
def test_commands_that_need_a_network_have_options_that_exist(command: str, place: Path) -> None:
    done = run(["-c", MAIN, *shlex.split(command)[1:], "--help"], place)
    assert done.returncode == 0, done.stderr


def test_a_difference_is_seen() -> None:
    assert comparable("✓ 1  summarization  x  0.10 s\n/a/b/0123456789abcdef.wav") != comparable("✓ 1  summarization  y  0.10 s")
    assert comparable("Audio: /a/b/0123456789abcdef.wav 0.10 s ") == comparable("\nAudio: /c/0123456789abcdef.wav 2.34 s")


def test_there_are_blocks_of_both_kinds() -> None:
    assert len(blocks(README, "python")) >= 6
    assert len(commands()) >= 2


def test_ci_runs_the_test_command_of_the_readme() -> None:
    named = [line.split("#")[0].strip() for line in "".join(blocks(README, "sh")).splitlines()]
    assert "make demo" in named
    assert "make test" in named
    assert "make test" in (ROOT / ".ci" / "run").read_text("utf-8").splitlines()
    makefile = (ROOT / "Makefile").read_text("utf-8")
    assert {"demo", "test", "check"} <= set(re.findall(r"^([a-z]+):", makefile, re.M))
    assert "examples/demo.py" in makefile


def test_every_subcommand_and_variable_is_in_the_readme() -> None:
    for name in ("ask", "plan", "tasks", "models", "doctor", "evaluate", "index build", "index update", "index use", "index info"):
        assert f"`hugginggpt {name}" in README
    settings = (ROOT / "agent" / "settings.py").read_text("utf-8")
    for name in re.findall(r"value\(\"([A-Z_]+)\"\)", settings):
        assert f"`HUGGINGGPT_{name}`" in README


def test_numbers_of_tasks_are_true() -> None:
    from langchain_hugginggpt.tools import HUB_TASKS, HubToolkit
    from langchain_hugginggpt.tools.runners.hosted.table import HOSTED
    from langchain_hugginggpt.tools.runners.local.table import LOCAL

    assert f"All {len(HUB_TASKS)} tasks" in README
    assert f"run here: {len(LOCAL)} of the Hub's {len(HUB_TASKS)} tasks" in README
    assert f"{len(LOCAL)} tasks run with models of the Hub or your own" in README
    assert f"| tasks | the {len(HOSTED)} that" in README
    runnable = HubToolkit().runnable()
    assert len(runnable) == 11
    section = README.split("## What runs")[1]
    for name in runnable:
        assert name in section


def test_links_lead_somewhere() -> None:
    for target in re.findall(r"\]\((?!https?:)([^)#]+)\)", README + CONTRIBUTING):
        assert (ROOT / target).exists(), target


def test_every_dependency_and_extra_is_explained() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    extras = project["project"]["optional-dependencies"]
    listed = [*project["project"]["dependencies"], *(d for e in extras.values() for d in e), *project["dependency-groups"]["dev"]]
    section = CONTRIBUTING.split("## Dependencies")[1]
    for requirement in [*listed, *project["build-system"]["requires"], *extras, *project["dependency-groups"]]:
        name = re.split(r"[<>=\[ ]", requirement)[0]
        assert f"`{name}`" in section, f"CONTRIBUTING.md does not say why {name} is there"


def test_every_folder_has_one_owner() -> None:
    rows = re.findall(r"^\| `(\w+)/` \|", CONTRIBUTING, re.M)
    assert sorted(rows) == sorted({"index", "tools", "agent", "evaluation", "app", "tests", "benchmarks", "examples"})


def test_the_changelog_has_the_version() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    assert f"## {version}" in (ROOT / "CHANGELOG.md").read_text("utf-8")


def test_the_licence_is_the_one_declared() -> None:
    text = (ROOT / "LICENSE").read_text("utf-8")
    assert "Apache License" in text
    assert "END OF TERMS AND CONDITIONS" in text
