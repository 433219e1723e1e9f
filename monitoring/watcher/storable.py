"""What a database takes of what others wrote."""

from typing import Any

MAX_TEXT = 4000  # characters
MAX_WHOLE = 2**63 - 1
MAX_COUNT = 2**31 - 1


def storable(value: Any) -> Any:
    """JSON values without NUL, which PostgreSQL refuses even inside JSON, and without text that has no end."""
    if isinstance(value, str):
        text = value if len(value) <= MAX_TEXT else f"{value[:MAX_TEXT]}…"
        return text.replace("\x00", "\ufffd")
    if isinstance(value, list):
        return [storable(entry) for entry in value]
    if isinstance(value, dict):
        return {storable(key): storable(entry) for key, entry in value.items()}
    return min(value, MAX_WHOLE) if isinstance(value, int) else value
