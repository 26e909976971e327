"""Who decides: plan, planners, selection, execution, reply, trace."""

from .agent import HuggingGPT
from .checker import check
from .errors import ChatModelError, PlanError, RequestError, SettingsError, TaskTimeoutError, WeightsError
from .executor import Executor
from .plan import Plan, PlannedTask, Ref
from .planners.embedded import EmbeddedPlanner
from .planners.planner import Planner
from .request import Made, Request, Turn
from .response import EmbeddedResponder, Responder
from .selection import IndexSelector, Selector
from .settings import Settings
from .trace import Reply, TaskResult, Trace

__all__ = [
    "ChatModelError",
    "EmbeddedPlanner",
    "EmbeddedResponder",
    "Executor",
    "HuggingGPT",
    "IndexSelector",
    "Made",
    "Plan",
    "PlanError",
    "PlannedTask",
    "Planner",
    "Ref",
    "Reply",
    "Request",
    "RequestError",
    "Responder",
    "Selector",
    "Settings",
    "SettingsError",
    "TaskResult",
    "TaskTimeoutError",
    "Trace",
    "Turn",
    "WeightsError",
    "check",
]
