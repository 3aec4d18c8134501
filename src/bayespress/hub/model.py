"""A finished model and the Hugging Face hub: save, push, load, as every library there does it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Self

from bayespress import compact, runtime
from bayespress.compact.model import FloatArray
from bayespress.errors import ArtifactError, HubError, MissingExtraError
from bayespress.hub.facts import Facts
from bayespress.hub.release import CARD_FILE, CONFIG_FILE, Release, read_facts, release_of
from bayespress.quiet import quietly
from bayespress.runtime import LanguageModel, TextPredictor
from bayespress.runtime.remote import MODEL_FILE, download, download_model, explained
from bayespress.storage import write_bytes

try:
    import huggingface_hub
except ModuleNotFoundError:
    raise MissingExtraError("huggingface_hub", "HubModel") from None


class HubModel(huggingface_hub.ModelHubMixin, library_name="bayespress"):
    """A finished model that can be pushed to the Hugging Face hub and comes from there.

    ``save_pretrained``, ``from_pretrained`` and ``push_to_hub`` take what they take in any library
    that uses :class:`huggingface_hub.ModelHubMixin`. Published are the model's file, its facts in
    ``config.json``, and a card; to load a model executes nothing of it and needs no torch.

    Parameters
    ----------
    source
        The folder of a finished run, a model file, a fitted
        :class:`~bayespress.estimator.TextClassifier`, a model, or a predictor; see
        :func:`bayespress.hub.release_of`.
    license
        The hub's identifier of the licence, for the card: ``apache-2.0``, ``mit`` …
    language
        Code of the texts' language, or several: ``en`` …

    Raises
    ------
    BayespressError
        If there is no finished model, it is damaged, or the licence has no such form.

    Examples
    --------
    >>> HubModel("runs/reviews", license="mit").push_to_hub("me/reviews")  # doctest: +SKIP
    >>> HubModel.from_pretrained("me/reviews").predict(["What a film"])  # doctest: +SKIP
    ['positive']
    """

    def __new__(cls, *_: object, **__: object) -> Self:
        """Keep no arguments, which the mixin would as a configuration: the release has its own."""
        return object.__new__(cls)

    def __init__(
        self,
        source: object,
        *,
        license: str | None = None,  # noqa: A002 - the hub's word
        language: str | Sequence[str] = (),
    ) -> None:
        self.release = release_of(source).telling(license, language)

    @cached_property
    def predictor(self) -> TextPredictor | LanguageModel:
        """The model, ready to use."""
        return runtime.ready(self.release.model)

    def predict(self, texts: Sequence[str]) -> list[Any]:
        """Name the most probable class of each text, see :meth:`TextPredictor.predict`."""
        return self._classifier().predict(texts)

    def predict_proba(self, texts: Sequence[str]) -> FloatArray:
        """Give each text's class probabilities, see :meth:`TextPredictor.predict_proba`."""
        return self._classifier().predict_proba(texts)

    def generate(self, prompt: str = "", **how: Any) -> Iterator[str]:
        """Go on with a text, see :meth:`LanguageModel.generate`.

        Raises
        ------
        TypeError
            If the model is a classifier.
        """
        if not isinstance(self.predictor, LanguageModel):
            raise TypeError("this model is a classifier and writes no text: call predict")
        return self.predictor.generate(prompt, **how)

    def _classifier(self) -> TextPredictor:
        if not isinstance(self.predictor, TextPredictor):
            raise TypeError("this model is a language model and names no classes: call generate")
        return self.predictor

    def push_to_hub(self, repo_id: str, **how: Any) -> str:
        """Publish the model; the repository is made if it is not there.

        Parameters
        ----------
        repo_id
            ``owner/name``; a name alone is one of the user's own.
        how
            As :meth:`huggingface_hub.ModelHubMixin.push_to_hub` takes it: ``private``, ``token``,
            ``commit_message``, ``branch``, ``create_pr`` … In ``model_card_kwargs``, ``license``
            and ``language`` are for the card.

        Returns
        -------
        str
            Address of the commit; before huggingface_hub 1.0, of the branch.

        Raises
        ------
        HubError
            If the hub cannot be reached, or refuses.
        """
        with explained(repo_id, writes=True), quietly():
            if "/" not in repo_id:
                user = huggingface_hub.HfApi(token=how.get("token")).whoami()
                repo_id = f"{user['name']}/{repo_id}"
            of_card = {"repo_id": repo_id, **(how.pop("model_card_kwargs", None) or {})}
            return str(super().push_to_hub(repo_id, model_card_kwargs=of_card, **how))

    @classmethod
    def from_pretrained(cls, pretrained_model_name_or_path: str | Path, **how: Any) -> Self:
        """Load a model of the hub, or of a folder that :meth:`save_pretrained` wrote.

        Parameters
        ----------
        pretrained_model_name_or_path
            ``owner/name``, or a folder.
        how
            As :meth:`huggingface_hub.ModelHubMixin.from_pretrained` takes it: ``revision``,
            ``token``, ``cache_dir``, ``force_download``, ``local_files_only``.

        Raises
        ------
        HubError
            If it cannot be had.
        ArtifactError
            If its file is damaged.
        """
        # The mixin hands a stranger's config.json to the constructor; here it is read as data.
        return cls._from_pretrained(model_id=str(pretrained_model_name_or_path), **how)

    @classmethod
    def _from_pretrained(cls, *, model_id: str, **how: Any) -> Self:
        folder = Path(model_id)
        if folder.is_dir():
            return cls(folder)
        file = download_model(model_id, **how)
        content = file.read_bytes()
        model = compact.loads(content, f"{model_id}/{MODEL_FILE}")
        return cls(Release(model, _facts_of(model_id, how), content=content))

    def _save_pretrained(self, save_directory: Path) -> None:
        files = self.release.files()
        del files[CARD_FILE]  # the mixin's turn: a card that is there stays
        for name, content in files.items():
            write_bytes(save_directory / name, content)

    def generate_model_card(self, *_: Any, **how: Any) -> huggingface_hub.ModelCard:
        """Write the card; ``license``, ``language`` and ``repo_id`` are put into it."""
        repo = how.pop("repo_id", None)
        release = self.release.telling(how.pop("license", None), how.pop("language", ()))
        if how:
            raise TypeError(f"the card takes license, language and repo_id, not {', '.join(how)}")
        return huggingface_hub.ModelCard(release.write_card(repo))


def _facts_of(repo: str, how: dict[str, Any]) -> Facts:
    """Read a repository's facts, if it has some: a model can do without."""
    try:
        return read_facts(download(repo, CONFIG_FILE, **how))
    except (HubError, ArtifactError):
        return Facts()
