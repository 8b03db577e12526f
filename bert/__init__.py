"""In a clone this leads to the package `bert`: the folder above."""

import os
import sys
from importlib.machinery import SourceFileLoader

__path__ = [os.path.dirname(os.path.dirname(os.path.abspath(__file__)))]
__file__ = os.path.join(__path__[0], "__init__.py")
SourceFileLoader(__name__, __file__).exec_module(sys.modules[__name__])
