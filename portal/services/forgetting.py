"""What the portal forgets when a person is erased (`consent.services.erasure`)."""

import uuid

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.models import Session
from django.db.models import Q, TextField
from django.db.models.functions import Cast

from consent.models import AICompany, Party
from consent.services.erasure import ERASED_NAME, erases
from portal.models import BulkChange, CompanyMail, Export, Membership, Notice, User, Visit
from portal.services.delegation import end_access


@erases
def forget_person(subject: uuid.UUID) -> bool:
    """Forget a user, or what the portal says about an artist, by the ref that the ledger knows.

    A user can no longer sign in, and every access of hers ends; her row stays under her ref, since
    acts and statements point at it.
    """
    party = Party.objects.filter(ref=subject).first()
    if party is not None:
        _forget_news_of({party.name, *party.names.values_list("name", flat=True)})
        Notice.objects.filter(artist=party.pk).delete()
        BulkChange.objects.filter(artist=party.pk).delete()
        Export.objects.filter(artist=party.pk).delete()  # their files are strays, and swept
    user = User.objects.select_for_update().filter(ref=subject).first()
    if user is not None:
        _forget_user(user)
    return party is not None or user is not None


def _forget_user(user: User) -> None:
    known_as = {user.name, user.email}
    _forget_address(user.email)
    for session in Session.objects.iterator():  # whose it is stands inside, signed
        if session.get_decoded().get(SESSION_KEY) == str(user.pk):
            session.delete()
    for gone in (UserSession, EmailAddress, Authenticator, Visit):
        gone.objects.filter(user=user).delete()
    user.email, user.name = f"erased-{user.ref.hex}@erased.invalid", ERASED_NAME
    user.time_zone, user.locale = "UTC", "en"
    user.is_active, user.is_staff, user.is_superuser = False, False, False
    user.set_unusable_password()
    user.save()
    # After her name is gone, so that those who are told of it are not told her name.
    for membership in Membership.objects.unended().filter(user=user):
        if not Membership.objects.filter(pk=membership.pk, ended_at=None).exists():
            continue  # ended with one before
        end_access(by=None, membership=membership)
    Notice.objects.filter(recipient=user).delete()
    BulkChange.objects.filter(requested_by=user).delete()
    Export.objects.filter(requested_by=user).delete()
    _forget_news_of(known_as)


def _forget_address(email: str) -> None:
    """Where she was whom an AI company is written to: it has nobody until it names another."""
    AICompany.objects.filter(contact__iexact=email).update(contact="")
    CompanyMail.objects.filter(address__iexact=email).update(address="")


def _forget_news_of(names: set[str]) -> None:
    """What others were told with her name in it."""
    mentioned = Q()
    for name in names - {""}:
        mentioned |= Q(said__contains=name)
    if mentioned:
        said = Notice.objects.annotate(said=Cast("params", TextField()))
        Notice.objects.filter(pk__in=said.filter(mentioned).values("pk")).delete()
