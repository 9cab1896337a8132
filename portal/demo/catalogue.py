"""The demo's catalogue: thirty-odd releases in ten languages, every title invented for it.

One line a track, in running order. `title | other title` gives a title in English beside the
original one; `title + artist` a featured artist.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from consent.words import AiPart


@dataclass(frozen=True, slots=True)
class Song:
    """A track of a release. `number` counts over the whole catalogue, from 1."""

    number: int
    title: str
    other: str
    featured: str


@dataclass(frozen=True, slots=True)
class Album:
    """A release of one artist of `portal.demo.names`, in the year that it came out."""

    act: str
    title: str
    year: int
    language: str
    songs: tuple[Song, ...]
    kind: str = "Album"
    ai: AiPart = AiPart.UNDECLARED


NEWEST: Final = 2025
"""The year, in the list below, of what comes out while the story is told."""


def albums(newest: int) -> Iterator[Album]:
    """Every release, its songs numbered through, with years so that the newest are of `newest`."""
    number = 0
    for act, title, year, language, lines, *rest in _RELEASES:
        songs = []
        for line in lines.strip().splitlines():
            number += 1
            text, _plus, featured = line.strip().partition(" + ")
            name, _bar, other = text.partition(" | ")
            songs.append(Song(number, name, other, featured))
        kind = "Album" if len(songs) > 6 else "EP" if len(songs) > 2 else "Single"
        yield Album(act, title, year - NEWEST + newest, language, tuple(songs), kind, *rest)


# Artist, title, year, language, songs, and what is said of AI.
_RELEASES: Final[tuple[tuple[Any, ...], ...]] = (
    (
        "maren",
        "Kind of Quiet",
        2021,
        "en",
        """
        Kind of Quiet
        The Ferry Was Late
        Salt on the Sill
        Your Coat, My Shoulders
        Half a Winter
        Nobody's Lighthouse
        Borrowed Light
        Room for the Dog
        Good Enough for Tuesday
        Low Water
        Leave the Radio On
    """,
        AiPart.NONE,
    ),
    (
        "maren",
        "Slow Weather",
        2023,
        "en",
        """
        Slow Weather
        Paper Lanterns
        An Inch of Blue
        The Year We Painted Everything
        Grey Is Also a Colour
        Hold the Door
        What the Tide Brought
        Telephone Summer
        Two Chairs
        Unsent
        Rain Check
        Home by Six
    """,
        AiPart.NONE,
    ),
    (
        "maren",
        "Havn",
        2024,
        "no",
        """
        Havn
        Siste båt
        Brev fra Bryggen
        Mellom to fjell
        Vinterlys
        Ti tusen bølger
        Stille nå
        Kaffe klokka fem
        Det lille huset
        Natt over sundet
    """,
        AiPart.NONE,
    ),
    (
        "maren",
        "Northern Line",
        2025,
        "en",
        """
        Northern Line + aoi
        Northern Line (Piano) + aoi
    """,
        AiPart.NONE,
    ),
    (
        "pia",
        "Heis",
        2025,
        "no",
        """
        Heis
        Lekser og løgner
        Fotballbane
        3 % batteri
        Ikke si det til mamma
        Sommerjobb
        Neste stopp
    """,
    ),
    (
        "pia",
        "Glitter på asfalt",
        2025,
        "no",
        """
        Glitter på asfalt
        Glitter på asfalt (akustisk)
    """,
    ),
    (
        "einar",
        "Vik at Midnight",
        1963,
        "en",
        """
        Vik at Midnight
        Blues for a Tall Ship
        Harbourmaster
        Seven Steps to Sandviken
        Cinnamon
        Third Shift
        The Crooked Clock
        Mrs Dahl's Piano
        Last Tram
    """,
        AiPart.NONE,
    ),
    (
        "einar",
        "Nordnes Suite",
        1967,
        "en",
        """
        Nordnes Suite: I. Morning Nets
        Nordnes Suite: II. The Fish Market
        Nordnes Suite: III. Fog
        Nordnes Suite: IV. Sailors' Chapel
        Nordnes Suite: V. Quarrel
        Nordnes Suite: VI. Lights Out
    """,
        AiPart.NONE,
    ),
    (
        "einar",
        "Alone at the Piano",
        1971,
        "en",
        """
        Improvisation in Grey
        For Astrid
        Unfinished
        Clogs
        Waltz without a Partner
        The Empty Chair
        Snow on Strings
        Fjellveien
        Short Story
        Amen, Almost
    """,
        AiPart.NONE,
    ),
    (
        "havstov",
        "Signalfeil",
        2022,
        "no",
        """
        Signalfeil
        Fyrlykt 04
        Tåkelur
        Bunnmaling
        Døgnvill
        Kobberkabel
        Nullpunkt
        Sjøkart
        Gjenklang
        Dypvannskai
    """,
        AiPart.NONE,
    ),
    (
        "havstov",
        "Støv",
        2024,
        "no",
        """
        Støv
        Grus
        Sand
        Salt
        Aske
    """,
    ),
    (
        "havstov",
        "Machine Garden",
        2025,
        "en",
        """
        Machine Garden
        Pollen
        Greenhouse at Night
        Root Access
        Compost
        Grafting
        Watering Schedule
        Frost Warning
        Seed Bank
    """,
        AiPart.PARTLY,
    ),
    (
        "lucie",
        "La fenêtre d'en face",
        2020,
        "fr",
        """
        La fenêtre d'en face
        Trois tickets de métro
        Les dimanches en désordre
        Ma mère disait
        Pluie d'août
        Le voisin du quatrième
        Sans adresse
        Une chaise de trop
        Les mots qu'on garde
        Petit matin, grande fatigue
        Rue des Lilas blancs
    """,
    ),
    (
        "lucie",
        "Marée haute",
        2024,
        "fr",
        """
        Marée haute
        Le phare éteint
        Nos étés
        Bouteille vide à la mer
        Carte postale
        Sel
        Tempête pour deux + havstov
        Le dernier bac
        Coquillage
        Vent d'ouest
        Reviens avant la nuit
    """,
        AiPart.NONE,
    ),
    (
        "daryna",
        "Зимовий поїзд",
        2023,
        "uk",
        """
        Зимовий поїзд | Winter Train
        Лист до сестри | Letter to My Sister
        Вікна навпроти | Windows Opposite
        Чужа парасоля | Somebody's Umbrella
        Бабусин сад | Grandmother's Garden
        Тиша о п'ятій | Silence at Five
        Мости | Bridges
        Горнятко кави | A Cup of Coffee
        Повернись до світанку | Be Back before Dawn
        Колискова для міста | Lullaby for a City
    """,
    ),
    (
        "daryna",
        "Перший сніг",
        2025,
        "uk",
        """
        Перший сніг | First Snow
        Ліхтар
        Сусідка грає на скрипці
        Трамвай номер шість
        Дві ложки цукру
        Адреса
        Вітер із річки
        Обіцянка
        Добраніч
    """,
        AiPart.NONE,
    ),
    (
        "tides",
        "Mudlarks",
        2019,
        "en",
        """
        Mudlarks
        Bicycle Weather
        Estuary
        The Wrong Side of the Canal
        Small Hours, Big Coat
        Plastic Flamingo
        Allotment Blues
        Everything in the Window
        Wellington Boots
        Pier Pressure
        Lido
    """,
    ),
    (
        "tides",
        "Neap",
        2022,
        "en",
        """
        Neap
        Moonstruck, Slightly
        Barnacle
        Bus Replacement Service
        Nine Pints of Rain
        Driftwood Piano
        Hi-Vis
        Sunburn in April
        Second-Hand Sea
        Kettle
        Soft Launch
        Going Out
    """,
        AiPart.NONE,
    ),
    (
        "tides",
        "Spring Tide",
        2025,
        "en",
        """
        Spring Tide
        Undertow
        Lifeguards
        The Ghost of the Chip Shop
        Groyne
        Sandbag
        A Map of the Drains
        Postcards to Ourselves
        High Water Mark
        Rowing Home
    """,
        AiPart.NONE,
    ),
    (
        "vera",
        "Zimmer mit Aussicht auf Regen",
        2009,
        "de",
        """
        Zimmer mit Aussicht auf Regen
        Kastanienallee im November
        Der letzte Bus nach Grünau
        Mein Nachbar spielt Cello
        Halb so wild
        Kleingeld
        Sonntagskind im Regen
        Was im Koffer bleibt
        Fenster zum Garten
        Postleitzahl
        Du und dein Fahrrad
        Gute Nacht, Plagwitz
    """,
    ),
    (
        "vera",
        "Nachtfahrt",
        2014,
        "de",
        """
        Nachtfahrt
        Tankstelle
        Scheinwerfer
        Kilometerstein
        Der Beifahrer
        Thermoskanne
        Leitplanke
        Radio aus
        Grenzübergang
        Raststätte Nord
        Vier Uhr siebzehn
        Ankunft
    """,
    ),
    (
        "vera",
        "Leise Nachbarn",
        2023,
        "de",
        """
        Leise Nachbarn
        Treppenhaus
        Wäscheleine
        Schlüsselbund
        Paket für dich
        Dielenbrett
        Balkonkraut
        Hausordnung
        Das Licht im Flur
        Auszug
        Neue Namen am Klingelschild
    """,
        AiPart.NONE,
    ),
    (
        "tarik",
        "Kanal Boyu",
        2021,
        "tr",
        """
        Kanal Boyu
        Gece Vardiyası
        Otuz Altıncı Durak
        Annemin Mutfağı
        Almanca Ders
        İki Ekmek
        Beton ve Deniz
        Kırmızı Işık
        Pencere
        Son Tramvay
        Ev Nerede
    """,
    ),
    (
        "tarik",
        "Zwei Pässe",
        2024,
        "de",
        """
        Zwei Pässe
        Wartezimmer
        Çay & Zimt
        Nummer ziehen
        Onkel Mehmets Kiosk
        Kein Empfang
        Spätschicht
        Sokak Lambası
        Unterschrift fehlt + vera
        Eve Dön
    """,
        AiPart.PARTLY,
    ),
    (
        "klio",
        "Αλμυρό φως",
        2022,
        "el",
        """
        Αλμυρό φως | Salt Light
        Το καράβι της Πέμπτης | Thursday's Boat
        Κλειστά παντζούρια | Closed Shutters
        Δύο λεμόνια | Two Lemons
        Άσε με εδώ | Leave Me Here
        Μικρό λιμάνι | Small Harbour
        Γράμμα χωρίς διεύθυνση | Letter without an Address
        Αύγουστος ξανά | August Again
        Η σκιά της ελιάς | The Olive Tree's Shade
        Καληνύχτα, θάλασσα | Good Night, Sea
    """,
    ),
    (
        "klio",
        "Μετά τη βροχή",
        2025,
        "el",
        """
        Μετά τη βροχή
        Υγρά πεζοδρόμια
        Το ραδιόφωνο παίζει
        Κόκκινη ομπρέλα
        Χωρίς εσένα η πόλη
        Μια Κυριακή
        Τρένο για βορρά
        Ξένο κλειδί
        Φως στο παράθυρο
    """,
    ),
    (
        "aoi",
        "紙の灯り",
        2020,
        "ja",
        """
        紙の灯り | Paper Light
        雨の停留所 | Bus Stop in the Rain
        遠い電話 | Distant Telephone
        夜明けの台所 | Kitchen at Daybreak
        猫と新聞 | The Cat and the Newspaper
        波の数 | Counting Waves
        影の長さ | The Length of Shadows
        手紙の裏 | The Back of the Letter
        静かな部屋 | A Quiet Room
        六月の傘 | June Umbrella
    """,
        AiPart.NONE,
    ),
    (
        "aoi",
        "夜行列車の窓",
        2023,
        "ja",
        """
        夜行列車の窓 | Night Train Window
        終点まで | To the Last Stop
        硝子の駅 | Glass Station
        冬の自転車 | Winter Bicycle
        名前のない橋 | Bridge without a Name
        白い息
        時刻表
        忘れ物
        星の数え方
        海沿いの家
        おやすみ、三番線
    """,
        AiPart.NONE,
    ),
    (
        "aoi",
        "透明な街",
        2025,
        "ja",
        """
        透明な街 | Transparent City
        朝の信号
        水たまりの空
        隣の部屋のピアノ
        コンビニの月
        坂道
        写真の中
        また明日
    """,
        AiPart.NONE,
    ),
    (
        "layla",
        "مطر على النافذة",
        2024,
        "ar",
        """
        مطر على النافذة | Rain on the Window
        قهوة الصباح | Morning Coffee
        طريق البحر | The Road to the Sea
        بيت جدّي | My Grandfather's House
        رسالة قديمة | An Old Letter
        ليل المدينة
        عصفور صغير
        لا تنسَ
        أغنية بلا كلام
    """,
    ),
    (
        "layla",
        "حديقة",
        2025,
        "ar",
        """
        حديقة
        ياسمين
        ظل
        نافورة
        باب أزرق
    """,
    ),
    (
        "tomas",
        "Cordas de Inverno",
        2022,
        "pt",
        """
        Cordas de Inverno
        Elétrico da Noite
        Varanda
        O Relógio da Avó
        Chuva Miúda
        Carta a Ninguém
        Maré de Março
        Pão Quente
        Rua sem Saída
        Até Domingo
    """,
    ),
    (
        "sol",
        "Spare Key",
        2024,
        "en",
        """
        Spare Key
        Kitchen Demo
        Tape Hiss
        Other People's Parties
        Lullaby for a Drummer
        Night Bus Home
    """,
    ),
)
