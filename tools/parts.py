"""Parts of files: a page of a PDF, a frame of a video, and files of one kind for ports of another.

A part is meant by what follows a file's id, path or address: `#page=2`, counted from 1, or `#t=12.5`, in seconds.
"""

from __future__ import annotations

import re
from pathlib import PurePath
from typing import TYPE_CHECKING

from .errors import MediaError, MissingExtraError
from .sniff import PDF
from .task import Kind

if TYPE_CHECKING:
    from .artifacts import Artifact, ArtifactStore

_PART = re.compile(r"(.+)#(page=[1-9]\d{0,6}|t=\d{1,6}(?:\.\d{1,6})?)", re.S)


_LIKE_A_PART = re.compile(r"(.+)#(page|t)=([^#]*)", re.S)


def split_part(value: str) -> tuple[str, str]:
    """What stands before a part, and the part: `("a.pdf", "page=2")`; `("a.pdf", "")` for a whole file.

    Raises:
        MediaError: what follows looks like a part and is none, as in `a.pdf#page=0`.
    """
    if (found := _PART.fullmatch(value)) is not None:
        return found[1], found[2]
    if (like := _LIKE_A_PART.fullmatch(value)) is None:
        return value, ""
    if like[2] == "page":
        what, remedy = "page", "Pages count from 1, as in #page=2."
    else:
        what, remedy = "time", "Times are seconds from the beginning, as in #t=12.5."
    raise MediaError(f"There is no {what} {like[3]!r:.40} in {like[1][-80:]!r}.", remedy=remedy)


def named_whole(value: str) -> str:
    """What stands before a part, or before what looks like one: `a.pdf` of `a.pdf#page=0`."""
    like = _LIKE_A_PART.fullmatch(value)
    return like[1] if like is not None else value


def picture_of(store: ArtifactStore, artifact: Artifact, part: str) -> Artifact:
    """A part of a file as a picture in the store.

    Raises:
        MediaError: the file has no such part, or cannot be read.
        MissingExtraError: a package that reads it is not installed.
    """
    name, _, value = part.partition("=")
    if name == "page" and artifact.media_type == PDF:
        return page_picture(store, artifact, int(value))
    if name == "t" and artifact.kind is Kind.VIDEO:
        return _frame(store, artifact, float(value))
    remedy = "Leave out what follows the '#': pages are for PDF files (#page=2), times for videos (#t=12.5)."
    raise MediaError(f"{artifact.name!r} ({artifact.media_type}) has no {'pages' if name == 'page' else 'times'}.", remedy=remedy)


def text_of(store: ArtifactStore, artifact: Artifact, part: str) -> Artifact:
    """A part of a file for a port that takes text: the text of a page as a text file, a frame of a video as the picture that it is.

    Raises as `picture_of` does, and MediaError when the page has no text.
    """
    name, _, value = part.partition("=")
    if name == "page" and artifact.media_type == PDF:
        from .documents.pdf import page_text

        return store.put(page_text(artifact, int(value)).encode(), name=f"{_stem(artifact)}-page-{value}.txt", media_type="text/plain")
    return picture_of(store, artifact, part)


def part_of(store: ArtifactStore, artifact: Artifact, part: str) -> Artifact:
    """A part of a file as a file that fits all ports that the part fits: a page as a PDF file of its own, a frame of a video as a picture.

    Raises as `picture_of` does.
    """
    name, _, value = part.partition("=")
    if name == "page" and artifact.media_type == PDF:
        from .documents.pdf import page_pdf

        return store.put(page_pdf(artifact, int(value)), name=f"{_stem(artifact)}-page-{value}.pdf")
    return picture_of(store, artifact, part)


def page_picture(store: ArtifactStore, artifact: Artifact, page: int) -> Artifact:
    """A page of a PDF, counted from 1, as a PNG picture in the store. Raises MediaError and MissingExtraError."""
    from .documents.pdf import page_png

    return store.put(page_png(artifact, page), name=f"{_stem(artifact)}-page-{page}.png")


def page_count(artifact: Artifact) -> int:
    """How many pages of a file are pictures of their own: those of a PDF, 1 for anything else.

    Raises:
        MediaError: a PDF that cannot be read, or one of more than 50 pages.
        MissingExtraError: pypdfium2 is not installed.
    """
    if artifact.media_type != PDF:
        return 1
    from .documents.pdf import MAX_PICTURES, count_pages

    pages = count_pages(artifact)
    if pages > MAX_PICTURES:
        raise MediaError(
            f"The PDF {artifact.name!r} has {pages:,} pages; at most {MAX_PICTURES} are looked at as pictures.",
            remedy=f"Name one page, as in {artifact.name}#page=2, or split the file.",
        )
    return pages


def fitting(store: ArtifactStore, artifact: Artifact, kind: Kind) -> Artifact:
    """A file as a port of that kind takes it: itself, or the only page of a PDF as a picture. A video is taken for its sound.

    Raises:
        MediaError: a file of another kind, a PDF of several pages, a video without sound.
        MissingExtraError: a package that looks into it is not installed.
    """
    if artifact.media_type == PDF and kind is Kind.IMAGE:
        if (pages := page_count(artifact)) > 1:
            raise MediaError(
                f"The PDF {artifact.name!r} has {pages} pages; one picture is wanted.", remedy=f"Name a page, as in {artifact.id}#page=2."
            )
        return page_picture(store, artifact, 1)
    if artifact.kind is kind:
        return artifact
    if artifact.kind is Kind.VIDEO and kind is Kind.AUDIO:
        _check_sound(artifact)
        return artifact
    remedy = f"Give {_article(kind)} file."
    if artifact.kind is Kind.VIDEO and kind is Kind.IMAGE:
        remedy = f"Name a time in seconds for one of its frames, as in {artifact.id}#t=12.5."
    raise MediaError(
        f"{artifact.name!r} is {_article(artifact.kind)} file ({artifact.media_type}); {_article(kind)} file is wanted.", remedy=remedy
    )


def all_fitting(store: ArtifactStore, artifact: Artifact, kind: Kind) -> list[Artifact]:
    """As `fitting`, for a port that takes several: all pages of a PDF as pictures, at most 50."""
    if artifact.media_type == PDF and kind is Kind.IMAGE:
        return [page_picture(store, artifact, page) for page in range(1, page_count(artifact) + 1)]
    return [fitting(store, artifact, kind)]


def pdf_kind(artifact: Artifact) -> Kind:
    """Text for a PDF that has some, image for a scan; json where nothing can look into it. One that cannot be read counts as text, whose
    readers say why."""
    from .documents.pdf import look

    try:
        return Kind.TEXT if look(artifact).has_text else Kind.IMAGE
    except MissingExtraError:
        return Kind.JSON
    except MediaError:
        return Kind.TEXT


def _frame(store: ArtifactStore, artifact: Artifact, seconds: float) -> Artifact:
    import io

    from .video import read_frame

    out = io.BytesIO()
    read_frame(artifact, seconds).save(out, "PNG")
    return store.put(out.getvalue(), name=f"{_stem(artifact)}-at-{seconds:g}-s.png")


def _check_sound(artifact: Artifact) -> None:
    from .containers import opened

    with opened(artifact, kind="video") as container:
        if not container.streams.audio:
            raise MediaError(f"The video {artifact.name!r} has no sound.", remedy="Give a recording, or a video with sound.")


def _stem(artifact: Artifact) -> str:
    return PurePath(artifact.name).stem or artifact.id


def _article(kind: Kind) -> str:
    return f"an {kind}" if kind[0] in "aeiou" else f"a {kind}"
