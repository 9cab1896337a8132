"""The catalogue: recordings, releases, works, who is credited, and who holds which right."""

import uuid

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from consent.models.ledger import Fact
from consent.models.party import Artist, Party
from consent.words import AiPart, Authority, Right, Standing


class Work(models.Model):
    """A composition. One work may have many recordings, one recording several works."""

    ref = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    iswc = models.CharField(max_length=11, null=True, blank=True, unique=True)
    title = models.CharField(max_length=500)
    created_at = models.DateTimeField(editable=False)

    def __str__(self) -> str:
        return self.title


class RightsProfile(models.Model):
    """A group of recordings whose rights are alike: same artists, same claims, same standing.

    Screens decide once per profile instead of once per recording. Derived from the facts;
    decisions themselves never read it.
    """

    digest = models.CharField(max_length=64, unique=True)

    def __str__(self) -> str:
        return self.digest[:12]


class Recording(models.Model):
    """A sound recording, known to the world by its ISRC (ISO 3901)."""

    ref = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    isrc = models.CharField(max_length=12, unique=True)
    title = models.CharField(max_length=500)
    language = models.CharField(max_length=35, blank=True, help_text=_("BCP 47, of the title"))
    duration_ms = models.PositiveIntegerField(null=True, blank=True)
    contains_ai = models.CharField(max_length=10, choices=AiPart.choices, default=AiPart.UNDECLARED)
    sender = models.ForeignKey(Party, null=True, on_delete=models.PROTECT, related_name="+")
    profile = models.ForeignKey(
        RightsProfile, null=True, on_delete=models.PROTECT, related_name="recordings"
    )
    created_at = models.DateTimeField(editable=False)
    updated_at = models.DateTimeField(editable=False)

    class Meta:
        # An artist's recordings are listed by title, a page at a time, however many there are.
        indexes = [models.Index(fields=["title", "id"], name="recordings_by_title")]
        constraints = [
            models.CheckConstraint(
                condition=Q(isrc__regex=r"^[A-Z]{2}[A-Z0-9]{3}[0-9]{7}$"),
                name="isrc_is_well_formed",
                violation_error_code="isrc",
                violation_error_message=_("An ISRC has 12 characters, as in NO-UM7-24-00192."),
            )
        ]

    def __str__(self) -> str:
        return self.title


class RecordingTitle(models.Model):
    """Another title of a recording, in its own script."""

    recording = models.ForeignKey(Recording, on_delete=models.CASCADE, related_name="titles")
    title = models.CharField(max_length=500)
    language = models.CharField(max_length=35, blank=True)
    kind = models.CharField(max_length=30, blank=True)

    def __str__(self) -> str:
        return self.title


class RecordingIdentity(Fact):
    """What decisions read of a recording: whose it is, which works it holds, does it still stand.

    Every main and every featured artist is asked, each for herself. `voices` are the people who
    can be heard on it; where none are named, main and featured artists who are persons stand in.
    """

    recording = models.ForeignKey(Recording, on_delete=models.PROTECT, related_name="identities")
    isrc = models.CharField(max_length=12)
    main_artists = ArrayField(models.BigIntegerField(), default=list, blank=True)
    featured_artists = ArrayField(models.BigIntegerField(), default=list, blank=True)
    voices = ArrayField(models.BigIntegerField(), default=list, blank=True)
    works = ArrayField(models.BigIntegerField(), default=list, blank=True)
    withdrawn = models.BooleanField(default=False)

    class Meta:
        indexes = [
            models.Index(fields=["recording", "-id"], name="recording_identity_latest"),
            # Whoever is heard and not billed is found by her key (consent/sql/voices.sql).
            GinIndex(
                models.Func(
                    models.F("voices"),
                    models.F("main_artists"),
                    models.F("featured_artists"),
                    function="unbilled_voices",
                ),
                name="unbilled_voices_of_recordings",
            ),
        ]

    def __str__(self) -> str:
        return self.isrc


class ArtistRecording(models.Model):
    """Which recordings are an artist's, for pages and counts. Derived from the identity."""

    artist = models.ForeignKey(Artist, on_delete=models.CASCADE, related_name="billed")
    recording = models.ForeignKey(Recording, on_delete=models.CASCADE, related_name="billed")
    featured = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["artist", "recording"],
                name="an_artist_is_billed_once",
                violation_error_code="billing",
                violation_error_message=_("This artist is named on this recording already."),
            )
        ]

    def __str__(self) -> str:
        return f"{self.artist_id} on {self.recording_id}"


class ProfileCount(models.Model):
    """How many recordings of an artist share a rights profile, with one of them as an example."""

    artist = models.ForeignKey(Artist, on_delete=models.CASCADE, related_name="profile_counts")
    profile = models.ForeignKey(RightsProfile, on_delete=models.CASCADE)
    example = models.ForeignKey(Recording, on_delete=models.CASCADE, related_name="+")
    recordings = models.PositiveIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["artist", "profile"],
                name="one_count_per_artist_and_profile",
                violation_error_code="profile_count",
                violation_error_message=_("These recordings are counted already."),
            )
        ]

    def __str__(self) -> str:
        return f"{self.recordings}"


class Credit(models.Model):
    """Who did what on a recording, as delivered; `party` in role `role`."""

    recording = models.ForeignKey(Recording, on_delete=models.CASCADE, related_name="credits")
    party = models.ForeignKey(Party, on_delete=models.PROTECT, related_name="credits")
    role = models.CharField(max_length=80, help_text=_("DDEX role, as in MainArtist, Composer"))
    instrument = models.CharField(max_length=80, blank=True)
    position = models.PositiveSmallIntegerField(default=0)
    ai_part = models.CharField(max_length=10, choices=AiPart.choices, default=AiPart.UNDECLARED)
    source = models.CharField(max_length=20, default="ern")

    class Meta:
        ordering = ("position", "id")
        indexes = [models.Index(fields=["party", "recording"], name="credit_by_party")]
        constraints = [
            models.UniqueConstraint(
                fields=["recording", "party", "role", "instrument"],
                name="a_credit_is_given_once",
                violation_error_code="credit",
                violation_error_message=_("This credit is there already."),
            )
        ]

    def __str__(self) -> str:
        return f"{self.party} ({self.role})"


class Release(models.Model):
    """An album, single or other product, as its sender delivered it."""

    ref = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    sender = models.ForeignKey(Party, on_delete=models.PROTECT, related_name="releases")
    key = models.CharField(max_length=80, help_text=_("ICPN, GRid or the sender's own id"))
    icpn = models.CharField(max_length=14, blank=True)
    title = models.CharField(max_length=500)
    language = models.CharField(max_length=35, blank=True)
    kind = models.CharField(max_length=60, blank=True)
    label_name = models.CharField(max_length=300, blank=True)
    released_on = models.DateField(null=True, blank=True)
    message_created_at = models.DateTimeField()
    updated_at = models.DateTimeField(editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["sender", "key"],
                name="a_sender_has_each_release_once",
                violation_error_code="release",
                violation_error_message=_("This release is there already."),
            )
        ]

    def __str__(self) -> str:
        return self.title


class Track(models.Model):
    release = models.ForeignKey(Release, on_delete=models.CASCADE, related_name="tracks")
    recording = models.ForeignKey(Recording, on_delete=models.PROTECT, related_name="tracks")
    position = models.PositiveSmallIntegerField()

    class Meta:
        ordering = ("position",)
        constraints = [
            models.UniqueConstraint(
                fields=["release", "recording"],
                name="a_release_has_each_recording_once",
                violation_error_code="track",
                violation_error_message=_("This recording is on the release already."),
            )
        ]

    def __str__(self) -> str:
        return f"{self.position}"


class RightsClaim(Fact):
    """A party's share in a right, on one recording, one work, or a whole repertoire.

    `claim` names the claim; the latest row of a claim says how it stands. A repertoire is all
    work on which that party is a main artist: how a society's blanket claim, or an independent's
    own, is one row instead of thousands. A share of 0 says that the party claims nothing of the
    right in one recording, instead of what it claims of a repertoire.
    """

    claim = models.UUIDField(default=uuid.uuid4, editable=False)
    party = models.ForeignKey(Party, on_delete=models.PROTECT, related_name="claims")
    recording = models.ForeignKey(
        Recording, null=True, blank=True, on_delete=models.PROTECT, related_name="claims"
    )
    work = models.ForeignKey(
        Work, null=True, blank=True, on_delete=models.PROTECT, related_name="claims"
    )
    repertoire = models.ForeignKey(
        Party, null=True, blank=True, on_delete=models.PROTECT, related_name="repertoire_claims"
    )
    right = models.CharField(max_length=12, choices=Right.choices)
    share_bp = models.PositiveIntegerField()
    territories = ArrayField(
        models.CharField(max_length=2), default=list, blank=True, help_text=_("empty: worldwide")
    )
    valid_from = models.DateTimeField(null=True, blank=True, help_text=_("empty: at once"))
    valid_until = models.DateTimeField(null=True, blank=True)
    authority = models.CharField(max_length=10, choices=Authority.choices)
    standing = models.CharField(max_length=10, choices=Standing.choices, default=Standing.DECLARED)
    source = models.CharField(max_length=10, help_text=_("import, hand, csv or blanket"))
    ended = models.BooleanField(default=False)

    class Meta:
        indexes = [
            models.Index(fields=["recording", "claim", "-id"], name="claims_on_recording"),
            models.Index(fields=["work", "claim", "-id"], name="claims_on_work"),
            models.Index(fields=["repertoire", "claim", "-id"], name="claims_on_repertoire"),
            models.Index(fields=["party", "claim", "-id"], name="claims_of_party"),
            models.Index(fields=["claim", "-id"], name="claim_latest"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(recording__isnull=False, work=None, repertoire=None)
                | Q(recording=None, work__isnull=False, repertoire=None)
                | Q(recording=None, work=None, repertoire__isnull=False),
                name="a_claim_is_on_one_thing",
                violation_error_code="claim_asset",
                violation_error_message=_("Claim one recording, one work, or one repertoire."),
            ),
            models.CheckConstraint(
                condition=Q(share_bp__gte=0, share_bp__lte=10_000),
                name="a_claim_is_a_share_of_the_whole",
                violation_error_code="claim_share",
                violation_error_message=_("A share is more than 0 and at most 100 %%."),
            ),
            models.CheckConstraint(
                condition=Q(share_bp__gt=0) | Q(recording__isnull=False, territories=[]),
                name="nothing_is_claimed_of_one_recording_everywhere",
                violation_error_code="claim_nothing",
                violation_error_message=_(
                    "That nothing is claimed is said of one recording, and for all countries."
                ),
            ),
            models.CheckConstraint(
                condition=Q(valid_from=None)
                | Q(valid_until=None)
                | Q(valid_from__lt=models.F("valid_until")),
                name="a_claim_ends_after_it_begins",
                violation_error_code="claim_term",
                violation_error_message=_("A claim ends after it begins."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.right} {self.share_bp / 100} %"


class CatalogueMessage(models.Model):
    """A catalogue message that was read: the same one twice changes nothing."""

    sender = models.ForeignKey(Party, on_delete=models.PROTECT, related_name="messages")
    message_id = models.CharField(max_length=200)
    digest = models.CharField(max_length=64)
    version = models.CharField(max_length=10)
    created_at = models.DateTimeField(help_text=_("as the message says"))
    read_at = models.DateTimeField(editable=False)
    report = models.JSONField(default=list, help_text=_("what was skipped and why"))

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["sender", "message_id", "digest"],
                name="a_message_is_read_once",
                violation_error_code="message",
                violation_error_message=_("This message was read already."),
            )
        ]

    def __str__(self) -> str:
        return self.message_id
