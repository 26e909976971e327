"""Languages: ISO 639-1 codes and English names."""

from __future__ import annotations

from collections.abc import Iterable

# ISO 639-1 code, ISO 639-2 codes (terminological, bibliographic where it differs), English name; from pycountry 26.2 (iso-codes, Debian).
_TABLE = """
aa:aar:Afar ab:abk:Abkhazian ae:ave:Avestan af:afr:Afrikaans ak:aka:Akan am:amh:Amharic an:arg:Aragonese ar:ara:Arabic as:asm:Assamese
av:ava:Avaric ay:aym:Aymara az:aze:Azerbaijani ba:bak:Bashkir be:bel:Belarusian bg:bul:Bulgarian bi:bis:Bislama bm:bam:Bambara
bn:ben:Bengali bo:bod:tib:Tibetan br:bre:Breton bs:bos:Bosnian ca:cat:Catalan ce:che:Chechen ch:cha:Chamorro co:cos:Corsican cr:cre:Cree
cs:ces:cze:Czech cu:chu:Church_Slavic cv:chv:Chuvash cy:cym:wel:Welsh da:dan:Danish de:deu:ger:German dv:div:Divehi dz:dzo:Dzongkha
ee:ewe:Ewe el:ell:gre:Greek en:eng:English eo:epo:Esperanto es:spa:Spanish et:est:Estonian eu:eus:baq:Basque fa:fas:per:Persian
ff:ful:Fulah fi:fin:Finnish fj:fij:Fijian fo:fao:Faroese fr:fra:fre:French fy:fry:Western_Frisian ga:gle:Irish gd:gla:Scottish_Gaelic
gl:glg:Galician gn:grn:Guarani gu:guj:Gujarati gv:glv:Manx ha:hau:Hausa he:heb:Hebrew hi:hin:Hindi ho:hmo:Hiri_Motu hr:hrv:Croatian
ht:hat:Haitian hu:hun:Hungarian hy:hye:arm:Armenian hz:her:Herero ia:ina:Interlingua id:ind:Indonesian ie:ile:Interlingue ig:ibo:Igbo
ii:iii:Sichuan_Yi ik:ipk:Inupiaq io:ido:Ido is:isl:ice:Icelandic it:ita:Italian iu:iku:Inuktitut ja:jpn:Japanese jv:jav:Javanese
ka:kat:geo:Georgian kg:kon:Kongo ki:kik:Kikuyu kj:kua:Kuanyama kk:kaz:Kazakh kl:kal:Kalaallisut km:khm:Khmer kn:kan:Kannada
ko:kor:Korean kr:kau:Kanuri ks:kas:Kashmiri ku:kur:Kurdish kv:kom:Komi kw:cor:Cornish ky:kir:Kirghiz la:lat:Latin lb:ltz:Luxembourgish
lg:lug:Ganda li:lim:Limburgan ln:lin:Lingala lo:lao:Lao lt:lit:Lithuanian lu:lub:Luba-Katanga lv:lav:Latvian mg:mlg:Malagasy
mh:mah:Marshallese mi:mri:mao:Maori mk:mkd:mac:Macedonian ml:mal:Malayalam mn:mon:Mongolian mr:mar:Marathi ms:msa:may:Malay
mt:mlt:Maltese my:mya:bur:Burmese na:nau:Nauru nb:nob:Norwegian_Bokmål nd:nde:North_Ndebele ne:nep:Nepali ng:ndo:Ndonga nl:nld:dut:Dutch
nn:nno:Norwegian_Nynorsk no:nor:Norwegian nr:nbl:South_Ndebele nv:nav:Navajo ny:nya:Chichewa oc:oci:Occitan oj:oji:Ojibwa om:orm:Oromo
or:ori:Oriya os:oss:Ossetian pa:pan:Panjabi pi:pli:Pali pl:pol:Polish ps:pus:Pushto pt:por:Portuguese qu:que:Quechua rm:roh:Romansh
rn:run:Rundi ro:ron:rum:Romanian ru:rus:Russian rw:kin:Kinyarwanda sa:san:Sanskrit sc:srd:Sardinian sd:snd:Sindhi se:sme:Northern_Sami
sg:sag:Sango sh:hbs:Serbo-Croatian si:sin:Sinhala sk:slk:slo:Slovak sl:slv:Slovenian sm:smo:Samoan sn:sna:Shona so:som:Somali
sq:sqi:alb:Albanian sr:srp:Serbian ss:ssw:Swati st:sot:Southern_Sotho su:sun:Sundanese sv:swe:Swedish sw:swa:Swahili ta:tam:Tamil
te:tel:Telugu tg:tgk:Tajik th:tha:Thai ti:tir:Tigrinya tk:tuk:Turkmen tl:tgl:Tagalog tn:tsn:Tswana to:ton:Tonga tr:tur:Turkish
ts:tso:Tsonga tt:tat:Tatar tw:twi:Twi ty:tah:Tahitian ug:uig:Uighur uk:ukr:Ukrainian ur:urd:Urdu uz:uzb:Uzbek ve:ven:Venda
vi:vie:Vietnamese vo:vol:Volapük wa:wln:Walloon wo:wol:Wolof xh:xho:Xhosa yi:yid:Yiddish yo:yor:Yoruba za:zha:Zhuang zh:zho:chi:Chinese
zu:zul:Zulu
"""
_CODES = {name.replace("_", " ").casefold(): entry.split(":")[0] for entry in _TABLE.split() for name in entry.split(":")}
_NAMES = {entry.split(":")[0]: entry.split(":")[-1].replace("_", " ") for entry in _TABLE.split()}
_LONGEST_CODE = 3
TWO_LETTERS = frozenset(_CODES.values())
"""Every ISO 639-1 code."""


def language_code(said: str) -> str:
    """The ISO 639-1 code of a code of two or three letters, of one with a region (`pt-BR`), or of an English name.

    What has none, such as `multilingual` or a language with an ISO 639-3 code only, stays as it is, in lower case.
    """
    low = said.strip().casefold()
    if low in _CODES:
        return _CODES[low]
    base = low.replace("_", "-").partition("-")[0]
    return _CODES[base] if base in _CODES and len(base) <= _LONGEST_CODE else low


def language_name(code: str) -> str:
    """The English name of an ISO 639-1 code; anything else stays as it is."""
    return _NAMES.get(code, code)


def languages_named(words: Iterable[str]) -> set[str]:
    """The ISO 639-1 codes of the languages whose English names, of one word, are among some lower-case words."""
    return {_CODES[w] for w in words if len(w) > _LONGEST_CODE and w in _CODES}
