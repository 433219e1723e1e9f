"""Pages about one's own account that the sign-in library does not have."""

from django.urls import path

from llmdash.accounts import views

app_name = "accounts"
urlpatterns = [
    path("tokens/", views.tokens, name="tokens"),
    path("tokens/<uuid:pk>/revoke/", views.revoke, name="token-revoke"),
]
