"""PDF files: how many pages, their text, and pages as pictures. With pypdfium2, of the extra `media`, in processes of its own."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from typing import Any

from ..artifacts import Artifact
from ..errors import MediaError, MissingExtraError
from .readers import BrokenError, Readers, SlowError

MAX_PAGES = 5_000
"""Of which the text is read."""
MAX_PICTURES = 50
"""Pages that are turned into pictures at once."""
MAX_CHARACTERS = 5_000_000
SECONDS = 20.0
"""For the text of a document, and for drawing a page."""
SECONDS_TO_LOOK = 5.0
_LOOKED_AT = 10
_READERS = Readers()


@dataclass(frozen=True, kw_only=True)
class PdfLook:
    """What a PDF file is, at a glance.

    Attributes:
        pages: at least 1.
        has_text: whether one of the first ten pages has a text layer, or filled fields of a form. A few words near the edges of a page that
            a picture covers (a stamp, a page number) are none.
    """

    pages: int
    has_text: bool


def look(artifact: Artifact) -> PdfLook:
    """Number of pages, and whether there is text. Looked up once for each content; what is wrong with it is remembered too.

    Raises:
        MediaError: no PDF that can be read: damaged, protected by a password, without pages, or made to keep its reader busy.
        MissingExtraError: pypdfium2 is not installed.
    """
    return PdfLook(pages=count_pages(artifact), has_text=bool(_known(_has_text(artifact))))


def count_pages(artifact: Artifact) -> int:
    """How many pages there are, without a look at what is on them. Raises as `look` does."""
    return _known(_pages(artifact))


def _known(found: int | MediaError) -> int:
    if isinstance(found, MediaError):
        raise MediaError(found.message, remedy=found.remedy)
    return found


@lru_cache(maxsize=512)
def _pages(artifact: Artifact) -> int | MediaError:
    return _told(artifact, "count", "pages")


@lru_cache(maxsize=512)
def _has_text(artifact: Artifact) -> int | MediaError:
    return _told(artifact, "has_text", "has_text", most=_LOOKED_AT)


def _told(artifact: Artifact, do: str, name: str, **request: Any) -> int | MediaError:
    """What there is to remember of a file: what was asked for, or why it cannot be told."""
    if not artifact.path.is_file():
        raise _gone(artifact)
    try:
        return int(_ask(artifact, do, seconds=SECONDS_TO_LOOK, **request)[0][name])
    except MediaError as e:
        return e


def pdf_text(artifact: Artifact) -> str:
    """The text of all pages in their order with the values of form fields, an empty line between pages. A last line in brackets tells
    which pages have no text, and which are a picture that has a few words at its edges.

    Raises:
        MediaError: as in `look`; more than 5,000 pages or five million characters; no page has text.
        MissingExtraError: pypdfium2 is not installed.
    """
    pages = count_pages(artifact)
    if pages > MAX_PAGES:
        raise MediaError(
            f"The PDF {artifact.name!r} has {pages:,} pages; at most {MAX_PAGES:,} are read.",
            remedy=f"Name one page, as in {artifact.name}#page=2, or split the file.",
        )
    texts, lacks = _texts(artifact, 1, pages)
    if all(lacks):
        raise no_text(artifact, pages)
    told = {lack: _listed([n for n, of_page in enumerate(lacks, 1) if of_page == lack]) for lack in ("text", "stamp") if lack in lacks}
    notes = [f"{told['text']} of {pages}, without text"] if "text" in told else []
    notes += [f"the picture that covers {told['stamp']} of {pages}"] if "stamp" in told else []
    return "\n\n".join([text for text in texts if text] + [f"[Not read: {'; '.join(notes)}.]"] * bool(notes))


def page_text(artifact: Artifact, page: int) -> str:
    """The text of one page, counted from 1. Raises as `pdf_text` does, and MediaError when there is no such page."""
    _check_page(artifact, page)
    texts, lacks = _texts(artifact, page, page)
    if any(lacks):
        raise no_text(artifact, 1, page)
    return texts[0]


def no_text(artifact: Artifact, pages: int, page: int = 0) -> MediaError:
    """What to say of a scan that is given as a text."""
    what = f"Page {page} of the PDF {artifact.name!r} is" if page else f"The PDF {artifact.name!r} is"
    return MediaError(
        f"{what} a picture without text (a scan, or empty).",
        remedy="Read it with image-to-text first" + (f", page by page, as in {artifact.name}#page=1." if pages > 1 else "."),
    )


def page_png(artifact: Artifact, page: int) -> bytes:
    """A page, counted from 1, as a PNG file of about 150 dots an inch, fewer where it would have more than 16 million of them.

    Raises:
        MediaError: as in `look`; there is no such page, or it cannot be drawn.
        MissingExtraError: pypdfium2 is not installed.
    """
    _check_page(artifact, page)
    return _ask(artifact, "picture", seconds=SECONDS, page=page)[1]


def page_pdf(artifact: Artifact, page: int) -> bytes:
    """A page, counted from 1, as a PDF file of its own, with its text and pictures but without what was filled into its form fields.

    Raises as `page_png` does.
    """
    _check_page(artifact, page)
    return _ask(artifact, "single", seconds=SECONDS, page=page)[1]


def _check_page(artifact: Artifact, page: int) -> None:
    pages = count_pages(artifact)
    if not 1 <= page <= pages:
        raise MediaError(f"There is no page {page} in {artifact.name!r}; it has {pages:,}.", remedy=f"Name a page from 1 to {pages:,}.")


def _texts(artifact: Artifact, first: int, last: int) -> tuple[list[str], list[str]]:
    """Text and lack (`text`, `stamp` or nothing) of pages."""
    reply, _ = _ask(artifact, "text", seconds=SECONDS, first=first, last=last, most=MAX_CHARACTERS)
    return reply["texts"], reply["lacks"]


def _ask(artifact: Artifact, do: str, *, seconds: float, **request: Any) -> tuple[dict[str, Any], bytes]:
    """What a reader replies to a request about a file, with what is wrong with that told as a MediaError."""
    name = artifact.name
    if find_spec("pypdfium2") is None:
        raise MissingExtraError("pypdfium2", "media")
    try:
        reply, data = _READERS.ask({"do": do, "path": str(artifact.path), **request}, seconds=seconds)
    except SlowError as e:
        raise MediaError(
            f"The PDF {name!r} takes longer than {seconds:g} seconds to read; it may be made to do so.",
            remedy="Print it into a new PDF, or give the page that is meant as a picture.",
        ) from e
    except BrokenError as e:
        raise MediaError(
            f"The PDF {name!r} cannot be read: {e}. It is damaged, or made to fill the memory.",
            remedy="Print it into a new PDF, or give the page that is meant as a picture.",
        ) from e
    match reply.get("fault"):
        case None:
            return reply, data
        case "gone":
            raise _gone(artifact)
        case "password":
            raise MediaError(f"The PDF {name!r} is protected by a password.", remedy="Save it without one.")
        case "empty":
            raise MediaError(f"The PDF {name!r} has no pages, or is cut off.", remedy="Give a whole file.")
        case "size":
            raise MediaError(
                f"The PDF {name!r} has more than {MAX_CHARACTERS:,} characters in the first {reply['why']:,} pages; at most "
                f"{MAX_CHARACTERS:,} are read.",
                remedy="Split the file.",
            )
    raise _damaged(name, f"{reply['why']:.200}")


def _gone(artifact: Artifact) -> MediaError:
    return MediaError(f"The PDF {artifact.name!r} cannot be read: it is not there any more.")


def _damaged(name: str, why: str) -> MediaError:
    return MediaError(f"The PDF {name!r} is damaged or cut off ({why}).", remedy="Give a whole file.")


def _listed(pages: list[int]) -> str:
    shown = ", ".join(map(str, pages[:10]))
    return f"{'page' if len(pages) == 1 else 'pages'} {shown}{f' and {len(pages) - 10} more' if len(pages) > 10 else ''}"
