"""The URL table; pages and API each bring their own."""

from django.urls import include, path

from truesend.api import api

urlpatterns = [path("api/v1/", api.urls), path("", include("truesend.web.urls"))]

handler400 = "truesend.web.views.errors.bad_request"
handler403 = "truesend.web.views.errors.forbidden"
handler404 = "truesend.web.views.errors.not_found"
handler429 = "truesend.web.views.errors.too_many"
handler500 = "truesend.web.views.errors.server_error"
