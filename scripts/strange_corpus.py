# ruff: noqa: RUF001 - letters that look like others are what this is about
"""The named texts of strangers that strange_texts.py asks every runtime for."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parent))
from check_runtimes import STRANGE

# Half a pair of surrogates: strings of Python and JavaScript may hold one, UTF-8 may not.
HALVES = {
    "a high surrogate": "good \ud83d bad",
    "a low surrogate": "good\ude00bad",
    "surrogates in the wrong order": "a\ude00\ud83db",
    "half a pair behind a sigma": "ΣΟΦΟΣ\ud800 aΣ\udfff",
}
TEXTS = {
    "empty": "",
    "spaces": "   \t  ",
    "one letter": "a",
    "zero bytes": "good\0bad\0",
    "a byte order mark": "\ufeffgood",
    "byte order marks inside": "bad \ufeffgood\ufeff a\ufeffb",
    "a carriage return at the end": "good\r",
    "carriage returns inside": "good\rbad\r\r",
    "vertical tabs and form feeds": "good\vbad\f\x1c\x1d\x1e\x1f\x85a",
    "escapes of a terminal": "\x1b[31mgood\x1b[0m \x07\x08",
    "quotes and commas": 'say "good", "" \'bad\'\\',
    "markup": "<script>good</script> &amp; {bad} ${a} `it`",
    "formulas": "=good()+bad",
    "a word of 10,000 letters": "x" * 10_000 + " good",
    "a word of 10,000 marks": "e" + "\u0301" * 10_000 + "good",
    "10,000 words": "good bad it " * 3_333,
    "a known word in full width": "ｇｏｏｄ good",
    "mathematical letters": "𝐠𝐨𝐨𝐝 𝔘 𝟘",
    "an unassigned character": "good\u0378bad \U000e0fff",
    "private use": "good\ue000bad \U0010fffd",
    "no characters": "good\uffff\ufffebad\U0010ffff",
    "replacement characters": "good\ufffdbad",
    "one of each plane": " ".join(f"a{chr(plane * 0x10000 + 0x100)}" for plane in range(17)),
    "flags of many letters": "🇩🇪" * 500,
    "a family": "👩\u200d👩\u200d👧\u200d👦" * 100,
    "marks upon marks": "Z" + "\u0335\u0321\u0489" * 300 + " good",
    "both directions": "\u202egood\u202c \u2066bad\u2069 שלום good مرحبا",
    "Turkish letters": "İSTANBUL ıstanbul I\u0307 i",
    "sigmas": "ΣΟΦΟΣ ΣΟΦΟΣ. Σ aΣ a'Σ' aΣ\u0301 ΣΣ Σ:Σ aΣ\u00adB",
    "sharp letters": "STRASSE straße STRAẞE ﬁ ŉ ǰ",
    "letters that are newer than most": "Ꟑ Ꟶ 𐗀 Ᲊ Ɤ Ꟛ 𖺠 𐵐",
    **{name: " good ".join(pieces).replace("\n", " ") for name, pieces in STRANGE.items()},
}
LINE_BREAKS = {
    "a line break": "good\nbad",
    "a line break at the end": "good\n",
    "line ends of Windows": "good\r\nbad\r\n",
}
NOT_UTF8 = {
    "no byte of UTF-8": b"good \xff bad",
    "a byte that goes on alone": b"good \x80",
    "the letter é of Latin-1": b"caf\xe9 good",
    "cut within a character": "good 漢".encode()[:-1],
    "an overlong zero": b"good \xc0\x80",
    "an overlong slash": b"\xe0\x80\xaf good",
    "half a pair of surrogates": b"good \xed\xa0\x80",
    "a pair of surrogates as CESU-8": b"\xed\xa0\xbd\xed\xb8\x80",
    "beyond U+10FFFF": b"good \xf4\x90\x80\x80",
    "UTF-16": "good".encode("utf-16"),
}
