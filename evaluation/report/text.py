"""Text that others wrote, made fit to be shown: requests, task names, replies, paths."""

from __future__ import annotations

import re

# what is no text in HTML and XML (control characters, halves of surrogate pairs, noncharacters), and the marks that turn the
# direction of all that follows them ("Trojan Source", CVE-2021-42574)
_UNFIT = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]")


def clean(text: object, limit: int) -> str:
    """At most `limit` characters, the last one an ellipsis when some were cut; what cannot be shown becomes U+FFFD. Lines are kept."""
    told = str(text)
    told = told if len(told) <= limit else told[: limit - 1] + "…"
    return _UNFIT.sub("\ufffd", told.replace("\r\n", "\n"))


def one_line(text: object, limit: int) -> str:
    """As `clean`, each run of white space one space."""
    # cut before the split, so that a huge text costs little; a little more is taken, since runs shrink
    return clean(" ".join(str(text)[: 4 * limit].split()), limit)


def duration(seconds: float) -> str:
    """Seconds for people, two or three digits: `340 µs`, `12 ms`, `1.9 s`, `5 min 20 s`, `2 h 05 min`."""
    if seconds < 0.000_999_5:
        return f"{seconds * 1e6:.0f} µs"
    if seconds < 0.999_5:
        return f"{seconds * 1e3:.3g} ms"
    if seconds < 99.95:
        return f"{seconds:.3g} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02d} s"
    return f"{minutes // 60} h {minutes % 60:02d} min"
