"""Facts nobody thought of: small worlds in which everything meets everything, for Hypothesis.

Few parties, few places and few moments, so that ends coincide with questions and scopes overlap.
A world is read from a string of bytes, one byte a choice: far faster to draw than choice by choice,
and it still shrinks, for byte 0 is always the plainest choice.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from hypothesis import strategies as st

from consent.decisions import (
    NEEDS,
    Answer,
    ArtistFacts,
    ClaimFacts,
    Facts,
    LicenceFacts,
    Question,
    RecordingFacts,
    ToolFacts,
)
from tests.consent.facts import ALL_USES, AOI, BAND, FJORD, MAREN, NOW, SOCIETY, TONEWRIGHT, days

KANAL, TOOL, MODEL = 21, 70, 9
HOLDERS = (FJORD, SOCIETY, KANAL, MAREN)
WORLD: frozenset[str] = frozenset()
NORWAY, GERMANY = frozenset({"NO"}), frozenset({"DE"})
WAYS = ("answered", "withdrawn", "withdrawn", "undone", "cleared", "revoked")
TERRITORIES = (None, "NO", "JP", "DE")


class Choices:
    """Choices out of bytes; when they run out, always the first."""

    def __init__(self, source: bytes) -> None:
        self._bytes = iter(source)
        self._calm = False
        self._calm = self.one_of((True, False, True))

    def one_of[T](self, options: Sequence[T]) -> T:
        return options[next(self._bytes, 0) % len(options)]

    def rarely(self) -> bool:
        """Once in twenty, and in a calm world never."""
        return self.one_of(range(20)) == 19 and not self._calm

    def moment(self, first: int, last: int) -> datetime:
        return NOW + days(self.one_of(range(first, last + 1)))

    def end(self) -> datetime | None:
        far = (None, None, None, 1, 2, 3) if self._calm else (None, None, 1, 2, 3, 0, -1)
        found = self.one_of(far)
        return None if found is None else NOW + days(found)

    def places(self) -> frozenset[str]:
        return self.one_of((WORLD, WORLD, WORLD, WORLD, NORWAY, GERMANY, NORWAY | GERMANY))

    # What decisions read

    def answer(self, on_recording: bool, maker: str, territories: frozenset[str]) -> Answer:
        stance = self.one_of(("allow", "allow", "allow", "deny", "deny", "ask", "undecided"))
        way, took_back = "answered", False
        if stance != "allow":
            way = self.one_of(
                ("answered", "withdrawn", "withdrawn", "undone", "cleared", "revoked")
            )
            took_back = way == "withdrawn" or (way != "cleared" and self.one_of((True, False)))
        if way in ("cleared", "revoked"):
            stance = "undecided"
        given_at = self.moment(-4, 0)
        if self.rarely():  # about as long ago as a guardian's yes lasts
            given_at = self.moment(-3, 3).replace(year=NOW.year - 5)
        return Answer(
            stance=stance,
            seq=self.one_of(range(30, 60)),
            given_at=given_at,
            way=way,
            on_recording=on_recording,
            maker=maker,
            territories=territories,
            valid_until=None if way in ("cleared", "revoked") else self.end(),
            notice_days=self.one_of((None, None, 0, 1, 3, 9)),
            took_back_allow=took_back,
            text=self.one_of((1, 1, 1, 2)),
            by_guardian=self.one_of((True, False)),
        )

    def person(self, key: int) -> ArtistFacts:
        scopes = {(False, "", WORLD): None} if self.one_of((True, True, True, False)) else {}
        for _ in range(self.one_of((0, 0, 1, 2, 3))):
            on_recording = self.one_of((False, True))
            scopes[on_recording, self.one_of(("", "company", "tool")), self.places()] = None
        return ArtistFacts(
            key=key,
            kind="group" if key == BAND else "person",
            answers=tuple(self.answer(*scope) for scope in scopes),
            changes_at=self.one_of((None, None, None, None, NOW + days(1), NOW + days(3))),
            suspended=self.rarely(),
            is_minor=key == AOI and self.one_of((False, True)),
            has_guardian=self.one_of((True, False)),
        )

    def claim(
        self,
        right: str,
        share_bp: int | None = None,
        *,
        work: int | None = None,
        repertoire: int | None = None,
    ) -> ClaimFacts:
        return ClaimFacts(
            party=self.one_of(HOLDERS),
            right=right,
            share_bp=share_bp or self.one_of((10_000, 5_000, 4_999)),
            authority=self.one_of(("contract", "own", "contract", "blanket")),
            seq=self.one_of(range(1, 20)),
            work=work,
            repertoire=repertoire,
            territories=WORLD if share_bp else self.places(),
            valid_until=self.end(),
            disputed=self.rarely(),
            suspended=self.rarely(),
        )

    def rights(
        self, right: str, *, work: int | None = None, repertoire: int | None = None
    ) -> list[ClaimFacts]:
        """Claims on one thing that come to the whole, or nearly: one, two halves, or a heap."""
        shape = self.one_of((1, 1, 1, 1, 2, 2, 0))
        if shape and (shape == 1 or self._calm or self.one_of((True, False))):
            halves = range(shape)
            return [
                self.claim(right, 10_000 // shape, work=work, repertoire=repertoire) for _ in halves
            ]
        heap = range(self.one_of((0, 1, 2, 3)))
        return [self.claim(right, work=work, repertoire=repertoire) for _ in heap]

    def repertoires(self, right: str, main: Sequence[int]) -> list[ClaimFacts]:
        """Claims on the repertoire of each main artist, or of one of them only, or of a guest."""
        whose = self.one_of((main, main, main, main[:1], (AOI,)))
        return [c for artist in whose for c in self.rights(right, repertoire=artist)]

    def a_remainder(self, held: Sequence[ClaimFacts]) -> list[ClaimFacts]:
        """Of the recording by itself, one half by whoever claims a repertoire and one by another.

        Now and then not quite: a half that has ended, is disputed, or is for some places only.
        """
        broad = [c for c in held if c.repertoire is not None and c.right != "likeness"]
        if not broad:
            return []
        whose = self.one_of(broad)
        half = replace(
            self.claim(whose.right, 5_000),
            party=whose.party,
            territories=self.places() if self.rarely() else WORLD,
        )
        return [half, *([self.claim(whose.right, 5_000)] * self.one_of((1, 1, 1, 0)))]

    def nothing(self, held: Sequence[ClaimFacts]) -> list[ClaimFacts]:
        """Of the recording by itself, nothing, by somebody who claims a repertoire or not.

        Where it was what was too much, somebody else claims all of the recording.
        """
        broad = [c for c in held if c.repertoire is not None and c.right != "likeness"]
        whose = self.one_of(broad) if broad else self.claim(self.one_of(("master", "publishing")))
        none = replace(
            self.claim(whose.right, 10_000),
            party=self.one_of((whose.party, whose.party, whose.party, FJORD, MAREN)),
            share_bp=0,
            disputed=self.one_of((False, False, False, True)),
        )
        return [none, *([self.claim(whose.right, 10_000)] * self.one_of((1, 1, 0)))]

    def licence(self, holder: int, number: int) -> LicenceFacts:
        dispenses = self.one_of((False, True))
        return LicenceFacts(
            ref=f"licence {number} of {holder}",
            number=1,
            holder=holder,
            uses=frozenset({"discovery", "style"}) if self.rarely() else ALL_USES,
            covers=not self.rarely(),
            seq=self.one_of(range(20, 50)),
            began_at=self.moment(-9, 0),
            territories=self.places() if self.rarely() or number else WORLD,
            ends_at=self.end(),
            notice_days=self.one_of((0, 1, 3, 9)),
            models=self.one_of((frozenset(), frozenset({MODEL}), frozenset({8})))
            if self.rarely()
            else frozenset(),
            artist_approval=not dispenses,
            clause="§ 14.2" if dispenses and not self.rarely() else "",
            ended=self.rarely(),
        )

    def tool(self) -> ToolFacts | None:
        if self.rarely():
            return None
        model = self.one_of((None, MODEL))
        known = not self.rarely()
        return ToolFacts(
            key=TOOL,
            company=TONEWRIGHT,
            seq=4,
            suspended=self.rarely(),
            company_suspended=self.rarely(),
            model=model if known else None,
            model_known=known,
            model_retired=model is not None and known and self.rarely(),
            model_registered_at=self.moment(-9, 0) if model is not None and known else None,
        )

    def world(self) -> Facts:
        main = self.one_of(((MAREN,),) * 6 + ((MAREN, AOI), (BAND,), (BAND, MAREN)))
        featured = self.one_of(((), (), (), (AOI,)))
        recording = RecordingFacts(
            key=7,
            seq=3,
            main_artists=() if self.rarely() else main,
            featured_artists=tuple(a for a in featured if a not in main),
            voices=self.one_of(((), (), (MAREN,), (AOI,), (BAND,))),
            works=self.one_of(((), (1,), (1, 2))),
            withdrawn=self.rarely(),
        )
        held = self.repertoires("master", main) if self.one_of((0, 0, 1)) else self.rights("master")
        by_repertoire = not recording.works or self.one_of((False, False, True))
        if by_repertoire:
            held += self.repertoires("publishing", main)
        for work in recording.works if not by_repertoire or self.rarely() else ():
            held += self.rights("publishing", work=work)
        if self.rarely():
            held += self.rights("publishing", repertoire=self.one_of((None, MAREN, AOI)))
        if self.one_of((False, False, False, True)):
            held += self.a_remainder(held)
        if self.one_of((False, False, False, True)):
            held += self.nothing(held)
        for _ in range(self.one_of((0, 1, 2))):
            held.append(self.claim("likeness", repertoire=self.one_of((MAREN, AOI, BAND))))
        if self.rarely():
            held += self.rights("performance")
        people = sorted({*main, *recording.featured_artists, *recording.voices})
        signers = {c.party for c in held} | {p for p in people if self.one_of((False, True))}
        signed = [
            self.licence(holder, number)
            for holder in sorted(signers)
            for number in range(self.one_of((1, 1, 2)) - self.rarely())
        ]
        return Facts(
            seq=100,
            recording=None if self.rarely() else recording,
            tool=self.tool(),
            claims=tuple(held),
            licences=tuple(signed),
            artists={key: self.person(key) for key in people if not self.rarely()},
            changes_at=self.one_of((None, None, None, None, NOW + days(1), NOW + days(3))),
            meant_since=self.one_of((1, 1, 1, 1, 2)),
        )


def worlds() -> st.SearchStrategy[Facts]:
    """Facts as one snapshot could hold them."""
    return st.binary(min_size=200, max_size=200).map(lambda source: Choices(source).world())


def questions() -> st.SearchStrategy[Question]:
    return st.builds(
        Question,
        use=st.sampled_from(sorted(NEEDS)),
        at=st.just(NOW),
        territory=st.sampled_from(TERRITORIES),
    )
