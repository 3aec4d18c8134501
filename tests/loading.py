"""Scripts and hooks, which are no modules of a package."""

import importlib.util
import sys


def load_file(path):
    """Import a file by its path."""
    name = f"tests.loaded.{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module
