"""Reading usage events: each by itself, so that one that is malformed loses no other."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from django.utils.translation import gettext_lazy as _

from portal.api.problems import ItemError, Problem, invalid
from portal.api.reading import Fault, pointer, read_moment, text_of, whole_of
from royalties.services.usage import MOST_AT_ONCE, Recorded, UsageReport

_FIELDS: Final = frozenset(
    {
        "event_id",
        "output",
        "training_run",
        "occurred_at",
        "quantity",
        "revenue_micros",
        "currency",
        "territory",
        "reverses",
    }
)


@dataclass(slots=True)
class UsageBatch:
    """The events that could be read, and what is wrong with the others, by their place."""

    size: int
    reports: list[UsageReport] = field(default_factory=list)
    places: list[int] = field(default_factory=list)
    faults: dict[int, dict[str, Any]] = field(default_factory=dict)

    def results(self, recorded: Sequence[Recorded]) -> list[dict[str, Any]]:
        """What became of each event, in the order in which they were sent."""
        found = {
            place: _result(one) for place, one in zip(self.places, recorded, strict=True)
        } | self.faults
        return [found[place] for place in range(self.size)]


def read_usage(data: Any) -> UsageBatch:
    """The events of a request. Raises `Problem` (422) only for what is no batch of them."""
    events = data.get("events") if isinstance(data, dict) else None
    if not isinstance(events, list):
        raise invalid([ItemError("/events", "events", str(_("Send “events”: a list.")))])
    if unknown := [name for name in data if name != "events"]:
        raise invalid(
            ItemError(pointer(name), "unknown_field", str(_("There is no such field.")))
            for name in unknown
        )
    if not 1 <= len(events) <= MOST_AT_ONCE:
        raise Problem(
            422,
            "too_many_events",
            str(_("Report 1 to %(most)d events at once, not %(sent)d."))
            % {"most": MOST_AT_ONCE, "sent": len(events)},
            (ItemError("/events", "too_many_events", str(_("1 to 1000 events."))),),
        )
    batch = UsageBatch(len(events))
    for place, event in enumerate(events):
        try:
            batch.reports.append(_read(event))
            batch.places.append(place)
        except Fault as fault:
            named = event.get("event_id") if isinstance(event, dict) else None
            batch.faults[place] = {
                "event_id": _sayable(named[:100]) if isinstance(named, str) else "",
                "outcome": "refused",
                "allowed": None,
                "code": fault.code,
                "detail": fault.sentence,
            }
    return batch


def _read(event: Any) -> UsageReport:
    if not isinstance(event, dict):
        raise Fault("item", _("Each event is an object."))
    for name in event.keys() - _FIELDS:
        raise Fault("unknown_field", str(_("There is no field “%s”.")) % _sayable(name[:80]))
    return UsageReport(
        event_id=text_of(event, "event_id"),
        occurred_at=read_moment(event.get("occurred_at")),
        revenue_micros=whole_of(event, "revenue_micros"),
        currency=text_of(event, "currency", most=3),
        output=_optional(event, "output"),
        training_run=_optional(event, "training_run"),
        quantity=whole_of(event, "quantity", 1),
        territory=_optional(event, "territory") or "",
        reverses=_optional(event, "reverses"),
    )


def _sayable(text: str) -> str:
    """What was sent, fit to be said back: half of a surrogate pair is JSON, and no text."""
    return text.encode("utf-8", "replace").decode()


def _optional(event: Mapping[str, Any], name: str) -> str | None:
    return None if event.get(name) in (None, "") else text_of(event, name)


def _result(one: Recorded) -> dict[str, Any]:
    found: dict[str, Any] = {
        "event_id": one.event_id,
        "outcome": one.outcome,
        "allowed": one.allowed,
    }
    if one.code:
        found |= {"code": one.code, "detail": one.sentence}
    return found
