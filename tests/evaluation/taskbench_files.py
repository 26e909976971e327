"""Small data sets in TaskBench's layout."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

TOOLS = {
    "Automatic Speech Recognition": (["audio"], ["text"]),
    "Summarization": (["text"], ["text"]),
    "Text-to-Speech": (["text"], ["audio"]),
    "Image Editing": (["text", "image"], ["image"]),
    "Visual Question Answering": (["image", "text"], ["text"]),
    "Sentence Similarity": (["text", "text"], []),
    "Tabular Classification": (["image"], ["text"]),
}
OUTPUT_TYPES = {name: gives[0] if gives else "none" for name, (_, gives) in TOOLS.items()}


def node(task: str, *arguments: Any) -> dict[str, Any]:
    return {"task": task, "arguments": list(arguments)}


def link(source: str, target: str) -> dict[str, str]:
    return {"source": source, "target": target}


def case(ident: str, *nodes: dict[str, Any], links: Sequence[dict[str, str]] = (), **more: Any) -> dict[str, Any]:
    """A line of `data.json`."""
    request = more.pop("user_request", f"Please do what {ident} says with example.wav.")
    return {"id": ident, "type": "single", "user_request": request, "task_nodes": list(nodes), "task_links": list(links), **more}


def prediction(ident: str, *nodes: Any, links: Sequence[Any] = ()) -> dict[str, Any]:
    """A line of official predictions."""
    return {"id": ident, "user_request": "", "result": {"task_steps": [], "task_nodes": list(nodes), "task_links": list(links)}}


def write_lines(path: Path, entries: Sequence[Any]) -> Path:
    """Each entry as a line of JSON; a string as it is."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join((e if isinstance(e, str) else json.dumps(e)) + "\n" for e in entries), encoding="utf-8")
    return path


def write_set(folder: Path, cases: Sequence[Any], *, name: str = "data.json") -> Path:
    """A folder with `tool_desc.json` and labels."""
    write_lines(folder / name, cases)
    nodes = [{"id": t, "desc": f"{t} does it.", "input-type": a, "output-type": b} for t, (a, b) in TOOLS.items()]
    (folder / "tool_desc.json").write_text(json.dumps({"nodes": nodes}), encoding="utf-8")
    return folder
