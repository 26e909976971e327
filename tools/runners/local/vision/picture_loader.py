"""The loader of models that turn pictures into vectors, which their class alone does not tell."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..loading.of_transformers import Transformers

if TYPE_CHECKING:
    from ..model_files import ModelFiles

_CONFIGS = ("preprocessor_config.json", "processor_config.json")


@dataclass(frozen=True, kw_only=True)
class PictureModels(Transformers):
    """Models of transformers whose folder says how pictures are prepared: a BertModel is a `*Model` too."""

    def fits(self, files: ModelFiles) -> bool:
        """Whether the folder says so."""
        return super().fits(files) and any(_resizes(files, name) for name in _CONFIGS)


def _resizes(files: ModelFiles, name: str) -> bool:
    """Whether a config resizes what it gets: those of pictures do, those of sounds do not."""
    try:
        return '"do_resize"' in (files.folder / name).read_text("utf-8", errors="replace")
    except OSError:
        return False
