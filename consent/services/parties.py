"""People, groups, companies and societies: registered, and what decisions read of them.

What decisions read (kind, minor, estate, guardian, members, suspended) is a `PartyState` with its
ledger entry. Names stand in no leaf: they are sealed beside it, with the party as the subject.
"""

import uuid
from collections.abc import Collection, Iterable, Sequence
from typing import TYPE_CHECKING, Any, Final

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Model
from django.utils.text import slugify
from django.utils.translation import gettext_lazy as _

from consent import identifiers as rules
from consent.clock import now
from consent.errors import Refused, refused_by
from consent.models import Act, Artist, Party, PartyIdentifier, PartyName, PartyState
from consent.services.acts import open_act, ref_of, take_turn
from consent.services.ledger import Leaf, record, refuse_when_frozen
from consent.words import PartyKind

if TYPE_CHECKING:
    from portal.models import User

ERASED: Final = "erase_subject"
"""The kind of the act that forgets a person."""

# The schemes that are checked by their own rule and mean one party, whoever delivers them.
STRONG_SCHEMES = ("isni", "ipi_name", "ipi_base", "dpid")

# What decisions read of a party, beside who its members are.
_READ = ("kind", "suspended", "is_minor", "is_estate", "guardian_id")


@transaction.atomic
def register_party(
    *,
    by: "User | None",
    kind: PartyKind | str,
    name: str,
    language: str = "",
    identifiers: Iterable[tuple[str, str]] = (),
    names: Iterable[tuple[str, str]] = (),
    is_minor: bool = False,
    is_estate: bool = False,
    guardian: Party | None = None,
    members: Sequence[Party] = (),
) -> Party:
    """Register a party that is not known yet, and return it.

    `identifiers` are (scheme, value) with scheme `isni`, `ipi_name`, `ipi_base` or `dpid`;
    `names` are further (name, BCP 47 language). Raises `Refused`: the code of the identifier's
    rule, `identifier_taken` when another party has it, `minor`, or the field that is wrong.
    """
    leaf = _register(
        by=by,
        party=Party(kind=str(kind), name=name.strip(), language=language, created_at=now()),
        identifiers=identifiers,
        names=names,
        state=PartyState(
            is_minor=is_minor,
            is_estate=is_estate,
            guardian=guardian,
            members=[m.pk for m in members],
        ),
    )
    party = Party.objects.get(ref=leaf.body["party"])
    _record(by, "register_party", [leaf])
    return party


@transaction.atomic
def register_artist(
    *,
    by: "User | None",
    name: str,
    kind: PartyKind | str = PartyKind.PERSON,
    slug: str = "",
    language: str = "",
    identifiers: Iterable[tuple[str, str]] = (),
    names: Iterable[tuple[str, str]] = (),
    is_minor: bool = False,
    is_estate: bool = False,
    guardian: Party | None = None,
    members: Sequence[Party] = (),
) -> Artist:
    """Register a party that is an artist: a name that credits appear under.

    `slug` is made from the name when it is not given, and made unique. Raises as
    `register_party` does, and `Refused` with code `slug_taken` for a given slug in use.
    """
    if slug and Artist.objects.filter(slug=slug).exists():
        raise Refused("slug_taken", _("This short name is in use."), field="slug")
    party = register_party(
        by=by,
        kind=kind,
        name=name,
        language=language,
        identifiers=identifiers,
        names=names,
        is_minor=is_minor,
        is_estate=is_estate,
        guardian=guardian,
        members=members,
    )
    [artist] = make_artists([party], slugs={party.pk: slug} if slug else {})
    return artist


def make_artist(*, party: Party) -> Artist:
    """Let a party that is already known be an artist too; the same again changes nothing.

    Writes no leaf: that somebody is an artist decides nothing; being named on a recording does.
    """
    found = Artist.objects.filter(pk=party.pk).first()
    return found or make_artists([party])[0]


@transaction.atomic
def change_party_state(
    *,
    by: "User | None",
    party: Party,
    kind: PartyKind | str | None = None,
    suspended: bool | None = None,
    is_minor: bool | None = None,
    is_estate: bool | None = None,
    guardian: Party | None = None,
    no_guardian: bool = False,
    members: Sequence[Party] | None = None,
) -> PartyState:
    """Change what decisions read of a party; what is not given stays.

    A guardian is named with `guardian` and taken away with `no_guardian`. Returns the state that
    speaks now, which is the old one when nothing would change. Whoever was erased stays suspended.
    Raises `Refused` (`minor`, `guardian`, `erased`, or the code of the field).
    """
    party = Party.objects.select_for_update(no_key=True).get(pk=party.pk)
    last = current_state(party)
    base = last or PartyState(party=party, kind=party.kind)
    state = PartyState(
        party=party,
        kind=base.kind if kind is None else str(kind),
        suspended=base.suspended if suspended is None else suspended,
        is_minor=base.is_minor if is_minor is None else is_minor,
        is_estate=base.is_estate if is_estate is None else is_estate,
        guardian=None if no_guardian else guardian or base.guardian,
        members=base.members if members is None else [m.pk for m in members],
    )
    if last is not None and _same(last, state):
        return last
    _check(state)
    if base.suspended and not state.suspended and _was_erased(party):
        raise Refused(
            "erased",
            _("This person was erased and can take nothing back, so nothing holds again."),
            field="suspended",
        )
    if last is not None and not _is_a_stop(last, state):
        refuse_when_frozen()
    leaf = Leaf("party.changed", party_body(by, state)) if last else registered_leaf(by, state)
    state.entry_id = leaf.id
    state.save()
    if party.kind != state.kind:
        party.kind = state.kind
        party.save(update_fields=["kind"])
    _record(by, "change_party", [leaf])
    return state


def current_state(party: Party) -> PartyState | None:
    """What decisions read of a party now, or None when it was never of consequence."""
    states = PartyState.objects.filter(party=party).select_related("guardian")
    return states.order_by("-id").first()


def states_missing(*, by: "User | None", parties: Collection[Party]) -> list[Leaf]:
    """Write a first `PartyState` for those of `parties` that have none; return their leaves.

    A party that is only credited (a producer, a lyricist) is read by no decision and stands in no
    leaf; it gets its state when it becomes an artist, a voice or a holder. For use inside another
    act, which records the leaves.
    """
    known = set(
        PartyState.objects.filter(party__in=[p.pk for p in parties]).values_list("party", flat=True)
    )
    leaves, states = [], []
    for party in parties:
        if party.pk in known:
            continue
        known.add(party.pk)
        state = PartyState(party=party, kind=party.kind)
        leaf = registered_leaf(by, state)
        state.entry_id = leaf.id
        states.append(state)
        leaves.append(leaf)
    PartyState.objects.bulk_create(states, batch_size=2000)
    return leaves


def make_artists(parties: Sequence[Party], *, slugs: dict[int, str] | None = None) -> list[Artist]:
    """Make artists of parties that are none yet, in two queries, each with a slug of its own."""
    wanted = {}
    for party in parties:
        base = slugify(party.name, allow_unicode=True)[:70].strip("-_") or "artist"
        wanted[party.pk] = (slugs or {}).get(party.pk) or base
    taken = set(Artist.objects.filter(slug__in=set(wanted.values())).values_list("slug", flat=True))
    artists = []
    for party in parties:
        slug = wanted[party.pk]
        if slug in taken:
            slug = f"{slug}-{party.ref.hex[:8]}"
        taken.add(slug)
        artists.append(Artist(party=party, slug=slug))
    return Artist.objects.bulk_create(artists, batch_size=2000)


def registered_leaf(by: "User | None", state: PartyState) -> Leaf:
    """The leaf `party.registered`; the name is beside it, sealed for the party."""
    party = state.party
    return Leaf(
        "party.registered",
        party_body(by, state),
        subject=party.ref,
        personal={"name": party.name, "language": party.language},
    )


def party_body(by: "User | None", state: PartyState) -> dict[str, Any]:
    """The body of `party.registered` and `party.changed`: all that decisions read of a party."""
    refs = (
        dict(Party.objects.filter(pk__in=state.members).values_list("pk", "ref"))
        if (state.members)
        else {}
    )
    return {
        "by": ref_of(by),
        "party": str(state.party.ref),
        "kind": state.kind,
        "suspended": state.suspended,
        "is_minor": state.is_minor,
        "is_estate": state.is_estate,
        "guardian": str(state.guardian.ref) if state.guardian else None,
        "members": sorted(str(r) for r in refs.values()),
    }


def check(instance: Model, *, exclude: Collection[str] = ()) -> None:
    """Validate a whole instance, constraints included; raises `Refused`."""
    try:
        instance.full_clean(exclude={"entry", *exclude})
    except ValidationError as error:
        raise refused_by(error) from error


def _register(
    *,
    by: "User | None",
    party: Party,
    identifiers: Iterable[tuple[str, str]],
    names: Iterable[tuple[str, str]],
    state: PartyState,
) -> Leaf:
    check(party)
    known = [_known_identifier(scheme, value) for scheme, value in identifiers]
    for scheme, value in sorted(known):
        take_turn("identifier", scheme, value)
        if PartyIdentifier.objects.filter(scheme=scheme, value=value, is_valid=True).exists():
            raise Refused(
                "identifier_taken",
                _("Another party has the identifier %(value)s already."),
                field="identifiers",
                params={"value": value},
            )
    party.save()
    state.party, state.kind = party, party.kind
    _check(state)
    leaf = registered_leaf(by, state)
    state.entry_id = leaf.id
    state.save()
    PartyIdentifier.objects.bulk_create(
        PartyIdentifier(party=party, scheme=scheme, value=value)
        for scheme, value in dict.fromkeys(known)
    )
    PartyName.objects.bulk_create(
        PartyName(party=party, name=name, language=language)
        for name, language in dict.fromkeys(names)
        if (name, language) != (party.name, party.language)
    )
    return leaf


def _known_identifier(scheme: str, value: str) -> tuple[str, str]:
    if scheme not in STRONG_SCHEMES:
        raise Refused(
            "unknown_scheme",
            _("“%(scheme)s” is not a kind of identifier that a party can have here."),
            field="identifiers",
            params={"scheme": scheme[:20]},
        )
    try:
        return scheme, rules.normalise(rules.Scheme(scheme), value)
    except rules.IdentifierError as error:
        raise Refused(error.code, error.sentence, field="identifiers") from error


def _check(state: PartyState) -> None:
    if state.guardian is not None:
        if not state.is_minor:
            raise Refused("guardian", _("Only a minor has a guardian."), field="guardian")
        if state.guardian.kind != PartyKind.PERSON or state.guardian.pk == state.party_id:
            raise Refused(
                "guardian", _("A guardian is a person, and somebody else."), field="guardian"
            )
    if state.members and state.kind != PartyKind.GROUP:
        raise Refused("members", _("Only a group has members."), field="members")
    check(state)


def _is_a_stop(before: PartyState, after: PartyState) -> bool:
    """Is all that is new that somebody is suspended? All else may turn a no into a yes."""
    others = [f for f in _READ if f != "suspended"]
    same = all(getattr(before, f) == getattr(after, f) for f in others)
    return after.suspended and same and set(before.members) == set(after.members)


def _was_erased(party: Party) -> bool:
    return Act.objects.filter(kind=ERASED, summary__subject=str(party.ref)).exists()


def _same(a: PartyState, b: PartyState) -> bool:
    return all(getattr(a, f) == getattr(b, f) for f in _READ) and set(a.members) == set(b.members)


def _record(by: "User | None", kind: str, leaves: Sequence[Leaf]) -> uuid.UUID:
    summary = {"party": leaves[0].body["party"]}
    act = open_act(by=by, kind=kind, at=now(), entries=len(leaves), summary=summary)
    record(act.ref, leaves)
    return act.ref
