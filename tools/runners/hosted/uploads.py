"""Files as the client sends them: bytes that know their media type."""

from __future__ import annotations

import base64
import io

from ....index.errors import ExpertError
from ...artifacts import Artifact
from ...media import load_image

MAX_UPLOAD = 100 * 2**20
_TELLS_ROTATION = 0x0112  # EXIF
_NAMES = {"audio/mp4": "audio/m4a"}  # as the Hub's servers call it


def picture(artifact: Artifact) -> bytes:
    """A picture, upright. The file goes as it is, but for one that only its EXIF data turn upright, which servers do not look at.

    Raises:
        MediaError: it is no picture, a damaged one, or too large.
        ExpertError: it has more than 100 MiB.
    """
    from PIL import Image

    data = _read(artifact)
    upright = load_image(artifact)  # sent unread, a damaged file would cost a call
    with Image.open(io.BytesIO(data)) as raw:
        turned = raw.getexif().get(_TELLS_ROTATION, 1) != 1
    if not turned:
        return _with_type(data, artifact.media_type)
    out = io.BytesIO()
    upright.save(out, "PNG")
    return _with_type(out.getvalue(), "image/png")


def recording(artifact: Artifact) -> bytes:
    """A recording or a video as it is. Raises ExpertError for more than 100 MiB."""
    return _with_type(_read(artifact), _NAMES.get(artifact.media_type, artifact.media_type))


def data_url(data: bytes) -> str:
    """What `picture` or `recording` gave, as an address that holds the file."""
    return f"data:{getattr(data, 'mime_type', None)};base64,{in_base64(data)}"


def in_base64(data: bytes) -> str:
    """As text."""
    return base64.b64encode(data).decode()


def upright_size(artifact: Artifact) -> tuple[int, int]:
    """Width and height of a picture as it is shown."""
    return load_image(artifact).size


def _read(artifact: Artifact) -> bytes:
    if artifact.size > MAX_UPLOAD:
        raise ExpertError(
            f"{artifact.name!r} has {artifact.size:,} bytes; at most {MAX_UPLOAD:,} are sent to a hosted model.",
            remedy="Give a smaller file, or use a model on this machine.",
        )
    return artifact.read_bytes()


def _with_type(data: bytes, media_type: str) -> bytes:
    """Bytes alone are sent without a type, which servers refuse; a path gets one only if this machine's tables know its ending."""
    from huggingface_hub.inference._common import MimeBytes

    return MimeBytes(data, media_type)
