"""Do the books balance? Sums that must agree, each made by itself."""

from dataclasses import dataclass

from django.db import connection

from royalties.money import micros_per_minor


@dataclass(frozen=True, slots=True)
class BookProblem:
    """Something in the books that does not agree: a stable code, and what was found."""

    code: str
    found: str


def trial_balance() -> dict[str, int]:
    """The sum of all postings, by currency; zero for each when the books balance."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT a.currency, sum(p.amount_micros) FROM royalties_posting p"
            " JOIN royalties_account a ON a.id = p.account_id GROUP BY a.currency ORDER BY 1"
        )
        return {currency: int(total) for currency, total in cursor.fetchall()}


def audit_books() -> list[BookProblem]:
    """Everything in the books that does not agree; empty when all is well. Seven queries.

    The trial balance; accounts for what is carried on, which hold less than one minor unit;
    payable accounts, which hold whole minor units once a month is published; statements against
    their own lines; the sums that pages read against the lines; and what was allocated against
    what was posted.
    """
    problems = [
        BookProblem("trial_balance", f"{currency}: {total}")
        for currency, total in trial_balance().items()
        if total
    ]
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT a.kind, a.party_id, a.currency, sum(p.amount_micros) FROM royalties_posting p"
            " JOIN royalties_account a ON a.id = p.account_id"
            " WHERE a.kind = 'residue' GROUP BY 1, 2, 3 ORDER BY 1, 2, 3"
        )
        problems += [
            BookProblem("residue", f"party {party} carries {total} micros of {currency}")
            for _kind, party, currency, total in cursor.fetchall()
            if abs(total) >= micros_per_minor(currency)
        ]
        cursor.execute(
            "SELECT a.party_id, a.currency, sum(p.amount_micros) FROM royalties_posting p"
            " JOIN royalties_account a ON a.id = p.account_id"
            " JOIN royalties_transaction t ON t.id = p.transaction_id"
            " JOIN royalties_period r ON r.id = t.period_id"
            " WHERE a.kind = 'payable' AND r.state IN ('open', 'published')"
            " GROUP BY 1, 2 ORDER BY 1, 2"
        )
        problems += [
            BookProblem("payable", f"party {party} is owed {total} micros of {currency}")
            for party, currency, total in cursor.fetchall()
            if total % micros_per_minor(currency)
        ]
        cursor.execute(
            "SELECT s.id FROM royalties_statement s LEFT JOIN royalties_statementline l"
            " ON l.statement_id = s.id GROUP BY s.id"
            " HAVING coalesce(sum(l.amount_micros) FILTER (WHERE l.standing <> 'held'), 0)"
            "        <> s.earned_micros"
            "     OR coalesce(sum(l.amount_micros) FILTER (WHERE l.standing = 'held'), 0)"
            "        <> s.held_micros"
        )
        problems += [
            BookProblem("statement", f"statement {pk} is not the sum of its lines")
            for (pk,) in cursor.fetchall()
        ]
        cursor.execute(
            """
            SELECT s.id FROM royalties_statement s
              LEFT JOIN (SELECT statement_id, sum(earned_micros) AS earned, sum(held_micros) AS held
                           FROM royalties_toolearnings GROUP BY statement_id) t
                     ON t.statement_id = s.id
             WHERE coalesce(t.earned, 0) <> s.earned_micros
                OR coalesce(t.held, 0) <> s.held_micros ORDER BY s.id
            """
        )
        problems += [
            BookProblem("tool_sums", f"the sums by tool are not those of statement {pk}")
            for (pk,) in cursor.fetchall()
        ]
        cursor.execute(
            """
            SELECT coalesce(x.party_id, y.party_id), coalesce(x.currency, y.currency)
              FROM (SELECT party_id, currency, sum(earned_micros) AS earned,
                           sum(held_micros) AS held
                      FROM royalties_statement GROUP BY 1, 2) x
              FULL JOIN (SELECT party_id, currency, sum(earned_micros) AS earned,
                           sum(held_micros) AS held
                      FROM royalties_recordingearnings GROUP BY 1, 2) y
                ON y.party_id = x.party_id AND y.currency = x.currency
             WHERE (x.earned, x.held) IS DISTINCT FROM (y.earned, y.held)
            """
        )
        problems += [
            BookProblem("recording_sums", f"the sums of party {party} in {currency} disagree")
            for party, currency in cursor.fetchall()
        ]
        cursor.execute(
            """
            SELECT coalesce(x.period_id, y.period_id), coalesce(x.currency, y.currency),
                   coalesce(x.owed, 0), coalesce(y.posted, 0)
              FROM (SELECT a.period_id, a.currency, sum(l.amount_micros) AS owed
                      FROM royalties_allocation a
                      JOIN royalties_allocationline l ON l.allocation_id = a.id
                      JOIN royalties_period p ON p.id = a.period_id
                     WHERE a.releases_id IS NULL AND p.state IN ('posted', 'published')
                     GROUP BY 1, 2) x
              FULL JOIN (SELECT t.period_id, t.currency, sum(p.amount_micros) AS posted
                      FROM royalties_posting p
                      JOIN royalties_transaction t ON t.id = p.transaction_id
                      JOIN royalties_account a ON a.id = p.account_id
                     WHERE t.kind = 'allocation' AND a.kind IN ('payable', 'held')
                     GROUP BY 1, 2) y
                ON y.period_id = x.period_id AND y.currency = x.currency
             WHERE coalesce(x.owed, 0) <> coalesce(y.posted, 0)
            """
        )
        problems += [
            BookProblem("posted", f"period {period}: {owed} allocated, {posted} posted {currency}")
            for period, currency, owed, posted in cursor.fetchall()
        ]
    return problems
