"""Outputs as text: for ports that take text, for language models, and for people."""

from __future__ import annotations

import json
from typing import Any

from ..index.text import well_formed
from .artifacts import Artifact, ArtifactStore
from .errors import MediaError
from .result import ToolResult
from .task import HubTask, Kind, Port

MAX_SHOWN = 6_000


def text_view(kind: Kind, value: Any) -> str:
    """A value of a kind that has a text view, as text.

    text as it stands; labels "positive (0.97), negative (0.03)"; a list of texts line by line; anything else as JSON.
    """
    if isinstance(value, str):
        return value
    if kind is Kind.LABELS and isinstance(value, list):
        return ", ".join(f"{e['label']} ({e['score']:.2f})" if isinstance(e, dict) else str(e) for e in value)
    if isinstance(value, list) and value and all(isinstance(v, str) for v in value):
        return "\n".join(value)
    if isinstance(value, float):
        return f"{value:g}"
    return json.dumps(value, ensure_ascii=False)


def shown(result: ToolResult, task: HubTask, store: ArtifactStore) -> str:
    """What a language model sees of a result. A long text is cut, and kept whole as an artifact that may be handed on."""
    lines = [_shown_port(p, result.values[p.name], store) for p in task.outputs]
    lines += [f"note: {n}" for n in result.notes]
    if result.attempts:
        lines.append(f"made by: {result.attempts[-1].model}")
    return "\n".join(lines)


def _shown_port(port: Port, value: Any, store: ArtifactStore) -> str:
    files = value if isinstance(value, list) else [value]
    if port.kind.is_media:
        return "\n".join(f"{port.name}: {f.id} ({f.media_type}, {f.size:,} bytes)" for f in files if isinstance(f, Artifact))
    text = text_view(port.kind, value)
    if len(text) > MAX_SHOWN:
        return f"{port.name}: {text[:MAX_SHOWN]} … (cut; {_kept(text, port, store)})"
    return f"{port.name}: {text}"


def _kept(text: str, port: Port, store: ArtifactStore) -> str:
    try:
        whole = store.put(well_formed(text).encode(), name=f"{port.name}.txt", media_type="text/plain")
    except MediaError as e:
        return f"the whole text is not kept: {e.message}"
    return f"the whole text is {whole.id}"
