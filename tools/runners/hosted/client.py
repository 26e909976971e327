"""huggingface_hub's client, whose replies end: in size, and when nobody waits for them any more.

By itself it reads whatever comes, to the end: a server that sends gigabytes fills the memory, and one that sends a byte a second keeps
a thread for ever, since its timeout counts anew with each byte.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack
from functools import cache
from typing import TYPE_CHECKING, Any

from ....index.errors import ExpertError
from ..workers import check_abandoned

if TYPE_CHECKING:
    from huggingface_hub import InferenceClient

MAX_REPLY = 256 * 2**20
"""Bytes, unpacked."""
_MAX_REFUSAL = 2**20  # of an error's own words; what comes after is not read


@cache
def client_type() -> type[InferenceClient]:
    """InferenceClient with bounded replies, to be closed after each call. For one too large its methods raise ExpertError, a clause."""
    from huggingface_hub import InferenceClient

    class Client(InferenceClient):
        def __init__(self, **settings: Any) -> None:
            super().__init__(**settings)
            self.exit_stack = _Responses()

        def _inner_post(self, request_parameters: Any, *, stream: bool = False) -> Any:
            """With `stream`, the response is put on the exit stack unread, in 1.x and 2.x."""
            lines = super()._inner_post(request_parameters, stream=True)
            return lines if stream or not isinstance(self.exit_stack, _Responses) else self.exit_stack.last.read()

    return Client


class _Responses(ExitStack):
    """Keeps responses open, and bounds them."""

    last: Any

    def enter_context(self, cm: AbstractContextManager[Any]) -> Any:
        """As in ExitStack."""
        self.last = _bounded(super().enter_context(cm))
        return self.last


def _bounded(response: Any) -> Any:
    """The same response; whatever reads it comes through here."""
    pieces = response.iter_bytes
    refused = response.status_code >= 400
    announced = response.headers.get("content-length", "")

    def iter_bytes(chunk_size: int | None = None) -> Iterator[bytes]:
        if not refused and announced.isdecimal() and len(announced) < 20 and int(announced) > MAX_REPLY:
            raise _too_large()
        read = 0
        for piece in pieces(chunk_size):
            check_abandoned()
            read += len(piece)
            if refused and read > _MAX_REFUSAL:
                return
            if read > MAX_REPLY:
                raise _too_large()
            yield piece

    response.iter_bytes = iter_bytes
    return response


def _too_large() -> ExpertError:
    return ExpertError(f"it has more than {MAX_REPLY // 2**20} MiB")
