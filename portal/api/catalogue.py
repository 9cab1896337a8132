"""Every code of a problem: its status, and what it means. Codes never change their meaning.

The codes of decisions (why something may not happen) are in `consent.decisions.Code`; they stand in
answers, not in problems.
"""

from typing import Final, NamedTuple

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


class Meaning(NamedTuple):
    status: int
    sentence: str | Promise


MEANINGS: Final[dict[str, Meaning]] = {
    # The request itself
    "malformed_json": Meaning(400, _("The body is not JSON in UTF-8.")),
    "unauthorised": Meaning(401, _("There is no key, or not a live one. Nothing was done.")),
    "scope_missing": Meaning(403, _("The key is live and may not do this. Use one that may.")),
    "not_found": Meaning(404, _("There is nothing at this address, or it is not yours.")),
    "method_not_allowed": Meaning(405, _("The address does not take this method.")),
    "not_acceptable": Meaning(406, _("Answers are JSON.")),
    "length_required": Meaning(
        411, _("The request has a body and does not say how long it is. Send Content-Length.")
    ),
    "too_large": Meaning(413, _("The body is larger than a request may be. Send it in parts.")),
    "unsupported_media_type": Meaning(415, _("Send the body as application/json.")),
    "invalid": Meaning(
        422,
        _(
            "Something in the request is not what it should be; “errors” points at each. Nothing "
            "of the request was done."
        ),
    ),
    "too_many_requests": Meaning(
        429, _("More than one client may ask in a minute. Wait for as long as Retry-After says.")
    ),
    "unavailable": Meaning(
        503, _("The database did not answer in time. This is no yes. Try again soon.")
    ),
    "behind": Meaning(503, _("The ledger has not reached the position in min_seq. Try again.")),
    "idempotency_key": Meaning(422, _("The Idempotency-Key is not 1 to 255 ASCII characters.")),
    "idempotency_reused": Meaning(
        422, _("The Idempotency-Key was used for another request. Choose a new one.")
    ),
    "idempotency_busy": Meaning(
        409, _("The first request with this Idempotency-Key is still being worked on.")
    ),
    # Parts of a request
    "unknown_field": Meaning(422, _("There is no field of this name; is it misspelt?")),
    "isrc": Meaning(422, _("An ISRC has 12 characters, as in NOUM72400192.")),
    "unknown_use": Meaning(422, _("There is no such use kind.")),
    "unknown_territory": Meaning(422, _("A territory is a country of ISO 3166-1: two capitals.")),
    "moment": Meaning(422, _("A moment is ISO 8601 with its offset, as in 2026-11-20T09:30:00Z.")),
    "date_out_of_range": Meaning(
        422,
        _(
            "A date here lies between 2000-01-01 and 2199-12-31. What began before, or has no end, "
            "needs none."
        ),
    ),
    "at_in_future": Meaning(422, _("Nobody knows yet what will be allowed then.")),
    "not_yet_known": Meaning(
        422, _("That moment has not come, or the ledger not that far: nobody knows what it knew.")
    ),
    "known_twice": Meaning(422, _("Say what was known by a moment or by a position, not by both.")),
    "too_many_items": Meaning(422, _("More, or fewer, at once than this takes.")),
    "query": Meaning(422, _("Something in the query of the address is not what it should be.")),
    "cursor": Meaning(422, _("This is not a cursor that came from here.")),
    "decision_token": Meaning(422, _("This token was not made by us, or was changed.")),
    "ahead": Meaning(422, _("The ledger has not come as far as the position asked for.")),
    # Tools and model versions
    "unknown_tool": Meaning(404, _("Your company has no tool of this name.")),
    "tool_name": Meaning(
        422,
        _(
            "The short name of a new tool begins with that of your company and a hyphen, so that "
            "it is yours alone."
        ),
    ),
    "tool_or_company": Meaning(422, _("Name one tool or one company, and not both.")),
    "unknown_company": Meaning(404, _("This is not your company.")),
    "tool_differs": Meaning(409, _("A tool of this name is there, and it is another one.")),
    "unknown_model_version": Meaning(404, _("Your company has no such model version.")),
    "company_suspended": Meaning(409, _("Your company is suspended: nothing new is agreed.")),
    "tool_suspended": Meaning(409, _("The tool is suspended.")),
    # Questions to artists
    "unknown_request": Meaning(404, _("Your company asked no such thing.")),
    "unknown_artist": Meaning(404, _("Nobody is known by this pseudonym.")),
    "unknown_recording": Meaning(404, _("No recording with this ISRC is known here.")),
    "scope": Meaning(422, _("Name one recording, or artists, and not both.")),
    "nobody_to_ask": Meaning(422, _("Nobody here can answer for this.")),
    "too_many_artists": Meaning(422, _("A question goes to 100 artists at most.")),
    "why": Meaning(422, _("Say what for, in plain words and at most 2000 characters.")),
    "from_in_past": Meaning(422, _("The beginning lies in the past.")),
    "until_in_past": Meaning(422, _("The end lies in the past.")),
    "until_before_from": Meaning(422, _("The end comes before the beginning.")),
    "voice_needs_end": Meaning(422, _("A voice is lent for a time: name its end.")),
    "voice_too_long": Meaning(422, _("A voice is lent for ten years at most, of some for five.")),
    "asked_recently": Meaning(
        409,
        _(
            "The answer to this use was no, with whatever tool and for whatever recording. Ask "
            "again 90 days after it, at the moment in “again_at”."
        ),
    ),
    "too_many_waiting": Meaning(
        409, _("Five of your questions wait for one of these artists. Let them be answered first.")
    ),
    # Reports
    "client_ref": Meaning(422, _("Your name for a report has 1 to 100 characters.")),
    "in_the_future": Meaning(422, _("A use is reported after it happened.")),
    "not_a_training_use": Meaning(
        422, _("Models are trained for generation, analysis or a voice.")
    ),
    "no_items": Meaning(422, _("Nothing is named in the report.")),
    "run_differs": Meaning(409, _("Another training run was reported under this name.")),
    "output_differs": Meaning(409, _("Another output was reported under this name.")),
    "unknown_right": Meaning(422, _("There is no such right.")),
    "attributed_twice": Meaning(422, _("A recording is attributed once for each right.")),
    "influence": Meaning(422, _("An influence is 1 to 10 000 basis points.")),
    "confidence": Meaning(422, _("A confidence is 0 to 10 000 basis points.")),
    "method": Meaning(422, _("Name the method of attribution, in 60 characters.")),
    "attributions_are_whole": Meaning(
        422, _("The influences of each right sum to 10 000 basis points.")
    ),
    "too_many_events": Meaning(422, _("1 to 1 000 usage events at once.")),
    # Withdrawals and webhooks
    "unknown_withdrawal": Meaning(404, _("Your company was told of no such withdrawal.")),
    "unknown_webhook": Meaning(404, _("You have no such webhook.")),
    "unknown_message": Meaning(404, _("No such message was sent to you.")),
    "webhook_url": Meaning(422, _("The address cannot be told: it must be public, and https.")),
    "webhook_there": Meaning(409, _("This address is told already.")),
    "webhook_ended": Meaning(422, _("The webhook has ended.")),
    "too_many_webhooks": Meaning(422, _("A client has at most ten webhooks.")),
    # The ledger
    "frozen": Meaning(409, _("The ledger is being checked: nothing new is allowed until then.")),
    "not_sealed": Meaning(409, _("The entry will be sealed within a minute; then it is proved.")),
    "unknown_entry": Meaning(404, _("The ledger has no such entry.")),
    "unknown_size": Meaning(404, _("The ledger was not sealed at this size.")),
    "unknown_checkpoint": Meaning(404, _("No checkpoint was made at this size.")),
}
