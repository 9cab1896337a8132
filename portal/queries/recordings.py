"""What a list of recordings says about each: the answers that name it."""

from collections.abc import Sequence
from dataclasses import dataclass

from consent.models import Artist, Permission
from consent.words import Stance, UseKind


@dataclass(frozen=True, slots=True)
class OwnAnswer:
    """An answer of an artist's that names one recording, in words. `narrow`: and one tool."""

    use: str
    answer: str
    stance: str
    narrow: bool


def own_answers(
    artist: Artist, recordings: Sequence[int], *, uses: Sequence[UseKind] = tuple(UseKind)
) -> dict[int, list[OwnAnswer]]:
    """Her answers to `uses` that name these recordings (keys), by recording; one query."""
    rows = (
        Permission.objects.filter(artist=artist, recording__in=recordings, use__in=uses)
        .order_by("recording", "use", "scope", "territories", "-id")
        .distinct("recording", "use", "scope", "territories")
    )
    found: dict[int, list[OwnAnswer]] = {}
    for row in rows:
        if row.way == "cleared" or row.recording_id is None:
            continue
        found.setdefault(row.recording_id, []).append(
            OwnAnswer(
                use=str(UseKind(row.use).label),
                answer=str(Stance(row.stance).label),
                stance=row.stance,
                narrow=bool(row.tool_id or row.company_id or row.territories),
            )
        )
    return found
