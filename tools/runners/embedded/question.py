"""What a question asks for: its words without the politeness, and the kind of answer that would do."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from .words import FUNCTION_WORDS, stem, words


class AnswerKind(StrEnum):
    """What an answer must hold to be one."""

    NUMBER = "number"
    DURATION = "duration"
    LENGTH = "length"
    EXTENT = "extent"
    AMOUNT = "amount"
    WHEN = "when"
    DATE = "date"
    TIME = "time"
    PERSON = "person"
    NAME = "name"
    ANY = "any"


@dataclass(frozen=True, kw_only=True)
class Question:
    """A question, read.

    Attributes:
        text: the question itself, without "please read this and tell me".
        kind: what the answer must hold.
        topic: X in "what does it say about X"; empty when something more definite is asked.
    """

    text: str
    kind: AnswerKind
    topic: str = ""


_LEAD = re.compile(
    r"^.*?\b(?:tell|show|give|inform|let)\s+(?:me|us)\s+(?:know\s+)?|^.*?\b(?:and|to|then|please)\s+(?:find\s+out|find|say|answer|check|look\s+up)\s+"
    r"|^(?:please\s+|can\s+you\s+|could\s+you\s+|would\s+you\s+|i\s+(?:would\s+like|want|need)\s+to\s+know\s+|do\s+you\s+know\s+|find\s+out\s+"
    r"|find\s+|say\s+|answer(?:\s+the\s+question)?:?\s+)+",
    re.I | re.S,
)
_SAYS = (
    r"(?:say|says|said|tell|tells|mention|mentions|mentioned|report|reports|reported|state|states|written|write|writes|read|info"
    r"|information|news|learn)"
)
_ON = r"(?:about|on|regarding|concerning)"
_TOPIC = re.compile(rf"\b{_SAYS}\b(?:\s+\w+){{0,3}}?\s+{_ON}\s+(?P<topic>.+)$|^{_ON}\s+(?P<bare>.+)$", re.I | re.S)
_KINDS = (
    (AnswerKind.TIME, r"\b(?:what|which|at what)\s+(?:time|hour)\b|\bwhat o'?clock\b|\bopening (?:hours|times)\b"),
    (AnswerKind.WHEN, r"\bwhen\b"),
    (AnswerKind.DATE, r"\b(?:what|which)\s+(?:\w+\s+)?(?:date|day|month|year)\b|^(?:the\s+)?(?:\w+\s+)?date\b|\bby when\b"),
    (
        AnswerKind.AMOUNT,
        r"\bhow much\b.*\b(?:pay|paid|cost|costs|spend|spent|charged?|owe|due|price|money|total)\b"
        r"|\b(?:total|price|cost|amount|sum|fee|fare|balance|tax|vat|rent|salary)\b",
    ),
    (AnswerKind.DURATION, r"\bhow old\b|\bhow long\b.*\b(?:live|last|take|wait|need|spend|stay|ago|since)|\bfor how long\b"),
    (AnswerKind.LENGTH, r"\bhow (?:far|tall|deep|wide|high)\b"),
    (AnswerKind.EXTENT, r"\bhow long\b"),
    (
        AnswerKind.NUMBER,
        r"\bhow (?:many|much|big|heavy|fast|often|warm|cold|hot|large)\b|\b(?:number|percentage|percent|share|temperature)\b",
    ),
    (AnswerKind.PERSON, r"\bwho(?:m|se)?\b"),
    (AnswerKind.NAME, r"\bwhat(?:'s| is| was) the name\b|\b(?:called|named)\b"),
)
_MONTHS = "january|february|march|april|may|june|july|august|september|october|november|december"
_NUMERAL = (
    r"(?:\d[\d.,]*|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|dozen|hundred|thousand|million|billion|half|third"
    r"|quarter|fifth)"
)
_OF_TIME = rf"\b{_NUMERAL}[\s-]+(?:second|minute|hour|day|night|week|month|year|decade|centur)\w*"
_OF_SPACE = rf"\b{_NUMERAL}[\s-]*(?:(?:kilo|centi|milli)?met(?:re|er)s?|k?m|cm|mm|miles?|feet|foot|ft|inch(?:es)?|yards?)\b"
_DATE = (
    rf"\b(?:{_MONTHS})\b|\b(?:jan|feb|mar|apr|jun|jul|aug|sept?|oct|nov|dec)\b\.?|\b(?:mon|tues|wednes|thurs|fri|satur|sun)days?\b"
    r"|\b(?:1[5-9]|20)\d\d\b|\b\d{1,2}[./-]\d{1,2}[./-]\d{2,4}\b|\b\d{4}-\d\d-\d\d\b|\b(?:today|tomorrow|yesterday|(?:next|last)\s+\w+)\b"
)
_TIME = r"\b\d{1,2}[:.h]\d\d\b|\b\d{1,2}\s*(?:a\.?m|p\.?m|o'?clock)\b|\b(?:noon|midnight)\b"
_HOLDS = {
    AnswerKind.NUMBER: re.compile(rf"\b{_NUMERAL}\b", re.I),
    AnswerKind.DURATION: re.compile(_OF_TIME, re.I),
    AnswerKind.LENGTH: re.compile(_OF_SPACE, re.I),
    AnswerKind.EXTENT: re.compile(f"{_OF_TIME}|{_OF_SPACE}", re.I),
    AnswerKind.AMOUNT: re.compile(
        r"[$€£¥]\s*\d|\d[\d.,]*\s*(?:[$€£¥]|euros?\b|dollars?\b|pounds?\b|eur\b|usd\b|gbp\b|(?:thousand|million|billion)\b)"
        r"|\d+[.,]\d\d\b",
        re.I,
    ),
    AnswerKind.DATE: re.compile(_DATE, re.I),
    AnswerKind.TIME: re.compile(_TIME, re.I),
    AnswerKind.WHEN: re.compile(f"{_DATE}|{_TIME}", re.I),
    AnswerKind.PERSON: re.compile(
        r"\b(?:[A-Z][\w'-]+\s+(?:[A-Z]\.\s+|von\s+|van\s+|de\s+)*[A-Z][\w'-]+|(?:Mr|Mrs|Ms|Dr|Prof)\b\.?\s+[A-Z]\w+)"
    ),
    AnswerKind.NAME: re.compile(r"\b[A-Z][\w'-]+(?:\s+[A-Z][\w'-]+)*"),
}
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_NO_NAMES = {stem(w) for w in [*_MONTHS.split("|"), *FUNCTION_WORDS, *_DAYS]}


def read_question(text: str) -> Question:
    """Read a question or an instruction that asks for something."""
    plain = " ".join(text.split())
    stripped = _LEAD.sub("", plain, count=1).strip()
    plain = stripped if words(stripped) else plain
    plain = plain.rstrip(" ?.!") or plain
    topic = _TOPIC.search(plain)
    kind = next((kind for kind, pattern in _KINDS if re.search(pattern, plain, re.I)), AnswerKind.ANY)
    if topic is not None:
        return Question(text=plain, kind=AnswerKind.ANY, topic=(topic["topic"] or topic["bare"]).strip())
    return Question(text=plain, kind=kind)


def holds(question: Question, text: str) -> bool:
    """Whether a text holds something of the kind that is asked for, beyond what the question itself says."""
    if question.kind is AnswerKind.ANY:
        return True
    known = {stem(w) for w in words(question.text)}
    if question.kind in (AnswerKind.PERSON, AnswerKind.NAME):
        known |= _NO_NAMES
    return any(not {stem(w) for w in words(found[0])} <= known for found in _HOLDS[question.kind].finditer(text))
