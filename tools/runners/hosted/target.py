"""Where a call goes."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from .endpoints import Endpoint


@dataclass(frozen=True, kw_only=True)
class Target:
    """Where a call goes.

    Attributes:
        model: id on the Hub, or the address.
        what: model and place as the subject of a sentence.
        fact: under what name facts about it are kept.
        server: the same for all models there.
        token: what is sent with it; None for nothing.
        endpoint: None for the Hub.
    """

    model: str
    what: str
    fact: str
    server: str
    token: str | None
    endpoint: Endpoint | None

    @property
    def account(self) -> str:
        """Under what name facts about the token are kept."""
        return account_at(self.token, self.server)


def account_at(token: str | None, server: str) -> str:
    """Under what name facts about a token are kept: with a digest of it, which tells nobody the token."""
    return f"token {hashlib.sha256((token or '').encode()).hexdigest()[:16]} at {server}"
