# ruff: noqa: RUF001 - letters that look like others are what this is about
"""Texts with all that Unicode has in store for a tokenizer."""

import re

from hypothesis import strategies as st

from bayespress.export import unicode

KNOWN = [
    "good", "bad", "naïve", "it", "a", "b_1", "42", "漢字", "σοφός", "ΣΟΦΟΣ", "σοφόσ", "ος", "οσ",
    "aσ", "aς", "xς", "xσ", "σ", "ς", "i", "istanbul", "straße", "ß", "k", "å", "ǆ", "𝟘", "𐐨", "и",
    "ⅷ", "ꭰ", "x",
]  # fmt: skip
SPACES = [*" \n\r\0\t\x0b\x1c\x85\xa0\u1680\u2028\u3000\u200b\ufeff", "  ", "\r\n"]
MARKS = [
    "'", "’", "''", "it's", "IT’S", "'tis", "a''", "a'.b", "-", ".", ",", "_", "(", "<unk>",
    "<eos>", "½", "²", "٣",
]  # fmt: skip
CASES = [
    "Σ", "Σ'", ":Σ", "aΣ", "aΣ.b", "aΣ\u0301", "\u0345Σ", "aΣ\u00adB", "ΑΣ", "aΣΣ", "ⒶΣ", "aΣⓑ",
    "İ", "İSTANBUL", "I\u0307", "\u212a", "\u212b", "ẞ", "ﬁ", "ǅ", "ᾼ", "𝔘", "𐐀", "Ꭰ",
]  # fmt: skip
OTHERS = [
    "e\u0301", "\u0301", "👩\u200d👩\u200d👧", "🇩🇪", "👍🏽", "שלום", "مرحبا", "\u202eabc\u202c",
    "\U000e0001", "\U0010ffff", "\U00020000",
]  # fmt: skip
PIECES = [
    *KNOWN,
    *map(str.upper, KNOWN),
    *map(str.title, KNOWN),
    *SPACES,
    *MARKS,
    *CASES,
    *OTHERS,
]
ANY_CHARACTER = st.characters(codec="utf-8")
TEXT = st.lists(st.sampled_from(PIECES) | ANY_CHARACTER, max_size=24).map("".join)
TEXTS = st.lists(TEXT, min_size=10, max_size=60)
KNOWN_OR_ANY = st.sampled_from([word for word in KNOWN if re.fullmatch(r"\w+", word)])


def telling_characters():
    """Every character at an end of a table's ranges, and those in upper case, with the next one."""
    tables = [unicode.word_ranges(), unicode.space_ranges(), *unicode.sigma_context()]
    ends = {end for table in tables for one in table for end in one}
    edges = {code + shift for code in ends for shift in (-1, 0)}
    lowered = [code for code in range(0x110000) if chr(code).lower() != chr(code)]
    # Many are every other character: what stands between them must stay as it is.
    around = {code + shift for code in lowered for shift in (0, 1)}
    usable = range(0xD800), range(0xE000, 0x110000)
    return [chr(code) for code in sorted(edges | around) if any(code in one for one in usable)]
