"""The rows of this folder's tasks."""

from __future__ import annotations

from ..loading.of_skops import Skops
from ..loading.of_transformers import Transformers
from ..row import LocalRow

ROWS: tuple[LocalRow, ...] = (
    LocalRow(
        task="tabular-classification",
        function="tabular.predicting:tabular_classification",
        loaders=(Skops(task="tabular-classification"),),
        extra="tabular",
        libraries=("sklearn", "scikit-learn", "skops"),
    ),
    LocalRow(
        task="tabular-regression",
        function="tabular.predicting:tabular_regression",
        loaders=(Skops(task="tabular-regression"),),
        extra="tabular",
        libraries=("sklearn", "scikit-learn", "skops"),
    ),
    LocalRow(
        task="time-series-forecasting",
        function="tabular.forecasting:time_series_forecasting",
        loaders=(
            Transformers(
                autos=("AutoModelForTimeSeriesPrediction",),
                classes=("PatchTSTForPrediction", "PatchTSMixerForPrediction"),
                parts=(),
                architectures=("TimesFm*ForPrediction",),
            ),
        ),
    ),
)
