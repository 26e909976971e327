"""Values out of replies. Each function raises ExpertError, with a clause that says what is wrong, for what cannot be used."""

from __future__ import annotations

import io
import math
import warnings
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from ....index.errors import ExpertError
from ...media import MAX_PIXELS
from ...sniff import extension_of, kind_of, media_type_of
from ...task import Kind
from ..runner import NewMedia

if TYPE_CHECKING:
    from PIL import Image

_ROUNDING = 1e-3
_PNG, _PNG_END = b"\x89PNG", b"IEND\xaeB`\x82"
_BOX_HEAD = 8
_LONG_BOX_HEAD = 16


def part(holder: Any, name: str) -> Any:
    """Part of a reply, whether the client made an object of it or left it as JSON; None where it is missing."""
    return holder.get(name) if isinstance(holder, dict) else getattr(holder, name, None)


def sequence(value: Any, what: str, *, least: int = 0) -> Sequence[Any]:
    """A list."""
    if not isinstance(value, list | tuple):
        raise ExpertError(f"{what} should be a list, not {shown(value)}")
    if len(value) < least:
        raise ExpertError(f"there are no {what}")
    return value


def text(value: Any, what: str, *, may_be_empty: bool = False) -> str:
    """A text without white space around it."""
    if not isinstance(value, str):
        raise ExpertError(f"{what} should be a text, not {shown(value)}")
    if not value.strip() and not may_be_empty:
        raise ExpertError(f"{what} is empty")
    return value.strip()


def number(value: Any, what: str) -> float:
    """A number, neither NaN nor infinite."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ExpertError(f"{what} should be a number, not {shown(value)}")
    try:
        plain = float(value)
    except OverflowError:
        plain = math.inf
    if not math.isfinite(plain):
        raise ExpertError(f"{what} is {plain}, which is no number to go by")
    return plain


def score(value: Any, what: str = "the score") -> float:
    """A number in 0..1; what lies beyond by rounding alone is put right."""
    plain = number(value, what)
    if not -_ROUNDING <= plain <= 1 + _ROUNDING:
        raise ExpertError(f"{what} should lie between 0 and 1, not be {plain:g}")
    return min(1.0, max(0.0, plain))


def labels(value: Any) -> list[dict[str, Any]]:
    """Labels with scores, best first, at least one, each once: of two of one name (ImageNet has the crane twice) the better."""
    found: list[dict[str, Any]] = [
        {"label": text(part(e, "label"), "a label"), "score": score(part(e, "score"))} for e in sequence(value, "labels", least=1)
    ]
    best_of = {e["label"]: e for e in sorted(found, key=lambda e: e["score"])}
    return sorted(best_of.values(), key=lambda e: -e["score"])


def chosen(value: Any, asked: Iterable[str]) -> list[dict[str, Any]]:
    """The same, where exactly these were to choose from."""
    found, wanted = labels(value), set(asked)
    if {e["label"] for e in found} != {label.strip() for label in wanted}:
        raise ExpertError(f"its labels are not the ones to choose from, but {shown(sorted(e['label'] for e in found))}")
    return found


def best(value: Any, what: str) -> Any:
    """The element with the highest score; elements without any count as 0."""
    elements = sequence(value, what, least=1)
    return max(elements, key=lambda e: 0.0 if part(e, "score") is None else score(part(e, "score")))


def picture(value: Any, name: str) -> NewMedia:
    """A picture that the client opened: its file as it came, decoded to its end to be sure that it is whole."""
    from PIL import Image

    if not isinstance(value, Image.Image):
        raise ExpertError(f"it should be a picture, not {shown(value)}")
    data = _file_of(value)
    decoded(value)
    if data is not None and data.startswith(_PNG) and _PNG_END not in data:  # decoding can do without it
        raise ExpertError("the picture is cut off")
    if data is None or (media_type := media_type_of(data)) not in ("image/png", "image/jpeg", "image/webp", "image/gif"):
        out = io.BytesIO()
        value.save(out, "PNG")
        data, media_type = out.getvalue(), "image/png"
    return NewMedia(data=data, media_type=media_type, name=name + extension_of(media_type))


def decoded(image: Image.Image) -> Image.Image:
    """The same picture with all of its pixels read."""
    from PIL import Image

    width, height = image.size
    if width * height > MAX_PIXELS:
        raise ExpertError(f"the picture has {width:,} x {height:,} pixels; at most {MAX_PIXELS // 10**6} million are read")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            image.load()
    except (OSError, SyntaxError, ValueError, EOFError) as e:
        raise ExpertError(f"the picture is damaged ({shown(str(e))})") from e
    return image


def file(value: Any, kind: Kind, name: str) -> NewMedia:
    """A recording or a video: bytes of a known format, not cut off where the format tells."""
    if not isinstance(value, bytes | bytearray):
        raise ExpertError(f"{kind} should be a file, not {shown(value)}")
    data = bytes(value)
    if not data:
        raise ExpertError("the file is empty (0 bytes)")
    media_type = media_type_of(data)
    if kind_of(media_type) is not kind:
        raise ExpertError(
            f"the file should hold {kind}, not {media_type}"
            + (f": {shown(data[:80].decode(errors='replace'))}" if media_type.startswith("text/") else "")
        )
    if (media_type == "audio/wav" and not _whole_wav(data)) or (media_type in ("video/mp4", "audio/mp4") and not _whole_mp4(data)):
        raise ExpertError("the file is cut off, or holds nothing")
    return NewMedia(data=data, media_type=media_type, name=name + extension_of(media_type))


def shown(value: Any) -> str:
    """A value in a message: short, and without anything that would move a cursor."""
    words = value if isinstance(value, str) else repr(value)
    return " ".join("".join(c if c.isprintable() else " " for c in words[:400]).split())[:120]


def _file_of(image: Image.Image) -> bytes | None:
    """The file that a picture is read from; None once it is read, or where it was made otherwise."""
    source = getattr(image, "fp", None)
    return bytes(source.getvalue()) if isinstance(source, io.BytesIO) else None


def _whole_wav(data: bytes) -> bool:
    """Whether the samples that a wav file announces are there; streamed files announce nothing, or four gigabytes."""
    at = 12
    while at + 8 <= len(data):
        name, size = data[at : at + 4], int.from_bytes(data[at + 4 : at + 8], "little")
        if name == b"data":
            left = len(data) - at - 8
            return left > 0 and (size in (0, 2**32 - 1) or size <= left)
        at += 8 + size + size % 2
    return False


def _whole_mp4(data: bytes) -> bool:
    """Whether the boxes of an mp4 file end where it ends, and the one without which nothing can be played is there."""
    at, names = 0, set()
    while at + _BOX_HEAD <= len(data):
        size, name = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8]
        names.add(name)
        if size == 1:
            size = int.from_bytes(data[at + 8 : at + _LONG_BOX_HEAD], "big")
        if size == 0:  # to the end
            at = len(data)
        elif size < _BOX_HEAD:
            return False
        at += size
    return at == len(data) and b"moov" in names
