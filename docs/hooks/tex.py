"""Equations: the little of TeX that these pages and the docstrings use, as MathML.

A browser sets MathML by itself, so that the site asks nothing of the network. What is not known
here is an error, and ends the build.
"""

from __future__ import annotations

import re
from html import escape

_GREEK = {
    "alpha": "α", "beta": "β", "varepsilon": "ε", "theta": "θ", "sigma": "σ", "tau": "τ",
    "Delta": "Δ", "mu": "μ",
}  # fmt: skip
_OPERATORS = {
    "cdot": "·", "circ": "∘", "le": "≤", "ge": "≥", "ne": "≠", "sim": "∼", "pm": "±", "in": "∈",
    "to": "→", "|": "∥", "lor": "∨", "land": "∧", "times": "×", "approx": "≈", "Rightarrow": "⇒",
}  # fmt: skip
_LETTERS = {"ldots": "…", "top": "⊤", "infty": "∞"}
_FUNCTIONS = {"log", "exp", "tanh", "min", "max"}
_SPACES = {",": "0.17em", " ": "0.25em", ";": "0.28em", "quad": "1em", "qquad": "2em"}
_TOKEN = re.compile(r"\\(?:[A-Za-z]+|.)|[A-Za-z]+|\d|\s+|.", re.DOTALL)
_ALPHABETS = {"mathbb": {"E": "𝔼", "R": "ℝ"}, "mathcal": {"L": "ℒ", "N": "𝒩"}}


def mathml(tex: str, *, block: bool = False) -> str:
    r"""Convert an equation; lines that end in ``\\`` are aligned at their ``&``.

    Raises
    ------
    ValueError
        If there is something in it that this does not know.

    Examples
    --------
    >>> mathml(r"\sigma^2")
    '<math><msup><mi>σ</mi><mn>2</mn></msup></math>'
    """
    display = ' display="block"' if block else ""
    tex = re.sub(r"\\(begin|end)\{aligned\}", "", tex)
    try:
        return f"<math{display}>{_table(tex)}</math>"
    except (IndexError, KeyError) as error:
        raise ValueError(
            f"{tex.strip()!r} has what docs/hooks/tex.py does not know: {error}"
        ) from None


def _table(tex: str) -> str:
    lines = [line.split("&") for line in re.split(r"\\\\", tex)]
    if len(lines) == 1 and len(lines[0]) == 1:
        return _Parser(tex).row()
    rows = ("".join(f"<mtd>{_Parser(cell).row()}</mtd>" for cell in line) for line in lines)
    return f'<mtable displaystyle="true">{"".join(f"<mtr>{row}</mtr>" for row in rows)}</mtable>'


class _Parser:
    """Reads tokens one by one; a group in braces is a row of its own."""

    def __init__(self, tex: str) -> None:
        self._tokens = _TOKEN.findall(tex.strip())
        self._place = 0

    def row(self, end: str | None = None) -> str:
        """Read up to a closing token, or to the end."""
        made: list[str] = []
        while (one := self._peek()) != end:
            if one is None or one == "}":
                raise KeyError(one or f"a missing {end}")
            if one.isspace():
                self._take()
            else:
                made.append(self._with_scripts(after=made[-1] if made else ""))
        self._place += end is not None
        return "".join(made)

    def _peek(self, ahead: int = 0) -> str | None:
        place = self._place + ahead
        return self._tokens[place] if place < len(self._tokens) else None

    def _take(self) -> str:
        self._place += 1
        return self._tokens[self._place - 1]

    def _with_scripts(self, after: str) -> str:
        """Read one thing and what is set below and above it."""
        function = (self._peek() or "").removeprefix("\\") in _FUNCTIONS
        is_sum = self._peek() == r"\sum"
        base, scripts = self._thing(), {}
        while self._peek() in ("_", "^", "'"):
            mark = self._take()
            scripts["^" if mark == "'" else mark] = (
                "<mo>′</mo>" if mark == "'" else self._argument()
            )
        if scripts:
            kind = ("munder", "mover", "munderover") if is_sum else ("msub", "msup", "msubsup")
            tag = kind[2] if len(scripts) == 2 else kind["^" in scripts]
            base = f"<{tag}>{base}{''.join(scripts[key] for key in '_^' if key in scripts)}</{tag}>"
        if not function:
            return base
        before = (
            _space("0.17em") if after.endswith(("</mi>", "</mn>", "</mrow>", "</msub>")) else ""
        )
        behind = "" if self._next_is_bracket() else _space("0.17em")
        return before + base + behind

    def _next_is_bracket(self) -> bool:
        rest = [token for token in self._tokens[self._place :] if not token.isspace()]
        return not rest or rest[0] in ("(", "[", ")", "}", r"\left")

    def _argument(self) -> str:
        """Read what stands for one thing: a group, or the next character."""
        token = self._peek() or ""
        if token.isalpha() and len(token) > 1:
            self._tokens[self._place : self._place + 1] = list(token)
        return self._thing()

    def _thing(self) -> str:
        one = self._take()
        if one == "{":
            return _grouped(self.row("}"))
        if one.startswith("\\"):
            return self._command(one[1:])
        if one.isdigit():
            return f"<mn>{self._number(one)}</mn>"
        if one.isalpha():
            return _letters(self._up_to_script(one))
        if one in "()[]":
            return f'<mo stretchy="false">{one}</mo>'
        return f"<mo>{escape({'-': '−', '*': '∗'}.get(one, one))}</mo>"

    def _number(self, digits: str) -> str:
        while (following := self._peek()) is not None:
            behind = self._peek(1) or ""
            if not (following.isdigit() or (following == "." and behind.isdigit())):
                break
            digits += self._take()
        return digits

    def _up_to_script(self, letters: str) -> str:
        """Leave a short run's last letter to the script behind it: ab_c is a times b_c."""
        if 1 < len(letters) < 3 and not letters.isupper() and self._peek() in ("_", "^"):
            self._tokens.insert(self._place, letters[-1])
            return letters[:-1]
        return letters

    def _command(self, name: str) -> str:
        if name in _SPACES:
            return _space(_SPACES[name])
        if name in _GREEK or name in _LETTERS:
            return f"<mi>{(_GREEK | _LETTERS)[name]}</mi>"
        if name in _OPERATORS:
            return f"<mo>{_OPERATORS[name]}</mo>"
        if name in _FUNCTIONS:
            return f"<mi>{name}</mi>"
        if name in ("frac", "tfrac"):
            return self._fraction(name)
        return self._rarer(name)

    def _rarer(self, name: str) -> str:
        if name == "sum":
            return "<mo>∑</mo>"
        if name == "sqrt":
            return f"<msqrt>{self._argument()}</msqrt>"
        if name in ("left", "right"):
            return f'<mo stretchy="true">{escape(self._take())}</mo>'
        if name in ("mathrm", "text", "operatorname"):
            return self._upright(name)
        if name == "mathrel":  # as in \mathrel{+}=
            self._words()
            return f"<mo>+{self._take()}</mo>"
        return f"<mi>{_ALPHABETS[name][self._words()]}</mi>"

    def _fraction(self, name: str) -> str:
        above, below = self._argument_digit(), self._argument_digit()
        fraction = f"<mfrac>{above}{below}</mfrac>"
        return f'<mstyle displaystyle="false">{fraction}</mstyle>' if name == "tfrac" else fraction

    def _argument_digit(self) -> str:
        if (self._peek() or "").isdigit():
            return f"<mn>{self._take()}</mn>"
        return self._argument()

    def _upright(self, name: str) -> str:
        words = self._words()
        if name == "text":
            return f"<mtext>{escape(words)}</mtext>"
        normal = ' mathvariant="normal"' if len(words) == 1 else ""
        return f"<mi{normal}>{escape(words)}</mi>"

    def _words(self) -> str:
        """Read a group in braces as it stands."""
        start = self._place + 1
        while self._take() != "}":
            pass
        return "".join(self._tokens[start : self._place - 1])


def _letters(run: str) -> str:
    """Words stay words, a few small letters are a product."""
    if len(run) > 2 or (len(run) == 2 and run.isupper()):
        return f"<mi>{run}</mi>"
    return "".join(f"<mi>{letter}</mi>" for letter in run)


def _grouped(row: str) -> str:
    return f"<mrow>{row}</mrow>"


def _space(width: str) -> str:
    return f'<mspace width="{width}"/>'
