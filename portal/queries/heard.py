"""The recordings on which somebody is heard and not billed, and what holds for her voice there."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from consent.models import Party, Recording, Tool
from consent.queries.catalogue import RecordingPage, RecordingRow
from consent.queries.decision import Ask, Loaded, load
from consent.queries.effective import steps_of
from consent.queries.voices import OF_A_VOICE, heard_page, tools_licensed_on
from consent.words import UseKind
from portal.queries.permissions import decided, over_tools
from portal.queries.recordings import OwnAnswer, own_answers
from portal.queries.rows import Effect, Reader, ToolLine

USE = UseKind.VOICE


@dataclass(frozen=True, slots=True)
class HeardRow:
    """A recording of others, with who is billed on it, and what holds for her voice there."""

    row: RecordingRow
    by: Sequence[Party]
    effect: Effect
    answers: Sequence[OwnAnswer]


@dataclass(frozen=True, slots=True)
class HeardPart:
    """The part of a page that lists them; `page.total` is 0 where there is none."""

    page: RecordingPage
    rows: Sequence[HeardRow] = ()


def heard_part(reader: Reader, *, search: str = "", after: str = "") -> HeardPart:
    """One page of them. At most six queries, one where there is none."""
    page = heard_page(reader.artist, search=search, after=after)
    recordings = [row.recording for row in page.rows]
    if not recordings:
        return HeardPart(page)
    keys = [one.pk for one in recordings]
    tools = tools_licensed_on(keys, use=USE)
    loaded = load([Ask(one.isrc, USE, tool) for one in recordings for tool in _slugs(tools)])
    own = own_answers(reader.artist, keys, at=loaded.at, uses=OF_A_VOICE)
    identities = {one.pk: loaded.facts(Ask(one.isrc, USE, "")).recording for one in recordings}
    billed = {k: i.main_artists + i.featured_artists for k, i in identities.items() if i}
    named = {key for keys in billed.values() for key in keys} | loaded.claiming("master")
    named |= {key for one in identities.values() if one for key in one.voices}
    parties = Party.objects.in_bulk(sorted(named))
    effects = _effects(reader, loaded, recordings, tools, parties)
    return HeardPart(
        page,
        [
            HeardRow(
                row,
                [parties[key] for key in billed[row.recording.pk]],
                effect,
                own.get(row.recording.pk, ()),
            )
            for row, effect in zip(page.rows, effects, strict=True)
        ],
    )


def _slugs(tools: Sequence[Tool]) -> list[str]:
    """The tools to ask about; where there is none, what is known of the recordings alone."""
    return [tool.slug for tool in tools] or [""]


def _effects(
    reader: Reader,
    loaded: Loaded,
    recordings: Sequence[Recording],
    tools: Sequence[Tool],
    parties: Mapping[int, Party],
) -> list[Effect]:
    """What holds for her voice on each, over all tools that are licensed for voices.

    Recordings that every decision treats alike are decided once.
    """
    alike = [(one.profile_id or -one.pk, *_named(loaded, one, tools)) for one in recordings]
    examples = dict(zip(alike, recordings, strict=True))
    decisions = [
        loaded.decide(Ask(one.isrc, USE, tool.slug)) for one in examples.values() for tool in tools
    ]
    known = {key: party.name for key, party in parties.items()}
    steps = steps_of(
        decisions, artist=reader.artist, billed=False, known=known, to_herself=reader.is_own
    )
    lines = []
    for i, (decision, why) in enumerate(zip(decisions, steps, strict=True)):
        effect, tool = decided(decision, why), tools[i % len(tools)]
        lines.append(ToolLine(tool, effect.state, effect.sentence, url="", why_url=""))
    found = {
        key: over_tools(lines[i * len(tools) : (i + 1) * len(tools)])
        for i, key in enumerate(examples)
    }
    return [found[key] for key in alike]


def _named(loaded: Loaded, recording: Recording, tools: Sequence[Tool]) -> tuple[object, ...]:
    """What answers and licences say of this recording by name."""
    isrc = recording.isrc
    listed = [loaded.listed_by(isrc, USE, key) for key in {tool.company_id for tool in tools}]
    return loaded.said_of(isrc, USE), tuple(listed)
