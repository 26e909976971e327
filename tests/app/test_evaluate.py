"""`hugginggpt evaluate` as a user meets it; and a run that is killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from langchain_hugginggpt.agent.planners.embedded.weights import Decoding
from tests.agent.planners.embedded.blank import weights
from tests.evaluation.taskbench_files import case, link, node, prediction, write_lines, write_set
from tests.openai_server import Fails, OpenAIServer, Says

INTERRUPTIBLE = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"  # a shell may have had it ignored
COMMAND = [sys.executable, "-c", f"{INTERRUPTIBLE}\nfrom langchain_hugginggpt.app.main import main; main()"]
ASR, TTS = "Automatic Speech Recognition", "Text-to-Speech"


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith("HUGGINGGPT_")}
    return kept | {"HOME": str(tmp_path), "XDG_DATA_HOME": str(tmp_path / "data"), "COLUMNS": "100"}


@pytest.fixture
def run(tmp_path: Path, environment: dict[str, str]) -> Any:
    def runs(*args: object, **env: str) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [*COMMAND, "evaluate", *map(str, args)],
            capture_output=True,
            text=True,
            env=environment | env,
            cwd=tmp_path,
            timeout=120,
            check=False,
        )
        assert "Traceback" not in done.stdout + done.stderr, done.stderr
        return done

    return runs


def labels(n: int) -> list[dict[str, Any]]:
    """Requests that differ in wording and length."""
    asked = ("Transcribe example.wav", "Summarise what is said in example.wav", "Read this aloud: 'Good morning, room {i}.'")
    return [
        case(
            f"case-{i}",
            *((node(ASR, "example.wav"), node("Summarization", "<node-0>")) if i % 3 < 2 else (node(TTS, f"Good morning, room {i}."),)),
            links=[link(ASR, "Summarization")] if i % 3 < 2 else [],
            type="chain" if i % 3 < 2 else "single",
            user_request=f"{asked[i % 3].format(i=i)} It is request number {i}, of day {i * 7 % 31}.",
        )
        for i in range(n)
    ]


def test_planning_from_start_to_report(run: Any, tmp_path: Path) -> None:
    data = write_set(tmp_path / "set", labels(9))
    done = run("planning", "--data", data, "--out", "out")
    assert done.returncode == 0, done.stderr
    for told in ("9 cases", "n-F1", "strict", "By type", "By task", "Time a case", "Records: out", "Report:  out/report.html"):
        assert told in done.stdout
    found = {p.name for p in (tmp_path / "out").iterdir()}
    assert found == {"run.json", "records.jsonl", "summary.json", "predictions.jsonl", "report.html"}
    summary = json.loads((tmp_path / "out" / "summary.json").read_text())
    assert summary["n"] == 9
    assert set(summary) >= {"official", "strict", "by_type", "latency_ms"}


def test_recorded_predictions_as_json_and_compared(run: Any, tmp_path: Path) -> None:
    data = write_set(tmp_path / "set", labels(6))
    right = [prediction(c["id"], *c["task_nodes"], links=c["task_links"]) for c in labels(6)]
    wrong = [prediction(c["id"], node("Image Editing", "x")) for c in labels(6)]
    for name, made in {"a": wrong, "b": right}.items():
        done = run("planning", "--data", data, "--predictions", write_lines(tmp_path / f"{name}.jsonl", made), "--out", name, "--json")
        assert done.returncode == 0, done.stderr
        told = json.loads(done.stdout)
        assert told["official"]["n_f1"] == (100.0 if name == "b" else 0.0)
        assert told["strict"]["edit_distance"] == (0.0 if name == "b" else 1.0)
        assert told["latency_ms"] is None
    shown = run("compare", "a", "b")
    assert shown.returncode == 0, shown.stderr
    assert "6 cases better, 0 worse by strict n-F1" in shown.stdout
    assert json.loads(run("compare", "a", "b", "--json").stdout)["metrics"]["strict.n_f1"]["difference"] == 100.0


def figures(told: dict[str, Any]) -> dict[str, Any]:
    return {k: told[k] for k in ("n", "official", "strict", "hugginggpt", "by_type", "by_number_of_tasks", "intervals", "errors")}


def test_killed_in_the_middle_and_resumed(run: Any, tmp_path: Path, environment: dict[str, str]) -> None:
    data = write_set(tmp_path / "set", labels(300))
    whole = json.loads(run("planning", "--data", data, "--out", "whole", "--workers", "4", "--json").stdout)
    command = [*COMMAND, "evaluate", "planning", "--data", str(data), "--out", "killed", "--workers", "4", "--json"]
    killed = subprocess.Popen(command, env=environment, cwd=tmp_path, stdout=subprocess.DEVNULL)
    records = tmp_path / "killed" / "records.jsonl"
    deadline = time.monotonic() + 60
    while not (records.exists() and records.read_bytes().count(b"\n") >= 60):
        assert killed.poll() is None, "it ended before it could be killed"
        assert time.monotonic() < deadline
        time.sleep(0.005)
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    before = records.read_bytes().count(b"\n")
    assert 60 <= before < 300
    with records.open("a") as f:
        f.write('{"id": "case-29')  # the line that was being written
    refused = run("planning", "--data", data, "--out", "killed")
    assert (refused.returncode, records.read_bytes().count(b"\n")) == (2, before)
    assert "Go on with it (--resume)" in refused.stderr
    resumed = json.loads(run("planning", "--data", data, "--out", "killed", "--workers", "4", "--resume", "--json").stdout)
    assert figures(resumed) == figures(whole)
    times = Counter(json.loads(line)["id"] for line in records.read_text().splitlines())
    assert times == {f"case-{i}": 1 for i in range(300)}
    predicted = [json.loads(line)["id"] for line in (tmp_path / "killed" / "predictions.jsonl").read_text().splitlines()]
    assert sorted(predicted) == sorted(times)


def test_interrupted_says_how_to_go_on(tmp_path: Path, environment: dict[str, str]) -> None:
    data = write_set(tmp_path / "set", labels(5000))
    command = [*COMMAND, "evaluate", "planning", "--data", str(data), "--out", "my run"]
    process = subprocess.Popen(command, env=environment, cwd=tmp_path, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
    records = tmp_path / "my run" / "records.jsonl"
    deadline = time.monotonic() + 60
    while not (records.exists() and records.read_bytes().count(b"\n") >= 3):
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.005)
    process.send_signal(signal.SIGINT)
    try:
        _, told = process.communicate(timeout=30)
    finally:
        process.kill()
    assert process.returncode == 130
    assert "cases are kept in 'my run'; go on with --resume --out 'my run'" in told
    assert "Traceback" not in told


def keyed(server: OpenAIServer) -> dict[str, str]:
    return {"OPENAI_BASE_URL": server.url, "OPENAI_API_KEY": "sk-secret-key"}


def test_a_chat_model_plans_and_its_tokens_are_counted(run: Any, tmp_path: Path) -> None:
    data = write_set(tmp_path / "set", labels(3))
    plan = {"tasks": [{"id": "1", "task": TTS, "arguments": [{"port": "text", "value": "Good morning, room 2.", "ref": None}]}]}
    with OpenAIServer(*[Says(text=json.dumps(plan))] * 3) as server:
        done = run("planning", "--data", data, "--llm", "openai:local", "--out", "out", "--workers", "2", "--json", **keyed(server))
        assert done.returncode == 0, done.stderr
        told = json.loads(done.stdout)
        assert (server.left, told["usage"]) == (0, {"local": {"input_tokens": 9, "output_tokens": 15}})
        assert told["by_type"]["single"]["official"] == {
            "samples": 1, "scored": 1, "n_f1": 100.0, "e_f1": None, "t_f1": 100.0, "v_f1": 100.0, "edit_distance": 0.0
        }  # fmt: skip
        assert TTS in " ".join(server.seen[0].texts)
    other = run("planning", "--data", data, "--out", "out", "--resume")
    assert other.returncode == 2
    assert "llm: 'openai:local' there, None now" in other.stderr


def test_a_wrong_key_is_told_once_and_nothing_is_lost(run: Any, tmp_path: Path) -> None:
    data = write_set(tmp_path / "set", labels(40))
    with OpenAIServer(*[Fails(status=401)] * 40) as server:
        done = run("planning", "--data", data, "--llm", "openai:local", "--out", "out", **keyed(server))
        assert len(server.seen) < 15
    assert done.returncode == 1
    assert "The first 5 cases all failed: The chat model's server" in done.stderr
    assert "refused the key (401)" in done.stderr
    assert "sk-secret" not in done.stderr
    assert "go on with --resume --out out" in done.stderr


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["planning", "--data", "nowhere"], "There is no data set 'nowhere'."),
        (["planning", "--data", "set", "--planner", "llm"], "The llm planner needs a chat model."),
        (["planning", "--data", "set", "--planner", "embeded"], "There is no planner named 'embeded'. Did you mean 'embedded'?"),
        (["planning", "--data", "set", "--resume"], "--resume needs the folder of the run."),
        (["planning", "--data", "set", "--skip-missing"], "--skip-missing goes with recorded plans."),
        (["planning", "--data", "set", "--predictions", "nowhere"], "There is no file 'nowhere'."),
        (["planning", "--data", "set", "--workers", "0"], "Invalid value for '--workers'"),
        (["planning", "--data", "empty"], "There is no case that can be used"),
        (["compare", "set", "set"], "'set' holds no run"),
        (["selection", "--data", "nowhere"], "nowhere"),
        (["agent", "--data", "nowhere.yaml"], "nowhere.yaml"),
    ],
)
def test_bad_input(run: Any, tmp_path: Path, args: list[str], message: str) -> None:
    write_set(tmp_path / "set", labels(2))
    write_set(tmp_path / "empty", [])
    done = run(*args)
    assert done.returncode == 2, done.stdout
    assert message in " ".join(done.stderr.replace("│", " ").split())
    assert not (tmp_path / "data").exists()  # nothing was begun


def test_broken_lines_are_counted_and_listed(run: Any, tmp_path: Path) -> None:
    write_set(tmp_path / "set", [*labels(3), "{torn", {**labels(1)[0]}, case("odd", node("Time Travel", "x"))])
    done = run("planning", "--data", "set", "--out", "out")
    assert done.returncode == 0, done.stderr
    assert "Noted in the data" in done.stdout
    assert "1 × line is not JSON  data.json:4" in done.stdout
    assert "1 × id occurs twice (the first holds)  case-0" in done.stdout
    assert "1 × labelled task is not in the tool list  data.json:6: Time Travel" in done.stdout


def test_the_breakdown_is_of_the_official_figures_whatever_the_first_case_lacks(run: Any, tmp_path: Path) -> None:
    cases = labels(6)
    made = [prediction(c["id"], *c["task_nodes"], links=c["task_links"]) for c in cases[1:]]  # none for the first
    done = run(
        "planning", "--data", write_set(tmp_path / "set", cases), "--predictions", write_lines(tmp_path / "p.jsonl", made), "--out", "o"
    )
    assert done.returncode == 0, done.stderr
    assert "By type (official)" in done.stdout
    assert done.stdout.index("official") < done.stdout.index("strict")


def test_trained_weights_plan_and_other_weights_are_another_run(run: Any, tmp_path: Path) -> None:
    data = write_set(tmp_path / "set", labels(4))
    spoken, known = Decoding(spoken=True), (ASR, "Summarization")
    weights(known, spoken, "taskbench", own_bias=[3, -9]).save(tmp_path / "w.safetensors")
    done = run("planning", "--data", data, "--planner", "w.safetensors", "--limit", 2, "--out", "out", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["hugginggpt"]["precision"] == 100.0
    weights(known, spoken, "taskbench", own_bias=[-9, 3]).save(tmp_path / "w.safetensors")
    other = run("planning", "--data", data, "--planner", "w.safetensors", "--out", "out", "--resume")
    assert other.returncode == 2
    assert "sha256 of the weights" in other.stderr
    absent = run("planning", "--data", data, "--planner", "nowhere.safetensors")
    assert absent.returncode == 2
    assert "'nowhere.safetensors' cannot be read" in absent.stderr
