"""Every shipped recipe is a valid configuration, and says what the papers say."""

import itertools
import re
import zipfile

import pytest

from bayespress import recipes
from bayespress.config import Config
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
FAST = {"schedule": "fast", "unknown": "zero", "code": "LLLLLL"}
EXPECTED = {
    f"{source}-{preset}": {**PAPERS, **SOURCES[source], "source": source, "code": PRESETS[preset]}
    for source, preset in itertools.product(SOURCES, PRESETS)
}
EXPECTED |= {
    f"{source}-fast": {**SOURCES[source], **FAST, "source": source, "epochs": 300}
    for source in SOURCES
}
EXPECTED["demo"] = {**FAST, "source": "demo", "lowercase": True, "max_length": 60}
LOGGED = {  # test accuracy in %, compression, words, neurons, gates
    "imdb-w": (84.10, 1208, 5054, 9, 20),
    "imdb-w+voc": (83.28, 19499, 265, 7, 18),
    "imdb-w+n": (84.01, 16676, 316, 7, 19),
    "imdb-w+g+n": (83.87, 18457, 307, 7, 8),
    "ag-news-w": (89.01, 350, 5737, 65, 72),
    "ag-news-w+voc": (89.14, 561, 2450, 34, 76),
    "ag-news-w+n": (88.55, 645, 2351, 17, 62),
    "ag-news-w+g+n": (88.41, 640, 2295, 14, 39),
}


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
    keys = ("test_accuracy", "compression", "vocabulary", "hidden", "gates")
    expected = dict(zip(keys, LOGGED[name], strict=True)) if name in LOGGED else {}
    assert recipes.read(name).paper == expected


def test_the_readme_repeats_the_logged_numbers():
    readme = recipes.resources.files(recipes).joinpath("README.md").read_text(encoding="utf-8")
    for name in set(recipes.names()) - {"demo"}:
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
