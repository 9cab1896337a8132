"""The standard licence that an artist without a label can offer, in words she can read.

The text is versioned with its code: a changed text is a new `VERSION`, and what was offered under
an older one stays as it was offered. The English text is the licence; it is not translated.
"""

from typing import Final

VERSION: Final = 1
TITLE: Final = "Liner Notes standard licence"
NOTICE_DAYS: Final = 30

TEXT: Final = f"""\
{TITLE}, version {VERSION}

1. Who. The artist named as holder offers this licence to the AI company named in it. It concerns
the recordings for which the artist holds the rights herself, and nothing that belongs to others.

2. What. The company may do with these recordings what the use kinds of this licence say, and
nothing else. Each use kind stands alone: permission to train is not permission to clone a voice,
to imitate a style, or to use a name or an image.

3. The artist decides. This licence alone allows nothing. Before each use the company asks whether
it is permitted, and uses a recording only where the answer is yes. The artist may change her
answers at any time, without giving a reason.

4. Acceptance. The offer is accepted by the first use that is permitted and reported. Until then
neither side owes the other anything.

5. Reports. The company reports which recordings trained which model version, and which outputs
drew on which recordings, within 30 days, truthfully and in full.

6. Pay. The company pays what the rates agreed with the portal say for each use kind, for every
reported use, each calendar month.

7. Ending it. The artist may take back an answer, or end this licence, on any day. When she takes
back an answer, new training and new uses stop at once; outputs of model versions that were
licensed and registered before may continue for {NOTICE_DAYS} days, except for a voice, which stops
at once unless she chose a notice period herself. When she ends the licence, all of it stops on the
day that she names. What a model has already learned is not undone by this, and the company does
not claim that it is.

8. No transfer. The licence is not exclusive, is not passed on, and gives the company no ownership
of the recordings, the voice, the name, or of anything learned from them.
"""


def is_standard(terms: str) -> bool:
    """Are these the terms of the standard licence, in any of its versions?"""
    return terms.startswith(f"{TITLE}, version ")
