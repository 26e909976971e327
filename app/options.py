"""Options of the command line over the settings of the environment."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from ..agent.settings import Settings, tokens


def settings(
    *,
    llm: str | None = None,
    planner: str | None = None,
    encoder: Path | None = None,
    index: Path | None = None,
    out: Path | None = None,
    context_tokens: str | None = None,
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
    )
