import json

import pytest
from bot.access import catalogue as cat
from bot.access.catalogue import Profession
from bot.errors import RegisterFileError
from bot.msg import LANGUAGES
from tests.access.saying import said


def test_the_built_in_catalogue_has_the_applications_of_the_guide():
    assert [application.key for application in cat.builtin().applications_of("hospital")] == [
        "colindos",
        "hospiliss",
        "civars",
        "bvtc",
        "tct",
    ]
    assert cat.builtin().applications_of("health-care") == ()


def test_only_colindos_asks_for_a_function():
    assert [a.key for a in cat.builtin().applications if a.requires_function] == ["colindos"]


def test_every_built_in_text_is_there_in_four_languages():
    catalogue = cat.builtin()
    texts = [quality.label for quality in catalogue.qualities]
    texts += [text for function in catalogue.functions for text in (function.label, function.short)]
    texts += [application.description for application in catalogue.applications]
    assert [text for text in texts if not all(getattr(text, lang) for lang in LANGUAGES)] == []


def test_a_quality_bears_the_portals_words():
    assert cat.builtin().quality("hospital").label.fr == "Prestataire de soins\u00a0: hôpital"
    assert cat.builtin().quality("health-care").label.nl == "Gezondheidszorg (RIZIV)"


def test_an_application_answers_to_its_other_names():
    assert "HospiSup" in cat.builtin().application("hospiliss").names
    assert "Technische Cel via het web" in cat.builtin().application("tct").names


@pytest.mark.parametrize(
    ("profession", "declared", "functions"),
    [
        (Profession.SPECIALIST_PHYSICIAN, "specialist-physician", ()),
        (Profession.HOSPITAL_PHARMACIST, "hospital-pharmacist", ()),
        (Profession.COLLABORATOR_PHYSICIAN, "collaborator", ("collaborator-specialist-physician",)),
        (Profession.COLLABORATOR_PHARMACIST, "collaborator", ("collaborator-hospital-pharmacist",)),
    ],
)
def test_only_a_collaborator_needs_a_function_and_the_register_says_it_back(profession, declared, functions):
    assert profession.declared == declared
    assert cat.builtin().application("colindos").functions_for(profession) == functions
    assert cat.builtin().application("hospiliss").functions_for(profession) == ()
    assert Profession.of(declared, functions) is profession


def test_a_collaborator_without_function_and_nobody_declared_are_to_be_asked():
    assert Profession.of("collaborator") is None
    assert Profession.of(None) is None


@pytest.mark.parametrize("profession", Profession)
def test_a_profession_fits_a_button_in_every_language(profession):
    assert max(map(len, said(profession.label).values())) <= cat.LABEL_MAX


QERMID = {
    "key": "qermid",
    "name": "QERMID",
    "aliases": [],
    "qualities": ["hospital"],
    "requires_function": False,
    "functions": [],
    "description": {"fr": "Enregistrement d'implants", "nl": "Registratie van implantaten"},
}


def test_an_operator_adds_an_application_and_changes_another():
    colindos = cat.application_table(cat.builtin().application("colindos")) | {"name": "Colindos 2"}
    catalogue = cat.builtin().with_applications(
        [cat.read_application(QERMID, "x"), cat.read_application(colindos, "x")]
    )
    assert [a.key for a in catalogue.applications] == [
        "colindos",
        "hospiliss",
        "civars",
        "bvtc",
        "tct",
        "qermid",
    ]
    assert catalogue.application("colindos").name == "Colindos 2"
    assert cat.builtin().application("colindos").name == "Colindos"


def test_an_operator_adds_a_function_of_his_own():
    function = cat.read_function(
        {"key": "qermid-administrative", "label": {"fr": "Administratif"}, "needs_responsible": True}, "x"
    )
    assert (
        cat.builtin().with_functions([function]).function("qermid-administrative").short.in_language("nl")
        == "Administratif"
    )


def test_every_built_in_entry_survives_a_table_and_json():
    for application in cat.builtin().applications:
        assert (
            cat.read_application(json.loads(json.dumps(cat.application_table(application))), "x")
            == application
        )
    for function in cat.builtin().functions:
        assert cat.read_function(json.loads(json.dumps(cat.function_table(function))), "x") == function


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"nme": "x"}, "f.toml: application[0]: nme is not known here"),
        ({"key": "a b"}, "f.toml: application[0]: key needs letters, digits and hyphens, such as 'colindos'"),
        ({"name": "x" * 35}, "f.toml: application[0]: name needs 1 to 34 characters, to fit a button"),
        ({"name": {"xx": "x"}}, "f.toml: application[0]: name.xx is not one of fr, nl, de, en"),
        ({"name": {"nl": "x" * 40}}, "f.toml: application[0]: name.nl has 40 characters; a button takes 34"),
        (
            {"name": 3},
            'f.toml: application[0]: name needs a text for each language, such as { fr = "…", nl = "…" }',
        ),
        ({"aliases": "x"}, "f.toml: application[0]: aliases needs a list of texts"),
        ({"requires_function": 1}, "f.toml: application[0]: requires_function needs true or false"),
    ],
)
def test_each_fault_of_an_operators_application_has_its_line(change, line):
    with pytest.raises(RegisterFileError) as caught:
        cat.read_application(QERMID | change, "f.toml: application[0]")
    assert line in str(caught.value).splitlines()


def test_all_faults_are_told_at_once():
    with pytest.raises(RegisterFileError) as caught:
        cat.read_application({"x": 1, "y": 2}, "f")
    assert len(str(caught.value).splitlines()) == 4  # no key, no name, and two that are unknown


def test_an_unknown_quality_or_function_is_refused():
    application = cat.Application("x", "X", qualities=("zoo",), functions=("clown",), requires_function=True)
    with pytest.raises(RegisterFileError) as caught:
        cat.builtin().with_applications([application])
    assert str(caught.value).splitlines() == [
        "application 'x': there is no quality 'zoo'",
        "application 'x': there is no function 'clown'",
    ]


def test_an_application_that_requires_a_function_must_name_one():
    with pytest.raises(RegisterFileError, match="requires a function but names none"):
        cat.builtin().with_applications([cat.Application("x", "X", requires_function=True)])


def test_an_unknown_responsible_profession_is_refused():
    with pytest.raises(RegisterFileError, match="responsible needs one of"):
        cat.read_function({"key": "x", "label": {"fr": "X"}, "responsible": "clown"}, "f")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[[zoo]]\nkey = 'x'", "zoo is not known here"),
        ('[[quality]]\nkey="a"\nlabel={fr="a"}\n' * 2, "a key twice"),
    ],
)
def test_a_catalogue_file_is_read_strictly(text, reason):
    with pytest.raises(RegisterFileError, match=reason):
        cat.parse(text, "f.toml")


def test_what_does_not_exist_is_a_key_error():
    with pytest.raises(KeyError):
        cat.builtin().application("zoo")
