"""What a no sets in motion: every affected AI company is told, and must acknowledge."""

import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.db import connection, transaction
from django.utils.translation import gettext_lazy as _

from consent.clock import now
from consent.errors import NotFound
from consent.models import AICompany, Artist, Permission, Withdrawal
from consent.services.ledger import Leaf, record

if TYPE_CHECKING:
    from portal.models import User

ACKNOWLEDGE_WITHIN = timedelta(days=7)

# Companies with a live licence for this use from somebody who holds rights in the artist's
# recordings, and their model versions, each with whether it has already learned from them.
_AFFECTED = """
WITH mine AS MATERIALIZED (
    SELECT recording_id FROM consent_artistrecording WHERE artist_id = %(artist)s
), trained AS MATERIALIZED (
    SELECT DISTINCT u.model_version_id FROM consent_traininguse u JOIN mine USING (recording_id)
     WHERE u.allowed
), holder AS (
    SELECT DISTINCT c.party_id AS id FROM consent_rightsclaim c JOIN mine USING (recording_id)
    UNION SELECT c.party_id FROM consent_rightsclaim c WHERE c.repertoire_id = %(artist)s
    UNION SELECT %(artist)s
), licence AS (
    SELECT l.company_id, min(v.notice_days) AS notice_days
      FROM consent_licence l JOIN LATERAL (
            SELECT * FROM consent_licenceversion v WHERE v.licence_id = l.id
             ORDER BY v.id DESC LIMIT 1) v ON true
     WHERE l.holder_id IN (SELECT id FROM holder) AND %(use)s = ANY (v.uses) AND NOT v.ended
       AND (v.ends_at IS NULL OR v.ends_at > %(at)s)
     GROUP BY l.company_id
)
SELECT t.company_id, m.id, m.id IN (SELECT model_version_id FROM trained), l.notice_days
  FROM licence l
  JOIN consent_tool t ON t.company_id = l.company_id
  JOIN consent_modelversion m ON m.tool_id = t.id
 WHERE (%(company)s::bigint IS NULL OR t.company_id = %(company)s)
   AND (%(tool)s::bigint IS NULL OR t.id = %(tool)s)
 ORDER BY t.company_id, m.id
"""


def affected_by(
    *, artist: Artist, use: str, company: int | None, tool: int | None, at: datetime
) -> list[tuple[int, int, bool, int]]:
    """Whom a withdrawal concerns: (company, model version, already trained, notice in days)."""
    with connection.cursor() as cursor:
        cursor.execute(
            _AFFECTED,
            {"artist": artist.pk, "use": use, "company": company, "tool": tool, "at": at},
        )
        return [tuple(row) for row in cursor.fetchall()]


def start_withdrawals(*, artist: Artist, permissions: Sequence[Permission]) -> None:
    """For each yes that was taken back, write down who must stop, and until when outputs run off.

    Ten thousand recordings in one act concern the same companies once.
    """
    seen: set[tuple[str, int | None, int | None]] = set()
    at = now() if any(p.took_back_allow for p in permissions) else None
    for permission in permissions:
        key = (permission.use, permission.company_id, permission.tool_id)
        if not permission.took_back_allow or key in seen or at is None:
            continue
        seen.add(key)
        company, tool = permission.company_id, permission.tool_id
        Withdrawal.objects.bulk_create(
            Withdrawal(
                permission=permission,
                artist=artist,
                company_id=company_id,
                model_version_id=model,
                already_trained=trained,
                outputs_until=at + timedelta(days=_notice(permission, days)),
                acknowledge_by=at + ACKNOWLEDGE_WITHIN,
                next_at=at,
                created_at=at,
            )
            for company_id, model, trained, days in affected_by(
                artist=artist, use=permission.use, company=company, tool=tool, at=at
            )
        )


def _notice(permission: Permission, licence_days: int) -> int:
    if permission.way in ("revoked", "invalidated"):
        return 0
    if permission.notice_days is not None:
        return permission.notice_days
    return 0 if permission.use == "voice" else licence_days


def acknowledge_withdrawal(*, by: "User | None", company: AICompany, ref: str) -> Withdrawal:
    """An AI company confirms that it has stopped; a second time changes nothing.

    Raises `NotFound` when this company was told no such thing.
    """
    with transaction.atomic():
        row = (
            Withdrawal.objects.select_for_update()
            .select_related("artist__party")
            .filter(ref=ref, company=company)
            .first()
        )
        if row is None:
            raise NotFound("unknown_withdrawal", _("There is no such withdrawal for you."))
        if row.acknowledged_at is not None:
            return row
        row.acknowledged_at = now()
        row.save(update_fields=["acknowledged_at"])
        record(
            uuid.uuid4(),
            [
                Leaf(
                    kind="withdrawal.acknowledged",
                    body={"company": str(company.party.ref), "withdrawal": str(row.ref)},
                )
            ],
        )
        return row
