"""Addresses of the permission pages."""

from django.urls import URLPattern, URLResolver, path

from portal.views.permissions import (
    acts,
    exceptions,
    general,
    history,
    many,
    questions,
    recordings,
    saving,
    tools,
    why,
)

AT = "a/<str:slug>/permissions/"

PERMISSION_PAGES: list[URLPattern | URLResolver] = [
    path(AT, general.permissions, name="permissions"),
    path(f"{AT}tools/", tools.permission_tools, name="permission_tools"),
    path(f"{AT}tools/<str:tool>/", tools.permission_tool, name="permission_tool"),
    path(f"{AT}recordings/", recordings.permission_recordings, name="permission_recordings"),
    path(
        f"{AT}recordings/<str:isrc>/", recordings.permission_recording, name="permission_recording"
    ),
    path(f"{AT}why/", why.why, name="why"),
    path(f"{AT}why/receipt/", why.why_receipt, name="why_receipt"),
    path(f"{AT}exceptions/", exceptions.exceptions, name="exceptions"),
    path(f"{AT}missing/", exceptions.missing, name="missing"),
    path(f"{AT}withdrawals/", exceptions.withdrawals, name="withdrawals"),
    path(f"{AT}questions/", questions.requests, name="requests"),
    path(f"{AT}questions/<uuid:ref>/", questions.answer_request, name="answer_request"),
    path(f"{AT}history/", history.history, name="history"),
    path(f"{AT}many/", many.many, name="many"),
    path(f"{AT}many/answer/", many.answer_many_recordings, name="answer_many"),
    path(f"{AT}many/<uuid:ref>/", saving.saving, name="saving"),
    path(f"{AT}acts/<uuid:ref>/", acts.act, name="act"),
    path(f"{AT}acts/<uuid:ref>/receipt/", acts.receipt, name="receipt"),
    path(f"{AT}acts/<uuid:ref>/undo/", acts.undo_act, name="undo_act"),
    path(f"{AT}uses/<str:use>/", general.answer, name="answer"),
    path(f"{AT}uses/<str:use>/with/", general.answer_with, name="answer_with"),
    path(f"{AT}uses/<str:use>/clear/", general.clear_answer, name="clear_answer"),
]
