"""Addresses of the permission pages."""

from django.urls import URLPattern, URLResolver

PERMISSION_PAGES: list[URLPattern | URLResolver] = []
