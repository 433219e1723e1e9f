"""Pages of deployments, and of who did what."""

from django.urls import path

from deployments import views

app_name = "deployments"
urlpatterns = [
    path("activity/", views.activity, name="activity"),
    path("activity/export/", views.export, name="activity-export"),
    path("deployments/", views.index, name="list"),
    path("deployments/new/", views.new, name="new"),
    path("deployments/<uuid:pk>/", views.detail, name="detail"),
    path("deployments/<uuid:pk>/edit/", views.edit, name="edit"),
    path("deployments/<uuid:pk>/scale/", views.scale, name="scale"),
    path("deployments/<uuid:pk>/stop/", views.stop, name="stop"),
    path("deployments/<uuid:pk>/start/", views.start, name="start"),
    path("deployments/<uuid:pk>/restart/", views.restart, name="restart"),
    path("deployments/<uuid:pk>/delete/", views.delete, name="delete"),
    path("deployments/<uuid:pk>/take-over/", views.take_over, name="takeover"),
    path("deployments/<uuid:pk>/drift-policy/", views.policy, name="policy"),
    path("deployments/<uuid:pk>/revisions/<int:number>/", views.revision, name="revision"),
    path("deployments/<uuid:pk>/revisions/<int:number>/roll-back/", views.roll_back, name="rollback"),
    path("deployments/<uuid:pk>/pods/<slug:pod>/logs/", views.logs, name="logs"),
]
