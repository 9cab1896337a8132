"""The texts that people decide on. A changed text is a new version; nothing is carried over.

Nobody can say of a changed text that it means what the old one meant: whoever said yes read the old
one. Only a translation asks nobody again, into a language in which there is no text to change.
"""

import hashlib
import uuid
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from consent.clock import now
from consent.errors import Refused
from consent.models import Wording
from consent.services.acts import take_turn
from consent.services.ledger import Leaf, record
from consent.words import UseKind

if TYPE_CHECKING:
    from portal.models import User


def publish_wording(
    *,
    by: "User | None",
    use: str,
    language: str,
    text: str,
    means_the_same: bool | None = None,
) -> Wording:
    """Publish the text shown from now on for a use kind, in one language (BCP 47).

    Earlier answers stay tied to the text they were given under. `means_the_same` says that it is
    a translation of the newest version, into a language in which that one has no text: what was
    allowed goes on. Otherwise each yes to an earlier text is a no from this commit on, and its
    people are asked again, also for a typo. None: a translation wherever it can be one. The same
    text again returns the version that there is. Raises `Refused` (`unknown_use`, `empty_wording`,
    `not_a_translation`).
    """
    text = text.strip()
    if use not in UseKind.values:
        raise Refused("unknown_use", _("There is no such kind of use."), field="use")
    if not text:
        raise Refused("empty_wording", _("Write the text that people will read."), field="text")
    digest = hashlib.sha256(text.encode()).hexdigest()
    with transaction.atomic():
        take_turn("wording", use)
        published = list(Wording.objects.filter(use=use).order_by("version", "id"))
        said = [w for w in published if w.language == language]
        if said and said[-1].digest == digest and said[-1].version >= _meant_since(published):
            return said[-1]
        number = published[-1].version if published else 0
        is_translation = number > 0 and all(w.version < number for w in said)
        if means_the_same and not is_translation:
            raise Refused(
                "not_a_translation",
                _(
                    "Only a translation into a language in which there is no such text yet means "
                    "the same. A changed text is something new: whoever said yes is asked again."
                ),
                field="meaning",
            )
        if means_the_same is None:
            means_the_same = is_translation
        leaf_id = uuid.uuid4()
        wording = Wording(
            entry_id=leaf_id,
            use=use,
            language=language,
            version=number if means_the_same else number + 1,
            text=text,
            means_the_same=means_the_same,
            digest=digest,
            created_at=now(),
        )
        wording.save()
        record(
            uuid.uuid4(),
            [
                Leaf(
                    kind="wording.published",
                    id=leaf_id,
                    body={
                        "by": str(by.ref) if by else None,
                        "digest": digest,
                        "language": language,
                        "means_the_same": wording.means_the_same,
                        "use": use,
                        "version": wording.version,
                    },
                )
            ],
        )
        return wording


def current_wordings(language: str) -> dict[str, Wording]:
    """The text of each use kind that a reader of `language` is shown; as `current_wording`."""
    by_use: dict[str, list[Wording]] = {}
    for wording in Wording.objects.order_by("version", "id"):
        by_use.setdefault(wording.use, []).append(wording)
    return {use: _shown(published, language) for use, published in by_use.items()}


def current_wording(use: str, language: str) -> Wording | None:
    """The newest text of a use kind in `language`, or in English, or in any; None without one.

    Only a text that means what the newest does: who reads another language than the one in which
    the meaning changed reads that one until there is a translation.
    """
    published = list(Wording.objects.filter(use=use).order_by("version", "id"))
    return _shown(published, language) if published else None


def wording_changed() -> Refused:
    """What somebody hears who says yes to another text than the one that is asked now."""
    return Refused(
        "wording_changed",
        _("The text has changed since you opened the page. Read it and answer again."),
    )


def replaced_wordings(uses: Collection[str]) -> frozenset[tuple[str, int | None]]:
    """The texts, by use kind and key, under which a yes is one no more: their meaning is replaced.

    With the key None where that is so of answers that name no text: they count as to the first.
    """
    by_use: dict[str, list[Wording]] = {}
    for wording in Wording.objects.filter(use__in=uses).defer("text").order_by("version", "id"):
        by_use.setdefault(wording.use, []).append(wording)
    found: set[tuple[str, int | None]] = set()
    for use, published in by_use.items():
        since = _meant_since(published)
        found |= {(use, w.pk) for w in published if w.version < since}
        found |= {(use, None)} if since > 1 else set()
    return frozenset(found)


def _meant_since(published: Sequence[Wording]) -> int:
    """The version since which the text means what it means now."""
    return max((w.version for w in published if not w.means_the_same), default=1)


def _shown(published: Sequence[Wording], language: str) -> Wording:
    since = _meant_since(published)
    return max(
        (w for w in published if w.version >= since),
        key=lambda w: (w.language == language, w.language == "en", w.version),
    )
