"""BERT for today's TensorFlow; `from bert import modeling, tokenization`.

This folder is the package `bert`: where it is installed, in a clone of any
name (the folder `bert` in it leads here), and, as with the original, in a
clone that is itself called `bert`, seen from its parent.

Code written for the original also says `import tokenization`, with the clone's
folder on the path. Such a bare name is the same module under a second name,
so that a class is one class whichever way it was imported.
"""

import importlib
import importlib.machinery
import importlib.util
import os
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from importlib.abc import Loader, MetaPathFinder
else:  # importlib.abc takes 7 ms, and these do nothing in it that we need
    Loader = MetaPathFinder = object

__version__ = "0.2.0"

_ROOT = os.path.dirname(os.path.realpath(__file__))


def __getattr__(name: str):
    if name != "from_checkpoint":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    # On first use: it needs TensorFlow.
    pretrained = importlib.import_module(f"{__name__}.model_folder.pretrained")
    return pretrained.from_checkpoint


def _names() -> set[str]:
    """Returns what can be imported from this folder, but for `bert`."""
    with os.scandir(_ROOT) as entries:
        found = {
            entry.name.removesuffix(".py")
            for entry in entries
            if entry.name.endswith(".py")
            or os.path.exists(os.path.join(entry.path, "__init__.py"))
        }
    return found - {"bert", "__init__", "__main__"}


_NAMES = _names()


def _is_here(file: str | None) -> bool:
    return file is not None and os.path.realpath(file).startswith(
        _ROOT + os.sep
    )


class _BareNames(MetaPathFinder):
    """Finds our own modules where their name lacks `bert.`."""

    def find_spec(self, fullname, path=None, target=None):
        top, _, rest = fullname.partition(".")
        if top not in _NAMES or fullname in sys.modules:  # importlib.reload
            return None
        if rest:
            is_ours = sys.modules[top] is sys.modules.get(f"bert.{top}")
        else:
            found = importlib.machinery.PathFinder.find_spec(top)
            is_ours = found is not None and _is_here(found.origin)
        if not is_ours:
            return None
        return importlib.util.spec_from_loader(fullname, _SameModule())


class _SameModule(Loader):
    """Loads a module under its name in `bert`."""

    def create_module(self, spec):
        module = importlib.import_module(f"bert.{spec.name}")
        self._spec = module.__spec__
        return module

    def exec_module(self, module):
        module.__spec__ = self._spec  # importlib has put the bare name's there


def _adopt(names: Iterable[str]) -> None:
    """Takes in modules that were imported by their bare names before this."""
    for name in names:
        module = sys.modules[name]
        top, _, rest = name.partition(".")
        if top in _NAMES and _is_here(getattr(module, "__file__", None)):
            sys.modules[f"bert.{name}"] = module
            if not rest:
                globals()[name] = module


if __name__ == "bert":
    _adopt(list(sys.modules))
    sys.meta_path.insert(0, _BareNames())
