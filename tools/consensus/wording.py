"""What a text says, word by word, as two texts are compared: without case, punctuation and ways of writing numbers.

A word is a run of letters, digits and the marks that belong to them (the vowels of Hindi and Thai, the accents of Arabic). A sign that says
something by itself (%, €, +, ✓, 👍) is a word; so is a minus before a number, with it. Chinese and Japanese characters stand one by one.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

_CHARACTER = "぀-ヿ㐀-鿿"
_SIGN = re.compile(r"(?<![^\s(\[\"'“„«:=;/])[-−–](?=[$€£¥₹]?\d)")
_PRICE = re.compile(r"([$€£¥₹])\s?((?:\d[\d.,]*\d|\d)(?:\s(?:thousand|million|billion)\b)?)")
_PLAIN = re.compile(r"\d+(?:[.,]\d+)*")
_DIGITS = re.compile(r"\d+(?:\.\d+)*")
_GROUPED = re.compile(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?")
_GROUPED_BY_POINTS = re.compile(r"\d{1,3}(?:\.\d{3})+,\d+")
_COMMA = re.compile(r"\d+,\d+")
_JOINERS = "\u200c\u200d"
_DROPPED = dict.fromkeys(map(ord, "\ufe0e\ufe0f"))  # say in which style a sign is drawn
_SIGNS_OF_PUNCTUATION = "%‰"
_DECORATION = "|~©®™"
_FRAMES = range(0x2500, 0x25A0)

_TO_NINETEEN = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen"
)
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety"
_SMALL = {w: n for n, w in enumerate(_TO_NINETEEN.split())} | {w: 10 * n for n, w in enumerate(_TENS.split(), 2)}
_SCALES = {"thousand": 10**3, "million": 10**6, "billion": 10**9}
_UNITS = {
    name: unit
    for unit, names in {
        "%": "percent", "€": "euro euros eur", "$": "dollar dollars usd", "£": "gbp", "¥": "yen jpy", "₹": "rupee rupees inr",
        "kg": "kilogram kilograms", "g": "gram grams", "mg": "", "km": "kilometer kilometers kilometre kilometres",
        "m": "meter meters metre metres", "cm": "", "mm": "", "l": "liter liters litre litres", "ml": "", "h": "hour hours",
        "min": "minute minutes", "s": "second seconds", "°": "degree degrees", "kb": "", "mb": "", "gb": "", "tb": "",
        "miles": "mile mi", "lb": "lbs", "ft": "feet foot", "days": "day", "weeks": "week", "months": "month", "years": "year",
    }.items()
    for name in (unit, *names.split())
}  # fmt: skip
"""Units that a number may stand before, by the words for them."""

_NOT = frozenset(
    "not no non never none nobody nothing neither nor cannot without "  # English
    "nicht kein keine keinen keinem keiner keines nie niemals niemand nichts ohne nein "  # German
    "pas jamais aucun aucune rien sans nunca jamás nada nadie ningún ninguno ninguna sin senza nessuno nessuna niente "
    "não ninguém nem sem niet geen nooit niemand niets zonder не нет ни никогда без नहीं मत لا ليس لم لن 不 没 沒 无 無".split()
)
_NOT_INSIDE = ("ない", "ません", "ไม่", "않", "없")
"""Of languages that join "not" to the word before it, or write no spaces."""


@dataclass(frozen=True, kw_only=True)
class Numbers:
    """The numbers of a text.

    Attributes:
        counts: how often each is there, in digits; "-5" is another than "5".
        units: by number: the units that it stands before; none for most.
        loose: of `counts`, those up to ten that are written in words: a paraphrase may leave them out ("one of the men", "two dogs").
    """

    counts: Counter[str]
    units: dict[str, set[str]]
    loose: Counter[str]


def words(text: str) -> list[str]:
    """The words of a text; numbers in digits, without commas at thousands: "twenty-one million" is "21000000", "minus 5" is "-5".

    Of names of units after a number one is used: "10 euros" and "€10" are "10" and "€".
    """
    return [w for w, _ in _read(text)]


def numbers(text: str) -> Numbers:
    """The numbers of a text, those in words included; of words such as "mp3" their digits."""
    found = Numbers(counts=Counter(), units={}, loose=Counter())
    read = _read(text)
    for place, (word, in_words) in enumerate(read):
        values = [word] if _is_number(word) else _DIGITS.findall(word)
        found.counts.update(values)
        if in_words and word in _TO_TEN:
            found.loose[word] += 1
        after = read[place + 1][0] if place + 1 < len(read) else ""
        if _is_number(word) and after in _UNITS:
            found.units.setdefault(word, set()).add(after)
    return found


def numbers_alike(one: Numbers, other: Numbers) -> float:
    """F1 of two texts' numbers, 0..1; without any: 1. What only one text has and the other may leave out (`loose`) is left aside."""
    shared = Counter({n: c for n, c in (one.counts & other.counts).items() if not _other_units(n, one, other)})
    left, right = one.counts - shared, other.counts - shared
    if not right:
        left -= one.loose
    elif not left:
        right -= other.loose
    whole = 2 * shared.total() + left.total() + right.total()
    return 2 * shared.total() / whole if whole else 1.0


def denies(text: str) -> bool:
    """Whether a text says "not", in one of a dozen languages. "No. 5" does not."""
    found = words(text)
    for place, word in enumerate(found):
        numbered = word == "no" and place + 1 < len(found) and _is_number(found[place + 1])
        if (word in _NOT or word.endswith("n't")) and not numbered:
            return True
    return any(part in text for part in _NOT_INSIDE)


def _other_units(number: str, one: Numbers, other: Numbers) -> bool:
    here, there = one.units.get(number), other.units.get(number)
    return bool(here and there and here.isdisjoint(there))


def _read(text: str) -> list[tuple[str, bool]]:
    """The words, and of each whether it is a number that was written in words."""
    plain = unicodedata.normalize("NFC", text.casefold()).translate(_DROPPED).replace("’", "'")
    present = set(plain)
    plain = plain.translate({ord(c): str(unicodedata.digit(c)) for c in present if c > "\x7f" and unicodedata.category(c) == "Nd"})
    plain = _PRICE.sub(r"\2 \1", _SIGN.sub(" minus ", plain))
    return list(_in_digits([_number(part) for w in _pattern(present).findall(plain) for part in _parted(w)]))


def _parted(word: str) -> tuple[str, ...]:
    """A number and the unit that is written to it, as in "10kg"; else the word."""
    found = _PLAIN.match(word)
    return (found.group(), word[found.end() :]) if found and word[found.end() :] in _UNITS else (word,)


def _pattern(present: set[str]) -> re.Pattern[str]:
    """What matches a word, for the characters that are there: `re` has no classes of Unicode."""
    marks = "".join(re.escape(c) for c in sorted(present) if unicodedata.category(c)[0] == "M")
    signs = "".join(re.escape(c) for c in sorted(present) if _is_sign(c))
    letter = rf"[^\W_{_CHARACTER}{marks}]"
    run = rf"{letter}(?:{letter}|[{marks}{_JOINERS}])*"
    character = rf"[{_CHARACTER}]" + (f"[{marks}]*" if marks else "")
    return re.compile(rf"{character}|{run}(?:['.,]{run})*" + (f"|[{signs}]" if signs else ""))


def _is_sign(character: str) -> bool:
    if character in _DECORATION or ord(character) in _FRAMES:
        return False
    return character in _SIGNS_OF_PUNCTUATION or unicodedata.category(character) in ("Sc", "Sm", "So")


def _number(word: str) -> str:
    """A number in one way of writing: "1,240.0", "1.240,00" and "1240" are one, and so are "3,5" and "3.5"; any other word as it is."""
    if not _PLAIN.fullmatch(word):
        return word
    if _GROUPED.fullmatch(word):
        word = word.replace(",", "")
    elif _GROUPED_BY_POINTS.fullmatch(word):
        word = word.replace(".", "").replace(",", ".")
    elif _COMMA.fullmatch(word):
        word = word.replace(",", ".")
    return re.sub(r"\.0+$", "", word).lstrip("0") or "0"


def _is_number(word: str) -> bool:
    return bool(_PLAIN.fullmatch(word.removeprefix("-")))


def _in_digits(found: Sequence[str]) -> Iterator[tuple[str, bool]]:
    place, minus, counted = 0, False, False
    while place < len(found):
        word = found[place]
        if counted and word in _UNITS:
            yield _UNITS[word], False
            place, counted = place + 1, False
            continue
        if word == "minus" and place + 1 < len(found) and (_PLAIN.match(found[place + 1]) or found[place + 1] in _SMALL):
            place, minus = place + 1, True
            continue
        value, used, in_words = _scaled(found, place) or (word, 1, False)
        yield ("-" + value if minus else value), in_words
        place, minus, counted = place + used, False, _is_number(value)


def _scaled(found: Sequence[str], place: int) -> tuple[str, int, bool] | None:
    """A number that begins here with words for it, in digits; how many words it takes; and whether it has no digits."""
    if found[place] in _SMALL or found[place] == "hundred" or found[place] in _SCALES:
        value, used = _spelled_out(found, place)
        return str(value), used, True
    if place + 1 < len(found) and found[place + 1] in _SCALES and re.fullmatch(r"\d{1,30}(?:\.\d{1,30})?", found[place]):
        return format((Decimal(found[place]) * _SCALES[found[place + 1]]).normalize(), "f"), 2, False
    return None


def _spelled_out(found: Sequence[str], place: int) -> tuple[int, int]:
    """The number that words say, and how many of them. `room` is what the next one must be below: after "twenty" comes 1 to 9."""
    total = current = used = 0
    room, top = 10**12, 10**12
    while place + used < len(found):
        word = found[place + used]
        after = found[place + used + 1] if place + used + 1 < len(found) else ""
        if word in _SMALL and _SMALL[word] < room and (used == 0 or _SMALL[word]):
            current += _SMALL[word]
            room = 10 if _SMALL[word] >= 20 else 1
        elif word == "hundred" and current < 10 and (used == 0 or current):
            current, room = (current or 1) * 100, 100
        elif word in _SCALES and _SCALES[word] < top and (used == 0 or current):
            top = room = _SCALES[word]
            total, current = total + (current or 1) * top, 0
        elif not (word == "and" and used and room > 10 and _SMALL.get(after, room) < room):
            break
        used += 1
    return total + current, used


_TO_TEN = frozenset(str(n) for n in range(11))
