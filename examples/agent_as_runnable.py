"""The agent as a Runnable: invoke, stream and astream_events; a picture in, a recording out."""

from __future__ import annotations

import asyncio
import base64
from pathlib import Path

from langchain_core.messages import AIMessage, AIMessageChunk, HumanMessage

from langchain_hugginggpt.agent import HuggingGPT

INPUTS = Path(__file__).parent / "inputs"
OUT = Path("out")


def picture(name: str, text: str) -> HumanMessage:
    """A message with a picture, in LangChain's own form."""
    data = base64.b64encode((INPUTS / name).read_bytes()).decode()
    return HumanMessage(content=[{"type": "text", "text": text}, {"type": "image", "base64": data, "mime_type": "image/png"}])


def save_audio(message: AIMessage) -> Path:
    """Write the recording that a reply holds."""
    block = next(b for b in message.content_blocks if b["type"] == "audio")
    OUT.mkdir(exist_ok=True)
    path = OUT / "notice.wav"
    path.write_bytes(base64.b64decode(block["base64"]))
    return path


async def tools_of(agent: HuggingGPT, text: str) -> list[str]:
    """The tools that a request runs, as `astream_events` reports them."""
    return [e["name"] async for e in agent.astream_events(text, version="v2") if e["event"] == "on_tool_end"]


def main() -> None:
    """Three ways to call one agent."""
    agent = HuggingGPT()
    print("invoke:", agent.invoke("How similar are 'a cat' and 'a kitten'?").text)

    whole: AIMessageChunk | None = None
    for chunk in agent.stream(picture("notice.png", "Read the notice in this picture aloud")):
        print("stream:", chunk.text) if chunk.text else None
        whole = chunk if whole is None else whole + chunk
    assert whole is not None  # the reply has at least one chunk
    path = save_audio(whole)
    print(f"saved: {path} ({path.stat().st_size:,} bytes)")

    print("events:", ", ".join(asyncio.run(tools_of(agent, "Is this positive or negative: 'I loved every minute of it.'"))))


if __name__ == "__main__":
    main()
