"""How well: data sets, metrics, runs, reports."""

from ..index.problems import Problems
from .agent_runs import AgentEvaluation, aevaluate_agent, agent_json, ascore_traces, evaluate_agent, load_prices, score_traces
from .comparing import Change, Comparison, Difference, compare
from .datasets.agent_case import AgentCase
from .datasets.apibench import load_selection
from .datasets.cases import load_cases, planning_data
from .datasets.planning_data import LaidOutPlan, PlanningCase, PlanningData
from .datasets.predictions import lay_out
from .datasets.selection_data import SelectionCase, SelectionData
from .datasets.taskbench import load_taskbench
from .errors import DatasetError, RefusedError, RunFolderError
from .evaluating import Evaluation, RunOptions
from .planning import Recorded, aevaluate_planning, evaluate_planning, planning_json
from .record import Record
from .report.report import render, write_report
from .selection import aevaluate_selection, evaluate_selection, selection_json
from .summary import Figure, Group, Latency, Summary

__all__ = [
    "AgentCase",
    "AgentEvaluation",
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
    "SelectionCase",
    "SelectionData",
    "Summary",
    "aevaluate_agent",
    "aevaluate_planning",
    "aevaluate_selection",
    "agent_json",
    "ascore_traces",
    "compare",
    "evaluate_agent",
    "evaluate_planning",
    "evaluate_selection",
    "lay_out",
    "load_cases",
    "load_prices",
    "load_selection",
    "load_taskbench",
    "planning_data",
    "planning_json",
    "render",
    "score_traces",
    "selection_json",
    "write_report",
]
