"""The main dialogue, as people have it. Each test is a transcript."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from bot.access.requests import Conflict, GrantAccess, Refused
from bot.conversations.model import Forget
from bot.conversations.ports import Holding
from bot.conversations.registry import ENGINE
from bot.conversations.testing import AUBE, MIDI, MemoryDirectory, Talk, plain, said, sample
from bot.msg import m


@pytest.fixture
def talk() -> Talk:
    return Talk(ENGINE, sample())


def two_entities() -> MemoryDirectory:
    directory = sample()
    directory.places = (MIDI, AUBE)
    return directory


def test_a_known_physician_takes_six_interactions_at_most(capsys) -> None:
    talk = Talk(ENGINE, two_entities()).command("grant")
    talk.taps("Hôpitaux du Midi", "Peeters Jan · Cardiologie", "Colindos", "Suivant", "Confirmer")
    assert talk.requests == [
        GrantAccess("midi-h", ("colindos",), account="a0001", version=1, profession="specialist-physician")
    ]
    with capsys.disabled():
        print(f"\n  interactions, known person: {talk.interactions} (target 6)")
    assert talk.interactions <= 6


def test_a_new_physician_takes_twelve_interactions_at_most(capsys) -> None:
    talk = Talk(ENGINE, two_entities()).command("grant").taps("Hôpitaux du Midi")
    talk.says("01.09.22-997.08", "Vermeulen", "Tom", "tom.vermeulen@example.org")
    talk.taps("Colindos", "Suivant", "Médecin", "Confirmer")
    request = talk.requests[-1]
    assert isinstance(request, GrantAccess)
    assert request.function is None
    assert request.user is not None
    assert request.user.niss == "01092299708"
    with capsys.disabled():
        print(f"\n  interactions, new physician: {talk.interactions} (target 12)")
    assert talk.interactions <= 12


def test_a_new_collaborator_takes_fourteen_interactions_at_most(capsys) -> None:
    talk = Talk(ENGINE, two_entities()).command("grant").taps("Hôpitaux du Midi")
    talk.says("01.09.22-997.08", "Vermeulen", "Tom", "tom.vermeulen@example.org")
    talk.taps("Colindos", "Suivant", "Collaborateur pharmacien", "Aujourd'hui", "Confirmer")
    request = talk.requests[-1]
    assert isinstance(request, GrantAccess)
    assert request.function == "collaborator-hospital-pharmacist"
    assert request.starts_on == date(2026, 11, 24)
    assert request.ends_on is None
    with capsys.disabled():
        print(f"\n  interactions, new collaborator: {talk.interactions} (target 14)")
    assert talk.interactions <= 14


def test_everything_can_be_typed_as_well() -> None:
    talk = Talk(ENGINE, sample(), lang="nl").command("grant")
    talk.says("1", "claes", "Colindos", "Medewerker ziekenhuisapotheker", "morgen", "bevestigen")
    request = talk.requests[-1]
    assert isinstance(request, GrantAccess)
    assert (request.account, request.function) == ("a0003", "collaborator-hospital-pharmacist")
    assert request.starts_on == date(2026, 11, 25)


def test_a_name_with_a_typing_error_offers_whom_it_may_mean(talk: Talk) -> None:
    talk.command("grant").taps("Hôpitaux").says("Cleas Mieke")
    assert "Vouliez-vous dire" in talk.sees()
    talk.taps("Claes Mieke")
    assert "Quelles applications" in talk.sees()


def test_the_label_of_any_button_may_be_typed(talk: Talk) -> None:
    talk.command("grant").says(
        "Hôpitaux du Midi", "nouvel utilisateur", "Vermeulen", "Tom", "tom@example.org"
    )
    talk.says("Colindos", "Collaborateur pharmacien hosp.", "calendrier")
    assert "novembre 2026" in talk.sees()
    talk.says(
        "aujourd'hui",
        "modifier",
        "titre",
        "aucun",
        "modifier",
        "adresse e-mail locale",
        "Aucune",
        "confirmer",
    )
    request = talk.requests[-1]
    assert isinstance(request, GrantAccess)
    assert request.user
    assert (request.user.title, request.user.local_email) == (None, None)


@pytest.mark.parametrize(
    "typed",
    ["Colindos, Hospiliss", "hospiliss et colindos", "1 2", "1,2", "Colindos + 2", "colindos\nhospilis"],
)
def test_several_applications_are_typed_in_one_message(talk: Talk, typed: str) -> None:
    talk.command("grant").taps("Hôpitaux", "Peeters Jan · Cardiologie").says(typed)
    assert "Applications: Colindos, Hospiliss" in talk.sees()


def test_the_label_of_a_homonym_may_be_typed(talk: Talk) -> None:
    talk.command("grant").says("Hôpitaux du Midi", "Peeters Jan · Pharmacie")
    assert talk.state.top
    assert talk.state.top.answers["person"] == {"account": "a0002", "version": 1}


def test_the_question_about_leaving_names_the_entity(talk: Talk) -> None:
    talk.command("grant").taps("Hôpitaux").says("01.09.22-997.08").command("grant")
    assert "Donner un accès · Hôpitaux du Midi" in talk.sees()
    talk.taps("Annuler")
    assert "Donner un accès · Hôpitaux du Midi" in talk.sees()


def test_what_the_other_manager_gave_meanwhile_is_not_asked_for_again(talk: Talk) -> None:
    talk.command("grant").taps("Hôpitaux", "Peeters Jan · Cardiologie").says("Colindos")
    card = talk.directory.cards["a0001"]
    given = Holding("application", "colindos", "pending", date(2026, 11, 24))
    talk.directory.cards["a0001"] = replace(card, ref=replace(card.ref, version=2), holdings=(given,))
    talk.directory.conflict = Conflict((m("act.changed.grant", what="Colindos", number="2026-000009"),), 2)
    talk.taps("Confirmer")
    assert "Accès donné entre-temps : Colindos (n° 2026-000009)" in talk.sees()
    assert "À redemander, car cela ne convient plus : Applications" in talk.sees()
    assert "Quelles applications" in talk.sees()


def test_homonyms_are_told_apart_by_their_subdivision(talk: Talk) -> None:
    talk.command("grant").taps("Hôpitaux").says("peeters")
    assert "[Peeters Jan · Cardiologie]" in talk.sees()
    assert "[Peeters Jan · Pharmacie]" in talk.sees()


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("7908239972", "11 chiffres"),
        ("79082499728", "au moins un chiffre est faux"),
        ("79132399763", "mois"),
        ("Zzzzzz", "Personne ne correspond"),
    ],
)
def test_a_wrong_person_gets_one_sentence_and_loses_nothing(talk: Talk, typed: str, sentence: str) -> None:
    talk.command("grant").taps("Hôpitaux")
    before = talk.state.top
    talk.says(typed)
    assert sentence in talk.sees()
    assert "À qui" in talk.sees()
    assert talk.state.top and before
    assert talk.state.top.answers == before.answers


def test_a_typed_national_number_is_deleted_wherever_it_is_typed(talk: Talk) -> None:
    for place in (["grant"], ["help"], ["home"], []):
        for name in place:
            talk.command(name)
        talk.says("bonjour, c'est 79.08.23-997.28 merci")
        assert Forget() in talk.replies[-1].effects
        assert "je l'ai supprimé" in talk.sees()
        assert "79.08.23-997.28" not in talk.sees()


def test_what_somebody_has_already_is_said_and_cannot_be_given_twice(talk: Talk) -> None:
    talk.command("grant").taps("Hôpitaux", "Peeters Jan · Pharmacie")
    assert "🟢 Hospiliss est déjà actif pour cette personne depuis le 12-03-2026." in talk.sees()
    assert "[☐ Hospiliss]" not in talk.sees()
    talk.says("Hospiliss")
    assert "⚠ 🟢 Hospiliss est déjà actif" in talk.sees()


def test_a_forgotten_function_is_pointed_out_and_added(talk: Talk) -> None:
    talk.command("grant").taps("Hôpitaux", "Claes Mieke")
    assert "mais la fonction manque" in talk.sees()
    talk.taps("Colindos", "Suivant", "Collaborateur médecin", "Demain", "Confirmer")
    request = talk.requests[-1]
    assert isinstance(request, GrantAccess)
    assert request.function == "collaborator-specialist-physician"


def test_a_blocked_account_says_so_and_is_reactivated_along_with_the_grant(talk: Talk) -> None:
    talk.command("grant").taps("Hôpitaux", "Lambert")
    assert "⚠ Lambert Zoé a un compte bloqué." in talk.sees()
    talk.taps("Réactiver ce compte").says("Hospiliss")
    assert "Lambert Zoé, zlambert (compte bloqué, sera réactivé)" in talk.sees()
    talk.taps("Confirmer")
    assert talk.requests == [
        GrantAccess("midi-h", ("hospiliss",), account="a0004", version=1, reactivate=True)
    ]


def test_the_offer_to_reactivate_goes_with_the_person_it_was_made_for(talk: Talk) -> None:
    talk.command("grant").taps("Hôpitaux", "Lambert").says("peeters")
    assert "Réactiver" not in talk.sees()
    talk.says("réactiver ce compte")
    assert "Quelles applications" not in talk.sees()


def test_an_access_that_ends_is_offered_to_be_extended_and_its_new_end_is_asked(talk: Talk) -> None:
    card = talk.directory.cards["a0005"]
    talk.directory.cards["a0005"] = replace(card, ref=replace(card.ref, profession="specialist-physician"))
    talk.command("grant").taps("Clinique", "Maes Wout")
    line = "🟢 Colindos est actif pour cette personne depuis le 12-03-2026, jusqu'au 03-12-2026."
    assert line in talk.sees()
    talk.taps("Colindos · prolonger", "Suivant")
    assert "Prolonger jusqu'à quand" in talk.sees()
    talk.says("1.12.2026")
    assert "⚠ La fin ne peut pas précéder le début. Tapez une date à partir du 04-12-2026." in talk.sees()
    talk.says("30.6.2027")
    assert "Applications: Colindos · prolonger" in talk.sees()
    assert "Date de fin: 30-06-2027" in talk.sees()
    talk.taps("Confirmer")
    request = talk.requests[-1]
    assert isinstance(request, GrantAccess)
    assert (request.applications, request.starts_on, request.ends_on, request.function) == (
        ("colindos",),
        date(2026, 11, 24),
        date(2027, 6, 30),
        None,
    )


def test_nothing_that_ends_becomes_longer_unasked(talk: Talk) -> None:
    talk.command("grant").taps("Clinique", "Maes Wout").says("Colindos").taps("Collaborateur médecin")
    talk.taps("Aujourd'hui")
    assert "Prolonger jusqu'à quand" in talk.sees()
    talk.says("3.12.2026").taps("Confirmer")
    request = talk.requests[-1]
    assert isinstance(request, GrantAccess)
    assert (request.function, request.ends_on) == ("collaborator-specialist-physician", date(2026, 12, 3))


def test_what_has_no_end_is_not_offered_to_be_extended(talk: Talk) -> None:
    talk.command("grant").taps("Hôpitaux", "Peeters Jan · Pharmacie")
    assert "prolonger" not in talk.sees()


def test_a_collaborators_function_is_extended_with_the_application(talk: Talk) -> None:
    old, end, active = date(2026, 3, 12), date(2026, 12, 10), datetime(2026, 3, 11, 23, 0, tzinfo=UTC)
    both = (("application", "colindos"), ("function", "collaborator-hospital-pharmacist"))
    talk.directory.add(
        "Aerts",
        "Stijn",
        username="saerts01",
        profession="collaborator",
        holdings=[Holding(kind, key, "active", old, end, active) for kind, key in both],
    )
    talk.command("grant").taps("Hôpitaux").says("aerts")
    assert "actif pour cette personne depuis le 12-03-2026" in talk.sees(), "a Brussels day, not that of UTC"
    talk.says("Colindos").taps("Sans date de fin", "Confirmer")
    request = talk.requests[-1]
    assert isinstance(request, GrantAccess)
    assert (request.function, request.starts_on, request.ends_on) == (
        "collaborator-hospital-pharmacist",
        date(2026, 11, 24),
        None,
    )


@pytest.mark.parametrize(
    ("now", "typed", "sentence"),
    [
        ("2026-11-24T09:00", "aujourd'hui", "au plus tard à 10:20"),
        ("2026-11-24T14:00", "demain", "à partir du 25-11-2026"),
        ("2026-11-24T22:50", "aujourd'hui", "au plus tard à 00:10"),
        ("2026-03-28T14:00", "demain", "à partir du 29-03-2026"),
    ],
    ids=["the same day", "in the afternoon for tomorrow", "over midnight", "into summer time"],
)
def test_the_receipt_tells_a_time_or_a_day_whichever_counts(now: str, typed: str, sentence: str) -> None:
    talk = Talk(ENGINE, sample(), now=datetime.fromisoformat(now).replace(tzinfo=UTC))
    talk.command("grant").taps("Hôpitaux", "Claes Mieke")
    talk.taps("Colindos", "Suivant", "Collaborateur médecin").says(typed).taps("Confirmer")
    assert sentence in plain(said(talk.receipts[-1], "fr"))


def test_done_on_the_portal_a_later_start_is_told_as_a_day(talk: Talk) -> None:
    talk.command("grant").taps("Hôpital du Quai", "Nouvel utilisateur")
    talk.says(
        "Vermeulen", "Tom", "tom@example.org", "Colindos", "Collaborateur médecin-spécialiste", "1.12.2026"
    )
    talk.taps("Confirmer", "Étapes sur le portail")
    assert "À faire sur le portail · Hôpital du Quai" in talk.sees()
    talk.taps("Fait")
    assert talk.receipts[-1].title == m("portal.done_title"), "what is done is not 'to do'"
    assert "à partir du 01-12-2026" in plain(said(talk.receipts[-1], "fr"))


def test_the_steps_of_another_number_open_without_a_question(talk: Talk) -> None:
    for last in ("Vermeulen", "Wouters"):
        talk.command("grant").taps("Hôpital du Quai", "Nouvel utilisateur")
        talk.says(last, "Tom", "tom@example.org", "Hospiliss").taps("Confirmer", "Étapes sur le portail")
    assert "Wouters Tom" in talk.sees()


def test_profession_and_dates_are_not_asked_where_no_function_is_needed(talk: Talk) -> None:
    talk.command("grant").taps("Hôpitaux", "Claes Mieke").says("Hospiliss")
    assert "Récapitulatif" in talk.sees()
    assert "Profession" not in talk.sees()


def test_back_keeps_the_answer_as_a_proposal(talk: Talk) -> None:
    talk.command("grant").taps("Hôpitaux").says("01.09.22-997.08", "Vermeulen", "Tom").taps("Précédent")
    assert "Son prénom" in talk.sees()
    assert "[✔ Garder : Tom]" in talk.sees()
    talk.taps("Garder")
    assert "Son adresse e-mail" in talk.sees()


def test_edit_goes_to_any_answer_and_returns_to_the_recap(talk: Talk) -> None:
    talk.command("grant").taps("Hôpitaux", "Peeters Jan · Cardiologie").says("Colindos")
    talk.taps("Modifier", "Applications")
    talk.says("Colindos, Hospiliss")
    assert "Récapitulatif" in talk.sees()
    assert "Colindos, Hospiliss" in talk.sees()


def test_a_changed_answer_drops_only_what_no_longer_fits_and_says_so(talk: Talk) -> None:
    talk.command("grant").taps("Hôpitaux", "Peeters Jan · Cardiologie").says("Colindos")
    talk.taps("Modifier", "Entité", "Clinique")
    assert "À redemander" in talk.sees()
    assert "À qui" in talk.sees()
    talk.taps("Maes Wout")
    assert "Clinique Sainte-Aube" in talk.sees()


def test_cancel_asks_once_after_typing_and_offers_to_keep(talk: Talk) -> None:
    talk.command("grant").taps("Hôpitaux").says("01.09.22-997.08").taps("Annuler")
    assert "[Garder pour plus tard]" in talk.sees()
    talk.taps("Garder pour plus tard")
    talk.taps("Reprendre : Donner un accès")
    assert "Son nom" in talk.sees()
    talk.command("cancel").taps("Oui, annuler")
    assert "Rien n'a été enregistré" in talk.sees()
    assert talk.requests == []


def test_cancel_does_not_ask_when_nothing_was_typed(talk: Talk) -> None:
    talk.command("grant").taps("Hôpitaux", "Annuler")
    assert "Annulé" in talk.sees()


def test_a_status_query_in_the_middle_leads_back(talk: Talk) -> None:
    talk.command("grant").taps("Hôpitaux").says("01.09.22-997.08", "Vermeulen")
    talk.command("status", "Claes")
    assert "Colindos, actif depuis le 12-03-2026" in talk.sees()
    talk.taps("Reprendre : Donner un accès")
    assert "Son prénom" in talk.sees()


def test_a_language_switch_in_the_middle_leads_back_in_that_language(talk: Talk) -> None:
    talk.command("grant").taps("Hôpitaux").command("language").taps("Nederlands")
    assert "Aan wie?" in talk.sees()
    assert "Ziekenhuizen van het Zuiden" in talk.sees()


def test_a_second_grant_offers_to_go_on_or_start_anew(talk: Talk) -> None:
    talk.command("grant").taps("Hôpitaux").command("grant")
    assert "est déjà ouvert" in talk.sees()
    talk.taps("Reprendre")
    assert "À qui" in talk.sees()
    talk.command("grant").taps("Recommencer")
    assert "Pour quelle entité" in talk.sees()


def test_somebody_elses_change_meanwhile_is_shown_and_decided_again(talk: Talk) -> None:
    talk.command("grant").taps("Hôpitaux", "Peeters Jan · Cardiologie").says("Colindos")
    talk.directory.conflict = Conflict((m("grant.has", name="Hospiliss", since=date(2026, 11, 24)),), 2)
    talk.taps("Confirmer")
    assert "Entre-temps, quelqu'un a modifié cet utilisateur" in talk.sees()
    assert "Récapitulatif" in talk.sees()
    talk.taps("Confirmer")
    request = talk.requests[-1]
    assert isinstance(request, GrantAccess)
    assert request.version == 2


def test_a_refusal_leads_to_the_step_that_can_help(talk: Talk) -> None:
    talk.command("grant").taps("Hôpitaux").says(
        "01.09.22-997.08", "Vermeulen", "Tom", "tom@example.org", "Hospiliss"
    )
    talk.directory.refusal = Refused(m("username.taken", example="tvermeu2"), "username")
    talk.taps("Confirmer")
    assert "existe déjà" in talk.sees()
    assert "Quel nom d'utilisateur" in talk.sees()
    talk.says("tvermeu2").taps("Confirmer")
    request = talk.requests[-1]
    assert isinstance(request, GrantAccess)
    assert request.user and request.user.username == "tvermeu2"


def test_nothing_claims_access_for_a_portal_entity_before_it_is_done_there(talk: Talk) -> None:
    talk.command("grant").taps("Hôpital du Quai", "Nouvel utilisateur").says(
        "Vermeulen", "Tom", "tom@example.org", "Hospiliss"
    ).taps("Confirmer")
    receipt = " ".join(str(line) for line in talk.receipts[-1].body)
    assert "grant.noted" in receipt
    assert "grant.recorded" not in receipt
    talk.taps("Étapes sur le portail")
    assert "N° INAMI 720999-02" in talk.sees()
    talk.taps("Fait")
    assert "portal.done" in str(talk.receipts[-1].body)


def test_after_the_receipt_another_person_starts_in_the_same_entity(talk: Talk) -> None:
    talk.command("grant").taps("Hôpitaux", "Peeters Jan · Cardiologie").says("Colindos").taps(
        "Confirmer", "Encore une personne"
    )
    assert "À qui" in talk.sees()
    assert "Hôpitaux du Midi" in talk.sees()


def test_the_entity_chosen_to_work_in_is_not_asked_again(talk: Talk) -> None:
    talk.command("entity").taps("Clinique")
    talk.command("grant")
    assert "À qui" in talk.sees()
    assert "Clinique Sainte-Aube" in talk.sees()


def test_the_step_total_is_told_once_it_is_certain(talk: Talk) -> None:
    talk.command("grant")
    assert talk.view and talk.view.step == (1, None)
    talk.taps("Hôpitaux", "Peeters Jan · Cardiologie")
    assert talk.view.step is not None
    talk.taps("Colindos", "Suivant", "Modifier", "Profession", "Collaborateur pharmacien")
    assert talk.view.step == (4, 4)


def test_a_dialogue_put_aside_is_there_for_seven_days_however_busy_the_chat_is(talk: Talk) -> None:
    talk.command("grant").taps("Hôpitaux").says("01.09.22-997.08").taps("Annuler", "Garder pour plus tard")
    for _ in range(7):
        talk.now += timedelta(days=1)
        talk.command("home")
        assert "Reprendre : Donner un accès" in talk.sees()
    talk.now += timedelta(days=1)
    talk.command("home")
    assert "Reprendre" not in talk.sees()
    assert talk.state.kept == ()


def test_a_dialogue_left_open_is_gone_after_seven_days_and_its_buttons_are_old(talk: Talk) -> None:
    talk.command("grant").taps("Hôpitaux", "Peeters Jan · Cardiologie").says("Colindos")
    confirm = talk.button("Confirmer")
    talk.now += timedelta(days=8)
    reply = talk.press(confirm)
    assert reply.toast is not None
    assert talk.requests == []
    assert "Accueil" in talk.sees()


def test_who_may_not_assign_functions_is_told_before_he_answers(talk: Talk) -> None:
    talk.directory.acts = frozenset({"give_access"})
    talk.command("grant").taps("Hôpitaux", "Claes Mieke").says("Colindos")
    assert "Votre rôle ne permet pas d'attribuer une fonction" in talk.sees()
    assert "Collaborateur" not in " ".join(line for line in talk.sees().splitlines() if "[" in line)
    talk.taps("Médecin", "Confirmer")
    assert len(talk.requests) == 1
