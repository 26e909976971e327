"""TaskBench's planning metrics (arXiv 2311.18760), with the arithmetic of its own scorer.

Source: microsoft/JARVIS, taskbench/evaluate.py, resource mode, overall. What it does, in words:

- names: `_` is read as a blank; compared as sets in each case, over the names of the tool list only, summed over cases (micro F1).
- links come from `<node-k>` in arguments, not from `task_links`; pairs of names, compared as sets.
- an argument has a kind: the output type of the node that it refers to, or what a file ending in it tells, else text. t-F1 compares
  `task-kind`, v-F1 `task-kind-value`, as sets; the value of a reference is the name of the node.
- an argument that cannot be read (a reference to a node that is not there, say) counts as the one before it: the scorer's variable
  still holds that. Where there is none before it in the case, the scorer takes one of another case, whichever came before in a
  set; here it is an argument that equals no other.
- a case is dropped when a node has no name, or when the *label* has a node without arguments.

The strict figures differ in four things: no case is dropped; a plan that cannot be read counts as an empty one; links are those that
label and plan give as `task_links`; and of a value only the first 100 characters are compared, since copies of the set are cut there.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

from ..datasets.planning_data import LaidOutPlan
from ..record import Score
from .counts import Counts, of_sets
from .sequences import distance

_ENDINGS = {
    "image": ("jpg", "png", "jpeg", "gif", "bmp", "tiff", "svg", "ico"),
    "audio": ("mp3", "wav", "wma", "ogg", "aac", "flac", "aiff", "au"),
    "video": ("mp4", "avi", "mov", "flv", "wmv", "mkv", "webm", "m4v", "mpg", "mpeg"),
}
_NO_ARGUMENT = ("?", "?")
_CUT = 100


@dataclass(frozen=True, kw_only=True)
class Parts:
    """What of a plan is compared.

    Attributes:
        names: of its tasks, in order.
        links: pairs of names.
        arguments: `task-kind` and value of each argument.
    """

    names: tuple[str, ...] = ()
    links: tuple[tuple[str, str], ...] = ()
    arguments: tuple[tuple[str, str], ...] = ()


def n_f1(label: Parts, plan: Parts, tools: Collection[str]) -> Counts:
    """Tasks: counts of the sets of names that are in the tool list; a name outside it counts neither for nor against.

    n-F1 = 2 tp / (2 tp + fp + fn) over all cases, in [0, 1]. A case with no such name on either side adds nothing.
    Source: `node_micro_f1_no_matching` of the official scorer.
    """
    return of_sets((n for n in label.names if n in tools), (n for n in plan.names if n in tools))


def e_f1(label: Parts, plan: Parts) -> Counts:
    """Links: counts of the sets of (source name, target name). F1 over all cases, in [0, 1]. A case without links adds nothing.

    Source: `link_binary_f1` of the official scorer.
    """
    return of_sets(label.links, plan.links)


def t_f1(label: Parts, plan: Parts) -> Counts:
    """Kinds of arguments: counts of the sets of `task-kind`. F1 over all cases, in [0, 1]. A case without arguments adds nothing.

    Source: `argument_task_argname_binary_f1_no_matching` of the official scorer.
    """
    return of_sets((kind for kind, _ in label.arguments), (kind for kind, _ in plan.arguments))


def v_f1(label: Parts, plan: Parts) -> Counts:
    """Values of arguments: counts of the sets of `task-kind-value`. F1 over all cases, in [0, 1]. A case without arguments adds nothing.

    Source: `argument_task_argname_value_binary_f1_no_matching` of the official scorer.
    """
    return of_sets(label.arguments, plan.arguments)


def edit_distance(label: Parts, plan: Parts, tools: Collection[str]) -> Score:
    """Order: 1 - Levenshtein.ratio of the two sequences of names = insertions and deletions over the sum of the lengths.

    In [0, 1], 0 for equal sequences, also for two empty ones; the mean over cases is told. Names outside the tool list are all
    alike. Source: `edit_distance` of the official scorer; `Levenshtein.ratio` of the package Levenshtein.
    """
    a, b = ([n if n in tools else None for n in p.names] for p in (label, plan))
    return distance(a, b, substitution=2) / (len(a) + len(b)) if a or b else 0.0, 1.0


def official_parts(label: LaidOutPlan, plan: LaidOutPlan, output_types: Mapping[str, str]) -> tuple[Parts, Parts] | None:
    """Label and plan as the official scorer sees them; None when it drops the case.

    Args:
        label: what is wanted.
        plan: what came out.
        output_types: by tool, the first of its output types; `none` for a tool that has none.
    """
    try:
        before: list[tuple[str, str]] = []
        names_of(label.task_nodes), names_of(plan.task_nodes)
        return (
            _parts(label.task_nodes, output_types, before, arguments=lambda n: n["arguments"]),
            _parts(plan.task_nodes, output_types, before, arguments=lambda n: n.get("arguments", [])),
        )
    except (TypeError, KeyError, AttributeError):
        return None


def strict_parts(plan: LaidOutPlan, output_types: Mapping[str, str]) -> Parts:
    """Label or plan with its links as given, and `parameters` read as `arguments`; what cannot be read is an empty plan."""
    try:
        parts = _parts(plan.task_nodes, output_types, [], arguments=_any_arguments)
    except (TypeError, KeyError, AttributeError):
        return Parts()
    cut = tuple((kind, value if len(value) <= _CUT else value[:_CUT]) for kind, value in parts.arguments)
    return replace(parts, links=given_links(plan.task_links), arguments=cut)


def _any_arguments(node: Any) -> Any:
    found = node.get("arguments", node.get("parameters")) or []
    return list(found.values()) if isinstance(found, dict) else found


def names_of(nodes: Any) -> tuple[str, ...]:
    """Names of the nodes. Raises TypeError, KeyError or AttributeError when a node has none."""
    return tuple(node["task"].replace("_", " ") for node in nodes)


def given_links(links: Any) -> tuple[tuple[str, str], ...]:
    """`task_links` as pairs of names; what is no link of two names is left out."""
    found = []
    for link in links if isinstance(links, list | tuple) else ():
        if not isinstance(link, dict):
            continue
        source, target = link.get("source", link.get("start_task")), link.get("target", link.get("end_task"))
        if isinstance(source, str) and isinstance(target, str):
            found.append((source.replace("_", " "), target.replace("_", " ")))
    return tuple(found)


def _parts(nodes: Any, output_types: Mapping[str, str], before: list[tuple[str, str]], *, arguments: Any) -> Parts:
    """As the official scorer reads a plan. `before` holds the last argument that could be read, if there was one."""
    names = names_of(nodes)
    links: list[tuple[str, str]] = []
    told: list[tuple[str, str, str]] = []
    for position, node in enumerate(nodes):
        for argument in arguments(node):
            try:
                text = _text(argument)
                number = _reference(text)
                if number == position:
                    continue  # a node that refers to itself
                if number is None:
                    before[:] = [(_kind(text), text)]
                else:
                    links.append((names[number], node["task"]))
                    before[:] = [(output_types.get(names[number], "other"), names[number])]
            except (ValueError, IndexError, TypeError, AttributeError):
                pass
            kind, value = before[0] if before else _NO_ARGUMENT
            told.append((names[position], kind, value))
    return Parts(
        names=names,
        links=tuple(links),
        arguments=tuple((f"{task}-{kind}", value) for task, kind, value in told),
    )


def _text(argument: Any) -> str:
    """An argument as text: a dict is its first value, a list its parts."""
    if isinstance(argument, dict):
        argument = next(iter(argument.values()), None)
    if isinstance(argument, list):
        argument = " ".join(argument)
    if not isinstance(argument, str):
        raise TypeError
    return argument


def _reference(text: str) -> int | None:
    """Number of the node that a text refers to, or None. Raises ValueError when what stands there is no number."""
    return int(text[text.index("<node-") + 6 : text.index(">")]) if "<node-" in text else None


def _kind(text: str) -> str:
    text = text.strip("'")
    for kind, endings in _ENDINGS.items():
        if any("." + ending in text for ending in endings):
            return kind
    return "text"
