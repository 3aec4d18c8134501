import dataclasses
import math
import re

import pytest
import tomli_w
from hypothesis import given
from hypothesis import strategies as st

from bayespress.config import FIELDS, Config, flat_from_toml, part_of
from bayespress.errors import ConfigError, RunError
from bayespress.schedules import SCHEDULES

PARTS = ("data", "text", "model", "training")
OF_CLASSIFIERS = ("cell", "layers", "bidirectional", "pooling", "dropout", "label_separator")


def without_none(tables):
    """TOML has no null: a setting without a value is left out."""
    return {
        name: {key: value for key, value in table.items() if value is not None}
        for name, table in tables.items()
    }


def values_of(key):
    limits, kind = FIELDS[key].metadata, str(FIELDS[key].type)
    if key == "code":
        return st.sampled_from(["LLLLLL", "LCLCCL", "DCDCCD", "NCNCCN"])
    if limits["choices"]:
        return st.sampled_from(limits["choices"])
    low = None if math.isinf(limits["low"]) else limits["low"]
    high = None if math.isinf(limits["high"]) else limits["high"]
    if kind == "bool":
        return st.booleans()
    if kind == "int":
        return st.integers(low, 10**6 if high is None else high)
    if kind == "float":
        return st.floats(low, high, allow_nan=False, allow_infinity=False)
    return st.text("abc/.:é", min_size=1, max_size=9)


def flat_settings(task):
    values = {key: values_of(key) for key in FIELDS if key != "task"}
    if task == "lm":
        values = {key: values[key] for key in values if key not in OF_CLASSIFIERS}
        values["code"] = st.sampled_from(["LLRL", "LCIL", "DCCD", "NNNN"])
    return st.fixed_dictionaries({"task": st.just(task)}, optional=values)


ANY_FLAT = st.one_of(flat_settings("classify"), flat_settings("lm"))


@given(ANY_FLAT)
def test_settings_survive_toml(flat):
    config = Config.from_flat(flat)
    text = tomli_w.dumps(without_none(config.tables()))
    assert Config.from_toml(text, "config.toml") == config


@given(ANY_FLAT)
def test_what_the_user_said_is_what_the_config_holds(flat):
    config = Config.from_flat(flat).flat()
    for key, value in flat.items():
        assert config[key] == value
        assert type(config[key]).__name__ == str(FIELDS[key].type).removesuffix(" | None")


def test_every_key_is_unique_over_the_tables():
    keys = [key for table in Config().tables().values() for key in table]
    assert len(keys) == len(set(keys)) == len(FIELDS)
    assert tuple(Config().tables()) == PARTS


@pytest.mark.parametrize("key", FIELDS)
def test_every_key_knows_its_table_help_and_a_valid_default(key):
    assert key in Config().tables()[part_of(key)]
    assert FIELDS[key].metadata["help"]
    assert Config.from_flat({key: FIELDS[key].default}).flat()[key] == FIELDS[key].default


def test_the_fast_schedule_is_the_default_and_changes_what_belongs_together():
    config = Config.from_flat({})
    assert config.training.schedule == "fast"
    assert {key: config.flat()[key] for key in SCHEDULES["fast"]} == SCHEDULES["fast"]
    assert config.training.kl_warmup > 0


def test_the_paper_schedule_is_what_the_defaults_say():
    assert Config.from_flat({"schedule": "paper"}).flat() == {
        **Config().flat(),
        "schedule": "paper",
    }


def test_later_layers_win_and_all_win_over_the_schedule():
    config = Config.from_flat({"epochs": 1, "kl_warmup": 0.5}, {"epochs": 2}, {"seed": 3})
    assert (config.training.epochs, config.training.kl_warmup) == (2, 0.5)
    assert config.training.seed == 3
    assert config.training.decay == "linear"


def test_a_later_layer_may_choose_the_schedule():
    config = Config.from_flat({"schedule": "fast"}, {"schedule": "paper"})
    assert config.model.weight_log_sigma == -3.0


def test_layers_win_over_the_toml():
    assert Config.from_toml("[training]\nepochs = 3", "my.toml", {"epochs": 4}).training.epochs == 4


def test_a_preset_becomes_its_code():
    config = Config.from_flat({"code": "W+Voc"})
    assert config.model.code == config.sparsity.code == "LLLCCL"


def test_an_integer_is_taken_for_a_float_and_becomes_one():
    value = Config.from_flat({"clip_norm": 1}).training.clip_norm
    assert isinstance(value, float)
    assert value == 1.0


def test_all_problems_are_named_at_once():
    with pytest.raises(ConfigError) as caught:
        Config.from_flat(
            {"epoch": 3, "epochs": 0, "batch_size": "many", "unknown": "skip", "code": "LLX"}
        )
    assert str(caught.value).split("; ") == [
        "epochs must be at least 1, got 0",
        "unknown setting 'epoch'",
        "did you mean 'epochs'?",
        "batch_size must be int, got 'many'",
        "unknown must be one of zero, learned, got 'skip'",
        (
            "a classifier code has 6 letters (embedding, vocab, recurrent, gates, neurons, "
            "output), for instance LLLLLL"
        ),
        "got 'LLX' with 3",
    ]


@pytest.mark.parametrize(
    ("key", "value", "rule"),
    [
        ("epochs", True, "epochs must be int, got True"),
        ("epochs", 2.0, "epochs must be int, got 2.0"),
        ("epochs", None, "epochs must be int, got None"),
        ("learning_rate", True, "learning_rate must be float, got True"),
        ("learning_rate", math.nan, "learning_rate must be at least 0, got nan"),
        ("threshold", math.nan, "threshold must be at least -8, got nan"),
        ("learning_rate", -1, "learning_rate must be at least 0, got -1"),
        ("kl_warmup", 1.5, "kl_warmup must be between 0 and 1, got 1.5"),
        ("kl_warmup", math.nan, "kl_warmup must be between 0 and 1, got nan"),
        ("lowercase", 1, "lowercase must be bool, got 1"),
        ("lowercase", "yes", "lowercase must be bool, got 'yes'"),
        ("embeddings", 3, "embeddings must be str, got 3"),
        ("schedule", "slow", "schedule must be one of fast, paper, got 'slow'"),
        ("validation_fraction", 1.0, "validation_fraction must be between 0 and 0.9, got 1.0"),
        ("label_separator", "", "label_separator must be what stands between labels, for inst"),
        ("code", "CCLCCL", "embedding weights cannot be constant (C)"),
        ("zzz", 1, "unknown setting 'zzz'"),
        ("hiden_size", 1, "unknown setting 'hiden_size'; did you mean 'hidden_size'?"),
    ],
)
def test_a_wrong_value_is_refused_with_its_rule(key, value, rule):
    with pytest.raises(ConfigError, match=re.escape(rule)):
        Config.from_flat({key: value})


@pytest.mark.parametrize("key", [key for key in FIELDS if FIELDS[key].type in ("int", "float")])
def test_no_number_may_be_nan_or_a_bool(key):
    for value in (math.nan, True):
        with pytest.raises(ConfigError, match=f"{key} must be"):
            Config.from_flat({key: value})


def test_an_infinite_number_is_refused_but_for_the_threshold_that_prunes_nothing():
    for key in ("learning_rate", "kl_weight", "clip_norm"):
        with pytest.raises(ConfigError, match=f"{key} must be finite, got inf"):
            Config.from_flat({key: math.inf})
    assert Config.from_flat({"threshold": math.inf}).model.threshold == math.inf


def test_parts_that_are_put_together_are_checked_too():
    model = dataclasses.replace(Config().model, hidden_size=0)
    with pytest.raises(ConfigError, match="hidden_size must be at least 1, got 0"):
        Config(model=model)


def test_recipe_and_paper_are_tables_for_readers():
    text = "[recipe]\ntitle = 'x'\n[paper]\nhidden = 3\n[text]\nlowercase = true"
    assert flat_from_toml(text, "my.toml") == {"lowercase": True}


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("epochs 3", "my.toml is not valid TOML: "),
        ("[text]\nepochs = 3", "my.toml: 'epochs' belongs into [training], not [text]"),
        (
            "epochs = 3",
            "my.toml: unknown table or key 'epochs'; there are data, text, model, train",
        ),
        ("[train]\nepochs = 3", "my.toml: unknown table or key 'train'; there are data, text, "),
        ("text = 3", "my.toml: 'text' must be a table, written [text]"),
        ("[text]\nlowercas = true", "unknown setting 'lowercas'; did you mean 'lowercase'?"),
        ("[training]\nepochs = [3]", "epochs must be int, got [3]"),
    ],
)
def test_a_wrong_toml_is_refused_with_its_rule(text, rule):
    with pytest.raises(ConfigError, match=re.escape(rule)):
        Config.from_toml(text, "my.toml")


@pytest.mark.parametrize(
    ("level", "expected"),
    [
        ("word", {"code": "LLRL", "segment_length": 35, "clip_norm": 10.0, "carry_state": True}),
        ("char", {"code": "LLRL", "segment_length": 100, "clip_norm": 1.0, "carry_state": False}),
    ],
)
@pytest.mark.parametrize("schedule", ["paper", "fast"])
def test_a_language_model_brings_the_papers_settings(level, expected, schedule):
    config = Config.from_flat({"task": "lm", "level": level, "schedule": schedule}).flat()
    assert {key: config[key] for key in expected} == expected
    assert config["gate_activation"] == "sigmoid"


@pytest.mark.parametrize("key", OF_CLASSIFIERS)
def test_what_only_classifiers_have_is_refused_of_a_language_model(key):
    other = {"cell": "gru", "layers": 2, "bidirectional": True, "pooling": "max", "dropout": 0.5}
    with pytest.raises(ConfigError, match=f"{key} is a setting of classifiers: a language model"):
        Config.from_flat({"task": "lm", key: other.get(key, ";")})


@pytest.mark.parametrize(("task", "code"), [("lm", "LLLLLL"), ("classify", "LLRL")])
def test_a_code_is_one_of_its_task(task, code):
    with pytest.raises(ConfigError, match=r"a (classifier|language model) code has [46] letters"):
        Config.from_flat({"task": task, "code": code})


def test_presets_have_a_code_for_each_task():
    assert Config.from_flat({"code": "w+voc"}).model.code == "LLLCCL"
    assert Config.from_flat({"code": "w+voc", "task": "lm"}).model.code == "LCIL"


HUGE = "0x" + "f" * 5000


@pytest.mark.parametrize(("text", "message"), [
    ("x = " + "[" * 5000, "config.toml is not valid TOML: it is nested too deeply"),
    ("[training]\nepochs = " + "9" * 5000, "config.toml is not valid TOML: Exceeds the limit"),
    (f"[training]\nepochs = {HUGE}", "epochs must be at most 9223372036854775807, as numbers in"),
    ("[training]\nlearning_rate = 1" + "0" * 400, "learning_rate must be at most 92233720368"),
    (f"[text]\nlowercase = {HUGE}", "lowercase must be bool, got a number of thousands of digits"),
    (f"[data]\ntask = {HUGE}", "task must be str, got a number of thousands of digits"),
    (f"[training]\nschedule = {HUGE}", "schedule must be str, got a number of thousands of"),
    (f"[text]\nlevel = {HUGE}", "level must be str, got a number of thousands of digits"),
])  # fmt: skip
def test_settings_that_no_program_wrote_are_refused_in_one_line(text, message):
    with pytest.raises(ConfigError) as error:
        Config.from_toml(text, "config.toml")
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_a_file_of_settings_that_is_no_text_is_refused(tmp_path):
    (tmp_path / "config.toml").write_bytes(b"[data]\n\xff")
    with pytest.raises(RunError, match=r"the byte at offset 7 is not UTF-8\); write its settings"):
        Config.from_file(tmp_path / "config.toml")
