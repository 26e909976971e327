"""Fetching a model from the Hub: its size is looked at first, it can be broken off at any time, and goes on where it was."""

from __future__ import annotations

import errno
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ....index.errors import HuggingGPTError
from ...errors import ModelAbsentError, ModelRefusedError
from ..workers import check_abandoned, check_for_this_call
from .devices import free_memory
from .model_files import PICKLED

_TEXTS = (".json", ".txt", ".model", ".jinja", ".tiktoken", ".spm")
_WEIGHTS = (".safetensors", ".skops")
_CARD = "README.md"  # says which model another one stands on
_VARIANTS = (".fp16.", ".bf16.", ".fp32.", ".non_ema.", ".8bit.", ".4bit.")
_OTHERS = ("onnx", "openvino", "coreml", "original", "flax", "gguf", "mlx", "runs", "checkpoint")
_MARGIN = 1.05
_DISK = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM)


def download(model: str, *, max_bytes: int, cache: Path | None = None, endpoint: str | None = None) -> Path:
    """Fetch the newest version of a model into the Hub's cache: weights in safetensors (or skops) form, configs, tokenizers
    and the card.

    Args:
        model: Hub id.
        max_bytes: a larger one is refused.
        cache: the folder; None: where huggingface_hub has it.
        endpoint: address of the Hub; None: the one that huggingface_hub uses.

    Returns:
        The folder of its snapshot.

    Raises:
        ModelRefusedError: it has no weights that are read here, or is too large for the limit, the disk or the memory.
        ModelAbsentError: the Hub does not have it, does not give it, or cannot be reached.
        Abandoned: the caller has given up; what has come stays and is gone on with next time.
    """
    from huggingface_hub import HfApi, hf_hub_download

    try:
        info = HfApi(endpoint=endpoint).model_info(model, files_metadata=True)
        sizes = {s.rfilename: s.size or 0 for s in info.siblings or ()}
        names = wanted(list(sizes), model)
        _check_size(model, names, sizes, max_bytes, cache)
        bars = _bars()
        for name in names:
            check_abandoned()
            path = hf_hub_download(model, name, revision=info.sha, cache_dir=cache, tqdm_class=bars, endpoint=endpoint)
        _keep_main(str(info.sha), Path(path), names[-1])
    except HuggingGPTError:
        raise
    except Exception as e:  # errors of the transport differ between huggingface_hub 1.x and 2.x
        raise _absent(model, e, cache) from e
    return Path(path).parents[names[-1].count("/")]


def wanted(names: Sequence[str], model: str) -> list[str]:
    """The files of a repository that its loader reads, the small ones first.

    Raises:
        ModelRefusedError: none of its weights are in safetensors (or skops) form.
    """
    plain = [n for n in names if n == _CARD or (n.count("/") < 2 and not n.startswith(_OTHERS) and n.endswith((*_TEXTS, *_WEIGHTS)))]
    if "model_index.json" in names:  # of diffusers: one folder for each part; a file beside them is the same in another form
        plain = [n for n in plain if "/" in n or not n.endswith(_WEIGHTS)]
    weights = [n for n in plain if n.endswith(_WEIGHTS)]
    usual = [n for n in weights if not any(v in n for v in _VARIANTS)]
    if not usual:
        pickled = [n for n in names if n.endswith(PICKLED)]
        if pickled:
            raise ModelRefusedError(
                f"The Hub has the weights of {model!r} only as {pickled[0]}, which may run code when it is loaded.",
                remedy="Choose a model with safetensors weights.",
            )
        raise ModelRefusedError(f"The Hub has no weights of {model!r} in a form that is read here.", remedy="Choose another model.")
    if any(n.startswith("model-0") for n in usual) and "model.safetensors" in usual:
        usual = [n for n in usual if not n.startswith("model-0")]
    return [*(n for n in plain if not n.endswith(_WEIGHTS)), *usual]


def _check_size(model: str, names: Sequence[str], sizes: dict[str, int], max_bytes: int, cache: Path | None) -> None:
    from huggingface_hub import constants

    size = sum(sizes[n] for n in names)
    weights = sum(sizes[n] for n in names if n.endswith(_WEIGHTS))
    folder = Path(cache or constants.HF_HUB_CACHE)
    disk = shutil.disk_usage(next(p for p in (folder, *folder.parents) if p.exists())).free
    told = f"{model!r} has {size / 1e9:.2f} GB to fetch"
    if size > max_bytes:
        raise ModelRefusedError(f"{told}, more than the {max_bytes / 1e9:.2f} GB that may be (--max-download).", remedy="Raise the limit.")
    if size * _MARGIN > disk:
        raise ModelRefusedError(f"{told}, and {disk / 1e9:.2f} GB are free on the disk of {str(folder)!r}.", remedy="Make room there.")
    if weights / 2 > free_memory():  # in 16 bits at the least
        raise ModelRefusedError(f"{told}, and {free_memory() / 1e9:.2f} GB of memory are free.", remedy="Choose a smaller model.")


def _keep_main(commit: str, path: Path, name: str) -> None:
    """Note the version as the newest one, as huggingface_hub does for a download without a revision."""
    of_model = path.parents[name.count("/") + 2]
    note = of_model / "refs" / "main"
    note.parent.mkdir(parents=True, exist_ok=True)
    note.write_text(commit, "ascii")


def _bars() -> Any:
    """huggingface_hub's own progress bars, which a caller who has given up stops; without a terminal they are silent."""
    from huggingface_hub import utils

    usual: Any = utils.tqdm  # type: ignore[attr-defined]
    check = check_for_this_call()  # hf_xet tells of its progress in a thread of its own

    class Bar(usual):  # type: ignore[misc]
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            if not sys.stderr.isatty():
                kwargs["disable"] = True
            super().__init__(*args, **kwargs)

        def update(self, n: float | None = 1) -> bool | None:
            check()
            done: bool | None = super().update(n)
            return done

    return Bar


def _absent(model: str, error: Exception, cache: Path | None) -> ModelAbsentError:
    from huggingface_hub import constants
    from huggingface_hub.errors import GatedRepoError, HfHubHTTPError, RepositoryNotFoundError

    page = f"https://huggingface.co/{model}"
    if isinstance(error, GatedRepoError):
        return ModelAbsentError(
            f"{model!r} is gated: the Hub gives it to those who have accepted its terms.",
            remedy=f"Accept them at {page}, then log in (hf auth login) or set HF_TOKEN.",
        )
    if isinstance(error, RepositoryNotFoundError):
        return ModelAbsentError(
            f"The Hub has no model {model!r}, or it is private.",
            remedy="Check the id; for a private model log in (hf auth login) or set HF_TOKEN.",
        )
    if isinstance(error, HfHubHTTPError) and error.response is not None:
        return ModelAbsentError(
            f"The Hub answered with status {error.response.status_code} when {model!r} was asked for.", remedy="Try again later."
        )
    if isinstance(error, OSError) and error.errno in _DISK:
        folder = str(cache or constants.HF_HUB_CACHE)
        return ModelAbsentError(
            f"{model!r} could not be written to {folder!r}: {error.strerror}.", remedy="See to its rights and its room, or set HF_HOME."
        )
    text = " ".join(str(error).split())[:200]
    return ModelAbsentError(f"{model!r} could not be fetched: {type(error).__name__}: {text}.", remedy="Check the network, then ask again.")
