"""Sentences about a table, by an encoder-decoder model that reads it as text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .....index.errors import ExpertError
from ...runner import RunnerOutput
from ..loaded import LoadedModel
from .lengths import counts, longest, room_of
from .seq2seq import written
from .table_answer import as_text

FORM = "the table was given to the model as 'column: value' for each cell; models that were trained on another form describe it worse"
_MOST_NEW = 256


def table_to_text(model: LoadedModel, inputs: Mapping[str, Any]) -> RunnerOutput:
    """A description of the table: rows go to the model together as long as they fit, and what it writes is put in their order."""
    columns, rows = as_text(inputs["table"])
    lines = [" | ".join(f"{c}: {v}" for c, v in zip(columns, row, strict=True) if v) for row in rows]
    room = room_of(model, port="table")
    texts: list[str] = []
    used = room
    for n, (line, size) in enumerate(zip(lines, counts(model.tokenizer, lines), strict=True), 1):
        if size > room:
            raise ExpertError(
                f"row {n} of 'table' takes {size:,} tokens; {model.id!r} reads {longest(model):,} at once.",
                remedy="Give only the columns that matter.",
            )
        if texts and used + size + 4 <= room:
            texts[-1], used = f"{texts[-1]} || {line}", used + size + 4
        else:
            texts.append(line)
            used = size
    made, notes = written(model, texts, most=_MOST_NEW)
    return RunnerOutput(values={"text": "\n".join(made)}, notes=(FORM, *notes))
