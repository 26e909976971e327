"""The main text of a web page. With lxml, which the packages for Word and PowerPoint files of the extra `media` bring."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from typing import Any

from ..artifacts import Artifact
from ..errors import MediaError, MissingExtraError

MAX_BYTES = 10 * 2**20
_BOMS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_CHARSET = re.compile(
    rb"<meta[^>]{0,500}?charset\s*=\s*[\"']?\s*([\w:.-]{1,40})|<\?xml[^>]{0,200}?encoding\s*=\s*[\"']([\w:.-]{1,40})", re.I
)
_UNSEEN = frozenset(
    "head script style noscript template svg math canvas iframe object embed form button select input textarea dialog audio video".split()
)
_AROUND = frozenset("nav header footer aside menu".split())
_ROLES = frozenset("navigation banner contentinfo complementary search".split())
_BLOCKS = frozenset(
    "p div section article main li ul ol dl dt dd table tr h1 h2 h3 h4 h5 h6 pre blockquote figure figcaption br hr address body details"
    " summary nav header footer aside menu".split()
)
_SHORT = 200
"""Characters below which the main part of a page counts as empty, and its whole body is read."""


def html_text(artifact: Artifact) -> str:
    """The main text of a web page: paragraphs, headings, lists and tables (cells with ` | ` between them), a line each.

    Scripts, styles, forms and menus are left out, and what stands around the main part where that part is marked up as one (`main`,
    `article`). Nothing that the page names is fetched.

    Raises:
        MediaError: one of more than 10 MiB, or without text.
        MissingExtraError: lxml is not installed.
    """
    try:
        from lxml import etree
    except ImportError as e:
        raise MissingExtraError("lxml", "media") from e
    if artifact.size > MAX_BYTES:
        raise MediaError(
            f"The web page {artifact.name!r} has {artifact.size:,} bytes; at most {MAX_BYTES:,} are read.",
            remedy="Give its text, or a part of it.",
        )
    source = _decoded(artifact.read_bytes()).replace("\x00", "")
    parser = etree.HTMLParser(encoding="utf-8", no_network=True, remove_comments=True, remove_pis=True, huge_tree=True)
    try:
        root = etree.fromstring(source.encode("utf-8", errors="replace"), parser)
    except etree.XMLSyntaxError as e:
        raise MediaError(f"The web page {artifact.name!r} cannot be read: {e}.", remedy="Give its text.") from e
    text = _main_text(root) if root is not None else ""
    if not text:
        raise MediaError(
            f"The web page {artifact.name!r} holds no text.", remedy="Give a page whose text is in the file, not fetched by scripts."
        )
    return text


def _decoded(data: bytes) -> str:
    """By the byte order mark, then by what the page declares, then UTF-8, then Windows-1252, as browsers do."""
    for mark, encoding in _BOMS:
        if data.startswith(mark):
            return data[len(mark) :].decode(encoding, errors="replace")
    declared = _CHARSET.search(data[:4096])
    name = (declared[1] or declared[2]).decode("ascii") if declared else ""
    try:
        encoding = codecs.lookup(name).name if name else "utf-8"
        if encoding.startswith("utf-16"):  # no page that is read so far is
            encoding = "utf-8"
        if encoding in ("iso8859-1", "ascii"):
            encoding = "cp1252"
        return data.decode(encoding, errors="replace" if name else "strict")
    except (LookupError, UnicodeError):
        return data.decode("utf-8", errors="replace") if _is_utf_8(data) else data.decode("cp1252", errors="replace")


def _is_utf_8(data: bytes) -> bool:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _main_text(root: Any) -> str:
    """The title, and the parts that are marked up as the main one; where there is little in them, all that is no menu or the like."""
    body = root.find("body")
    body = root if body is None else body
    title = " ".join("".join(root.xpath("string(//head/title)")).split())
    text = "\n".join(filter(None, map(_text, _main_parts(root))))
    if len(text) < _SHORT:
        whole = _text(body)
        text = whole if len(whole) > len(text) else text
    text = text or _text(body, around=True)
    return text if not title or title in text[: len(title) + _SHORT] or not text else f"{title}\n{text}"


def _main_parts(root: Any) -> Iterator[Any]:
    """The elements that are marked up as the main part; of those within another only the outer one."""
    from lxml import etree

    depth = 0
    for event, node in etree.iterwalk(root, events=("start", "end"), tag=("main", "article", "div", "section")):
        if node.tag in ("main", "article") or node.get("role") == "main":
            if event == "start" and not depth:
                yield node
            depth += 1 if event == "start" else -1


def _text(element: Any, *, around: bool = False) -> str:
    """Its text, a line for each block."""
    from lxml import etree

    lines: list[str] = []
    words: list[str] = []
    preformatted = 0

    def end_line() -> None:
        text = "".join(words) if preformatted else " ".join("".join(words).split())
        if text.strip(" |\n\t"):
            lines.append(text.strip("\n").rstrip(" |") if preformatted else text.rstrip(" |"))
        words.clear()

    walk = etree.iterwalk(element, events=("start", "end"))
    for event, node in walk:
        tag = node.tag
        if event == "start":
            if node is not element and _is_left_out(node, around):
                walk.skip_subtree()
                continue
            if tag in _BLOCKS:
                end_line()
            preformatted += tag == "pre"
            words.append(node.text or "")
        else:
            left_out = node is not element and _is_left_out(node, around)
            if not left_out:
                if tag in _BLOCKS:
                    end_line()
                elif tag in ("td", "th"):
                    words.append(" | ")
                preformatted -= tag == "pre"
            if node is not element:
                words.append(node.tail or "")
    end_line()
    return "\n".join(lines)


def _is_left_out(node: Any, around: bool) -> bool:
    if node.tag in _UNSEEN or node.get("hidden") is not None or node.get("aria-hidden") == "true":
        return True
    return not around and (node.tag in _AROUND or node.get("role") in _ROLES)
