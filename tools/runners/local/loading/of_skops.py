"""Estimators of scikit-learn in skops form, which cannot run code. https://skops.readthedocs.io/en/stable/persistence.html"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ....errors import ModelRefusedError
from ..loaded import LoadedModel

if TYPE_CHECKING:
    from ..devices import Device
    from ..model_files import ModelFiles

_CHECKED_HERE = "sklearn.tree._tree.Tree"
"""skops does not trust trees since scikit-learn follows their node numbers without looking: here they are looked at first."""


@dataclass(frozen=True, kw_only=True)
class Skops:
    """Estimators that were saved by skops. Of types that skops does not trust none is loaded, but for trees, which are checked.

    Attributes:
        task: what config.json must say that the estimator is for, where it says it.
    """

    task: str
    packages: tuple[str, ...] = ("sklearn", "skops", "pandas")
    name: str = "skops"

    def fits(self, files: ModelFiles) -> bool:
        """Whether the folder holds an estimator that is not declared to be for another task."""
        described = files.config.get("sklearn", {})
        return files.layout == "skops" and described.get("task", self.task) == self.task

    def expected(self, files: ModelFiles, device: Device) -> int:
        """Bytes of its file, unpacked."""
        return files.bytes_in_memory()

    def load(self, files: ModelFiles, device: Device) -> LoadedModel:
        """Load it; see `Loader`."""
        from skops import io

        path = files.weights[0]
        try:
            foreign = [t for t in io.get_untrusted_types(file=path) if t != _CHECKED_HERE]
            if foreign:
                raise ModelRefusedError(
                    f"{files.id!r} holds objects of types that are not known to be safe: {', '.join(foreign[:3])}"
                    f"{', …' if len(foreign) > 3 else ''}.",
                    remedy="Choose another model, such as a linear one or a forest.",
                )
            estimator = io.load(path, trusted=[_CHECKED_HERE])
            broken = next((why for t, features in _trees(estimator, set(), 0) if (why := _fault(t, features))), None)
        except ModelRefusedError:
            raise
        except Exception as e:  # a damaged file, another version of scikit-learn: errors of many classes
            raise ModelRefusedError(
                f"{files.id!r} cannot be loaded: {type(e).__name__}: {' '.join(str(e).split())[:300]}.",
                remedy="Save it again with the versions of scikit-learn and skops that are installed here, or choose another model.",
            ) from e
        if broken:
            raise ModelRefusedError(f"{files.id!r} holds a damaged decision tree: {broken}.", remedy="Choose another model.")
        if not hasattr(estimator, "predict"):
            raise ModelRefusedError(
                f"{files.id!r} does something else: its file holds a {type(estimator).__name__}, which predicts nothing.",
                remedy="Choose a model that was trained for the task.",
            )
        return LoadedModel(files=files, model=estimator, bytes=files.bytes_in_memory(), device="cpu", dtype="float64")


def _trees(thing: Any, seen: set[int], depth: int) -> Iterator[tuple[Any, int]]:
    """Every decision tree in an estimator, with the number of columns that its estimator takes."""
    import numpy as np

    if id(thing) in seen or depth > 50:
        return
    seen.add(id(thing))
    parts: list[Any] = []
    if isinstance(thing, dict):
        parts = list(thing.values())
    elif isinstance(thing, list | tuple | set):
        parts = list(thing)
    elif isinstance(thing, np.ndarray):
        parts = list(thing.flat) if thing.dtype == object else []
    elif type(thing).__module__.startswith("sklearn."):
        tree = getattr(thing, "tree_", None)
        if type(tree).__module__ == "sklearn.tree._tree":
            yield tree, int(thing.n_features_in_)
        parts = list(getattr(thing, "__dict__", {}).values())
    for part in parts:
        yield from _trees(part, seen, depth + 1)


def _fault(tree: Any, features: int) -> str:
    """What would make scikit-learn read outside of the tree or the row, or go round in a circle; empty where nothing does.

    In trees that scikit-learn grows, the nodes below a node have higher numbers than it.
    """
    import numpy as np

    left, right, feature = np.asarray(tree.children_left), np.asarray(tree.children_right), np.asarray(tree.feature)
    count = len(left)
    inner = left != -1
    if count < 1 or count != tree.node_count or len(tree.value) != count:
        return "its nodes are not as many as it says"
    if (inner != (right != -1)).any():
        return "a node has one branch only"
    at = np.arange(count)[inner]
    for branch in (left[inner], right[inner]):
        if (branch <= at).any() or (branch >= count).any():
            return "a branch leads to no node below"
    if ((feature[inner] < 0) | (feature[inner] >= features)).any():
        return "a node looks at a column that there is not"
    return ""
