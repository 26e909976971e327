"""Arguments that the words of a request hold: labels to choose from, numbers, languages, questions, descriptions."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ....tools.task import Port

_MAX_LABEL = 6  # words
_WORD_NUMBERS = {w: n for n, w in enumerate("one two three four five six seven eight nine ten eleven twelve".split(), 1)}
_LANGUAGES = {
    "arabic": "ar", "chinese": "zh", "mandarin": "zh", "czech": "cs", "danish": "da", "dutch": "nl", "english": "en", "finnish": "fi",
    "french": "fr", "german": "de", "greek": "el", "hebrew": "he", "hindi": "hi", "hungarian": "hu", "indonesian": "id", "italian": "it",
    "japanese": "ja", "korean": "ko", "norwegian": "no", "polish": "pl", "portuguese": "pt", "romanian": "ro", "russian": "ru",
    "spanish": "es", "swedish": "sv", "turkish": "tr", "ukrainian": "uk", "vietnamese": "vi",
}  # fmt: skip
_OR = re.compile(r"\s*,?\s+(?:or|vs\.?|versus)\s+", re.I)
_LIST_END = re.compile(r"[?!;]|\.(?=\s|$)|\s[-–—]\s|,\s*(?:and|then)\s+\w+\s+(?:me|it|us|them|the|a)\b", re.I)
_LEAD = re.compile(
    r"^.*?\b(?:it['’]s|about|between|among|amongst|whether|if|is|are|was|were|as|from|of|into|either|under|categories|labels|classes|topics?|"
    r"with|be|has|have|it|they|its|to|writer|customer|author)\b\s*:?\s*(?=\S)",
    re.I | re.S,
)
_STARTS = re.compile(r"\b(?:about|between|among|amongst|whether|if|is|are|was|were|as|from|into|either|under|categories|labels)\b", re.I)
_ROW = re.compile(
    r"\b(?:into|from|between|among|amongst|under|as|of)\s+((?:[\w'’-]+\s?){1,3}(?:,\s+(?!and\b|or\b)(?:[\w'’-]+\s?){1,3})+(?:,?\s+(?:and|or)\s+(?:[\w'’-]+\s?){1,3})?)"
    r"(?=[.?!;]|\s*$)",
    re.I,
)
_POLITE = re.compile(
    r"^(?:(?:hi|hello|hey|please|kindly|ok|okay|so|now|and|then)\b[\s,!]*|"
    r"(?:can|could|would|will) you (?:please |kindly )?|i(?:'d| would) like (?:you )?to |i want (?:you )?to )+",
    re.I,
)
_FIND = re.compile(
    r"\b(?:where(?:['’]?s| is| are| was| were)?|find|locate|mark|spot|show|point out|highlight|box|draw a box (?:around|round)|"
    r"search for|look for|detect|see|(?:is|are) there|outline|got)\b:?",
    re.I,
)
_PLACE = re.compile(r"\b(?:in|on|from|at|inside|within|left|lying|standing)\b|[?!.;:](?=\s|$)", re.I)
_FILLER = re.compile(
    r"^(?:me|us|out|if|whether|there|here|any|every|all|each|one|of|for|to|the|a|an|some|only|just|please|also|where|is|are|was|were|my|our)"
    r"\b[\s,]*(?=\S)",
    re.I,
)
_VERB_OBJECT = re.compile(r"^[a-z]+(?: (?:me|us|up))? (?=(?:an?|some|the|two|three|several|my|our)\b)", re.I)


def labels(clause: str, sentence: str, tail: str, quotes: Sequence[str]) -> list[str]:
    """The labels that a request names to choose from; empty when it names none.

    Found in this order: several quoted words; a list after a colon; "A, B or C"; "A/B/C"; a capitalised row "A, B and C".

    Args:
        clause: the words that ask, as written.
        sentence: the sentence around them, as written.
        tail: what follows a colon in it.
        quotes: the texts quoted in it.
    """
    short = [q for q in quotes if len(q.split()) <= _MAX_LABEL]
    if len(short) >= 2:
        return _clean(short)
    for text in (tail, clause, sentence):
        for found in (_slashes(text), _alternatives(text), _commas(text) if text and text == tail else [], _led(text), _capitals(text)):
            if len(found) >= 2:
                return found
    return []


def _alternatives(text: str) -> list[str]:
    """ "A, B or C" with what leads up to A cut off."""
    match = _OR.search(text)
    if match is None:
        return []
    head, last = text[: match.start()], text[match.end() :]
    last = _LIST_END.split(last, maxsplit=1)[0]
    last = re.split(r",\s", last, maxsplit=1)[0]
    parts = re.split(r"\s*,\s*", _after_stop(head))
    row: list[str] = []
    for part in reversed(parts):
        if row and len(part.split()) > _MAX_LABEL and not _LEAD.match(part):
            break
        row.insert(0, part)
        if len(part.split()) > _MAX_LABEL or _STARTS.search(part):
            break
    row[0] = _without_lead(row[0])
    return _clean([*row, last])


def _after_stop(text: str) -> str:
    return re.split(r"[.?!;:]\s+|\s[-–—]\s", text)[-1]


def _without_lead(text: str) -> str:
    """The last noun phrase of "is the letter below about billing": billing."""
    shorter = text
    while (m := _LEAD.match(shorter)) and m.end() < len(shorter):
        shorter = shorter[m.end() :]
    shorter = re.sub(
        r"^(?:(?:the|this|that|my|our|your) (?:letter|text|review|message|customer|writer|author|mail|email|note|sender)\s+)",
        "",
        shorter,
        flags=re.I,
    )
    words = shorter.split()
    return " ".join(words[-3:]) if len(words) > _MAX_LABEL else shorter


def _slashes(text: str) -> list[str]:
    match = re.search(r"\w[\w'’-]*(?: \w[\w'’-]*)?(?:\s*/\s*\w[\w'’-]*(?: \w[\w'’-]*)?)+", text)
    if match is None or "//" in text:
        return []
    parts = re.split(r"\s*/\s*", match.group(0))
    return _clean([parts[0].split()[-1], *parts[1:]])


def _commas(text: str) -> list[str]:
    body = _LIST_END.split(text, maxsplit=1)[0]
    parts = re.split(r"\s*,\s*(?:and\s+|or\s+)?|\s+(?:and|or)\s+", body)
    row = len(parts) >= 2 and ("," in body or _OR.search(body)) and all(0 < len(p.split()) <= 4 for p in parts)
    return _clean(parts) if row else []


def _led(text: str) -> list[str]:
    """ "into A, B and C", "from A, B, C": a row of short phrases after a word that leads up to choices."""
    match = _ROW.search(text)
    found = _clean(re.split(r"\s*,\s*(?:and\s+|or\s+)?|\s+(?:and|or)\s+", match.group(1))) if match else []
    return found if len(found) > 2 else []


def _capitals(text: str) -> list[str]:
    match = re.search(r"(?:[A-Z][\w-]+(?:, | ))+(?:and|or|und) [A-Z][\w-]+", text[1:])
    return _clean(re.split(r",\s*|\s+(?:and|or)\s+", match.group(0))) if match else []


def _clean(parts: Sequence[str]) -> list[str]:
    out = [
        re.sub(r"^(?:an?|the|either|rather|more of an?|about|to|some|some kind of)\s+", "", p.strip(" \t\n.,;:!?\"'“”‘’()-–—"), flags=re.I)
        for p in parts
    ]
    return list(dict.fromkeys(p.strip() for p in out if p.strip()))


def things(text: str) -> list[str]:
    """What a wish to find names: "where are the red cups and the jug in this photo" gives "red cups" and "jug"; [] when it names none."""
    starts = [m.end() for m in _FIND.finditer(text)]
    found: list[str] = []
    for start, end in zip(starts, [*(m.start() for m in _FIND.finditer(text)), len(text)][1:], strict=True):
        said = _PLACE.split(text[start:end].strip(), maxsplit=1)[0]
        for part in re.split(r"\s*[,/+&]\s*|\s+(?:and|or)\s+", said):
            while _FILLER.match(part):
                part = _FILLER.sub("", part, count=1)
            found.append(re.sub(r"\s+(?:is|are|was|were)$", "", part.strip(), flags=re.I))
    return [p for p in dict.fromkeys(_clean(found)) if p and len(p.split()) <= _MAX_LABEL and not _FILLER.fullmatch(p)]


def number(port: Port, text: str) -> float | None:
    """The number that stands before a word of the port's name ("in two sentences" for `max_sentences`), or None."""
    nouns = [w for w in re.split(r"_+", port.name.lower()) if len(w) > 3]
    for noun in nouns:
        stem = re.escape(noun.rstrip("s"))
        match = re.search(rf"\b(\d{{1,4}}|{'|'.join(_WORD_NUMBERS)}|a(?: single)?)[\s-]+(?:\w+\s+)?{stem}s?\b", text, re.I)
        if match:
            word = match.group(1).lower()
            return float(_WORD_NUMBERS.get(word, 1 if word.startswith("a") else 0) or int(word))
    return None


def any_number(text: str) -> float | None:
    """The only number that a text holds, or None."""
    found = re.findall(r"(?<![\w.])-?\d+(?:\.\d+)?(?![\w.]*\w)", text)
    return float(found[0]) if len(found) == 1 else None


def language(port: Port, text: str) -> str | None:
    """ISO code of the language that the text names for a port called source_…, target_… or plain language, or None."""
    return next((_LANGUAGES[m[1].lower()] for m in language_words(port, text)), None)


def language_words(port: Port, text: str) -> list[re.Match[str]]:
    """Where a text names a language for such a port; group 1 is the word."""
    leads = {"source": r"from|of the", "target": r"into|to|(?<!is )(?<!are )(?<!was )in"}
    lead = leads.get(port.name.split("_")[0], r"in|as")
    return [m for m in re.finditer(rf"\b(?:{lead})\s+(\w+)", text, re.I) if m[1].lower() in _LANGUAGES]


def languages(text: str) -> list[str]:
    """ISO codes of the languages that a text names, in order, each once."""
    found = [_LANGUAGES[w] for w in re.findall(r"[a-z]+", text.lower()) if w in _LANGUAGES]
    return list(dict.fromkeys(found))


def question(text: str) -> str:
    """A clause without its politeness."""
    return _POLITE.sub("", text.strip()).strip(" ,;") or text.strip()


def description(text: str) -> str:
    """What is to be made: "Paint a fox in the snow" gives "a fox in the snow"."""
    asked = question(text).rstrip(".!?")
    return _VERB_OBJECT.sub("", asked, count=1) or asked
