"""Large catalogues for measurements, written set by set with the owner's login.

No trigger is switched off and no constraint dropped: what is loaded is what the services would have
written, with a ledger entry for each fact, attributions that sum to the whole, and months that were
opened, closed and published in their order. Only the allocations behind the statements are left
out, which none of the measured pages reads.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.rows import TupleRow

type Owner = psycopg.Connection[TupleRow]

MONTHS = 12
OUTPUTS = 20_000  # per artist, over a year, each drawing on two recordings
RUNS, RUN_SIZE = 12, 1_000  # per artist: one training run a month, of a thousand recordings


@dataclass(frozen=True, slots=True)
class Catalogue:
    """What to load for one artist; all keys. `registrant` is the middle of its ISRCs, unique.

    A tenth of the recordings has the second of `holders` as its master holder; a fifth has no work
    that is known, the others one, claimed by one of `publishers` in turn. A tenth features `guest`,
    and a tenth has a second title in another script.
    """

    artist: int
    recordings: int
    registrant: str
    holders: tuple[int, int]
    publishers: Sequence[int]
    guest: int


def _run(owner: Owner, statements: str, parameters: dict[str, Any]) -> None:
    """Run several statements with the same parameters; they are separated by empty lines."""
    for statement in statements.strip().split("\n\n"):
        owner.execute(statement.encode(), parameters)


_RECORDINGS = """
CREATE TEMP TABLE loading ON COMMIT DROP AS
SELECT i, gen_random_uuid() AS identified, gen_random_uuid() AS mastered,
       gen_random_uuid() AS published, i %% 5 <> 0 AS has_work,
       'NO' || %(registrant)s || '24' || lpad(i::text, 5, '0') AS isrc,
       (ARRAY['Paper Lanterns', 'Havn', 'Low Water', 'Northbound', 'Glass', 'Ebb', 'Kestrel'])
           [i * 31 %% 7 + 1] || ' ' || (i * 7919 %% 100003) AS title,
       nextval('consent_recording_id_seq') AS id, nextval('consent_work_id_seq') AS work
  FROM generate_series(0, %(recordings)s - 1) i

SELECT ledger_append(gen_random_uuid(), array_agg(id ORDER BY i, kind DESC),
                     array_agg(kind::text ORDER BY i, kind DESC),
                     array_agg(body ORDER BY i, kind DESC))
  FROM (SELECT i, identified AS id, 'recording.identified' AS kind,
               '{"recording":"' || isrc || '"}' AS body FROM loading
        UNION ALL
        SELECT i, mastered, 'claim.made', '{"recording":"' || isrc || '","right":"master"}'
          FROM loading
        UNION ALL
        SELECT i, published, 'claim.made', '{"right":"publishing"}' FROM loading WHERE has_work) x

INSERT INTO consent_work (id, ref, title, created_at)
SELECT work, gen_random_uuid(), title, ledger_now() FROM loading WHERE has_work

INSERT INTO consent_recording (id, ref, isrc, title, language, duration_ms, contains_ai, sender_id,
                               created_at, updated_at)
SELECT id, gen_random_uuid(), isrc, title, 'en', 180000 + i %% 90000, 'undeclared', %(holder)s,
       ledger_now(), ledger_now() FROM loading

INSERT INTO consent_recordingtitle (recording_id, title, language, kind)
SELECT id, '紙の灯り ' || i, 'ja', '' FROM loading WHERE i %% 10 = 3

INSERT INTO consent_recordingidentity (entry_id, recording_id, isrc, main_artists, featured_artists,
                                       voices, works, withdrawn)
SELECT identified, id, isrc, ARRAY[%(artist)s::bigint],
       CASE WHEN i %% 10 = 0 THEN ARRAY[%(guest)s::bigint] ELSE '{}' END, '{}',
       CASE WHEN has_work THEN ARRAY[work] ELSE '{}' END, false FROM loading

INSERT INTO consent_artistrecording (artist_id, recording_id, featured)
SELECT %(artist)s, id, false FROM loading
 UNION ALL SELECT %(guest)s, id, true FROM loading WHERE i %% 10 = 0

INSERT INTO consent_credit (recording_id, party_id, role, instrument, position, ai_part, source)
SELECT id, %(artist)s, 'MainArtist', '', 0, 'undeclared', 'ern' FROM loading

INSERT INTO consent_rightsclaim (entry_id, claim, party_id, recording_id, "right", share_bp,
                                 territories, authority, standing, source, ended)
SELECT mastered, gen_random_uuid(),
       CASE WHEN i %% 10 = 7 THEN %(other)s ELSE %(holder)s END::bigint, id, 'master', 10000,
       '{}', 'contract', 'declared', 'import', false FROM loading

INSERT INTO consent_rightsclaim (entry_id, claim, party_id, work_id, "right", share_bp,
                                 territories, authority, standing, source, ended)
SELECT published, gen_random_uuid(),
       (%(publishers)s::bigint[])[i %% cardinality(%(publishers)s::bigint[]) + 1], work,
       'publishing', 10000, '{}', 'own', 'verified', 'hand', false FROM loading WHERE has_work
"""


def load_recordings(owner: Owner, one: Catalogue) -> None:
    """Recordings with identities, works, claims and credits, each fact with its ledger entry.

    The rights profiles are left to `consent.services.profiles.refresh_all`.
    """
    with owner.transaction():
        _run(
            owner,
            _RECORDINGS,
            {
                "artist": one.artist,
                "recordings": one.recordings,
                "registrant": one.registrant,
                "holder": one.holders[0],
                "other": one.holders[1],
                "publishers": list(one.publishers),
                "guest": one.guest,
            },
        )


_USES = """
CREATE TEMP TABLE hers ON COMMIT DROP AS
SELECT recording_id AS id, row_number() OVER (ORDER BY recording_id) - 1 AS i
  FROM consent_artistrecording WHERE artist_id = %(artist)s AND NOT featured

CREATE UNIQUE INDEX ON hers (i)

CREATE TEMP TABLE model ON COMMIT DROP AS
SELECT m.id, m.tool_id, t.company_id, row_number() OVER (ORDER BY m.id) - 1 AS i,
       count(*) OVER () AS models
  FROM consent_modelversion m JOIN consent_tool t ON t.id = m.tool_id

CREATE TEMP TABLE made ON COMMIT DROP AS
SELECT nextval('consent_output_id_seq') AS id, n, m.id AS model, m.tool_id, m.company_id,
       (ARRAY['discovery', 'remix_input', 'style'])[n %% 3 + 1] AS use, n %% 9 <> 0 AS allowed,
       now() - interval '1 hour' - n * (interval '365 days' / %(outputs)s) AS at,
       (n::bigint * 7919) %% (SELECT count(*) FROM hers) AS first,
       (n::bigint * 7919 + 1 + n %% 5) %% (SELECT count(*) FROM hers) AS second
  FROM generate_series(0, %(outputs)s - 1) n JOIN model m ON m.i = n / 3 %% m.models

ANALYZE made, hers

INSERT INTO consent_output (id, ref, company_id, client_ref, model_version_id, use, title, made_at,
                            reported_at)
SELECT id, gen_random_uuid(), company_id, 'output-' || %(artist)s || '-' || n, model, use,
       'Made ' || n, at, at + interval '5 minutes' FROM made ORDER BY n

INSERT INTO consent_attribution (output_id, recording_id, "right", influence_bp, method,
                                 confidence_bp, allowed, reason, known_seq)
SELECT made.id, hers.id, r."right", part.bp, 'attrib-3.2', 7000, made.allowed,
       CASE WHEN made.allowed THEN 'artist_allows' ELSE 'artist_denies' END, 1
  FROM made
 CROSS JOIN LATERAL (VALUES (made.first, 6000), (made.second, 4000)) part(i, bp)
 CROSS JOIN (VALUES ('master'), ('publishing')) r("right")
  JOIN hers ON hers.i = part.i

INSERT INTO royalties_usageevent (company_id, event_id, body_digest, tool_id, output_id, use,
                                  occurred_at, received_at, territory, quantity, revenue_micros,
                                  currency, allowed, reason, known_seq, period_id)
SELECT made.company_id, 'event-' || %(artist)s || '-' || made.n,
       encode(sha256(made.n::text::bytea), 'hex'), made.tool_id, made.id, made.use, made.at,
       made.at + interval '10 minutes', 'NO', 1, 4000000, 'EUR', made.allowed,
       CASE WHEN made.allowed THEN 'artist_allows' ELSE 'artist_denies' END, 1, p.id
  FROM made JOIN royalties_period p
    ON p.starts_on = date_trunc('month', made.at AT TIME ZONE 'UTC')::date

CREATE TEMP TABLE run ON COMMIT DROP AS
SELECT nextval('consent_trainingrun_id_seq') AS id, n, m.id AS model, m.company_id,
       gen_random_uuid() AS entry,
       now() - interval '1 day' - n * (interval '365 days' / %(runs)s) AS at
  FROM generate_series(0, %(runs)s - 1) n JOIN model m ON m.i = n %% m.models

SELECT ledger_append(gen_random_uuid(), array_agg(entry ORDER BY n),
                     array_agg('training.reported'::text ORDER BY n),
                     array_agg('{"run":' || n || '}' ORDER BY n))
  FROM run

INSERT INTO consent_trainingrun (id, ref, company_id, client_ref, model_version_id, use, trained_at,
                                 manifest_digest, entry_id, reported_at)
SELECT id, gen_random_uuid(), company_id, 'run-' || %(artist)s || '-' || n, model,
       'generative_training', at, encode(sha256(n::text::bytea), 'hex'), entry, at FROM run

INSERT INTO consent_traininguse (run_id, model_version_id, recording_id, allowed, reason, known_seq)
SELECT run.id, run.model, hers.id, j %% 20 <> 0,
       CASE WHEN j %% 20 <> 0 THEN 'artist_allows' ELSE 'artist_denies' END, 1
  FROM run CROSS JOIN generate_series(0, %(run_size)s - 1) j
  JOIN hers ON hers.i = (run.n * %(run_size)s + j) %% (SELECT count(*) FROM hers)
"""

_PERIODS = """
INSERT INTO royalties_period (starts_on, state)
SELECT (date_trunc('month', now() AT TIME ZONE 'UTC') - n * interval '1 month')::date, 'open'
  FROM generate_series(0, %s) n ORDER BY 1
"""


def open_months(owner: Owner) -> None:
    """The month that is running and the twelve before it, for `load_uses` and `load_statements`."""
    owner.execute(_PERIODS.encode(), [MONTHS])


def load_uses(owner: Owner, artist: int) -> None:
    """A year of outputs, attributions, billable events and training, of every model there is.

    As much for every artist, so that two of them differ in their catalogue alone.
    """
    with owner.transaction():
        _run(
            owner,
            _USES,
            {"artist": artist, "outputs": OUTPUTS, "runs": RUNS, "run_size": RUN_SIZE},
        )


_SEAL = """
UPDATE royalties_period SET state = 'sealed', sealed_at = now() WHERE id = %(period)s

UPDATE royalties_period SET state = 'allocated' WHERE id = %(period)s

CREATE TEMP TABLE line ON COMMIT DROP AS
SELECT b.artist_id AS party, u.tool_id, t.company_id, a.recording_id, u.use, count(*) AS events,
       sum(a.influence_bp) * 100 AS micros
  FROM royalties_usageevent u
  JOIN consent_tool t ON t.id = u.tool_id
  JOIN consent_attribution a ON a.output_id = u.output_id AND a."right" = 'master'
  JOIN consent_artistrecording b ON b.recording_id = a.recording_id AND NOT b.featured
 WHERE u.period_id = %(period)s AND b.artist_id = ANY (%(artists)s)
 GROUP BY b.artist_id, u.tool_id, t.company_id, a.recording_id, u.use

INSERT INTO royalties_account (kind, party_id, currency)
SELECT DISTINCT 'payable', party, 'EUR' FROM line
 UNION SELECT DISTINCT 'clearing', company_id, 'EUR' FROM line
    ON CONFLICT DO NOTHING

INSERT INTO royalties_transaction (period_id, kind, key, currency, posted_at)
SELECT DISTINCT %(period)s::bigint, 'allocation', %(period)s || '/' || company_id, 'EUR', now()
  FROM line

INSERT INTO royalties_posting (transaction_id, account_id, amount_micros)
SELECT t.id, a.id, x.micros
  FROM (SELECT company_id, 'payable' AS kind, party, sum(micros) AS micros FROM line
         GROUP BY company_id, party
         UNION ALL
        SELECT company_id, 'clearing', company_id, -sum(micros) FROM line GROUP BY company_id) x
  JOIN royalties_transaction t
    ON t.kind = 'allocation' AND t.key = %(period)s || '/' || x.company_id
  JOIN royalties_account a ON (a.kind, a.party_id, a.currency) = (x.kind, x.party, 'EUR')

UPDATE royalties_period SET state = 'posted' WHERE id = %(period)s

INSERT INTO royalties_statement (ref, period_id, party_id, currency, earned_micros, held_micros,
                                 carried_in_micros, carried_out_micros, minor_unit_micros,
                                 paid_minor, digest, published_at)
SELECT gen_random_uuid(), %(period)s, party, 'EUR', sum(micros), 0, 0, 0, 10000,
       sum(micros) / 10000, encode(sha256(party::text::bytea), 'hex'), now()
  FROM line GROUP BY party

INSERT INTO royalties_statementline (statement_id, position, recording_id, tool_id, use, standing,
                                     held, events, amount_micros, amount_minor)
SELECT s.id, row_number() OVER (PARTITION BY s.id ORDER BY l.micros DESC, l.recording_id),
       l.recording_id, l.tool_id, l.use, 'payable', '', l.events, l.micros, l.micros / 10000
  FROM line l JOIN royalties_statement s ON s.party_id = l.party AND s.period_id = %(period)s

INSERT INTO royalties_toolearnings (statement_id, tool_id, earned_micros, held_micros, events)
SELECT s.id, l.tool_id, sum(l.micros), 0, sum(l.events)
  FROM line l JOIN royalties_statement s ON s.party_id = l.party AND s.period_id = %(period)s
 GROUP BY s.id, l.tool_id

INSERT INTO royalties_recordingearnings AS e
       (party_id, currency, recording_id, earned_micros, held_micros, events)
SELECT party, 'EUR', recording_id, sum(micros), 0, sum(events) FROM line
 GROUP BY party, recording_id
    ON CONFLICT (party_id, currency, recording_id) DO UPDATE
   SET earned_micros = e.earned_micros + excluded.earned_micros,
       events = e.events + excluded.events

UPDATE royalties_period SET state = 'published', published_at = now() WHERE id = %(period)s
"""


def load_statements(owner: Owner, artists: Sequence[int]) -> None:
    """Close and publish the twelve months before this one, each from its events."""
    periods = owner.execute(
        "SELECT id FROM royalties_period WHERE starts_on < date_trunc('month', now()) ORDER BY 1"
    ).fetchall()
    for (period,) in periods:
        with owner.transaction():
            _run(owner, _SEAL, {"period": period, "artists": list(artists)})
