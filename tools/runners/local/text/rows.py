"""The rows of this folder's tasks."""

from __future__ import annotations

from ..loading.of_transformers import Transformers
from ..row import LocalRow

ROWS: tuple[LocalRow, ...] = (
    LocalRow(
        task="text-classification",
        function="text.classification:text_classification",
        loaders=(
            Transformers(
                autos=("AutoModelForSequenceClassification",),
                parts=("tokenizer",),
                architectures=("*ForSequenceClassification",),
                half=True,
            ),
        ),
    ),
)
