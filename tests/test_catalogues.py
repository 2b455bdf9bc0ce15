"""The catalogues as texts: marked up as Telegram takes it, set as each language is set, in the words that others rely on.

What a dialogue makes of them is the walk's to see (`conversations/test_walk.py`); here every text is read, also those
that no dialogue says.
"""

from __future__ import annotations

import re

import pytest
from bot.access.catalogue import builtin
from bot.demo.formatting import formatted
from bot.i18n import speaker
from bot.msg import LANGUAGES, Texts

from tests.texts import entries, gaps, message, texts

NBSP = "\N{NO-BREAK SPACE}"
each_language = pytest.mark.parametrize("lang", LANGUAGES)


def register_texts(lang: str) -> list[tuple[str, str]]:
    """What the built-in catalogue of applications says in a language."""
    catalogue = builtin()
    found: list[tuple[str, Texts | str]] = [(q.key, q.label) for q in catalogue.qualities]
    found += [(f.key, text) for f in catalogue.functions for text in (f.label, f.short)]
    found += [(a.key, text) for a in catalogue.applications for text in (a.name, a.description)]
    return [(key, text if isinstance(text, str) else getattr(text, lang)) for key, text in found]


@each_language
def test_every_text_is_markup_that_telegram_takes_whatever_fills_its_gaps(lang: str) -> None:
    for key in entries(lang):
        html = speaker(lang).html(message(key, "<b>&</i>"))
        text, _ = formatted(html, "HTML", None)
        assert text.count("<b>&</i>") == speaker(lang).plain(message(key, "<b>&</i>")).count("<b>&</i>"), key


# -- typography -----------------------------------------------------------------------------------

EVERYWHERE = {
    "a straight double quote": r'"',
    "two spaces": r"  ",
    "a space at an end": r"^\s|\s$",
    "a space before a comma or a full stop": r"[\w\u00a0 ]\s[,.](?!\w)",
    "three full stops for an ellipsis": r"\.\.\.",
    "an exclamation mark": r"!",
    "a double hyphen": r"--",
    "an apostrophe of another kind": "\N{RIGHT SINGLE QUOTATION MARK}s\\b|\\w\N{RIGHT SINGLE QUOTATION MARK}\\w",
    "a soft hyphen, tab, or space of another kind": r"[\u00ad\t\u2000-\u200f\u202f]",
}
OF_LANGUAGE = {
    "fr": {
        "no no-break space before a colon": r"[^\s\u00a0\d]:(?!//)|[^\u00a0\d]:\s",
        "no no-break space before ; ? !": r"[^\u00a0][;?!]",
        "no no-break space inside guillemets": r"«[^\u00a0]|[^\u00a0]»",
        "quotes of another language": r"[“”„‘]",
        "an old spelling of number or mail": r"\bN°(?!\s(?:INAMI|\{))|\bno\.|\b[Ee]mail\b|(?<!-)\bmail\b",
        "a familiar form": r"(?i)\b(?:tu|ton|ta|tes|toi|tien|tienne|tiens|tiennes)\b|\bt'",
        "a doubled form": r"\(e\)|·e\b|\bil ou elle\b",
        "a reproach": r"vous avez oublié|vous n'avez pas (?:rempli|indiqué)",
    },
    "nl": {
        "quotes of another language": r"[“”„«»]",
        "a familiar form": r"(?i)\b(?:je|jij|jou|jouw|jullie|jezelf)\b",
        "a word of the Netherlands": r"\buiterlijk\b|\bcontroleer\b|\bu heeft\b|\bBSN\b",
        "an English word": r"\b(?:e-mail adres|user|password|login|click)\b",
        "a space before punctuation": r"\s[:;?]",
    },
    "de": {
        "quotes of another language": r"[”‘«»]|(?:^|\s)“",
        "a quote that is not closed": r"„[^“]*$",
        "a familiar form": r"(?i)\b(?:du|dein(?:e[mnrs]?)?|dir|dich|euch|euer|eure[mnrs]?)\b",
        "a word of Germany": r"\b(?:Passwort|Personalnummer|Steuer-ID)\b",
        "a Swiss spelling": r"\b(?:grösse|ausserhalb|schliessen)\b",
        "a title nobody gave": r"\b(?:Herr|Frau)\b",
        "a space before punctuation": r"\s[:;?]",
    },
    "en": {
        "quotes of another language": r"[„‘«»]",
        "American spelling": r"\w(?:ization|izing)\b|\bauthorize\b|\bdialog\b|\bcanceled\b|\bcenter\b",
        "an official name of another language": r"\b(?:NISS|INSZ|ENSS|RIZIV|INAMI|LIKIV)\b",
        "a space before punctuation": r"\s[:;?]",
    },
}
"""What each language's house rules forbid, as patterns. Apostrophes are straight, in names too: D'Hondt."""


def typographic_faults(lang: str, text: str) -> list[str]:
    return [name for name, rule in (EVERYWHERE | OF_LANGUAGE[lang]).items() if re.search(rule, text)]


@each_language
def test_every_text_is_set_as_its_language_is(lang: str) -> None:
    faults = {
        (key, fault): text
        for key, text in (*texts(lang), *register_texts(lang))
        for fault in typographic_faults(lang, text)
    }
    assert faults == {}


@pytest.mark.parametrize(
    ("lang", "text", "fault"),
    [
        ("fr", "Quel nom ?", "no no-break space before ; ? !"),
        ("fr", "Par exemple: 1", "no no-break space before a colon"),
        ("fr", "Par exemple : 1", "no no-break space before a colon"),
        ("fr", "« Fait »", "no no-break space inside guillemets"),
        ("fr", "Votre email", "an old spelling of number or mail"),
        ("nl", "Tik op “Gedaan”", "quotes of another language"),
        ("fr", "Si tu veux, change ton mot de passe.", "a familiar form"),
        ("fr", "Tes accès sont là.", "a familiar form"),
        ("nl", "Wat is je naam?", "a familiar form"),
        ("nl", "Jij kunt dit wijzigen.", "a familiar form"),
        ("de", "Wenn du willst, ändere dein Kennwort", "a familiar form"),
        ("de", "Deinem Konto fehlt etwas.", "a familiar form"),
        ("de", "Tippen Sie auf “Erledigt”", "quotes of another language"),
        ("de", "Ihr Passwort", "a word of Germany"),
        ("en", "Tap ‘Done’", "quotes of another language"),
        ("en", "Your organization", "American spelling"),
        ("en", "Done!", "an exclamation mark"),
        ("en", "One  two", "two spaces"),
        ("en", 'Tap "Done"', "a straight double quote"),
    ],
)
def test_the_rules_of_typography_find_what_breaks_them(lang: str, text: str, fault: str) -> None:
    assert fault in typographic_faults(lang, text)


@each_language
def test_hardly_a_text_says_please_or_sorry(lang: str) -> None:
    polite = {
        "fr": r"s'il vous plaît|veuillez|merci de|désolé",
        "nl": r"alstublieft|gelieve|sorry|helaas",
        "de": r"\bbitte\b|leider|entschuldig",
        "en": r"\bplease\b|sorry|unfortunately",
    }[lang]
    said = {key for key, text in texts(lang) if re.search(polite, text, re.IGNORECASE)}
    assert said == ({"stranger.whom"} if lang == "en" else set())


@each_language
def test_texts_are_short_sentences(lang: str) -> None:
    """A sentence has at most 30 words, a text at most four sentences; the privacy notice says what the law wants said."""
    long = {
        key: sentence
        for key, text in texts(lang)
        for sentence in re.split(r"(?<=[.?:;])\s", text)
        if len(sentence.split()) > 30
    }
    assert long == {}
    many = {key for key, text in texts(lang) if len(re.findall(r"[.?](?:\s|$)", text)) > 4}
    assert many <= {"bot.description", "privacy.notice"}


# -- wrong answers --------------------------------------------------------------------------------

EXAMPLE = re.compile(
    r"(?i)par exemple|bijvoorbeeld|zum beispiel|for example"
    r"|\{(?:example|earliest|latest|today|start|date|since|what)\}|example\.org|\d{4}-\d{6}|998|22 "
)
WRONG = (
    "date.",
    "email.",
    "end.",
    "enterprise.",
    "establishment.",
    "name.",
    "nihii.",
    "niss.",
    "start.",
    "step.",
    "username.",
)
NO_EXAMPLE = {
    "username.how": "buttons below it are the examples",
    "end.title": "a title",
    "niss.deleted": "says what was done",
    "nihii.unconfirmed": "a note, nothing is wrong",
    "start.agree": "a button",
    "start.already": "says how it is",
    "start.back_else": "says how it is",
    "start.back_else_provider": "says how it is",
    "start.back_why": "says how it is",
    "start.later": "a button",
    "start.ask_code": "a question",
    "start.code": "a label",
    "start.have_code": "a button",
    "start.title": "a title",
    "step.gone": "the list that follows says it",
    "step.line": "a line of a list",
    "step.nothing": "nothing can be given",
    "step.page": "a button",
    "username.unusual": "a note, nothing is wrong",
}
"""Texts of these families that need no example, and why."""


@each_language
def test_a_wrong_answer_is_told_what_is_expected_with_an_example(lang: str) -> None:
    without = {key for key, text in texts(lang) if key.startswith(WRONG) and not EXAMPLE.search(text)}
    assert without <= NO_EXAMPLE.keys()
    assert NO_EXAMPLE.keys() <= entries(lang).keys()


# -- the same in two languages ---------------------------------------------------------------------

SAME = {
    "a pattern of signs and gaps": (
        "application.line appoint.heir_line appoint.office_line calendar.month card.fact change.item day.is entity.label step.then keeping.of"
        " managers.at managers.at_part managers.line me.account"
        " person.reads quality.line status.application status.application_in status.change_line status.entity"
        " status.person_line step.line step.list step.page web.stored.role portal.visit portal.visit_line portal.visit_place qualities.line"
        " edit.line edit.reads functions.in user.past mydata.line users.filter users.not_active users.number"
        " certificates.choice certificates.line certificates.state"
        " change.place change.renamed subclose.with subdivisions.led subdivisions.line subdivisions.option"
    ),
    "a language in its own name": "language.de language.en language.fr language.nl",
    "the name of a program": "users.export.xlsx",
    "a month that two languages write alike": "month.4 month.9 month.11 month.8",
    "a weekday that two languages shorten alike": "weekday.short.1 weekday.short.5 weekday.short.6",
    "a word that both languages have": (
        "span.minutes start.later change.kind.grant day.tomorrow day.calendar field.applications"
        " field.number field.person field.status field.subdivision field.title"
        " role.auditor privacy.title bind.person way.sent ending.account unseat.mandate"
        " field.type users.by.application users.by.status users.by.subdivision users.by.type users.narrowed"
        " users.type.user users.what users.who contact.text quality.active"
        " users.export.all users.export.form subdivisions.count subdivisions.name subdivisions.title"
    ),
}
"""Keys whose text may be the same in two languages, by the reason."""


def test_two_languages_say_the_same_only_for_a_reason() -> None:
    same = {key for key in entries("fr") if len({entries(lang)[key] for lang in LANGUAGES}) < len(LANGUAGES)}
    assert same == {key for keys in SAME.values() for key in keys.split()}


# -- words that others rely on -----------------------------------------------------------------------

LABELS = """\
common.confirm | Confirmer | Bevestigen | Bestätigen | Confirm
common.previous | Précédent | Vorige | Zurück | Previous
common.next | Suivant | Volgende | Weiter | Next
common.cancel | Annuler | Annuleren | Abbrechen | Cancel
common.edit | Modifier | Wijzigen | Ändern | Edit
common.later | Garder pour plus tard | Bewaren voor later | Für später aufheben | Keep for later
common.resume | Reprendre | Hervatten | Fortsetzen | Resume
common.home | Accueil | Startpagina | Startseite | Home
home.title | Accueil | Startpagina | Startseite | Home
grant.title | Donner un accès | Toegang geven | Zugang geben | Give access
end.title | Mettre fin à un accès | Toegang beëindigen | Zugang beenden | End access
status.title | État des accès | Stand van de toegangen | Stand der Zugänge | Access status
common.status | État des accès | Stand van de toegangen | Stand der Zugänge | Access status
users.title | Utilisateurs | Gebruikers | Benutzer | Users
functions.title | Fonctions | Functies | Funktionen | Functions
day.today | Aujourd'hui | Vandaag | Heute | Today
day.tomorrow | Demain | Morgen | Morgen | Tomorrow
ending.now | Maintenant | Nu | Jetzt | Now
unseat.now | Maintenant | Nu | Jetzt | Now
ending.tonight | Ce soir | Vanavond | Heute Abend | Tonight
day.calendar | Calendrier | Kalender | Kalender | Calendar
day.no_end | Sans date de fin | Zonder einddatum | Ohne Enddatum | No end date
profession.specialist-physician | Médecin(-spécialiste) | Arts(-specialist) | Arzt / Facharzt | Specialist physician / physician
profession.hospital-pharmacist | Pharmacien hospitalier | Ziekenhuisapotheker | Krankenhausapotheker | Hospital pharmacist
profession.collaborator-physician | Collaborateur médecin-spécialiste | Medewerker arts-specialist | Mitarbeiter Facharzt | Collaborator, physician
profession.collaborator-pharmacist | Collaborateur pharmacien hosp. | Medewerker ziekenhuisapotheker | Mitarbeiter Krankenhausapotheker | Collaborator, pharmacist
language.title | Langue | Taal | Sprache | Language
help.title | Aide | Hulp | Hilfe | Help
lock.title | Verrouiller | Vergrendelen | Sperren | Lock
person.new | Nouvel utilisateur | Nieuwe gebruiker | Neuer Benutzer | New user
newuser.title | Nouvel utilisateur | Nieuwe gebruiker | Neuer Benutzer | New user
"""
"""Labels that scripts and outside tests tap: they begin with these words, and change only with a line in the changelog."""

GLOSSARY = """\
account.active | actif | actief | aktiv | active
account.blocked | bloqué | geblokkeerd | gesperrt | blocked
account.deleted | supprimé | verwijderd | gelöscht | deleted
change.pending | en attente | in afwachting | ausstehend | pending
declared.collaborator | collaborateur | medewerker | Mitarbeiter | collaborator
field.applications | applications | toepassingen | Anwendungen | applications
field.end | date de fin | einddatum | Enddatum | end date
field.entity | entité | entiteit | Einheit | entity
field.first_name | prénom | voornaam | Vorname | first name
field.language | choix linguistique | taalkeuze | Sprachwahl | language
field.last_name | nom | naam | Name | last name
field.local_email | adresse e-mail locale | lokaal e-mailadres | lokale E-Mail-Adresse | local e-mail address
field.niss | NISS | INSZ | ENSS | SSIN
field.quality | qualité | hoedanigheid | Eigenschaft | capacity
field.start | date de début | begindatum | Anfangsdatum | start date
field.status | statut | status | Status | status
field.subdivision | subdivision | subafdeling | Unterabteilung | subdivision
field.title | titre | titel | Titel | title
field.username | nom d'utilisateur | gebruikersnaam | Benutzername | username
grant.ask.end | (jj-mm-aaaa) | (dd-mm-jjjj) | (TT-MM-JJJJ) | (dd-mm-yyyy)
grant.ask.start | (jj-mm-aaaa) | (dd-mm-jjjj) | (TT-MM-JJJJ) | (dd-mm-yyyy)
nihii.check | n° INAMI | RIZIV-nummer | LIKIV-Nummer | NIHDI number
enterprise.check | numéro d'entreprise | ondernemingsnummer | Unternehmensnummer | enterprise number
establishment.check | numéro d'unité d'établissement | vestigingseenheidsnummer | Niederlassungseinheitsnummer | establishment unit number
password.simple | mot de passe | wachtwoord | Kennwort | password
portal.step.functions | Fonctions et hiérarchie de responsabilité | Functies en verantwoordelijkheidshiërarchie | Funktionen und Verantwortungshierarchie | Functions and hierarchy of responsibility
portal.step.entity | N° INAMI | RIZIV-nummer | LIKIV-Nummer | NIHDI number
privacy.more | journal d'audit | auditlogboek | Prüfprotokoll | audit log
role.co-responsible | Co-Responsable Accès Entité (CRAE) | Co-Verantwoordelijke Toegangen Entiteit (Co-VTE) | Co-Zugangsverantwortlicher der Einheit | Co-entity access manager
role.group | gestionnaire de groupe | groepsbeheerder | Gruppenverwalter | group manager
role.legal-representative | représentant légal | wettelijke vertegenwoordiger | gesetzlicher Vertreter | legal representative
role.local | gestionnaire local | lokale beheerder (LB) | lokaler Verwalter | local manager
role.responsible | Responsable Accès Entité (RAE) | Verantwoordelijke Toegangen Entiteit (VTE) | Zugangsverantwortlicher der Einheit | Entity access manager (RAE)
role.subdivision | gestionnaire de subdivision | subafdelingsbeheerder (SAB) | Verwalter der Unterabteilung | subdivision manager
role.user | utilisateur | gebruiker | Benutzer | user
stranger.title | Gestion des accès | Toegangsbeheer | Zugangsverwaltung | Access management
stranger.what | gestionnaires d'accès | toegangsbeheerders | Zugangsverwalter | access managers
stranger.portal | formulaire de contact | contactformulier | Kontaktformular | contact form
users.found | utilisateurs trouvés | gebruikers gevonden | Benutzer gefunden | users found
"""
"""Official words, or the plain first wording among them, that the text of a key holds."""


def table(rows: str) -> list[tuple[str, str, str]]:
    """(key, language, words) of each cell."""
    cells = [[cell.strip() for cell in row.split("|")] for row in rows.splitlines()]
    return [
        (key, lang, words) for key, *in_each in cells for lang, words in zip(LANGUAGES, in_each, strict=True)
    ]


def said(lang: str, key: str) -> str:
    return " ".join(entries(lang)[key]).replace(NBSP, " ")


@pytest.mark.parametrize(("key", "lang", "words"), table(LABELS))
def test_a_label_begins_with_the_words_that_others_rely_on(key: str, lang: str, words: str) -> None:
    assert re.match(rf"{re.escape(words)}(?!\w)", said(lang, key))


@pytest.mark.parametrize(("key", "lang", "words"), table(GLOSSARY))
def test_the_official_words_are_used(key: str, lang: str, words: str) -> None:
    assert words.casefold() in said(lang, key).casefold()


def test_functions_bear_their_official_names_and_short_ones_on_buttons() -> None:
    labels = {f.key: (f.label, f.short) for f in builtin().functions}
    physician, short = labels["collaborator-specialist-physician"]
    assert [getattr(physician, lang) for lang in LANGUAGES] == [
        "Collaborateur médecin-spécialiste",
        "Medewerker arts-specialist",
        "Mitarbeiter Facharzt",
        "Collaborator of a specialist physician",
    ]
    assert [getattr(short, lang) for lang in LANGUAGES] == [
        said(lang, "profession.collaborator-physician") for lang in LANGUAGES
    ]


@each_language
def test_the_texts_have_the_same_gaps_in_every_language(lang: str) -> None:
    for key, forms in entries(lang).items():
        assert {name for form in forms for name in gaps(form)} == {
            name for form in entries("fr")[key] for name in gaps(form)
        }, key
