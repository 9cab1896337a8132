"""Whose yes a changed text has made a no: she said it to a text that means something else now."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db import connection

from consent.models import Wording

# Of each artist the yeses that speak, or will on their day, and that this text takes away: not
# those that the text before it had taken away already. An answer that names no text is to the
# first.
_OUTDATED: Final = """
SELECT a.party_id, said.in_general
  FROM consent_artist a
 CROSS JOIN LATERAL (
    SELECT bool_or(p.scope = '*/*') AS in_general
      FROM consent_permission p
     WHERE p.artist_id = a.party_id AND p.use = %(use)s AND p.stance = 'allow'
       AND (p.valid_until IS NULL OR p.valid_until > %(at)s)
       AND coalesce((SELECT w.version FROM consent_wording w WHERE w.id = p.wording_id), 1)
           BETWEEN %(since)s AND %(until)s
       AND NOT EXISTS (
            SELECT FROM consent_permission n
             WHERE n.artist_id = p.artist_id AND n.use = p.use AND n.scope = p.scope
               AND n.territories = p.territories AND n.id > p.id
               AND (n.valid_from IS NULL OR n.valid_from <= greatest(p.valid_from, %(at)s)))
 ) said
 WHERE a.party_id > %(after)s AND said.in_general IS NOT NULL
 ORDER BY a.party_id LIMIT %(most)s
"""


@dataclass(frozen=True, slots=True)
class Outdated:
    """An artist (her key) whose yes is none any more; `in_general`: that for all her work too."""

    artist: int
    in_general: bool


def outdated_by(wording: Wording, *, after: int, most: int, at: datetime) -> Sequence[Outdated]:
    """The next `most` artists after the key `after` whose yes this text took away; two queries.

    As their answers stand at `at` (UTC): whoever has answered since is not among them. `wording`
    is one that means something new.
    """
    before = (
        Wording.objects.filter(use=wording.use, version__lt=wording.version, means_the_same=False)
        .order_by("-version")
        .values_list("version", flat=True)
    )
    with connection.cursor() as cursor:
        cursor.execute(
            _OUTDATED,
            {
                "use": wording.use,
                "since": before.first() or 1,
                "until": wording.version - 1,
                "at": at,
                "after": after,
                "most": most,
            },
        )
        return [Outdated(artist, in_general) for artist, in_general in cursor.fetchall()]
