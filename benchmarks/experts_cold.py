"""Cold starts of tasks, ours and the libraries' own: whole processes, from the first import to the answer. See `benchmarks/experts.py`."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from benchmarks.startup import table
from langchain_hugginggpt.tools import ArtifactStore
from tests.local_models.all import CASES
from tests.local_models.samples import Samples

_OURS = """
import sys
from pathlib import Path
from langchain_hugginggpt.index import ModelCard
from langchain_hugginggpt.tools import HUB_TASKS, ArtifactStore
from langchain_hugginggpt.tools.runners.local import LocalRunner
folder, files = Path({folder!r}), ArtifactStore({files!r})
task, inputs = {task!r}, {inputs}
LocalRunner(models=[folder.parent]).run(HUB_TASKS[task], ModelCard(id=folder.name, task=task), inputs)
"""
_LIBRARY = """
from pathlib import Path
folder = Path({folder!r})
{code}
"""


@dataclass(frozen=True, kw_only=True)
class Start:
    """A task and the code that a user of its library would begin with.

    Attributes:
        case: id of the case whose model is used.
        inputs: of the task, as Python; `files` is a store.
        code: `folder` is the model's; `{media}` the path of the file.
        media: name of the sample that is a file.
    """

    case: str
    inputs: str
    code: str
    media: str = "picture"


_PIPELINE = "from transformers import pipeline\nprint(pipeline({!r}, model=str(folder), dtype='auto')({}))"
STARTS = (
    Start(
        case="text-classification--bert",
        inputs="{'text': 'I love this great movie'}",
        code=_PIPELINE.format("text-classification", "'I love this great movie'"),
    ),
    Start(
        case="sentence-similarity--sentence-transformer",
        inputs="{'source_sentence': 'A cat.', 'sentences': ['A cat.', 'Paris.']}",
        code="from sentence_transformers import SentenceTransformer\nm = SentenceTransformer(str(folder))\n"
        "v = m.encode(['A cat.', 'Paris.'])\nprint(m.similarity(v[:1], v[1:]))",
    ),
    Start(
        case="image-classification--vit",
        inputs="{'image': files.add_file(MEDIA)}",
        code="from PIL import Image\n" + _PIPELINE.format("image-classification", "Image.open(MEDIA)"),
    ),
    Start(
        case="automatic-speech-recognition--wav2vec2-ctc",
        inputs="{'audio': files.add_file(MEDIA)}",
        code="import soundfile\ns, rate = soundfile.read(MEDIA)\n"
        + _PIPELINE.format("automatic-speech-recognition", "{'raw': s, 'sampling_rate': rate}"),
        media="sound",
    ),
    Start(
        case="text-to-image--stable-diffusion",
        inputs="{'prompt': 'the red cat'}",
        code="from diffusers import DiffusionPipeline\npipe = DiffusionPipeline.from_pretrained(folder)\n"
        "pipe('the red cat', num_inference_steps=20).images[0].save(folder / 'made.png')",
    ),
    Start(
        case="tabular-classification--pipeline",
        inputs="{'table': [{'width': 1, 'length': 2}]}",
        code="import pandas as pd\nimport skops.io\nm = skops.io.load(folder / 'model.skops')\n"
        "print(m.predict(pd.DataFrame([{'length': 2, 'width': 1}])))",
    ),
)


def seconds(code: str, home: Path) -> float:
    """Of a fresh interpreter. Raises CalledProcessError when it fails."""
    began = time.perf_counter()
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "HF_HOME": str(home)}
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, env=environment)
    took = time.perf_counter() - began
    if done.returncode:
        raise subprocess.CalledProcessError(done.returncode, "cold start", output=done.stdout, stderr=done.stderr[-2000:])
    return took


def rows(starts: tuple[Start, ...], runs: int) -> list[tuple[str, ...]]:
    """Median seconds of both ways, in turn."""
    found: list[tuple[str, ...]] = []
    with tempfile.TemporaryDirectory() as scratch:
        samples = Samples(ArtifactStore(Path(scratch) / "files"))
        for start in starts:
            case = next(c for c in CASES if c.id == start.case)
            folder = Path(scratch) / "models" / case.id
            folder.mkdir(parents=True)
            case.build(folder)
            media = repr(str(getattr(samples, start.media).path))
            asked = start.inputs.replace("MEDIA", media)
            ours = _OURS.format(folder=str(folder), files=str(Path(scratch) / "own"), task=case.task, inputs=asked)
            library = _LIBRARY.format(folder=str(folder), code=start.code.replace("MEDIA", media))
            times = [(seconds(library, Path(scratch)), seconds(ours, Path(scratch))) for _ in range(runs)]
            theirs, own = (statistics.median(t) for t in zip(*times, strict=True))
            found.append((start.case, f"{theirs:.2f}", f"{own:.2f}", f"{own - theirs:+.2f}", f"{own / theirs:.2f}"))
    return found


def report(runs: int) -> str:
    """The table."""
    return table(("task--model", "library, s", "ours, s", "difference, s", "ratio"), rows(STARTS, runs))
