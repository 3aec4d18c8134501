"""HubModel: what users of huggingface_hub's mixin expect, with a folder and with a hub."""

import json
import pickle
import subprocess
import sys

import huggingface_hub
import pytest
import yaml
from huggingface_hub import ModelCard

import bayespress
from bayespress import HubModel, compact
from bayespress.errors import ArtifactError, ConfigError, HubError
from bayespress.runtime.remote import fetch
from bayespress.text.tokens import UNKNOWN
from tests.compact.language_strategies import random_language_model, word_encoder
from tests.compact.strategies import small_model

# huggingface_hub's upload of large files calls httpx in a way of the past.
pytestmark = pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning")

TEXTS = ["What a lovely, moving film", "dull and boring"]


def front_of(repo):
    return yaml.safe_load(repo.files["README.md"].decode().split("---\n")[1])


def test_a_folder_gives_the_model_back(demo, tmp_path):
    HubModel(demo).save_pretrained(tmp_path / "out")
    again = HubModel.from_pretrained(tmp_path / "out")
    assert (tmp_path / "out/model.bpr").read_bytes() == demo.read_bytes()
    assert (
        again.predict_proba(TEXTS).tolist() == bayespress.load(demo).predict_proba(TEXTS).tolist()
    )
    assert again.predict(TEXTS) == ["positive", "negative"]
    assert ModelCard.load(tmp_path / "out/README.md").data.library_name == "bayespress"


def test_saving_keeps_a_card_that_is_there(demo, tmp_path):
    (tmp_path / "README.md").write_text("mine")
    HubModel(demo).save_pretrained(tmp_path)
    assert (tmp_path / "README.md").read_text() == "mine"


def test_push_and_load_end_to_end(trained, hub, demo):
    address = HubModel(trained.run, license="mit", language="en").push_to_hub("me/reviews")
    repo = hub.repos["me/reviews"]
    place = "tree" if huggingface_hub.__version__.startswith("0.") else "commit"
    assert address.startswith(f"{hub.address}/me/reviews/{place}/")
    assert set(repo.files) == {"model.bpr", "config.json", "README.md"}
    assert repo.files["model.bpr"] == trained.model.read_bytes()
    assert not repo.private
    assert (front_of(repo)["license"], front_of(repo)["language"]) == ("mit", ["en"])
    assert b"hf://me/reviews" in repo.files["README.md"]
    loaded = HubModel.from_pretrained("me/reviews")
    assert loaded.release.facts == HubModel(trained.run, license="mit", language="en").release.facts
    expected = bayespress.load(trained.model).predict_proba(["good film"])
    assert (loaded.predict_proba(["good film"]) == expected).all()


def test_load_takes_an_address_of_the_hub(hub, demo):
    hub.add("me/demo", {"model.bpr": demo.read_bytes(), "other.bpr": compact.dumps(small_model())})
    assert bayespress.load("hf://me/demo").predict(TEXTS) == ["positive", "negative"]
    assert bayespress.load("hf://me/demo@v1").predict(TEXTS) == ["positive", "negative"]
    assert bayespress.load("hf://me/demo/other.bpr").labels == small_model().labels


def test_what_was_fetched_is_not_fetched_again(hub, demo):
    hub.add("me/demo", {"model.bpr": demo.read_bytes()})
    for _ in range(2):
        bayespress.load("hf://me/demo")
    assert hub.calls.count(("GET", "/me/demo/resolve/main/model.bpr")) == 1


def test_the_cache_does_without_the_network(hub, demo, monkeypatch):
    hub.add("me/demo", {"model.bpr": demo.read_bytes()})
    bayespress.load("hf://me/demo")
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setattr(
        "huggingface_hub.constants.HUGGINGFACE_CO_URL_TEMPLATE",
        "http://127.0.0.1:9/{repo_id}/resolve/{revision}/{filename}",
    )
    assert bayespress.load("hf://me/demo").predict(TEXTS) == ["positive", "negative"]


def test_a_bare_name_is_the_users_own(hub, demo):
    HubModel(demo).push_to_hub("mine", private=True, commit_message="first")
    assert hub.repos["me/mine"].private
    assert hub.repos["me/mine"].messages == ["first"]
    assert b"hf://me/mine" in hub.repos["me/mine"].files["README.md"]


def test_the_mixins_card_arguments_are_taken(hub, demo):
    HubModel(demo).push_to_hub("me/a", model_card_kwargs={"license": "mit", "language": ["de"]})
    assert (front_of(hub.repos["me/a"])["license"]) == "mit"
    with pytest.raises(TypeError, match="takes license, language and repo_id, not colour"):
        HubModel(demo).generate_model_card(colour="red")


def test_a_loaded_model_can_be_published_elsewhere(trained, hub):
    HubModel(trained.run).push_to_hub("me/a")
    HubModel.from_pretrained("me/a").push_to_hub("me/b")
    assert hub.repos["me/b"].files["model.bpr"] == trained.model.read_bytes()
    assert front_of(hub.repos["me/b"])["metrics"] == ["accuracy"]


def test_a_language_model_writes(hub):
    HubModel(random_language_model(word_encoder(UNKNOWN), 4)).push_to_hub("me/lm")
    model = HubModel.from_pretrained("me/lm")
    assert len(list(model.generate(length=5, seed=1))) == 5
    with pytest.raises(TypeError, match="language model and names no classes: call generate"):
        model.predict(["a"])


def test_a_classifier_does_not_write(demo):
    with pytest.raises(TypeError, match="classifier and writes no text: call predict"):
        HubModel(demo).generate("a")


@pytest.mark.parametrize(
    "config", [b"[1, 2]", b"{", b'{"source": "x", "model": 3, "license": "A B"}', b"\xff", None]
)
def test_a_strangers_facts_cannot_spoil_the_model(hub, demo, config):
    files = {"model.bpr": demo.read_bytes()}
    hub.add("you/demo", files if config is None else {**files, "config.json": config})
    model = HubModel.from_pretrained("you/demo")
    assert model.predict(TEXTS) == ["positive", "negative"]
    model.push_to_hub("me/copy")


def test_nothing_of_a_stranger_is_unpickled(hub, tmp_path):
    class Harm:
        def __reduce__(self):
            return (open, (str(tmp_path / "harm"), "w"))

    hub.add("you/bad", {"model.bpr": pickle.dumps(Harm()), "config.json": pickle.dumps(Harm())})
    with pytest.raises(ArtifactError, match=r"you/bad/model\.bpr is not a bayespress model file"):
        HubModel.from_pretrained("you/bad")
    assert not (tmp_path / "harm").exists()


def test_a_damaged_file_is_named(hub, demo):
    hub.add("you/bad", {"model.bpr": demo.read_bytes()[:-3] + b"abc"})
    with pytest.raises(ArtifactError, match=r"you/bad/model\.bpr is damaged, its checksum"):
        HubModel.from_pretrained("you/bad")


@pytest.mark.parametrize("load", [bayespress.load, HubModel.from_pretrained])
def test_what_is_damaged_in_the_hubs_cache_is_fetched_anew(hub, demo, load):
    hub.add("me/demo", {"model.bpr": demo.read_bytes()})
    name = "hf://me/demo" if load is bayespress.load else "me/demo"
    assert load(name).predict(TEXTS) == ["positive", "negative"]
    cached = fetch("hf://me/demo")
    cached.write_bytes(demo.read_bytes()[:700])
    hub.status = 503
    with pytest.raises(ArtifactError, match="is damaged"):
        load(name)
    hub.status = None
    assert load(name).predict(TEXTS) == ["positive", "negative"]
    assert cached.read_bytes() == demo.read_bytes()


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        ("hf://me/none", r"there is no me/none on the hub that you may see: .* 'hf auth login'"),
        ("hf://me/hidden", r"there is no me/hidden on the hub that you may see"),
        ("hf://me/gated", r"me/gated is gated: ask for access at its page on the hub, then log"),
        ("hf://me/empty", r"me/empty holds no model\.bpr: .* write hf://owner/name/file\.bpr"),
        ("hf://me/demo@v9", r"me/demo has no revision 'v9': name another one"),
        ("hf://me/demo/x.bpr", r"me/demo holds no x\.bpr"),
        ("hf://me", r"is written hf://owner/name, .* got 'hf://me'"),
        ("hf://me/demo/../x.bpr", r"is written hf://owner/name"),
        ("hf://me/a--b", r"a repository is called owner/name, got 'me/a--b'"),
    ],
)
def test_what_cannot_be_had_is_explained(hub, demo, monkeypatch, reference, message):
    monkeypatch.setenv("HF_TOKEN", "hf_other")
    hub.add("me/demo", {"model.bpr": demo.read_bytes()})
    hub.add("me/hidden", {}, private=True)
    hub.add("me/gated", {}, gated=True)
    hub.add("me/empty", {"README.md": b""})
    with pytest.raises(HubError, match=message) as caught:
        bayespress.load(reference)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("status", [429, 503, None])
def test_a_hub_that_is_away_is_explained(hub, monkeypatch, status):
    monkeypatch.setattr("time.sleep", lambda _: None)  # between the tries
    if status is None:
        monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    hub.status = status
    with pytest.raises(HubError, match=r"hub cannot be reached: check the network|try again later"):
        bayespress.load("hf://me/demo")


@pytest.mark.parametrize(
    ("repo", "token", "message"),
    [
        ("you/demo", None, r"you may not write to you/demo: log in .* token that may write there"),
        ("me/demo", "hf_wrong", r"you may not write to me/demo"),
        ("demo", "", r"the hub wants to know who you are: log in with 'hf auth login'"),
        ("a b/c", None, r"a repository is called owner/name, got 'a b/c'"),
    ],
)
def test_a_push_that_is_refused_is_explained(hub, demo, monkeypatch, repo, token, message):
    if token is not None:
        monkeypatch.setenv("HF_TOKEN", token)
    with pytest.raises(HubError, match=message) as caught:
        HubModel(demo).push_to_hub(repo)
    assert "\n" not in str(caught.value)


@pytest.mark.filterwarnings("ignore:Implicitly cleaning up:ResourceWarning")  # the mixin's own
def test_a_card_that_the_hub_refuses_is_explained(hub, demo):
    with pytest.raises(HubError, match=r"refuses the card of me/x: Invalid metadata .*license"):
        HubModel(demo, license="mine").push_to_hub("me/x")
    with pytest.raises(ConfigError, match="a licence is one of"):
        HubModel(demo, license="My own")


def test_without_huggingface_hub_the_extra_is_named(demo):
    code = (
        "import sys; sys.modules['huggingface_hub'] = None\n"
        "import bayespress\n"
        "assert 'HubModel' in dir(bayespress)\n"
        f"bayespress.load({str(demo)!r}).predict(['x'])\n"
        "for act in (lambda: bayespress.HubModel, lambda: bayespress.load('hf://a/b')):\n"
        "    try: act()\n"
        "    except bayespress.BayespressError as error: print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == (
        "HubModel needs the package 'huggingface_hub': pip install 'bayespress[hub]'\n"
        "reading hf://a/b needs the package 'huggingface_hub': pip install 'bayespress[hub]'\n"
    )


def test_loading_needs_no_torch(demo, tmp_path):
    HubModel(demo).save_pretrained(tmp_path)
    code = (
        "import importlib.metadata, sys\n"
        "missing = ('torch', 'safetensors', 'sklearn')\n"
        "def version(name, real=importlib.metadata.version):\n"
        "    if name in missing: raise importlib.metadata.PackageNotFoundError(name)\n"
        "    return real(name)\n"
        "importlib.metadata.version = version\n"
        "for name in missing: sys.modules[name] = None\n"
        "import json, bayespress\n"
        f"print(json.dumps(bayespress.HubModel.from_pretrained({str(tmp_path)!r}).predict(['x'])))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout)[0] in {"positive", "negative"}
