"""Hub tasks as tools of any LangChain agent: what one tool made goes by its artifact id into the next.

With HUGGINGGPT_LLM (a name that `init_chat_model` knows) or OPENAI_API_KEY a real chat model decides; without, a scripted one.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from typing import Any

from langchain.agents import create_agent
from langchain.chat_models import init_chat_model
from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel, LanguageModelInput
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolCall, ToolMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.runnables import Runnable

from langchain_hugginggpt.tools import ArtifactStore, HubToolkit

REQUEST = "Say 'The tram leaves at seven. Please be on time.' aloud, then check when there is speech in that recording."


class ScriptedChat(BaseChatModel):
    """Stands in for a chat model: speaks, looks for speech in what was spoken, and says what came back."""

    @property
    def _llm_type(self) -> str:
        return "scripted"

    def bind_tools(self, tools: Sequence[Any], **kwargs: Any) -> Runnable[LanguageModelInput, AIMessage]:
        """The script knows its tools."""
        return self.bind()

    def _generate(
        self, messages: list[BaseMessage], stop: list[str] | None = None, run_manager: CallbackManagerForLLMRun | None = None, **kwargs: Any
    ) -> ChatResult:
        return ChatResult(generations=[ChatGeneration(message=self._next(messages[-1]))])

    def _next(self, last: BaseMessage) -> AIMessage:
        if not isinstance(last, ToolMessage):
            text = re.findall(r"'(.+)'", last.text)[0]
            return AIMessage("", tool_calls=[ToolCall(name="text-to-speech", args={"text": text}, id="1")])
        made = re.search(r"artifact-[0-9a-f]{16}", last.text)
        if last.name == "text-to-speech" and made:
            return AIMessage("", tool_calls=[ToolCall(name="voice-activity-detection", args={"audio": made.group()}, id="2")])
        return AIMessage(f"In the recording I made, there is speech here: {last.text}")


def chat_model() -> BaseChatModel:
    """The model that the environment names, else the scripted one."""
    name = os.environ.get("HUGGINGGPT_LLM") or ("openai:gpt-5-mini" if os.environ.get("OPENAI_API_KEY") else None)
    return init_chat_model(name) if name else ScriptedChat()


def main() -> None:
    """One request."""
    toolkit = HubToolkit(store=ArtifactStore("out"))
    agent = create_agent(chat_model(), toolkit.get_tools())
    state = agent.invoke({"messages": [HumanMessage(REQUEST)]})
    for message in state["messages"]:
        message.pretty_print()


if __name__ == "__main__":
    main()
