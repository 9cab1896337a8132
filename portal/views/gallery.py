"""Every component on one page, for those who build pages. Made-up data, no database."""

from datetime import UTC, datetime, timedelta
from typing import Any, Final

from django import forms
from django.conf import settings
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from portal.context import ArtistChoice, FrameFacts, frame
from portal.templatetags.charts import BarChart, Series
from portal.templatetags.figures import money_micros, money_minor
from portal.templatetags.wording import STATES

NOON: Final = datetime(2026, 11, 12, 11, 4, tzinfo=UTC)
MONTHS: Final = ["Nov", "Dec", "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct"]
TOOLS: Final = {
    "Tonewright Composer": (310, 352, 401, 433, 447, 520, 548, 571, 602, 622, 671, 712),
    "Stemlight": (0, 0, 0, 0, 0, 110, 141, 188, 214, 231, 280, 331),
    "Nordlys Soundtrack": (0, 0, 40, 41, 60, 58, 63, 70, 77, 81, 96, 118),
    "Others": (12, 14, 9, 22, 31, 18, 26, 40, 38, 51, 60, 123),
}


class FilterForm(forms.Form):
    """What a list may be filtered by."""

    q = forms.CharField(label="Title, ISRC or tool", required=False)
    kind = forms.ChoiceField(
        label="Use", required=False, choices=[("", "All"), ("voice", "Clone your voice")]
    )


class SampleForm(forms.Form):
    """One field of each sort, with what can be wrong with it."""

    email = forms.EmailField(label="E-mail", help_text="They sign in with it.")
    role = forms.ChoiceField(
        label="What they can do",
        choices=[("look", "Look"), ("answer", "Look and answer")],
        widget=forms.RadioSelect,
    )
    until = forms.DateField(
        label="Until", required=False, widget=forms.DateInput(attrs={"type": "date"})
    )
    voice = forms.BooleanField(
        label="May answer for my voice", required=False, help_text="Never included by itself."
    )
    letter = forms.FileField(label="Signed letter", required=False)


def use(key: str, title: str, sentence: str, stance: str, **more: Any) -> dict[str, Any]:
    """One use row as `use_row.html` takes it."""
    answer = {"key": key, "url": "", "field": "stance", "stance": stance, "title": title}
    return {"key": key, "title": title, "sentence": sentence, "answer": answer, **more}


def effect(state: str, sentence: str, *labels: str) -> list[dict[str, Any]]:
    """One effect line with links that lead nowhere."""
    return [
        {
            "state": state,
            "sentence": sentence,
            "links": [{"label": label, "url": "#main"} for label in labels],
        }
    ]


def sample_uses() -> list[dict[str, Any]]:
    """The seven use kinds, each in another state."""
    reasons = [
        {"sentence": "You said yes to remixing all your work.", "says": "yes", "by": "Maren Holt",
         "authority": "herself", "at": NOON, "position": 48211},
        {"sentence": "Fjord Records holds the masters of 180 of your 212 recordings and has "
         "licensed no AI company for remixing.", "says": "no licence", "by": "Fjord Records",
         "authority": "under contract", "at": NOON - timedelta(days=400), "decides": True},
        {"sentence": "The publishing side of 32 recordings is unknown.", "says": "not known"},
    ]  # fmt: skip
    return [
        use(
            "generative_training",
            "Train generative models",
            "Your recordings teach a model that makes new music. What a model has learned cannot "
            "be unlearned.",
            "allow",
            effects=effect(
                "allowed",
                "212 recordings, for 2 licensed companies",
                "3 exceptions",
                "Receipt, 3 Nov 2026",
            ),
        ),
        use(
            "voice",
            "Clone your voice",
            "A tool speaks or sings in a voice that listeners take for yours. A yes always ends "
            "on a date that you set.",
            "deny",
            effects=effect(
                "denied",
                "Nordlys Narrate must stop new outputs by 1 Dec; it confirmed on 14 Nov.",
                "Receipt",
            ),
        ),
        use(
            "style",
            "Imitate your style",
            "A prompt may ask for music “like Maren Holt”.",
            "undecided",
            effects=effect("waits", "Treated as no. Tonewright asked on 12 Nov.", "The question"),
        ),
        use(
            "remix_input",
            "Remix and stems",
            "Fans and producers rework your recordings inside a licensed tool.",
            "allow",
            effects=effect(
                "idle",
                "You said yes; Fjord Records has not licensed this, and it holds the masters of "
                "180 of your 212 recordings.",
            ),
            reasons=reasons,
            next_step={
                "sentence": "It is Fjord Records’ move. You can ask them, or offer the standard "
                "licence for the 32 recordings that are yours alone.",
                "url": "#main",
                "label": "Offer the standard licence",
            },
        ),
        use(
            "analysis_training",
            "Train analysis models",
            "Your recordings teach a model that sorts, tags or recommends music and makes none.",
            "deny",
            effects=effect(
                "overridden",
                "The contract of Fjord Records lets it decide without the artist: “§ 7 (3): all "
                "means of exploitation, now known or invented later”. It covers 180 of 212 "
                "recordings, for Tonewright. The no was delivered as an objection.",
                "Who decided",
            ),
        ),
        use(
            "name_image",
            "Use your name and image",
            "Your name or likeness appears beside something that AI made.",
            "ask",
            effects=effect("denied", "Until someone asks and you agree."),
        ),
        use(
            "discovery",
            "Recommend you",
            "AI DJs and playlists pick your music for listeners.",
            "allow",
            effects=effect("allowed", "All recordings, everywhere", "Receipt"),
        ),
    ]


def sample_lines() -> list[dict[str, Any]]:
    """Statement lines, the first with the steps that made it."""
    link = [{"label": "events", "url": "#money"}]
    steps = {
        "title": "How this became €412.18",
        "open": True,
        "steps": [
            {
                "sentence": "81,204 outputs reported, 1–31 October",
                "gives": money_minor(2517159, "EUR"),
                "links": link,
            },
            {
                "sentence": "Influence of this recording, method attrib-3.2, confidence 0.91: an "
                "estimate",
                "gives": "× 6.55 %",
                "links": [{"label": "dispute it", "url": "#money"}],
            },
            {"sentence": "Licence Fjord–Tonewright v3, share of revenue", "gives": "× 50 %"},
            {"sentence": "Master side of the recording", "gives": "× 50 %"},
            {"sentence": "Your part of the master, split of 2 May", "gives": "× 100 %"},
            {
                "sentence": "Exactly; what is less than a cent is carried on",
                "gives": money_micros(412_184_800, "EUR"),
            },
        ],
        "sum": {"sentence": "Recomputed just now from the records above", "gives": "matches"},
    }
    row = {"lang": "", "artists": "Maren Holt", "held": False, "steps": None}
    return [
        {**row, "title": "Paper Lanterns", "isrc": "NOUM72400192", "tool": "Tonewright Composer",
         "kind": "Outputs", "amount": money_minor(41218, "EUR"), "steps": steps},
        {**row, "title": "北の線路", "lang": "ja", "artists": "Maren Holt, 田中葵",
         "isrc": "NOUM72500031", "tool": "Stemlight", "kind": "Remix",
         "amount": money_minor(20177, "EUR")},
        {**row, "title": "قمر على الماء", "lang": "ar", "isrc": "NOUM72300411",
         "tool": "Nordlys Soundtrack", "kind": "Training fee", "amount": money_minor(3750, "EUR")},
        {**row, "title": "Kind of Quiet", "isrc": "NOUM72500077", "tool": "Tonewright Composer",
         "kind": "Outputs", "amount": money_minor(9640, "EUR"), "held": True},
    ]  # fmt: skip


def sample_context() -> dict[str, Any]:
    """All of it."""
    uses = sample_uses()
    uses[5]["answer"]["reason_off"] = "Ines may look at this answer, not change it."
    form = SampleForm({"email": "ines@", "role": "answer", "until": ""})
    return {
        "uses": uses,
        "lines": sample_lines(),
        "states": list(STATES),
        "tabs": [
            {"label": "By use", "url": "#main", "current": True},
            {"label": "By AI tool", "url": "#main"},
            {"label": "By recording", "url": "#main"},
            {"label": "Questions", "url": "#main", "waiting": 2},
        ],
        "amounts": {
            "october": money_minor(128406, "EUR"),
            "held": money_minor(9640, "EUR"),
            "year": money_minor(941210, "EUR"),
        },
        "spark": [sum(values) for values in zip(*TOOLS.values(), strict=True)],
        "chart": BarChart(
            caption="Twelve months, by tool",
            summary="Earnings per month, November 2025 to October 2026, from €322 to €1,284.",
            periods=MONTHS,
            series=[Series(name, [v * 100 for v in values]) for name, values in TOOLS.items()],
            currency="EUR",
        ),
        "page": Paginator(range(2041), 25).page(4),
        "links": [{"label": "Read and answer", "url": "#main"}],
        "moments": [
            {"at": NOON, "title": "You said no to cloning your voice", "state": "sealed",
             "by": "Maren Holt", "links": [{"label": "Receipt", "url": "#main"}]},
            {"at": NOON - timedelta(hours=3), "title": "Tonewright asked to imitate your style",
             "sentence": "For Composer 4, until 31 May, worldwide.", "state": "waits"},
            {"at": NOON - timedelta(days=2), "title": "Ines answered for you",
             "sentence": "Yes to AI playlists, all recordings.", "by": "Ines, your manager"},
        ],
        "people": [
            {"name": "Maren Holt", "note": "Artist"},
            {"name": "田中葵", "lang": "ja", "note": "Aoi Tanaka, featured on 3 recordings"},
            {"name": "The Low Tides", "note": "Band, four people may answer"},
        ],
        "facts": [
            {"term": "Title", "value": "紙の灯籠", "lang": "ja"},
            {"term": "ISRC", "value": "NO-UM7-24-00192"},
            {"term": "Masters", "value": "Fjord Records, declared, unverified"},
            {"term": "Publishing", "value": "Not known: nobody has claimed it yet"},
        ],
        "crumbs": [
            {"label": "People with access", "url": "#main"},
            {"label": "Let someone in"},
        ],
        "filter_form": FilterForm(),
        "form": form,
        "effects": [
            {"term": "At once", "sentence": "New training and new permissions stop."},
            {"term": "Until 1 December", "sentence": "Models already licensed may give outputs."},
            {"term": "Not undone", "sentence": "Tonewright Composer 3 was trained on 212 of your "
             "recordings in May. What it learned cannot be unlearned."},
        ],
        "progresses": [
            {"key": "a", "label": "Usage, 2026 (CSV)", "done": 21400, "total": 50112,
             "finished": True, "sentence": "Writing rows. You can leave this page."},
            {"key": "b", "label": "Usage, 2025 (CSV)", "done": 48002, "total": 48002,
             "finished": True, "sentence": "Ready until 19 November.",
             "result": {"label": "Download", "url": "#main"}},
        ],
        "code": 'curl https://liner.example/api/v1/decisions \\\n  -H "Authorization: Bearer '
        '$KEY" \\\n  -d \'{"items": [{"isrc": "NOUM72400192", "use": "voice"}]}\'',
        "table": {
            "caption": "What AI did",
            "note": "As its makers reported it.",
            "columns": [{"label": "Recording"}, {"label": "Tool"}, {"label": "Under"},
                        {"label": "Outputs", "number": True}],
            "rows": [
                [{"text": "Paper Lanterns", "sub": "NO-UM7-24-00192", "url": "#main"},
                 "Tonewright Composer", {"state": "allowed", "text": "licence v3"}, "81,204"],
                [{"text": "北の線路", "lang": "ja", "sub": "NO-UM7-25-00031", "url": "#main"},
                 "Stemlight", {"state": "denied", "text": "no permission"}, "14"],
            ],
        },
        "action": {"label": "What may they do?", "url": "#main"},
    }  # fmt: skip


@require_GET
def gallery(request: HttpRequest) -> HttpResponse:
    """The page, for staff and while developing; to everyone else it does not exist."""
    if not (settings.DEBUG or request.user.is_staff):
        raise Http404
    facts = FrameFacts(
        artists=[
            ArtistChoice("a", "Maren Holt", note="Fjord Records", waiting=2, current=True),
            ArtistChoice("b", "田中葵", language="ja", note="Aoi Tanaka, independent"),
            ArtistChoice("c", "The Low Tides", note="Fjord Records", waiting=1),
        ],
        acting="You are acting for Maren Holt as her manager. She sees everything you do.",
        waiting=2,
    )
    request.frame_facts = facts  # type: ignore[attr-defined]
    return render(request, "gallery.html", {**sample_context(), **frame(request)})
