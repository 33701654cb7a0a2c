import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.text.decode import Decoded, UndecodableError, decode, well_formed

ENCODINGS = Path(__file__).parents[3] / "shared" / "data" / "encoding"

FRENCH = (
    "Le maire a inauguré mercredi la nouvelle passerelle, après dix années de querelles et trois votes.\n\n"
    "« C'était une idée folle », a reconnu l'architecte, dont le premier projet prévoyait un téléphérique.\n"
)
RUSSIAN = (
    "Жители посёлка Верхний Лог в среду получили первые письма, отправленные ещё прошлой зимой.\n\n"
    "Почтальон объяснил задержку тем, что перевал был закрыт, а вертолёт ждали до самой весны.\n"
)
JAPANESE = "町の図書館は水曜日、百年前に貸し出された本が返却されたと発表した。延滞料は免除されるという。\n"
KOREAN = "마을 도서관은 수요일에 백 년 전에 빌려 간 책이 돌아왔다고 밝혔다. 연체료는 받지 않기로 했다.\n"
SPANISH = (
    "El ayuntamiento de la villa anunció ayer que la campaña de otoño se aplaza hasta el año próximo.\n\n"
    "«No había señal de peligro», explicó la alcaldesa; según ella, el puente es más viejo que la nación.\n"
)
ENGLISH = "The mayor’s clock — a gift — has stopped; “it’s the damp,” said the keeper of the town’s café.\n"
CZECH = (
    "Příští rok bude v našem městě otevřena nová lávka přes řeku, řekl ve středu starosta obce. Stála šest miliónů.\n"
)
HUNGARIAN = "A főtéri óra őre szerint a szerkezet működik, csak a harang törött el az őszi viharban, és ez nem újság.\n"
GREEK = "Ο δήμαρχος εγκαινίασε την Τετάρτη τη νέα γέφυρα, ύστερα από δέκα χρόνια και τρεις ψηφοφορίες.\n"
TURKISH = "Belediye başkanı çarşamba günü yeni köprüyü açtı; şehrin saati ise hâlâ çalışmıyor, dedi görevli.\n"
LITHUANIAN = "Miesto meras trečiadienį atidarė naują tiltą, nors laikrodis vis dar neveikia, sakė jo prižiūrėtojas.\n"
HEBREW = "ראש העיר פתח ביום רביעי את הגשר החדש, לאחר עשר שנים של ויכוחים ושלוש הצבעות במועצה.\n"
ARABIC = "افتتح رئيس البلدية يوم الأربعاء الجسر الجديد بعد عشر سنوات من الجدل وثلاث عمليات تصويت في المجلس.\n"
THAI = "นายกเทศมนตรีเปิดสะพานแห่งใหม่เมื่อวันพุธ หลังจากถกเถียงกันมาสิบปีและลงคะแนนสามครั้ง\n"
CHINESE = "镇图书馆星期三宣布，一百年前借出的一本书已经归还。馆长说，逾期费用将予以免除。\n"


@pytest.mark.parametrize(
    ("text", "codec", "encoding"),
    [
        (FRENCH, "utf-8", "utf-8"),
        (FRENCH, "utf-8-sig", "utf-8-sig"),
        (FRENCH, "utf-16", "utf-16"),
        (FRENCH, "utf-32", "utf-32"),
        (FRENCH, "utf-16-le", "utf-16-le"),
        (FRENCH, "utf-16-be", "utf-16-be"),
        (FRENCH, "utf-32-be", "utf-32-be"),
        (FRENCH, "cp1252", "windows-1252"),
        (FRENCH, "latin-1", "windows-1252"),
        (RUSSIAN, "cp1251", "windows-1251"),
        (RUSSIAN, "koi8-r", "koi8-r"),
        (JAPANESE * 2, "shift_jis", "cp932"),
        (JAPANESE * 2, "euc_jp", "euc-jp"),
        (JAPANESE, "iso2022_jp", "iso-2022-jp-2"),
        (KOREAN * 2, "euc_kr", "cp949"),
        (KOREAN, "iso2022_kr", "iso-2022-kr"),
        (CHINESE * 2, "gb18030", "gb18030"),
        (CHINESE * 2, "utf-16-be", "utf-16-be"),
        (FRENCH, "mac_roman", "macintosh"),
        (FRENCH, "cp850", "cp850"),
        (SPANISH, "cp1252", "windows-1252"),
        (SPANISH, "mac_roman", "macintosh"),
        (ENGLISH, "cp1252", "windows-1252"),
        (ENGLISH, "mac_roman", "macintosh"),
        (CZECH, "cp1250", "windows-1250"),
        (CZECH, "iso8859_2", "iso-8859-2"),
        (CZECH, "cp852", "cp852"),
        (HUNGARIAN, "cp1250", "windows-1250"),
        (GREEK, "cp1253", "windows-1253"),
        (TURKISH, "cp1254", "windows-1254"),
        (LITHUANIAN, "cp1257", "windows-1257"),
        (HEBREW, "cp1255", "windows-1255"),
        (ARABIC, "cp1256", "windows-1256"),
        (ARABIC, "iso8859_6", "iso-8859-6"),
        (THAI, "tis_620", "cp874"),
        (RUSSIAN, "cp866", "ibm866"),
        (RUSSIAN, "mac_cyrillic", "mac-cyrillic"),
        (RUSSIAN, "cp855", "cp855"),
        (KOREAN * 2, "johab", "johab"),
    ],
)
def test_encoding_is_found_and_can_be_decoded_by_its_name(text, codec, encoding):
    raw = text.encode(codec)
    assert decode(raw) == Decoded(text, encoding)
    assert raw.decode(encoding) == text


def test_byte_order_mark_is_not_part_of_the_text_in_big_endian_either():
    assert decode(b"\xfe\xff" + FRENCH.encode("utf-16-be")) == Decoded(FRENCH, "utf-16")
    assert decode(b"\x00\x00\xfe\xff" + FRENCH.encode("utf-32-be")) == Decoded(FRENCH, "utf-32")


@pytest.mark.parametrize(
    ("stray", "read_as"),
    [(b"\x93", "“"), (b"\xe9", "é"), (b"\x81", "\ufffd")],
)
def test_invalid_bytes_in_the_middle_of_utf8_cost_only_themselves(stray, read_as):
    raw = FRENCH.encode() + b"Le caf" + stray + b" rouvre.\n" + FRENCH.encode()
    assert decode(raw) == Decoded(f"{FRENCH}Le caf{read_as} rouvre.\n{FRENCH}", "utf-8+windows-1252")


# "Cluj-Napoca, în ţară" and the like: cedillas and commas below are the same bytes in two encodings.
ROMANIAN = "Primarul oraşului a deschis miercuri noul pod, după zece ani de discuţii şi trei voturi în consiliu.\n"


def test_a_declared_charset_decides_between_equal_readings():
    raw = ROMANIAN.encode("cp1250")
    assert decode(raw) == Decoded(ROMANIAN, "windows-1250")
    with_commas = ROMANIAN.translate(str.maketrans("şţ", "șț"))
    assert decode(raw, "ISO-8859-16") == Decoded(with_commas, "iso-8859-16")


@pytest.mark.parametrize("declared", ["koi8-r", "utf-8", "no-such-charset", "", "\0", "windows-1250", "ISO-8859-1"])
def test_a_wrong_declaration_is_not_trusted(declared):
    assert decode(FRENCH.encode("cp1252"), declared) == Decoded(FRENCH, "windows-1252")


def test_a_page_or_a_record_may_declare_its_charset_itself():
    with_commas = ROMANIAN.translate(str.maketrans("şţ", "șț"))
    page = f'<meta http-equiv="Content-Type" content="text/html; charset=iso-8859-16">\n{with_commas}'
    assert decode(page.encode("iso8859_16")) == Decoded(page, "iso-8859-16")
    record = f'{{"charset": "iso-8859-16", "text": "{with_commas.strip()}"}}'
    assert decode(record.encode("iso8859_16")) == Decoded(record, "iso-8859-16")


def test_legacy_text_with_a_damaged_byte_keeps_the_rest():
    text, encoding = decode((JAPANESE * 60).encode("shift_jis") + b"\x85\n" + (JAPANESE * 60).encode("shift_jis"))
    assert encoding == "cp932+replaced"
    assert text.count(JAPANESE.strip()) == 120
    assert text.count("\ufffd") == 1


def test_the_first_foreign_letter_may_stand_far_down():
    text = "The council met on Monday and agreed on the budget.\n" * 4000 + RUSSIAN
    assert decode(text.encode("cp1251")) == Decoded(text, "windows-1251")


def test_utf16_cut_inside_its_last_character_keeps_the_rest():
    assert decode(FRENCH.encode("utf-16")[:-1]) == Decoded(FRENCH[:-1] + "\ufffd", "utf-16+replaced")


def test_a_nul_in_a_text_is_no_reason_to_refuse_it():
    assert decode(b"The mayor\0 resigned.") == Decoded("The mayor\0 resigned.", "utf-8")


@pytest.mark.parametrize(
    "raw",
    [
        b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\x02\x80\0\0\x01\xe0\x08\x06\0\0\0\x35\xd1\xdc\xe4" + bytes(range(256)) * 8,
        b"\0" * 1001,
        b"\xff\xfe" + b"\x00\xd8" * 200,
        bytes(range(1, 9)) * 20 + b"\xff",
    ],
    ids=["png", "nuls", "utf-16-mark-only", "controls"],
)
def test_binary_is_refused(raw):
    with pytest.raises(UndecodableError):
        decode(raw)


@given(st.binary(max_size=400))
def test_any_bytes_decode_or_are_refused(raw):
    try:
        text, encoding = decode(raw)
    except UndecodableError:
        return
    text.encode()
    if "+" not in encoding:
        assert raw.decode(encoding) == text


@given(st.text(st.characters(codec="utf-8", exclude_characters="\0\x1b")))
def test_utf8_is_itself(text):
    assert decode(text.encode()).text == text.removeprefix("\ufeff")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", Decoded("plain", "utf-8")),
        ("“déjà” 😀", Decoded("“déjà” 😀", "utf-8")),
        ("\ud83d\ude00!", Decoded("😀!", "utf-8")),
        ("a\ud83db", Decoded("a\ufffdb", "utf-8+replaced")),
        ("\ude00\ud83d", Decoded("\ufffd\ufffd", "utf-8+replaced")),
    ],
)
def test_lone_surrogates(text, expected):
    assert well_formed(text) == expected


@given(st.text(st.characters(codec=None, categories=["Cs", "L"])))
def test_well_formed_text_can_be_encoded_and_is_stable(text):
    once = well_formed(text).text
    once.encode()
    assert well_formed(once) == Decoded(once, "utf-8")


@pytest.mark.skipif(not ENCODINGS.is_dir(), reason="needs ../shared/data/encoding, which is not in the repository")
def test_accuracy_on_real_legacy_files():
    """The base that a later change must not fall below: 365 of 369 files decode to the true text."""
    right = total = 0
    for line in (ENCODINGS / "files.jsonl").read_text("utf-8").splitlines():
        case = json.loads(line)
        if case["python_codec"] is None or not case["strict_decodes"]:
            continue
        raw = (ENCODINGS / case["path"]).read_bytes()
        total += 1
        try:
            found = decode(raw).text
        except UndecodableError:
            continue
        right += found == raw.decode(case["python_codec"]).lstrip("\ufeff")
    assert right >= 0.98 * total, f"[{right}] of [{total}]"
