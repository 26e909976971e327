"""What can be done, and by whom: Hub tasks as LangChain tools, media, runners."""

from .artifacts import Artifact, ArtifactStore
from .consensus import Agreement
from .declared import DeclaredTool
from .experts import Candidate, Experts
from .fetching import Fetcher
from .hub_tasks import HUB_TASKS
from .readiness import Order
from .result import Attempt, ToolResult
from .runners.hosted import HostedRunner
from .runners.local import LocalRunner, ModelPool
from .runners.retrying import RetryingRunner
from .runners.runner import Availability, NewMedia, Runner, RunnerOutput
from .task import HubTask, Kind, Port, Role, TaskTable
from .tool import HubTaskTool
from .toolkit import HubToolkit, default_runners

__all__ = [
    "HUB_TASKS",
    "Agreement",
    "Artifact",
    "ArtifactStore",
    "Attempt",
    "Availability",
    "Candidate",
    "DeclaredTool",
    "Experts",
    "Fetcher",
    "HostedRunner",
    "HubTask",
    "HubTaskTool",
    "HubToolkit",
    "Kind",
    "LocalRunner",
    "ModelPool",
    "NewMedia",
    "Order",
    "Port",
    "RetryingRunner",
    "Role",
    "Runner",
    "RunnerOutput",
    "TaskTable",
    "ToolResult",
    "default_runners",
]
