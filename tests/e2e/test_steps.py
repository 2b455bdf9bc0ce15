"""At each step of the main dialogue: a wrong answer, the language changed in the middle, Back and forth; at the end every answer edited."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta

import pytest
from bot.access.rows import ASSIGNMENTS, CHANGES
from sqlalchemy import select
from tests.e2e.world import plain, today


@dataclass(frozen=True)
class Turn:
    """A question in French and in Dutch, what is wrong to say, what the bot says to it, and the right answer."""

    question: str
    vraag: str
    wrong: str
    says: str
    right: str
    tapped: bool = False


DAY = (today() + timedelta(days=3)).strftime("%d-%m-%Y")
LATER = (today() + timedelta(days=60)).strftime("%d-%m-%Y")
STEPS = (
    Turn("Pour quelle entité ?", "Voor welke entiteit?", "Atlantis", "n'est pas dans la liste", "Hôpitaux du Midi", tapped=True),
    Turn("À qui ?", "Aan wie?", "79.08.23-997.29", "Ce NISS n'est pas valable", "01.09.22-997.08"),
    Turn("Son nom ?", "Wat is de naam?", "V3rmeulen", "Un nom n'a pas de chiffres", "Vermeulen"),
    Turn("Son prénom ?", "de voornaam?", "To<m", "ne peut pas figurer dans un nom", "Tom"),
    Turn("Son adresse e-mail ?", "e-mailadres?", "tom@", "Ce qui suit le signe @", "tom@example.org"),
    Turn("Quelles applications ?", "Welke toepassingen?", "Colibri", "n'est pas dans la liste", "Colindos, Hospiliss"),
    Turn("Cette personne est…", "Deze persoon is…", "jardinier", "n'est pas dans la liste", "Collaborateur pharmacien hosp.", tapped=True),
    Turn("Date de début ?", "Begindatum?", "31-02-2027", "n'existe pas", DAY),
)  # fmt: skip
EDITS = (
    ("Nom", "Son nom ?", "Verbruggen"),
    ("Prénom", "Son prénom ?", "Thomas"),
    ("Adresse e-mail", "Son adresse e-mail ?", "thomas@example.org"),
    ("Date de fin", "Date de fin ?", LATER),
    ("Nom d'utilisateur", "Quel nom d'utilisateur ?", "tverbrug7"),
    ("Choix linguistique", "Sa langue sur le portail ?", "Nederlands"),
    ("Titre", "Son titre ?", "Dr."),
    ("Adresse e-mail locale", "Son adresse e-mail locale", "local@example.org"),
)
"""At the recap: the answer to change, its question, the new answer."""


def answers(driver, step):
    if step.tapped:
        driver.taps(driver.expects(step.question, label=step.right), step.right)
    else:
        driver.expects(step.question)
        driver.says(step.right)


def goes_on(driver, step):
    """After Back: the answer given before is offered; taken with one tap."""
    card = driver.expects(step.question)
    if any("☑" in label for label in card.labels):
        driver.taps(card, "Suivant")
    else:
        (kept,) = [label for label in card.labels if "✔" in label]
        driver.taps(card, plain(kept))


@pytest.fixture
def anne(shared):
    driver = shared.manager("delcourt", name="Anne")
    driver.says("/grant")
    return driver


def test_whatever_happens_at_each_step_the_right_row_is_written(shared, anne):
    for number, step in enumerate(STEPS):
        # a wrong answer stands in the card with what is expected, and the question stays
        anne.expects(step.question)
        anne.says(step.wrong)
        assert step.question in plain(anne.expects(step.says).text)
        # the language changes in the middle, and the dialogue stays where it is
        anne.says("/language nl")
        anne.expects(step.vraag)
        anne.says("/language fr")
        anne.expects(step.question)
        # back to the step before, and on again with the answer kept
        if number:
            anne.taps(anne.expects(step.question), "Précédent")
            goes_on(anne, STEPS[number - 1])
            anne.expects(step.question)
        else:
            anne.says("/back")
            anne.expects("C'est la première étape")
        answers(anne, step)
    recap = plain(anne.expects("Récapitulatif").text)
    assert "••.••.••-•••.08" in recap and "01.09.22" not in recap
    anne.taps(anne.expects("Récapitulatif"), "Précédent")
    goes_on(anne, STEPS[-1])
    for label, question, answer in EDITS:
        anne.taps(anne.expects("Récapitulatif"), "Modifier")
        card = anne.expects("Quelle réponse voulez-vous modifier ?")
        (exactly,) = [text for text in card.labels if plain(text) == label]
        anne.taps(card, plain(exactly))
        anne.expects(question)
        anne.says(answer)
    anne.taps(anne.expects("Récapitulatif"), "Confirmer")
    anne.expects("Enregistré sous le n°")
    (number,) = shared.numbers(anne.id)
    assert shared.held("tverbrug7") == [
        ("assignment", "collaborator-hospital-pharmacist"),
        ("grant", "colindos"),
        ("grant", "hospiliss"),
    ]
    row = shared.profile_of("tverbrug7")
    assert (row.last_name, row.first_name, row.email) == ("Verbruggen", "Thomas", "thomas@example.org")
    assert (row.language, row.title, row.local_email) == ("nl", "Dr.", "local@example.org")
    days = select(ASSIGNMENTS.c.starts_on, ASSIGNMENTS.c.ends_on).where(ASSIGNMENTS.c.change_number == number)
    assert [tuple(row) for row in shared.rows(days)] == [
        (today() + timedelta(days=3), today() + timedelta(days=60))
    ]
    # a national number that was typed stands nowhere in the chat any more
    assert not any(
        "997" in seen.text and "••" not in seen.text for seen in anne.person.chat if not seen.from_bot
    )


def test_what_is_left_at_any_step_records_nothing_and_can_be_resumed(shared, anne):
    somebody_else = replace(STEPS[1], right="04.06.19-998.42")
    for step in (STEPS[0], somebody_else, *STEPS[2:4]):
        answers(anne, step)
    before = shared.register_as_it_is()
    anne.expects("Son adresse e-mail ?")
    anne.says("/status")
    card = anne.expects("", label="Reprendre : Donner un accès")
    anne.taps(card, "Reprendre : Donner un accès")
    anne.taps(anne.expects("Son adresse e-mail ?"), "Annuler")
    anne.taps(anne.expects("Annuler ce dialogue ?"), "Garder pour plus tard")
    anne.taps(anne.expects("Gardé pendant 7 jours", label="Reprendre"), "Reprendre")
    anne.taps(anne.expects("Son adresse e-mail ?"), "Annuler")
    anne.taps(anne.expects("Annuler ce dialogue ?"), "Oui")
    anne.expects("Rien n'a été enregistré")
    assert shared.register_as_it_is() == before
    assert shared.rows(select(CHANGES.c.number).where(CHANGES.c.chat_id == anne.id)) == []
