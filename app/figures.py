"""How figures of an evaluation look in a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from ..evaluation.agent_runs import costs
from ..evaluation.comparing import Change, Comparison
from ..evaluation.evaluating import Evaluation
from ..evaluation.metrics.table import METRICS, Metric, metric
from ..evaluation.report.blocks import TOLD, block_of
from ..evaluation.summary import Figure, Group, Summary
from ..index.problems import Problems

_SCORED = "scored"
_TASKS = 25
_CHANGES = 20


def show_evaluation(console: Console, evaluation: Evaluation) -> None:
    """The figures overall, by group and by task, and what could not be used."""
    summary = evaluation.summary
    console.print(f"[bold]{escape(evaluation.name)}[/]: {evaluation.n} cases, {_duration(evaluation.seconds)}", soft_wrap=True)
    for columns, blocks in _alike(summary.overall).items():
        table = _table("", *(_title(c) for c in columns))
        for name in blocks:
            table.add_row(name, *(_with_interval(name, c, summary.overall) for c in columns))
        console.print(table, "")
    _show_gains(console, summary)
    _show_dropped(console, summary.overall)
    _show_groups(console, summary)
    _show_tasks(console, summary)
    _show_failures(console, summary)
    if summary.latency:
        console.print(f"\nTime a case: {_duration(summary.latency.p50)} (median), {_duration(summary.latency.p95)} (95 % are below)")
    for model, used in costs(evaluation).items():
        price = "" if used["cost"] is None else f", {used['cost']:.4f} USD"
        console.print(f"Tokens of {escape(model)}: {used.get('input_tokens', 0):,} in, {used.get('output_tokens', 0):,} out{price}")
    _show_counts(console, "Nothing came out", summary.errors)
    _show_problems(console, evaluation.problems)
    for note in evaluation.notes:
        console.print(f"[dim]{escape(note)}[/]", soft_wrap=True)


def show_comparison(console: Console, found: Comparison) -> None:
    """Differences, and the cases that changed."""
    console.print(f"A  {escape(found.names[0])}\nB  {escape(found.names[1])}", soft_wrap=True)
    alone = [f"{n} only in {name}" for n, name in zip(found.only, "AB", strict=True) if n]
    console.print(f"{found.n} cases in both{', ' + ', '.join(alone) if alone else ''}\n")
    if found.differing:
        console.print(
            f"[yellow]{found.differing} of them ask or want something else in B: the two runs were made on different data.[/]\n",
            soft_wrap=True,
        )
    table = _table("metric", "cases", "A", "B", "B - A", "95 % interval", "")
    for key in _ordered(found.metrics):
        m, d = metric(key), found.metrics[key]
        ends = f"{_signed(m, d.interval[0])} … {_signed(m, d.interval[1])}" if d.interval else "–"
        verdict = ""
        if d.clear and d.difference:
            verdict = "[green]better[/]" if (d.difference > 0) == m.higher_is_better else "[red]worse[/]"
        table.add_row(_named(key), str(d.n), m.shown(d.before), m.shown(d.after), _signed(m, d.difference), ends, verdict)
    console.print(table)
    console.print(f"\n{found.better} cases better, {found.worse} worse by {_named(found.primary)}")
    for change in found.changes[:_CHANGES]:
        console.print(_change(change), soft_wrap=True)
    if len(found.changes) > _CHANGES:
        console.print(f"[dim]… {found.better + found.worse - _CHANGES} more (--json has the first {len(found.changes)})[/]")


def _change(change: Change) -> str:
    def told(names: Iterable[str]) -> str:
        return escape(", ".join(names) or "nothing")

    text = " ".join(change.text.split())
    return (
        f"\n[bold]{escape(change.id)}[/]  {change.before:.2f} → {change.after:.2f}  [dim]{escape(text[:120])}[/]\n"
        f"  label {told(change.gold)}\n  A     {told(change.predicted_before)}\n  B     {told(change.predicted_after)}"
    )


def _alike(group: Group) -> Mapping[tuple[str, ...], list[str]]:
    """Blocks by the metrics they have, in the order of the table of metrics; those with the same ones share a table."""
    blocks: dict[str, list[str]] = {}
    for key in _ordered(group.figures):
        name, _, tail = key.rpartition(".")
        if tail != _SCORED:
            blocks.setdefault(name, []).append(tail)
    found: dict[tuple[str, ...], list[str]] = {}
    for name, tails in blocks.items():
        found.setdefault(tuple(t for t in METRICS if t in tails), []).append(name)
    return found


def _ordered(keys: Iterable[str]) -> list[str]:
    """Keys of the figures: blocks as in the report, then baselines. The first record, which may lack some, does not decide."""
    blocks = list(TOLD)
    return sorted(keys, key=lambda k: blocks.index(block_of(k)) if block_of(k) in blocks else len(blocks))


def _show_gains(console: Console, summary: Summary) -> None:
    """By how much it is better than the baselines, request by request."""
    for tails, names in _alike(Group(n=summary.overall.n, figures=summary.gains)).items():
        table = _table("better than", *(_title(t) for t in tails))
        for name in names:
            told = ((metric(t), summary.gains[f"{name}.{t}"]) for t in tails)
            table.add_row(name, *(_signed(m, f.value) + _between(m, f) for m, f in told))
        console.print("\nAbove the baselines, with the 95 % interval of the paired difference")
        console.print(table)


def _between(m: Metric, figure: Figure) -> str:
    return f" ({_signed(m, figure.interval[0])} … {_signed(m, figure.interval[1])})" if figure.interval else ""


def _show_dropped(console: Console, group: Group) -> None:
    scored = group.figures.get(f"official.{_SCORED}")
    if scored and scored.value is not None and (dropped := round((1 - scored.value) * scored.n)):
        console.print(f"The official scorer drops {dropped} of {scored.n} cases; the strict figures drop none.")


def _show_groups(console: Console, summary: Summary) -> None:
    keys = _ordered(summary.overall.figures)
    first = block_of(keys[0]) if keys else ""
    keys = [f"{first}.{t}" for t in METRICS if f"{first}.{t}" in keys and t != _SCORED]
    for name, groups in summary.groups.items():
        if len(groups) < 2 or name == "task":
            continue
        table = _table(name, "cases", *(_title(k.rpartition(".")[2]) for k in keys))
        for value, group in groups.items():
            table.add_row(escape(value), str(group.n), *(_shown(k, group.figures.get(k)) for k in keys))
        console.print(f"\nBy {name} ({first})")
        console.print(table)


def _show_tasks(console: Console, summary: Summary) -> None:
    if not summary.tasks:
        return
    f1 = metric("f1")
    table = _table("task", "labelled", "precision", "recall", "F1")
    for name, counts in list(summary.tasks.items())[:_TASKS]:
        told = (f1.shown(a / b if b else None) for a, b in (counts.precision, counts.recall, counts.f1))
        table.add_row(escape(name), str(counts.tp + counts.fn), *told)
    console.print("\nBy task")
    console.print(table)
    if len(summary.tasks) > _TASKS:
        console.print(f"[dim]… {len(summary.tasks) - _TASKS} more[/]")


def _show_failures(console: Console, summary: Summary) -> None:
    """What a team's own cases say is wrong."""
    failed = [r for r in summary.worst if r.detail.get("problems")]
    if not failed:
        return
    console.print("\nFailed cases")
    for record in failed[:_CHANGES]:
        console.print(f"[bold]{escape(record.id)}[/]", soft_wrap=True)
        for problem in record.detail["problems"]:
            console.print(f"  - {escape(problem)}", soft_wrap=True)
    if len(failed) > _CHANGES:
        console.print(f"[dim]… {len(failed) - _CHANGES} more in the report[/]")


def _show_counts(console: Console, title: str, counts: Mapping[str, int]) -> None:
    if counts:
        console.print(f"\n{title}")
        for what, n in list(counts.items())[:8]:
            console.print(f"  {n} × {escape(what)}", soft_wrap=True)
        if len(counts) > 8:
            console.print(f"  [dim]… and {len(counts) - 8} other reasons[/]")


def _show_problems(console: Console, problems: Problems) -> None:
    if not problems:
        return
    console.print("\nNoted in the data")
    for kind, n in problems.counts.most_common():
        places = "; ".join(problems.places[kind][:3])
        more = " …" if n > 3 else ""
        console.print(f"  {n} × {escape(kind)}  [dim]{escape(places)}{more}[/]", soft_wrap=True)


def _table(*columns: str) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for i, column in enumerate(columns):
        table.add_column(escape(column), justify="right" if i else "left", overflow="fold")
    return table


def _title(name: str) -> str:
    return metric(name).title


def _named(key: str) -> str:
    name, _, tail = key.rpartition(".")
    return f"{name} {_title(tail)}"


def _shown(key: str, figure: Figure | None) -> str:
    return metric(key).shown(figure.value if figure else None)


def _with_interval(name: str, column: str, group: Group) -> str:
    figure = group.figures[f"{name}.{column}"]
    m = metric(column)
    if figure.interval is None:
        return m.shown(figure.value)
    return f"{m.shown(figure.value)}\n[dim]{m.shown(figure.interval[0])}–{m.shown(figure.interval[1])}[/]"


def _duration(seconds: float) -> str:
    return f"{seconds:.2f} s" if seconds >= 1 else f"{seconds * 1000:.1f} ms"


def _signed(m: Metric, value: float | None) -> str:
    shown = m.shown(value)
    return f"+{shown}" if value is not None and value > 0 else shown
