"""Numbers as people read them. Pure."""


def figure(value: float) -> str:
    """A number with about three digits and no exponent: 0.482, 12.4, 4,218."""
    if abs(value) >= 99.95:
        return f"{value:,.0f}"
    return (
        f"{value:.1f}" if abs(value) >= 10 else f"{value:.3g}" if abs(value) >= 0.001 or not value else f"{value:.5f}"
    )
