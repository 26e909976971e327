"""Estimators of scikit-learn: what of a table they are given, and what is refused."""

from __future__ import annotations

import json
import pickle
import zipfile
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from langchain_hugginggpt.index.card import ModelCard
from langchain_hugginggpt.tools.errors import InputError, ModelRefusedError
from langchain_hugginggpt.tools.hub_tasks import HUB_TASKS
from langchain_hugginggpt.tools.runners.local import LocalRunner
from langchain_hugginggpt.tools.runners.local import devices as device_module
from langchain_hugginggpt.tools.runners.local.devices import choose_device, without_gradients
from langchain_hugginggpt.tools.runners.local.model_files import read_model_files
from langchain_hugginggpt.tools.runners.runner import RunnerOutput
from tests.local_models import tabular as tiny

io: Any = import_module("skops.io")
pd: Any = import_module("pandas")
linear: Any = import_module("sklearn.linear_model")
trees: Any = import_module("sklearn.tree")
preparing: Any = import_module("sklearn.preprocessing")

CLASSES, NUMBERS = "tabular-classification", "tabular-regression"


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """An empty folder for one model, m."""
    (tmp_path / "m").mkdir()
    return tmp_path / "m"


def run(place: Path, rows: list[dict[str, Any]], task: str = CLASSES) -> RunnerOutput:
    runner = LocalRunner(models=[place.parent], device="cpu")
    return runner.run(HUB_TASKS[task], ModelCard(id=place.name, task=task), {"table": rows})


def predicted(place: Path, rows: list[dict[str, Any]], task: str = CLASSES) -> list[Any]:
    found: list[Any] = run(place, rows, task).values["predictions"]
    return found


def test_columns_come_in_any_order_and_others_are_left_out_with_a_note(place: Path) -> None:
    tiny.classifier(place)
    output = run(place, [{"colour": "red", "width": 1, "length": 9}])
    assert output.values["predictions"] == ["long"]
    assert any("'colour'" in n for n in output.notes)


def test_a_missing_column_is_named_with_the_nearest_that_there_is(place: Path) -> None:
    tiny.classifier(place)
    with pytest.raises(InputError, match=r"'length' \(did you call it 'Lenght'\?\)"):
        run(place, [{"width": 1, "Lenght": 9}])


@pytest.mark.parametrize("missing", [None, "", "  ", "NaN", "n/a", float("nan")])
def test_a_missing_cell_is_told_where_the_model_takes_none(place: Path, missing: object) -> None:
    tiny.classifier(place)
    with pytest.raises(ModelRefusedError, match=r"no missing cells.*'width'.*row 2"):
        run(place, [{"length": 1, "width": 1}, {"length": 2, "width": missing}])


def test_missing_cells_go_to_models_that_take_them(place: Path) -> None:
    x, y = tiny.flowers()
    tiny.save(place, trees.DecisionTreeClassifier(random_state=0).fit(x, y))
    assert predicted(place, [{"length": 9, "width": None}]) == ["long"]


def test_a_text_where_a_number_belongs_is_named_by_row_and_column(place: Path) -> None:
    tiny.classifier(place)
    with pytest.raises(InputError, match=r"Row 2 of 'table' has 'tall' in the column 'length'"):
        run(place, [{"length": 1, "width": 1}, {"length": "tall", "width": 1}])


@pytest.mark.parametrize("cell", ["inf", 1e400, 10**400])
def test_numbers_without_end_are_told(place: Path, cell: object) -> None:
    tiny.classifier(place)
    with pytest.raises(InputError, match="infinite"):
        run(place, [{"length": cell, "width": 1}])


def test_more_rows_than_are_given_at_once_come_back_in_order(place: Path) -> None:
    tiny.classifier(place)
    rows = [{"length": 9 if i % 3 == 0 else 1, "width": 1} for i in range(20_001)]
    assert predicted(place, rows) == ["long" if i % 3 == 0 else "short" for i in range(20_001)]


def test_without_names_columns_are_taken_in_order_and_their_number_must_fit(place: Path) -> None:
    x, y = tiny.flowers()
    tiny.save(place, linear.LogisticRegression().fit(x.to_numpy(), y))
    output = run(place, [{"a": 9, "b": 1}])
    assert output.values["predictions"] == ["long"]
    assert any("order of the table" in n for n in output.notes)
    with pytest.raises(InputError, match=r"3 columns .* takes 2"):
        run(place, [{"a": 9, "b": 1, "c": 2}])


@pytest.mark.parametrize(("one", "other"), [(1, 0), (True, False), ("ja", "no")])
def test_classes_are_plain_values(place: Path, one: object, other: object) -> None:
    x, y = tiny.flowers()
    tiny.save(place, trees.DecisionTreeClassifier(random_state=0).fit(x, [one if name == "short" else other for name in y]))
    found = predicted(place, [tiny.FLOWERS[0]])
    assert found == [one]
    assert type(found[0]) is type(one)


def test_classes_that_are_whole_numbers_are_told_as_such(place: Path) -> None:
    x, y = tiny.flowers()
    tiny.save(place, trees.DecisionTreeClassifier(random_state=0).fit(x, np.where(y == "short", 3.0, 4.0)))
    assert [repr(c) for c in predicted(place, [tiny.FLOWERS[0]])] == ["3"]


@pytest.mark.parametrize(("task", "build"), [(NUMBERS, tiny.classifier), (CLASSES, tiny.prices)])
def test_an_estimator_for_the_other_task_is_refused(place: Path, task: str, build: Any) -> None:
    build(place)
    (place / "config.json").unlink(missing_ok=True)
    with pytest.raises(ModelRefusedError, match="something else"):
        run(place, [{"length": 1, "width": 1, "rooms": 1, "city": "Rome"}], task)


def test_a_model_declared_for_the_other_task_is_not_offered(place: Path) -> None:
    tiny.forest(place)
    runner = LocalRunner(models=[place.parent], device="cpu")
    assert runner.availability(HUB_TASKS[CLASSES], ModelCard(id="m", task=CLASSES)).ok
    assert not runner.availability(HUB_TASKS[NUMBERS], ModelCard(id="m", task=NUMBERS)).ok


def test_what_predicts_nothing_or_several_values_is_refused(place: Path) -> None:
    x, _ = tiny.flowers()
    tiny.save(place, preparing.StandardScaler().fit(x))
    with pytest.raises(ModelRefusedError, match="StandardScaler, which predicts nothing"):
        run(place, [tiny.FLOWERS[0]])
    tiny.save(place, linear.LinearRegression().fit(x, x))
    with pytest.raises(ModelRefusedError, match="2 values for each row"):
        run(place, [tiny.FLOWERS[0]], NUMBERS)


def shout(x: object) -> object:
    raise AssertionError("code of a model was run")


def test_types_that_skops_does_not_trust_are_refused_by_name(place: Path) -> None:
    tiny.save(place, preparing.FunctionTransformer(shout))
    with pytest.raises(ModelRefusedError, match="shout"):
        run(place, [tiny.FLOWERS[0]])


def broken_trees() -> list[tuple[str, Mapping[str, Any]]]:
    return [
        ("leads to no node", {"left_child": 99}),
        ("leads to no node", {"left_child": 0}),
        ("leads to no node", {"right_child": -5}),
        ("one branch", {"right_child": -1}),
        ("column that there is not", {"feature": 7}),
        ("column that there is not", {"feature": -3}),
    ]


@pytest.mark.parametrize(("why", "change"), broken_trees())
def test_a_tree_that_would_read_outside_of_itself_is_refused(place: Path, why: str, change: Mapping[str, Any]) -> None:
    x, y = tiny.flowers()
    model = trees.DecisionTreeClassifier(random_state=0).fit(x, y)
    state = model.tree_.__getstate__()
    state["nodes"] = state["nodes"].copy()
    for name, value in change.items():
        state["nodes"][name][0] = value
    model.tree_.__setstate__(state)
    tiny.save(place, model)
    with pytest.raises(ModelRefusedError, match=why):
        run(place, [tiny.FLOWERS[0]])


def test_a_pickle_and_a_damaged_file_are_refused(place: Path) -> None:
    x, y = tiny.flowers()
    (place / "model.pkl").write_bytes(pickle.dumps(linear.LogisticRegression().fit(x, y)))
    (place / "config.json").write_text('{"sklearn": {"model": {"file": "model.pkl"}}}')
    with pytest.raises(ModelRefusedError, match=r"only there as model\.pkl"):
        read_model_files(place, "m")
    (place / "model.skops").write_bytes(b"PK\x03\x04 no zip")
    (place / "config.json").unlink()
    with pytest.raises(ModelRefusedError, match="cannot be loaded"):
        run(place, [tiny.FLOWERS[0]])


def test_the_config_says_which_file_is_the_model(place: Path) -> None:
    tiny.prices(place)
    io.dump([1, 2], place / "a.skops")
    assert read_model_files(place, "m").weights == (place / "model.skops",)
    for outside in ("../m/model.skops", "absent.skops", 3, None):
        (place / "config.json").write_text(json.dumps({"sklearn": {"model": {"file": outside}}}))
        assert read_model_files(place, "m").weights == (place / "a.skops",)


def test_without_torch_the_processor_is_taken_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device_module, "_has_torch", lambda: False)
    assert choose_device().name == choose_device("cpu").name == "cpu"
    with without_gradients():
        pass


def test_a_file_is_counted_by_what_it_unpacks_to(place: Path) -> None:
    estimator = linear.LogisticRegression().fit([[0.0], [1.0]], [0, 1])
    estimator.padding_ = np.zeros(10**6)  # packs to a thousandth
    (place / "model.skops").write_bytes(io.dumps(estimator, compression=zipfile.ZIP_DEFLATED))
    files = read_model_files(place, "m")
    assert files.bytes_on_disk < 10**5
    assert files.bytes_in_memory() > 8 * 10**6
    runner = LocalRunner(models=[place.parent], max_memory=10**6, device="cpu")
    with pytest.raises(ModelRefusedError, match="weights take"):
        runner.run(HUB_TASKS[CLASSES], ModelCard(id="m", task=CLASSES), {"table": [{"a": 1}]})
