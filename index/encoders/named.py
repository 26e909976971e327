"""Encoders by name: what a user writes, what an index records, and what opens it again."""

from __future__ import annotations

import re
from pathlib import Path

from ..encoder_folder import MODEL
from ..errors import CallerError, UnknownNameError
from ..minilm import Encoder, MiniLM
from .embeddings import load_embeddings
from .errors import EncoderError
from .sentence_transformer import HASHED, SentenceTransformerEncoder

SHARED = ("minilm", "all-MiniLM-L6-v2", MiniLM.name)
"""Names of the encoder that ships."""
_HUB_ID = re.compile(r"[\w-][\w.-]*/[\w.-]+(@[\w./-]+)?")
_PROVIDER = re.compile(r"\w{2,}:\S.*")
_LOCAL_PROVIDERS = ("huggingface",)  # langchain-huggingface loads the weights
_FORMS = "Or name a folder, a model on the Hub (org/name, of sentence-transformers), or embeddings as provider:model."
_PLAIN = {"Transformer", "Pooling", "Normalize"}


def load_encoder(name: str | None = None) -> Encoder:
    """The encoder of a name.

    Args:
        name: `minilm` (so does None), a folder, a Hub id (`org/name`, `org/name@revision`), `provider:model` as LangChain's
            `init_embeddings` names embeddings, or the name of an encoder that this function gave before, as an index records it.

    Returns:
        An encoder whose name, given to this function, gives the same encoder again. Folders have their path and a hash in it. Weights are
        loaded on first use.

    Raises:
        UnknownNameError: the name has none of these forms.
        EncoderError: the folder is not there, holds no encoder, or another than it held when the name was made; or a package is missing.
    """
    given = "minilm" if name is None else name.strip()
    if given in SHARED:
        return MiniLM()
    path, hashed, digest = given.rpartition(HASHED)
    if hashed:
        return _unchanged(Path(path), digest, given)
    folder = Path(given).expanduser().resolve()
    if given and folder.is_dir():
        return _of_folder(folder)
    if given.startswith((".", "~", "/")):
        raise EncoderError(f"There is no folder {given!r} with an encoder.", remedy="Check the path.")
    if _PROVIDER.fullmatch(given):
        return load_embeddings(given)
    if _HUB_ID.fullmatch(given):
        return SentenceTransformerEncoder(given)
    unknown = UnknownNameError("encoder", given, SHARED)
    unknown.remedy = f"{unknown.remedy} {_FORMS}"
    raise unknown


def is_asked_elsewhere(name: str) -> bool:
    """Whether an encoder of that name sends what it encodes to a provider; not where nothing tells that it does."""
    provided = _PROVIDER.fullmatch(name) is not None and HASHED not in name and not Path(name).is_dir()
    return provided and name.partition(":")[0] not in _LOCAL_PROVIDERS


def same_encoder(first: str, second: str) -> bool:
    """Whether two names are of one encoder: folders are told by what they hold, wherever they lie."""
    return _identity(first) == _identity(second)


def _identity(name: str) -> str:
    _, hashed, digest = name.rpartition(HASHED)
    return hashed + digest if hashed else name


def _unchanged(folder: Path, digest: str, name: str) -> Encoder:
    remedy = "Build the index again with the encoder that is there, or name the folder where the earlier one lies."
    if not folder.is_dir():
        raise EncoderError(f"The encoder {name!r} is not there: there is no folder {str(folder)!r}.", remedy=remedy)
    found = _of_folder(folder)
    if not same_encoder(found.name, name):
        raise EncoderError(
            f"The folder {str(folder)!r} no longer holds the encoder {HASHED.strip()}{digest}: it is now {found.name!r}.", remedy=remedy
        )
    return found


def _of_folder(folder: Path) -> Encoder:
    """In numpy where that computes the same, else by sentence-transformers."""
    if not _is_plain(folder):
        return SentenceTransformerEncoder(folder)
    try:
        encoder = MiniLM(folder)
    except CallerError:  # of another kind than MiniLM reads; what is wrong with a torn folder is told below
        return SentenceTransformerEncoder(folder)
    if encoder.name != MiniLM.name:
        encoder.name = str(folder.parent / encoder.name)
    return encoder


def _is_plain(folder: Path) -> bool:
    """Whether it is one transformer with pooling, without prompts, and its weights are named as those of a bare encoder."""
    import json

    from safetensors import SafetensorError, safe_open

    try:
        modules, settings = folder / "modules.json", folder / "config_sentence_transformers.json"
        kinds = {str(m["type"]).rpartition(".")[2] for m in json.loads(modules.read_bytes())} if modules.is_file() else set()
        prompts = json.loads(settings.read_bytes()).get("prompts") or {} if settings.is_file() else {}
        with safe_open(str(folder / MODEL), framework="numpy") as f:
            bare = "embeddings.word_embeddings.weight" in set(f.keys())
    except (OSError, ValueError, KeyError, TypeError, AttributeError, SafetensorError):
        return False
    return bare and kinds <= _PLAIN and not any(prompts.values())
