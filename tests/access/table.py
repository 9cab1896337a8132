"""The access matrix: what every route answers to every method of every kind of person.

What is asked for is always Maren's. A route that is not here fails the suite; a method that is not
here is refused (405, or the sign-in page, or 401) to whoever asks. The words:

* `SIGN_IN`: led to the sign-in page, and nowhere else.
* 404: out of reach, or there is no such thing; the two look the same.
* 403: within reach, and not allowed.

Machines sign in by key and people by browser. Neither's credentials mean anything to the other's
door: a key on a page is nobody, a session at the API is nobody.
"""

from collections.abc import Mapping
from typing import Final

from tests.access.actors import MACHINES, NOBODY, STAFF, Actor

SIGN_IN: Final = "sign in"

type Expected = int | str
type Answers = Mapping[Actor, Expected]
type Methods = Mapping[str, Answers]


def everybody(status: Expected) -> Answers:
    """The same answer to all."""
    return dict.fromkeys(Actor, status)


def _but(answers: Answers, *others: tuple[frozenset[Actor], Expected]) -> Answers:
    found = dict(answers)
    for actors, status in others:
        found |= dict.fromkeys(actors, status)
    return found


# --- Pages ---------------------------------------------------------------------------------

MANAGERS: Final = frozenset({Actor.MANAGER, Actor.MANAGER_OF_BOTH})
HERSELF: Final = frozenset({Actor.ARTIST})
ASSISTANT: Final = frozenset({Actor.ASSISTANT})
WITHIN_REACH: Final = HERSELF | MANAGERS | ASSISTANT


def signed_in(status: Expected, *others: tuple[frozenset[Actor], Expected]) -> Answers:
    """Whoever is signed in gets this about herself; nobody is led to sign in."""
    return _but(everybody(status), (NOBODY, SIGN_IN), *others)


def seen(status: Expected) -> Answers:
    """What all who reach the artist may see."""
    return signed_in(404, (WITHIN_REACH, status))


def acted(status: Expected) -> Answers:
    """What artist and managers may see or do, and an assistant may not: money, answers, files."""
    return signed_in(404, (HERSELF | MANAGERS, status), (ASSISTANT, 403))


def hers(status: Expected) -> Answers:
    """What only the artist may do, whoever else sees it: people, and signing licences."""
    return signed_in(404, (HERSELF, status), (MANAGERS | ASSISTANT, 403))


def own(status: Expected) -> Answers:
    """What belongs to one person, not to an artist: her notices, her files."""
    return signed_in(404, (HERSELF, status))


PAGES: Final[dict[str, Methods]] = {
    "home": {"GET": _but(everybody(302), (NOBODY | {Actor.CHARLIE, Actor.EX_MANAGER}, 200))},
    "overrides": {"GET": everybody(200)},
    "gallery": {"GET": signed_in(404, (STAFF, 200))},
    "artists": {"GET": signed_in(200)},
    "switch_artist": {"POST": seen(302)},
    "notices": {"GET": signed_in(200)},
    "read_notices": {"POST": signed_in(302)},
    "open_notice": {"GET": own(302)},
    "preferences": {"GET": signed_in(200), "POST": signed_in(302)},
    "exports": {"GET": signed_in(200)},
    "export_progress": {"GET": own(200)},
    "fetch_export": {"POST": own(302)},
    "export_file": {"GET": own(200)},
    # About one artist: work
    "overview": {"GET": seen(200)},
    "usage": {"GET": seen(200)},
    "export_usage": {"POST": acted(302)},
    "credits": {"GET": seen(200)},
    "credit": {"GET": seen(200)},
    "timeline": {"GET": seen(200)},
    # ... money
    "earnings": {"GET": acted(200)},
    "earnings_tools": {"GET": acted(200)},
    "earnings_recordings": {"GET": acted(200)},
    "earnings_held": {"GET": acted(200)},
    "splits": {"GET": acted(200)},
    "answer_split": {"POST": acted(302)},
    "statement": {"GET": acted(200)},
    "statement_line": {"GET": acted(200)},
    # ... people; the access in the address is the manager's own, which he may end himself
    "people": {"GET": seen(200)},
    "invite": {"GET": hers(200), "POST": hers(302)},
    "end_access": {
        "GET": _but(hers(200), (frozenset({Actor.MANAGER}), 200)),
        "POST": _but(hers(302), (frozenset({Actor.MANAGER}), 302)),
    },
    "standard_licence": {"GET": seen(200), "POST": hers(200)},
    "end_licence": {"POST": acted(302)},
    "own_rights": {"GET": seen(200), "POST": hers(200)},
    "end_own_right": {"POST": hers(302)},
    # ... permissions
    "permissions": {"GET": seen(200)},
    "permission_tools": {"GET": seen(200)},
    "permission_tool": {"GET": seen(200)},
    "permission_recordings": {"GET": seen(200)},
    "permission_recording": {"GET": seen(200)},
    "why": {"GET": seen(200)},
    "why_receipt": {"GET": acted(200)},
    "exceptions": {"GET": seen(200)},
    "missing": {"GET": seen(200)},
    "withdrawals": {"GET": seen(200)},
    "requests": {"GET": seen(200)},
    "answer_request": {"POST": acted(302)},
    "history": {"GET": seen(200)},
    "many": {"GET": acted(200)},
    "answer_many": {"POST": acted(302)},
    "saving": {"GET": acted(200)},
    "act": {"GET": seen(200)},
    "receipt": {"GET": acted(200)},
    "undo_act": {"POST": acted(302)},
    "answer": {"POST": acted(302)},
    "answer_with": {"GET": acted(200), "POST": acted(302)},
    "clear_answer": {"POST": acted(302)},
}

# --- Signing in ----------------------------------------------------------------------------

STRANGERS_ONLY: Final = _but(everybody(302), (NOBODY, 200))
SENT_ON: Final = signed_in(302)
"""Only a step of something that was begun before; by itself it leads away."""

DOORS: Final[dict[str, Methods]] = {
    "account_login": dict.fromkeys(("GET", "POST", "PUT"), STRANGERS_ONLY),
    "account_signup": dict.fromkeys(("GET", "POST", "PUT"), STRANGERS_ONLY),
    "account_logout": {"GET": _but(everybody(200), (NOBODY, 302)), "POST": everybody(302)},
    "account_inactive": {"GET": everybody(200)},
    "account_reauthenticate": dict.fromkeys(("GET", "POST", "PUT"), signed_in(200)),
    "account_email": {"GET": signed_in(200), "POST": signed_in(302), "PUT": signed_in(302)},
    "account_email_verification_sent": dict.fromkeys(("GET", "POST"), SENT_ON),
    "account_change_password": dict.fromkeys(("GET", "POST", "PUT"), signed_in(200)),
    "account_set_password": dict.fromkeys(("GET", "POST", "PUT"), signed_in(302)),
    "account_reset_password": dict.fromkeys(("GET", "POST", "PUT"), everybody(200)),
    "account_confirm_login_code": dict.fromkeys(("GET", "POST", "PUT"), SENT_ON),
    "account_reset_password_from_key_done": {"GET": everybody(200)},
    # Says that the link does not work, however it is asked.
    "account_reset_password_from_key": dict.fromkeys(
        ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"), everybody(200)
    ),
    "account_reset_password_done": {"GET": everybody(200)},
    "mfa_index": {"GET": signed_in(200)},
    "mfa_authenticate": dict.fromkeys(("GET", "POST"), SENT_ON),
    "mfa_reauthenticate": dict.fromkeys(("GET", "POST", "PUT"), signed_in(302)),
    "mfa_activate_totp": dict.fromkeys(("GET", "POST", "PUT"), signed_in(200)),
    "mfa_deactivate_totp": dict.fromkeys(("GET", "POST", "PUT"), signed_in(404)),
    "mfa_view_recovery_codes": {"GET": signed_in(404)},
    "mfa_generate_recovery_codes": dict.fromkeys(("GET", "POST", "PUT"), signed_in(200)),
    "mfa_download_recovery_codes": dict.fromkeys(("GET", "POST", "PUT"), signed_in(404)),
    "mfa_list_webauthn": {"GET": signed_in(200)},
    "mfa_add_webauthn": dict.fromkeys(("GET", "POST", "PUT"), signed_in(200)),
    "mfa_reauthenticate_webauthn": dict.fromkeys(("GET", "POST", "PUT"), signed_in(302)),
    # The passkey in the address is Maren's.
    "mfa_remove_webauthn": {
        "GET": own(200), "POST": own(302), "DELETE": own(302)
    },
    "mfa_edit_webauthn": {"GET": own(200), "POST": own(200), "PUT": own(200)},
    "mfa_login_webauthn": dict.fromkeys(("GET", "POST", "PUT"), SENT_ON),
    "usersessions_list": {"GET": signed_in(200), "POST": signed_in(302), "PUT": signed_in(302)},
}  # fmt: skip

# --- API -----------------------------------------------------------------------------------


def keyed(status: Expected) -> Answers:
    """What every company may ask about itself."""
    return _but(everybody(401), (MACHINES, status))


def asked_by_it(status: Expected) -> Answers:
    """What answers the company that asked; another's question is like one never asked."""
    return _but(its(status), (frozenset({Actor.OTHER_API_CLIENT}), 422))


def its(status: Expected) -> Answers:
    """What is the company's that works with Maren; another company's is as good as nothing."""
    return _but(
        everybody(401),
        (frozenset({Actor.API_CLIENT}), status),
        (frozenset({Actor.OTHER_API_CLIENT}), 404),
    )


API: Final[dict[str, Methods]] = {
    # A decision is answered whoever asks: about a tool that is not one's own, with a no.
    "api-decisions": {"POST": keyed(200)},
    "api-replay": {"GET": asked_by_it(200), "POST": asked_by_it(200)},
    "api-history": {"GET": keyed(200)},
    "api-changes": {"GET": keyed(200)},
    "api-snapshot": {"GET": its(200)},
    "api-signals": {"GET": everybody(200)},
    # A short name begins with its company's: another company is told that, and no more.
    "api-tools": {"GET": keyed(200), "POST": asked_by_it(201)},
    "api-tool": {"GET": its(200)},
    "api-model-versions": {"GET": keyed(200), "POST": its(201)},
    "api-retire-model": {"POST": its(200)},
    "api-requests": {"GET": keyed(200), "POST": its(201)},
    "api-request": {"GET": its(200), "DELETE": its(200)},
    "api-training-runs": {"POST": its(201)},
    "api-outputs": {"POST": its(201)},
    # Each event of a batch has a verdict of its own; `test_refusals` looks into it.
    "api-usage-events": {"POST": keyed(200)},
    "api-withdrawals": {"GET": keyed(200)},
    "api-acknowledge": {"POST": its(200)},
    "api-webhooks": {"GET": keyed(200), "POST": keyed(201)},
    "api-webhook": {"GET": its(200), "DELETE": its(200)},
    "api-webhook-rotate": {"POST": its(200)},
    "api-webhook-try": {"POST": its(202)},
    "api-webhook-messages": {"GET": its(200)},
    "api-webhook-replay": {"POST": its(202)},
    "api-checkpoint": {"GET": everybody(200)},
    "api-checkpoint-at": {"GET": everybody(200)},
    "api-inclusion": {"GET": everybody(200)},
    "api-consistency": {"GET": everybody(200)},
    "api-keys": {"GET": everybody(200)},
    "api-schema": {"GET": everybody(200)},
    "api-docs": {"GET": everybody(200)},
    "api-problems": {"GET": everybody(200)},
    "api-problem": {"GET": everybody(200)},
}

# --- Admin ---------------------------------------------------------------------------------

HER_LABEL: Final = frozenset({Actor.LABEL_STAFF})
OTHER_LABEL: Final = frozenset({Actor.OTHER_LABEL_STAFF})
OPERATOR: Final = frozenset({Actor.OPERATOR})


def staff(status: Expected) -> Answers:
    """What all staff have; people who are not staff are refused, whatever the address."""
    return signed_in(403, (STAFF, status))


def labels(status: Expected) -> Answers:
    """What label staff have of their own label, the operator of all."""
    return signed_in(403, (HER_LABEL | OTHER_LABEL | OPERATOR, status))


def of_her_label(status: Expected) -> Answers:
    """One thing of Maren's label."""
    return signed_in(403, (HER_LABEL | OPERATOR, status), (OTHER_LABEL, 404))


def of_her_label_for_operator(status: Expected) -> Answers:
    """What only the operator does with a thing that the label sees."""
    return signed_in(403, (OPERATOR, status), (OTHER_LABEL, 404))


def operator(status: Expected) -> Answers:
    """What is the operator's alone."""
    return signed_in(403, (OPERATOR, status))


def _pages(names: str, get: Answers, post: Answers | None = None) -> dict[str, Methods]:
    """Pages of the admin that answer alike; without `post` what is posted is not looked at."""
    return {f"admin:{name}": {"GET": get, "POST": post or get} for name in names.split()}


def _model(model: str, things: Answers, lists: Answers) -> dict[str, Methods]:
    """The list of a model, and the page and history of Maren's row."""
    return {
        **_pages(f"{model}_changelist", lists),
        **_pages(f"{model}_change {model}_history", things),
    }


ADMIN: Final[dict[str, Methods]] = {
    **_pages("login password_change", staff(302)),
    **_pages("index", staff(200)),
    "admin:logout": {"POST": staff(200)},
    "admin:jsi18n": {"GET": staff(200)},
    **_pages("app_list", _but(staff(200), (frozenset({Actor.UNASSIGNED_STAFF}), 404))),
    "admin/(?P<url>.*)$": {"GET": staff(404), "POST": staff(404)},
    **_pages("conflicts", labels(200)),
    **_pages("conflict", of_her_label(200)),
    **_pages("conflict_file", of_her_label(200)),
    # In its name, and so by its own people only.
    **_pages(
        "confirm_shares none_of_it",
        signed_in(403, (HER_LABEL, 200), (OTHER_LABEL, 404)),
        signed_in(403, (HER_LABEL, 302), (OTHER_LABEL, 404)),
    ),
    **_pages("work", operator(200)),
    **_pages("work_retry", operator(200), operator(302)),
    # A label's own
    **_model("consent_artist", of_her_label(200), labels(200)),
    **_model("consent_recording", of_her_label(200), labels(200)),
    **_model("consent_release", of_her_label(200), labels(200)),
    **_model("consent_cataloguemessage", of_her_label(200), labels(200)),
    **_pages("consent_cataloguemessage_message consent_cataloguemessage_claims", labels(200)),
    **_model("consent_rightsclaim", of_her_label(200), labels(200)),
    **_pages("consent_rightsclaim_make", labels(200)),
    **_pages("consent_rightsclaim_terms", of_her_label(200)),
    **_pages(
        "consent_rightsclaim_dispute consent_rightsclaim_end", of_her_label(200), of_her_label(302)
    ),
    **_pages(
        "consent_rightsclaim_verify consent_rightsclaim_settle",
        of_her_label_for_operator(200),
        of_her_label_for_operator(302),
    ),
    **_model("consent_licence", of_her_label(200), labels(200)),
    **_pages("consent_licence_sign", labels(200)),
    **_pages("consent_licence_version", of_her_label(200)),
    **_pages("consent_licence_end", of_her_label(200), of_her_label(302)),
    **_model("consent_permission", of_her_label(200), labels(200)),
    **_pages(
        "consent_permission_revoke consent_permission_invalidate",
        of_her_label_for_operator(200),
        of_her_label_for_operator(302),
    ),
    **_model("consent_withdrawal", of_her_label(200), labels(200)),
    **_model("portal_staffact", of_her_label(200), labels(200)),
    # The operator's
    **_model("consent_aicompany", operator(200), operator(200)),
    **_pages("consent_aicompany_register consent_aicompany_client", operator(200)),
    **_model("consent_tool", operator(200), operator(200)),
    **_pages(
        "consent_aicompany_suspend consent_aicompany_resume consent_tool_suspend"
        " consent_tool_resume consent_aicompany_contact",
        operator(200),
        operator(302),
    ),
    **_model("portal_apiclient", operator(200), operator(200)),
    **_pages("portal_apiclient_key", operator(200)),
    **_model("portal_apikey", operator(200), operator(200)),
    **_pages("portal_apikey_revoke", operator(200), operator(302)),
    **_model("portal_roster", operator(200), operator(200)),
    **_pages("portal_roster_label portal_roster_person portal_roster_artist", operator(200)),
    **_pages("portal_roster_leave", operator(200)),
    **_model("portal_membership", operator(200), operator(200)),
    **_pages("portal_membership_end", operator(200), operator(302)),
    **_model("consent_permissionrequest", operator(200), operator(200)),
    **_model("consent_wording", operator(200), operator(200)),
    **_pages("consent_wording_publish", operator(200)),
    **_model("consent_ledgeralarm", operator(200), operator(200)),
    **_pages("consent_ledgeralarm_clear", operator(200)),
    **_model("consent_ledgeraudit", operator(200), operator(200)),
    **_model("consent_ledgercheckpoint", operator(200), operator(200)),
    **_model("consent_checkpointsink", operator(200), operator(200)),
    **_model("consent_ledgerentry", operator(200), operator(200)),
    **_model("royalties_period", operator(200), operator(200)),
    **_model("royalties_statement", operator(200), operator(200)),
    **_model("royalties_payout", operator(200), operator(200)),
}

TABLE: Final[dict[str, Methods]] = {**PAGES, **DOORS, **API, **ADMIN}
