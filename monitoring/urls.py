"""Pages of clusters, and the charts of a deployment."""

from django.urls import path

from monitoring import views

app_name = "monitoring"
urlpatterns = [
    path("overview/traffic/", views.traffic, name="traffic"),
    path("clusters/", views.clusters, name="clusters"),
    path("clusters/<uuid:pk>/", views.cluster, name="cluster"),
    path("clusters/<uuid:pk>/nodes/", views.nodes, name="nodes"),
    path("deployments/<uuid:pk>/charts/", views.charts, name="charts"),
]
