"""Forget people, after a look at what that means."""

import argparse
import uuid
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from consent.errors import Refused
from consent.models import Artist, Party
from consent.services.erasure import ErasureReason
from portal.models import Membership, User
from portal.roles import OWNERS
from portal.services.erasing import Erasure, erase_people

REHEARSED = "Nothing was changed. To do it: the same with --yes and --reason."
AFTER = (
    "Backups and WAL archives from before still hold the sealed data and its key: the erasure is"
    " complete when they have rolled over (docs/proof.md, “Forgetting”)."
)


class Command(BaseCommand):
    help = (
        "Forget people for good: artists, and people who sign in. Without --yes it is rehearsed:"
        " done, counted and rolled back. Exit status 1 when refused, 2 when nobody is meant."
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument(
            "who",
            nargs="+",
            help="a pseudonym (UUID), an artist's short name, or an e-mail address; several people"
            " are forgotten together or not at all",
        )
        parser.add_argument("--reason", choices=ErasureReason.values, help="goes into the ledger")
        parser.add_argument("--by", metavar="EMAIL", help="the operator who does it")
        parser.add_argument("--yes", action="store_true", help="do it; there is no way back")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["yes"] and not options["reason"]:
            raise CommandError(
                f"Say why: --reason {' | '.join(ErasureReason.values)}.", returncode=2
            )
        by = _operator(options["by"]) if options["by"] else None
        subjects = list(dict.fromkeys(_subject(text) for text in options["who"]))
        for subject in subjects:
            self._say_who(subject)
        self._say_who_else(subjects)
        try:
            erasure = erase_people(
                by=by,
                subjects=subjects,
                reason_code=options["reason"] or ErasureReason.CONSENT_WITHDRAWN,
                rehearse=not options["yes"],
            )
        except Refused as refusal:
            raise CommandError(refusal.sentence) from refusal
        self._say_what(erasure, done=options["yes"])

    def _say_who(self, subject: uuid.UUID) -> None:
        party = Party.objects.filter(ref=subject).first()
        if party is not None:
            self.stdout.write(f"{party.name}: {party.get_kind_display()}, {subject}")
        user = User.objects.filter(ref=subject).first()
        if user is not None:
            self.stdout.write(f"{user.get_full_name()}: signs in as {user.email}, {subject}")
            if user.is_superuser and not _other_operators(user):
                self.stdout.write(
                    "  No other operator can sign in: make one first, ./manage.py createsuperuser."
                )

    def _say_who_else(self, subjects: list[uuid.UUID]) -> None:
        """An artist and her sign-in are two: say which of them stays."""
        own = Membership.objects.unended().filter(role__in=OWNERS).select_related("user")
        for one in own.filter(artist__party__ref__in=subjects).exclude(user__ref__in=subjects):
            role = one.get_role_display()
            self.stdout.write(f"  Not meant, and stays: {one.user.email}, who signs in as {role}.")
        rows = own.filter(user__ref__in=subjects).exclude(artist__party__ref__in=subjects)
        for one in rows.select_related("user", "artist__party"):
            if one.artist is not None:
                self.stdout.write(
                    f"  Not meant, and stays: the artist {one.artist.party.name}"
                    f" ({one.artist.slug})."
                )

    def _say_what(self, erasure: Erasure, *, done: bool) -> None:
        self.stdout.write("Done:" if done else "This would be done:")
        self.stdout.write(
            f"  {erasure.unreadable} sealed personal parts: nobody can open them any more"
        )
        for one in erasure.touched:
            parts = [
                f"{number} {word}"
                for number, word in (
                    (one.deleted, "deleted"),
                    (one.changed, "changed"),
                    (one.added, "added"),
                )
                if number
            ]
            self.stdout.write(f"  {one.name}: {', '.join(parts)}")
        if not done:
            self.stdout.write(REHEARSED)
            return
        for leaf in erasure.leaves:
            self.stdout.write(f"Written to the ledger at position {leaf.seq}, act {leaf.act}.")
        self.stdout.write(AFTER)


def _subject(text: str) -> uuid.UUID:
    try:
        return uuid.UUID(text)
    except ValueError:
        pass
    found = (
        User.objects.filter(email=text.strip().lower()).values_list("ref", flat=True).first()
        if "@" in text
        else Artist.objects.filter(slug=text).values_list("party__ref", flat=True).first()
    )
    if found is None:
        raise CommandError(f"{text}: there is nobody of this name here.", returncode=2)
    return found


def _other_operators(user: User) -> bool:
    others = User.objects.filter(is_superuser=True, is_staff=True, is_active=True)
    return others.exclude(pk=user.pk).exists()


def _operator(email: str) -> User:
    found = User.objects.filter(email=email.strip().lower(), is_active=True).first()
    if found is None or not found.is_superuser:
        raise CommandError(f"{email} is no operator here.", returncode=2)
    return found
