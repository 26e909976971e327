"""How well: data sets, metrics, runs, reports."""

from .comparing import Change, Comparison, Difference, compare
from .datasets.planning_data import LaidOutPlan, PlanningCase, PlanningData
from .datasets.predictions import lay_out
from .datasets.taskbench import load_taskbench
from .errors import DatasetError, RefusedError, RunFolderError
from .evaluating import Evaluation, RunOptions
from .planning import Recorded, aevaluate_planning, evaluate_planning, planning_json
from .problems import Problems
from .record import Record
from .summary import Figure, Group, Latency, Summary

__all__ = [
    "Change",
    "Comparison",
    "DatasetError",
    "Difference",
    "Evaluation",
    "Figure",
    "Group",
    "LaidOutPlan",
    "Latency",
    "PlanningCase",
    "PlanningData",
    "Problems",
    "Record",
    "Recorded",
    "RefusedError",
    "RunFolderError",
    "RunOptions",
    "Summary",
    "aevaluate_planning",
    "compare",
    "evaluate_planning",
    "lay_out",
    "load_taskbench",
    "planning_json",
]
