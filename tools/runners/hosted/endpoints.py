"""Addresses that the user named."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from urllib.parse import SplitResult, urlsplit

from ....index.errors import CallerError

_PART = r"[A-Za-z0-9_][\w.-]{0,95}"
_MODEL = re.compile(f"{_PART}/{_PART}", re.ASCII)
_HUB_ID = re.compile(f"{_PART}(/{_PART})?", re.ASCII)
_OWN = ("huggingface.co", "huggingface.cloud", "hf.co", "hf.space")


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """An address that serves one model for one task.

    Attributes:
        url: as it is called, with whatever it holds.
        shown: the same without credentials and query; the id of its card.
        is_the_hubs: it belongs to Hugging Face, where a token of the Hub is at home.
    """

    url: str
    shown: str
    is_the_hubs: bool


def is_hub_id(model: str) -> bool:
    """Whether a name may be one of the Hub's. The client would call anything that looks like an address, and send it the token."""
    return _HUB_ID.fullmatch(model) is not None


def read_endpoints(given: Mapping[str, str], tasks: Collection[str]) -> dict[str, Endpoint]:
    """By task or by model id.

    Raises:
        CallerError: a key is neither one of the tasks nor `org/name`, or an address is none that can be called.
    """
    found = {}
    for key, url in given.items():
        if key not in tasks and not _MODEL.fullmatch(key):
            near = get_close_matches(key, tasks, n=1, cutoff=0.5)
            remedy = f"Did you mean {near[0]!r}?" if near else f"Tasks: {', '.join(sorted(tasks)[:8])}, …"
            raise CallerError(
                f"An endpoint is named by a task that hosted models do, or by a model (org/name), not {key[:100]!r}.", remedy=remedy
            )
        found[key] = _read(key, url)
    return found


def _read(key: str, url: str) -> Endpoint:
    try:
        parts = urlsplit(url.strip())
        has_host, port = bool(parts.hostname), parts.port
    except (ValueError, AttributeError) as e:
        raise _no_address(key, "it cannot be read") from e
    if any(c.isspace() or not c.isprintable() for c in url.strip()):
        raise _no_address(key, "it holds spaces or control characters")
    if parts.scheme not in ("http", "https"):
        near = f"https://{url.strip()[:80]}" if "@" not in url and "?" not in url and "://" not in url else "https://HOST/PATH"
        raise _no_address(key, f"it begins with neither http:// nor https:// ({parts.scheme or url[:40]!r})", near)
    if not has_host or port == 0:
        raise _no_address(key, "it names no host")
    shown = _shown(parts)
    host = (parts.hostname or "").lower()
    return Endpoint(
        url=url.strip(), shown=shown, is_the_hubs=parts.scheme == "https" and any(host == h or host.endswith("." + h) for h in _OWN)
    )


def _shown(parts: SplitResult) -> str:
    place = parts.netloc.rpartition("@")[2]
    return f"{parts.scheme}://{place}{parts.path}"


def _no_address(key: str, why: str, near: str = "https://HOST/PATH") -> CallerError:
    return CallerError(f"The endpoint of {key[:100]!r} is no address that can be called: {why}.", remedy=f"Give one such as {near}")
