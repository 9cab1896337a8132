"""After a withdrawal outputs may run off; learning stops at once."""

import pytest

from consent.clock import now
from consent.services.provenance import OutputToReport, Part, report_outputs, report_training_run
from tests.consent.build import (
    a_company,
    a_label,
    a_licence,
    a_model,
    a_recording,
    a_tool,
    an_artist,
    she_says,
)

pytestmark = pytest.mark.django_db

TRAINING = "generative_training"


def test_a_model_learns_nothing_more_while_its_outputs_run_off() -> None:
    maren, fjord, kanal = an_artist(), a_label(), a_label("Kanal Forlag")
    company = a_company()
    model = a_model(a_tool(company))
    song = a_recording(maren, holder=fjord, publisher=kanal)
    for holder in (fjord, kanal):
        a_licence(holder, company, TRAINING, notice_days=30)
    she_says(maren, TRAINING, "allow")

    def trains(run: str) -> tuple[str, str]:
        report = report_training_run(
            company=company,
            client_ref=run,
            model_version=model,
            use=TRAINING,
            trained_at=now(),
            isrcs=[song.isrc],
        )
        (item,) = report.items
        return str(item.standing), item.reason

    assert trains("before") == ("allowed", "artist_allows")
    she_says(maren, TRAINING, "deny")
    assert trains("after") == ("not_allowed", "artist_withdrew")
    parts = [Part(song.isrc, right, 10_000, "attrib-3.2") for right in ("master", "publishing")]
    sent = OutputToReport("song", model, TRAINING, now(), parts)
    (output,) = report_outputs(company=company, outputs=[sent])
    assert {item.reason for item in output.items} == {"runs_off"}
