"""What all explorers share: an anywidget whose module also runs on a page without a kernel."""

from typing import Any

import anywidget

from amdahl_lab.explorers import static


class StaticExplorer:
    """An explorer as it stood, without a kernel behind it: what `glue` keeps for the site."""

    def __init__(self, words: str, html: str):
        self._data = {"text/plain": words, "text/html": html}

    def __repr__(self) -> str:
        return self._data["text/plain"]

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        return dict(self._data)


class Explorer(anywidget.AnyWidget):
    """An explorer with synced traits, tagged ``explorer=True``, and the ES module ``NAME.js``.

    A subclass gives its `name`, its traits, and `describe`; `table` if it shows measured values.
    """

    name: str

    def __init_subclass__(cls, **kwargs: Any) -> None:
        if "name" in vars(cls):  # traitlets makes further subclasses of its own
            cls._esm = static.module(cls.name)
        super().__init_subclass__(**kwargs)

    def state(self) -> dict[str, Any]:
        """Return the values that the picture depends on, by trait name."""
        return {trait: getattr(self, trait) for trait in sorted(self.trait_names(explorer=True))}

    def describe(self) -> str:
        """Return in words what the picture shows now."""
        raise NotImplementedError

    def table(self) -> str:
        """Return the measured values as an HTML table, or nothing."""
        return ""

    @property
    def static(self) -> StaticExplorer:
        """The explorer as it stands now, for a page: no kernel, no random identifiers."""
        words = self.describe()
        return StaticExplorer(
            words, static.static_html(self.name, self.state(), words, self.table())
        )

    def __repr__(self) -> str:
        return self.describe()

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        bundle = super()._repr_mimebundle_(**kwargs)
        if bundle is None:
            return None
        data, metadata = bundle
        return data | self.static._repr_mimebundle_(), metadata
