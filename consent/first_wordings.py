"""The first texts that people decide on, one for each use kind, in every language of the portal.

They are data: what was published, and what somebody saw when deciding, are rows of `Wording`.
"""

from typing import Final

from consent.words import UseKind

ENGLISH: Final[dict[str, str]] = {
    UseKind.GENERATIVE_TRAINING: (
        "Your recordings teach a model that makes new music. What a model has learned cannot be "
        "unlearned."
    ),
    UseKind.ANALYSIS_TRAINING: (
        "Your recordings teach a model that sorts, tags or recommends music and makes none. What "
        "a model has learned cannot be unlearned."
    ),
    UseKind.REMIX_INPUT: (
        "Fans and producers rework your recordings inside a licensed tool: stems, covers, new "
        "versions."
    ),
    UseKind.STYLE: "A prompt may ask for music in your style, by your name.",
    UseKind.VOICE: (
        "A tool speaks or sings in a voice that listeners take for yours. A yes always ends on a "
        "date that you set."
    ),
    UseKind.NAME_IMAGE: "Your name or your likeness appears beside something that AI made.",
    UseKind.DISCOVERY: "AI DJs and playlists pick your music for listeners.",
}

GERMAN: Final[dict[str, str]] = {
    UseKind.GENERATIVE_TRAINING: (
        "Mit deinen Aufnahmen lernt ein Modell, das neue Musik macht. Was ein Modell gelernt hat, "
        "kann es nicht verlernen."
    ),
    UseKind.ANALYSIS_TRAINING: (
        "Mit deinen Aufnahmen lernt ein Modell, das Musik ordnet, beschreibt oder empfiehlt und "
        "keine macht. Was ein Modell gelernt hat, kann es nicht verlernen."
    ),
    UseKind.REMIX_INPUT: (
        "Fans und Produzenten bearbeiten deine Aufnahmen in einem lizenzierten Werkzeug: Stems, "
        "Cover, neue Fassungen."
    ),
    UseKind.STYLE: "Wer ein Werkzeug bedient, darf Musik in deinem Stil verlangen, mit Namen.",
    UseKind.VOICE: (
        "Ein Werkzeug spricht oder singt mit einer Stimme, die man für deine hält. Ein Ja endet "
        "immer an einem Tag, den du bestimmst."
    ),
    UseKind.NAME_IMAGE: "Dein Name oder dein Bild steht neben etwas, das KI gemacht hat.",
    UseKind.DISCOVERY: "KI-DJs und Playlists wählen deine Musik für Hörerinnen und Hörer aus.",
}

TEXTS: Final[dict[str, dict[str, str]]] = {"en": ENGLISH, "de": GERMAN}


def text_of(use: str, language: str) -> str:
    """The first text of a use kind, in English where there is none in `language` (BCP 47)."""
    return TEXTS.get(language, ENGLISH)[use]
