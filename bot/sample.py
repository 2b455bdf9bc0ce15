"""The register that the demo begins with: three invented entities, sixty invented people, every state, as of a day.

All of it is made up. The national numbers are the synthetic ones of `domain.md` 4.5 (a day counter that is never
reached); most people have none, and 01.09.22-997.08 and 04.06.19-998.42 are left for whoever tries the dialogue.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

PLACES = """\
format = 1

[[entity]]
key = "midi"
inami = "710999-11"
enterprise = "0200.000.043"
created = 2014-07-23
denomination = { fr = "Hôpitaux du Midi", nl = "Ziekenhuizen van het Zuiden", de = "Krankenhäuser des Südens", en = "Southern Hospitals" }
delivery = "register"
portal = "old"

  [[entity.quality]]
  key = "hospital"
  number = "710999-11"
  subdivisions = ["Cardiologie", "Pharmacie", "Secrétariat médical", "Orthopédie", "Oncologie"]

  [[entity.quality]]
  key = "health-care"
  number = "710999-11"
  active = false

[[entity]]
key = "aube"
inami = "719998-33"
created = 2009-03-02
denomination = { fr = "Clinique Sainte-Aube", nl = "Kliniek Sint-Dageraad", de = "Klinik Sankt Aube", en = "Saint Dawn Clinic" }

  [[entity.quality]]
  key = "hospital"
  number = "719998-33"
  subdivisions = ["Chirurgie", "Pharmacie"]

[[entity]]
key = "quai"
inami = "720999-02"
created = 2016-01-04
denomination = { fr = "Hôpital du Quai", nl = "Kaaiziekenhuis", de = "Kaikrankenhaus", en = "Quay Hospital" }
delivery = "portal"
portal = "new"

  [[entity.quality]]
  key = "hospital"
  number = "720999-02"
  subdivisions = ["Cardiologie", "Apotheek"]
"""

NUMBERS = {
    "delcourt": "64.11.17-998.10",
    "peeters": "79.08.23-997.28",
    "claes": "62.07.00-998.62",
    "kessel": "79.48.23-997.17",
    "vandenbroecke": "04.46.19-998.31",
    "moreau": "03.03.12-997.85",
}
"""National numbers by register key."""

# key, last name, first name, language, entity, subdivision, declared profession ("" where none), title
PEOPLE = """\
delcourt|Delcourt|Anne|fr|midi|||
claes|Claes|Bram|nl|midi|||
kessel|Kessel|Heidi|de|quai|||
peeters|Peeters|Jan|nl|midi|Cardiologie|specialist-physician|Dr.
peeters-2|Peeters|Jan|nl|midi|Pharmacie|hospital-pharmacist|
moreau|Moreau|Claire|fr|midi|Cardiologie|specialist-physician|Dr.
vandenbroecke|Van den Broecke|Lies|nl|midi|Secrétariat médical|collaborator|
lemaire|Lemaire|Hugo|fr|midi|Orthopédie|specialist-physician|Dr.
dubois|Dubois|Inès|fr|midi|Secrétariat médical|collaborator|
hendrickx|Hendrickx|Wout|nl|midi|Oncologie|specialist-physician|Dr.
rousseau|Rousseau|Émile|fr|midi|Pharmacie|hospital-pharmacist|
wauters|Wauters|Nele|nl|midi|Pharmacie|collaborator|
schmitz|Schmitz|Jürgen|de|midi|Orthopédie|specialist-physician|Dr.
lambert|Lambert|Zoé|fr|midi|Secrétariat médical|collaborator|
de-smedt|De Smedt|Karel|nl|midi|Cardiologie|collaborator|
fontaine|Fontaine|Luc|fr|midi|Oncologie|specialist-physician|Pr
maes|Maes|Griet|nl|midi|Pharmacie|collaborator|
gilles|Gilles|Sophie|fr|midi|Cardiologie|collaborator|
willems|Willems|Tibo|nl|midi|Orthopédie|collaborator|
charlier|Charlier|Nadia|fr|midi|Oncologie|collaborator|
goossens|Goossens|Ruben|nl|midi|Cardiologie|specialist-physician|Dr.
marchal|Marchal|Aline|fr|midi|Pharmacie|hospital-pharmacist|
jacobs|Jacobs|Femke|nl|midi|Secrétariat médical|collaborator|
noel|Noël|Basile|fr|midi|Orthopédie|specialist-physician|Dr.
dhondt|D'Hondt|Marieke|nl|midi|Oncologie|collaborator|
henrotte|Henrotte|Victor|fr|midi|||
leclercq|Leclercq|Maud|fr|midi|Secrétariat médical||
aerts|Aerts|Stijn|nl|midi|Pharmacie||
bodart|Bodart|Élise|fr|midi|Cardiologie|specialist-physician|Dr.
pauwels|Pauwels|Joke|nl|midi|Oncologie|specialist-physician|Dr.
renard|Renard|Théo|fr|aube|Chirurgie|specialist-physician|Dr.
simon|Simon|Clara|fr|aube|Chirurgie|collaborator|
mertens|Mertens|Dries|nl|aube|Chirurgie|specialist-physician|Dr.
poncelet|Poncelet|Agathe|fr|aube|Pharmacie|hospital-pharmacist|
thys|Thys|Evelien|nl|aube|Pharmacie|collaborator|
gerard|Gérard|Antoine|fr|aube|Chirurgie|specialist-physician|Dr.
collard|Collard|Manon|fr|aube|Pharmacie|collaborator|
baert|Baert|Koen|nl|aube|Chirurgie||
etienne|Étienne|Rosalie|fr|aube|Chirurgie|collaborator|
vermeiren|Vermeiren|Saar|nl|aube|Pharmacie|collaborator|
lejeune|Lejeune|Marc|fr|aube|Chirurgie|specialist-physician|Dr.
hubert|Hubert|Céline|fr|aube|||
masson|Masson|Paul|fr|aube|Chirurgie|specialist-physician|Dr.
nys|Nys|Lore|nl|aube|Pharmacie|hospital-pharmacist|
devos|Devos|Pieter|nl|quai|Cardiologie|specialist-physician|Dr.
lenaerts|Lenaerts|Ilse|nl|quai|Cardiologie|collaborator|
bosmans|Bosmans|Tom|nl|quai|Apotheek|hospital-pharmacist|
vranckx|Vranckx|Hilde|nl|quai|Apotheek|collaborator|
krings|Krings|Stefan|de|quai|Cardiologie|specialist-physician|Dr.
pelzer|Pelzer|Ute|de|quai|Apotheek|collaborator|
geerts|Geerts|Jonas|nl|quai|Cardiologie||
cools|Cools|An|nl|quai|Cardiologie|collaborator|
nelissen|Nelissen|Bart|nl|quai|Cardiologie|specialist-physician|Dr.
schoonbroodt|Schoonbroodt|Karin|de|quai|Apotheek|hospital-pharmacist|
somers|Somers|Eva|nl|quai|Cardiologie|collaborator|
verlinden|Verlinden|Luk|nl|quai|||
adam|Adam|Noémie|fr|quai|Cardiologie|specialist-physician|Dr.
colson|Colson|Yves|fr|quai|Apotheek||
heinen|Heinen|Petra|de|quai|Cardiologie|collaborator|
stas|Stas|Gert|nl|quai|Apotheek|collaborator|
"""
MANAGERS = (
    ("delcourt", "midi", "co-responsible", None),
    ("delcourt", "aube", "responsible", None),
    ("claes", "midi", "responsible", None),
    ("claes", "quai", "responsible", None),
    ("kessel", "quai", "local", "hospital"),
    ("hubert", "aube", "auditor", None),
)
"""Person, entity, role, quality."""

_OTHERS = ("hospiliss", "civars", "bvtc")
_BLOCKED = {"noel": "Absence de longue durée", "masson": "Départ à la retraite"}
_FUNCTIONS = ("collaborator-specialist-physician", "collaborator-hospital-pharmacist")


def register_file(today: date) -> str:
    """A register file as `interfaces.md` has it; its days lie around `today` (a Brussels day)."""
    return "\n".join((PLACES, *_people(), *_mandates(), *_accounts(today)))


def _fields() -> Iterator[list[str]]:
    return (line.split("|") for line in PEOPLE.splitlines())


def _people() -> Iterator[str]:
    for key, last, first, language, *_ in _fields():
        yield f'[[person]]\nkey = "{key}"\nlast_name = "{last}"\nfirst_name = "{first}"\nlanguage = "{language}"'
        yield f'email = "{key}@example.org"'
        if key in NUMBERS:
            yield f'niss = "{NUMBERS[key]}"'
        if title := next(fields[7] for fields in _fields() if fields[0] == key):
            yield f'title = "{title}"'
        yield ""


def _mandates() -> Iterator[str]:
    for person, entity, role, quality in MANAGERS:
        yield f'[[mandate]]\nperson = "{person}"\nentity = "{entity}"\nrole = "{role}"\nsince = 2020-01-01'
        if quality:
            yield f'quality = "{quality}"'
        yield ""


def _accounts(today: date) -> Iterator[str]:
    for number, (key, last, first, _, entity, subdivision, profession, _) in enumerate(_fields()):
        if key in {"delcourt", "claes", "kessel", "hubert"}:
            continue  # managers with no account of their own
        name = "".join(
            char
            for char in f"{first[: max(1, 7 - len(last))]}{last}".lower()
            if char.isascii() and char.isalpha()
        )
        taken = "2" if key.endswith("-2") else ""
        yield f'[[account]]\nperson = "{key}"\nentity = "{entity}"\nquality = "hospital"\nusername = "{name}{taken}"'
        if subdivision:
            yield f'subdivision = "{subdivision}"'
        if profession:
            yield f'profession = "{profession}"'
        if key in _BLOCKED:
            yield f'status = "blocked"\nstatus_reason = "{_BLOCKED[key]}"'
        yield from _held(number, key, subdivision, profession, today)
        yield ""


def _held(number: int, key: str, subdivision: str, profession: str, today: date) -> Iterator[str]:
    """What an account holds: by its number in the list, so that each state occurs at each entity."""

    def day(days: int) -> date:
        return today + timedelta(days=days)

    def grant(application: str, start: int, end: int | None = None) -> str:
        over = f"\n  ends_on = {day(end)}" if end is not None else ""
        return f'  [[account.grant]]\n  application = "{application}"\n  starts_on = {day(start)}{over}'

    def function(start: int, end: int | None = None) -> str:
        over = f"\n  ends_on = {day(end)}" if end is not None else ""
        name = _FUNCTIONS["harma" in subdivision or "poth" in subdivision]
        return f'  [[account.assignment]]\n  function = "{name}"\n  starts_on = {day(start)}{over}'

    ago = -40 - 37 * (number % 11)
    if key in {"peeters", "peeters-2"}:  # free for the dialogue: no Colindos yet
        yield grant("hospiliss", ago)
        return
    match number % 6:
        case 0 | 1:  # active, and has been for long
            yield grant("colindos", ago)
            if profession == "collaborator":
                yield function(ago)
        case 2:  # ends soon
            yield grant("colindos", ago, 3 + number % 25)
            if profession == "collaborator":
                yield function(ago, 3 + number % 25)
        case 3:  # begins later
            yield grant("colindos", 2 + number % 12)
            if profession == "collaborator":
                yield function(2 + number % 12)
        case 4:  # over
            yield grant("colindos", ago - 200, -5 - number)
            if profession == "collaborator":
                yield function(ago - 200, -5 - number)
        case 5:  # the step that is often forgotten: a collaborator without the function
            yield grant("colindos", ago)
    if number % 3 == 0:
        yield grant(_OTHERS[number % len(_OTHERS) - 1], ago)
