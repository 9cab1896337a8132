"""Which claims a party's own claim on one recording speaks instead of (docs/decisions/0003)."""

from django.db.models import DateTimeField, Exists, Func, OuterRef, Q

from consent.models import Recording, RightsClaim
from consent.words import Standing

_LEDGER_NOW = Func(function="ledger_now", output_field=DateTimeField())


def replaced_on(recording: Recording) -> Q:
    """The condition on rows of claims: on all work of an artist, and silent for this recording.

    The same party claims the same right in the recording itself, at this moment. A disputed claim
    is heard all the same.
    """
    begun = Q(valid_from=None) | Q(valid_from__lte=_LEDGER_NOW)
    newer = RightsClaim.objects.filter(begun, claim=OuterRef("claim"), pk__gt=OuterRef("pk"))
    instead = RightsClaim.objects.filter(
        begun,
        Q(valid_until=None) | Q(valid_until__gt=_LEDGER_NOW),
        ~Exists(newer),
        recording=recording,
        party=OuterRef("party"),
        right=OuterRef("right"),
        ended=False,
    )
    return Q(Exists(instead), repertoire__isnull=False) & ~Q(standing=Standing.DISPUTED)
