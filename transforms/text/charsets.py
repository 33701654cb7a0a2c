"""Which legacy encoding bytes are in: every encoding's reading is scored as every language written in it.

A score is a log-likelihood in bits, summed over the characters beyond ASCII: letters by their rank in the language,
punctuation, symbols and control characters by how rarely text holds them, capitals, symbols and another script's
letters inside an ASCII word by how rarely that happens. Words in ASCII, which read the same in every encoding, tell
languages of the Latin script apart: that is what decides between "très" and "trčs". The tables are ranks, not
probabilities, and small; on article-length text they need not be more.

One matrix product scores all single-byte encodings; multi-byte ones are decoded.
"""

import functools
import re
import unicodedata
from collections import Counter
from typing import NamedTuple

import numpy as np
import numpy.typing as npt


class Charset(NamedTuple):
    """A reading of some bytes: a codec that Python knows, and the score; scores of the same bytes can be compared."""

    codec: str
    bits: float
    mean: float
    """Bits for each byte beyond ASCII, by the characters alone: -4 to -8 in text."""


class _Language(NamedTuple):
    codecs: str
    letters: str
    """Letters beyond ASCII, from the most frequent to the rarest."""
    words: str = ""
    """The most frequent words that are ASCII."""
    bits: float = 0.0
    """Added for each letter: below nought, where most characters beyond ASCII are punctuation."""


_WEST = "cp1252 iso8859_15 mac_roman cp850"
_EAST = "cp1250 iso8859_2 iso8859_16 cp852 mac_latin2"
_BALTIC = "cp1257 iso8859_13 iso8859_4 iso8859_10 cp775"
_TURKIC = "cp1254 cp857 mac_turkish"
_CYRILLIC = "cp1251 koi8_r cp866 iso8859_5 mac_cyrillic cp855"
_ARABIC = "cp1256 iso8859_6"

_LANGUAGES = (
    # Names from everywhere, a few in each article.
    _Language(
        _WEST + " cp1250 iso8859_2 cp1254 cp1257",
        "éüöáíóñçäèåøêëãôúàïîâæčšžćłńęśżąőřěşğıăģū",
        "the of and to in is that for on with was hhis said are",
        -4.0,
    ),
    _Language(
        _WEST + " cp437 cp863",
        "éèàêçôîùûâœëïü",
        "de la le les des et en du un une que est pour dans qui sur par au pas plus",
    ),
    _Language(_WEST + " cp437", "óíáéñúü¿¡ºª", "de la que el en y los del se las por un con una no para es al lo como"),
    _Language(
        _WEST + " cp860", "ãáçéíõêóúâàôºª", "de que e o do da em um para com uma os no se na por mais as dos ao foi"
    ),
    _Language(_WEST, "èàùòéìîºª°", "di e il la che in un del per una con sono non della le da al si dei nel ha"),
    _Language(
        _WEST + " cp437", "üäößéè", "der die und in den von zu das mit sich des auf ist im dem ein eine als auch es"
    ),
    _Language(_WEST, "ëéïöèüáó", "de het een van en in is dat op te zijn met voor niet aan er om ook als bij die"),
    _Language(_WEST, "äåöéü", "och i att det som en av den till med har de inte om ett var jag sig han men"),
    _Language(
        _WEST + " cp865",
        "æøåéöäóüòô",
        "og i det er at en til som den af av med de ikke der var et han har jeg om ble fra",
    ),
    _Language(_WEST, "äöåéšž", "ja on ei se oli hän että joka mutta ovat kun kuin sen tai niin myös jo vain mukaan"),
    _Language(
        _WEST + " iso8859_10 cp861",
        "ðáíæþöóúéýåøä",
        "og er sem en um til eru hann var fyrir ekki hefur vera kom af ur eftir",
    ),
    _Language(
        "cp1252 iso8859_14 iso8859_15 mac_roman",
        "áíéúóàòèìù",
        "an na ar agus go is i le do a bha air ag sin bhfuil nach gach",
    ),
    _Language("iso8859_14 cp1252", "ŷŵâêîôïáéòẁẃûëöẅÿ", "y yn i a ar yr o ac oedd bod mae wedi gan am ei fod hefyd"),
    _Language(_WEST, "àéèóòíçúïüá·", "de la que i el en els les un per del amb una va al es dels com no"),
    _Language(_WEST + " cp1250", "ëçêéâü", "dhe e i se te me nuk ka do dhe nga qe per si u po ne tij prej ky"),
    # Estonian was written in the Western sets and in the Baltic ones.
    _Language(
        f"{_WEST} {_BALTIC}", "äõüöšž", "ja on ei et oli ka see kui mis ta aga kes oma selle ning siis nii mitte"
    ),
    _Language(_EAST, "íáěéřčžýšůúóďťňäö", "se v a na je o s z do to i k ale si tak jako za po od by pro jsou"),
    _Language(_EAST, "áíčéýžšúťľäôňďóĺŕěř", "a v sa na je o s z do to i k ako za po od by pre pri ktor bol sme aj nie"),
    _Language(
        _EAST + " iso8859_13 cp1257",
        "łęąóżśćńź",
        "i w na z do nie jest to o a od po za przez dla ale jak ze tym ich oraz tego",
    ),
    _Language(_EAST, "áéőöíüóúű", "a az hogy nem is egy meg de ez volt csak ha el mint mert van kell lesz szerint"),
    _Language(
        "cp1250 iso8859_2 iso8859_16 cp852 mac_latin2",
        "ăîțâșţşáé",
        "de a la din cu pe nu o care este un fost mai ce pentru au lui iar se prin",
    ),
    _Language(_EAST, "čšžćđ", "je u i da na se za su od ne a s o kao bi iz nije ali te po koji sam bio"),
    _Language(_EAST + " iso8859_10", "čšžíéá", "je in v na da se za so ki pa z bi s tudi po ne ga od pri kot le ni"),
    _Language(_BALTIC, "ėšųžįąūčęõ", "ir kad su yra tai bet iki buvo jo po ar kaip taip dar nuo tik prie pat"),
    _Language(_BALTIC, "āēīšžūņļģķčōŗ", "un ir ar no par ka uz bet kas vai pie to lai gan tas tika viens nav pat"),
    _Language(_TURKIC, "ışüöçğâîû", "ve bir bu da de ne ile olarak daha en var olan dedi sonra gibi ama her o"),
    _Language(_TURKIC, "ışüöçğ", "sonra yeni ve bir bu da de olan ilk ki edib bunu daha ona var deyib"),
    _Language("iso8859_3", "ĝŝŭĉĵĥ", "la de kaj en estas al ne kiu ke li por pri per oni ili sed kun"),
    _Language("iso8859_3", "ħżġċàèòù", "il ta li u tal fil ma dan biex minn din kien hu hija dwar jew mal"),
    _Language("cp1258", "đ\u0301\u0300\u0323\u0309\u0303ơưâêôăáàảãéèíìóòúùýêô"),
    # With the stroke letters of Vietnamese only; others write Cyrillic.
    _Language(_CYRILLIC, "оаеинтсрвлкмдпуяыьгзбчйхжшюцщэфёъ"),
    _Language("cp1251 koi8_u iso8859_5 mac_cyrillic cp866", "оаинівтеркслудмпязьбгчйхжїшюєщфцґё"),
    _Language("cp1251 iso8859_5 mac_cyrillic cp866 koi8_r cp855", "аеоинтрсвлдпкмзгбуъячйжцшхщюфь"),
    _Language("cp1251 iso8859_5 cp866", "анікретсолдывпмузягьбйчэшўжцхюфё"),
    _Language("cp1251 iso8859_5 cp855 mac_cyrillic", "аоеинтрсвдклпмујгзбчхжшцњљфћђџѓќѕ"),
    _Language("ptcp154 kz1048", "аеынтілрқдсбукоғмйгзпәшңжөүяхчвұиэцфю"),
    _Language("cp1251 ptcp154 cp866 mac_cyrillic", "аныеникдрлтобшмуужгүөйсэзпчяңюхвц"),
    _Language("cp1253 iso8859_7 mac_greek cp869 cp737", "ατοιενσρκπυςλμηάγίδχόέήθώύφβξζψϊΐϋΰ"),
    _Language("cp1255 iso8859_8 cp862", "יוהלאתרמבשנדעחפקכסםטגצןזץףךְִֵֶַָֹּ"),
    _Language(_ARABIC, "اليمونرتعبةدفهسقأكحجشطصإىخضزذثئغءظؤآ،ًّ؟َُِ"),
    _Language("cp1256", "ایدرهنتمبوشسکزگخلقپفعجحچآطصضغثژظئذأؤ،\u200c"),
    _Language("cp874", "านรอกเงมวทยดลบส่้ะิีคั็ตหแป์ไใ์ุูืึจชขพำโซผณศถฟธภญๆ๊ษฒฐฏฑฤฮฉฝฎฯ๋"),
)

# The share of the Web's legacy pages in each, as an order only: between readings that are otherwise equal it decides.
_PRIORS = {
    **dict.fromkeys(("cp1250", "cp1251", "cp1252", "cp1253", "cp1254", "cp1255", "cp1256", "cp1257", "cp874"), 0.0),
    **dict.fromkeys(("iso8859_2", "iso8859_5", "iso8859_6", "iso8859_7", "iso8859_8", "iso8859_15"), -3.0),
    **dict.fromkeys(("cp932", "euc_jp", "gb18030", "big5hkscs", "cp949", "koi8_r", "koi8_u"), -3.0),
    **dict.fromkeys(("cp850", "cp852", "cp866", "cp1258", "iso8859_4", "iso8859_13"), -6.0),
    **dict.fromkeys(("mac_roman", "mac_latin2", "mac_cyrillic"), -6.0),
    "iso8859_10": -8.0,
}
_OTHER_PRIOR = -10.0

_PUNCTUATION = set("“”‘’–—…«»„•€°§·©®™£№\u00a0") | set("、。「」，：；！？（）・『』《》ー〜～")
_RARE_PUNCTUATION = set("‚‹›†‡\u00ad²³½ªº¿¡×±µ")
_FOREIGN = set("àáâäåæçèéêëíïñóôöøúüß")
_BITS_PUNCTUATION, _BITS_RARE, _BITS_SYMBOL, _BITS_FOREIGN, _BITS_OTHER_LETTER = -5.0, -9.0, -12.0, -9.0, -13.0
_BITS_CONTROL, _BITS_UNDEFINED = -17.0, -25.0
_BITS_CAPITAL = -2.0
_BITS_WORD = 4.0
_BITS_OTHER_SCRIPT = -15.0

_ASCII_WORD = re.compile(rb"(?<![\x80-\xff\w])[a-z]+(?![\x80-\xff\w])")

# How a byte beyond ASCII stands: not next to an ASCII letter, after one, before one, between two small ones.
_APART, _AFTER, _BEFORE, _INSIDE = range(4)
_CONTEXTS = 4


def rank(sample: bytes) -> list[Charset]:
    """All encodings that may be ``sample``'s, the likeliest first.

    >>> rank("Le maire a été réélu à la mairie, où il siège déjà.".encode("cp1252"))[0].codec
    'cp1252'
    """
    codecs, languages, weights = _models()
    counts = _count(sample)
    total = max(float(counts.sum()), 1.0)
    by_language = _language_bits(sample)
    by_letters = weights @ counts
    bits = by_letters + by_language[languages]
    best: dict[str, tuple[float, float]] = {}
    for codec, value, letters in zip(codecs, bits.tolist(), by_letters.tolist(), strict=True):
        best[codec] = max(best.get(codec, (value, letters)), (value, letters))
    other_script = _for_other_script(float(by_language.max()))
    for codec, table in _multi_byte():
        if (letters := _score_multi_byte(sample, codec, table)) is not None:
            best[codec] = letters + other_script, letters
    ranked = (
        Charset(codec, value + _PRIORS.get(codec, _OTHER_PRIOR), letters / total)
        for codec, (value, letters) in best.items()
    )
    return sorted(ranked, key=lambda charset: -charset.bits)


def _count(sample: bytes) -> npt.NDArray[np.float64]:
    """How often each byte from 0x80 stands in each context."""
    padded = np.frombuffer(b" " + sample + b" ", np.uint8)
    places = np.flatnonzero(padded >= 0x80)
    before, after = _LETTERS[padded[places - 1]], _LETTERS[padded[places + 1]]
    contexts = np.where(before & after, _INSIDE, np.where(before, _AFTER, np.where(after, _BEFORE, _APART)))
    flat = np.bincount(contexts * 128 + padded[places] - 128, minlength=_CONTEXTS * 128)
    return flat.astype(np.float64)


_LETTERS = np.array([chr(code).isascii() and chr(code).isalpha() for code in range(256)])


def _language_bits(sample: bytes) -> npt.NDArray[np.float64]:
    """What the ASCII words tell for each language; for one in another script that there are others between."""
    counts = Counter(_ASCII_WORD.findall(sample.lower()))
    bits = [sum(counts[word] * value for word, value in words) for words in _words()]
    other_script = _for_other_script(max(bits))
    return np.array([value if words else other_script for value, words in zip(bits, _words(), strict=True)])


def _for_other_script(most: float) -> float:
    return most + max(_BITS_OTHER_SCRIPT, -most)


@functools.cache
def _words() -> list[list[tuple[bytes, float]]]:
    """For each language its words with their weights: many languages have words of one letter."""
    return [
        [
            (word.encode(), 1.0 if len(word) == 1 else _BITS_WORD)
            for word in set(language.words.split())
            if word.isascii()
        ]
        for language in _LANGUAGES
    ]


@functools.cache
def _models() -> tuple[list[str], npt.NDArray[np.intp], npt.NDArray[np.float64]]:
    """For each pair of codec and language the weight in bits of each byte from 0x80 in each context."""
    codecs: list[str] = []
    languages: list[int] = []
    weights: list[npt.NDArray[np.float64]] = []
    for number, language in enumerate(_LANGUAGES):
        ranks = {letter: value + language.bits for letter, value in _letter_bits(language.letters).items()}
        for codec in language.codecs.split():
            table = _one_by_one(codec)
            codecs.append(codec)
            languages.append(number)
            weights.append(np.array([_weigh(character, ranks, bool(language.words)) for character in table]).T.ravel())
    return codecs, np.array(languages), np.array(weights)


def _one_by_one(codec: str) -> str:
    return "".join(bytes([byte]).decode(codec, "replace") for byte in range(0x80, 0x100))


def _letter_bits(letters: str) -> dict[str, float]:
    count = len(letters)
    bits: dict[str, float] = {}
    for number, letter in enumerate(letters):
        bits.setdefault(letter, float(np.log2(1.8 * (count - number) / (count * (count + 1)))))
        bits.setdefault(letter.upper(), bits[letter] + _BITS_CAPITAL)
    return bits


def _weigh(character: str, ranks: dict[str, float], is_latin: bool) -> list[float]:
    """Bits for a character in each context."""
    category = unicodedata.category(character)
    if character == "\ufffd":
        return [_BITS_UNDEFINED] * _CONTEXTS
    if character in ranks:
        value = ranks[character]
    elif character in _PUNCTUATION:
        value = _BITS_PUNCTUATION
    elif character in _RARE_PUNCTUATION:
        value = _BITS_RARE
    elif category.startswith("C"):
        value = _BITS_CONTROL
    elif not category.startswith("L"):
        value = _BITS_SYMBOL
    else:
        value = _BITS_FOREIGN if character in _FOREIGN else _BITS_OTHER_LETTER
    contexts = [value] * _CONTEXTS
    if category.startswith(("L", "M")) and character not in "ªº":
        if not is_latin and "LATIN" not in (name := unicodedata.name(character, "")) and "COMBINING" not in name:
            contexts[_AFTER] -= 8  # one word in two scripts
            contexts[_BEFORE] -= 8
            contexts[_INSIDE] -= 12
        elif character.isupper():
            contexts[_INSIDE] -= 6
            contexts[_AFTER] -= 3
    elif character not in "’\u00ad–·":
        contexts[_INSIDE] -= 6
        if character in "“„«‹¿¡":
            contexts[_AFTER] -= 4
        elif not category.startswith("P") and not category.startswith("Z"):
            contexts[_BEFORE] -= 3
    elif character == "’":
        contexts[_INSIDE] += 2
    return contexts


class _Ideographs(NamedTuple):
    """Bits for the characters of a language of many: the frequent ones, and a codec that holds the common ones."""

    frequent: frozenset[str]
    common: str
    kana: float
    hangul: float


_SIMPLIFIED = (
    "的一是在人能这们我了有个机用和器学以可为不于大工中上到来会他经时算习它多数计理发度如要成对智将方些实公现过年出自也法你生"
    "开行更而动其司很果据网作所并最研图就种使分业力之还解家性产通但进新得地说提前样都好与件因处化应量同型看正面内下手系入设间"
)
_TRADITIONAL = (
    "的我是一不了人有在生個這到會為以你來就要自好說動中看時上大對年可文們麼他也想多地著得物所沒過天都之出於那心學國後與下還事"
    "己子然去裡應開很日本如而無因作成現話前家感樣該能片實經語她起間最愛知給小名手面電情用影體道意分其者和行友發讓新同點但書又"
)
_KANJI = (
    "日一国会人年大十二本中長出三同時政事自行社見月分議後前民生連五発間対"
    "上部東者党地合市業内相方四定今回新場金員九入選立開手"
)
_HANGUL = (
    "이다는에하고가지로을의서그아어은기니도한나를리사있만라시스들자게해것일인면으보대수요정마주제되거적전여간오었내과상분용미데구까무"
    "비드트장부글러습진했할음없말생신우소안히않동저포색와때문모치유려터세바화더중같던입위월개단번성원공실각작경관후회금행업식"
)


@functools.cache
def _multi_byte() -> list[tuple[str, _Ideographs]]:
    japanese = _Ideographs(frozenset(_KANJI + _TRADITIONAL[:60]), "shift_jis", -5.0, -18.0)
    simplified = _Ideographs(frozenset(_SIMPLIFIED), "gb2312", -15.0, -18.0)
    traditional = _Ideographs(frozenset(_TRADITIONAL), "big5", -15.0, -18.0)
    korean = _Ideographs(frozenset(_HANGUL), "euc_kr", -16.0, -10.5)
    return [
        ("cp932", japanese),
        ("euc_jp", japanese),
        ("gb18030", simplified),
        ("big5hkscs", traditional),
        ("cp949", korean),
        ("johab", korean),
    ]


_ASCII_BYTES, _NON_ASCII = bytes(range(0x80)), bytes(range(0x80, 0x100))
_PROBE_BYTES = 2048  # tells most single-byte texts from multi-byte ones
_MAX_LOST = 0.02
_BITS_ASCII = -5.0


def _score_multi_byte(sample: bytes, codec: str, table: _Ideographs) -> float | None:
    """The score of a multi-byte reading; ``None`` where the bytes are not in it."""
    first = sample.find(sample.lstrip(_ASCII_BYTES)[:1]) if not sample.isascii() else 0
    for part in (sample[first : first + _PROBE_BYTES], sample):
        counts = Counter(part.decode(codec, "replace"))
        high = len(part) - len(part.translate(None, _NON_ASCII))
        if counts["\ufffd"] > _MAX_LOST * high + 1:
            return None
    wide = {character: count for character, count in counts.items() if character >= "\x80"}
    bits = sum(count * _weigh_wide(character, table) for character, count in wide.items())
    # ASCII bytes that are second halves: in any other reading each is a character to be accounted for.
    return bits - _BITS_ASCII * (len(sample) - high - (counts.total() - sum(wide.values())))


def _weigh_wide(character: str, table: _Ideographs) -> float:
    if character in table.frequent:
        return -7.5
    if character in _PUNCTUATION:
        return -6.0
    if "\u3041" <= character <= "\u309f":
        return table.kana
    if "\u30a1" <= character <= "\u30ff":
        return table.kana - 2
    if "\u3400" <= character <= "\u9fff" or "\uac00" <= character <= "\ud7a3":
        is_hangul = character >= "\uac00"
        try:
            size = len(character.encode(table.common))
        except UnicodeEncodeError:
            return -18.0
        if is_hangul:
            return table.hangul
        if table.hangul > -12:
            return -14.0
        first = character.encode(table.common)[0]
        is_first_level = {"gb2312": first < 0xD8, "big5": first < 0xC9, "shift_jis": first < 0x99}[table.common]
        return (-11.5 if is_first_level else -15.0) if size else -18.0
    if character == "\ufffd":
        return _BITS_UNDEFINED
    if "\uff61" <= character <= "\uff9f":  # half-width katakana: one byte each in Shift JIS
        return -11.0
    if "\uff01" <= character <= "\uff5e":
        return -9.0
    return -16.0


def share_of_frequent(text: str) -> float:
    """Share of ``text``'s first characters that are the most used ones of Chinese, Japanese or Korean.

    >>> share_of_frequent("我们的学校") > 0.5
    True
    """
    head = text[:2000]
    return sum(map(_FREQUENT.__contains__, head)) / len(head)


_FREQUENT = frozenset(
    _SIMPLIFIED + _TRADITIONAL + _KANJI + _HANGUL + "、。「」，："
    "のにをはがとでたしてるいなれもかられさっよりすまこあきうくだけ"
)
