"""A matplotlib figure as SVG that stands inside a page: its colours are the page's, and its text is the page's font.

Nothing in it needs a style attribute, which the page's Content-Security-Policy would refuse. Colours are drawn with the stand-ins
below and become classes (`f-ink` fills, `s-ink` strokes), so that the page's style sheet paints them, in light and in dark.
"""

from __future__ import annotations

import io
import re
import threading
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ...tools.errors import MissingExtraError
from .text import one_line

if TYPE_CHECKING:
    from matplotlib.axes import Axes

INK, MUTED, LINE, PANEL, ACCENT, MISS = (f"#0{n}0{n}0{n}" for n in range(1, 7))
_CLASSES = {INK: "ink", MUTED: "muted", LINE: "line", PANEL: "panel", ACCENT: "accent", MISS: "miss"}
_KEPT = ("fill", "stroke", "opacity", "fill-opacity", "stroke-opacity", "stroke-width", "stroke-dasharray", "text-anchor", "font-size")
_SETTING = threading.Lock()  # matplotlib's settings belong to the process: two at once would put back each other's


@contextmanager
def own_settings() -> Iterator[None]:
    """Inside, matplotlib draws as it was delivered, whatever the user's own settings; they are as before afterwards.

    Raises:
        MissingExtraError: matplotlib is not installed.
    """
    try:
        import matplotlib
    except ImportError as e:
        raise MissingExtraError("matplotlib", "evaluation") from e
    with _SETTING, matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams["svg.fonttype"] = "none"  # text stays text
        matplotlib.rcParams["svg.hashsalt"] = "hugginggpt"  # the same ids every time
        yield


class Drawing:
    """A figure with one pair of axes, measured in pixels; to be used inside `own_settings`.

    Args:
        width, height: of the whole.
        margins: left, right, top, bottom.
    """

    def __init__(self, width: int, height: int, margins: tuple[int, int, int, int]) -> None:
        from matplotlib.figure import Figure

        self.width, self.height = width, height
        left, right, top, bottom = margins
        self._figure = Figure(figsize=(width / 72, height / 72), dpi=72)
        box = (left / width, bottom / height, (width - left - right) / width, (height - top - bottom) / height)
        self.axes: Axes = self._figure.add_axes(box)
        self.axes.set_axisbelow(True)
        self.axes.spines[:].set_visible(False)
        self.axes.tick_params(left=False, bottom=False, top=False, labelsize=10, labelcolor=MUTED, pad=6)
        self._labels: list[tuple[str, str]] = []

    def label(self, text: str, limit: int = 40) -> str:
        """A stand-in for text of others; the SVG will have the text itself, cut to `limit` characters.

        matplotlib would take `$` for mathematics, and warn of letters that its own font lacks.
        """
        self._labels.append((one_line(text, limit), one_line(text, 200)))
        return f"Tg{len(self._labels) - 1}"

    def svg(self, name: str, told: str) -> str:
        """The drawing as an `<svg>` element.

        Args:
            name: unique in the page; ids begin with it.
            told: what the drawing shows, for those who do not see it.
        """
        out = io.StringIO()
        self._figure.savefig(out, format="svg", transparent=True, metadata={"Date": None})
        root = ET.fromstring(out.getvalue())  # noqa: S314  it is matplotlib's own, and no text of others is in it yet
        for parent in list(root.iter()):
            for child in list(parent):
                if child.tag.endswith(("metadata", "style")):
                    parent.remove(child)
        for element in root.iter():
            element.tag = element.tag.rpartition("}")[2]
            if element.tag == "text":
                self._put_text(element)
            _plain(element, name)
        root.attrib.clear()
        root.attrib.update({"class": "chart", "viewBox": f"0 0 {self.width} {self.height}", "width": str(self.width), "role": "img"})
        root.set("aria-label", told)
        return re.sub(r"\s*\n\s*", " ", ET.tostring(root, encoding="unicode", short_empty_elements=False))

    def _put_text(self, element: ET.Element) -> None:
        found = re.fullmatch(r"Tg(\d+)", element.text or "")
        if not found:
            return
        element.text, whole = self._labels[int(found[1])]
        if element.text != whole:
            ET.SubElement(element, "title").text = whole


def _plain(element: ET.Element, name: str) -> None:
    """Style attributes to classes and plain attributes; ids that are the page's own; `href` without a namespace."""
    classes = []
    for declaration in element.attrib.pop("style", "").split(";"):
        key, _, value = (part.strip() for part in declaration.partition(":"))
        if value in _CLASSES:
            classes.append(f"{key[0]}-{_CLASSES[value]}")
        elif key in _KEPT:
            element.set(key, value.removesuffix("px"))
    if classes:
        element.set("class", " ".join(classes))
    if element.tag == "g":
        element.attrib.pop("id", None)
    for key in list(element.attrib):
        value = element.attrib.pop(key)
        if key == "id":
            value = f"{name}-{value}"
        value = value.replace("url(#", f"url(#{name}-")
        if key.endswith("}href"):
            key, value = "href", f"#{name}-{value.removeprefix('#')}"
        if not (key == "transform" and value.startswith("rotate(-0 ")):
            element.set(key, value)
