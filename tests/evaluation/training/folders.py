"""A folder of requests to train on, small enough to be trained on in seconds."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from langchain_hugginggpt.evaluation.training.invented import _TENTH, TOOLS_FILE
from langchain_hugginggpt.evaluation.training.samples import held_out
from tests.evaluation.taskbench_files import write_lines

LINES = (
    "Describe picture {i} for me || p{i}.jpg || image-to-text",
    "Sum up report number {i} || r{i}.txt || summarization",
    "Read page {i} aloud to me || p{i}.jpg || image-to-text; text-to-speech < 1",
    "Good day number {i} to you || || -",
    "Do the thing {i} || || ?",
)
FRAMES = {
    "then": ["{a}, then {b}"],
    "also": ["{a}. Also: {b}"],
    "not": ["{a} Don't {n}."],
    "aside": ["{x}. {a} {y}"],
    "polite": ["please {a}"],
    "remarks": ["it is raining"],
    "files": {k: [f"some.{k}"] for k in ("image", "audio", "video", "table", "text", "json")},
    "mentions": {k: ["it"] for k in ("image", "audio", "video", "table", "text", "json")},
    "texts": ["Rain fell."],
}
CLAUSES: list[dict[str, Any]] = [
    {"text": "describe the image", "tasks": ["image-to-text"]},
    {"text": "say it aloud", "tasks": ["text-to-speech"]},
    {"text": "it is late in the evening here", "tasks": []},
]


def tool(name: str, summary: str, *requests: str) -> dict[str, Any]:
    """An invented tool that turns text into text."""
    asked = [{"text": text, "files": [], "plan": [[name, []]]} for text in requests]
    return {"name": name, "summary": summary, "inputs": ["text"], "outputs": ["text"], "requests": asked}


def named(what: str, *, held: bool) -> str:
    """A tool's name that is held out, or one that is not."""
    return next(name for i in range(200) if held_out(name := f"{what}-{i}", _TENTH) is held)


def tools() -> list[dict[str, Any]]:
    """Four to learn from, and two that are held out."""
    cook, water, star, train = (named(w, held=False) for w in ("cook", "water", "star", "train"))
    tax, song = named("tax", held=True), named("song", held=True)
    return [
        tool(cook, "Find a recipe for a meal.", "What recipe is there for a meal of beans?", "Find me a recipe for a warm meal."),
        tool(water, "Say when plants need water.", "When do my plants need water again?", "Do the plants need water today?"),
        tool(star, "Name the stars in the sky.", "Name the stars in the sky above Rome.", "Which stars are in the sky now?"),
        tool(train, "Look up when a train leaves.", "When does the train to Basel leave?", "Look up the next train, when does it leave?"),
        tool(tax, "Work out how much tax is due.", "How much tax is due on my income?", "Work out the tax that is due for 2023."),
        tool(song, "Find the chords of a song.", "What are the chords of this song: Yesterday?", "Find the chords of the song."),
    ]


def requests_folder(folder: Path, each: int = 12) -> Path:
    """`each` requests of every form of `LINES`, and the rest of what such a folder holds."""
    folder.mkdir(parents=True)
    lines = [line.format(i=i) for i in range(each) for line in LINES]
    (folder / "somebody.txt").write_text("\n".join(lines) + "\n", "utf-8")
    write_lines(folder / "clauses.jsonl", CLAUSES)
    (folder / "frames.yaml").write_text(json.dumps(FRAMES), "utf-8")
    write_lines(folder / TOOLS_FILE, tools())
    return folder
