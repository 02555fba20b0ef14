"""The URL table; pages and API each bring their own."""

from django.urls import include, path

urlpatterns = [path("", include("truesend.web.urls"))]
