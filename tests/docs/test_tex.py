"""Equations become MathML; what is not known is refused."""

import doctest
import re
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from tests.loading import load_file

FILE = Path(__file__).parents[2] / "docs" / "hooks" / "tex.py"


@pytest.fixture(scope="module")
def tex():
    return load_file(FILE)


def inside(made):
    return re.sub(r"^<math[^>]*>|</math>$", "", made)


@pytest.mark.parametrize(
    ("equation", "made"),
    [
        ("x_t^2", "<msubsup><mi>x</mi><mi>t</mi><mn>2</mn></msubsup>"),
        ("z_{vocab}", "<msub><mi>z</mi><mrow><mi>vocab</mi></mrow></msub>"),
        ("W_k'", "<msubsup><mi>W</mi><mi>k</mi><mo>\u2032</mo></msubsup>"),
        ("0.64", "<mn>0.64</mn>"),
        ("KL", "<mi>KL</mi>"),
        ("fc_t", "<mi>f</mi><msub><mi>c</mi><mi>t</mi></msub>"),
        (r"\tfrac12", '<mstyle displaystyle="false"><mfrac><mn>1</mn><mn>2</mn></mfrac></mstyle>'),
        (r"\log\alpha", '<mi>log</mi><mspace width="0.17em"/><mi>\u03b1</mi>'),
        (
            r"\log(x)",
            '<mi>log</mi><mo stretchy="false">(</mo><mi>x</mi><mo stretchy="false">)</mo>',
        ),
        (r"a < b", "<mi>a</mi><mo>&lt;</mo><mi>b</mi>"),
        (r"a \mathrel{+}= b", "<mi>a</mi><mo>+=</mo><mi>b</mi>"),
        (r"\text{a, b}", "<mtext>a, b</mtext>"),
    ],
)
def test_an_equation_becomes_mathml(tex, equation, made):
    assert inside(tex.mathml(equation)) == made


def test_lines_are_aligned(tex):
    root = ET.fromstring(tex.mathml(r"a &= b \\ c &= d", block=True))
    assert root.attrib == {"display": "block"}
    assert [len(row) for row in root.find("mtable")] == [2, 2]


@pytest.mark.parametrize("equation", [r"\unknown", r"\frac{1}", "{a", "a & b }", r"\mathbb{Q}"])
def test_what_is_not_known_is_refused(tex, equation):
    with pytest.raises(ValueError, match=r"has what docs/hooks/tex\.py does not know"):
        tex.mathml(equation)


def test_its_examples_hold(tex):
    assert doctest.testmod(tex).failed == 0
