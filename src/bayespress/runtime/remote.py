"""Model files of the Hugging Face hub: fetched when they are asked for by ``hf://``, never else."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bayespress import __version__, compact
from bayespress.errors import ArtifactError, HubError, MissingExtraError
from bayespress.quiet import quietly
from bayespress.storage import NO_SPACE

PREFIX = "hf://"
MODEL_FILE = "model.bpr"
_LOG_IN = "log in with 'hf auth login', or set HF_TOKEN"
_FORM = "hf://owner/name, hf://owner/name@revision or hf://owner/name/file.bpr"
_REFERENCE = re.compile(
    r"hf://(?P<repo>[\w.-]+/[\w.-]+)"
    r"(?:@(?P<revision>refs/(?:pr|convert)/[\w.-]+|[^/\s]+))?(?:/(?P<file>\S*\.bpr))?"
)
_MOST_CHARACTERS = 200


@dataclass(frozen=True)
class Reference:
    """A model file on the hub.

    Attributes
    ----------
    repo
        ``owner/name``.
    revision
        A branch, a tag or a commit; None is the newest.
    file
        The file's name in the repository.

    Examples
    --------
    >>> Reference.parse("hf://me/reviews@v1")
    Reference(repo='me/reviews', revision='v1', file='model.bpr')
    """

    repo: str
    revision: str | None = None
    file: str = MODEL_FILE

    @classmethod
    def parse(cls, text: str) -> Reference:
        """Read ``hf://owner/name``, with ``@revision`` and ``/file.bpr`` where they are wanted.

        Raises
        ------
        HubError
            If the text has another form.
        """
        match = _REFERENCE.fullmatch(text)
        if match is None or ".." in text:
            raise HubError(f"a model of the hub is written {_FORM}, got {text!r}")
        return cls(match["repo"], match["revision"], match["file"] or MODEL_FILE)


def is_remote(path: str | os.PathLike[str]) -> bool:
    """Tell whether a path is meant to be on the hub."""
    return isinstance(path, str) and path.startswith(PREFIX)


def fetch(reference: str) -> Path:
    """Download a model file, or find it in the hub's own cache; return where it is.

    Raises
    ------
    HubError
        If it cannot be had.
    MissingExtraError
        If the package huggingface_hub is not installed.
    """
    at = Reference.parse(reference)
    return download_model(at.repo, at.file, revision=at.revision)


def download_model(repo: str, file: str = MODEL_FILE, **how: Any) -> Path:
    """Download a model file as :func:`download` does, once more if what is there is damaged.

    What a server broke off stays in the hub's own cache, which asks no more for what it has.

    Raises
    ------
    HubError, MissingExtraError
        As :func:`download`.
    """
    found = download(repo, file, **how)
    try:
        compact.load(found)
    except ArtifactError:
        with contextlib.suppress(HubError):  # then the damage is told
            return download(repo, file, **{**how, "force_download": True})
    return found


def download(repo: str, file: str, **how: Any) -> Path:
    """Download a file of a repository, as ``huggingface_hub.hf_hub_download`` does.

    Parameters
    ----------
    repo, file
        What.
    how
        Further arguments of that function: ``revision``, ``token``, ``cache_dir`` …

    Raises
    ------
    HubError
        If it cannot be had.
    MissingExtraError
        If the package huggingface_hub is not installed.
    """
    try:
        import huggingface_hub  # noqa: PLC0415 - an extra
    except ImportError:
        raise MissingExtraError("huggingface_hub", f"reading {PREFIX}{repo}") from None
    with explained(repo, file=file, revision=how.get("revision")), quietly():
        found = huggingface_hub.hf_hub_download(
            repo, file, library_name="bayespress", library_version=__version__, **how
        )
    return Path(found)


@contextlib.contextmanager
def explained(
    repo: str, *, file: str = MODEL_FILE, revision: str | None = None, writes: bool = False
) -> Iterator[None]:
    """Turn what huggingface_hub raises into one line with a remedy.

    Raises
    ------
    HubError
        For all that goes wrong on the way to the hub and there.
    """
    try:
        yield
    except Exception as error:
        problem = _Problem(repo, file, revision, writes)
        message = problem.explain(error)
        if message is None and isinstance(error.__cause__, Exception):  # of an upload
            message = problem.explain(error.__cause__)
        if message is None:
            raise
        raise HubError(message) from error


@dataclass(frozen=True)
class _Problem:
    repo: str
    file: str
    revision: str | None
    writes: bool

    def explain(self, error: Exception) -> str | None:
        """Say what a user can do; None if it has nothing to do with the hub."""
        names = {kind.__name__ for kind in type(error).__mro__}
        if "HFValidationError" in names:
            return f"a repository is called owner/name, got {self.repo!r}: {_line(error)}"
        if "LocalTokenNotFoundError" in names:
            return f"the hub wants to know who you are: {_LOG_IN}"
        if "OfflineModeIsEnabled" in names:
            return f"{self.repo} is needed of the hub, but HF_HUB_OFFLINE is set: unset it"
        if "LocalEntryNotFoundError" in names:
            return (
                f"{self.repo} is not in the cache and the hub cannot be reached: "
                "check the network, and HF_ENDPOINT and HF_HUB_OFFLINE if they are set"
            )
        status = getattr(getattr(error, "response", None), "status_code", None)
        if isinstance(status, int):
            return self._of_answer(error, names, status)
        return self._on_the_way(error)

    def _of_answer(self, error: Exception, names: set[str], status: int) -> str:
        """Explain what the hub answered."""
        reasons = {
            "GatedRepoError": f"is gated: ask for access at its page on the hub, then {_LOG_IN}",
            "RevisionNotFoundError": f"has no revision {self.revision!r}: name another one",
            "EntryNotFoundError": f"holds no {self.file}: it is no model of bayespress, or its "
            "file has another name, then write hf://owner/name/file.bpr",
        }
        for name, reason in reasons.items():
            if name in names:
                return f"{self.repo} {reason}"
        return self._of_status(error, names, status)

    def _of_status(self, error: Exception, names: set[str], status: int) -> str:
        if self.writes and status in {401, 403}:
            return f"you may not write to {self.repo}: {_LOG_IN}, with a token that may write there"
        if "RepositoryNotFoundError" in names or status in {401, 403, 404}:
            return (
                f"there is no {self.repo} on the hub that you may see: check the name, and if it "
                f"is private {_LOG_IN}"
            )
        if status >= 500 or status == 429:
            return f"the hub answers with error {status}: try again later"
        said = getattr(error, "server_message", None) or error
        return f"the hub refuses {self.repo}: {_line(said)}"

    def _on_the_way(self, error: Exception) -> str | None:
        """Explain that nothing answered, by whichever package huggingface_hub calls."""
        home = type(error).__module__.partition(".")[0]
        if home in {"httpx", "httpx2", "requests", "urllib3"} or isinstance(error, ConnectionError):
            return f"the hub cannot be reached for {self.repo}: {_line(error)}; check the network"
        if isinstance(error, OSError) and error.errno is not None:
            reason = "no space left" if error.errno in NO_SPACE else error.strerror
            return (
                f"{self.repo} cannot be kept in the hub's cache: {reason}: {error.filename or ''}; "
                "mend that, or set HF_HOME to a folder that can be written to"
            ).replace(": ;", ";")
        if self.writes and type(error) is ValueError:
            return f"the hub refuses the card of {self.repo}: {_line(error)}"
        return None


def _line(said: object) -> str:
    """Shorten what others say to one printable line."""
    text = " ".join("".join(c if c.isprintable() else " " for c in str(said)).split())
    return text if len(text) <= _MOST_CHARACTERS else text[: _MOST_CHARACTERS - 1] + "…"
