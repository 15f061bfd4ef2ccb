from __future__ import annotations

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
    assert text.encode("cp1250").decode(tell_code_page([text.encode("cp1250")])) == text


@pytest.mark.parametrize("text", WESTERN)
def test_a_text_of_western_europe_is_read_as_cp1252(text: str) -> None:
    assert text.encode("cp1252").decode(tell_code_page([text.encode("cp1252")])) == text


@pytest.mark.parametrize("text", EITHER)
@pytest.mark.parametrize("written", ["cp1250", "cp1252"])
def test_a_text_without_telling_letters_is_right_either_way(text: str, written: str) -> None:
    assert text.encode(written).decode(tell_code_page([text.encode(written)])) == text


def test_a_word_cut_by_a_block_is_judged_whole() -> None:
    content = "Świętosława Jabłońska".encode("cp1250")

    assert tell_code_page(content[i : i + 1] for i in range(len(content))) == "cp1250"
