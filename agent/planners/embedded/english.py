"""Whether a request is English: what an encoder of English makes of any other language is arbitrary.

Cheap signs, over the part that instructs (no quoted text, no file's name): small words of English and of other languages, letters with
marks, words that the tokenizer breaks into pieces, letters of other scripts. A stretch that is English makes the request English: what
stands beside it, `Translate: Der Zug hat Verspätung`, is what is worked on. Requests of one or two words mostly show nothing, and pass.
How many pass for what is kept in `tests/agent/planners/embedded/test_languages.py`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

# Small words, and verbs of wishes, that are none of any language below.
_ENGLISH = frozenset(
    "the and of it its this that these those my your our their his her you they she us them for from with without into about what which "
    "who where when how why whats does did has been can could would should will there here then "
    "than but not don't dont doesn't isn't if any all each every some only just also again too out up by at be are i i'm i've let like "
    "need want tell say says said read aloud make give gimme show find write wrote take look see turn put get keep pick check compare sum "
    "draw paint cut sort count explain translate summarise summarize english everything something anything picture word words "
    "sentence answer question speak spoken voice sound long much many more most first last one two three both other same between "
    "u ur".split()
)
# Small words of German, French, Spanish, Portuguese, Italian, Dutch, Polish, Turkish, Finnish, Swedish, Danish and Czech that are no
# English words, nor what English is often mistyped as.
_OTHERS = frozenset(
    "der das dem den ein eine einen einem einer und ist sind mir mich ich aus auf mit nicht auch noch nach für von zu zum zur bei "
    "diese diesem diesen dieses dieser welche welchen welcher wie wer wird sind bitte alle kannst wieviel viele "
    "le la les des du une et est ce cette ces cet je moi mes ma que qui quoi pour avec dans sur sont pas quel quelle votre vos leur "
    "el los las una unos y es esta este esto estos qué cómo cuál cuanto cuantos para por del al con mi mis lo está según puedes "
    "um uma o os na nas nos da dos das isto isso esse essa meu minha não você quantos quais pelo pela mim são "
    "il gli di che è nella nel nello questa questo queste questi cosa sono della dello delle degli dei dal con mio mia quanti quanto "
    "een het de deze dit naar wat er zijn voor niet ook mijn ik je hoe welke wie alsjeblieft uit zij bij op "
    "jest są nie się na z co czy jak ten ta tym tej mi mój moje proszę ile który jakie dla oraz "
    "bu bir ve ile için ne mi mı kaç şu var bana lütfen lutfen olan nasıl hangi kim "
    "tämä tämän ja mitä mikä se että kuinka missä ovat minulle montako kuka tässä "
    "och är det att som för på jag mig inte vad hvad og er på jeg ikke hvor som co je jsou prosím".split()
)
_QUOTED = re.compile(
    r"""\"[^\"]*\"|“[^“”]*”|„[^„“”]*[“”]|«[^«»]*»|「[^「」]*」|‘[^‘’]*’|(?<!\w)'(?:[^'\n]|(?<=\w)'(?=\w))+'(?!\w)|"""
    r"""(?<![\w-])[\w-]++\.[A-Za-z]\w{1,4}\b|(?<!\w)\w++://\S+|www\.\S+|\bde-(?=\w)"""
)
_WORDS = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?")
_STRETCHES = re.compile(r"[.?!:;…](?=\s|$)|[。？！：।؟\n]")
_LATIN = "\u0250"
_ENOUGH, _PIECES, _LETTERS = 1.25, 4, 2


@dataclass(frozen=True, kw_only=True)
class _Signs:
    """What a stretch shows.

    Attributes:
        english: how many English words.
        others: how much speaks for another language in Latin letters, in words.
        strange: how many letters of other scripts, and latin: of the Latin one.
    """

    english: int
    others: float
    strange: int
    latin: int


def is_english(text: str, pieces: Callable[[str], int]) -> bool:
    """False where there are signs of another language, and no stretch that is English; true without any sign.

    Args:
        text: of a request, with its quotes.
        pieces: into how many tokens the encoder breaks a word.
    """
    stretches = [_signs(s, pieces) for s in _STRETCHES.split(_QUOTED.sub(" ", text))]
    if any(s.english and s.english >= s.others for s in stretches):
        return True
    strange = sum(s.strange for s in stretches)
    return sum(s.others for s in stretches) < _ENOUGH and not (strange >= _LETTERS and strange > sum(s.latin for s in stretches))


def _signs(stretch: str, pieces: Callable[[str], int]) -> _Signs:
    words = [m[0] for m in _WORDS.finditer(stretch)]
    latin = [w for w in words if max(w) < _LATIN]
    plain = [w for i, w in enumerate(latin) if i == 0 or w.islower()]  # a capital within may begin a name
    low = [w.lower() for w in latin]
    others = sum(w.lower() in _OTHERS and not w.isupper() for w in latin) + sum(not w.isascii() for w in plain if w.lower() not in _OTHERS)
    broken = sum(pieces(w) > 1 for w in plain) / _PIECES if others else 0.0
    return _Signs(
        english=sum(w in _ENGLISH for w in low),
        others=others + broken,
        strange=sum(map(len, words)) - sum(map(len, latin)),
        latin=sum(map(len, latin)),
    )
