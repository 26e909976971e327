"""What of the table, the demonstrations and the history goes into a prompt.

Where the context is small, things are given up in this order, the first named first: the tasks that are least plausible for the request
beyond the 16 most plausible; earlier files but the newest four; earlier turns but the newest; demonstrations but the most similar; tasks
beyond the six most plausible; that last demonstration; that last turn; those four files; the six tasks but one. The rules, the request and
its files are never given up or cut: where there is no room for them there is a BudgetError.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from ....index.errors import BudgetError
from ....tools.task import TaskTable
from .budget import FORM, MESSAGE, Budget
from .demonstrations import Demo
from .prompt import Shown, demo_text, made_text, plan_messages, schema, task_line, turn_text

if TYPE_CHECKING:
    from langchain_core.messages import BaseMessage

    from ...request import Request
    from .plausible import Plausibility

MAX_TURNS = 6
MAX_MADE = 20  # earlier files beyond those of the turns that are shown
_FEW_TASKS, _SOME_TASKS = 6, 16
_FEW_FILES = 4

What = Literal["task", "made", "turn", "demo"]


@dataclass(frozen=True, kw_only=True)
class _Item:
    """Something that may be shown: a task by name, an earlier file by id, a turn or a demonstration by position."""

    what: What
    key: str | int
    text: str


@dataclass(kw_only=True)
class Fitting:
    """What prompts about one request show.

    Attributes:
        request: what is to be planned.
        tasks: the whole table.
        demos: demonstrations, the most similar first.
        budget: the model's tokens.
        plausibility: asked only when the table does not fit.
    """

    request: Request
    tasks: TaskTable
    demos: Sequence[Demo]
    budget: Budget
    plausibility: Plausibility
    _known: dict[bool, Shown] = field(default_factory=dict)

    def shown(self, *, structured: bool, more: Sequence[BaseMessage] = ()) -> Shown:
        """As much as there is room for.

        Args:
            structured: whether a schema goes with the prompt; it takes room too.
            more: messages that follow the request.

        Raises:
            BudgetError: not even the request, its files and one task fit.
        """
        if structured not in self._known or more:
            self._known[structured] = self._fitted(structured, more)
        return self._known[structured]

    def _fitted(self, structured: bool, more: Sequence[BaseMessage]) -> Shown:
        whole = self._everything()
        room = self.budget.prompt
        if room is None or self.size(whole, structured=structured, more=more) <= room:
            return whole
        items = list(self._by_worth(structured))
        first = items[0]
        taken = [first]
        need = self.size(self._of(taken), structured=structured, more=more)
        if need > room:
            raise BudgetError(
                f"The request with its files takes about {need:,} tokens, and the chat model has room for {room:,}.",
                remedy="Attach long texts as files, set context_tokens (--context-tokens) if the model takes more, or use a larger model.",
            )
        for item in items[1:]:
            need += self.budget.count(item.text) + (self._named(item) if structured else 0)
            if need > room:
                break
            taken.append(item)
        while len(taken) > 1 and self.size(self._of(taken), structured=structured, more=more) > room:
            taken.pop()  # parts may count a little less than the whole
        return self._of(taken)

    def size(self, shown: Shown, *, structured: bool, more: Sequence[BaseMessage] = ()) -> int:
        """Tokens of a whole prompt, its schema included."""
        messages = [*plan_messages(self.request, shown, structured=structured), *more]
        form = self.budget.count(json.dumps(schema(shown.tasks))) + FORM if structured else 0
        return form + sum(self.budget.count(m.text) + MESSAGE for m in messages)

    def _named(self, item: _Item) -> int:
        """What a task's name takes in the schema."""
        return self.budget.count(f'"{item.key}", ') if item.what == "task" else 0

    def _everything(self) -> Shown:
        turns = range(len(self.request.history))[-MAX_TURNS:]
        old = [m.artifact.id for t in self.request.history[: turns.start] for m in t.made][-MAX_MADE:]
        made = frozenset([*old, *(m.artifact.id for i in turns for m in self.request.history[i].made)])
        return Shown(tasks=self.tasks, demos=tuple(self.demos), turns=tuple(turns), made=made)

    def _of(self, taken: Sequence[_Item]) -> Shown:
        def keys(what: What) -> list[str | int]:
            return [i.key for i in taken if i.what == what]

        names = set(keys("task"))
        return Shown(
            tasks=TaskTable(t for n, t in self.tasks.items() if n in names),
            demos=tuple(d for i, d in enumerate(self.demos) if i in keys("demo") and all(t["task"] in names for t in d.plan)),
            turns=tuple(sorted(int(k) for k in keys("turn"))),
            made=frozenset(str(k) for k in keys("made")),
        )

    def _by_worth(self, structured: bool) -> Iterator[_Item]:
        """Everything, what is given up last first. The first is a task."""
        likely = self.plausibility.plausible(self.request, self.tasks)
        names = sorted(self.tasks, key=lambda n: -likely.get(n, 0.0))
        tasks = [_Item(what="task", key=n, text=f"{task_line(self.tasks[n])}\n") for n in names]
        whole = self._everything()
        turns = [_Item(what="turn", key=i, text=f"{turn_text(self.request.history[i], frozenset())}\n") for i in reversed(whole.turns)]
        made = {m.artifact.id: m for t in self.request.history for m in t.made if m.artifact.id in whole.made}
        files = [_Item(what="made", key=i, text=f"{made_text(m)}\n") for i, m in reversed(made.items())]
        demos = [_Item(what="demo", key=i, text=f"{demo_text(d, structured=structured)}\n\n") for i, d in enumerate(self.demos)]
        yield from tasks[:_FEW_TASKS]
        yield from files[:_FEW_FILES]
        yield from turns[:1]
        yield from demos[:1]
        yield from tasks[_FEW_TASKS:_SOME_TASKS]
        yield from demos[1:]
        yield from turns[1:]
        yield from files[_FEW_FILES:]
        yield from tasks[_SOME_TASKS:]
