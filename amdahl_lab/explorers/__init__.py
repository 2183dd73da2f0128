"""Explorers: pictures that answer a drag, the same in JupyterLab and on a page without a kernel.

An explorer called NAME is one widget class in ``NAME.py`` and one ES module in ``NAME.js`` (with
``NAME_*.js`` set before it, if it is long). The module may use what ``toolkit.js`` and ``laws.js``
define, reads and writes only ``model.get``, ``set``, ``save_changes``, ``on`` and ``off``, imports
nothing, and ends with ``export default { render, formulas };``. `static_script` finds it by its
name; the class is added to ``_CLASSES`` below.

Widgets are loaded on first use, so that the site can be built without anywidget.
"""

from importlib import import_module
from typing import Any

from amdahl_lab.explorers.static import names, static_html, static_script, without_widgets

_CLASSES = {
    "ChipExplorer": "chip",
    "DemandExplorer": "demand",
    "Explorer": "base",
    "PipelineExplorer": "pipeline",
    "FanExplorer": "fan",
    "FasterExplorer": "faster",
    "SpeedupExplorer": "speedup",
    "StaticExplorer": "base",
    "StepExplorer": "step",
    "WildExplorer": "wild",
}

__all__ = [
    "ChipExplorer",
    "DemandExplorer",
    "Explorer",
    "FanExplorer",
    "FasterExplorer",
    "PipelineExplorer",
    "SpeedupExplorer",
    "StaticExplorer",
    "StepExplorer",
    "WildExplorer",
    "names",
    "static_html",
    "static_script",
    "without_widgets",
]


def __getattr__(name: str) -> Any:
    if name not in _CLASSES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_CLASSES[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
