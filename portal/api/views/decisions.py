"""May this happen? The hot path, and the same question about the past."""

from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiParameter, PolymorphicProxySerializer, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from consent import clock
from consent.errors import NotFound, Refused
from consent.queries.decision import Ask, decide_loaded, decide_many
from consent.queries.history import known_position, what_was_allowed
from portal.api import authentication, limits, shapes
from portal.api.answers import decision_body, decisions_text, reasons_of
from portal.api.asking import bring
from portal.api.authentication import Caller
from portal.api.deadline import within
from portal.api.problems import ItemError, Problem, invalid, not_allowed, scope_missing
from portal.api.reading import Fault, read_ask_of_query, read_decisions, read_moment
from portal.api.views.base import MachineView, body_of, json_of, read
from portal.queries.api import moment, moment_or_none
from portal.roles import ApiScope
from portal.services.tokens import read_decision

LARGEST_QUESTION: Final = 128 * 1024


def _is_json(request: HttpRequest) -> bool:
    return str(request.META.get("CONTENT_TYPE", "")).split(";")[0].strip() == "application/json"


def answer_decisions(request: HttpRequest) -> HttpResponse:
    """Answer 1 to 100 questions on one snapshot. Uncached, and writes nothing.

    Raises `Problem`, `Refused`, or what the database raises: every one of them is no yes.
    """
    if request.method != "POST":
        raise not_allowed(["POST"])
    try:
        asks, min_seq = _read(request)
    except Problem:
        # What is wrong with a question is between us and a client that may ask one.
        with within():
            _may_decide(authentication.authenticate(request))
        raise
    if all(ask.at is None for ask in asks):
        caller, loaded = bring(request, asks)
        _may_decide(caller)
        answered = decide_loaded(asks, loaded, company=caller.company_id)
    else:
        with within():
            caller = authentication.authenticate(request)
            _may_decide(caller)
            _refuse_future([ask.at for ask in asks])
            answered = decide_many(asks, company=caller.company_id)
    if answered.seq < min_seq:
        raise Problem(
            503,
            "behind",
            _("The ledger has not come that far. Ask again."),
            headers={"Retry-After": "1"},
            is_expected=True,
        )
    text = decisions_text(asks, answered, company=caller.company_id)
    response = HttpResponse(text, content_type="application/json")
    authentication.note(caller)
    return response


def _read(request: HttpRequest) -> tuple[list[Ask], int]:
    body = body_of(request, LARGEST_QUESTION)
    if body and not _is_json(request):
        raise Problem(415, "unsupported_media_type", _("Send application/json."))
    return read_decisions(json_of(body))


def _may_decide(caller: Caller) -> None:
    limits.take("decide", str(caller.client))
    if ApiScope.DECIDE not in caller.scopes:
        raise scope_missing(ApiScope.DECIDE)


def _refuse_future(moments: list[Any]) -> None:
    """Nobody knows yet what will be allowed. Raises `Problem` with a pointer to each."""
    now = clock.now()
    errors = [
        ItemError(f"/items/{i}/at", "at_in_future", str(_("That moment has not come yet.")))
        for i, at in enumerate(moments)
        if at is not None and at > now
    ]
    if errors:
        raise invalid(errors)


class DecisionsView(MachineView):
    """The hot path: `as_view` is the function above, without the layers of the framework.

    The class is what describes it in the schema.
    """

    scopes = {"POST": ApiScope.DECIDE}

    @extend_schema(
        operation_id="decide",
        summary="May this tool do this with this recording?",
        description=(
            "1 to 100 questions, answered on one snapshot of the ledger at position `seq`. "
            "An unknown ISRC, tool or model version is a no with its own reason. One malformed "
            "item refuses the whole request, with a pointer to it. Writes nothing; an "
            "`Idempotency-Key` is accepted and means nothing. `min_seq` is the ledger position "
            "that the answer must know; if it does not, the answer is 503."
        ),
        request=shapes.Decisions,
        responses={200: shapes.DecisionsAnswer, **shapes.problems(400, 413, 422, 429, 503)},
        tags=["Decisions"],
    )
    def post(self, request: Request) -> HttpResponse:
        """Described above."""
        return answer_decisions(request._request)

    @classmethod
    def as_view(cls, **initkwargs: Any) -> Any:
        def view(request: HttpRequest) -> HttpResponse:
            return answer_decisions(request)

        view.speaks_no_language = True  # type: ignore[attr-defined]
        view.cls = cls  # type: ignore[attr-defined]
        view.initkwargs = initkwargs  # type: ignore[attr-defined]
        view.csrf_exempt = True  # type: ignore[attr-defined]
        view.login_required = False  # type: ignore[attr-defined]
        return view


class ReplayView(MachineView):
    """The same answer again."""

    scopes = {"GET": ApiScope.DECIDE, "POST": ApiScope.DECIDE}

    @extend_schema(
        operation_id="replay_decision_by_address",
        summary="Replay a decision",
        parameters=[OpenApiParameter("decision", str, required=True)],
        responses={200: shapes.Replay, **shapes.problems(422)},
        tags=["Decisions"],
    )
    def get(self, request: Request) -> Response:
        """As by POST, with the token in the address."""
        return self._replay(str(request.query_params.get("decision", "")))

    @extend_schema(
        operation_id="replay_decision",
        summary="Replay a decision",
        description=(
            "Checks the signature of a decision token and decides its question again, at its "
            "moment and with what was known at its `seq`. The answer is the same, for ever. Only "
            "the company that asked is answered, with any key of its own: to another the token is "
            "refused as one that was never made (422 `decision_token`)."
        ),
        request=shapes.Token,
        responses={200: shapes.Replay, **shapes.problems(422)},
        tags=["Decisions"],
    )
    def post(self, request: Request) -> Response:
        """Decide again what a token says. Writes nothing."""
        return self._replay(read(shapes.Token, request.data)["decision"])

    def _replay(self, token: str) -> Response:
        company = self.caller.company_id
        decided = read_decision(token, company=company)
        answered = decide_many([decided.ask], known_seq=decided.seq, company=company)
        decision, ask = answered.decisions[0], decided.ask
        return Response(
            {
                "isrc": ask.isrc,
                "use": ask.use,
                "tool": ask.tool,
                "model_version": None if ask.model is None else str(ask.model),
                "territory": ask.territory,
                "at": moment(decided.at),
                "seq": decided.seq,
                "allowed": decision.allowed,
                "same": decision.allowed == decided.allowed,
                "reasons": reasons_of(decision),
                "valid_until": moment_or_none(decision.valid_until),
            }
        )


class HistoryView(MachineView):
    """What was allowed on a day, as it was known on a day."""

    scopes = {"GET": ApiScope.DECIDE}

    @extend_schema(
        operation_id="history",
        summary="What was allowed then?",
        description=(
            "One question about a `tool`, or about your `company`: each tool that it had then. "
            "Name one of the two. `at` is a moment that has passed; what was known is that of "
            "`known_at` (a moment) or `known_seq` (a ledger position); without them, with what "
            "is known now. Once something later is recorded, the answer is the same for ever. A "
            "position that the ledger has not reached is refused, like a moment yet to come."
        ),
        parameters=[
            OpenApiParameter("isrc", str, required=True),
            OpenApiParameter("use", str, required=True, enum=shapes.USES),
            OpenApiParameter("tool", str, description="or `company`"),
            OpenApiParameter("company", str, description="its short name; or `tool`"),
            OpenApiParameter("model_version", str, description="with a `tool` only"),
            OpenApiParameter("territory", str),
            OpenApiParameter("at", str, required=True),
            OpenApiParameter("known_at", str),
            OpenApiParameter("known_seq", int),
        ],
        responses={
            200: PolymorphicProxySerializer(
                "HistoryAnswer", [shapes.History, shapes.CompanyHistory], None
            ),
            **shapes.problems(404, 422),
        },
        tags=["Decisions"],
    )
    def get(self, request: Request) -> Response:
        """Decide as of then."""
        query = {name: request.query_params[name] for name in request.query_params}
        known = _known(query.pop("known_at", None), query.pop("known_seq", None))
        if ("tool" in query) == ("company" in query):
            raise Refused("tool_or_company", _("Name one tool or one company."), field="tool")
        whose = query.pop("company", None)
        if whose is not None:
            return self._of_company(whose, query, known)
        ask = read_ask_of_query(query)
        at = _past(ask)
        company = self.caller.company_id
        answered = decide_many([ask], known_seq=known, company=company)
        body = decision_body(
            ask, answered.decisions[0], company=company, at=answered.at[0], seq=answered.seq
        )
        return Response({"at": moment(at), "seq": answered.seq, **body})

    def _of_company(self, slug: str, query: dict[str, str], known: int | None) -> Response:
        """Every tool that the company had then; to each company its own tools only."""
        if "model_version" in query:
            raise Refused(
                "query", _("A model version is one tool's: name the tool."), field="model_version"
            )
        # Any name is as good as another here: only the rest of the question is read.
        asked = read_ask_of_query({**query, "tool": "any"})
        at = _past(asked)
        company = self.caller.company
        if slug != company.slug:
            raise NotFound("unknown_company", _("This is not your company."), field="company")
        history = what_was_allowed(
            isrc=asked.isrc,
            use=asked.use,
            at=at,
            company=slug,
            territory=asked.territory,
            known_seq=known,
        )
        seq = history.known_seq
        items = [
            {
                "tool": each.tool,
                **decision_body(
                    replace(asked, tool=each.tool),
                    each.decision,
                    company=company.pk,
                    at=at,
                    seq=seq,
                ),
            }
            for each in history.tools
        ]
        return Response(
            {
                "at": moment(at),
                "seq": seq,
                "company": slug,
                "allowed": history.allowed,
                "items": items,
            }
        )


def _past(ask: Ask) -> datetime:
    """The moment that is asked about. Raises `Problem` or `Refused` without one that has passed."""
    if ask.at is None:
        raise invalid([ItemError("/at", "moment", str(_("Say the moment.")))])
    if ask.at > clock.now():
        raise Refused("at_in_future", _("That moment has not come yet."), field="at")
    return ask.at


def _known(known_at: str | None, known_seq: str | None) -> int | None:
    if known_seq is not None:
        if not known_seq.isascii() or not known_seq.isdigit() or len(known_seq) > 18:
            raise invalid([ItemError("/known_seq", "known_seq", str(_("A whole number.")))])
        return known_position(_moment_in("known_at", known_at), int(known_seq)).seq
    if known_at is None:
        return None
    return known_position(_moment_in("known_at", known_at), None).seq


def _moment_in(name: str, text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        return read_moment(text)
    except Fault as fault:
        raise invalid([ItemError(f"/{name}", fault.code, fault.sentence)]) from fault
