"""What Polish sheets call the contract's fields; the form is told in `synonyms`."""

NAMES = """
email: adres email, adres mailowy, adres poczty elektronicznej, poczta elektroniczna, poczta, email adres, e-mail,
    poczta email, mail kontaktowy, adres e-mail kontaktowy
<first_name>: imię, imiona, pierwsze imię, imię klienta
<last_name>: nazwisko, nazwisko rodowe, nazwisko klienta
contact.name: imię i nazwisko, nazwisko i imię, osoba kontaktowa, imię nazwisko, nazwisko imię, klient, pełne imię i
    nazwisko, nazwa klienta, nazwa odbiorcy, dane kontaktowe, nazwa kontaktu, imię i nazwisko klienta, odbiorca,
    nabywca, zamawiający
contact.phone: telefon, telefon komórkowy, numer telefonu, nr telefonu, komórka, nr tel, tel kom, telefon
    kontaktowy, numer komórki, nr komórki, telefon stacjonarny, nr tel kom, numer telefonu komórkowego, numer
    komórkowy, tel, telefon kom, nr telefonu komórkowego, tel kontaktowy, telefon do kontaktu, telefon klienta, kom
contact.fax: fax, telefaks, faks, numer faksu, nr faksu
contact.company: kontrahent, firma, nazwa firmy, przedsiębiorstwo, organizacja, spółka, pracodawca, zakład pracy,
    nazwa kontrahenta, nazwa przedsiębiorstwa, nazwa organizacji, instytucja
contact.address.streetAddress: adres, ulica i numer, ulica i nr domu, adres zamieszkania, ulica nr, adres
    korespondencyjny, adres pocztowy, ulica i numer domu, ulica nr domu, adres dostawy, adres do wysyłki, adres 1,
    adres do faktury, adres siedziby, ulica i nr, ulica numer domu
<street>: ulica, ul, nazwa ulicy
<house>: nr domu, numer domu, numer budynku, nr budynku, nr budynku/domu
<flat>: nr mieszkania, numer mieszkania, nr lokalu, numer lokalu, mieszkanie, lokal, nr mieszk, numer mieszk
contact.address.zipCode: kod pocztowy, kod, kod poczty, pocztowy kod, kod poczt, kod pocztowy dostawy
contact.address.city: miasto, miejscowość, miejsce zamieszkania, miasto zamieszkania, poczta miasto, miasto dostawy,
    gród
contact.address.country: kraj, państwo, kod kraju, nazwa kraju, kraj zamieszkania
newEmail: nowy email, nowy adres email, nowy mail, zmieniony email, nowy adres mailowy, e-mail po zmianie
tags: segment, grupa, tagi, etykiety, etykieta, segmenty, grupy, zainteresowania, znaczniki, grupa klientów, grupa
    klienta, kategorie, lista
<consent>: zgoda, zgoda marketingowa, zgoda na newsletter, zgoda na marketing, zgoda rodo, rodo, zgoda email, zgody,
    zgoda na kontakt, zgoda na otrzymywanie newslettera, zapisany, zapis na newsletter, zgoda newsletter, zgoda
    mailowa, zgoda marketing, zgoda na przetwarzanie danych, zgoda handlowa, newsletter
<opt_out>: wypis, wypisany, wypisani, wypisz, data wypisu, wypisano, rezygnacja, data rezygnacji, powód rezygnacji,
    powód wypisu, do usunięcia, usuń, usunięcie, usunięty, wypisy, wypisanie, rezygnacje, sprzeciw, wypisana, data
    wypisania, powód wypisania, zrezygnował, brak zgody, wycofanie zgody
<reason>: powód, przyczyna, uwagi, komentarz, notatka
<date>: data, data zakupu, data zamówienia, data transakcji, data sprzedaży, data zgłoszenia, data faktury, data
    płatności, data utworzenia, data złożenia zamówienia, data wystawienia, data i godzina, termin, data zdarzenia,
    godzina, czas, data dodania, data rejestracji, data złożenia, data operacji
<currency>: waluta
value: wartość, kwota, suma, wartość zamówienia, kwota zamówienia, razem, do zapłaty, cena, łącznie, kwota brutto,
    wartość brutto, obrót, kwota zakupu, wartość zakupu, wartość transakcji, kwota transakcji, przychód, suma
    zamówienia, kwota netto, wartość koszyka, zapłacono, wartość netto, kwota do zapłaty, suma brutto, łączna kwota,
    cena brutto, cena łączna, suma zamówień, koszt, należność
externalId: numer zamówienia, nr zamówienia, id zamówienia, zamówienie, numer transakcji, nr transakcji, numer
    faktury, nr faktury, numer paragonu, nr paragonu, id transakcji, identyfikator zamówienia, faktura, paragon,
    numer dokumentu, nr dokumentu, kod zamówienia, nr zam, numer zam, zamówienie nr, faktura nr, nr rezerwacji,
    numer rezerwacji, identyfikator
products: produkty, produkt, id produktu, kod produktu, nazwa produktu, towar, towary, artykuł, symbol produktu,
    pozycje, nr produktu, lista produktów, numer produktu, zakupione produkty, indeks towaru, nazwa towaru, kod
    towaru, indeks, sku produktu, ean
location: salon, lokalizacja, sklep, punkt sprzedaży, placówka, oddział, id sklepu, nazwa sklepu, nr sklepu, punkt,
    nazwa salonu, nazwa punktu, miejsce zakupu, kasa
description: opis, szczegóły, opis zamówienia, opis zdarzenia, opis transakcji, szczegóły zamówienia
contactExtEventType: typ zdarzenia, rodzaj zdarzenia, zdarzenie, typ, rodzaj aktywności, rodzaj, typ aktywności,
    rodzaj transakcji
shopDomain: domena, domena sklepu, adres sklepu, strona sklepu
<other>: płeć, wiek, data urodzenia, tytuł, stanowisko, numer klienta, nr klienta, id klienta, język, województwo,
    powiat, gmina, nip, regon, pesel, ilość, liczba sztuk, rabat, podatek, vat, strona www, status, źródło, rozmiar
    buta, miejsce urodzenia, imię ojca, imieniny, imię dziecka, nazwa użytkownika, cena jednostkowa, drugie imię,
    kod rabatowy, model telefonu, liczba zamówień, sposób dostawy, metoda dostawy, sposób płatności, metoda
    płatności, forma płatności, status zamówienia, liczba, sztuk, kod klienta, kod kraju telefonu, nazwa banku,
    numer konta, nr konta, wielkość firmy, kod produktu ubocznego, strona internetowa, wykształcenie, zawód, branża,
    data ostatniego zamówienia, data ostatniego logowania, login, hasło, kod promocyjny, stan cywilny, narodowość,
    nazwisko panieńskie, dział, seria dowodu, krs
"""

QUALIFIERS = """
    klienta klientki kupującego główny główna prywatny prywatna służbowy służbowa osoby twój twoje kontaktu płatnika
    nabywcy odbiorcy zamawiającego kontaktowy komórkowy domowy rozliczeniowy do na brutto netto zł faktury wysyłki
"""
