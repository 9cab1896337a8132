"""What AI did, reported: training runs, outputs with what they drew on, usage events."""

from collections.abc import Sequence
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request

from consent.discretion import public_code
from consent.services.provenance import (
    ItemVerdict,
    Part,
    Standing,
    report_output,
    report_training_run,
)
from portal.api import shapes
from portal.api.lookup import model_version_of
from portal.api.usage import read_usage
from portal.api.views.base import MachineView, called, read, writes
from portal.roles import ApiScope
from portal.services.idempotency import Answer
from royalties.services.usage import record_usage

OUTCOMES = ("recorded", "repeated", "conflict", "refused")


class TrainingRunsView(MachineView):
    """Which recordings taught a model version."""

    scopes = {"POST": ApiScope.REPORT}

    @extend_schema(
        operation_id="report_training_run",
        summary="Report a training run",
        description=(
            "At most 1 000 recordings; a larger run in parts, each with a name of its own. Each "
            "recording is judged as of `trained_at`; what was not allowed is written down all the "
            "same, and says so. Unknown and malformed ISRCs are said one by one and stop nothing."
        ),
        request=shapes.NewTrainingRun,
        responses={201: shapes.TrainingRunShape, **shapes.problems(404, 409, 422)},
        tags=["Reporting"],
    )
    @writes
    def post(self, request: Request) -> Answer:
        """Write the run down, once."""
        new = read(shapes.NewTrainingRun, request.data)
        company = self.caller.company
        with called(client_ref="run", used_at="trained_at"):
            report = report_training_run(
                company=company,
                client_ref=new["run"],
                model_version=model_version_of(company, new["model_version"]),
                use=new["use"],
                trained_at=new["trained_at"],
                isrcs=new["isrcs"],
            )
        return Answer(
            201,
            {
                "run": report.run.client_ref,
                "ref": str(report.run.ref),
                "manifest": report.run.manifest_digest,
                "replayed": report.replayed,
                "items": _verdicts(report.items),
            },
        )


class OutputsView(MachineView):
    """What a tool made, and what it drew on."""

    scopes = {"POST": ApiScope.REPORT}

    @extend_schema(
        operation_id="report_output",
        summary="Report an output with its attributions",
        description="The influences of each right sum to 10 000 basis points.",
        request=shapes.NewOutput,
        responses={201: shapes.OutputShape, **shapes.problems(404, 409, 422)},
        tags=["Reporting"],
    )
    @writes
    def post(self, request: Request) -> Answer:
        """Write the output down, once."""
        new = read(shapes.NewOutput, request.data)
        company = self.caller.company
        with called(client_ref="output", used_at="made_at"):
            report = report_output(
                company=company,
                client_ref=new["output"],
                model_version=model_version_of(company, new["model_version"]),
                use=new["use"],
                made_at=new["made_at"],
                title=new["title"],
                attributions=[Part(**part) for part in new["attributions"]],
            )
        assert report.output is not None
        return Answer(
            201,
            {
                "output": report.client_ref,
                "ref": str(report.output.ref),
                "replayed": report.replayed,
                "items": _verdicts(report.items),
            },
        )


class UsageEventsView(MachineView):
    """Billable uses, many at once."""

    scopes = {"POST": ApiScope.REPORT}

    @extend_schema(
        operation_id="report_usage",
        summary="Report usage events",
        description=(
            "1 to 1 000 at once, each with its own result; one that is refused loses no other. "
            "An `event_id` is recorded once, for ever: the same again is `repeated`, another "
            "content under it is a `conflict`, which is noted and changes nothing. An event is "
            "judged as of `occurred_at`; a use that was not allowed is recorded, and its money "
            "held."
        ),
        request=shapes.UsageEvents,
        responses={200: shapes.UsageResults, **shapes.problems(413, 422)},
        tags=["Reporting"],
    )
    @writes
    def post(self, request: Request) -> Answer:
        """Record what can be recorded."""
        batch = read_usage(request.data)
        recorded = record_usage(by=None, company=self.caller.company, reports=batch.reports)
        items = batch.results(recorded)
        counts = {name: sum(1 for i in items if i["outcome"] == name) for name in OUTCOMES}
        return Answer(200, {**counts, "items": items})


def _told(item: ItemVerdict) -> str:
    """Without which of several artists answered what: the reason was kept without its party."""
    return public_code(item.reason, allowed=item.standing is Standing.ALLOWED)


def _verdicts(items: Sequence[ItemVerdict]) -> list[dict[str, Any]]:
    return [
        {"isrc": i.isrc, "standing": str(i.standing), "reason": _told(i), "seq": i.seq}
        for i in items
    ]
