"""Which processes come first where one machine serves pages and does the work: pages, for which somebody waits."""

import os

NICE = 5


def behind_pages() -> None:
    """From here on this process lets those that serve pages go first. Changes nothing where it is alone."""
    os.nice(NICE)
