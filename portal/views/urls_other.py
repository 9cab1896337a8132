"""Addresses of all pages but those of permissions.

What is everybody's stands first; what is about one artist lives under `/a/<slug>/`.
"""

from django.urls import URLPattern, URLResolver, path

from portal.views import (
    artists,
    credits,
    earnings,
    exports,
    home,
    licences,
    notices,
    overview,
    people,
    preferences,
    rights,
    timeline,
    usage,
)

AT = "a/<str:slug>/"

OTHER_PAGES: list[URLPattern | URLResolver] = [
    path("", home.home, name="home"),
    path("overrides/", home.overrides, name="overrides"),
    path("artists/", artists.artists, name="artists"),
    path("artists/switch/", artists.switch_artist, name="switch_artist"),
    path("notices/", notices.notices, name="notices"),
    path("notices/read/", notices.read_notices, name="read_notices"),
    path("notices/<uuid:ref>/", notices.open_notice, name="open_notice"),
    path("settings/", preferences.preferences, name="preferences"),
    path("files/", exports.exports, name="exports"),
    path("files/<uuid:ref>/", exports.export_progress, name="export_progress"),
    path("files/<uuid:ref>/fetch/", exports.fetch_export, name="fetch_export"),
    path("files/once/<str:token>/", exports.export_file, name="export_file"),
    path(AT, overview.overview, name="overview"),
    path(f"{AT}usage/", usage.usage, name="usage"),
    path(f"{AT}usage/file/", usage.export_usage, name="export_usage"),
    path(f"{AT}credits/", credits.credits, name="credits"),
    path(f"{AT}credits/<str:isrc>/", credits.credit, name="credit"),
    path(f"{AT}earnings/", earnings.earnings, name="earnings"),
    path(f"{AT}earnings/tools/", earnings.earnings_tools, name="earnings_tools"),
    path(f"{AT}earnings/recordings/", earnings.earnings_recordings, name="earnings_recordings"),
    path(f"{AT}earnings/held/", earnings.earnings_held, name="earnings_held"),
    path(f"{AT}earnings/splits/", earnings.splits, name="splits"),
    path(f"{AT}earnings/splits/<uuid:ref>/", earnings.answer_split, name="answer_split"),
    path(f"{AT}earnings/statements/<uuid:ref>/", earnings.statement, name="statement"),
    path(
        f"{AT}earnings/statements/<uuid:ref>/<int:position>/",
        earnings.statement_line,
        name="statement_line",
    ),
    path(f"{AT}timeline/", timeline.timeline, name="timeline"),
    path(f"{AT}people/", people.people, name="people"),
    path(f"{AT}people/let-in/", people.invite, name="invite"),
    path(f"{AT}people/<uuid:ref>/end/", people.end_access, name="end_access"),
    path(f"{AT}licence/", licences.standard_licence, name="standard_licence"),
    path(f"{AT}licence/rights/", rights.own_rights, name="own_rights"),
    path(f"{AT}licence/rights/<uuid:ref>/end/", rights.end_own_right, name="end_own_right"),
    path(f"{AT}licence/<uuid:ref>/end/", licences.end_licence, name="end_licence"),
]
