"""How figures and words are written."""

from __future__ import annotations


def percent(share: float) -> str:
    """Write a share.

    Examples
    --------
    >>> percent(0.83888).split()
    ['83.89', '%']
    """
    return f"{share:.2%}".replace("%", "\N{NO-BREAK SPACE}%")


def fraction(value: float) -> str:
    """Write an F1.

    Examples
    --------
    >>> fraction(0.83888)
    '0.8389'
    """
    return f"{value:.4f}"


def times(ratio: float) -> str:
    """Write a ratio, with a decimal as long as it says something.

    Examples
    --------
    >>> times(1.44), times(1234.5)
    ('1.4×', '1,234×')
    """
    return f"{ratio:,.1f}×" if ratio < 100 else f"{ratio:,.0f}×"


def number(value: float) -> str:
    """Write a perplexity or the like with two decimals, a huge one in few digits.

    Examples
    --------
    >>> number(194.03), number(1e7)
    ('194.03', '1e+07')
    """
    return f"{value:,.2f}" if value < 100_000 else f"{value:.2g}"


def short(value: float) -> str:
    """Write a number at an axis.

    Examples
    --------
    >>> short(0), short(0.25), short(1500), short(20_000), short(3_000_000)
    ('0', '0.25', '1,500', '20k', '3M')
    """
    for size, unit in ((1e6, "M"), (1e4, "k")):
        if abs(value) >= size:
            return f"{value / min(size, 1e3 if unit == 'k' else size):g}{unit}"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:g}"


def duration(seconds: float) -> str:
    """Write how long something took.

    Examples
    --------
    >>> duration(7.25), duration(264), duration(5025)
    ('7.2 s', '4 min 24 s', '1 h 23 min')
    """
    whole = round(seconds)
    if whole < 60:
        return f"{seconds:.1f} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def signed(value: float, digits: int = 2) -> str:
    """Write an effect with its sign, at which no line breaks.

    Examples
    --------
    >>> signed(1.5), signed(-0.251) == "\N{MINUS SIGN}0.25"
    ('+1.50', True)
    """
    return f"{value:+.{digits}f}".replace("-", "\N{MINUS SIGN}")


def counted(count: int, thing: str) -> str:
    """Write a number of things.

    Examples
    --------
    >>> counted(1, "neuron"), counted(2000, "weight")
    ('1 neuron', '2,000 weights')
    """
    return f"{count:,} {thing}{'' if count == 1 else 's'}"


def kept_of(count: tuple[int, int] | list[int]) -> str:
    """Write how many of all are kept.

    Examples
    --------
    >>> kept_of((269, 20001))
    '269 of 20,001'
    """
    return f"{count[0]:,} of {count[1]:,}"


def cut(word: str, most: int) -> str:
    """Shorten a long word.

    Examples
    --------
    >>> cut("wonderful", 5), cut("good", 5)
    ('wond…', 'good')
    """
    return word if len(word) <= most else word[: most - 1] + "…"
