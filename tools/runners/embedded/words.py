"""Words for comparing a question with a text: stems, the words that carry no content, and whether a text is English."""

from __future__ import annotations

import re

_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*(?:[.,:/]\d+)*")


def _set(text: str) -> frozenset[str]:
    return frozenset(text.split())


FUNCTION_WORDS = _set(
    "a an the this that these those and or but if nor so than then as of to in on at by for from with about into onto over"
    " under between within without through during before after against per via up down out off again once here there is am"
    " are was were be been being do does did doing done have has had having will would shall should can could may might"
    " must not no yes i me my mine we us our ours you your yours he him his she her hers it its they them their theirs who"
    " whom whose which what when where why how many much any all some each every both either neither other another such own"
    " same too very just only also even more most less least please say says said there's it's i'm don't doesn't didn't"
    " isn't aren't wasn't weren't what's who's"
)
"""English words that say how a sentence hangs together rather than what it is about."""

_ENGLISH = _set("the a an of to and in is was are for on it that with as at by i you we he she they be this not have has from or but")
_SUFFIXES = ("ations", "ation", "ments", "ment", "ness", "ings", "ing", "edly", "ers", "ed", "er", "ors", "or", "ly", "ies", "es", "s")


def words(text: str) -> list[str]:
    """Words and numbers in lower case, in order; `23.40`, `12/03/2024` and `14:35` are one each."""
    return [w.lower().replace("’", "'") for w in _WORD.findall(text)]


def stem(word: str) -> str:
    """A word without its English ending, so that `founded`, `founder` and `founding` are one; for comparing only.

    A short form of M. F. Porter's suffix stripping (Program 14.3, 1980): one ending, then a doubled consonant or a last `e`.
    """
    word = word.removesuffix("'s")
    if len(word) <= 3 or not word.isalpha() or not word.isascii():
        return word
    for suffix in _SUFFIXES:
        left = word[: -len(suffix)]
        if word.endswith(suffix) and len(left) >= 3 and any(v in left for v in "aeiouy") and not (suffix == "s" and left[-1] in "su"):
            word = left + ("y" if suffix == "ies" else "")
            break
    if len(word) > 3 and word[-1] == word[-2] and word[-1] not in "aeilosu":
        word = word[:-1]
    word = word.removesuffix("e") if len(word) > 3 else word
    return word[:-1] + "i" if word.endswith("y") and len(word) > 3 else word


def seems_english(text: str) -> bool:
    """A cheap guess over the first 5,000 characters; True when there is too little to go by (under 12 words).

    English prose has a fifth or more of its words among thirty common ones; receipts and lists have fewer, so a low share counts
    against a text only where its letters are ASCII and its lines read like prose.
    """
    head = text[:5000]
    letters = [c for c in head if c.isalpha()]
    if letters and sum(not c.isascii() for c in letters) > 0.2 * len(letters):
        return False
    found = [w for w in words(head) if w.isalpha()]
    if len(found) < 12:
        return True
    return sum(w in _ENGLISH for w in found) >= 0.08 * len(found)


NOT_ENGLISH = "the embedded expert knows English; the text seems to be in another language"


def language_note(text: str) -> tuple[str, ...]:
    """What to tell the reader about the language of the text; empty for English."""
    return () if seems_english(text) else (NOT_ENGLISH,)
