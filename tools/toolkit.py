"""Every Hub task as a LangChain tool, those that can run here and now, and why the others cannot."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from langchain_core.tools import BaseTool, BaseToolkit
from pydantic import PrivateAttr

from ..index.minilm import MiniLM
from ..index.model_card_index import ModelCardIndex
from .artifacts import ArtifactStore
from .declared import DeclaredTool
from .experts import Experts
from .fetching import Fetcher
from .hub_tasks import HUB_TASKS
from .readiness import Order
from .runners.absent import AbsentRunner
from .runners.embedded import EmbeddedRunner
from .runners.local import LocalRunner
from .runners.retrying import RetryingRunner
from .runners.runner import Availability, Runner
from .task import HubTask, TaskTable
from .tool import HubTaskTool

_HOSTED = (
    "Let them: HubToolkit(runners=default_runners(hosted=HostedRunner())); or add a tool of your own: HubToolkit(tools=[DeclaredTool(…)])."
)


class HubToolkit(BaseToolkit):
    """Hub tasks as tools.

        from langchain_hugginggpt.tools import HubToolkit
        tools = HubToolkit().get_tools()                      # those that can run here and now

    Args:
        index: where candidates come from, or a function that opens it on first use. Default: the embedded catalogue.
        runners: tried in this order. Default: `default_runners()`.
        order: which candidates come first: as the index ranks them, or those that are the most ready.
        store: files in and out. Default: a temporary folder, besides which no path may be read; public addresses are fetched.
        tools: tools of your own that join the table of tasks.
        encoder: a MiniLM to share; used by the default index and the default runners.
    """

    _encoder: MiniLM = PrivateAttr()

    _experts: Experts = PrivateAttr()
    _store: ArtifactStore = PrivateAttr()
    _table: TaskTable = PrivateAttr()
    _tools: dict[str, BaseTool] = PrivateAttr(default_factory=dict)
    _declared: dict[str, DeclaredTool] = PrivateAttr(default_factory=dict)

    def __init__(
        self,
        *,
        index: ModelCardIndex | Callable[[], ModelCardIndex] | None = None,
        runners: Sequence[Runner] | None = None,
        order: Order = Order.RELEVANCE,
        store: ArtifactStore | None = None,
        tools: Iterable[DeclaredTool] = (),
        encoder: MiniLM | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        declared = {d.task.name: d for d in tools}
        self._encoder = shared = encoder or MiniLM()
        used = default_runners(shared) if runners is None else runners
        self._experts = Experts(index or (lambda: ModelCardIndex.embedded(shared)), used, order=order)
        self._store = store or ArtifactStore(fetcher=Fetcher())
        self._declared = declared
        self._table = TaskTable([*(t for t in HUB_TASKS.values() if t.name not in declared), *(d.task for d in declared.values())])

    @property
    def experts(self) -> Experts:
        """The index and the runners."""
        return self._experts

    @property
    def encoder(self) -> MiniLM:
        """The MiniLM that the default index and runners share."""
        return self._encoder

    @property
    def store(self) -> ArtifactStore:
        """Files in and out."""
        return self._store

    @property
    def tasks(self) -> TaskTable:
        """Every task that a planner may plan with: the Hub's, and your own in place of or beside them."""
        return self._table

    def get_tools(self) -> list[BaseTool]:
        """The tools that can run here and now, in the order of the table."""
        return [self.tool(name) for name in self.runnable()]

    def runnable(self) -> list[str]:
        """Names of the tasks that can run here and now. Fast; loads no model and opens no index."""
        return [n for n, t in self._table.items() if any(a.ok for a in self.availability(t).values())]

    def availability(self, task: HubTask) -> dict[str, Availability]:
        """By runner: whether it can run the task here and now, and if not, why, and what would help."""
        if task.name in self._declared:
            return {"own tool": Availability(supported=True, ok=True)}
        return self._experts.availability(task)

    def tool(self, name: str) -> BaseTool:
        """The tool of a task, whether or not it can run here; always the same object.

        Raises:
            UnknownNameError: no such task; suggests the nearest.
        """
        task = self._table.find(name)
        if name in self._declared:
            return self._declared[name].tool
        if name not in self._tools:
            self._tools[name] = HubTaskTool(task, experts=self._experts, store=self._store, encoder=self._encoder)
        return self._tools[name]


def default_runners(encoder: MiniLM | None = None, *, local: LocalRunner | None = None, hosted: Runner | None = None) -> list[Runner]:
    """The embedded runner, the local one, and the hosted one where it is given; else a word on how to give it.

    Args:
        encoder: shared with the embedded runner.
        local: default: models in the Hub's cache on this machine; nothing is downloaded.
        hosted: hosted models are sent what they work on: none is called unless a runner for them is given. It is called again where it
            fails for a while (`RetryingRunner`).
    """
    if hosted is None:
        absent = AbsentRunner("hosted", why="they would be sent what they work on, and were not asked for", remedy=_HOSTED)
        return [EmbeddedRunner(encoder), local or LocalRunner(), absent]
    return [EmbeddedRunner(encoder), local or LocalRunner(), RetryingRunner(hosted)]
