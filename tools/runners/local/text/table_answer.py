"""Answers from a table, by TAPAS: cells, and what to do with them. https://arxiv.org/abs/2004.02349"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

from .....index.errors import ExpertError
from ...embedded.answer import NO_ANSWER
from ...runner import RunnerOutput
from ..loaded import LoadedModel
from .lengths import longest

NOTHING_FITS = "no cell of the table fits the question well enough"
_NUMBER = re.compile(r"[-+−]?\d[\d,  ' ]*(?:\.\d+)?")


def table_question_answering(model: LoadedModel, inputs: Mapping[str, Any]) -> RunnerOutput:
    """The cells that answer, or their sum, mean or number where the model says that this is what is asked."""
    import pandas as pd  # type: ignore[import-untyped]

    columns, rows = as_text(inputs["table"])
    table = pd.DataFrame(rows, columns=columns, dtype=object)
    _check_size(model, table, inputs["question"])
    found = model.pipeline("table-question-answering")(table=table, query=inputs["question"])
    cells = [str(c).strip() for c in found["cells"]]
    if not cells:
        return RunnerOutput(values={"answer": NO_ANSWER}, notes=(NOTHING_FITS,))
    answer, how = _combined(cells, str(found.get("aggregator", "NONE")).upper())
    where = sorted({columns[column] for _, column in found["coordinates"]})
    return RunnerOutput(values={"answer": answer}, notes=(f"{how} of column {', '.join(where)}",))


def as_text(table: Sequence[Mapping[str, Any]]) -> tuple[list[str], list[list[str]]]:
    """Names of the columns, in the order in which they come up, and rows of cells as text; a cell without a value is empty."""
    names = list(dict.fromkeys(str(name) for row in table for name in row))
    return names, [[_cell({str(n): v for n, v in row.items()}.get(name)) for name in names] for row in table]


def _cell(value: Any) -> str:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return str(value)


def _check_size(model: LoadedModel, table: Any, question: str) -> None:
    """Refuse what the model would read in part only: which row is the greatest cannot be told from some of the rows."""
    config, (rows, columns) = model.config, table.shape
    most_columns, most_rows = (int(config.type_vocab_sizes[n]) - 1 for n in (1, 2))
    if rows > most_rows or columns > most_columns:
        tokens = None
    elif _no_more_tokens_than(table, question) <= longest(model):
        return
    else:
        tokens = len(model.tokenizer(table, question, truncation="do_not_truncate", padding=False)["input_ids"])
    if tokens is None or tokens > longest(model):
        size = f"; with the question it is {tokens:,} tokens" if tokens else ""
        raise ExpertError(
            f"'table' has {rows:,} rows and {columns:,} columns{size}; {model.id!r} reads {most_rows:,} rows, {most_columns:,} columns and "
            f"{longest(model):,} tokens at most.",
            remedy="Give only the rows and columns that matter.",
        )


def _no_more_tokens_than(table: Any, question: str) -> int:
    """A bound that costs nothing to find: a token is a character at the least, an empty cell one token, and a few tokens stand between."""
    cells = [*table.columns, *table.to_numpy().ravel()]
    return len(question) + sum(map(len, cells)) + len(cells) + 8


def _combined(cells: list[str], how: str) -> tuple[str, str]:
    """The answer, and how it came about."""
    shown = ", ".join(cells)
    if how == "COUNT":
        return str(len(cells)), f"the number of {len(cells)} cells ({shown})"
    if how in ("SUM", "AVERAGE") and len(cells) > 1:
        numbers = [_number(c) for c in cells]
        known = [n for n in numbers if n is not None]
        if len(known) == len(cells):
            total = math.fsum(known) / (len(known) if how == "AVERAGE" else 1)
            return _shown(total), f"the {'mean' if how == 'AVERAGE' else 'sum'} of {shown}; cells"
        return shown, f"the model asks for the {how.lower()} of cells that are not all numbers, so they are given as they are: cells"
    return shown, "a cell" if len(cells) == 1 else f"{len(cells)} cells"


def _number(cell: str) -> float | None:
    found = _NUMBER.findall(cell)
    if len(found) != 1:
        return None
    try:
        return float(re.sub(r"[,  ' ]", "", found[0]).replace("−", "-"))
    except ValueError:
        return None


def _shown(number: float) -> str:
    return str(int(number)) if number.is_integer() and abs(number) < 1e15 else f"{number:.10g}"
