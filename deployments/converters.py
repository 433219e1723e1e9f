"""Parts of addresses beyond Django's own."""

from django.urls.converters import StringConverter

from deployments.rules import KEPT_AS


class KeptAs(StringConverter):
    """The name of a secret."""

    regex = KEPT_AS.removeprefix("^").removesuffix("$").replace("(", "(?:")
