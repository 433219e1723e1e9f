"""What the frame around every page needs to know."""

from typing import Any

from django.http import HttpRequest

from deployments import database
from llmdash import __version__


def shell(request: HttpRequest) -> dict[str, Any]:
    """`llmdash_version`, the section of the navigation that this page stands in, and why nothing can be saved now."""
    section = request.path_info.strip("/").split("/", 1)[0]
    return {"llmdash_version": __version__, "section": section, "read_only": database.read_only()}
