"""Every shipped recipe is a valid configuration, and says what the papers say."""

import itertools
import re
import zipfile

import pytest

from bayespress import recipes
from bayespress.config import Config
from bayespress.data import source_defaults
from bayespress.errors import ConfigError

PRESETS = {
    "w": "LCLCCL",
    "w+voc": "LLLCCL",
    "w+n": "LLLCLL",
    "w+g+n": "LLLLLL",
    "dense": "DCDCCD",
}
SOURCES = {
    "imdb": {
        "validation_fraction": 0.15,
        "lowercase": False,
        "max_length": 200,
        "hidden_size": 128,
        "epochs": 800,
    },
    "ag-news": {
        "validation_fraction": 0.05,
        "lowercase": True,
        "max_length": 100,
        "hidden_size": 512,
        "epochs": 150,
    },
}
PAPERS = {
    "split_seed": 113,
    "vocabulary_size": 20_000,
    "min_documents": 2,
    "unknown": "learned",
    "embedding_size": 300,
    "gate_activation": "hard_sigmoid",
    "embeddings": None,
    "weight_log_sigma": -3.0,
    "group_log_sigma": -3.0,
    "threshold": 3.0,
    "kl_form": "chirkova",
    "schedule": "paper",
    "batch_size": 128,
    "learning_rate": 5e-4,
    "log_sigma_learning_rate": 5e-4,
    "group_learning_rate": 5e-4,
    "group_log_sigma_learning_rate": 5e-4,
    "embedding_range": 0.05,
    "dense_epochs": 0,
    "finetune_epochs": 0,
    "principal_axes": False,
    "shrink_after": 0,
    "kl_weight": 1.0,
    "kl_warmup": 0.0,
    "beta2": 0.999,
    "decay": "none",
    "clip_norm": 0.0,
    "patience": 0,
}
LM_PRESETS = {"w": "LCCL", "w+voc": "LCIL", "w+n": "LCRL", "w+g+n": "LLRL", "dense": "DCCD"}
LM_SOURCES = {
    "ptb-word": {
        "level": "word",
        "tokenizer": "spaces",
        "hidden_size": 256,
        "segment_length": 35,
        "carry_state": True,
        "batch_size": 32,
        "clip_norm": 10.0,
        "epochs": 150,
    },
    "ptb-char": {
        "level": "char",
        "hidden_size": 1000,
        "segment_length": 100,
        "carry_state": False,
        "batch_size": 64,
        "clip_norm": 1.0,
        "epochs": 250,
    },
}
LM_PAPERS = {
    key: value
    for key, value in PAPERS.items()
    if key not in ("split_seed", "vocabulary_size", "unknown", "embedding_size", "embedding_range")
}
LM_PAPERS |= {
    "task": "lm",
    "lowercase": False,
    "min_documents": 1,
    "gate_activation": "sigmoid",
    "learning_rate": 2e-3,
    "log_sigma_learning_rate": 2e-3,
    "group_learning_rate": 2e-3,
    "group_log_sigma_learning_rate": 2e-3,
}
FAST = {"schedule": "fast", "unknown": "zero", "code": "LLLLLL"}
EXPECTED = {
    f"{source}-{preset}": {**PAPERS, **SOURCES[source], "source": source, "code": PRESETS[preset]}
    for source, preset in itertools.product(SOURCES, PRESETS)
}
EXPECTED |= {
    f"{source}-fast": {**SOURCES[source], **FAST, "source": source, "epochs": 300}
    for source in SOURCES
}
EXPECTED |= {
    f"{source}-{preset}": {
        **LM_PAPERS,
        **LM_SOURCES[source],
        "source": source,
        "code": LM_PRESETS[preset],
    }
    for source, preset in itertools.product(LM_SOURCES, LM_PRESETS)
}
EXPECTED["demo-lm"] = {
    "source": "demo",
    "task": "lm",
    "level": "word",
    "lowercase": True,
    "min_documents": 2,
    "schedule": "fast",
}
EXPECTED["demo"] = {**FAST, "source": "demo", "lowercase": True, "max_length": 60}
LOGGED = {  # test accuracy in % (perplexity, bits), compression, words, neurons, gates
    "imdb-w": (84.10, 1208, 5054, 9, 20),
    "imdb-w+voc": (83.28, 19499, 265, 7, 18),
    "imdb-w+n": (84.01, 16676, 316, 7, 19),
    "imdb-w+g+n": (83.87, 18457, 307, 7, 8),
    "ag-news-w": (89.01, 350, 5737, 65, 72),
    "ag-news-w+voc": (89.14, 561, 2450, 34, 76),
    "ag-news-w+n": (88.55, 645, 2351, 17, 62),
    "ag-news-w+g+n": (88.41, 640, 2295, 14, 39),
    "ptb-word-w": (109.22, 22.1, 9990, 156, 288),
    "ptb-word-w+voc": (120.22, 19.3, 3164, 209, 513),
    "ptb-word-w+n": (110.98, 23.5, 9992, 127, 276),
    "ptb-word-w+g+n": (116.47, 24.5, 9972, 117, 201),
    "ptb-word-dense": (129.32,),
    "ptb-char-w": (1.4290, 7.89, 50, 431, 1718),
    "ptb-char-w+voc": (1.4165, 5.96, 46, 510, 2026),
    "ptb-char-w+n": (1.4297, 10.01, 50, 390, 1560),
    "ptb-char-w+g+n": (1.4250, 9.82, 50, 404, 1563),
    "ptb-char-dense": (1.4546,),
}
MEASURES = {"ptb-word": "test_perplexity", "ptb-char": "test_bits_per_character"}


def test_there_is_a_recipe_for_every_row_of_the_tables():
    assert recipes.names() == sorted(EXPECTED)


@pytest.mark.parametrize("name", recipes.names())
def test_every_recipe_is_a_config_with_the_settings_of_its_row(name):
    recipe = recipes.read(name)
    config = Config.from_flat(recipe.settings).flat()
    assert {key: config[key] for key in EXPECTED[name]} == EXPECTED[name]
    assert Config.from_toml(recipe.text, name).flat() == config


@pytest.mark.parametrize("name", recipes.names())
def test_every_recipe_has_a_name_a_title_of_its_own_and_the_text_as_written(name):
    recipe = recipes.read(name)
    assert recipe.name == name
    assert f'title = "{recipe.title}"' in recipe.text
    assert sum(recipes.read(other).title == recipe.title for other in recipes.names()) == 1


@pytest.mark.parametrize("name", recipes.names())
def test_every_recipe_has_what_the_authors_logged(name):
    measure = MEASURES.get(name[:8], "test_accuracy")
    keys = (measure, "compression", "vocabulary", "hidden", "gates")
    assert recipes.read(name).paper == dict(zip(keys, LOGGED.get(name, ()), strict=False))


@pytest.mark.parametrize("name", [name for name in recipes.names() if name.startswith("ptb-")])
def test_recipes_of_language_models_are_what_their_source_brings_along(name):
    settings = recipes.read(name).settings
    assert source_defaults(settings["source"]).items() <= settings.items()


def test_the_readme_repeats_the_logged_numbers():
    readme = recipes.resources.files(recipes).joinpath("README.md").read_text(encoding="utf-8")
    for name in set(recipes.names()) - {"demo", "demo-lm"}:
        (row,) = re.findall(rf"^\| `{re.escape(name)}` \|(.*)$", readme, re.MULTILINE)
        numbers = tuple(float(n.replace(",", "")) for n in re.findall(r"[\d.,]+", row))
        assert numbers[:5] == LOGGED.get(name, ())


def test_an_unknown_recipe_is_named_with_the_nearest_and_all_others():
    rule = r"unknown recipe 'imdb-wn'; did you mean 'imdb-w\+n'\? There are ag-news-dense, ag-news-"
    with pytest.raises(ConfigError, match=rule):
        recipes.read("imdb-wn")
    with pytest.raises(ConfigError, match="unknown recipe 'zzz'; there are ag-news-dense, "):
        recipes.read("zzz")
    with pytest.raises(ConfigError, match=r"unknown recipe '\.\./demo'"):
        recipes.read("../demo")


def test_recipes_are_read_from_an_archive_too(tmp_path, monkeypatch):
    """As from a zipped wheel: nothing may take them for files in a folder."""
    folder = recipes.resources.files(recipes)
    with zipfile.ZipFile(tmp_path / "some.zip", "w") as archive:
        for file in folder.iterdir():
            if file.is_file():
                archive.writestr(f"zipped_recipes/{file.name}", file.read_bytes())
    monkeypatch.syspath_prepend(str(tmp_path / "some.zip"))
    import zipped_recipes  # noqa: PLC0415

    assert zipped_recipes.names() == recipes.names()
    assert zipped_recipes.read("demo").text == recipes.read("demo").text
