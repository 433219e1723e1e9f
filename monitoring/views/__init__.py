"""Pages of clusters, the overview, and the charts of a deployment."""

from monitoring.views.charts import charts
from monitoring.views.clusters import cluster, clusters, nodes
from monitoring.views.overview import overview
from monitoring.views.registration import accept, change, forget, register, test, try_out
from monitoring.views.traffic import of_deployments as traffic_of_deployments
from monitoring.views.traffic import of_projects as traffic_of_projects
from monitoring.views.unknown import adopt

__all__ = [
    "accept",
    "adopt",
    "change",
    "charts",
    "cluster",
    "clusters",
    "forget",
    "nodes",
    "overview",
    "register",
    "test",
    "traffic_of_deployments",
    "traffic_of_projects",
    "try_out",
]
