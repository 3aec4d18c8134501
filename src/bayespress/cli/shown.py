"""What may come from strangers and is shown to people: it must not command their terminal."""

from __future__ import annotations

import json

# The terminal shows pictures of control characters, or a mark for those without a picture.
_PICTURES = {code: 0x2400 + code for code in range(0x20) if chr(code) not in "\n\t"}
_PICTURES |= {0x7F: 0x2421, **dict.fromkeys(range(0x80, 0xA0), 0xFFFD)}
# Characters that turn the direction of what stands behind them, or hide.
_TURNING = (*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x200E, 0x200F, 0x061C)
_PICTURES |= dict.fromkeys(_TURNING, 0xFFFD)


def tame(text: str) -> str:
    r"""Write control characters so that they can be seen, and command nothing.

    Examples
    --------
    >>> tame("\x1b[2J\tok\r\n"), tame("a\u202eb")
    ('␛[2J\tok\n', 'a�b')
    """
    return text.replace("\r\n", "\n").translate(_PICTURES)


def to_json(value: object) -> str:
    r"""Write JSON: letters of all scripts as they are, but nothing that cannot be seen.

    Examples
    --------
    >>> to_json({"naïve": "\x9b2J"})
    '{"naïve": "\\u009b2J"}'
    """
    text = json.dumps(value, ensure_ascii=False)
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() else json.dumps(one)[1:-1] for one in text)
