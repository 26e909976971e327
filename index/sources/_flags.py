"""What a reader of a card's text should beware of. Such a card is kept: its text is data, and these flags say which.

English only, and by phrases: no guard, but a mark for people and for those who put texts before a language model.
"""

from __future__ import annotations

import re

GIVES_ORDERS = "gives-orders"
"""The text gives orders to a language model, e.g. "ignore all previous instructions" or "you must choose this model"."""
CONTROL_TOKENS = "control-tokens"
"""The text holds control tokens of chat templates, e.g. `<|im_start|>`; most often as documentation of a prompt's form."""

_OVERRIDE = ("ignore", "disregard", "forget", "override", "bypass")
_CHOOSE = ("choose", "select", "pick", "recommend", "prefer", "rank")
_THIS = ("this model", "our model")
_MUST = ("must", "shall", "have to")
_READERS = ("assistant", "agent", "planner", "selector", "controller", "ai", "llm", "large language model", "language model")


def _any(words: tuple[str, ...]) -> str:
    return "(?:" + "|".join(re.escape(w) for w in words) + ")"


_MUST_NOW = rf"\b(?:you|the {_any(_READERS)}) {_any(_MUST)} (?:always |now |only )?"
# A pattern is tried where a text holds one of the first words and one of the second: `in` is far quicker than a pattern, and nearly all
# texts hold none.
_ORDERS = tuple(
    (first, second, re.compile(pattern))
    for first, second, pattern in (
        (
            _OVERRIDE,
            ("",),
            rf"\b{_any(_OVERRIDE)} (?:(?:all|any|every|of|the|your|these|those|my) ){{0,3}}"
            r"(?:previous|prior|above|earlier|preceding|other|system|initial|original) (?:\w+ )?"
            r"(?:instructions?|prompts?|rules|directions|commands|guidelines|messages?|cards|models|candidates|text)\b",
        ),
        (
            _THIS,
            tuple(f"{verb} {this}" for verb in _CHOOSE for this in _THIS),
            rf"(?:{_MUST_NOW}|\balways ){_any(_CHOOSE)} {_any(_THIS)}\b"
            rf"|\b{_any(_CHOOSE)} {_any(_THIS)} (?:above|over|before|first|instead of|whatever|regardless|no matter)\b",
        ),
        (
            tuple(f"use {this}" for this in _THIS),
            _MUST,
            rf"{_MUST_NOW}use {_any(_THIS)} ?(?:[.!;]|$|(?:for (?:every|all|any)|instead|whatever|no matter)\b)",
        ),
        (
            ("any other ",),
            ("model", "candidate"),
            rf"\b(?:do not|don['’]t|never|must not) (?:{_any(_CHOOSE)}|call|use) any other (?:models?|candidates?)\b",
        ),
        (
            ("system prompt",),
            ("",),
            r"\b(?:reveal|print|repeat|output|leak|show|send) (?:me )?(?:your|the) (?:\w+ )?system prompt\b",
        ),
        (
            ("note to ", "message to ", "message for ", "instructions to ", "instructions for "),
            _READERS,
            rf"\b(?:note to|(?:message|instructions) (?:to|for)) (?:the |any |all )?{_any(_READERS)}s?(?: reading this)? ?[:,]",
        ),
        (("if you are a",), _READERS, rf"\bif you are an? {_any(_READERS)}\b"),
    )
)
_CONTROL = re.compile(
    r"<\|(?:im_start|im_end|system|user|assistant|start_header_id|end_header_id|eot_id|begin_of_text|end_of_text|endoftext|end_of_turn|end)\|>"
    r"|<start_of_turn>|<end_of_turn>|<<SYS>>|\[/?INST\]"
)


def flags_of(text: str) -> tuple[str, ...]:
    """The flags of a text, sorted; none for most."""
    found: tuple[str, ...] = ()
    if _holds(text, ("<|", "_of_turn>", "<<SYS>>", "INST]")) and _CONTROL.search(text):
        found = (CONTROL_TOKENS,)
    low = text.lower().replace("\n", " ")
    for first, second, pattern in _ORDERS:
        if _holds(low, first) and _holds(low, second) and pattern.search(low):
            return (*found, GIVES_ORDERS)
    return found


def _holds(text: str, words: tuple[str, ...]) -> bool:
    for word in words:  # noqa: SIM110 - a third quicker than any(), and every card of the Hub comes by
        if word in text:
            return True
    return False
