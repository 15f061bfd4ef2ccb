from __future__ import annotations

import random

import pytest

from etl.sources.code_pages import tell_code_page

CENTRAL = [
    "Wojciech Wąsik;Łódź\nGrzegorz Brzęczyszczykiewicz;Poznań",
    "Name;City\nAnna;Łódź\n",
    "Zięba",
    "Jabłoński",
    "ŁÓDŹ",
    "Toruń",
    "imię;nazwisko;płeć",
    "Kędzierzyn-Koźle",
    "Żaneta Ćwikła",
    "Jiří Dvořák;České Budějovice",
    "Kateřina Němcová;Plzeň",
    "Kőszegi Győző;Hajdúszoboszló",
    "Petrović;Đurđević;Čakovec",
    "Ľubomír Kováč;Žilina",
    "Ştefan Băsescu;Constanţa",
    "Müller;Größe;Schäfer;Kowalska Małgorzata;Łódź",
    "Łukasz;Müller;José;Köln",
]
WESTERN = [
    "Åsa Sjöström;Göteborg;Björn Håkansson",
    "Malmö;Åre",
    "Jørgen Sørensen;København;Kjær",
    "Tromsø;Bodø",
    "Hélène Lefèvre;Besançon;Forêt;Noël;Cœur",
    "Geneviève",
    "prénom;nom;société;Orléans;Nîmes",
    "Bœuf;sœur",
    "Muñoz;Peña;España",
    "¿Qué tal?",
    "João;São Paulo;Conceição;Simões",
    "Nicolò;città;perché",
    "Þór Guðmundsson",
    "Size 2½;£10;5 m²;Müller",
    "Müller;Sørensen;Åberg",
]
EITHER = ["Müller;Größe;Schäfer", "plain ASCII", "5 € – „Straße“", ""]


@pytest.mark.parametrize("text", CENTRAL)
def test_a_text_of_central_europe_is_read_as_cp1250(text: str) -> None:
    assert text.encode("cp1250").decode(tell_code_page([text.encode("cp1250")]).codec) == text


@pytest.mark.parametrize("text", CENTRAL)
def test_a_text_of_central_europe_in_iso_8859_2_is_read_as_that(text: str) -> None:
    assert text.encode("iso8859-2").decode(tell_code_page([text.encode("iso8859-2")]).codec) == text


@pytest.mark.parametrize(
    ("text", "written", "least", "most"),
    [
        ("Świętosława Jabłońska;Źródła", "cp1250", 0.99, 0.99),
        ("Świętosława Jabłońska;Źródła", "iso8859-2", 0.99, 0.99),
        ("Müller;Größe", "cp1252", 0.99, 0.99),
        ("Kőszegi Győző", "cp1250", 0.5, 0.9),
    ],
)
def test_the_confidence_is_how_far_the_others_are_behind(text: str, written: str, least: float, most: float) -> None:
    assert least <= tell_code_page([text.encode(written)]).confidence <= most


def test_signs_that_iso_8859_2_does_not_have_rule_it_out() -> None:
    content = "„Kraków”; 5 €; Łódź".encode("cp1250")

    assert tell_code_page([content]).codec == "cp1250"


NAMES = {
    "Polish": "Łukasz Małgorzata Paweł Świętosława Żaneta Jabłoński Wiśniewska Dąbrowski Zając Wójcik Łódź Gdańsk Toruń",
    "Czech": "Jiří Tomáš František Kateřina Němcová Dvořák Černý Procházka Kučera Růžička Plzeň Ústí Třebíč Žďár",
    "Hungarian": "Kovács Tóth Szabó Horváth Molnár Németh Szűcs Kőszegi Győző László Éva Győr Székesfehérvár Budaörs",
    "German": "Müller Schäfer Jürgen Günther Köhler Weiß Größe Straße Schröder Köln München Nürnberg Düsseldorf",
    "Swedish": "Åsa Björn Håkan Göran Märta Östen Åke Sjöström Bergström Göteborg Malmö Västerås Örebro Umeå",
    "French": "Hélène François Geneviève Benoît Noël Lefèvre Garçon Jérôme Étienne Céline Besançon Nîmes Évreux Bœuf",
}


@pytest.mark.parametrize(
    ("language", "written"),
    [(language, "cp1250") for language in ("Polish", "Czech", "Hungarian", "German")]
    + [(language, "iso8859-2") for language in ("Polish", "Czech", "Hungarian", "German")]
    + [(language, "cp1252") for language in ("German", "Swedish", "French")],
)
def test_nine_of_ten_single_rows_of_names_and_all_files_of_twenty_are_right(language: str, written: str) -> None:
    chance = random.Random(3)

    def right(rows: int) -> float:
        texts = ["\n".join(";".join(chance.sample(NAMES[language].split(), 3)) for _ in range(rows)) for _ in range(60)]
        told = [text.encode(written).decode(tell_code_page([text.encode(written)]).codec) for text in texts]
        return sum(map(str.__eq__, texts, told)) / len(texts)

    assert right(1) >= 0.9
    assert right(20) == 1


@pytest.mark.parametrize("text", WESTERN)
def test_a_text_of_western_europe_is_read_as_cp1252(text: str) -> None:
    assert text.encode("cp1252").decode(tell_code_page([text.encode("cp1252")]).codec) == text


@pytest.mark.parametrize("text", EITHER)
@pytest.mark.parametrize("written", ["cp1250", "cp1252"])
def test_a_text_without_telling_letters_is_right_either_way(text: str, written: str) -> None:
    assert text.encode(written).decode(tell_code_page([text.encode(written)]).codec) == text


def test_a_word_cut_by_a_block_is_judged_whole() -> None:
    content = "Świętosława Jabłońska".encode("cp1250")

    assert tell_code_page(content[i : i + 1] for i in range(len(content))).codec == "cp1250"
