"""Pages of clusters, and the charts of a deployment."""

from django.urls import path

from monitoring import views

app_name = "monitoring"
urlpatterns = [
    path("overview/traffic/", views.traffic_of_projects, name="traffic"),
    path("deployments/traffic/", views.traffic_of_deployments, name="traffic-of-deployments"),
    path("clusters/", views.clusters, name="clusters"),
    path("clusters/new/", views.register, name="cluster-new"),
    path("clusters/test/", views.try_out, name="cluster-try"),
    path("clusters/<uuid:pk>/", views.cluster, name="cluster"),
    path("clusters/<uuid:pk>/settings/", views.change, name="cluster-settings"),
    path("clusters/<uuid:pk>/test/", views.test, name="cluster-test"),
    path("clusters/<uuid:pk>/accept/", views.accept, name="cluster-accept"),
    path("clusters/<uuid:pk>/forget/", views.forget, name="cluster-forget"),
    path("clusters/<uuid:pk>/unknown/<uuid:deployment>/adopt/", views.adopt, name="adopt"),
    path("clusters/<uuid:pk>/nodes/", views.nodes, name="nodes"),
    path("deployments/<uuid:pk>/charts/", views.charts, name="charts"),
]
