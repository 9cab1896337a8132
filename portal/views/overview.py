"""The first page: what changed since one was last here, and what waits."""

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from portal.access import frame_facts
from portal.queries.overview import (
    LATELY,
    NEWS_SHOWN,
    answers_in_general,
    money_of,
    news,
    used_since,
    what_waits,
)
from portal.roles import Scope
from portal.services.visits import note_visit
from portal.views.common import PortalRequest, reader_of, user_of

TOOLS_SHOWN = 6
FIRST_SHOWN = 6  # what a first visit is shown is an example, not news


@require_GET
def overview(request: PortalRequest, slug: str) -> HttpResponse:
    """What changed, what waits, what AI did since, and the latest money."""
    reader = reader_of(request, slug)
    artist = reader.artist
    looked = note_visit(by=user_of(request), artist=artist)
    lately = looked.at - LATELY
    since = max(looked.before, lately) if looked.before is not None else None
    told = news(reader.access, artist, since=since)
    shown = NEWS_SHOWN if since is not None else FIRST_SHOWN
    answers = answers_in_general(artist)
    used = used_since(artist, since or lately)
    facts = request.__dict__.get("frame_facts") or frame_facts(request)
    return render(
        request,
        "portal/overview.html",
        {
            "reader": reader,
            "before": looked.before,
            "since": since or lately,
            "waits": what_waits(reader, questions=facts.waiting, answers=answers),
            "news": told[:shown],
            "more_news": len(told) > shown,
            "answers": answers,
            "used": used[:TOOLS_SHOWN],
            "more_used": max(len(used) - TOOLS_SHOWN, 0),
            "outputs": sum(one.outputs for one in used),
            "trained": sum(one.trained for one in used),
            "not_allowed": sum(one.not_allowed for one in used),
            "money": money_of(artist) if reader.may(Scope.SEE_MONEY) else None,
        },
    )
