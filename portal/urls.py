"""Every address of the portal."""

from allauth.account.decorators import secure_admin_login
from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path

from portal.views.gallery import gallery

# The admin has no sign-in of its own: people enter by the portal's, second factor included.
admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]

urlpatterns: list[URLPattern | URLResolver] = [
    path("api/", include("portal.api.urls")),
    path("accounts/", include("allauth.urls")),
    path("admin/", admin.site.urls),
    path("gallery/", gallery, name="gallery"),
    path("", include("portal.page_urls")),
]

handler429 = "portal.failures.too_many_requests"  # sign-in asks for it
handler500 = "portal.failures.server_error"
