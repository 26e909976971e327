"""Names and codes of languages, and which of a model's codes one means."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable

_ROWS = """
afrikaans af afr; albanian sq sqi als; amharic am amh; arabic ar ara arb; armenian hy hye; assamese as asm; asturian ast;
azerbaijani az aze azj; bashkir ba bak; basque eu eus; belarusian be bel; bengali bangla bn ben; bosnian bs bos; breton br bre;
bulgarian bg bul; burmese my mya; catalan ca cat; cebuano ceb; chinese mandarin zh zho cmn; croatian hr hrv; czech cs ces;
danish da dan; dutch flemish nl nld; english en eng; esperanto eo epo; estonian et est ekk; faroese fo fao; finnish fi fin;
french fr fra; galician gl glg; georgian ka kat; german de deu; greek el ell; guarani gn grn; gujarati gu guj; haitian creole ht hat;
hausa ha hau; hebrew he iw heb; hindi hi hin; hungarian hu hun; icelandic is isl; igbo ig ibo; ilocano ilo; indonesian id ind;
irish ga gle; italian it ita; japanese ja jpn; javanese jv jav; kannada kn kan; kazakh kk kaz; khmer km khm; kinyarwanda rw kin;
korean ko kor; kurdish ku kur kmr; kyrgyz ky kir; lao lo lao; latin la lat; latvian lv lav lvs; lingala ln lin; lithuanian lt lit;
luxembourgish lb ltz; macedonian mk mkd; malagasy mg mlg plt; malay ms msa zsm; malayalam ml mal; maltese mt mlt; maori mi mri;
marathi mr mar; mongolian mn mon khk; nepali ne nep npi; norwegian bokmål no nb nor nob; nynorsk nn nno; occitan oc oci;
odia oriya or ori ory; pashto ps pus pbt; persian farsi fa fas pes; polish pl pol; portuguese pt por; punjabi pa pan;
quechua qu que quy; romanian ro ron; russian ru rus; samoan sm smo; scottish gaelic gd gla; serbian sr srp; shona sn sna; sindhi sd snd;
sinhala si sin; slovak sk slk; slovenian sl slv; somali so som; spanish castilian es spa; sundanese su sun; swahili sw swa swh;
swedish sv swe; tagalog filipino tl tgl fil; tajik tg tgk; tamil ta tam; tatar tt tat; telugu te tel; thai th tha; tibetan bo bod;
tigrinya ti tir; turkish tr tur; turkmen tk tuk; ukrainian uk ukr; urdu ur urd; uyghur ug uig; uzbek uz uzb uzn; vietnamese vi vie;
welsh cy cym; wolof wo wol; xhosa xh xho; yiddish yi yid ydd; yoruba yo yor; zulu zu zul
"""
_LANGUAGES = tuple(tuple(row.split()) for row in _ROWS.split(";"))
"""Of each: names, then codes of ISO 639-1 and 639-3; a code that stands for a group is followed by the member that models have."""
_ALSO = {"simplified": "hans", "traditional": "hant", "cyrillic": "cyrl", "cn": "hans", "tw": "hant", "hk": "hant", "brazilian": "br"}


def meant(wanted: str, codes: Iterable[str]) -> str | None:
    """Which of a model's codes (`de`, `de_DE`, `deu_Latn`) a language is; None for none of them.

    Args:
        wanted: a name in English, or a code: `German`, `de`, `deu`, `de-DE`, `Chinese (Traditional)`.
    """
    known = sorted(codes)
    words = _words(wanted)
    exact = next((c for c in known if _words(c) == words), None)
    if exact is not None or not words:
        return exact
    row = next((r for w in words for r in _LANGUAGES if w in r), (words[0],))
    fitting = [c for c in known if _words(c)[0] in row]
    details = {_ALSO.get(w, w) for w in words}
    return max(fitting, key=lambda c: len(details.intersection(_words(c)[1:])), default=None)


def same(one: str, other: str) -> bool:
    """Whether two names or codes mean the same language, whatever its script."""
    return meant(one, [other]) is not None


def name_of(code: str) -> str:
    """The English name of a code's language; the code itself where it is not known."""
    words = _words(code)
    return next((r[0].capitalize() for r in _LANGUAGES if words and words[0] in r), code)


def is_language(code: str) -> bool:
    """Whether a code is one known language, not a group of them such as `roa` or `mul`."""
    words = _words(code)
    return bool(words) and any(words[0] in row for row in _LANGUAGES)


def nearest(wanted: str, codes: Iterable[str]) -> list[str]:
    """A model's languages that are written most like an unknown one; its first ones where none is like it."""
    named = sorted({f"{name_of(c)} ({c})" if name_of(c) != c else c for c in codes})
    keys = {n.split(" (")[0].lower(): n for n in named}
    like = difflib.get_close_matches(wanted.lower(), list(keys), n=5, cutoff=0.5)
    return [keys[k] for k in like] or named[:12]


def _words(text: str) -> list[str]:
    return [w for w in re.split(r"[^\w]+|_", text.lower()) if w]
