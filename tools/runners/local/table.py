"""How each Hub task is run on this machine. Adding a task: a function, and a row in `rows.py` beside it."""

from __future__ import annotations

from collections.abc import Mapping

from .audio.rows import ROWS as AUDIO
from .diffusion.rows import ROWS as DIFFUSION
from .row import LocalRow
from .tabular.rows import ROWS as TABULAR
from .text.rows import ROWS as TEXT
from .video.rows import ROWS as VIDEO
from .vision.rows import ROWS as VISION

LOCAL: Mapping[str, LocalRow] = {row.task: row for row in (*TEXT, *VISION, *AUDIO, *VIDEO, *DIFFUSION, *TABULAR)}
"""By Hub task."""

NOT_RUN: Mapping[str, str] = {
    "text-to-3d": "it is not built yet: Shap-E of diffusers would do it",
    "image-to-3d": "it is not built yet: Shap-E of diffusers would do it",
    "robotics": "its models drive a robot or a simulator, which is not here (LeRobot)",
    "reinforcement-learning": "its models are pickled, and act in an environment that is not here",
    "graph-ml": "transformers has no model for graphs any more",
}
"""By Hub task: why no library runs it here."""
