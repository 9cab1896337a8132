"""The roles that DDEX messages name, in plain words."""

import re
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

ROLE_NAMES: Final[dict[str, Promise]] = {
    "MainArtist": _("Main artist"),
    "FeaturedArtist": _("Featured artist"),
    "Artist": _("Artist"),
    "AssociatedPerformer": _("Performer"),
    "Vocalist": _("Vocals"),
    "LeadVocalist": _("Lead vocals"),
    "BackgroundVocalist": _("Background vocals"),
    "Choir": _("Choir"),
    "Rapper": _("Rap"),
    "Narrator": _("Narration"),
    "Musician": _("Musician"),
    "Soloist": _("Soloist"),
    "Orchestra": _("Orchestra"),
    "Ensemble": _("Ensemble"),
    "Band": _("Band"),
    "Conductor": _("Conductor"),
    "Composer": _("Composer"),
    "Lyricist": _("Lyrics"),
    "ComposerLyricist": _("Music and lyrics"),
    "Arranger": _("Arrangement"),
    "Adapter": _("Adaptation"),
    "Translator": _("Translation"),
    "MusicPublisher": _("Publisher"),
    "Producer": _("Producer"),
    "StudioProducer": _("Producer"),
    "ExecutiveProducer": _("Executive producer"),
    "Programmer": _("Programming"),
    "Remixer": _("Remix"),
    "DJ": _("DJ"),
    "Mixer": _("Mix"),
    "MixingEngineer": _("Mix"),
    "MasteringEngineer": _("Mastering"),
    "RecordingEngineer": _("Recording"),
    "SoundEngineer": _("Sound"),
    "Engineer": _("Engineer"),
    "Contributor": _("Contributor"),
}

_INSIDE_A_WORD: Final = re.compile(r"(?<=[a-z])(?=[A-Z])")


def name_of_role(role: str) -> str | Promise:
    """A role in plain words; one that is not known here is taken apart (`StringArranger`)."""
    known = ROLE_NAMES.get(role)
    return known if known is not None else _INSIDE_A_WORD.sub(" ", role).capitalize()
