"""What programs write for a terminal, as plain text. Pure."""

import re

# ECMA-48: control sequences, and strings such as a window's title.
TERMINAL = re.compile(
    r"\x1b(?:\[[0-?]*[ -/]*[@-~]|[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)?|[ -/]*[0-~])|\x9b[0-?]*[ -/]*[@-~]"
)
NOT_SHOWN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def plain(text: str) -> str:
    """Without the codes that move and colour a terminal, and without characters that no page shows."""
    return NOT_SHOWN.sub("", TERMINAL.sub("", text.replace("\r\n", "\n")))
