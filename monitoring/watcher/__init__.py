"""The observer: watches every cluster and writes what it sees into the observed rows."""

from monitoring.watcher.run import run

__all__ = ["run"]
