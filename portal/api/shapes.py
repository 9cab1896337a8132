"""What goes in and comes out, as the schema describes it.

Shapes that come in by the framework check as well as describe. Those of decisions and usage events
only describe: `portal.api.reading` checks them, and a test holds the two together.
"""

from datetime import datetime
from typing import Any, Final

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from consent.words import Right, ToolKind, UseKind
from portal.api.reading import Fault, read_moment
from portal.api.views.base import StrictSerializer
from portal.models import WebhookKind

USES: Final = list(UseKind.values)
MOST_RECORDINGS: Final = 1_000


class Moment(serializers.DateTimeField):
    """A moment that a client names, with its offset: one that a date here may be."""

    def to_internal_value(self, value: Any) -> datetime:
        try:
            return read_moment(value)
        except Fault as fault:
            raise serializers.ValidationError(fault.sentence, code=fault.code) from fault


class Whole(serializers.IntegerField):
    """A whole number as JSON has it: no text that looks like one, and no 1.0."""

    def to_internal_value(self, data: Any) -> int:
        if type(data) is not int:
            self.fail("invalid")
        return super().to_internal_value(data)


class ItemErrorShape(StrictSerializer):
    pointer = serializers.CharField(help_text=_("JSON pointer to what it is about"))
    code = serializers.CharField()
    detail = serializers.CharField()


class ProblemShape(StrictSerializer):
    """RFC 9457."""

    type = serializers.URLField(help_text=_("where this code is explained"))
    title = serializers.CharField()
    status = serializers.IntegerField()
    detail = serializers.CharField()
    code = serializers.CharField(help_text=_("never changes its meaning"))
    instance = serializers.CharField(required=False)
    errors = ItemErrorShape(many=True, required=False)  # type: ignore[assignment]
    again_at = serializers.DateTimeField(
        required=False, help_text=_("from then on the same is not refused for this reason")
    )


def problems(*statuses: int) -> dict[Any, Any]:
    """The problems of an operation, beside those that every one has."""
    return {(status, "application/problem+json"): ProblemShape for status in (401, 403, *statuses)}


# Decisions


class Question(StrictSerializer):
    isrc = serializers.CharField(help_text=_("with or without hyphens"))
    use = serializers.ChoiceField(UseKind.choices)
    tool = serializers.CharField(help_text=_("the short name of a tool of yours"))
    model_version = serializers.UUIDField(required=False, allow_null=True)
    territory = serializers.CharField(
        required=False, allow_null=True, help_text=_("ISO 3166-1, as in NO; without it: the world")
    )
    at = serializers.DateTimeField(
        required=False, allow_null=True, help_text=_("a moment that has passed; without it: now")
    )


class Decisions(StrictSerializer):
    items = serializers.ListField(child=Question(), min_length=1, max_length=100)
    min_seq = serializers.IntegerField(required=False, min_value=0)


class ReasonShape(StrictSerializer):
    code = serializers.CharField(
        help_text=_(
            "what was found; what all artists say is one code: where several are asked, "
            "artist_undecided whenever not all say yes"
        )
    )
    verdict = serializers.ChoiceField(["yes", "no", "note"])
    sentence = serializers.CharField()
    right = serializers.ChoiceField(Right.choices, required=False)
    licence = serializers.UUIDField(required=False)


class DecisionShape(StrictSerializer):
    decision = serializers.CharField(help_text=_("signed; attach it to what you report later"))
    allowed = serializers.BooleanField()
    reasons = ReasonShape(many=True)
    valid_until = serializers.DateTimeField(
        allow_null=True, help_text=_("a yes holds until then without any new act; null: no end")
    )


class DecisionsAnswer(StrictSerializer):
    seq = serializers.IntegerField(help_text=_("the ledger position of the snapshot"))
    items = DecisionShape(many=True, help_text=_("in the order of the questions"))


class Token(StrictSerializer):
    decision = serializers.CharField(max_length=1_000)


class Replay(StrictSerializer):
    isrc = serializers.CharField()
    use = serializers.ChoiceField(UseKind.choices)
    tool = serializers.CharField()
    model_version = serializers.UUIDField(allow_null=True)
    territory = serializers.CharField(allow_null=True)
    at = serializers.DateTimeField()
    seq = serializers.IntegerField()
    allowed = serializers.BooleanField()
    same = serializers.BooleanField(help_text=_("the answer is what the token says"))
    reasons = ReasonShape(many=True)
    valid_until = serializers.DateTimeField(allow_null=True)


class History(DecisionShape):
    at = serializers.DateTimeField()
    seq = serializers.IntegerField()


class ToolHistory(DecisionShape):
    tool = serializers.CharField()


class CompanyHistory(StrictSerializer):
    at = serializers.DateTimeField()
    seq = serializers.IntegerField()
    company = serializers.CharField()
    allowed = serializers.BooleanField(help_text=_("to any of its tools"))
    items = ToolHistory(many=True, help_text=_("each tool that the company had then"))


# The feed


class AboutShape(StrictSerializer):
    """What to ask about again: only what applies is there."""

    use = serializers.ChoiceField(UseKind.choices, required=False)
    uses = serializers.ListField(
        child=serializers.CharField(), required=False, help_text=_("use kinds")
    )
    isrc = serializers.CharField(required=False)
    artist = serializers.UUIDField(required=False, help_text=_("a pseudonym"))
    artists = serializers.ListField(child=serializers.UUIDField(), required=False)
    work = serializers.UUIDField(required=False)
    tool = serializers.CharField(required=False)
    model_version = serializers.UUIDField(required=False)
    licence = serializers.UUIDField(required=False)
    party = serializers.UUIDField(required=False)
    right = serializers.CharField(required=False)
    withdrawn = serializers.BooleanField(required=False)


class ChangeShape(StrictSerializer):
    seq = serializers.IntegerField()
    at = serializers.DateTimeField()
    kind = serializers.CharField()
    about = AboutShape()


class ChangesShape(StrictSerializer):
    after = serializers.IntegerField()
    until = serializers.IntegerField(help_text=_("go on after this position"))
    head = serializers.IntegerField(help_text=_("the ledger's last position"))
    changes = ChangeShape(many=True)


class HeldShape(StrictSerializer):
    isrc = serializers.CharField()
    artists = serializers.ListField(child=serializers.UUIDField())
    uses = serializers.DictField(child=serializers.BooleanField())
    valid_until = serializers.DateTimeField(allow_null=True)


class SnapshotShape(StrictSerializer):
    seq = serializers.IntegerField()
    at = serializers.DateTimeField()
    tool = serializers.CharField()
    items = HeldShape(many=True)
    next = serializers.CharField(allow_null=True, help_text=_("the cursor of the next part"))


# Signals


class SignalShape(StrictSerializer):
    state = serializers.ChoiceField(["allowed", "by_licence", "denied", "undecided"])
    allowed = serializers.BooleanField(help_text=_("without any licence"))


class ContentUsageShape(StrictSerializer):
    field = serializers.CharField()
    value = serializers.CharField()


class SignalsShape(StrictSerializer):
    isrc = serializers.CharField()
    at = serializers.DateTimeField()
    crosswalk = serializers.CharField(help_text=_("the version of the table of vocabularies"))
    uses = serializers.DictField(child=SignalShape())
    cawg = serializers.DictField(help_text=_("the assertion cawg.training-mining"))
    aipref = ContentUsageShape()
    tdmrep = serializers.DictField()
    rsl = serializers.CharField(allow_blank=True)
    licences = serializers.URLField(help_text=_("where a licence is asked for"))


# Tools and model versions


class ShortName(serializers.SlugField):
    """What a company calls a tool of its own."""

    default_error_messages = {
        "invalid": _("A short name has 1 to 80 letters, digits, hyphens and underscores.")
    }

    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=80, **options)


class NewTool(StrictSerializer):
    tool = ShortName(help_text=_("its short name, for ever"))
    name = serializers.CharField(max_length=200)
    kind = serializers.ChoiceField(ToolKind.choices)
    about = serializers.CharField(max_length=2_000, required=False, default="", allow_blank=True)


class NewModelVersion(StrictSerializer):
    tool = ShortName()
    name = serializers.CharField(max_length=80)


class ModelVersionShape(StrictSerializer):
    model_version = serializers.UUIDField()
    tool = serializers.CharField()
    name = serializers.CharField()
    registered_at = serializers.DateTimeField()
    retired = serializers.BooleanField()


class ToolShape(StrictSerializer):
    tool = serializers.CharField()
    ref = serializers.UUIDField()
    name = serializers.CharField()
    kind = serializers.ChoiceField(ToolKind.choices)
    about = serializers.CharField(allow_blank=True)
    suspended = serializers.BooleanField()
    model_versions = ModelVersionShape(many=True)


class Tools(StrictSerializer):
    items = ToolShape(many=True)


class ModelVersions(StrictSerializer):
    items = ModelVersionShape(many=True)


# Questions to artists


class NewRequest(StrictSerializer):
    tool = ShortName()
    use = serializers.ChoiceField(UseKind.choices)
    why = serializers.CharField(max_length=2_000, help_text=_("shown to the artists as it is"))
    isrc = serializers.CharField(max_length=40, required=False, default="", allow_blank=True)
    artists = serializers.ListField(
        child=serializers.UUIDField(),
        required=False,
        default=list,
        max_length=100,
        help_text=_("their pseudonyms, as the feed and the snapshot have them"),
    )
    valid_from = Moment(required=False, allow_null=True, default=None)
    valid_until = Moment(required=False, allow_null=True, default=None)


class RequestShape(StrictSerializer):
    request = serializers.UUIDField()
    state = serializers.ChoiceField(["waits", "granted", "refused", "taken_back"])
    tool = serializers.CharField()
    use = serializers.ChoiceField(UseKind.choices)
    isrc = serializers.CharField(allow_null=True)
    valid_from = serializers.DateTimeField(allow_null=True)
    valid_until = serializers.DateTimeField(allow_null=True)
    asked_at = serializers.DateTimeField()
    answered_at = serializers.DateTimeField(allow_null=True)


class Requests(StrictSerializer):
    items = RequestShape(many=True)
    next = serializers.CharField(allow_null=True)


# Reports


class OwnName(serializers.CharField):
    """A company's own name for what it reports; usage events, which name it, take no other."""

    default_error_messages = {"unprintable": _("1 to 100 printable characters.")}

    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=100, help_text=_("your own name for it"), **options)

    def to_internal_value(self, data: Any) -> str:
        name: str = super().to_internal_value(data)
        if not name.isprintable():
            self.fail("unprintable")
        return name


class NewTrainingRun(StrictSerializer):
    run = OwnName()
    model_version = serializers.UUIDField()
    use = serializers.ChoiceField(UseKind.choices)
    trained_at = Moment()
    isrcs = serializers.ListField(
        child=serializers.CharField(max_length=40), min_length=1, max_length=MOST_RECORDINGS
    )


class ItemVerdictShape(StrictSerializer):
    isrc = serializers.CharField()
    standing = serializers.ChoiceField(["allowed", "not_allowed", "unknown", "malformed"])
    reason = serializers.CharField()
    seq = serializers.IntegerField(allow_null=True)


class TrainingRunShape(StrictSerializer):
    run = serializers.CharField()
    ref = serializers.UUIDField()
    manifest = serializers.CharField(help_text=_("SHA-256 of the sorted ISRCs"))
    replayed = serializers.BooleanField()
    items = ItemVerdictShape(many=True)


class AttributionShape(StrictSerializer):
    isrc = serializers.CharField(max_length=40)
    right = serializers.ChoiceField(Right.choices)
    influence_bp = Whole(
        min_value=1, max_value=10_000, help_text=_("basis points; each right sums to 10 000")
    )
    method = serializers.CharField(max_length=60)
    confidence_bp = Whole(
        min_value=0, max_value=10_000, required=False, allow_null=True, default=None
    )


class NewOutput(StrictSerializer):
    output = OwnName()
    model_version = serializers.UUIDField()
    use = serializers.ChoiceField(UseKind.choices)
    made_at = Moment()
    title = serializers.CharField(max_length=300, required=False, default="", allow_blank=True)
    attributions = serializers.ListField(
        child=AttributionShape(), min_length=1, max_length=MOST_RECORDINGS
    )


class OutputShape(StrictSerializer):
    output = serializers.CharField()
    ref = serializers.UUIDField()
    replayed = serializers.BooleanField()
    items = ItemVerdictShape(many=True)


class UsageEventIn(StrictSerializer):
    event_id = serializers.CharField(max_length=100, help_text=_("yours, unique for ever"))
    output = serializers.CharField(max_length=100, required=False, allow_null=True)
    training_run = serializers.CharField(max_length=100, required=False, allow_null=True)
    occurred_at = Moment()
    quantity = serializers.IntegerField(required=False, default=1)
    revenue_micros = serializers.IntegerField(
        help_text=_("millionths of the major unit of the currency")
    )
    currency = serializers.CharField(min_length=3, max_length=3, help_text=_("ISO 4217"))
    territory = serializers.CharField(required=False, allow_blank=True)
    reverses = serializers.CharField(
        max_length=100, required=False, allow_null=True, help_text=_("an event id of yours")
    )


class UsageEvents(StrictSerializer):
    events = serializers.ListField(child=UsageEventIn(), min_length=1, max_length=1_000)


class UsageResult(StrictSerializer):
    event_id = serializers.CharField(allow_blank=True)
    outcome = serializers.ChoiceField(["recorded", "repeated", "conflict", "refused"])
    allowed = serializers.BooleanField(allow_null=True)
    code = serializers.CharField(required=False)
    detail = serializers.CharField(required=False)


class UsageResults(StrictSerializer):
    recorded = serializers.IntegerField()
    repeated = serializers.IntegerField()
    conflict = serializers.IntegerField()
    refused = serializers.IntegerField()
    items = UsageResult(many=True)


# Withdrawals


class WithdrawalShape(StrictSerializer):
    withdrawal = serializers.UUIDField()
    state = serializers.ChoiceField(
        ["open", "acknowledged", "over"],
        help_text=_("over: everything that it took is allowed again, and nothing has to stop"),
    )
    use = serializers.ChoiceField(UseKind.choices)
    isrc = serializers.CharField(allow_null=True, help_text=_("null: not one recording alone"))
    recordings = serializers.IntegerField(
        allow_null=True,
        help_text=_(
            "how many recordings the answer named; the changes name each. "
            "null: all work of the artist"
        ),
    )
    territories = serializers.ListField(
        child=serializers.CharField(), help_text=_("where it holds; empty: everywhere")
    )
    artist = serializers.UUIDField(
        allow_null=True,
        help_text=_(
            "a pseudonym, where it is about all work of the artist; null: about recordings, and "
            "who of those who have a say in them said no is not told"
        ),
    )
    tool = serializers.CharField(
        allow_null=True, help_text=_("null: each tool of yours that names no model version")
    )
    model_version = serializers.UUIDField(allow_null=True)
    model_name = serializers.CharField(allow_null=True)
    already_trained = serializers.BooleanField(help_text=_("this is not undone"))
    outputs_until = serializers.DateTimeField()
    acknowledge_by = serializers.DateTimeField()
    acknowledged_at = serializers.DateTimeField(allow_null=True)
    began_at = serializers.DateTimeField()
    over_at = serializers.DateTimeField(
        allow_null=True, help_text=_("since when it is over; you may go on from then")
    )


class Withdrawals(StrictSerializer):
    items = WithdrawalShape(many=True)
    next = serializers.CharField(allow_null=True)


# Webhooks


class NewWebhook(StrictSerializer):
    url = serializers.CharField(max_length=500)
    kinds = serializers.ListField(
        child=serializers.ChoiceField([k for k in WebhookKind.choices if k[0] != "ping"]),
        required=False,
        default=list,
        help_text=_("none: about everything"),
    )


class WebhookShape(StrictSerializer):
    webhook = serializers.UUIDField()
    url = serializers.CharField()
    kinds = serializers.ListField(child=serializers.CharField())
    position = serializers.IntegerField(help_text=_("how far of the ledger it was told"))
    created_at = serializers.DateTimeField()


class WebhookSecret(WebhookShape):
    secret = serializers.CharField(help_text=_("shown once: whsec_…"))


class Webhooks(StrictSerializer):
    items = WebhookShape(many=True)


class AttemptShape(StrictSerializer):
    at = serializers.DateTimeField()
    status = serializers.IntegerField(allow_null=True)
    error = serializers.CharField(allow_blank=True)
    milliseconds = serializers.IntegerField()


class MessageShape(StrictSerializer):
    message = serializers.UUIDField()
    id = serializers.CharField(help_text=_("the webhook-id header, at every attempt"))
    kind = serializers.CharField()
    state = serializers.ChoiceField(["waiting", "running", "done", "dead"])
    created_at = serializers.DateTimeField()
    delivered_at = serializers.DateTimeField(allow_null=True)
    next_at = serializers.DateTimeField(allow_null=True)
    attempts = AttemptShape(many=True)


class Messages(StrictSerializer):
    items = MessageShape(many=True)
    next = serializers.CharField(allow_null=True)


# The ledger


class InclusionShape(StrictSerializer):
    seq = serializers.IntegerField()
    index = serializers.IntegerField(help_text=_("from 0"))
    size = serializers.IntegerField()
    hashes = serializers.ListField(child=serializers.CharField(), help_text=_("base64"))
    checkpoint = serializers.CharField(allow_null=True, help_text=_("the signed note of this size"))


class ConsistencyShape(StrictSerializer):
    old = serializers.IntegerField()
    new = serializers.IntegerField()
    hashes = serializers.ListField(child=serializers.CharField(), help_text=_("base64"))


class KeysShape(StrictSerializer):
    origin = serializers.CharField()
    keys = serializers.ListField(child=serializers.CharField(), help_text=_("signed-note keys"))
