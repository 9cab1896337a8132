"""A book kept beside the product: every act goes through the services, and is noted here by hand.

The book is plain lists of what was said and when, newest last. What it answers is worked out from
them by the naive model (`tests.consent.model`), never by asking the database. A moment of the book
is taken right after its act, so that each lies between one act's leaf and the next one's.
"""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from consent.clock import now
from consent.decisions import (
    Answer,
    ArtistFacts,
    ClaimFacts,
    Facts,
    LicenceFacts,
    Question,
    RecordingFacts,
    ToolFacts,
)
from consent.errors import Refused
from consent.licence_terms import Terms
from consent.models import (
    Act,
    AICompany,
    Artist,
    Licence,
    ModelVersion,
    Party,
    Permission,
    Recording,
    RightsClaim,
    Tool,
)
from consent.queries.decision import Ask
from consent.scopes import EVERYTHING, Scope
from consent.services.claims import change_claim, dispute_claim, end_claim, make_claim, settle_claim
from consent.services.claims_nothing import claim_nothing
from consent.services.licences import end_licence, sign_licence, supersede_licence
from consent.services.parties import change_party_state, register_party
from consent.services.permissions import (
    answer_permission,
    answer_recordings,
    clear_permission,
    revoke_permission,
    undo_act,
)
from consent.services.recordings import change_identity
from consent.services.tools import resume_tool, retire_model_version, suspend_tool
from consent.services.wordings import publish_wording
from consent.words import PartyKind, Right
from portal.models import User
from tests.consent.build import (
    a_company,
    a_label,
    a_model,
    a_tool,
    an_artist,
    some_recordings,
)
from tests.consent.model import judge
from tests.consent.strategies import Choices

USES = ("generative_training", "discovery", "voice", "style")
LATER = (2, 5, 9)  # days from the beginning at which things may begin or end
MOMENTS = (1, 3, 7, 12)  # days from the beginning that are asked about


@dataclass
class Row:
    """One version of something: what it says, since when it is known, when it begins."""

    says: dict[str, Any]
    known_at: datetime
    begins: datetime | None = None


Slot = tuple[int, str, int | None, int | None, int | None, tuple[str, ...]]


@dataclass
class Book:
    """The cast, their recordings and tools, and everything that was said about them."""

    start: datetime
    maren: Artist
    aoi: Artist
    fjord: Party
    kanal: Party
    companies: list[AICompany]
    tools: list[Tool]
    models: list[ModelVersion]
    songs: list[Recording]
    works: dict[int, tuple[int, ...]]
    billing: dict[int, tuple[tuple[int, ...], tuple[int, ...]]]
    clerk: User
    kari: Party
    answers: dict[Slot, list[Row]] = field(default_factory=dict)
    permissions: dict[Slot, list[Permission]] = field(default_factory=dict)
    licences: dict[int, list[Row]] = field(default_factory=dict)
    claims: dict[uuid.UUID, list[Row]] = field(default_factory=dict)
    tool_states: dict[int, list[Row]] = field(default_factory=dict)
    model_states: dict[int, list[Row]] = field(default_factory=dict)
    suspended: dict[int, list[Row]] = field(default_factory=dict)
    withdrawn: dict[int, list[Row]] = field(default_factory=dict)
    texts: dict[str, list[Row]] = field(default_factory=dict)
    minors: dict[int, list[Row]] = field(default_factory=dict)
    acts: list[Act] = field(default_factory=list)
    moment: datetime = field(default_factory=now)

    # Reading the book

    def expected(self, ask: Ask, at: datetime) -> bool:
        """May it, by the book and the naive rules, at this moment?"""
        song = next((s for s in self.songs if s.isrc == ask.isrc), None)
        tool = next((t for t in self.tools if t.slug == ask.tool), None)
        question = Question(ask.use, at, ask.territory)
        if song is None or tool is None:
            return judge(question, Facts(0, None, None)).allowed
        return judge(question, self.facts(song, tool, ask, at)).allowed

    def facts(self, song: Recording, tool: Tool, ask: Ask, at: datetime) -> Facts:
        main, featured = self.billing[song.pk]
        people = (*main, *featured)
        gone = _speaking(self.withdrawn.get(song.pk, []), at)
        named = next((m for m in self.models if m.ref == ask.model), None)
        model_row = named and _speaking(self.model_states[named.pk], at)
        state = _speaking(self.tool_states[tool.pk], at)
        assert state is not None
        return Facts(
            seq=0,
            recording=RecordingFacts(
                key=song.pk,
                seq=0,
                main_artists=main,
                featured_artists=featured,
                works=self.works[song.pk],
                withdrawn=gone is not None and gone.says["withdrawn"],
            ),
            tool=ToolFacts(
                key=tool.pk,
                company=tool.company_id,
                seq=0,
                suspended=state.says["suspended"],
                company_suspended=self._is_suspended(tool.company_id, at),
                model=named.pk if model_row and named else None,
                model_known=ask.model is None
                or (model_row is not None and named in self._of(tool)),
                model_retired=bool(model_row and model_row.says["retired"]),
                model_registered_at=(
                    self.model_states[named.pk][0].known_at if model_row and named else None
                ),
            ),
            claims=tuple(self._claims(song, people, at)),
            licences=tuple(self._licences(song, tool.company_id, at)),
            artists={key: self._artist(key, ask.use, song, tool, at) for key in people},
            meant_since=self._meant_since(ask.use, at),
        )

    def _meant_since(self, use: str, at: datetime) -> int:
        known = [r for r in self.texts.get(use, []) if r.known_at <= at]
        return max((r.says["version"] for r in known if not r.says["same"]), default=1)

    def _of(self, tool: Tool) -> list[ModelVersion]:
        return [m for m in self.models if m.tool_id == tool.pk]

    def _is_suspended(self, party: int, at: datetime) -> bool:
        row = _speaking(self.suspended.get(party, []), at)
        return row is not None and row.says["suspended"]

    def said_of_claim(self, claim: uuid.UUID, at: datetime) -> dict[str, Any] | None:
        """What a claim says at a moment; None where it is over."""
        row = _speaking(self.claims[claim], at)
        if row is None or row.says["ended"]:
            return None
        until = row.says["valid_until"]
        return None if until is not None and until <= at else row.says

    def _claims(
        self, song: Recording, people: tuple[int, ...], at: datetime
    ) -> Iterator[ClaimFacts]:
        for rows in self.claims.values():
            row = _speaking(rows, at)
            if row is None or row.says["ended"]:
                continue
            on = row.says["on"]
            if on in (("recording", song.pk), *(("work", w) for w in self.works[song.pk])) or (
                on[0] == "repertoire" and on[1] in people
            ):
                yield ClaimFacts(
                    party=row.says["party"],
                    right=row.says["right"],
                    share_bp=row.says["share_bp"],
                    authority=row.says["authority"],
                    seq=0,
                    work=on[1] if on[0] == "work" else None,
                    repertoire=on[1] if on[0] == "repertoire" else None,
                    territories=frozenset(row.says["territories"]),
                    valid_until=row.says["valid_until"],
                    disputed=row.says["disputed"],
                    suspended=self._is_suspended(row.says["party"], at),
                )

    def _licences(self, song: Recording, company: int, at: datetime) -> Iterator[LicenceFacts]:
        for rows in self.licences.values():
            row = _speaking(rows, at)
            if row is None or row.says["company"] != company:
                continue
            says = row.says
            listed = song.pk in says["listed"]
            yield LicenceFacts(
                ref="",
                number=0,
                holder=says["holder"],
                uses=frozenset(says["uses"]),
                covers={"all": True, "list": listed, "all_except": not listed}[says["catalogue"]],
                seq=0,
                began_at=row.begins or row.known_at,
                territories=frozenset(says["territories"]),
                ends_at=says["ends_at"],
                notice_days=says["notice_days"],
                models=frozenset(says["models"]),
                artist_approval=says["artist_approval"],
                clause="" if says["artist_approval"] else "§ 14.2",
                ended=says["ended"],
            )

    def _artist(self, key: int, use: str, song: Recording, tool: Tool, at: datetime) -> ArtistFacts:
        said = []
        for (artist, about, recording, company, its_tool, places), rows in self.answers.items():
            if artist != key or about != use or recording not in (None, song.pk):
                continue
            if company not in (None, tool.company_id) or its_tool not in (None, tool.pk):
                continue
            row = _speaking(rows, at)
            if row is None:
                continue
            said.append(
                Answer(
                    stance=row.says["stance"],
                    seq=0,
                    given_at=row.known_at,
                    way=row.says["way"],
                    on_recording=recording is not None,
                    maker="tool" if its_tool else "company" if company else "",
                    territories=frozenset(places),
                    valid_until=row.says["until"],
                    notice_days=row.says["notice_days"],
                    took_back_allow=row.says["took_back"],
                    text=row.says["text"],
                    by_guardian=row.says["role"] == "guardian",
                )
            )
        state = _speaking(self.minors.get(key, []), at)
        return ArtistFacts(
            key=key,
            kind="person",
            answers=tuple(said),
            suspended=self._is_suspended(key, at),
            is_minor=state is not None and state.says["is_minor"],
            has_guardian=state is not None and state.says["has_guardian"],
        )

    # Writing in it

    def act(self, choose: Choices) -> str:
        """One act of somebody, through the services, and a note of it. Returns what it was."""
        kinds = (
            *(self._answer,) * 8,
            *(self._answer_many,) * 2,
            *(self._clear,) * 2,
            *(self._undo,) * 2,
            self._revoke,
            *(self._sign,) * 2,
            *(self._supersede,) * 2,
            self._end_licence,
            *(self._claim,) * 2,
            self._nothing,
            self._tool,
            self._model,
            self._suspend,
            self._withdraw,
            self._publish,
            self._grow,
        )
        kind = choose.one_of(kinds)
        kind(choose)
        self.moment = now()
        return kind.__name__

    def _note(self, rows: list[Row], says: dict[str, Any], begins: datetime | None = None) -> None:
        rows.append(Row(says, now(), begins))

    def _slot(self, artist: Artist, use: str, scope: Scope, places: tuple[str, ...] = ()) -> Slot:
        recording, company, tool = scope.recording, scope.company, scope.tool
        return (
            artist.pk,
            use,
            recording.pk if recording else None,
            company.pk if company else None,
            tool.pk if tool else None,
            places,
        )

    def _held(self, slot: Slot) -> bool:
        """Does a yes hold in this slot right now?"""
        at = now()
        row = _speaking(self.answers.get(slot, []), at)
        over = row is not None and row.says["until"] is not None and row.says["until"] <= at
        return row is not None and self._is_yes(slot, row, at) and not over

    def _is_yes(self, slot: Slot, row: Row, at: datetime) -> bool:
        """A yes to a text that means what it meant."""
        text: int = row.says["text"]
        return row.says["stance"] == "allow" and text >= self._meant_since(slot[1], at)

    def _may_return(self, slot: Slot, row: Row, role: str) -> bool:
        """Would an undo in this role write that answer again?"""
        if row.says["stance"] != "allow":
            return True
        guarded = slot[1] == "voice" and self._is_minor(slot[0]) and role != "guardian"
        return self._is_yes(slot, row, now()) and not guarded

    def _is_minor(self, artist: int) -> bool:
        row = _speaking(self.minors.get(artist, []), now())
        return row is not None and row.says["is_minor"]

    def _role(self, artist: Artist, choose: Choices, use: str) -> str:
        """In which somebody answers; of a minor's voice, only the guardian."""
        role = choose.one_of(("artist", "guardian"))
        return "guardian" if use == "voice" and self._is_minor(artist.pk) else role

    def _hers(self, artist: Artist) -> list[Recording]:
        return [s for s in self.songs if artist.pk in sum(self.billing[s.pk], ())]

    def _scope(self, artist: Artist, choose: Choices) -> Scope:
        recording = choose.one_of((None, None, *self._hers(artist)))
        maker = choose.one_of((None, None, *self.companies, *self.tools))
        return Scope(
            recording=recording,
            company=maker if isinstance(maker, AICompany) else None,
            tool=maker if isinstance(maker, Tool) else None,
        )

    def _day(self, choose: Choices) -> datetime | None:
        found = choose.one_of((None, None, None, *LATER))
        return None if found is None else self.start + timedelta(days=found)

    def _answer(self, choose: Choices) -> None:
        artist = choose.one_of((self.maren, self.maren, self.aoi))
        use, stance = choose.one_of(USES), choose.one_of(("allow", "allow", "deny", "ask"))
        scope = choose.one_of((EVERYTHING, self._scope(artist, choose)))
        places = choose.one_of(((), (), (), ("NO",), ("DE", "NO")))
        begins, until = choose.one_of((None, self._day(choose))), self._day(choose)
        if use == "voice" and stance == "allow" and until is None:
            until = self.start + timedelta(days=9)
        if begins and until and until <= begins:
            begins = None
        role = self._role(artist, choose, use)
        slot = self._slot(artist, use, scope, places)
        took_back = stance != "allow" and self._held(slot)
        notice = choose.one_of((None, None, 0, 3))
        given = answer_permission(
            by=None,
            artist=artist,
            use=use,
            stance=stance,
            role=role,
            scope=scope,
            valid_from=begins,
            valid_until=until,
            territories=places,
            notice_days=notice,
        )
        if not given.changed:
            return
        self._note_answer(
            slot,
            given.permission,
            stance=stance,
            way="withdrawn" if took_back else "answered",
            begins=begins,
            until=until,
            notice_days=notice,
            took_back=took_back,
            role=role,
        )

    def _note_answer(
        self,
        slot: Slot,
        permission: Permission,
        *,
        stance: str,
        way: str,
        took_back: bool = False,
        begins: datetime | None = None,
        until: datetime | None = None,
        notice_days: int | None = None,
        text: int | None = None,
        role: str = "artist",
    ) -> None:
        rows = self.answers.setdefault(slot, [])
        texts = self.texts.get(slot[1], [])
        if took_back:  # the notice that was chosen with the yes
            before = _speaking(rows, now())
            notice_days = before.says["notice_days"] if before else None
        says = {
            "stance": stance,
            "way": way,
            "until": until,
            "notice_days": notice_days,
            "took_back": took_back,
            "text": text or (texts[-1].says["version"] if texts else 1),
            "role": role,
        }
        self._note(rows, says, begins)
        self.permissions.setdefault(slot, []).append(permission)
        if permission.act not in self.acts:
            self.acts.append(permission.act)

    def _answer_many(self, choose: Choices) -> None:
        artist = choose.one_of((self.maren, self.aoi))
        use, stance = choose.one_of(USES), choose.one_of(("deny", "allow", "undecided"))
        until = self.start + timedelta(days=5) if use == "voice" and stance == "allow" else None
        some = [s for s in self._hers(artist) if choose.one_of((True, False))]
        slots = {s.pk: self._slot(artist, use, Scope(recording=s)) for s in some}
        took_back = {pk: stance != "allow" and self._held(slot) for pk, slot in slots.items()}
        role = self._role(artist, choose, use)
        act = answer_recordings(
            by=None,
            artist=artist,
            use=use,
            stance=stance,
            role=role,
            recordings=list(slots),
            valid_until=until,
        )
        if act is None:
            return
        for permission in act.permissions.order_by("id"):
            assert permission.recording_id is not None
            took = took_back[permission.recording_id]
            self._note_answer(
                slots[permission.recording_id],
                permission,
                stance=stance,
                way="withdrawn" if took else "answered",
                took_back=took,
                until=until,
                role=role,
            )

    def _clear(self, choose: Choices) -> None:
        narrow = [slot for slot in self.answers if slot[2:] != (None, None, None, ())]
        if not narrow:
            return
        slot = choose.one_of(narrow)
        last = self.permissions[slot][-1]
        scope = Scope(last.recording, last.company, last.tool)
        given = clear_permission(
            by=None, artist=last.artist, use=slot[1], scope=scope, territories=slot[5]
        )
        if given is not None:
            self._note_answer(slot, given.permission, stance="undecided", way="cleared")

    def _undo(self, choose: Choices) -> None:
        if not self.acts:
            return
        act = choose.one_of(self.acts[::-1])
        mine = {
            slot: rows
            for slot, rows in self.permissions.items()
            if any(p.act_id == act.ref for p in rows)
        }
        role = choose.one_of(("artist", "guardian"))
        held = {slot: self._held(slot) for slot in mine}
        expected = {
            slot: self._stood_before(slot, act, role)
            for slot, rows in mine.items()
            if rows[-1].act_id == act.ref
        }
        try:
            undone = undo_act(by=None, act=act, role=role)
        except Refused:  # for the second time
            assert Act.objects.filter(undoes=act).exists()
            return
        assert len(undone.skipped) == len(mine) - len(expected)
        if undone.act is None:
            assert not expected
            return
        for permission in undone.act.permissions.select_related("act").order_by("id"):
            slot = next(s for s in expected if _is_slot_of(permission, s))
            row = expected[slot].pop(0)
            narrow = slot[2:] != (None, None, None, ())
            if row is None or row.says["way"] == "cleared":
                self._note_answer(
                    slot,
                    permission,
                    stance="undecided",
                    way="cleared" if narrow else "undone",
                    took_back=held[slot] and not narrow,
                )
                continue
            if not self._may_return(slot, row, role):
                self._note_answer(
                    slot, permission, stance="undecided", way="undone", took_back=held[slot]
                )
                continue
            later = row.begins if row.begins and row.begins > now() else None
            self._note_answer(
                slot,
                permission,
                stance=row.says["stance"],
                way="undone",
                took_back=held[slot] and row.says["stance"] != "allow" and later is None,
                begins=later,
                until=row.says["until"],
                notice_days=row.says["notice_days"],
                text=row.says["text"],
                role=role,
            )
        assert not any(expected.values())

    def _stood_before(self, slot: Slot, act: Act, role: str) -> list[Row | None]:
        """What was said in a slot before an act: what speaks, and what waits for its day."""
        at = now()
        rows = [
            row
            for row, permission in zip(self.answers[slot], self.permissions[slot], strict=True)
            if permission.act_id != act.ref
        ]
        speaks = _speaking(rows, at)
        after = rows[rows.index(speaks) + 1 :] if speaks else rows
        coming = [r for r in after if r.begins and r.begins > at]
        return [speaks, *(r for r in coming if self._may_return(slot, r, role))]

    def _revoke(self, choose: Choices) -> None:
        if not self.permissions:
            return
        slot = choose.one_of(list(self.permissions))
        last = self.permissions[slot][-1]
        row = revoke_permission(by=self.clerk, permission=last, reason="It was not her.")
        self._note_answer(slot, row, stance="undecided", way="revoked")

    def _terms(self, company: AICompany, choose: Choices) -> Terms:
        catalogue = choose.one_of(("all", "all", "list", "all_except"))
        overrides = choose.one_of((False, False, True))
        begins, ends = choose.one_of((None, None, self._day(choose))), self._day(choose)
        models = [m for m in self.models if m.tool.company_id == company.pk]
        return Terms(
            uses=("generative_training", "discovery") if overrides else USES,
            catalogue=catalogue,
            recordings=()
            if catalogue == "all"
            else [s for s in self.songs if choose.one_of((True, False))] or self.songs[:1],
            territories=choose.one_of(((), (), (), ("NO",))),
            starts_at=None if begins and ends and ends <= begins else begins,
            ends_at=ends,
            notice_days=choose.one_of((0, 4, 30)),
            model_versions=choose.one_of(((), (), (), models[:1])),
            artist_approval=not overrides,
            override_clause="§ 14.2" if overrides else "",
        )

    def _note_licence(self, licence: Licence, terms: Terms, *, ended: bool = False) -> None:
        says = {
            "holder": licence.holder_id,
            "company": licence.company_id,
            "uses": terms.uses,
            "catalogue": terms.catalogue,
            "listed": {r.pk for r in terms.recordings},
            "territories": terms.territories,
            "ends_at": terms.ends_at,
            "notice_days": terms.notice_days,
            "models": {m.pk for m in terms.model_versions},
            "artist_approval": terms.artist_approval,
            "ended": ended,
        }
        self._note(self.licences.setdefault(licence.pk, []), says, terms.starts_at)

    def _sign(self, choose: Choices) -> None:
        holder = choose.one_of((self.fjord, self.kanal, self.maren.party, self.aoi.party))
        company = choose.one_of(self.companies)
        self.sign(holder, company, self._terms(company, choose))

    def sign(self, holder: Party, company: AICompany, terms: Terms) -> None:
        if self._is_suspended(holder.pk, now()) or self._is_suspended(company.pk, now()):
            return
        version = sign_licence(
            by=None,
            holder=holder,
            company=company,
            title="frame",
            uses=terms.uses,
            catalogue=terms.catalogue,
            recordings=terms.recordings,
            territories=terms.territories,
            starts_at=terms.starts_at,
            ends_at=terms.ends_at,
            notice_days=terms.notice_days,
            model_versions=terms.model_versions,
            artist_approval=terms.artist_approval,
            override_clause=terms.override_clause,
        )
        self._note_licence(version.licence, terms)

    def _supersede(self, choose: Choices) -> None:
        licence = Licence.objects.get(pk=choose.one_of(list(self.licences)))
        if self._is_suspended(licence.holder_id, now()):
            return
        if self._is_suspended(licence.company_id, now()):
            return
        last = self.licences[licence.pk][-1]
        if last.says["ended"] and (last.begins is None or last.begins <= now()):
            return
        terms = self._terms(licence.company, choose)
        supersede_licence(by=None, licence=licence, terms=terms)
        self._note_licence(licence, terms)

    def _end_licence(self, choose: Choices) -> None:
        licence = Licence.objects.get(pk=choose.one_of(list(self.licences)))
        rows = self.licences[licence.pk]
        over = rows[-1].says["ended"] and (rows[-1].begins is None or rows[-1].begins <= now())
        end_licence(by=None, licence=licence)
        if not over:
            self._note(rows, {**rows[-1].says, "ended": True})

    def _claim(self, choose: Choices) -> None:
        if choose.one_of((False, True)) or not self.claims:
            self.claim(
                choose.one_of((self.fjord, self.kanal, self.maren.party)),
                choose.one_of((Right.MASTER, Right.LIKENESS, Right.PUBLISHING)),
                choose.one_of(("contract", "own", "blanket")),
                song=choose.one_of(self.songs),
                share_bp=choose.one_of((5_000, 10_000)),
            )
            return
        self.do_to_claim(choose.one_of(list(self.claims)), choose)

    def _nothing(self, choose: Choices) -> None:
        """Somebody says that none of a song is its own: what it claims of the song itself ends."""
        party = choose.one_of((self.fjord, self.kanal, self.maren.party))
        right = choose.one_of((Right.MASTER, Right.PUBLISHING))
        song = choose.one_of(self.songs)
        try:
            [row] = claim_nothing(by=None, party=party, right=right, recordings=[song])
        except Refused:  # it claims nothing there, or what it claims is disputed
            return
        for rows in self.claims.values():
            last = rows[-1].says
            whose = (last["party"], last["right"], last["on"])
            if whose == (party.pk, right, ("recording", song.pk)) and not last["ended"]:
                self._note(rows, {**last, "ended": True})
        self.note_claim(row)

    def do_to_claim(self, claim: uuid.UUID, choose: Choices) -> None:
        rows = self.claims[claim]
        if rows[-1].says["ended"]:
            return
        said = self._calendar(rows)[0][1]
        first_settled = said["disputed"] and not said["share_bp"]
        what = choose.one_of(("change", "dispute", "change", "settle", "change", "end"))
        match "settle" if first_settled else what:
            case "end":
                end_claim(by=None, claim=claim)
                self._note(rows, {**rows[-1].says, "ended": True})
            case "dispute":
                dispute_claim(by=None, claim=claim)
                self._from_now_on(rows, {"disputed": True})
            case "settle":
                settle_claim(by=None, claim=claim)
                self._from_now_on(rows, {"disputed": False})
            case _:
                self._change_claim(claim, rows, choose)

    def _change_claim(self, claim: uuid.UUID, rows: list[Row], choose: Choices) -> None:
        share_bp, day = choose.one_of((5_000, 10_000)), choose.one_of((None, *LATER))
        begins = None if day is None else self.start + timedelta(days=day)
        until = None if begins else self._day(choose)
        over = self._calendar(rows)[-1][1]["valid_until"]
        if begins and over and over <= begins:
            return
        authority = choose.one_of((None, "contract", "blanket", "own"))
        change_claim(
            by=None,
            claim=claim,
            share_bp=share_bp,
            authority=authority,
            valid_until=until,
            valid_from=begins,
        )
        terms: dict[str, Any] = {"share_bp": share_bp}
        terms |= {"valid_until": until} if until else {}
        self._from(begins, rows, terms | ({"authority": authority} if authority else {}))

    def _from_now_on(self, rows: list[Row], fact: dict[str, Any]) -> None:
        """Said of the claim as it is and as it will be."""
        for begins, says in self._calendar(rows):
            self._note(rows, {**says, **fact}, begins)

    def _from(self, day: datetime | None, rows: list[Row], terms: dict[str, Any]) -> None:
        """Each term holds from that day until another value was given for a later one."""
        calendar = self._calendar(rows)
        first = max(n for n, (b, _says) in enumerate(calendar) if b is None or (day and b <= day))
        if day is not None and calendar[first][0] != day:
            calendar.insert(first + 1, (day, dict(calendar[first][1])))
            first += 1
        for name, value in terms.items():
            replaced = calendar[first][1][name]
            for _begins, says in calendar[first:]:
                if says[name] != replaced:
                    break
                says[name] = value
        for begins, says in calendar[first:]:
            is_over = begins and says["valid_until"] and says["valid_until"] <= begins
            if not is_over:  # what would begin after the end never comes
                self._note(rows, says, begins)

    def _calendar(self, rows: list[Row]) -> list[tuple[datetime | None, dict[str, Any]]]:
        """What a claim says now, and on each day that is still to come on which that changes."""
        at = now()
        days = sorted({r.begins for r in rows if r.begins and r.begins > at})
        found: list[tuple[datetime | None, dict[str, Any]]] = []
        for day in (None, *days):
            row = _speaking([replace(r, known_at=self.start) for r in rows], day or at)
            assert row is not None  # a claim of the book begins at once
            found.append((day, dict(row.says)))
        return found

    def claim(
        self,
        party: Party,
        right: Right,
        authority: str,
        *,
        song: Recording | None = None,
        share_bp: int = 10_000,
        repertoire: Artist | None = None,
    ) -> None:
        if right == Right.LIKENESS:
            repertoire = repertoire or self.maren
        on: dict[str, Any] = {"recording": song} if repertoire is None else {}
        try:
            row = make_claim(
                by=None,
                party=party,
                right=right,
                authority=authority,
                share_bp=share_bp,
                repertoire=repertoire,
                **on,
            )
        except Refused:  # the very same claim is there already
            return
        self.note_claim(row)

    def note_claim(self, row: RightsClaim) -> None:
        on = next(
            (kind, key)
            for kind, key in (
                ("recording", row.recording_id),
                ("work", row.work_id),
                ("repertoire", row.repertoire_id),
            )
            if key is not None
        )
        says = {
            "party": row.party_id,
            "right": str(row.right),
            "share_bp": row.share_bp,
            "authority": str(row.authority),
            "on": on,
            "territories": tuple(row.territories),
            "valid_until": row.valid_until,
            "disputed": row.standing == "disputed",
            "ended": False,
        }
        self._note(self.claims.setdefault(row.claim, []), says)

    def _tool(self, choose: Choices) -> None:
        tool = choose.one_of(self.tools)
        rows = self.tool_states[tool.pk]
        suspended = not rows[-1].says["suspended"]
        (suspend_tool if suspended else resume_tool)(by=None, tool=tool)
        self._note(rows, {"suspended": suspended})

    def _model(self, choose: Choices) -> None:
        tool = choose.one_of(self.tools)
        if choose.one_of((False, False, True)) and self._of(tool):
            model = self._of(tool)[-1]
            retire_model_version(by=None, model_version=model)
            self._note(self.model_states[model.pk], {"retired": True})
        elif not self._is_suspended(tool.company_id, now()):
            self.register(a_model(tool, f"v{len(self.models)}"))

    def register(self, model: ModelVersion) -> None:
        self.models.append(model)
        self._note(self.model_states.setdefault(model.pk, []), {"retired": False})

    def _suspend(self, choose: Choices) -> None:
        parties = (self.companies[1].party, self.kanal, self.aoi.party, self.fjord)
        party = choose.one_of(parties)
        rows = self.suspended.setdefault(party.pk, [])
        suspended = not (rows and rows[-1].says["suspended"])
        change_party_state(by=None, party=party, suspended=suspended)
        self._note(rows, {"suspended": suspended})

    def _withdraw(self, choose: Choices) -> None:
        song = choose.one_of(self.songs)
        rows = self.withdrawn.setdefault(song.pk, [])
        withdrawn = not (rows and rows[-1].says["withdrawn"])
        change_identity(by=None, recording=song, withdrawn=withdrawn)
        self._note(rows, {"withdrawn": withdrawn})

    def _grow(self, choose: Choices) -> None:
        artist = choose.one_of((self.maren, self.aoi))
        minor, guarded = choose.one_of(((True, True), (False, False), (True, False)))
        change_party_state(
            by=None,
            party=artist.party,
            is_minor=minor,
            guardian=self.kari if guarded else None,
            no_guardian=not guarded,
        )
        rows = self.minors.setdefault(artist.pk, [])
        self._note(rows, {"is_minor": minor, "has_guardian": guarded})

    def _publish(self, choose: Choices) -> None:
        use = choose.one_of(USES)
        rows = self.texts.setdefault(use, [])
        same = choose.one_of((False, True)) and bool(rows)
        language = f"x-{len(rows)}" if same else "en"  # the same text, where there is none yet
        wording = publish_wording(
            by=None, use=use, language=language, text=f"Text {len(rows)}.", means_the_same=same
        )
        version = (rows[-1].says["version"] if rows else 0) + (not same)
        assert wording.version == version
        self._note(rows, {"version": version, "same": same})

    # Asking

    def ask(self, choose: Choices, at: datetime | None = None) -> Ask:
        tool = choose.one_of(self.tools)
        models = [None, None, *(m.ref for m in self._of(tool))]
        return Ask(
            isrc=choose.one_of(self.songs).isrc,
            use=choose.one_of(USES),
            tool=tool.slug,
            territory=choose.one_of((None, "NO", "JP")),
            at=at,
            model=choose.one_of(models),
        )


def _speaking(rows: list[Row], at: datetime) -> Row | None:
    """The newest of those that were known, and had begun."""
    known = [r for r in rows if r.known_at <= at and (r.begins is None or r.begins <= at)]
    return known[-1] if known else None


def _is_slot_of(p: Permission, slot: Slot) -> bool:
    return (
        p.artist_id,
        p.use,
        p.recording_id,
        p.company_id,
        p.tool_id,
        tuple(p.territories),
    ) == slot


def a_book() -> Book:
    """Maren and Aoi, a duet, a song with a guest, a label, a publisher, two companies."""
    start = now()
    maren, aoi = an_artist(), an_artist("Aoi Tanaka")
    fjord, kanal = a_label(), a_label("Kanal Forlag")
    companies = [a_company("tonewright"), a_company("oceanic")]
    tools = [
        a_tool(companies[0], "composer"),
        a_tool(companies[0], "remixer"),
        a_tool(companies[1], "tidesmith"),
    ]
    groups = [
        some_recordings(3, maren, holder=fjord, publisher=kanal),
        some_recordings(1, maren, aoi, holder=fjord, publisher=kanal),
        some_recordings(1, maren, featured=[aoi], holder=fjord, publisher=kanal),
        some_recordings(1, aoi, featured=[maren], holder=kanal, publisher=kanal),
    ]
    songs = [s for group in groups for s in group]
    made = list(RightsClaim.objects.order_by("id"))
    published = [c.work_id for c in made if c.work_id is not None]
    m, a = maren.pk, aoi.pk
    billing = [((m,), ())] * 3 + [((m, a), ()), ((m,), (a,)), ((a,), (m,))]
    book = Book(
        start=start,
        maren=maren,
        aoi=aoi,
        fjord=fjord,
        kanal=kanal,
        companies=companies,
        tools=tools,
        models=[],
        songs=songs,
        works={
            song.pk: (work,)
            for group, work in zip(groups, published, strict=True)
            for song in group
        },
        billing={song.pk: who for song, who in zip(songs, billing, strict=True)},
        clerk=User.objects.create_user(email="clerk@fjord.test", password=None),
        kari=register_party(by=None, kind=PartyKind.PERSON, name="Kari Holt"),
    )
    for row in made:
        book.note_claim(row)
    for tool in tools:
        book._note(book.tool_states.setdefault(tool.pk, []), {"suspended": False})
        book.register(a_model(tool))
    for holder in (fjord, kanal, maren.party, aoi.party):
        book.sign(holder, companies[0], Terms(uses=USES, notice_days=4))
    book.sign(fjord, companies[1], Terms(uses=USES, notice_days=4))
    book.sign(kanal, companies[1], Terms(uses=USES, notice_days=30))
    for artist in (maren, aoi):
        for use in USES:
            until = start + timedelta(days=9) if use == "voice" else None
            slot = book._slot(artist, use, EVERYTHING)
            given = answer_permission(
                by=None, artist=artist, use=use, stance="allow", valid_until=until
            )
            book._note_answer(slot, given.permission, stance="allow", way="answered", until=until)
    book.moment = now()
    return book
