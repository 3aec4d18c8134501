"""``bayespress push``, and ``hf://owner/name`` wherever a model is taken."""

import json
import os
import subprocess
import sys

import pytest
import yaml

from tests.cli.helpers import answers, refused, worked
from tests.hub.stub import TOKEN

# huggingface_hub's upload of large files calls httpx in a way of the past.
pytestmark = pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning")


def front_of(card):
    return yaml.safe_load(card.split("---\n")[1])


def test_a_folder_is_written_without_any_network(trained, tmp_path, hub):
    said = worked("push", trained.run, "me/x", "--license", "mit", "--output", "out")
    assert "bytes  out/model.bpr" in said
    assert said.endswith("next: read the card, then bayespress push out me/x\n")
    card = (tmp_path / "out" / "README.md").read_text()
    assert front_of(card)["license"] == "mit"
    assert f"bayespress train {trained.source.name} LLLLLL --" in card
    assert str(trained.source.parent) not in card
    assert hub.calls == []


def test_look_edit_push(trained, tmp_path, hub):
    worked("push", trained.run, "--output", "out")
    card = tmp_path / "out" / "README.md"
    card.write_text(card.read_text() + "\nMore of it.\n")
    said = worked("push", "out", "me/reviews", "--private", "--message", "first")
    assert "published: " in said
    repo = hub.repos["me/reviews"]
    assert repo.files["README.md"].decode().endswith("\nMore of it.\n")
    assert (repo.private, repo.messages) == (True, ["first"])
    assert answers("hf://me/reviews", "good film") == answers(trained.model, "good film")


def test_a_compressed_file_of_the_run_is_published(trained, hub):
    worked("compress", trained.run, "--output", "tiny.bpr", "--precision", "int8")
    worked("push", trained.run, "me/tiny", "--file", "tiny.bpr", "--language", "en")
    card = hub.repos["me/tiny"].files["README.md"].decode()
    assert "weights" not in front_of(card)
    assert front_of(card)["metrics"] == ["accuracy"]


def test_every_command_that_takes_a_model_takes_one_of_the_hub(demo, hub):
    hub.add("me/demo", {"model.bpr": demo.read_bytes()})
    for arguments in (
        ("predict", "MODEL", "good film"),
        ("explain", "MODEL", "good film", "--json"),
        ("inspect", "MODEL", "--json"),
        ("evaluate", "MODEL", "demo", "--json"),
        ("export", "MODEL", "--to", "js", "--output", "a.mjs", "--force"),
        ("report", "MODEL", "--output", "a.html", "--force"),
    ):
        local, remote = (
            worked(*(model if word == "MODEL" else word for word in arguments))
            for model in (demo, "hf://me/demo")
        )
        assert len(remote.splitlines()) == len(local.splitlines())
        if arguments[0] != "report":  # it names what it wrote
            assert remote == local


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["RUN"], "name the repository, owner/name, or a folder to write to: --output"),
        (["RUN", "me"], "a repository is called owner/name, got 'me'"),
        (["RUN", "you/x"], "you may not write to you/x: log in with 'hf auth login'"),
        (["RUN", "me/x", "--license", "My"], "a licence is one of the hub's identifiers"),
        (["RUN", "me/x", "--language", "English"], "a language is a code of ISO 639"),
        (["nowhere", "me/x"], "nowhere does not exist"),
        (["RUN", "--output", "full"], "full is not empty: choose another --output, or add --force"),
        (["RUN", "--output", "file"], "file is a file: give --output the name of a folder"),
        (["RUN", "me/x", "--file", "gone.bpr"], "gone.bpr cannot be read"),
    ],
)
def test_a_mistake_is_one_line(trained, tmp_path, hub, arguments, message):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "a").write_text("")
    (tmp_path / "file").write_text("")
    words = [trained.run if word == "RUN" else word for word in arguments]
    assert message in refused("push", *words)


@pytest.mark.parametrize(
    ("model", "message"),
    [
        ("hf://me/none", "there is no me/none on the hub that you may see"),
        ("hf:me/demo", "a model of the hub is written hf://owner/name, got 'hf:me/demo'"),
        ("hf://me", "a model of the hub is written hf://owner/name"),
    ],
)
def test_a_model_that_is_not_there_is_one_line(hub, model, message):
    assert message in refused("predict", model, "text")


def test_the_program_as_a_shell_calls_it(demo, hub, tmp_path):
    environment = {
        **os.environ,
        "HF_ENDPOINT": hub.address,
        "HF_HOME": str(tmp_path / "hf"),
        "HF_TOKEN": TOKEN,
        "HF_HUB_DISABLE_XET": "1",
    }

    def shell(*arguments):
        command = [sys.executable, "-m", "bayespress.cli", *map(str, arguments)]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)

    pushed = shell("push", demo, "me/demo")
    assert (pushed.returncode, pushed.stderr) == (0, "")
    done = shell("predict", "hf://me/demo", "a lovely film")
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["label"] == "positive"
