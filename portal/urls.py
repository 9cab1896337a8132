"""Every address of the portal."""

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path

from portal.views.gallery import gallery

urlpatterns: list[URLPattern | URLResolver] = [
    path("api/", include("portal.api.urls")),
    path("accounts/", include("allauth.urls")),
    path("admin/", admin.site.urls),
    path("gallery/", gallery, name="gallery"),
    path("", include("portal.page_urls")),
]

handler429 = "portal.failures.too_many_requests"  # sign-in asks for it
handler500 = "portal.failures.server_error"
