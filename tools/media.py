"""Media in and out: pictures, sound and text from artifacts, with limits; sound and pictures to bytes."""

from __future__ import annotations

import io
import warnings
import wave
from typing import TYPE_CHECKING

from ..index.errors import ExpertError
from .artifacts import MAX_BYTES, Artifact, old_office
from .errors import MediaError
from .sniff import DOCX, HTML, OLE, PDF, PPTX, XLSX

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL import Image

MAX_PIXELS = 64_000_000
MAX_SECONDS = 4 * 3600
LOWEST_RATE, HIGHEST_RATE = 1_000, 768_000
MAX_CHARACTERS = 5_000_000
_LOBES = 16
_PASS = 0.9
"""Share of the lower rate's band that is kept; the rest is where the filter falls off."""


def load_image(artifact: Artifact) -> Image.Image:
    """An RGB picture, turned upright by its EXIF orientation; transparent parts become white.

    Raises:
        MediaError: not a picture, a damaged one, or one of more than 64 million pixels.
    """
    from PIL import Image, ImageOps, UnidentifiedImageError

    too_large = MediaError(
        f"The picture {artifact.name!r} is too large; at most {MAX_PIXELS // 10**6} million pixels are read.", remedy="Scale it down."
    )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # the limit here is stricter
            opened = Image.open(io.BytesIO(artifact.read_bytes()))
        with opened:
            if opened.size[0] * opened.size[1] > MAX_PIXELS:
                raise too_large
            picture = ImageOps.exif_transpose(opened)
            if picture.mode.startswith("I;16"):  # converted as it stands, everything above 255 would be white
                picture = picture.point(lambda value: value * (1 / 256)).convert("L")
            if "A" in picture.getbands() or "transparency" in picture.info:
                picture = picture.convert("RGBA")
                white = Image.new("RGBA", picture.size, "white")
                picture = Image.alpha_composite(white, picture)
            return picture.convert("RGB")
    except Image.DecompressionBombError as e:
        raise too_large from e
    except UnidentifiedImageError as e:
        what = "is a HEIC picture, which is not read" if artifact.media_type == "image/heic" else "is no picture that can be read"
        raise MediaError(f"{artifact.name!r} {what}.", remedy="Give a PNG or JPEG file.") from e
    except (OSError, SyntaxError, ValueError) as e:
        raise MediaError(f"{artifact.name!r} cannot be read as a picture: {e}.", remedy="Give a PNG or JPEG file.") from e


def load_wav(artifact: Artifact, *, rate: int = 16_000) -> NDArray[np.float32]:
    """Mono samples in [-1, 1], float32, resampled to `rate` Hz.

    Raises:
        MediaError: not an uncompressed wav file, one without samples, or one of more than four hours.
        ExpertError: one that is too large to be read at once; experts that read bit by bit (`audio.read_blocks`) take it.
    """
    import numpy as np

    if artifact.size > MAX_BYTES:
        raise ExpertError(
            f"The recording {artifact.name!r} has {artifact.size:,} bytes; this expert reads at most {MAX_BYTES:,}.",
            remedy="Give a shorter or compressed one, or use a model on this machine.",
        )
    try:
        data = artifact.read_bytes()
        with wave.open(io.BytesIO(data)) as f:
            channels, width, given = f.getnchannels(), f.getsampwidth(), f.getframerate()
            if width > 4 or not LOWEST_RATE <= given <= HIGHEST_RATE:
                raise MediaError(
                    f"The recording {artifact.name!r} has {8 * width} bits at {given:,} Hz; 8 to 32 bits at {LOWEST_RATE:,} to "
                    f"{HIGHEST_RATE:,} Hz are read.",
                    remedy="Convert it to 16 bits at 16,000 Hz.",
                )
            frames = min(f.getnframes(), len(data) // (channels * width))  # a streamed file claims four gigabytes
            if frames / given > MAX_SECONDS:
                raise MediaError(f"The recording {artifact.name!r} is longer than {MAX_SECONDS // 3600} hours.", remedy="Cut it.")
            raw = f.readframes(frames)
    except (wave.Error, EOFError) as e:
        why = str(e) or "it ends too early"
        raise MediaError(f"{artifact.name!r} cannot be read as wav: {why}.", remedy="Give an uncompressed (PCM) wav file.") from e
    raw = raw[: len(raw) // (channels * width) * channels * width]
    if not raw:
        raise MediaError(f"The recording {artifact.name!r} holds no sound (0 samples).", remedy="Give a recording that has content.")
    if width == 1:
        samples = (np.frombuffer(raw, np.uint8).astype(np.float32) - 128) / 128
    elif width == 3:
        b = np.frombuffer(raw, np.uint8).reshape(-1, 3).astype(np.int32)
        samples = ((b[:, 0] | b[:, 1] << 8 | b[:, 2] << 16) << 8 >> 8).astype(np.float32) / 2**23
    else:
        samples = np.frombuffer(raw, {2: "<i2", 4: "<i4"}[width]).astype(np.float32) / 2 ** (8 * width - 1)
    mono: NDArray[np.float32] = samples.reshape(-1, channels).mean(1).astype(np.float32)
    return _resampled(mono, given, rate)


def _resampled(samples: NDArray[np.float32], given: int, wanted: int) -> NDArray[np.float32]:
    """Samples at another rate. Frequencies that the lower rate cannot hold are taken out first, by a windowed sinc."""
    import numpy as np

    if given == wanted:
        return samples
    if given > wanted:
        reach = round(_LOBES * given / wanted)
        at = np.arange(-reach, reach + 1)
        kernel = np.sinc(at * _PASS * wanted / given) * np.hanning(2 * reach + 3)[1:-1]
        padded = np.concatenate([np.zeros(reach, np.float32), samples, np.zeros(reach, np.float32)])
        samples = np.convolve(padded, (kernel / kernel.sum()).astype(np.float32), mode="valid")
    count = max(1, round(len(samples) * wanted / given))
    moved: NDArray[np.float32] = np.interp(np.arange(count) * given / wanted, np.arange(len(samples)), samples).astype(np.float32)
    return moved


def wav_bytes(samples: bytes, *, rate: int) -> bytes:
    """A mono wav file of 16-bit little-endian samples at `rate` Hz."""
    out = io.BytesIO()
    with wave.open(out, "wb") as f:
        f.setnchannels(1)
        f.setsampwidth(2)
        f.setframerate(rate)
        f.writeframes(samples)
    return out.getvalue()


def load_text(artifact: Artifact) -> str:
    """The text of a file: of text files (UTF-8), PDFs with a text layer, Word, PowerPoint and Excel files, and web pages.

    A last line in brackets tells what was left out, if something was.

    Raises:
        MediaError: not text, only white space, damaged, unsafe to be read, or more than five million characters.
        MissingExtraError: the package that reads such files is not installed.
    """
    text = _document_text(artifact)
    if text is None:
        text = _plain_text(artifact)
    if not text.strip():
        raise MediaError(f"The text file {artifact.name!r} holds only white space.", remedy="Give a file that has content.")
    if len(text) > MAX_CHARACTERS:
        raise MediaError(f"The text file {artifact.name!r} has {len(text):,} characters; at most {MAX_CHARACTERS:,} are read.")
    return text


def _document_text(artifact: Artifact) -> str | None:
    """The text of a document; None for other files."""
    if artifact.media_type == PDF:
        from .documents.pdf import pdf_text

        return pdf_text(artifact)
    if artifact.media_type in (DOCX, PPTX, XLSX):
        from .documents.office import docx_text, pptx_text, xlsx_text

        return {DOCX: docx_text, PPTX: pptx_text, XLSX: xlsx_text}[artifact.media_type](artifact)
    if artifact.media_type == HTML:
        from .documents.web import html_text

        return html_text(artifact)
    if artifact.media_type == OLE:
        raise old_office(artifact.name, artifact.read_bytes())
    return None


def _plain_text(artifact: Artifact) -> str:
    if not (artifact.media_type.startswith("text/") or artifact.media_type == "application/json"):
        raise MediaError(f"{artifact.name!r} is not a text file ({artifact.media_type}).", remedy="Give a plain text file in UTF-8.")
    return artifact.read_bytes().decode("utf-8", errors="replace").removeprefix("\ufeff")
