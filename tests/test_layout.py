"""The layout that CONTRIBUTING.md and pyproject.toml promise."""

from __future__ import annotations

import ast
import importlib
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent
LAYERS = ("index", "tools", "agent", "evaluation", "app")  # each may import those before it
NAMESPACE = "langchain_hugginggpt"
FILES = sorted(p for layer in LAYERS for p in (ROOT / layer).rglob("*.py"))
MAX_LINES, MAX_FUNCTION = 400, 60

with (ROOT / "pyproject.toml").open("rb") as opened:
    SETUP: dict[str, Any] = tomllib.load(opened)["tool"]["setuptools"]


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def module_of(path: Path, root: Path = ROOT) -> list[str]:
    """Dotted name of the package that a file lies in."""
    return [NAMESPACE, *path.relative_to(root).parent.parts]


def imported(path: Path, root: Path = ROOT) -> Iterator[tuple[str, int]]:
    """Every layer that a file imports from, with the line: absolute and relative imports, in functions and under TYPE_CHECKING too."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            package = module_of(path, root)
            base = package[: len(package) - node.level + 1] if node.level else []
            stem = ".".join([*base, *([node.module] if node.module else [])])
            names = [stem, *(f"{stem}.{alias.name}" for alias in node.names)]
        else:
            continue
        for name in names:
            parts = name.split(".")
            if parts[0] == NAMESPACE and len(parts) > 1 and parts[1] in LAYERS:
                yield parts[1], node.lineno


def test_the_reader_of_imports_sees_every_form(tmp_path: Path) -> None:
    file = tmp_path / "tools" / "runners" / "x.py"
    file.parent.mkdir(parents=True)
    file.write_text(
        "import os\nimport langchain_hugginggpt.app\nfrom langchain_hugginggpt import agent\nfrom ...index.card import ModelCard\n"
        "from ... import evaluation\nfrom .. import task\ndef f():\n    from ...agent.plan import Plan\n"
    )
    assert sorted(set(imported(file, tmp_path))) == [("agent", 3), ("agent", 8), ("app", 2), ("evaluation", 5), ("index", 4), ("tools", 6)]


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_imports_go_one_way(path: Path) -> None:
    here = path.relative_to(ROOT).parts[0]
    allowed = LAYERS[: LAYERS.index(here) + 1]
    assert [f"{name_of(path)}:{line} imports {layer}" for layer, line in imported(path) if layer not in allowed] == []


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_within_the_project_imports_are_relative(path: Path) -> None:
    lines = [
        n.lineno for n in ast.walk(tree(path)) if isinstance(n, ast.ImportFrom) and not n.level and (n.module or "").startswith(NAMESPACE)
    ]
    assert lines == []


def folders() -> list[str]:
    return sorted({".".join(module_of(p)) for p in FILES})


def test_every_folder_with_code_is_packaged() -> None:
    assert sorted(SETUP["packages"]) == folders()


def test_every_top_folder_is_typed_and_mapped() -> None:
    assert SETUP["package-dir"] == {f"{NAMESPACE}.{layer}": layer for layer in LAYERS}
    assert [layer for layer in LAYERS if not (ROOT / layer / "py.typed").is_file()] == []


def folder_of(package: str) -> Path:
    return ROOT.joinpath(*package.split(".")[1:])


DATA = [(package, pattern) for package, patterns in SETUP["package-data"].items() for pattern in patterns]


@pytest.mark.parametrize(("package", "pattern"), DATA)
def test_data_that_is_packaged_exists(package: str, pattern: str) -> None:
    assert list(folder_of(package).glob(pattern)) != []


def test_data_that_exists_is_packaged() -> None:
    packaged = {file for package, pattern in DATA for file in folder_of(package).glob(pattern)}
    there = {p for layer in LAYERS for p in (ROOT / layer).rglob("*") if p.is_file() and p.suffix not in (".py", ".pyc")}
    assert sorted(name_of(p) for p in there - packaged) == []


@pytest.mark.parametrize("package", [p for p in folders() if "__all__" in (folder_of(p) / "__init__.py").read_text(encoding="utf-8")])
def test_what_a_package_offers_is_sorted_and_there(package: str) -> None:
    module = importlib.import_module(package)
    names = list(module.__all__)
    assert names == sorted(names, key=lambda n: (not n.isupper(), n))  # constants first, as ruff sorts them
    assert len(set(names)) == len(names)
    assert [n for n in names if not hasattr(module, n)] == []


@pytest.mark.parametrize("path", [p for p in FILES if p.name == "__init__.py"], ids=name_of)
def test_an_init_holds_imports_and_names_only(path: Path) -> None:
    body = tree(path).body
    assert body == [] or ast.get_docstring(tree(path)), "an __init__ says in one line what its folder is for"
    allowed = (ast.Import, ast.ImportFrom, ast.Assign, ast.Expr, ast.If, ast.FunctionDef)
    assert [type(n).__name__ for n in body if not isinstance(n, allowed)] == []
    assert [
        n.name for n in body if isinstance(n, ast.FunctionDef) and not n.name.startswith("__")
    ] == []  # `__getattr__`: imports on first use


def test_no_file_is_too_long() -> None:
    lengths = {name_of(p): len(p.read_text(encoding="utf-8").splitlines()) for p in FILES}
    assert {n: k for n, k in lengths.items() if k > MAX_LINES} == {}


def test_no_function_is_too_long() -> None:
    found = {
        f"{name_of(path)}:{node.lineno} {node.name}": node.end_lineno - node.lineno + 1
        for path in FILES
        for node in ast.walk(tree(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno is not None
    }
    assert {n: k for n, k in found.items() if k > MAX_FUNCTION} == {}


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_nothing_runs_on_import(path: Path) -> None:
    calls = [
        node.lineno
        for node in tree(path).body
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call)
    ]  # fmt: skip
    assert calls == []
