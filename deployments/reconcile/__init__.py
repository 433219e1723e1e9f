"""Make the clusters match the newest Revisions: claim a row, build, apply, prune, record, until nothing is due."""

from deployments.reconcile import orphans
from deployments.reconcile.claim import due, look_again
from deployments.reconcile.housekeeping import forget
from deployments.reconcile.rechecking import recheck
from deployments.reconcile.step import drain

__all__ = ["drain", "due", "forget", "look_again", "orphans", "recheck"]
