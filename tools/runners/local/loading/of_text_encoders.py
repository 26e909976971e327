"""Models of transformers without a head, that read text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ....errors import ModelRefusedError
from .of_transformers import Transformers

if TYPE_CHECKING:
    from ..model_files import ModelFiles

_TEXT = "input_ids"


@dataclass(frozen=True, kw_only=True)
class TextEncoders(Transformers):
    """Of the models without a head (`AutoModel`) those whose main input is text, not a picture or a sound."""

    def _class_for(self, files: ModelFiles, config: Any) -> Any:
        found = super()._class_for(files, config)
        if found.main_input_name != _TEXT:
            raise ModelRefusedError(
                f"{files.id!r} does something else: {found.__name__} reads {found.main_input_name}, not text.",
                remedy="Choose a model that reads text.",
            )
        return found
