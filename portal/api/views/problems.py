"""What each code of a problem means: where its `type` leads."""

from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from portal.api.catalogue import MEANINGS
from portal.api.problems import title_of


@login_not_required
@require_safe
def problem_list(request: HttpRequest) -> HttpResponse:
    """Every code, with its status and its meaning."""
    found = [(code, title_of(code), *meaning) for code, meaning in sorted(MEANINGS.items())]
    return render(request, "api/problems.html", {"problems": found})


@login_not_required
@require_safe
def problem(request: HttpRequest, code: str) -> HttpResponse:
    """One code. 404 for a code that no problem has."""
    if code not in MEANINGS:
        raise Http404(code)
    return render(
        request,
        "api/problem.html",
        {"code": code, "title": title_of(code), "meaning": MEANINGS[code]},
    )
