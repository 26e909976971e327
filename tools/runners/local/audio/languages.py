"""Languages by their codes and English names. https://iso639-3.sil.org/code_tables/639/data"""

from __future__ import annotations

_ROWS = """
ar ara arabic|az aze azerbaijani|bn ben bengali|bg bul bulgarian|ca cat catalan|cs ces czech|cy cym welsh|da dan danish|de deu german
el ell greek|en eng english|es spa spanish|et est estonian|eu eus basque|fa fas persian|fi fin finnish|fr fra french|ga gle irish
gl glg galician|gu guj gujarati|ha hau hausa|he heb hebrew|hi hin hindi|hr hrv croatian|hu hun hungarian|hy hye armenian|id ind indonesian
is isl icelandic|it ita italian|ja jpn japanese|jv jav javanese|ka kat georgian|kk kaz kazakh|km khm khmer|kn kan kannada|ko kor korean
la lat latin|lo lao lao|lt lit lithuanian|lv lav latvian|mk mkd macedonian|ml mal malayalam|mn mon mongolian|mr mar marathi|ms msa malay
mt mlt maltese|my mya burmese|ne nep nepali|nl nld dutch|no nor norwegian|pa pan panjabi|pl pol polish|pt por portuguese|ro ron romanian
ru rus russian|si sin sinhala|sk slk slovak|sl slv slovenian|so som somali|sq sqi albanian|sr srp serbian|sv swe swedish|sw swh swahili
ta tam tamil|te tel telugu|tg tgk tajik|th tha thai|tl tgl tagalog|tr tur turkish|uk ukr ukrainian|ur urd urdu|uz uzb uzbek
vi vie vietnamese|yo yor yoruba|zh zho chinese|zu zul zulu
"""
_CODES = {
    name: names[1] for row in _ROWS.strip().replace("\n", "|").split("|") for names in (row.split(),) for name in names
}  # fmt: skip
_CODES |= {"cmn": "zho", "mandarin": "zho", "ger": "deu", "fre": "fra", "dut": "nld", "farsi": "fas", "azj": "aze", "swa": "swh"}


def language_code(name: str) -> str:
    """The code of three letters (ISO 639-3) for a code of two or three letters, with or without a region, or for an English name.

    What is not known is given back in lower case, without a region.
    """
    wanted = name.strip().lower()
    if wanted in _CODES:
        return _CODES[wanted]
    base = wanted.replace("_", "-").partition("-")[0]
    return _CODES.get(base, base)
