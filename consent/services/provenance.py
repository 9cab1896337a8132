"""What AI did, as its makers report it: training runs, and outputs with what they drew on.

A report is a fact even when the use was not allowed: it is written down with the decision that
held at the time of the use, as it is known when the report comes in. Reporting twice is harmless.
"""

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from consent.clock import now
from consent.decisions import Code
from consent.errors import NotFound, Refused
from consent.identifiers import IdentifierError, normalise_isrc
from consent.leaves import moment
from consent.models import (
    AICompany,
    Attribution,
    ModelVersion,
    Output,
    Recording,
    TrainingRun,
    TrainingUse,
)
from consent.queries.decision import Answered, Ask, decide_many
from consent.services.acts import open_act, ref_of, take_turn
from consent.services.ledger import Leaf, record
from consent.words import TRAINING_KINDS, Right, UseKind

if TYPE_CHECKING:
    from portal.models import User

MAX_ITEMS: Final = 1_000
MAX_OUTPUTS: Final = 100
WHOLE_BP: Final = 10_000

# A voice model is made from recordings too; the other kinds are uses of a finished model.
TRAINED_USES: Final = TRAINING_KINDS | {UseKind.VOICE}


class Standing(StrEnum):
    """What became of one recording in a report."""

    ALLOWED = "allowed"
    NOT_ALLOWED = "not_allowed"
    UNKNOWN = "unknown"  # well-formed, but no recording here has it
    MALFORMED = "malformed"  # not an ISRC


@dataclass(frozen=True, slots=True)
class ItemVerdict:
    """One line of a report, as it was sent. `reason` is a code; `seq` the decision's position."""

    isrc: str
    standing: Standing
    reason: str
    seq: int | None = None


@dataclass(frozen=True, slots=True)
class TrainingReport:
    """The outcome of a reported run; `replayed` when the same report had come before."""

    run: TrainingRun
    items: tuple[ItemVerdict, ...]
    replayed: bool


@transaction.atomic
def report_training_run(
    *,
    by: "User | None" = None,
    company: AICompany,
    client_ref: str,
    model_version: ModelVersion,
    use: UseKind | str,
    trained_at: datetime,
    isrcs: Sequence[str],
) -> TrainingReport:
    """Write down which recordings taught `model_version`, and whether each was allowed to.

    `client_ref` is the company's own name for the run: the same report under it returns the same
    outcome, another one is refused. At most 1 000 ISRCs; report a larger run in parts, each with a
    name of its own. `trained_at` is UTC and not in the future. What is no ISRC, or unknown here, is
    said per item; the unknown are kept in the ledger entry. One recording twice counts once.

    Raises `Refused`: `client_ref`, `unknown_use`, `not_a_training_use`, `in_the_future`,
    `too_many_items`, `no_items`, `run_differs`; `NotFound` (`unknown_model_version`) when the model
    version is not this company's.
    """
    at = now()
    _check_report(company, client_ref, model_version, use, trained_at, at)
    if use not in TRAINED_USES:
        raise Refused(
            "not_a_training_use",
            _("A model is trained for generation, for analysis, or for a voice."),
            field="use",
        )
    if not isrcs:
        raise Refused("no_items", _("Name at least one recording."), field="isrcs")
    if len(isrcs) > MAX_ITEMS:
        raise Refused(
            "too_many_items",
            _("At most %(most)d recordings in one report. Send the run in parts."),
            field="isrcs",
            params={"most": MAX_ITEMS},
        )
    sent = {text: _stored(text) for text in isrcs}
    digest = manifest_digest(stored or text for text, stored in sent.items())
    take_turn("training_run", company.pk, client_ref)
    found = TrainingRun.objects.filter(company=company, client_ref=client_ref).first()
    if found is not None:
        said = (found.model_version_id, found.use, found.trained_at, found.manifest_digest)
        if said != (model_version.pk, str(use), trained_at, digest):
            raise Refused(
                "run_differs",
                _("Another training run was reported under this name."),
                field="client_ref",
            )
        return TrainingReport(found, _told(found, sent), replayed=True)

    known = _recordings(stored for stored in sent.values() if stored)
    answered = _decide(sorted(known), use, model_version, trained_at)
    leaf = Leaf(
        "training.reported",
        training_body(
            by,
            company=company,
            client_ref=client_ref,
            model_version=model_version,
            use=str(use),
            trained_at=trained_at,
            digest=digest,
            allowed=[isrc for isrc, (yes, *_rest) in answered.items() if yes],
            not_allowed=[isrc for isrc, (yes, *_rest) in answered.items() if not yes],
            unknown=[s for s in sent.values() if s and s not in known],
            malformed=sum(1 for s in sent.values() if not s),
        ),
    )
    run = TrainingRun.objects.create(
        company=company,
        client_ref=client_ref,
        model_version=model_version,
        use=str(use),
        trained_at=trained_at,
        manifest_digest=digest,
        entry_id=leaf.id,
        reported_at=at,
    )
    TrainingUse.objects.bulk_create(
        TrainingUse(
            run=run,
            model_version=model_version,
            recording_id=known[isrc],
            allowed=allowed,
            reason=reason,
            known_seq=seq,
        )
        for isrc, (allowed, reason, seq) in answered.items()
    )
    act = open_act(
        by=by,
        kind="report_training_run",
        at=at,
        entries=1,
        summary={"run": str(run.ref), "company": str(company.party.ref)},
    )
    record(act.ref, [leaf])
    return TrainingReport(run, _told(run, sent), replayed=False)


def training_body(
    by: "User | None",
    *,
    company: AICompany,
    client_ref: str,
    model_version: ModelVersion,
    use: str,
    trained_at: datetime,
    digest: str,
    allowed: Collection[str],
    not_allowed: Collection[str],
    unknown: Collection[str],
    malformed: int,
) -> dict[str, Any]:
    """The body of `training.reported`: all that was reported, and what was found of each ISRC."""
    return {
        "by": ref_of(by),
        "company": str(company.party.ref),
        # The company's own name for the run may say anything: its hash stands for it.
        "client_ref": hashlib.sha256(client_ref.encode()).hexdigest(),
        "model_version": str(model_version.ref),
        "use": use,
        "trained_at": moment(trained_at),
        "manifest": digest,
        "allowed": sorted(allowed),
        "not_allowed": sorted(not_allowed),
        "unknown": sorted(set(unknown)),
        "malformed": malformed,
    }


def manifest_digest(isrcs: Any) -> str:
    """SHA-256, hexadecimal, over the sorted ISRCs, each once and each followed by a line feed."""
    text = "".join(f"{isrc}\n" for isrc in sorted(set(isrcs)))
    return hashlib.sha256(text.encode()).hexdigest()


# Outputs


@dataclass(frozen=True, slots=True)
class Part:
    """How much an output drew on a recording: an estimate in basis points of one right."""

    isrc: str
    right: Right | str
    influence_bp: int
    method: str
    confidence_bp: int | None = None


@dataclass(frozen=True, slots=True)
class OutputToReport:
    """One output. `client_ref` is the company's own name for it; `made_at` is UTC."""

    client_ref: str
    model_version: ModelVersion
    use: UseKind | str
    made_at: datetime
    parts: Sequence[Part]
    title: str = ""


@dataclass(frozen=True, slots=True)
class OutputReport:
    """The outcome of one reported output: written (or there before), or refused with a reason."""

    client_ref: str
    output: Output | None
    items: tuple[ItemVerdict, ...] = ()
    replayed: bool = False
    refused: Refused | None = None


def report_output(
    *,
    by: "User | None" = None,
    company: AICompany,
    client_ref: str,
    model_version: ModelVersion,
    use: UseKind | str,
    made_at: datetime,
    attributions: Sequence[Part],
    title: str = "",
) -> OutputReport:
    """Write down one output and what it drew on, with whether that was allowed.

    The parts of each right sum to 10 000 basis points. The same report under the same
    `client_ref` returns the same outcome. Raises `Refused`: `client_ref`, `unknown_use`,
    `in_the_future`, `no_items`, `too_many_items`, `unknown_right`, `unknown_recording`, `isrc`,
    `attributed_twice`, `influence`, `confidence`, `method`, `attributions_are_whole`,
    `output_differs`; `NotFound` (`unknown_model_version`).
    """
    report = report_outputs(
        by=by,
        company=company,
        outputs=[OutputToReport(client_ref, model_version, use, made_at, attributions, title)],
    )[0]
    if report.refused is not None:
        raise report.refused
    return report


@transaction.atomic
def report_outputs(
    *, by: "User | None" = None, company: AICompany, outputs: Sequence[OutputToReport]
) -> list[OutputReport]:
    """Write down up to 100 outputs at once; one that is refused stops no other.

    The reports come back in the order of `outputs`; the codes are those of `report_output`.
    Raises `Refused` (`too_many_items`) for the whole.
    """
    if len(outputs) > MAX_OUTPUTS:
        raise Refused(
            "too_many_items",
            _("At most %(most)d outputs at once."),
            field="outputs",
            params={"most": MAX_OUTPUTS},
        )
    at = now()
    take_turn("outputs", company.pk)
    known = _recordings(
        stored for o in outputs for p in o.parts[:MAX_ITEMS] if (stored := _stored(p.isrc))
    )
    there = _reported(company, [o.client_ref for o in outputs])
    outcome: dict[int, OutputReport] = {}
    fresh: dict[str, tuple[int, OutputToReport]] = {}
    for i, sent in enumerate(outputs):
        try:
            parts = _checked(company, sent, known, at)
            if sent.client_ref in there:
                outcome[i] = _replay(sent, parts, there[sent.client_ref])
            elif sent.client_ref in fresh:
                raise _differs()
            else:
                fresh[sent.client_ref] = (i, sent)
        except Refused as refused:
            outcome[i] = OutputReport(sent.client_ref, None, refused=refused)
    outcome |= _write_outputs(company, dict(fresh.values()), known, at)
    return [outcome[i] for i in range(len(outputs))]


def _write_outputs(
    company: AICompany, fresh: Mapping[int, OutputToReport], known: Mapping[str, int], at: datetime
) -> dict[int, OutputReport]:
    asks: dict[tuple[int, str], Ask] = {}
    for i, sent in fresh.items():
        tool = sent.model_version.tool.slug
        for isrc in {_stored(p.isrc) for p in sent.parts}:
            asks[i, isrc] = Ask(
                isrc, str(sent.use), tool, at=sent.made_at, model=sent.model_version.ref
            )
    verdicts = dict(zip(asks, _verdicts(decide_many(list(asks.values()))), strict=True))
    rows = {
        i: Output(
            company=company,
            client_ref=sent.client_ref,
            model_version=sent.model_version,
            use=str(sent.use),
            title=sent.title[:300],
            made_at=sent.made_at,
            reported_at=at,
        )
        for i, sent in fresh.items()
    }
    Output.objects.bulk_create(rows.values())
    attributions = {
        i: [
            _attribution(rows[i], part, known[_stored(part.isrc)], verdicts[i, _stored(part.isrc)])
            for part in sent.parts
        ]
        for i, sent in fresh.items()
    }
    Attribution.objects.bulk_create(
        [a for many in attributions.values() for a in many], batch_size=2_000
    )
    isrcs = {pk: isrc for isrc, pk in known.items()}
    return {
        i: OutputReport(rows[i].client_ref, rows[i], _items(attributions[i], isrcs)) for i in fresh
    }


def _attribution(
    output: Output, part: Part, recording: int, verdict: tuple[bool, str, int]
) -> Attribution:
    allowed, reason, seq = verdict
    return Attribution(
        output=output,
        recording_id=recording,
        right=str(part.right),
        influence_bp=part.influence_bp,
        method=part.method,
        confidence_bp=part.confidence_bp,
        allowed=allowed,
        reason=reason,
        known_seq=seq,
    )


def _items(
    attributions: Sequence[Attribution], isrcs: Mapping[int, str]
) -> tuple[ItemVerdict, ...]:
    """One verdict per recording, in the order in which they were first named."""
    found: dict[int, Attribution] = {}
    for attribution in attributions:
        found.setdefault(attribution.recording_id, attribution)
    return tuple(
        _verdict(isrcs[a.recording_id], a.allowed, a.reason, a.known_seq) for a in found.values()
    )


def _checked(
    company: AICompany, sent: OutputToReport, known: Mapping[str, int], at: datetime
) -> frozenset[tuple[int, str, int, str, int | None]]:
    """The parts in stored form. Raises `Refused` for the first thing that is wrong."""
    _check_report(company, sent.client_ref, sent.model_version, sent.use, sent.made_at, at)
    if not sent.parts:
        raise Refused("no_items", _("Say what the output drew on."), field="attributions")
    if len(sent.parts) > MAX_ITEMS:
        raise Refused(
            "too_many_items",
            _("At most %(most)d attributions to one output."),
            field="attributions",
            params={"most": MAX_ITEMS},
        )
    seen: set[tuple[int, str]] = set()
    sums: dict[str, int] = {}
    for number, part in enumerate(sent.parts):
        recording = _known_recording(part, known, number)
        right = str(part.right)
        if right not in Right.values:
            sentence = _("“%(value)s” is not a right.")
            raise _wrong("unknown_right", sentence, right, number, "right")
        if (recording, right) in seen:
            sentence = _("%(value)s is attributed twice for one right.")
            raise _wrong("attributed_twice", sentence, part.isrc, number, "isrc")
        if not 1 <= part.influence_bp <= WHOLE_BP:
            sentence = _("An influence is between 1 and 10000 basis points, not %(value)s.")
            value = str(part.influence_bp)
            raise _wrong("influence", sentence, value, number, "influence_bp")
        if part.confidence_bp is not None and not 0 <= part.confidence_bp <= WHOLE_BP:
            sentence = _("A confidence is between 0 and 10000 basis points, not %(value)s.")
            value = str(part.confidence_bp)
            raise _wrong("confidence", sentence, value, number, "confidence_bp")
        if not 0 < len(part.method) <= 60:
            sentence = _("Name the method and its version, in 60 characters.")
            raise _wrong("method", sentence, "", number, "method")
        seen.add((recording, right))
        sums[right] = sums.get(right, 0) + part.influence_bp
    for right, total in sums.items():
        if total != WHOLE_BP:
            raise Refused(
                "attributions_are_whole",
                _("The influences of the right “%(right)s” sum to %(total)d, not to 10000."),
                field="attributions",
                params={"right": right, "total": total},
            )
    return frozenset(
        (known[_stored(p.isrc)], str(p.right), p.influence_bp, p.method, p.confidence_bp)
        for p in sent.parts
    )


def _known_recording(part: Part, known: Mapping[str, int], number: int) -> int:
    stored = _stored(part.isrc)
    if not stored:
        raise _wrong("isrc", _("“%(value)s” is not an ISRC."), part.isrc, number, "isrc")
    if stored not in known:
        sentence = _(
            "There is no recording with the ISRC %(value)s here; without it the parts of the"
            " output would not add up."
        )
        raise _wrong("unknown_recording", sentence, stored, number, "isrc")
    return known[stored]


def _wrong(code: str, sentence: Any, value: str, number: int, name: str) -> Refused:
    """One member of one part, counted from 0, that cannot be taken."""
    return Refused(
        code, sentence, field=f"attributions/{number}/{name}", params={"value": value[:40]}
    )


def _differs() -> Refused:
    return Refused(
        "output_differs", _("Another output was reported under this name."), field="client_ref"
    )


def _reported(
    company: AICompany, client_refs: Collection[str]
) -> dict[str, tuple[Output, list[Attribution]]]:
    outputs = list(Output.objects.filter(company=company, client_ref__in=client_refs))
    parts: dict[int, list[Attribution]] = {}
    for a in (
        Attribution.objects.filter(output__in=outputs).select_related("recording").order_by("id")
    ):
        parts.setdefault(a.output_id, []).append(a)
    return {o.client_ref: (o, parts.get(o.pk, [])) for o in outputs}


def _replay(
    sent: OutputToReport,
    parts: frozenset[tuple[int, str, int, str, int | None]],
    there: tuple[Output, list[Attribution]],
) -> OutputReport:
    output, attributions = there
    said = (output.model_version_id, output.use, output.made_at, output.title)
    same = said == (sent.model_version.pk, str(sent.use), sent.made_at, sent.title[:300])
    if not same or parts != {
        (a.recording_id, a.right, a.influence_bp, a.method, a.confidence_bp) for a in attributions
    }:
        raise _differs()
    isrcs = {a.recording_id: a.recording.isrc for a in attributions}
    return OutputReport(sent.client_ref, output, _items(attributions, isrcs), replayed=True)


# What both have in common


def _check_report(
    company: AICompany,
    client_ref: str,
    model_version: ModelVersion,
    use: UseKind | str,
    used_at: datetime,
    at: datetime,
) -> None:
    if not 0 < len(client_ref) <= 100:
        raise Refused(
            "client_ref", _("Name the report, in at most 100 characters."), field="client_ref"
        )
    if use not in UseKind.values:
        raise Refused(
            "unknown_use",
            _("“%(use)s” is not a use kind."),
            field="use",
            params={"use": str(use)[:40]},
        )
    if model_version.tool.company_id != company.pk:
        raise NotFound(
            "unknown_model_version",
            _("There is no such model version of yours. Register it first."),
            field="model_version",
        )
    if used_at > at:
        raise Refused(
            "in_the_future", _("A use that is still to come cannot be reported."), field="used_at"
        )


def _decide(
    isrcs: Sequence[str], use: UseKind | str, model_version: ModelVersion, at: datetime
) -> dict[str, tuple[bool, str, int]]:
    tool, model = model_version.tool.slug, model_version.ref
    answered = decide_many([Ask(isrc, str(use), tool, at=at, model=model) for isrc in isrcs])
    verdicts = dict(zip(isrcs, _verdicts(answered), strict=True))
    # What runs off after a withdrawal are outputs. A model learns nothing more from that day on.
    for isrc, decision in zip(isrcs, answered.decisions, strict=True):
        if any(r.code is Code.RUNS_OFF for r in decision.reasons):
            verdicts[isrc] = (False, str(Code.ARTIST_WITHDREW), answered.seq)
    return verdicts


def _verdicts(answered: Answered) -> list[tuple[bool, str, int]]:
    return [(d.allowed, str(d.deciding.code), answered.seq) for d in answered.decisions]


def _stored(text: str) -> str:
    """The stored form of an ISRC, or nothing for what is none."""
    try:
        return normalise_isrc(text)
    except IdentifierError:
        return ""


def _recordings(isrcs: Any) -> dict[str, int]:
    return dict(Recording.objects.filter(isrc__in=set(isrcs)).values_list("isrc", "pk"))


def _verdict(isrc: str, allowed: bool, reason: str, seq: int) -> ItemVerdict:
    return ItemVerdict(isrc, Standing.ALLOWED if allowed else Standing.NOT_ALLOWED, reason, seq)


def _told(run: TrainingRun, sent: Mapping[str, str]) -> tuple[ItemVerdict, ...]:
    """What is known of each line of a report: written down at the first time, the same again."""
    uses = {
        u.recording.isrc: u for u in TrainingUse.objects.filter(run=run).select_related("recording")
    }
    items = []
    for text, stored in sent.items():
        use = uses.get(stored)
        if use is not None:
            items.append(_verdict(text, use.allowed, use.reason, use.known_seq))
        elif stored:
            items.append(ItemVerdict(text, Standing.UNKNOWN, str(Code.UNKNOWN_RECORDING)))
        else:
            items.append(ItemVerdict(text, Standing.MALFORMED, "isrc"))
    return tuple(items)
