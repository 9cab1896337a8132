"""Who a message means: its parties, found among those known or registered anew.

In this order: an identifier that is checked by its own rule (ISNI, IPI, DPID); the sender's own
number for the party; the same name from the same sender. Never by name alone across senders: two
artists may have one name, and joining them would let one answer for the other's work, while two
entries for one artist do no harm until somebody who knows joins them.
"""

import hashlib
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.db.models import Q

from consent.catalogue import message
from consent.catalogue.notes import Note
from consent.catalogue.problems import Severity
from consent.identifiers import Scheme
from consent.models import Party, PartyIdentifier, PartyName
from consent.services.parties import STRONG_SCHEMES
from consent.words import PartyKind

OWN = "own"  # a number of the sender's
NAMED = "named"  # how the sender writes the name
SPECIAL = "special"  # a DDEX word in place of a party: GenerativeAI, VariousArtists, Traditional

_ARTICLES = frozenset(
    {"the", "a", "an", "die", "der", "das", "le", "la", "les", "los", "las", "el", "il", "de", "os"}
)

type _Key = tuple[str, str, str]


@dataclass
class Matched:
    """The parties of a message by its references, which of them are new, and what was odd."""

    parties: dict[str, Party] = field(default_factory=dict)
    special: dict[str, Party] = field(default_factory=dict)
    created: list[Party] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)


def match_parties(
    *,
    sender: Party,
    parties: Sequence[message.Party],
    specials: Iterable[str],
    at: datetime,
) -> Matched:
    """Find or make the parties that a message of `sender` names; in a fixed number of queries.

    New parties get no `PartyState`: the caller knows which of them decisions will read. What a
    known party lacks (a name in another script, an identifier) is added, nothing is taken away.
    """
    matched = Matched()
    matcher = _Matcher(sender, matched, at)
    matcher.load(parties)
    for party in parties:
        if party.name:
            matched.parties[party.reference] = matcher.find_or_make(party)
    matcher.save()
    matched.special = _specials(sorted(set(specials)), at)
    return matched


def match_sender(sender: message.Sender, *, at: datetime) -> tuple[Party, bool]:
    """Find or make the company that a message comes from; True when it is new.

    By its DPID. One that its rule refuses is no proof of anything, but it is all that some senders
    have: then the same text and the same name are the same sender.
    """
    scheme = PartyIdentifier.objects.filter(
        scheme=Scheme.DPID, value=sender.dpid, is_valid=sender.dpid_valid
    )
    found = scheme.select_related("party").order_by("party_id")
    if not sender.dpid_valid:
        found = found.filter(party__name=sender.name or sender.dpid)
    first = found.first()
    if first is not None:
        return first.party, False
    party = Party.objects.create(
        kind=PartyKind.COMPANY, name=(sender.name or sender.dpid)[:300], created_at=at
    )
    PartyIdentifier.objects.create(
        party=party, scheme=Scheme.DPID, value=sender.dpid, is_valid=sender.dpid_valid
    )
    return party, True


def know_party_as(*, sender: Party, party: Party, name: str = "") -> None:
    """Tell that what `sender` calls `name` (the party's own name when empty) is this party.

    For an artist who was registered here before her label delivers: without this, and without an
    identifier in the delivery, the label's first message would make a second entry for her.
    """
    PartyIdentifier.objects.get_or_create(
        party=party,
        scheme=NAMED,
        namespace=str(sender.ref),
        value=_short(_plain(name or party.name)),
    )


def kind_of(party: message.Party) -> PartyKind:
    """A person where the message shows it, else a group.

    DDEX has no field for it. A legal name shows a person, and so does a name that is sorted by
    its last part (“Holt, Maren” for “Maren Holt”, but not “Low Tides, The”). Where nothing shows
    it, group is the careful guess: nobody can give away the voice of a group.
    """
    for name in party.names:
        if name.is_legal_name:
            return PartyKind.PERSON
        last, comma, first = (part.strip() for part in name.indexed.partition(","))
        if comma and last and first and first.casefold() not in _ARTICLES:
            words = sorted(f"{first} {last}".casefold().split())
            if words == sorted(name.text.casefold().split()):
                return PartyKind.PERSON
    return PartyKind.GROUP


class _Matcher:
    def __init__(self, sender: Party, matched: Matched, at: datetime) -> None:
        self._namespace = str(sender.ref)
        self._sender_dpids = set(
            sender.identifiers.filter(scheme=Scheme.DPID).values_list("value", flat=True)
        )
        self._matched = matched
        self._at = at
        self._by_key: dict[_Key, list[Party]] = {}
        self._keys_of: dict[int, set[_Key]] = {}
        self._names_of: dict[int, set[tuple[str, str]]] = {}
        self._new_keys: dict[int, tuple[Party, dict[_Key, bool]]] = {}
        self._new_names: list[tuple[Party, str, str]] = []

    def load(self, parties: Sequence[message.Party]) -> None:
        """Bring every known party that could be meant, with its keys and names."""
        strong: set[str] = set()
        own: set[str] = set()
        for party in parties:
            for scheme, _, value in self._keys(party):
                (strong if scheme in STRONG_SCHEMES else own).add(value)
        found = PartyIdentifier.objects.filter(is_valid=True).filter(
            Q(scheme__in=STRONG_SCHEMES, value__in=strong)
            | Q(scheme__in=(OWN, NAMED), namespace=self._namespace, value__in=own)
        )
        known = {i.party_id: i.party for i in found.select_related("party").order_by("party_id")}
        for i in PartyIdentifier.objects.filter(party__in=known, is_valid=True).order_by("id"):
            self._add(known[i.party_id], (i.scheme, i.namespace, i.value))
        for name in PartyName.objects.filter(party__in=known):
            self._names_of.setdefault(name.party_id, set()).add((name.name, name.language))

    def find_or_make(self, party: message.Party) -> Party:
        found = self._find(party)
        if found is None:
            main = party.names[0]
            found = Party(
                kind=kind_of(party),
                name=main.text[:300],
                language=main.language,
                created_at=self._at,
            )
            self._matched.created.append(found)
        self._complete(found, party)
        return found

    def save(self) -> None:
        # Keys of parties that are not saved yet are their ids in memory, so save those first.
        Party.objects.bulk_create(self._matched.created, batch_size=2000)
        PartyIdentifier.objects.bulk_create(
            (
                PartyIdentifier(
                    party=party, scheme=scheme, namespace=namespace, value=value, is_valid=valid
                )
                for party, keys in self._new_keys.values()
                for (scheme, namespace, value), valid in keys.items()
            ),
            batch_size=2000,
            ignore_conflicts=True,
        )
        PartyName.objects.bulk_create(
            (PartyName(party=p, name=n, language=lang) for p, n, lang in self._new_names),
            batch_size=2000,
            ignore_conflicts=True,
        )

    def _find(self, party: message.Party) -> Party | None:
        keys = list(self._keys(party))
        strong = [k for k in keys if k[0] in STRONG_SCHEMES]
        numbers = [k for k in keys if k[0] == OWN]
        found = [(k, p) for k in strong for p in self._by_key.get(k, [])[:1]]
        if len({id(p) for _, p in found}) > 1:
            self._matched.notes.append(
                Note(
                    Severity.FLAGGED,
                    "identifiers_disagree",
                    "/NewReleaseMessage/PartyList",
                    party.line,
                    party.name[:80],
                    found[0][0][0],
                )
            )
        if found:
            return found[0][1]
        for key in numbers:
            for known in self._by_key.get(key, []):
                if not self._contradicts(known, strong):
                    return known
        [name] = [k for k in keys if k[0] == NAMED]
        same = [p for p in self._by_key.get(name, []) if not self._contradicts(p, strong + numbers)]
        plain = [p for p in same if not self._numbered(p)]
        if len(same) == 1:
            return same[0]
        return plain[0] if plain else None

    def _contradicts(self, known: Party, delivered: Sequence[_Key]) -> bool:
        """Has the known party another identifier of a scheme in which this one has one too?"""
        have = self._keys_of.get(id(known), set())
        return any(
            key not in have and any(k[:2] == key[:2] for k in have)
            for key in delivered
            if key[0] != Scheme.IPI_NAME  # a person may have several
        )

    def _numbered(self, known: Party) -> bool:
        return any(k[0] != NAMED for k in self._keys_of.get(id(known), ()))

    def _complete(self, party: Party, delivered: message.Party) -> None:
        have = self._keys_of.get(id(party), set())
        _, fresh = self._new_keys.setdefault(id(party), (party, {}))
        for key in self._keys(delivered):
            if key not in have:
                fresh[key] = True
                self._add(party, key)
        for i in delivered.identifiers:
            if not i.valid:  # kept as delivered, and never matched by
                fresh[(i.scheme[:20], "", i.value[:120])] = False
        names = self._names_of.setdefault(party.pk or -id(party), set())
        for name in delivered.names:
            entry = (name.text[:300], name.language)
            if entry != (party.name, party.language) and entry not in names:
                names.add(entry)
                self._new_names.append((party, *entry))

    def _add(self, party: Party, key: _Key) -> None:
        self._by_key.setdefault(key, []).append(party)
        self._keys_of.setdefault(id(party), set()).add(key)

    def _keys(self, party: message.Party) -> Iterator[_Key]:
        for i in party.identifiers:
            if not i.valid:
                continue
            if i.scheme in STRONG_SCHEMES:
                yield (i.scheme, "", i.value)
            else:
                whose = "" if i.namespace in self._sender_dpids else i.namespace
                kind = "" if i.scheme == "proprietary" else i.scheme
                value = ":".join(filter(None, (kind, whose, i.value)))
                yield (OWN, self._namespace, _short(value))
        yield (NAMED, self._namespace, _short(_plain(party.name)))


def _specials(words: Sequence[str], at: datetime) -> dict[str, Party]:
    """The stand-ins for DDEX's special contributors, one party each for the whole catalogue."""
    known = {
        i.value: i.party
        for i in PartyIdentifier.objects.filter(scheme=SPECIAL, value__in=words).select_related(
            "party"
        )
    }
    for word in words:
        if word not in known:
            name = {"GenerativeAI": "Generative AI", "VariousArtists": "Various Artists"}.get(word)
            party = Party.objects.create(kind=PartyKind.GROUP, name=name or word, created_at=at)
            PartyIdentifier.objects.create(party=party, scheme=SPECIAL, value=word)
            known[word] = party
    return known


def _plain(name: str) -> str:
    return unicodedata.normalize("NFC", " ".join(name.split()))


def _short(value: str) -> str:
    return value if len(value) <= 120 else f"sha256:{hashlib.sha256(value.encode()).hexdigest()}"
