"""LangChain messages to a request, and a reply to a message: content blocks both ways."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ..tools.artifacts import Artifact, ArtifactStore
from ..tools.task import Kind, TaskTable
from ..tools.views import text_view
from .errors import RequestError
from .links import Link, links
from .request import MAX_CHARACTERS, Made, Request, Turn
from .trace import Reply, TaskResult

if TYPE_CHECKING:
    from langchain_core.messages import AIMessage, AnyMessage, HumanMessage

TRACE_KEY = "hugginggpt"
"""Where a reply's `response_metadata` holds the trace of its run."""

_INLINE = 20 * 2**20


def human_message(text: str, files: Sequence[Artifact] = ()) -> HumanMessage:
    """A message with files as content blocks that name artifacts of the store (`file_id`)."""
    from langchain_core.messages import HumanMessage

    blocks: list[Any] = [{"type": "text", "text": text}]
    blocks += [{"type": _block_type(f), "file_id": f.id, "mime_type": f.media_type, "extras": {"filename": f.name}} for f in files]
    return HumanMessage(content=blocks if files else text)


def request_text(messages: Sequence[AnyMessage]) -> str:
    """The words of the last human messages.

    Raises:
        RequestError: there is no human message at the end, it says nothing, or it is longer than a million characters.
    """
    text = "\n".join(m.text for m in messages[_start(messages) :] if m.text.strip()).strip()
    if not text:
        raise RequestError("The request is empty.", remedy="Say what you need.")
    if len(text) > MAX_CHARACTERS:
        raise RequestError(
            f"The request has {len(text):,} characters; at most {MAX_CHARACTERS:,} are taken.", remedy="Attach a long text as a file."
        )
    return text


def _start(messages: Sequence[AnyMessage]) -> int:
    start = len(messages)
    while start > 0 and messages[start - 1].type == "human":
        start -= 1
    if start == len(messages):
        raise RequestError("There is no request: the last message is not a human one.", remedy="Send a HumanMessage.")
    return start


def request_of(messages: Sequence[AnyMessage], store: ArtifactStore, tasks: TaskTable, *, links: Sequence[Link] = ()) -> Request:
    """The request that the last human messages make, with everything before them as history.

    Args:
        messages: the conversation.
        store: where files are.
        tasks: the table, by which outputs of earlier turns are read.
        links: what lies at the addresses that the words name (`read_links`); it belongs to the request's files.

    Raises:
        RequestError: as from `request_text`.
        MediaError: a content block cannot be read.
    """
    text, start = request_text(messages), _start(messages)
    linked = [link.file for link in links if link.file is not None]
    for file in linked:
        store.known(file)  # a resumed run has it from the state alone
    files = tuple({f.id: f for f in (*(f for m in messages[start:] for f in _files(m, store)), *linked)}.values())
    return Request(text=text, files=files, history=tuple(_turn(m, store, tasks) for m in messages[:start] if m.type in ("human", "ai")))


def reply_message(reply: Reply) -> AIMessage:
    """The reply with its files as content blocks, and the trace in `response_metadata["hugginggpt"]`."""
    from langchain_core.messages import AIMessage

    metadata = {TRACE_KEY: reply.trace.as_json()}
    blocks = [b for b in map(reply_block, reply.artifacts) if b is not None]
    if not blocks:
        return AIMessage(content=reply.text, response_metadata=metadata)
    return AIMessage(content=[{"type": "text", "text": reply.text}, *blocks], response_metadata=metadata)


def reply_block(artifact: Artifact) -> dict[str, Any] | None:
    """A file as a content block: inline as base64 up to 20 MiB, by artifact id above."""
    block: dict[str, Any] = {
        "type": _block_type(artifact),
        "mime_type": artifact.media_type,
        "extras": {"artifact_id": artifact.id, "filename": artifact.name},
    }
    if artifact.size > _INLINE:
        return {**block, "file_id": artifact.id}
    return {**block, "base64": base64.b64encode(artifact.read_bytes()).decode()}


def _block_type(artifact: Artifact) -> str:
    return str(artifact.kind) if artifact.kind in (Kind.IMAGE, Kind.AUDIO, Kind.VIDEO) else "file"


def _files(message: AnyMessage, store: ArtifactStore) -> list[Artifact]:
    blocks: Sequence[Any] = message.content_blocks
    return [store.resolve(dict(b)) for b in blocks if b["type"] in ("image", "audio", "video", "file", "text-plain")]


def _turn(message: AnyMessage, store: ArtifactStore, tasks: TaskTable) -> Turn:
    if message.type == "human":
        return Turn(role="user", text=message.text, made=tuple(Made(artifact=f) for f in _files(message, store)))
    trace = message.response_metadata.get(TRACE_KEY)
    if not isinstance(trace, dict):
        text = message.text.strip()
        said = (Made(artifact=store.put(text.encode(), name="reply.txt", media_type="text/plain")),) if text else ()
        return Turn(role="assistant", text=text, made=said)
    results = [TaskResult.from_json(r) for r in trace.get("results", [])]
    given = [Artifact.from_json(a) for a in trace.get("request", {}).get("artifacts", [])]
    linked = [Made(artifact=a) for a in given if links(a.name) == (a.name,)]  # other files are in the message before
    for made in linked:
        store.known(made.artifact)
    return Turn(role="assistant", text=message.text, made=(*linked, *(m for r in results for m in _made(r, store, tasks))))


def _made(result: TaskResult, store: ArtifactStore, tasks: TaskTable) -> list[Made]:
    """The main output of a finished task: its files, or its text as a text file."""
    task = tasks.get(result.task)
    if result.status != "ok" or task is None:
        return []
    if task.output.kind.is_media:
        return [Made(artifact=store.known(a), task=result.task) for a in result.artifacts]
    text = text_view(task.output.kind, result.output.get(task.output.name, ""))
    if not text.strip():
        return []
    return [Made(artifact=store.put(text.encode(), name=f"{task.output.name}.txt", media_type="text/plain"), task=result.task)]
