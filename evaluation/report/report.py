"""An evaluation as one HTML file that needs nothing else: no network, no fonts, no pictures; it can be mailed and kept."""

from __future__ import annotations

import base64
import hashlib
import tempfile
from dataclasses import dataclass
from datetime import datetime
from importlib.resources import files
from pathlib import Path

from ...index.problems import Problems
from ...tools.errors import MissingExtraError
from ..agent_runs import costs
from ..errors import RunFolderError
from ..evaluating import Evaluation
from . import plots, tables
from .blocks import primary
from .cases import WorstCase, worst_case
from .text import clean, duration, one_line

_KINDS = 40  # kinds of problems that are listed


@dataclass(frozen=True, kw_only=True)
class Listed:
    """A kind of problem: how often, and the first places."""

    kind: str
    count: int
    places: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Page:
    """What the template shows; texts of others are cut and cleaned, and the template escapes them."""

    kind: str
    title: str
    facts: tuple[tuple[str, str], ...]
    notes: tuple[str, ...]
    command: str
    blocks: tuple[tables.Block, ...]
    comparison: tables.Table | None
    groups: tuple[tuple[tables.Table, ...], ...]
    charts: tuple[plots.Chart, ...]
    tasks: tuple[tables.TaskRow, ...]
    tasks_left_out: int
    came: str
    cases: tuple[WorstCase, ...]
    problems: tuple[Listed, ...]
    errors: tuple[tuple[str, int], ...]
    usage: tables.UsageTable | None


def write_report(evaluation: Evaluation, path: Path | str, *, command: str = "") -> Path:
    """Write the report to one HTML file, whole or not at all; a file that is there is replaced.

    Args:
        evaluation: what is told.
        path: the file, e.g. `OUT/report.html`; its folder is made when there is none.
        command: the command line that made it, shown for who wants to run it again.

    Returns:
        `path`.

    Raises:
        MissingExtraError: jinja2 or matplotlib is not installed (the extra `evaluation`).
        RunFolderError: the file cannot be written.
    """
    path = Path(path)
    page = render(evaluation, command)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{path.name}.", dir=path.parent) as folder:
            new = Path(folder) / "new"
            new.write_text(page, encoding="utf-8")
            return new.replace(path)
    except OSError as e:
        raise RunFolderError(f"The report {str(path)!r} cannot be written: {e.strerror}.", remedy="Choose another path.") from e


def render(evaluation: Evaluation, command: str = "", *, at: datetime | None = None) -> str:
    """The report as HTML.

    Args:
        evaluation: what is told; parts without data are left out.
        command: the command line that made it; may be empty.
        at: the date that it bears; now without one.

    Raises:
        MissingExtraError: jinja2 or matplotlib is not installed (the extra `evaluation`).
    """
    try:
        from jinja2 import Environment, StrictUndefined
    except ImportError as e:
        raise MissingExtraError("jinja2", "evaluation") from e
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    css, js = _ours("report.css"), _ours("report.js")
    # the page may load nothing and run nothing but the two pieces that stand in it
    policy = f"default-src 'none'; style-src {_hash(css)}; script-src {_hash(js)}; base-uri 'none'; form-action 'none'"
    page = _page(evaluation, command, at or datetime.now().astimezone())
    return environment.from_string(_ours("report.html.j2")).render(page=page, css=css, js=js, policy=policy).lstrip()


def _page(evaluation: Evaluation, command: str, at: datetime) -> Page:
    summary = evaluation.summary
    tasks = tables.task_rows(summary)
    key = primary(summary)
    return Page(
        kind=one_line(summary.kind, 40),
        title=one_line(evaluation.name, 200) or "Evaluation",
        facts=tuple(_facts(evaluation, at)),
        notes=tuple(clean(n, 800) for n in evaluation.notes),
        command=clean(command, 2000),
        blocks=tables.blocks(summary),
        comparison=tables.comparison(summary),
        groups=tables.group_tables(summary),
        charts=tuple(plots.charts(summary)),
        tasks=tasks,
        tasks_left_out=len(summary.tasks) - len(tasks),
        came="first found" if summary.kind == "selection" else "planned",
        cases=tuple(worst_case(r, key) for r in summary.worst),
        problems=tuple(_problems(evaluation.problems)),
        errors=tuple((one_line(e, 300), n) for e, n in summary.errors.items()),
        usage=tables.usage_table(costs(evaluation)),
    )


def _facts(evaluation: Evaluation, at: datetime) -> list[tuple[str, str]]:
    latency = evaluation.summary.latency
    facts = [("Cases", f"{evaluation.n:,}"), ("Date", at.strftime("%Y-%m-%d %H:%M %Z").strip())]
    facts.append(("Wall time", duration(evaluation.seconds)))
    if latency is not None:
        facts.append(("A case, p50 / p95", f"{duration(latency.p50)} / {duration(latency.p95)}"))
    if evaluation.folder is not None:
        facts.append(("Records", one_line(evaluation.folder, 200)))
    return facts


def _problems(problems: Problems) -> list[Listed]:
    return [
        Listed(kind=one_line(kind, 200), count=n, places=tuple(one_line(p, 200) for p in problems.places[kind]))
        for kind, n in problems.counts.most_common(_KINDS)
    ]


def _ours(name: str) -> str:
    # newlines as the browser reads them, so that the hash holds whatever the checkout made of them
    return files(__package__ or "").joinpath(name).read_text(encoding="utf-8").replace("\r\n", "\n")


def _hash(source: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(source.encode()).digest()).decode()}'"
