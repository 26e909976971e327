"""What went wrong with a call, said so that somebody can act on it. For huggingface_hub 1.x and 2.x, whose errors have other roots."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import Enum
from typing import Any

from ....index.errors import ExpertError

_WORDS = 300
_BUSY = {408: "took too long", 429: "gets too many calls", 500: "broke down", 502: "could not be reached behind its gateway",
         503: "is not ready, or busy", 504: "did not answer its gateway in time"}  # fmt: skip
_LOG_IN = "Give a valid token that may call inference providers: set HF_TOKEN or run `hf auth login`."
_RESET = re.compile(r"(?:^|;)\s*t=(\d{1,6})")


class Cause(Enum):
    """Whose fault it is."""

    ACCOUNT = "account"  # the token was refused, or the account has no credits left: nothing else works there either
    MODEL = "model"  # it is not served there, or it is not for this token: other models may work
    UNREACHABLE = "unreachable"  # nobody answers at that address
    CALL = "call"  # this call alone, as far as is known


class SentElsewhere(Exception):  # noqa: N818  # says what happened
    """A server sends callers to another origin, given as `scheme://host:port`; nothing was sent there."""


@dataclass(frozen=True, kw_only=True)
class Failure:
    """A call that failed.

    Attributes:
        error: what is raised.
        cause: whose fault it is.
        why: the same as a clause that reads after "because".
        unfit: the server does not know this way to ask, or refuses the request as it is; another way may do.
    """

    error: ExpertError
    cause: Cause
    why: str
    unfit: bool = False


def failure(error: BaseException, *, what: str, secret: str | None) -> Failure:
    """What an exception of the client means.

    Args:
        error: any exception that a method of InferenceClient raised.
        what: model and place, as the subject of a sentence.
        secret: the token, which is shown to nobody.
    """
    if isinstance(error, SentElsewhere):
        where = _plain(str(error), secret)[:100]
        return _made(what, f"it sends callers elsewhere (to {where})", cause=Cause.MODEL, remedy="Name the address where it really is.")
    response = _response(error)
    if response is not None:
        return _of_status(response, error, what, secret)
    names = {c.__name__ for c in type(error).__mro__}
    words = _plain(str(error), secret)
    if "OfflineModeIsEnabled" in names:
        return _made(what, "HF_HUB_OFFLINE is set", remedy="Unset HF_HUB_OFFLINE to call hosted models.")
    if names & {"TimeoutException", "TimeoutError", "InferenceTimeoutError"}:
        connecting = "ConnectTimeout" in names
        return _made(what, "it did not answer in time", cause=Cause.UNREACHABLE if connecting else Cause.CALL, retryable=True)
    if "OverloadedError" in names:
        return _made(what, f"it is overloaded ({words})", retryable=True)
    if names & {"UnsupportedProtocol", "InvalidURL", "LocalProtocolError", "UnicodeEncodeError"}:
        return _made(what, "the request could not be made", remedy="Look for odd characters in the token and in the address.")
    if names & {"ConnectError", "ProxyError", "gaierror", "ConnectionRefusedError"}:
        return _made(
            what,
            "nobody answers there",
            cause=Cause.UNREACHABLE,
            retryable=True,
            remedy="Look whether it runs, and whether the network does.",
        )
    if names & {"TransportError", "ConnectionError"}:
        return _made(what, f"the connection broke off ({type(error).__name__})", retryable=True)
    return _of_client(error, what, words)


def cannot_be_used(error: ExpertError, *, what: str) -> ExpertError:
    """The error where a reply came that is not what it should be."""
    return ExpertError(f"{what} failed: the reply cannot be used: {error.message}.", remedy=error.remedy)


def _of_client(error: BaseException, what: str, words: str) -> Failure:
    """What the client says by itself, before it asks or when it reads the reply: a ValueError for almost everything."""
    said = words.lower()
    if isinstance(error, StopIteration) or any(
        w in said for w in ("no provider mapping", "not supported", "doesn't support task", "no recommended model")
    ):
        why = f"it is not served for this task ({words})" if words else "no provider serves it"
        return _made(what, why, cause=Cause.MODEL, unfit=True, remedy="Choose another model or provider.")
    if "api_key" in said or "api key" in said:
        return _made(what, "there is no token for it", cause=Cause.ACCOUNT, remedy=_LOG_IN)
    if isinstance(error, json.JSONDecodeError):
        if error.doc.lstrip().startswith("<"):
            return _made(what, "the reply is an HTML page, no JSON", remedy="Look whether the address is right, and needs no login.")
        return _made(what, "the reply is no JSON")
    return _made(what, f"the reply cannot be read ({type(error).__name__}{': ' if words else ''}{words[:120]})")


def _of_status(response: Any, error: BaseException, what: str, secret: str | None) -> Failure:
    status = int(response.status_code)
    words = _plain(_said(response, error), secret)
    told = f"{status}: {words}" if words else str(status)
    if status in _BUSY or status > 504:
        return _made(what, f"it {_BUSY.get(status, 'broke down')} ({told})", retryable=True, retry_after=_retry_after(response))
    is_gone = any(c.__name__ == "RepositoryNotFoundError" for c in type(error).__mro__)
    is_gated = any(c.__name__ == "GatedRepoError" for c in type(error).__mro__)
    if is_gated:
        return _made(
            what, f"the model is gated ({told})", cause=Cause.MODEL, remedy="Ask for access on the model's page, or choose another model."
        )
    if status == 401 and not is_gone:
        return _made(what, f"the token was not accepted ({told})", cause=Cause.ACCOUNT, remedy=_LOG_IN)
    if status == 402:
        remedy = "Buy credits or subscribe (https://huggingface.co/settings/billing), or use another token."
        return _made(what, f"the account's credits are used up ({told})", cause=Cause.ACCOUNT, remedy=remedy)
    if status == 403:
        remedy = "Give a token that may call it (https://huggingface.co/settings/tokens), or choose another model."
        return _made(what, f"the token may not call it ({told})", cause=Cause.MODEL, remedy=remedy)
    if status in (404, 405, 410) or is_gone:
        return _made(
            what, f"it is not served there ({told})", cause=Cause.MODEL, unfit=True, remedy="Choose another model, provider or address."
        )
    if status == 413:
        return _made(what, f"the input is too large for it ({told})", remedy="Give a smaller input.")
    if 300 <= status < 400:
        return _made(what, f"it sends callers elsewhere ({status})", cause=Cause.MODEL, remedy="Name the address where it really is.")
    if status >= 400:
        served = not any(w in words.lower() for w in ("not supported by any provider", "model_not_supported", "not a chat model"))
        return _made(what, f"it refused the request ({told})", cause=Cause.CALL if served else Cause.MODEL, unfit=True)
    return _made(what, f"the reply broke off or cannot be read ({type(error).__name__})", retryable=True)


def _made(
    what: str,
    why: str,
    *,
    cause: Cause = Cause.CALL,
    remedy: str = "",
    retryable: bool = False,
    retry_after: float | None = None,
    unfit: bool = False,
) -> Failure:
    error = ExpertError(f"{what} failed because {why}.", remedy=remedy, retryable=retryable, retry_after=retry_after)
    return Failure(error=error, cause=cause, why=why, unfit=unfit)


def _response(error: BaseException) -> Any:
    """The server's answer that an exception is about: the client's own reading of it may have broken on odd content. None without one."""
    seen: list[BaseException] = []
    at: BaseException | None = error
    while at is not None and at not in seen:
        if hasattr(getattr(at, "response", None), "status_code"):
            return at.response  # type: ignore[attr-defined]
        seen.append(at)
        at = at.__cause__ or at.__context__
    return None


def _said(response: Any, error: BaseException) -> str:
    """The server's own words; not those of an error page."""
    words = getattr(error, "server_message", None)
    if not words:
        try:
            words = response.text
        except Exception:  # its content was not read, or could not be
            return ""
        if "html" in response.headers.get("content-type", "").lower():
            return ""
    return "" if words.lstrip().startswith("<") else str(words)


def _plain(words: str, secret: str | None) -> str:
    """At most 300 characters on one line, without control characters, addresses with their credentials, and the token."""
    if secret:
        words = words.replace(secret, "(token)")
    words = re.sub(r"hf_[A-Za-z0-9]{8,}", "(token)", words)
    words = re.sub(r"(https?://)[^\s/@]*@", r"\1", words)
    words = re.sub(r"(https?://[^\s?'\"]*)\?[^\s'\"]*", r"\1", words)
    return " ".join("".join(c if c.isprintable() else " " for c in words).split())[:_WORDS].rstrip(".")


def _retry_after(response: Any) -> float | None:
    """Seconds, from a number, a date, or the Hub's own header for limits."""
    given = response.headers.get("retry-after", "").strip()
    if re.fullmatch(r"\d{1,9}(\.\d*)?", given):
        return float(given)
    if given:
        try:
            date = parsedate_to_datetime(given)
        except (TypeError, ValueError, OverflowError):
            return None
        return max(0.0, ((date if date.tzinfo else date.replace(tzinfo=UTC)) - datetime.now(UTC)).total_seconds())
    found = _RESET.search(response.headers.get("ratelimit", "")) if response.status_code == 429 else None
    return float(found[1]) if found else None
