"""Pages of deployments."""

from django.urls import path

from deployments import views

app_name = "deployments"
urlpatterns = [
    path("", views.index, name="list"),
    path("new/", views.new, name="new"),
    path("<uuid:pk>/", views.detail, name="detail"),
    path("<uuid:pk>/edit/", views.edit, name="edit"),
    path("<uuid:pk>/scale/", views.scale, name="scale"),
    path("<uuid:pk>/stop/", views.stop, name="stop"),
    path("<uuid:pk>/start/", views.start, name="start"),
    path("<uuid:pk>/restart/", views.restart, name="restart"),
    path("<uuid:pk>/delete/", views.delete, name="delete"),
    path("<uuid:pk>/take-over/", views.take_over, name="takeover"),
    path("<uuid:pk>/drift-policy/", views.policy, name="policy"),
    path("<uuid:pk>/revisions/<int:number>/", views.revision, name="revision"),
    path("<uuid:pk>/revisions/<int:number>/roll-back/", views.roll_back, name="rollback"),
    path("<uuid:pk>/pods/<slug:pod>/logs/", views.logs, name="logs"),
]
