"""Files as the client sends them: bytes that know their media type."""

from __future__ import annotations

import base64
import io

from ....index.errors import ExpertError
from ...artifacts import Artifact
from ...media import MAX_PIXELS, load_image

MAX_UPLOAD = 100 * 2**20
_TELLS_ROTATION = 0x0112  # EXIF
_ON_THEIR_SIDE = range(5, 9)
_NAMES = {"audio/mp4": "audio/m4a"}  # as the Hub's servers call it


def picture(artifact: Artifact) -> bytes:
    """A picture, upright. The file goes as it is, but for one that only its EXIF data turn upright, which servers do not look at.

    Raises:
        MediaError: it is no picture, a damaged one, or too large.
        ExpertError: it has more than 100 MiB.
    """
    data = _read(artifact)
    if _is_whole_upright_jpeg(data):
        return _with_type(data, artifact.media_type)
    upright = load_image(artifact)  # sent unread, a damaged file would cost a call
    if _rotation(data) == 1:
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
    """Width and height of a picture that was sent, as it is shown."""
    from PIL import Image

    data = _read(artifact)
    with Image.open(io.BytesIO(data)) as raw:
        width, height = raw.size
    return (height, width) if _rotation(data) in _ON_THEIR_SIDE else (width, height)


def _is_whole_upright_jpeg(data: bytes) -> bool:
    """False for all that `load_image` has to look at. A JPEG is read to its end at an eighth of its size, in an eighth of the time."""
    from PIL import Image

    if not data.startswith(b"\xff\xd8"):
        return False
    try:
        with Image.open(io.BytesIO(data), formats=["JPEG"]) as raw:
            if raw.size[0] * raw.size[1] > MAX_PIXELS or raw.getexif().get(_TELLS_ROTATION, 1) != 1:
                return False
            raw.draft("L", (1, 1))
            raw.load()
    except Exception:  # whatever it is, `load_image` says it better
        return False
    return True


def _rotation(data: bytes) -> int:
    """As EXIF numbers it; 1 is upright."""
    from PIL import Image

    with Image.open(io.BytesIO(data)) as raw:
        return int(raw.getexif().get(_TELLS_ROTATION, 1))


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
