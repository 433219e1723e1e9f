"""Pages of clusters, the overview, and the charts of a deployment."""

from monitoring.views.charts import charts
from monitoring.views.clusters import cluster, clusters, nodes
from monitoring.views.overview import overview, traffic
from monitoring.views.registration import accept, change, forget, register, test, try_out
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
    "traffic",
    "try_out",
]
