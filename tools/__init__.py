"""What can be done, and by whom: Hub tasks as LangChain tools, media, runners."""

from .artifacts import Artifact, ArtifactStore
from .declared import DeclaredTool
from .experts import Candidate, Experts
from .hub_tasks import HUB_TASKS
from .result import Attempt, ToolResult
from .runners.local import LocalRunner, ModelPool
from .runners.runner import Availability, NewMedia, Runner, RunnerOutput
from .task import HubTask, Kind, Port, Role, TaskTable
from .tool import HubTaskTool
from .toolkit import HubToolkit

__all__ = [
    "HUB_TASKS",
    "Artifact",
    "ArtifactStore",
    "Attempt",
    "Availability",
    "Candidate",
    "DeclaredTool",
    "Experts",
    "HubTask",
    "HubTaskTool",
    "HubToolkit",
    "Kind",
    "LocalRunner",
    "ModelPool",
    "NewMedia",
    "Port",
    "Role",
    "Runner",
    "RunnerOutput",
    "TaskTable",
    "ToolResult",
]
