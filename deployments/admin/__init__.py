"""The admin pages of clusters, projects and what is recorded about them."""

from deployments.admin import clusters, projects, records

__all__ = ["clusters", "projects", "records"]
