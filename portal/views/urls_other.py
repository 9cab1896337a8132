"""Addresses of all other pages."""

from django.urls import URLPattern, URLResolver

OTHER_PAGES: list[URLPattern | URLResolver] = []
