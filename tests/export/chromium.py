"""A page as a real browser leaves it."""

import os
import shutil
import subprocess
from html.parser import HTMLParser

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
CHROMIUM = next((path for name in NAMES if (path := shutil.which(name))), None)
needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")
OPTIONS = ("--headless=new", "--disable-gpu", "--virtual-time-budget=5000", "--dump-dom")


class Page(HTMLParser):
    """Elements of a page in order, each with its attributes and all of the text in it."""

    def __init__(self, content):
        super().__init__()
        self.elements, self._open = [], []
        self.feed(content)

    def handle_starttag(self, tag, attrs):
        element = {"tag": tag, "text": "", **dict(attrs)}
        self.elements.append(element)
        if tag not in ("meta", "link", "input", "br", "img"):
            self._open.append(element)

    def handle_endtag(self, tag):
        while self._open and self._open.pop()["tag"] != tag:
            pass

    def handle_data(self, data):
        for element in self._open:
            element["text"] += data

    def find(self, **wanted):
        """Give the elements with these attributes."""
        return [element for element in self.elements if wanted.items() <= element.items()]

    def text(self, name):
        """Give the text of the element of an id."""
        (element,) = self.find(id=name)
        return " ".join(element["text"].split())

    def rows(self, name):
        """Give the cells' texts of the rows of a table that stands in the element of an id."""
        start = next(k for k, element in enumerate(self.elements) if element.get("id") == name)
        rows = []
        for element in self.elements[start + 1 :]:
            if element["tag"] == "tr":
                rows.append([])
            elif element["tag"] in ("th", "td") and "aria-hidden" not in element:
                rows[-1].append(element["text"])
            elif "id" in element:
                break
        return rows


def look_at(path, hash_=""):
    """Open a page of the disk without a network, wait until it is done, and take it apart."""
    rootless = ("--no-sandbox",) if os.geteuid() == 0 else ()
    nowhere = "--host-resolver-rules=MAP * ~NOTFOUND"
    profile = f"--user-data-dir={path.parent / 'profile'}"
    done = subprocess.run(
        [CHROMIUM, *OPTIONS, *rootless, nowhere, profile, f"{path.as_uri()}{hash_}"],
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=True,
    )
    return Page(done.stdout)
