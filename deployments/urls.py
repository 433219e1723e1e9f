"""Pages of deployments, and of who did what."""

from django.urls import path

from deployments import views

app_name = "deployments"
urlpatterns = [
    path("projects/", views.projects, name="projects"),
    path("projects/new/", views.create_project, name="project-new"),
    path("projects/<uuid:pk>/", views.project, name="project"),
    path("projects/<uuid:pk>/rename/", views.rename_project, name="project-rename"),
    path("projects/<uuid:pk>/remove/", views.remove_project, name="project-remove"),
    path("projects/<uuid:pk>/secrets/write/", views.write_secret, name="secret-write"),
    path("projects/<uuid:pk>/secrets/<kept:secret>/remove/", views.remove_secret, name="secret-remove"),
    path("projects/<uuid:pk>/members/add/", views.add_member, name="member-add"),
    path("projects/<uuid:pk>/members/<uuid:member>/role/", views.change_role, name="member-role"),
    path("projects/<uuid:pk>/members/<uuid:member>/remove/", views.remove_member, name="member-remove"),
    path("activity/", views.activity, name="activity"),
    path("activity/export/", views.export, name="activity-export"),
    path("deployments/", views.index, name="list"),
    path("deployments/bulk/", views.bulk, name="bulk"),
    path("deployments/new/", views.new, name="new"),
    path("deployments/preview/", views.preview_new, name="preview-new"),
    path("deployments/<uuid:pk>/", views.detail, name="detail"),
    path("deployments/<uuid:pk>/preview/", views.preview_edit, name="preview"),
    path("deployments/<uuid:pk>/edit/", views.edit, name="edit"),
    path("deployments/<uuid:pk>/scale/", views.scale, name="scale"),
    path("deployments/<uuid:pk>/stop/", views.stop, name="stop"),
    path("deployments/<uuid:pk>/start/", views.start, name="start"),
    path("deployments/<uuid:pk>/restart/", views.restart, name="restart"),
    path("deployments/<uuid:pk>/delete/", views.delete, name="delete"),
    path("deployments/<uuid:pk>/try-again/", views.try_again, name="try-again"),
    path("deployments/<uuid:pk>/take-over/", views.take_over, name="takeover"),
    path("deployments/<uuid:pk>/newer/", views.newer, name="newer"),
    path("deployments/<uuid:pk>/drift-policy/", views.policy, name="policy"),
    path("deployments/<uuid:pk>/revisions/<int:number>/", views.revision, name="revision"),
    path("deployments/<uuid:pk>/revisions/<int:number>/roll-back/", views.roll_back, name="rollback"),
    path("deployments/<uuid:pk>/pods/<slug:pod>/logs/", views.logs, name="logs"),
]
