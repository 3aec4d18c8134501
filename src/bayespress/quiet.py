"""The Hugging Face hub's own library, kept from talking where bayespress does."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from logging import ERROR


@contextlib.contextmanager
def quietly(*, has_bars: bool = False) -> Iterator[None]:
    """Let huggingface_hub log no retries, since errors are one line, and show no bars.

    Where the user's environment says what it shall show, it does.

    Parameters
    ----------
    has_bars
        Let it show its bars: what is fetched is more than kilobytes.
    """
    from huggingface_hub.utils import (  # type: ignore[attr-defined] # noqa: PLC0415
        are_progress_bars_disabled,
        disable_progress_bars,
        enable_progress_bars,
        logging,
    )

    is_said = "HF_HUB_DISABLE_PROGRESS_BARS" in os.environ
    hides_bars = not (has_bars or is_said or are_progress_bars_disabled())
    level = logging.get_verbosity()
    if hides_bars:
        disable_progress_bars()
    if "HF_HUB_VERBOSITY" not in os.environ:
        logging.set_verbosity(ERROR)
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if hides_bars:
            enable_progress_bars()
