"""The voices of VITS and MMS: one language each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ....errors import ModelRefusedError
from ..loaded import LoadedModel
from .languages import language_code
from .speech import Voice

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_LONGEST = 400


def vits_voice(model: LoadedModel, language: str) -> Voice:
    """A voice of VITS.

    Raises:
        ModelRefusedError: it speaks another language.
    """
    tokenizer = model.tokenizer
    own = str(tokenizer.language or "")
    if language and own and language_code(language) != language_code(own):
        raise ModelRefusedError(
            f"{model.id!r} speaks the language {own!r}, not {language[:40]!r} ('language').", remedy="Choose a model of that language."
        )
    speakers = int(model.config.num_speakers or 1)
    options: dict[str, Any] = {"speaker_id": 0} if speakers > 1 else {}

    def say(text: str) -> NDArray[np.float32]:
        import numpy as np

        if not any(c.isalnum() for c in known(text)):
            return np.zeros(0, np.float32)
        batch = model.on_device(tokenizer(text, return_tensors="pt"))
        made = model.model(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"], **options)
        samples: NDArray[np.float32] = made.waveform[0].float().cpu().numpy()
        return samples

    def known(text: str) -> str:
        """The signs that are left of a text: with `phonemize` they are those of sounds."""
        prepared, _ = tokenizer.prepare_for_tokenization(text)
        return "".join(c for c in prepared if c in tokenizer.encoder)

    def unknown(text: str) -> set[str]:
        if tokenizer.phonemize or tokenizer.is_uroman:  # other signs are made of those of the text
            return set()
        return {c for c in text if c.isalnum()} - {c for c in set(text) if known(c)}

    return Voice(
        say=say,
        rate=int(model.config.sampling_rate),
        longest=_LONGEST,
        unknown=unknown,
        notes=(f"read by the first of the model's {speakers} speakers",) if speakers > 1 else (),
    )
