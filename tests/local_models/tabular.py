"""Tiny models of the tasks in tools/runners/local/tabular."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import torch

from tests.local_models.case import Case
from tests.local_models.samples import Samples

T: Any = import_module("transformers")  # these have no types, or not of all
pd: Any = import_module("pandas")
io: Any = import_module("skops.io")
compose: Any = import_module("sklearn.compose")
ensemble: Any = import_module("sklearn.ensemble")
linear: Any = import_module("sklearn.linear_model")
pipelines: Any = import_module("sklearn.pipeline")
preparing: Any = import_module("sklearn.preprocessing")

FLOWERS = [{"length": 1.0 + i, "width": 0.5 + i % 3, "kind": "long" if i > 4 else "short"} for i in range(10)]
ROOMS = [{"rooms": 3, "city": "Paris"}, {"rooms": "4", "city": "Rome"}]


def save(folder: Path, estimator: Any, *, config: Mapping[str, Any] | None = None) -> None:
    """Write an estimator as it lies on the Hub: a file, and a config.json that names it, if there is one."""
    io.dump(estimator, folder / "model.skops")
    if config is not None:
        (folder / "config.json").write_text(json.dumps({"sklearn": {"model": {"file": "model.skops"}, **config}}))


def flowers() -> tuple[Any, Any]:
    """Long and short flowers, which can be told apart by their length."""
    table = pd.DataFrame(FLOWERS)
    return table[["length", "width"]], table["kind"]


def classifier(folder: Path) -> None:
    save(folder, pipelines.make_pipeline(preparing.StandardScaler(), linear.LogisticRegression()).fit(*flowers()))


def forest(folder: Path) -> None:
    x, y = flowers()
    save(
        folder,
        ensemble.RandomForestClassifier(n_estimators=5, random_state=0).fit(x.to_numpy(), y),
        config={"columns": ["length", "width"], "task": "tabular-classification"},
    )


def prices(folder: Path) -> None:
    """A price of 100 for each room, and 50 more in Paris."""
    rows: list[dict[str, Any]] = [{"rooms": r, "city": c} for r in range(1, 6) for c in ("Paris", "Rome")]
    y = [100.0 * r["rooms"] + (50.0 if r["city"] == "Paris" else 0.0) for r in rows]
    encoded = compose.make_column_transformer((preparing.OneHotEncoder(handle_unknown="ignore"), ["city"]), ("passthrough", ["rooms"]))
    fitted = pipelines.make_pipeline(encoded, linear.LinearRegression()).fit(pd.DataFrame(rows), y)
    save(folder, fitted, config={"task": "tabular-regression"})


def kinds(values: Mapping[str, Any], samples: Samples) -> None:
    assert values["predictions"] == ["short", "long"]


def two_prices(values: Mapping[str, Any], samples: Samples) -> None:
    assert np.allclose(values["predictions"], [350.0, 400.0])


PATCHES: dict[str, Any] = {
    "context_length": 32, "patch_length": 8, "patch_stride": 8, "prediction_length": 8, "d_model": 16, "num_hidden_layers": 1,
    "num_attention_heads": 2, "ffn_dim": 16,
}  # fmt: skip


def patch_tst(folder: Path) -> None:
    """A model that knows nothing: its head is 0, so that it forecasts the mean of the past."""
    model = T.PatchTSTForPrediction(T.PatchTSTConfig(num_input_channels=1, loss="mse", **PATCHES))
    head: Any = model.head.projection
    torch.nn.init.zeros_(head.weight)
    torch.nn.init.zeros_(head.bias)
    model.save_pretrained(folder)


def patch_tst_spread(folder: Path) -> None:
    T.PatchTSTForPrediction(T.PatchTSTConfig(num_input_channels=2, loss="nll", **PATCHES)).save_pretrained(folder)


def patch_mixer(folder: Path) -> None:
    options = {k: v for k, v in PATCHES.items() if k not in ("num_hidden_layers", "num_attention_heads", "ffn_dim")}
    T.PatchTSMixerForPrediction(T.PatchTSMixerConfig(num_input_channels=1, num_layers=1, **options)).save_pretrained(folder)


TIMES: dict[str, Any] = {
    "patch_length": 8, "context_length": 32, "horizon_length": 8, "num_hidden_layers": 1, "hidden_size": 32, "intermediate_size": 32,
    "head_dim": 16, "num_attention_heads": 2,
}  # fmt: skip


def times_fm(folder: Path) -> None:
    T.TimesFmModelForPrediction(T.TimesFmConfig(**TIMES)).save_pretrained(folder)


def times_fm_2_5(folder: Path) -> None:
    config = T.TimesFm2_5Config(**TIMES, num_key_value_heads=2, output_quantile_len=16, max_position_embeddings=64)
    T.TimesFm2_5ModelForPrediction(config).save_pretrained(folder)


def past(rows: int, *, date: bool = True) -> list[dict[str, Any]]:
    """Two columns: a wave about 1,000, and 5 all the time."""
    days = pd.date_range("2024-01-01", periods=rows).strftime("%Y-%m-%d")
    return [{**({"date": days[i]} if date else {}), "sales": 1000.0 + 10 * np.sin(i), "staff": 5.0} for i in range(rows)]


def of_length(count: int) -> Callable[[Mapping[str, Any], Samples], None]:
    """Checks a forecast of so many steps for both columns, of the size that the past has."""

    def check(values: Mapping[str, Any], samples: Samples) -> None:
        rows = values["forecast"]
        assert len(rows) == count
        assert all(set(r) == {"sales", "staff"} for r in rows)
        assert all(800 < r["sales"] < 1200 for r in rows)
        assert all(-5 < r["staff"] < 15 for r in rows)

    return check


def the_mean(values: Mapping[str, Any], samples: Samples) -> None:
    of_length(12)(values, samples)
    mean = np.mean([r["sales"] for r in past(40)][-32:])
    assert all(abs(r["sales"] - mean) < 0.01 and abs(r["staff"] - 5) < 0.01 for r in values["forecast"][:8])


_FORECAST = "time-series-forecasting"
CASES = (
    Case(task="tabular-classification", kind="pipeline", build=classifier, check=kinds,
         inputs=lambda s: {"table": [{"width": 1, "length": 2}, {"width": "1", "length": "9"}]}),
    Case(task="tabular-classification", kind="forest", build=forest, check=kinds,
         inputs=lambda s: {"table": "colour,width,length\nred,1,2\nblue,1,9\n"}),
    Case(task="tabular-regression", kind="columns", build=prices, check=two_prices, inputs=lambda s: {"table": ROOMS}),
    Case(task=_FORECAST, kind="patch-tst", build=patch_tst, check=the_mean, inputs=lambda s: {"table": past(40), "horizon": 12}),
    Case(task=_FORECAST, kind="patch-tst-spread", build=patch_tst_spread, check=of_length(8), inputs=lambda s: {"table": past(20)}),
    Case(task=_FORECAST, kind="patch-mixer", build=patch_mixer, check=of_length(8), inputs=lambda s: {"table": past(20)}),
    Case(task=_FORECAST, kind="times-fm", build=times_fm, check=of_length(20), live="google/timesfm-2.0-500m-pytorch",
         inputs=lambda s: {"table": past(20), "horizon": 20}),
    Case(task=_FORECAST, kind="times-fm-2-5", build=times_fm_2_5, check=of_length(8), inputs=lambda s: {"table": past(50)}),
)  # fmt: skip
