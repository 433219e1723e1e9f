"""What the endpoints share."""

from collections.abc import Mapping
from typing import Any, TypeVar, cast

Shape = TypeVar("Shape", bound=Mapping[str, Any])


def chosen(item: dict[str, Any], shape: type[Shape]) -> Shape:
    """The shape's keys of a stored dict, None where one is absent; nothing else leaves."""
    return cast(Shape, {key: item.get(key) for key in shape.__annotations__})
