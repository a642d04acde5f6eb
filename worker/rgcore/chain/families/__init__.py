"""The families of chains: one function, in one file of this folder, for each."""

from importlib import import_module
from pkgutil import iter_modules

from rgcore.chain.families.registry import FAMILIES

for _file in iter_modules(__path__):
    import_module(f"{__name__}.{_file.name}")

__all__ = ["FAMILIES"]
