"""Outputs as text: for ports that take text, for language models, and for people."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from ..index.text import well_formed
from .artifacts import Artifact, ArtifactStore
from .errors import MediaError
from .result import ToolResult
from .task import HubTask, Kind, Port

MAX_SHOWN = 6_000
_LARGE = 1e6


def text_view(kind: Kind, value: Any) -> str:
    """A value of a kind that has a text view, as text.

    text as it stands; labels "positive (0.97), negative (0.03)"; a list of texts line by line; what was found (`forms.py`) one a line, as
    in "cat (0.98) at 10, 20 to 60, 80", objects with their counts before them; anything else as JSON.
    """
    if isinstance(value, str):
        return value
    if kind is Kind.JSON and (lines := _found(value)):
        return "\n".join(lines)
    if kind is Kind.LABELS and isinstance(value, list):
        return ", ".join(f"{e['label']} ({score_text(e['score'])})" if isinstance(e, dict) else str(e) for e in value)
    if isinstance(value, list) and value and all(isinstance(v, str) for v in value):
        return "\n".join(value)
    if isinstance(value, float):
        return f"{value:g}"
    return json.dumps(value, ensure_ascii=False)


def score_text(score: float) -> str:
    """A score with two digits; one that is no probability but very large as a power of ten, not with hundreds of digits."""
    return f"{score:.2f}" if abs(score) < _LARGE else f"{float(score):.3g}"


def _found(value: Any) -> list[str]:
    """A line for each thing of one of the forms in `forms.py`; none for any other value."""
    if not isinstance(value, list) or not value or not all(isinstance(v, dict) for v in value):
        return []
    lines = [_line(v) for v in value]
    if not all(lines):
        return []
    if "box" in value[0]:
        counts = Counter(str(v["label"]) for v in value)
        return [f"{len(value)} found: " + ", ".join(f"{n} × {label}" for label, n in counts.most_common()), *lines]
    return lines


def _line(one: Mapping[str, Any]) -> str:
    try:
        score = f" ({score_text(one['score'])})" if one.get("score") is not None else ""
        if "box" in one:
            box = one["box"]
            return f"{one['label']}{score} at {box['xmin']}, {box['ymin']} to {box['xmax']}, {box['ymax']}"
        if "figure" in one:
            return f"{one['label']}{score} at {one['x']:.0f}, {one['y']:.0f}"
        if "text" in one and "label" in one:
            return f"{one['text']}: {one['label']}{score}"
        if one.keys() <= {"text", "index", "score"} and "text" in one:
            return f"{one['text']}{score}"
        if one.keys() == {"index", "score"}:
            return f"number {one['index'] + 1}{score}"
        if one.keys() <= {"start", "end", "label"}:
            return f"{one['start']:.2f} to {one['end']:.2f} s" + (f": {one['label']}" if "label" in one else "")
        return f"{one['label']}{score}" if one.keys() <= {"label", "score"} else ""
    except (KeyError, TypeError, ValueError):
        return ""


def shown(result: ToolResult, task: HubTask, store: ArtifactStore) -> str:
    """What a language model sees of a result. A long text is cut, and kept whole as an artifact that may be handed on."""
    lines = [_shown_port(p, result.values[p.name], store) for p in task.outputs]
    lines += [f"picture that shows it: {a.id} ({a.media_type}, {a.size:,} bytes)" for a in beside(result.values.values(), result.artifacts)]
    lines += [f"note: {n}" for n in result.notes]
    if result.agreement is not None:
        lines.append(f"agreement: {result.agreement.summary()}")
        lines.append(f"made by: {', '.join(result.agreement.experts)}")
    elif result.attempts:
        lines.append(f"made by: {result.attempts[-1].model}")
    return "\n".join(lines)


def beside(values: Iterable[Any], artifacts: Iterable[Artifact]) -> list[Artifact]:
    """The files of a result that none of its output ports carries: pictures that show what was found."""
    carried = {f.id for v in values for f in (v if isinstance(v, list) else [v]) if isinstance(f, Artifact)}
    return [a for a in artifacts if a.id not in carried]


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
