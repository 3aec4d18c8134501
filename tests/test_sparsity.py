import itertools
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bayespress.errors import ConfigError
from bayespress.sparsity import (
    LM_PRESETS,
    POSITIONS,
    PRESETS,
    LanguageModelSparsity,
    Prior,
    SparsityConfig,
)

CODES = st.tuples(*(st.sampled_from("LNDC" if k in (1, 3, 4) else "LND") for k in range(6)))


@given(CODES.map("".join))
def test_a_code_is_read_and_written_back(code):
    assert SparsityConfig.from_code(code).code == code
    assert SparsityConfig.from_code(code.lower()).code == code
    assert SparsityConfig.from_name(code) == SparsityConfig.from_code(code)


def test_letters_stand_in_the_order_of_the_papers():
    config = SparsityConfig.from_code("LCDNCL")
    assert config.embedding is Prior.LOG_UNIFORM
    assert config.vocab is Prior.CONSTANT
    assert config.recurrent is Prior.DETERMINISTIC
    assert config.gates is Prior.NORMAL
    assert config.neurons is Prior.CONSTANT
    assert config.output is Prior.LOG_UNIFORM


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("dense", "DCDCCD"),
        ("w", "LCLCCL"),
        ("w+voc", "LLLCCL"),
        ("w+n", "LLLCLL"),
        ("w+g+n", "LLLLLL"),
    ],
)
def test_presets_are_the_papers_codes_in_any_case(name, code):
    assert SparsityConfig.from_name(name).code == code
    assert SparsityConfig.from_name(name.upper()).code == code
    assert len(PRESETS) == 5


def test_log_uniform_and_normal_are_random():
    assert [prior.is_random for prior in map(Prior, "LNDC")] == [True, True, False, False]


@pytest.mark.parametrize("position", [0, 2, 5])
def test_weights_cannot_be_constant(position):
    code = "".join("C" if k == position else "L" for k in range(6))
    rule = (
        f"{POSITIONS[position]} weights cannot be constant (C): "
        f"position {position + 1} of a code takes L, N or D"
    )
    with pytest.raises(ConfigError, match=re.escape(rule)):
        SparsityConfig.from_code(code)


@pytest.mark.parametrize(("position", "takes"), [(1, "L, N or D"), (2, "L, N, D or C")])
def test_a_wrong_letter_is_named_with_what_its_position_takes(position, takes):
    code = "".join("X" if k == position - 1 else "L" for k in range(6))
    rule = (
        f"letter {position} ({POSITIONS[position - 1]}) of a classifier code takes {takes}; "
        f"got 'X' in '{code}'"
    )
    with pytest.raises(ConfigError, match=re.escape(rule)):
        SparsityConfig.from_code(code)


@pytest.mark.parametrize("code", ["", "LLLL", "LLLLLLL"])
def test_a_code_of_another_length_is_refused(code):
    rule = rf"has 6 letters \(embedding, .*, output\), .* got '{code}' with {len(code)}"
    with pytest.raises(ConfigError, match=rule):
        SparsityConfig.from_code(code)


def test_a_misspelt_preset_is_answered_with_the_nearest():
    rule = r"unknown preset 'w\+vok'; did you mean 'w\+voc'\? There are dense, w, w\+voc, w\+n"
    with pytest.raises(ConfigError, match=rule):
        SparsityConfig.from_name("w+vok")


@given(st.text(max_size=8))
def test_any_other_text_is_a_config_error(text):
    valid = {
        *PRESETS,
        *map("".join, itertools.product("LND", "LNDC", "LND", "LNDC", "LNDC", "LND")),
    }
    if text.lower() in PRESETS or text.upper() in valid:
        return
    with pytest.raises(ConfigError):
        SparsityConfig.from_name(text)


LM_CODES = st.tuples(*(st.sampled_from(letters) for letters in ("LND", "LNDC", "LNDCIR", "LND")))


@given(LM_CODES.map("".join))
def test_a_language_models_code_is_read_and_written_back(code):
    assert LanguageModelSparsity.from_code(code).code == code
    assert LanguageModelSparsity.from_name(code.lower()).code == code


@pytest.mark.parametrize(
    ("name", "code", "groups"),
    [("dense", "DCCD", "CC"), ("w", "LCCL", "CC"), ("w+voc", "LCIL", "LC"), ("w+n", "LCRL", "CL"),
     ("w+g+n", "LLRL", "CL")],
)  # fmt: skip
def test_language_model_presets_are_the_papers_codes(name, code, groups):
    sparsity = LanguageModelSparsity.from_name(name)
    assert sparsity.code == LM_PRESETS[name] == code
    assert sparsity.input.value + sparsity.hidden.value == groups
    assert LanguageModelSparsity.from_code("LLLL").input is Prior.LOG_UNIFORM


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("CCCD", "recurrent weights cannot be constant"),
        ("LCCC", "output weights cannot be constant"),
        ("LCXL", r"letter 3 \(neurons\) of a language model code takes L, N, D, C, I .* got 'X'"),
        ("LXCL", r"letter 2 \(gates\) of a language model code takes L, N, D or C; got 'X'"),
        ("ICCL", r"letter 1 \(recurrent\) .* takes L, N or D; got 'I'"),
        ("LLL", "a language model code has 4 letters"),
        ("w+vok", r"did you mean 'w\+voc'"),
    ],
)
def test_wrong_language_model_codes_are_explained(code, message):
    with pytest.raises(ConfigError, match=message):
        LanguageModelSparsity.from_name(code)


def test_input_and_hidden_groups_are_alike_or_one_is_constant():
    d, n = Prior.DETERMINISTIC, Prior.NORMAL
    with pytest.raises(ConfigError, match="cannot be D and N"):
        LanguageModelSparsity(d, d, d, n, d)
