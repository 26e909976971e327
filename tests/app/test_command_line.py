"""The command line as a user meets it: a process, its output and its exit code."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import zlib
from pathlib import Path
from typing import Any

import pytest

INPUTS = Path(__file__).parents[2] / "examples" / "inputs"
COMMAND = [sys.executable, "-c", "from langchain_hugginggpt.app.main import main; main()"]


@pytest.fixture
def run(tmp_path: Path) -> Any:
    def runs(*args: str | Path, stdin: str = "", **env: str) -> subprocess.CompletedProcess[str]:
        environment = {k: v for k, v in os.environ.items() if not k.startswith("HUGGINGGPT_")}
        environment |= {"HOME": str(tmp_path), "XDG_DATA_HOME": str(tmp_path / "data"), "COLUMNS": "120"} | env
        done = subprocess.run(
            [*COMMAND, *map(str, args)],
            input=stdin,
            capture_output=True,
            text=True,
            env=environment,
            cwd=tmp_path,
            timeout=120,
            check=False,
        )
        assert "Traceback" not in done.stdout + done.stderr, done.stderr
        return done

    return runs


def answer(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    lines = done.stdout.splitlines()
    assert len(lines) == 1, done.stdout
    data: dict[str, Any] = json.loads(lines[0])
    return data


def test_a_text_question_as_json(run: Any) -> None:
    done = run("ask", "How similar are 'a cat sat on the mat' and 'a kitten was sitting on the rug'?", "--json")
    data = answer(done)
    assert done.returncode == 0
    kept = {"version", "request", "plan", "repairs", "results", "reply", "artifacts", "confidence", "question", "answer", "plan_error"}
    assert set(data) == kept
    assert (data["question"], data["answer"], data["plan_error"]) == (None, None, None)
    assert data["plan"] == [
        {
            "id": "1",
            "task": "sentence-similarity",
            "arguments": {"source_sentence": "a cat sat on the mat", "sentences": ["a kitten was sitting on the rug"]},
        }
    ]
    result = data["results"][0]
    assert {
        "task_id",
        "task",
        "status",
        "model",
        "runner",
        "candidates",
        "output",
        "artifacts",
        "attempts",
        "started",
        "seconds",
        "error",
    } <= set(result)
    assert (result["status"], result["model"], result["runner"]) == ("ok", "embedded/minilm-similarity", "embedded")
    assert 0.4 < result["output"]["scores"][0] <= 1


def test_the_fork_on_a_scanned_letter(run: Any, tmp_path: Path) -> None:
    done = run(
        "ask", "Read the letter in scan.png, tell me whether it is a complaint or praise, and read me a short summary",
        "--file", INPUTS / "scan.png", "--out", tmp_path / "out", "--json",
    )  # fmt: skip
    data = answer(done)
    assert done.returncode == 0
    assert [r["task"] for r in data["results"]] == ["image-to-text", "zero-shot-classification", "summarization", "text-to-speech"]
    assert data["plan"][3]["arguments"]["text"] == {"ref": "3", "port": "summary", "each": False}
    assert data["results"][1]["output"]["labels"][0]["label"] == "complaint"
    assert "kettle" in data["results"][0]["output"]["text"]
    audio = data["artifacts"][0]
    assert audio["media_type"] == "audio/wav"
    assert Path(audio["path"]).is_absolute()
    assert Path(audio["path"]).parent == tmp_path / "out"
    assert Path(audio["path"]).read_bytes()[:4] == b"RIFF"
    starts = {r["task"]: r["started"] for r in data["results"]}
    assert abs(starts["zero-shot-classification"] - starts["summarization"]) < 0.05  # both branches start when the text is there


@pytest.mark.parametrize(
    ("text", "file", "expected"),
    [
        ("Read this receipt and tell me the total", "receipt.png", "25.72"),
        ("What does this report say about volunteers?", "report.txt", "volunteer"),
        ("Which line of sentences.txt is the best answer to “When does the swimming pool open?”", "sentences.txt", "pool"),
        ("Is this review positive or negative: 'The soup was cold and the waiter was rude.'", None, "negative"),
        ("Is the letter about billing, delivery or product quality?", "letter.txt", "delivery"),
    ],
)
def test_the_reply_holds_the_answer(run: Any, text: str, file: str | None, expected: str) -> None:
    done = run("ask", text, *(["--file", INPUTS / file] if file else []))
    assert done.returncode == 0, done.stderr
    assert expected in done.stdout
    assert "[1]" in done.stdout


def test_when_somebody_speaks(run: Any) -> None:
    data = answer(run("ask", "When does somebody speak in this recording?", "-f", INPUTS / "recording.wav", "--json"))
    truth = json.loads((INPUTS / "recording.json").read_text("utf-8"))
    found = data["results"][0]["output"]["segments"]
    spoken = truth["speech"]
    assert len(found) == len(spoken)
    for got, true in zip(found, spoken, strict=True):
        assert abs(got["start"] - true["start"]) < 0.3
        assert abs(got["end"] - true["end"]) < 0.3


def test_what_cannot_run_says_why_and_what_would_help(run: Any) -> None:
    done = run("ask", "Paint a fox in the snow", "--json")
    data = answer(done)
    assert done.returncode == 3
    result = data["results"][0]
    assert (result["task"], result["status"], result["output"]) == ("text-to-image", "unavailable", {})
    assert result["candidates"]
    assert "Let hosted models do it: --experts hybrid" in data["reply"]
    assert data["artifacts"] == []


def test_small_talk(run: Any) -> None:
    done = run("ask", "Hello, what can you do?", "--json")
    data = answer(done)
    assert (done.returncode, data["plan"], data["results"]) == (0, [], [])
    assert "text-to-speech" in data["reply"]


def test_plan_tasks_models_and_doctor(run: Any) -> None:
    data = answer(run("plan", "Read the notice in this picture aloud", "-f", INPUTS / "notice.png", "--json"))
    assert [t["task"] for t in data["plan"]] == ["image-to-text", "text-to-speech"]
    assert set(data) == {"plan", "repairs", "confidence", "question", "answer"}
    tasks = json.loads(run("tasks", "--json").stdout)
    assert len(tasks) == 56
    row = next(t for t in tasks if t["task"] == "image-to-text")
    assert {"task", "summary", "inputs", "outputs", "runners"} <= set(row)
    assert row["inputs"][0] | {"description": ""} == {"name": "image", "kind": "image", "required": True, "many": False, "description": ""}
    assert row["runners"]["embedded"]["ok"] is True
    assert row["runners"]["embedded"]["models"] == ["embedded/rapidocr-image-to-text"]
    hosted = row["runners"]["hosted"]
    assert {k: hosted[k] for k in ("supported", "ok", "models")} == {"supported": False, "ok": False, "models": None}
    models = json.loads(run("models", "transcribe speech", "--task", "automatic-speech-recognition", "--limit", "3", "--json").stdout)
    assert len(models) == 3
    assert {"id", "task", "score", "why", "license"} <= set(models[0])
    assert {m["task"] for m in models} == {"automatic-speech-recognition"}
    done = run("doctor", "--json")
    assert json.loads(done.stdout)["ok"] is True
    assert done.returncode == 0


@pytest.mark.parametrize(
    "command",
    [["tasks"], ["models", "read text in pictures"], ["doctor"], ["plan", "Paint a fox"], ["--help"], ["ask", "--help"], ["--version"]],
)
def test_what_people_read(run: Any, command: list[str]) -> None:
    done = run(*command)
    assert done.returncode == 0
    assert done.stdout.strip()


def _png(width: int, height: int) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")

    head = width.to_bytes(4, "big") + height.to_bytes(4, "big") + b"\x08\x02\x00\x00\x00"
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0" * 99)) + chunk(b"IEND", b"")


_WAV = b"RIFF$\x00\x00\x00WAVEfmt \x10\x00\x00\x00\x01\x00\x01\x00\x80>\x00\x00\x00}\x00\x00\x02\x00\x10\x00data\x00\x00\x00\x00"


@pytest.mark.parametrize(
    ("name", "content", "text", "code", "says"),
    [
        ("gone.txt", None, "Summarise this", 2, "no file"),
        ("", None, "Summarise this", 2, "is a folder"),
        ("empty.txt", b"", "Summarise this", 2, "empty (0 bytes)"),
        ("text.png", b"just words", "Read this picture", 2, "holds text"),
        ("huge.png", _png(20_000, 20_000), "Read the text in this picture", 3, "at most 64 million"),
        ("broken.png", _png(20, 20)[:60], "Read the text in this picture", 3, "cannot be read as a picture"),
        ("zero.wav", _WAV, "When does somebody speak in this recording?", 3, "no sound"),
        ("spaces.txt", b"  \n ", "Summarise this text", 3, "only white space"),
        ("german.txt", "Der Bürgermeister eröffnete die Brücke. Viele kamen. Es regnete.".encode(), "Summarise this text", 0, "Brücke"),
        ("a '\"\n b.txt", b"The museum opens at nine. It closes at five.", "When does the museum open?", 0, "nine"),
    ],
    ids=lambda v: str(v)[:20] if isinstance(v, str) else "",
)
def test_bad_files(run: Any, tmp_path: Path, name: str, content: bytes | None, text: str, code: int, says: str) -> None:
    path = tmp_path / "in" / name
    (tmp_path / "in").mkdir()
    if content is not None:
        path.write_bytes(content)
    done = run("ask", text, "--file", path)
    assert done.returncode == code
    assert says in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (["ask", ""], "request is empty"),
        (["ask", "-"], "at most 1,000,000"),
        (["ask", "x", "--planner", "magic"], "no planner named 'magic'"),
        (["ask", "x", "--planner", "llm"], "needs a chat model"),
        (["ask", "x", "--index", "nowhere"], "no index in"),
        (["plan", "x", "--context-tokens", "0"], "--context-tokens must be at least 1, not '0'"),
        (["ask", "x", "--context-tokens", "8k"], "--context-tokens must be a whole number of tokens, not '8k'"),
        (["models", "x", "--task", "image-to-txt"], "Did you mean 'image-to-text'?"),
        (["models", "x", "--limit", "0"], "limit"),
        (["nonsense"], "nonsense"),
    ],
)
def test_bad_arguments(run: Any, args: list[str], says: str) -> None:
    done = run(*args, stdin="word " * 1_000_000)
    assert done.returncode == 2
    assert says in done.stdout + done.stderr


def test_an_error_as_json_is_one_object(run: Any) -> None:
    data = answer(run("ask", "Summarise this", "--file", "gone.txt", "--json"))
    assert data == {"error": {"type": "MediaError", "message": "There is no file 'gone.txt'.", "remedy": "Check the path."}}


def test_a_folder_that_cannot_be_written_is_found_before_any_work(run: Any, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    done = run("ask", "Read 'hello' aloud", "--out", tmp_path / "file" / "out")
    assert done.returncode == 2
    assert "cannot be written to" in done.stderr


@pytest.mark.parametrize("damage", ["manifest", "cards", "vectors"])
def test_a_corrupt_index(run: Any, tmp_path: Path, damage: str) -> None:
    from langchain_hugginggpt.index import ModelCard, ModelCardIndex

    folder = tmp_path / "index"
    ModelCardIndex.build([ModelCard(id="a/b", task="summarization", text="x")], folder)
    target = {
        "manifest": folder / "manifest.json",
        "cards": next(folder.glob("g-*/cards.sqlite")),
        "vectors": next(folder.glob("g-*/*.faiss")),
    }
    target[damage].write_bytes(b"garbage")
    done = run("models", "x", HUGGINGGPT_INDEX=str(folder))
    assert done.returncode == 2
    assert ("Build it again: hugginggpt index build" if damage == "manifest" else "Build the index again") in done.stderr


def test_another_index_still_finds_the_embedded_experts(run: Any, tmp_path: Path) -> None:
    from langchain_hugginggpt.index import ModelCard, ModelCardIndex

    ModelCardIndex.build([ModelCard(id="a/b", task="summarization", text="x")], tmp_path / "index")
    done = run("ask", "How similar are 'a' and 'b'?", "--index", tmp_path / "index", "--json")
    assert answer(done)["results"][0]["model"] == "embedded/minilm-similarity"


def test_a_chat_remembers_files_and_outputs(run: Any) -> None:
    done = run("ask", stdin=f"/file {INPUTS / 'notice.png'}\nWhat does the sign in this picture say?\nNow read it aloud\n/quit\n")
    assert done.returncode == 0, done.stderr
    assert "LIBRARY" in done.stdout
    assert "audio/wav" in done.stdout


def test_ctrl_c_keeps_what_was_finished(tmp_path: Path) -> None:
    import threading

    big = tmp_path / "big.txt"
    big.write_text("The harbour was busy on day {}. " * 3)
    script = (
        "import asyncio, signal, sys\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell may have started the tests with it ignored\n"
        "from langchain_hugginggpt.tools.runners.embedded import EmbeddedRunner\n"
        "first = EmbeddedRunner.arun\n"
        "async def slow(self, task, card, inputs):\n"
        "    if task.name == 'text-to-speech':\n"
        "        print('SPEAKING', file=sys.stderr, flush=True)\n"
        "        await asyncio.sleep(60)\n"
        "    return await first(self, task, card, inputs)\n"
        "EmbeddedRunner.arun = slow\n"
        "from langchain_hugginggpt.app.main import main\n"
        "main()\n"
    )
    command = [sys.executable, "-c", script, "ask", "Summarise this text in one sentence and read the summary to me", "-f", str(big)]
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "HOME": str(tmp_path), "XDG_DATA_HOME": str(tmp_path)},
    )
    guard = threading.Timer(60, process.kill)
    guard.start()
    assert process.stderr is not None
    for line in process.stderr:
        if "SPEAKING" in line:
            break
    process.send_signal(signal.SIGINT)
    _, err = process.communicate()
    guard.cancel()
    assert process.returncode == 130
    assert "finished: 1 summarization: The harbour was busy" in err
    assert "Traceback" not in err
