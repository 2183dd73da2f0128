"""Buttons that open a notebook on Binder or Colab, filled from one setting and absent without it.

The setting is `repository_address`, such as `https://github.com/owner/name`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from sphinx.errors import ExtensionError

if TYPE_CHECKING:
    from sphinx.application import Sphinx

BINDER, COLAB = "https://mybinder.org", "https://colab.research.google.com"


def fill_buttons(app: Sphinx, config: Any) -> None:
    """Give the theme what its buttons need.

    Raises
    ------
    ExtensionError
        If the address is not that of a repository.
    """
    address = config.repository_address.strip().removesuffix("/").removesuffix(".git")
    if not address:
        return
    if not re.fullmatch(r"https://[\w.-]+/[\w.-]+/[\w.-]+", address):
        raise ExtensionError(
            "repository_address must read https://host/owner/name or be empty, "
            f"got {config.repository_address!r}"
        )
    services = {"binderhub_url": BINDER, "notebook_interface": "jupyterlab"}
    if address.startswith("https://github.com/"):
        services["colab_url"] = COLAB  # it opens notebooks from there alone
    config.html_theme_options = {
        **config.html_theme_options,
        "repository_url": address,
        "repository_branch": config.repository_branch,
        "launch_buttons": services,
    }


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the setting; the theme reads its options after this."""
    app.add_config_value("repository_address", "", "env", str)
    app.add_config_value("repository_branch", "main", "env", str)
    app.connect("config-inited", fill_buttons, priority=100)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
