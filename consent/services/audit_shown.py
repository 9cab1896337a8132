"""What pages show as proof beside the facts: acts, questions, what must stop, whose a recording is.

These rows are not read from one leaf each, but leaves say most of what is in them. Each query in
sql/replay/ that is named here finds where the two differ, and says so in words. What no leaf says,
and so nobody can find, stands in docs/proof.md.
"""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from itertools import groupby
from operator import itemgetter
from typing import Final

from django.contrib.auth import get_user_model
from django.db import connection

from consent.services.audit_facts import replay_sql, some_of

CHECKS: Final = ("act", "undo", "request", "withdrawal", "billing")

ALONE: Final = ("wording.published", "withdrawal.acknowledged")
"""Kinds of entries that belong to no act."""


@dataclass(frozen=True, slots=True)
class ActRule:
    """What is known of every act of a kind.

    `entries` are LIKE patterns for the kinds of its entries. `artist`: that it is of an artist
    `always` or `never`, of the one whom its entries name (`own`), or of none where they are about
    a whole `roster`. `says` are the keys that its summary has; those that its entries have as well
    must say the same.
    """

    entries: tuple[str, ...]
    artist: str = "never"
    says: tuple[str, ...] = ()


_ANSWERS = ("permission.answered", "permission.withdrawn")
_ONE = ActRule(_ANSWERS, "always", ("use", "stance", "scope"))
_REVOKED = ("use", "scope")
_CLAIMS = ("claims", "parties", "rights")
_LICENCES = ("licences",)
_CATALOGUE = ("party.registered", "recording.identified", "claim.%")

ACTS: Final = {
    "permission.answered": _ONE,
    "request.answered": _ONE,
    "permission.answered_many": ActRule(_ANSWERS, "always", ("use", "stance")),
    "permission.cleared": ActRule(("permission.cleared",), "always", ("use", "scope")),
    "permission.undone": ActRule(("permission.undone", "permission.cleared"), "always"),
    "permission.revoked": ActRule(("permission.revoked",), "always", _REVOKED),
    "permission.invalidated": ActRule(("permission.invalidated",), "always", _REVOKED),
    "ask_permission": ActRule(("request.made",), says=("batch", "tool", "use")),
    "take_back_request": ActRule(("request.taken_back",), says=("batch",)),
    "delegation.granted": ActRule(("delegation.granted",), "roster", ("to", "roles")),
    "delegation.ended": ActRule(("delegation.ended",), "roster", ("to", "roles")),
    "register_party": ActRule(("party.registered",), says=("party",)),
    "change_party": ActRule(("party.registered", "party.changed"), says=("party",)),
    "register_tool": ActRule(("tool.registered",), says=("tool",)),
    "suspend_tool": ActRule(("tool.suspended",), says=("tool",)),
    "resume_tool": ActRule(("tool.resumed",), says=("tool",)),
    "register_model_version": ActRule(("model.registered",), says=("model_version",)),
    "retire_model_version": ActRule(("model.retired",), says=("model_version",)),
    "sign_licence": ActRule(("licence.signed",), says=_LICENCES),
    "supersede_licence": ActRule(("licence.signed",), says=_LICENCES),
    "end_licence": ActRule(("licence.ended",), says=_LICENCES),
    "offer_standard_licence": ActRule(("licence.signed",), "always", _LICENCES),
    "make_claims": ActRule(("party.registered", "claim.made"), "own", _CLAIMS),
    "change_claim": ActRule(("claim.changed",), says=_CLAIMS),
    "verified_claim": ActRule(("claim.changed",), says=_CLAIMS),
    "declared_claim": ActRule(("claim.changed",), says=_CLAIMS),
    "disputed_claim": ActRule(("claim.changed",), says=_CLAIMS),
    "end_claim": ActRule(("claim.ended",), "own", _CLAIMS),
    "confirm_shares": ActRule(("claim.made", "claim.changed"), says=_CLAIMS),
    "claim_nothing": ActRule(("claim.made", "claim.ended"), says=_CLAIMS),
    "import_claims": ActRule(_CATALOGUE, says=("sender",)),
    "import_message": ActRule(_CATALOGUE, says=("sender", "message")),
    "register_recordings": ActRule(_CATALOGUE, "own", ("recordings",)),
    "change_identity": ActRule(("party.registered", "recording.identified"), says=("isrc",)),
    "link_works": ActRule(("party.registered", "recording.identified"), says=("recordings",)),
    "report_training_run": ActRule(("training.reported",), says=("run", "company")),
    "erase_subject": ActRule(("subject.erased",), says=("subject", "reason")),
    "clear_alarm": ActRule(("alarm.cleared",), says=("alarm",)),
}
"""Every kind of act. One that is not here is a problem: nobody wrote it."""


def shown_problems(*, after: int, until: int) -> Iterator[str]:
    """Where rows that are shown differ from the leaves with `after < seq <= until`, as sentences.

    From the beginning (`after=0`) it also finds rows of which no leaf says anything at all.
    """
    users = connection.ops.quote_name(get_user_model()._meta.db_table)
    given: dict[str, int | str | list[str]] = {
        "after": after,
        "until": until,
        "alone": list(ALONE),
        "acts": json.dumps({kind: asdict(rule) for kind, rule in ACTS.items()}),
    }
    for check in CHECKS:
        with connection.cursor() as cursor:
            cursor.execute(replay_sql(check).replace("{users}", users), given)
            rows = cursor.fetchall()
        for what, found in groupby(sorted(rows, key=itemgetter(0)), key=itemgetter(0)):
            keys = [key for _what, key in found]
            yield f"{len(keys)} {what}: {some_of(keys)}"
