"""What all figures share: colours with a meaning, axes in one style, a picture with words."""

import io
import os
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

COLOURS = {
    "compute": "#0072B2",
    "communication": "#D55E00",
    "waiting": "#999999",
    "serial": "#CC79A7",
    "model": "#332288",
    "measured": "#222222",
    "ideal": "#999999",
}
# Lines of several models in one figure: none of them is a colour that has a meaning above.
CURVES = ("#332288", "#009E73", "#E69F00", "#56B4E9", "#882255")
# Fitted laws side by side: each keeps its colour whichever of the others are there.
LAWS = {
    "Amdahl": CURVES[0],
    "Amdahl with measured communication": CURVES[1],
    "USL": CURVES[2],
    "Gustafson": CURVES[4],
    "constant efficiency": CURVES[3],
}
STYLE = {
    "figure.figsize": (6.4, 4.2),
    "figure.dpi": 100,
    "savefig.dpi": 160,
    "font.size": 11,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.titlesize": 11,
    "axes.titlelocation": "left",
    "grid.alpha": 0.3,
    "grid.linewidth": 0.6,
    "lines.linewidth": 2,
}


class Picture:
    """A figure with its alternative text, for a notebook to show.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        The figure; it is closed to further drawing once shown.
    alt : str
        The shape and the finding in words: what a reader who cannot see it is told.

    Raises
    ------
    ValueError
        If there is no alternative text.
    """

    def __init__(self, figure: Figure, alt: str) -> None:
        if not alt.strip():
            raise ValueError("alt must tell the shape and the finding, got an empty text")
        self.figure, self.alt = figure, alt

    def _repr_mimebundle_(self, include=None, exclude=None):
        buffer = io.BytesIO()
        self.figure.savefig(buffer, format="png", bbox_inches="tight", metadata={"Software": None})
        return {"image/png": buffer.getvalue(), "text/plain": self.alt}, {
            "image/png": {"alt": self.alt}
        }

    def save(self, path: str | os.PathLike) -> None:
        """Write the figure to a new PNG or SVG file that carries the alternative text.

        Parameters
        ----------
        path : path-like
            A name that ends in .png or .svg and is not taken.

        Raises
        ------
        ValueError
            If the name ends otherwise.
        FileExistsError
            If there is such a file: it is left as it was.
        """
        kind = Path(path).suffix.lower()
        metadata = {
            ".png": {"Software": None, "Description": self.alt},
            ".svg": {"Date": None, "Description": self.alt},
        }
        if kind not in metadata:
            raise ValueError(f"path must end in .png or .svg, got {os.fspath(path)!r}")
        with open(path, "xb") as file:
            self.figure.savefig(file, format=kind[1:], bbox_inches="tight", metadata=metadata[kind])


def canvas(columns: int = 1, **size) -> tuple[Figure, Axes | np.ndarray]:
    """Make a figure in the book's style, without pyplot and so without a window to close.

    Parameters
    ----------
    columns : int
        Number of axes side by side.
    **size
        ``figsize`` in inches, where the usual one does not fit.

    Returns
    -------
    figure, axes
        The figure and its axes: one, or an array of them.
    """
    import matplotlib as mpl

    with mpl.rc_context(STYLE):
        figure = Figure(layout="constrained", **size)
        return figure, figure.subplots(1, columns)
