"""What each metric is called and how it is shown. A key is `block.metric`, e.g. `official.n_f1` or `filtered.r5`."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Unit(StrEnum):
    """How a figure is told."""

    PERCENT = "percent"  # kept as 0..1, told as 0..100
    FRACTION = "fraction"  # 0..1
    RATIO = "ratio"  # 1 is the best that there can be


@dataclass(frozen=True, kw_only=True)
class Metric:
    """One metric.

    Attributes:
        title: what the field calls it.
        unit: how it is told.
        higher_is_better: False for distances and ratios.
        meaning: one sentence for a reader of the report.
    """

    title: str
    unit: Unit = Unit.PERCENT
    higher_is_better: bool = True
    meaning: str = ""

    def told(self, value: float | None) -> float | None:
        """The value as it stands in JSON: percentages as 0..100, everything rounded to 4 decimals."""
        if value is None:
            return None
        return round(value * 100 if self.unit is Unit.PERCENT else value, 4)

    def shown(self, value: float | None) -> str:
        """The value for a table; `–` for none."""
        if value is None:
            return "–"
        return f"{value * 100:.1f}" if self.unit is Unit.PERCENT else f"{value:.3f}"


METRICS = {
    "n_f1": Metric(title="n-F1", meaning="Tasks that were planned against tasks that are labelled."),
    "e_f1": Metric(title="e-F1", meaning="Links between tasks against labelled links."),
    "t_f1": Metric(title="t-F1", meaning="Tasks with the kinds of their arguments."),
    "v_f1": Metric(title="v-F1", meaning="Tasks with the values of their arguments."),
    "accuracy": Metric(title="accuracy", meaning="Plans with exactly the labelled tasks in the labelled order."),
    "precision": Metric(title="precision", meaning="Planned tasks that are labelled."),
    "recall": Metric(title="recall", meaning="Labelled tasks that were planned."),
    "f1": Metric(title="F1", meaning="Both in one: harmonic mean of precision and recall."),
    "edit_distance": Metric(
        title="edit distance", unit=Unit.FRACTION, higher_is_better=False, meaning="Between the orders of the tasks; 0 is the same."
    ),
    "scored": Metric(title="scored", meaning="Cases that the official scorer does not drop."),
    "r1": Metric(title="R@1", meaning="The right model is the first."),
    "r5": Metric(title="R@5", meaning="The right model is among the first five."),
    "r10": Metric(title="R@10", meaning="The right model is among the first ten."),
    "mrr": Metric(title="MRR", meaning="Mean of 1 / rank of the right model."),
    "task1": Metric(title="task@1", meaning="The first model is for the right task."),
    "success": Metric(title="success", meaning="Every task ran and every check of the case holds."),
    "completed": Metric(title="completed", meaning="A plan was made and every task of it ran."),
    "faithfulness": Metric(title="faithfulness", meaning="Artifacts, numbers and quotes of the reply that occur in the trace."),
    "makespan": Metric(
        title="makespan", unit=Unit.RATIO, higher_is_better=False, meaning="Time of the run over its critical path; 1 is the best."
    ),
}


def metric(key: str) -> Metric:
    """The metric of a key, whatever block it stands in. Raises KeyError."""
    return METRICS[key.rpartition(".")[2]]
