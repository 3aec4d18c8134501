"""Texts with all that Unicode has in store for a tokenizer."""

import re

from hypothesis import strategies as st

from bayespress.export import unicode

KNOWN = [
    "good", "bad", "naïve", "it", "a", "b_1", "42", "漢字", "σοφός", "ΣΟΦΟΣ", "σοφόσ", "ος", "οσ",
    "i", "istanbul", "straße", "k", "å", "ǆ", "𝟘", "𐐨", "и", "ⅷ", "ß", "ꭰ", "x",
    "aσ", "aς", "xς", "xσ", "σ", "ς",
]  # fmt: skip
PIECES = [
    *KNOWN, *map(str.upper, KNOWN), *map(str.title, KNOWN),
    " ", "  ", "\n", "\r\n", "\r", "\0", "\t", "\x0b", "\x1c", "\x85", "\xa0", "\u1680", "\u2028",
    "\u3000", "\u200b", "\ufeff", "'", "’", "it's", "IT’S", "'tis", "''", "-", ".", ",", "_", "(", "<unk>",
    "<eos>", "Σ", "Σ'", ":Σ", "aΣ", "aΣ.b", "aΣ\u0301", "\u0345Σ", "aΣ\u00adB", "ΑΣ ", "İ", "İSTANBUL",
    "I\u0307", "K", "Å", "ẞ", "ﬁ", "ǅ", "ᾼ", "e\u0301", "\u0301", "👩\u200d👩\u200d👧", "🇩🇪", "👍🏽",
    "שלום", "مرحبا", "\u202eabc\u202c", "٣", "½", "²", "𝔘", "𐐀", "Ꭰ", "\U000e0001", "\U0010ffff", "\U00020000",
]  # fmt: skip
ANY_CHARACTER = st.characters(codec="utf-8")
TEXT = st.lists(st.sampled_from(PIECES) | ANY_CHARACTER, max_size=24).map("".join)
TEXTS = st.lists(TEXT, min_size=10, max_size=60)
KNOWN_OR_ANY = st.sampled_from([word for word in KNOWN if re.fullmatch(r"\w+", word)])


def telling_characters():
    """Every character at which a table begins, has ended, or whose lowercase is another one."""
    tables = [unicode.word_ranges(), unicode.space_ranges(), *unicode.sigma_context()]
    ends = {end for table in tables for one in table for end in one}
    edges = {code + shift for code in ends for shift in (-1, 0)}
    lowered = {code for code in range(0x110000) if chr(code).lower() != chr(code)}
    usable = range(0xD800), range(0xE000, 0x110000)
    return [chr(code) for code in sorted(edges | lowered) if any(code in one for one in usable)]
