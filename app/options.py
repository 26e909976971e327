"""Options of the command line over the settings of the environment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from ..agent.amounts import size
from ..agent.settings import Settings, endpoints, experts, how_many_agree, index_in_use, tokens


def settings(
    *,
    llm: str | None = None,
    planner: str | None = None,
    encoder: Path | None = None,
    index: Path | None = None,
    out: Path | None = None,
    context_tokens: str | None = None,
    models: Sequence[Path] | None = None,
    max_download: str | None = None,
    max_memory: str | None = None,
    device: str | None = None,
    kinds: str | None = None,
    private: bool = False,
    provider: str | None = None,
    endpoint: Sequence[str] | None = None,
    agree: str | None = None,
    allow_host: Sequence[str] | None = None,
) -> Settings:
    """The environment's settings, with every option that was given in its place. Raises SettingsError."""
    found = Settings.from_environment()
    return replace(
        found,
        llm=llm or found.llm,
        planner=planner or found.planner,
        encoder=encoder or found.encoder,
        index=index or found.index,
        out=out or found.out,
        context_tokens=found.context_tokens if context_tokens is None else tokens(context_tokens, "--context-tokens"),
        models=tuple(models) if models else found.models,
        max_download=found.max_download if max_download is None else size(max_download, "--max-download", least=0),
        max_memory=found.max_memory if max_memory is None else size(max_memory, "--max-memory"),
        device=device or found.device,
        experts=found.experts if kinds is None else experts(kinds),
        private=private or found.private,
        provider=provider or found.provider,
        endpoints=endpoints(endpoint, "--endpoint") if endpoint else found.endpoints,
        agree=found.agree if agree is None else how_many_agree(agree, "--agree"),
        allow_hosts=tuple(allow_host) if allow_host else found.allow_hosts,
    )


def with_index_in_use(found: Settings) -> Settings:
    """The settings, with the index that `hugginggpt index use` chose where they name none. Raises SettingsError."""
    return found if found.index is not None else replace(found, index=index_in_use())
