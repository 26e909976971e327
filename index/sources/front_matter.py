"""READMEs: the YAML block at their head, and the text below it."""

from __future__ import annotations

import re
from typing import Any

from ..errors import CardError

NOT_YAML = "front matter is not YAML (the text is kept)"
"""The kind of problem that a `FrontMatterError` is."""

_OPENING = re.compile(r"\s*---[ \t]*\r?\n")
_CLOSING = re.compile(r"^---[ \t]*\r?$", re.M)
_KEY = re.compile(r"""(["']?)([A-Za-z_][\w-]*)\1[ \t]*:(?:\s|$)""")
_WANTED = frozenset({"model_id", "pipeline_tag", "library_name", "license", "language", "languages", "tags", "datasets", "base_model"})
_MOST = 64 * 1024  # characters of YAML that are parsed; model-index, which may be megabytes, is not among them
_DEEPEST = 20


class FrontMatterError(CardError):
    """A front matter that is not YAML."""


def split(readme: str) -> tuple[str, str]:
    """Front matter (without its lines of dashes; empty where there is none) and the text below it."""
    opening = _OPENING.match(readme)
    if opening is None:
        return "", readme
    closing = _CLOSING.search(readme, opening.end())
    return ("", readme) if closing is None else (readme[opening.end() : closing.start()], readme[closing.end() :])


def read(front: str) -> dict[str, Any]:
    """The facts of a front matter that a card needs: strings, and lists of them; empty for an empty one.

    Everything is read as text, so that Norwegian (`no`) is no `false`, and version 1.0 no number. `model-index`, widgets and whatever else
    no card needs are left out before YAML is parsed: broken ones do not matter.

    Raises:
        FrontMatterError: it is not YAML, too long, or refers to other parts of itself (by which a few lines can grow to gigabytes).
    """
    import yaml

    wanted = _wanted(front)
    if len(wanted) > _MOST:
        raise FrontMatterError("it is too long")
    loader = getattr(yaml, "CBaseLoader", yaml.BaseLoader)  # the C one wants libyaml; BaseLoader: safe, and every scalar is a string
    depth = 0
    try:
        for event in yaml.parse(wanted, Loader=loader):
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            if depth > _DEEPEST or isinstance(event, yaml.AliasEvent):  # libyaml's loader ends the process when it is nested too deep
                raise FrontMatterError("it is nested too deep, or holds aliases")
        found = yaml.load(wanted, Loader=loader)  # noqa: S506
    except (yaml.YAMLError, ValueError, RecursionError) as e:
        raise FrontMatterError(str(e)) from e
    if not isinstance(found, dict | None):
        raise FrontMatterError("it is no mapping")
    return found or {}


def _wanted(front: str) -> str:
    """The blocks of the keys that a card needs."""
    if front.lstrip().startswith("{"):
        return front  # JSON is YAML
    kept: list[str] = []
    keeping: bool | None = None
    for line in front.splitlines():
        if key := _KEY.match(line):
            keeping = key[2] in _WANTED
        elif keeping is None and line.strip() and not line.lstrip().startswith("#"):
            raise FrontMatterError(f"it begins with {line[:40]!r}")
        if keeping:
            kept.append(line)
    return "\n".join(kept)
