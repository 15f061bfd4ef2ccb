"""What people call the contract's fields: names by language, as data. For drafting alone.

Names are separated by commas; case, accents, spaces and punctuation are folded on both sides before they are
compared. Targets in angle brackets are no fields: they become part of a template (`<first_name>`), a condition
(`<consent>`), a hint (`<currency>`), or nothing at all (`<other>`: names that resemble a field's and are none).
A mapping that runs never uses these.
"""

from __future__ import annotations

FIRST_NAME, LAST_NAME = "<first_name>", "<last_name>"
STREET, HOUSE, FLAT = "<street>", "<house>", "<flat>"
CONSENT, OPT_OUT, REASON = "<consent>", "<opt_out>", "<reason>"
DATE, CURRENCY = "<date>", "<currency>"

Names = dict[str, dict[str, tuple[str, ...]]]
"""Target to language to names."""


def _table(text: str) -> Names:
    names: Names = {}
    for line in text.strip("\n").splitlines():
        if not line.startswith(" "):
            of_target = names.setdefault(line, {})
            continue
        language, colon, rest = line.strip().partition(": ")
        if colon:
            latest = language
        found = tuple(name.strip() for name in (rest if colon else line).split(",") if name.strip())
        of_target[latest] = (*of_target.get(latest, ()), *found)
    return names


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_EMAIL = _table("""
email
  en: email, mail, email address, email addr, mail address, subscriber email, electronic mail
  pl: adres email, adres mailowy, adres poczty elektronicznej, poczta elektroniczna, poczta, email adres
  de: emailadresse, mailadresse, elektronische post, email anschrift
  sv: epost, epostadress, mejl, mejladress
  fr: courriel, adresse email, adresse mail, mel
  es: correo, correo electrónico
  it: posta elettronica, indirizzo email
  nl: emailadres, mailadres
  da: emailadresse, epostadresse
  cs: emailová adresa
""")["email"]

ANY_ACTION = _table("""
<first_name>
  en: first name, given name, forename, fname, firstname, christian name
  pl: imię, imiona, pierwsze imię
  de: vorname, rufname, vornamen
  sv: förnamn
  fr: prénom
  es: nombre de pila
  nl: voornaam
  cs: jméno
  da: fornavn
<last_name>
  en: last name, surname, family name, lname, lastname, second name
  pl: nazwisko, nazwisko rodowe
  de: nachname, familienname, zuname
  sv: efternamn
  fr: nom de famille
  es: apellido, apellidos
  it: cognome
  nl: achternaam
  cs: příjmení
  da: efternavn
<consent>
  en: consent, marketing consent, opt in, optin, newsletter, newsletter consent, email consent,
      subscribed, gdpr, gdpr consent, permission, marketing permission, accepts marketing, accepts email
      marketing, double opt in, newsletter opt in, email opt in, email marketing consent, agreement
  pl: zgoda, zgoda marketingowa, zgoda na newsletter, zgoda na marketing, zgoda rodo, rodo, zgoda email,
      zgody, zgoda na kontakt, zgoda na otrzymywanie newslettera, zapisany, zapis na newsletter
  de: einwilligung, zustimmung, werbeeinwilligung, dsgvo, newsletter einwilligung, einverständnis,
      newsletter zustimmung, werbung erlaubt, newsletter anmeldung, einwilligung newsletter
  sv: samtycke
<opt_out>
  en: opt out, optout, opted out, unsubscribe, unsubscribed, unsubscriber, email opt out, do not contact,
      unsubscribed at, unsubscribe date, opt out date, opt out reason, unsubscribe reason, to delete,
      delete, deleted, removal, erasure, unsubscribes, optouts, date unsubscribed, do not email,
      suppression, suppressed
  pl: wypis, wypisany, wypisani, wypisz, data wypisu, wypisano, rezygnacja, data rezygnacji, powód
      rezygnacji, powód wypisu, do usunięcia, usuń, usunięcie, usunięty, wypisy, wypisanie, rezygnacje,
      sprzeciw, wypisana
  de: abmeldung, abgemeldet, abmeldedatum, abmeldegrund, abmelden, löschen, löschung, widerruf,
      widerrufen, abmeldungen, abgemeldet am, widerspruch, zu löschen, austragen, austragung, löschungen,
      widerrufsdatum
  sv: avregistrerad, avprenumererad, avregistrering
  fr: désinscription, désinscrit, désabonné
<reason>
  en: reason, comment, note, notes, remark, comments
  pl: powód, przyczyna, uwagi, komentarz, notatka
  de: grund, bemerkung, kommentar, anmerkung, notiz
<date>
  en: date, timestamp, time, datetime, created at, order date, purchase date, transaction date, event
      date, date of purchase, invoice date, paid at, processed at, sale date, request date, payment date,
      ordered at
  pl: data, data zakupu, data zamówienia, data transakcji, data sprzedaży, data zgłoszenia, data faktury,
      data płatności, data utworzenia, data złożenia zamówienia, data wystawienia
  de: datum, kaufdatum, bestelldatum, rechnungsdatum, zeitpunkt, zeitstempel, transaktionsdatum,
      buchungsdatum, auftragsdatum, zahlungsdatum, bestellt am, gekauft am, verkaufsdatum
  sv: datum, orderdatum, köpdatum
<currency>
  en: currency, currency code
  pl: waluta
  de: währung
  sv: valuta
  fr: devise
<other>
  en: county, gender, age, birth date, date of birth, birthday, title, salutation, job title, position,
      customer id, customer number, customer no, client id, id, language, website, url, ip, ip address,
      email status, email sent, email verified, phone type, phone verified, company size, company id, city
      id, country of birth, region, state, province, username, user name, nickname, file name, product
      count, quantity, qty, tax, discount, shipping, tax id, vat id, vat number, unit price, currency
      rate, middle name, login, shoe size, source, status, account number, event name, campaign name,
      account name, email type, email domain, email count, phone country code, segment id
  pl: płeć, wiek, data urodzenia, tytuł, stanowisko, numer klienta, nr klienta, id klienta, język,
      województwo, powiat, gmina, nip, regon, pesel, ilość, liczba sztuk, rabat, podatek, vat, strona www,
      status, źródło, rozmiar buta, miejsce urodzenia, imię ojca, imieniny, imię dziecka, nazwa
      użytkownika, cena jednostkowa
  de: geschlecht, alter, geburtsdatum, geburtstag, geburtsort, anrede, titel, position, kundennummer,
      kunden nr, kundenid, sprache, bundesland, steuernummer, ust id, menge, anzahl, rabatt, mwst,
      webseite, status, quelle, benutzername, schuhgröße, geburtsname, einzelpreis, stückpreis,
      kontonummer, versandkosten
""")

CONTACT: Names = {"contact.email": _EMAIL} | _table("""
contact.fax
  en: fax, fax number, fax no, telefax
  pl: fax, telefaks, faks, numer faksu, nr faksu
  de: fax, telefax, faxnummer, telefaxnummer
contact.name
  en: name, full name, contact name, customer name, client name, person, display name, contact person,
      first and last name, first name last name, recipient
  pl: imię i nazwisko, nazwisko i imię, osoba kontaktowa, imię nazwisko, nazwisko imię, klient, pełne imię
      i nazwisko, nazwa klienta
  de: name, vollständiger name, ansprechpartner, vor und nachname, vorname nachname, nachname vorname,
      kontaktperson, ansprechperson, kundenname, kunde, vorname und nachname, name vorname
  sv: namn, fullständigt namn, kontaktperson
  fr: nom complet
  es: nombre completo, nombre y apellidos
  it: nome e cognome
  nl: naam
contact.phone
  en: phone, phone number, phone no, telephone, telephone number, mobile, mobile phone, mobile number,
      cell, cell phone, cellphone, tel, tel no, mobile no, contact number, gsm, contact phone, work phone,
      home phone, sms, sms number
  pl: telefon, telefon komórkowy, numer telefonu, nr telefonu, komórka, nr tel, tel kom, telefon
      kontaktowy, numer komórki, nr komórki, telefon stacjonarny, nr tel kom, numer telefonu komórkowego,
      numer komórkowy
  de: telefon, telefonnummer, telefonnr, handy, handynummer, mobil, mobiltelefon, mobilnummer, rufnummer, festnetz,
      mobilfunk, mobilfunknummer, mobilnr, handynr, tel nr, tel nummer
  sv: telefon, mobil, telefonnummer, mobilnummer, mobiltelefon
  fr: téléphone, portable
  es: teléfono, móvil, teléfono móvil
  it: telefono, cellulare
  nl: telefoon, telefoonnummer
contact.company
  en: company, company name, organisation, organization, business name, employer, organisation name,
      organization name
  pl: kontrahent, firma, nazwa firmy, przedsiębiorstwo, organizacja, spółka, pracodawca
  de: firma, unternehmen, firmenname, unternehmensname, gesellschaft, betrieb, arbeitgeber, name der firma
  sv: företag, företagsnamn
  fr: société, entreprise
  es: empresa
  it: azienda
  nl: bedrijf
contact.address.streetAddress
  en: street address, address, address line, address line 1, address 1, street and number, street and
      house number, postal address, mailing address, address1, home address
  pl: adres, ulica i numer, ulica i nr domu, adres zamieszkania, ulica nr, adres korespondencyjny, adres
      pocztowy, ulica i numer domu, ulica nr domu
  de: adresse, anschrift, straße und hausnummer, straße hausnummer, straße nr, straße und nr,
      postanschrift, wohnadresse, straßenanschrift, str nr
  sv: gatuadress, adress
  es: dirección
  it: indirizzo
  nl: adres
<street>
  en: street, street name, road
  pl: ulica, ul, nazwa ulicy
  de: straße, straßenname, str
  sv: gata
  fr: rue
  es: calle
  it: via
  nl: straat
<house>
  en: house number, house no, street number, building number, house, street no
  pl: nr domu, numer domu, numer budynku, nr budynku
  de: hausnummer, hausnr, haus nummer
  nl: huisnummer
<flat>
  en: flat, flat number, flat no, apartment, apartment number, apt, unit number
  pl: nr mieszkania, numer mieszkania, nr lokalu, numer lokalu, mieszkanie
  de: wohnungsnummer, wohnung
contact.address.zipCode
  en: zip code, zip, postcode, postal code, post code, zip postal code, zip/postcode
  pl: kod pocztowy, kod, kod poczty, pocztowy kod
  de: plz, postleitzahl
  sv: postnummer, postnr
  fr: code postal
  es: código postal
  it: cap
  cs: psč
contact.address.city
  en: city, town, place, city town, locality, city of residence
  pl: miasto, miejscowość, miejsce zamieszkania, miasto zamieszkania
  de: ort, stadt, wohnort, ortschaft, gemeinde
  sv: ort, stad, postort
  fr: ville
  es: ciudad
  it: città
  nl: woonplaats
contact.address.country
  en: country, country code, country name, nation, country of residence
  pl: kraj, państwo, kod kraju, nazwa kraju, kraj zamieszkania
  de: land, staat, ländercode, länderkürzel, wohnsitzland, landeskürzel
  fr: pays
  es: país
  it: paese
newEmail
  en: new email, new email address, changed email, updated email, email new
  pl: nowy email, nowy adres email, nowy mail, zmieniony email
  de: neue email, neue emailadresse, neue mailadresse
  sv: ny epost
tags
  en: tags, tag, labels, label, segments, segment, groups, contact tags, interests
  pl: segment, grupa, tagi, etykiety, etykieta, segmenty, grupy, zainteresowania, znaczniki
  de: tags, segment, label, schlagworte, schlagwort, schlagwörter, segmente, gruppen, etiketten, interessen, stichworte,
      markierungen
  sv: taggar, etiketter
  fr: étiquettes
  es: etiquetas
""")

DELETE: Names = {"email": _EMAIL}

EVENT: Names = {"email": _EMAIL} | _table("""
description
  en: description, event description, details, summary
  pl: opis, szczegóły, opis zamówienia, opis zdarzenia
  de: beschreibung, bezeichnung, verwendungszweck
  sv: beskrivning
products
  en: products, product, product id, product ids, sku, skus, item, items, article, product code, product
      sku, product name, item id, item sku, products bought, product number, lineitem sku, line items
  pl: produkty, produkt, id produktu, kod produktu, nazwa produktu, towar, towary, artykuł, symbol
      produktu, pozycje, nr produktu, lista produktów, numer produktu, zakupione produkty
  de: produkte, artikel, artikelnummer, artikelnr, produktnummer, produktname, ware, produktcode,
      artikelnummern, artikelname, gekaufte produkte, produktid
  sv: produkter, artiklar
  fr: produit, produits
  es: producto, productos
location
  en: location, shop, store, branch, shop id, store id, point of sale, outlet, store name, shop name,
      salon
  pl: salon, lokalizacja, sklep, punkt sprzedaży, placówka, oddział, id sklepu, salon, nazwa sklepu, nr sklepu
  de: standort, filiale, laden, geschäft, verkaufsstelle, filialnummer, niederlassung, filial nr
  sv: butik
  fr: magasin
  es: tienda
value
  en: value, amount, total, total amount, price, total price, order value, order total, revenue, sum,
      turnover, purchase amount, grand total, amount paid, purchase value, sales, gross amount, order
      amount, dollar value, total value, transaction amount, total paid, net amount, event value
  pl: wartość, kwota, suma, wartość zamówienia, kwota zamówienia, razem, do zapłaty, cena, łącznie, kwota
      brutto, wartość brutto, obrót, kwota zakupu, wartość zakupu, wartość transakcji, kwota transakcji,
      przychód, suma zamówienia, kwota netto, wartość koszyka, zapłacono
  de: umsatz, betrag, wert, summe, gesamtbetrag, gesamt, preis, gesamtsumme, bestellwert, rechnungsbetrag,
      kaufpreis, gesamtpreis, bruttobetrag, warenwert, bestellsumme, endbetrag, kaufbetrag, zahlbetrag,
      auftragswert, nettobetrag, kaufwert, verkaufspreis
  sv: belopp, summa, värde, totalt, ordervärde
  fr: montant, prix
  es: importe, precio
contactExtEventType
  en: event type, type, event, activity type, type of event, contact ext event type, activity, action type
  pl: typ zdarzenia, rodzaj zdarzenia, zdarzenie, typ, rodzaj aktywności
  de: ereignistyp, ereignis, ereignisart, art, typ, aktivität
  sv: händelsetyp, händelse
externalId
  en: external id, order id, order number, order no, order, transaction id, transaction number, invoice
      number, invoice no, receipt number, order reference, receipt no, order ref, event id, invoice id,
      booking number, transaction no, purchase id, receipt id, transaction, document number, reservation
      number, receipt
  pl: numer zamówienia, nr zamówienia, id zamówienia, zamówienie, numer transakcji, nr transakcji, numer
      faktury, nr faktury, numer paragonu, nr paragonu, id transakcji, identyfikator zamówienia, faktura,
      paragon, numer dokumentu, nr dokumentu, kod zamówienia
  de: bestellnummer, bestellnr, auftragsnummer, rechnungsnummer, transaktionsnummer, bestell id,
      rechnungsnr, auftragsnr, belegnummer, belegnr, transaktionsid, bestellung, buchungsnummer,
      vorgangsnummer, bonnummer, quittungsnummer
  sv: ordernummer, ordernr, fakturanummer
  fr: numéro de commande
  es: número de pedido
shopDomain
  en: shop domain, store domain, domain, shop url, store url
  pl: domena, domena sklepu
  de: shopdomain, domäne
  sv: domän
""")

QUALIFIERS = _words("""
    customer customers client contact billing primary main business private work home personal your user
    buyer recipient the of in w my required optional subscriber member guest default payment invoice
    bill to current klienta kupujacego glowny prywatny sluzbowy osoby twoj kontaktu platnika nabywcy
    odbiorcy zamawiajacego kontaktowy komorkowy domowy rozliczeniowy kunden kunde rechnungs rechnung
    privat geschaftlich dienstlich haupt kontakt kaufer der des eur euro pln zl usd gbp chf sek czk
    brutto netto gross net 1
""")
"""Words (folded) that may stand beside a name without changing what it is: 'Customer e-mail'."""

OPT_OUT_WORDS = _words("""
    optout unsub wypis rezygnac abmeld loesch losch widerruf usunie usuni dousuniecia delete deletion
    erasure suppress donotcontact avregistr avprenumer desinscri austrag
""")
"""Beginnings (folded) of words in a file's name that speak of people who leave."""

CONTACT_WORDS = _words("""
    newsletter contact kontakt lead subscriber customer klien kunde abonn signup zapis
""")
"""Beginnings of words in a file's name that speak of people who stay."""

YES = _words("""
    1 active ano ja on oui prawda si subscribed t tak true wahr wyrazona x y yes zgoda
""")
"""What a cell says for yes, folded."""

NO = _words("""
    0 brak f falsch false falsz inactive n ne nein nej nie no non off unsubscribed
""")
"""What a cell says for no, folded."""

CURRENCY_REGION = {
    "PLN": "PL", "ZŁ": "PL", "ZL": "PL", "GBP": "GB", "CHF": "CH", "SEK": "SE", "CZK": "CZ", "DKK": "DK",
    "NOK": "NO", "HUF": "HU",
}  # fmt: skip
"""The region that a currency belongs to, for telephone numbers; the euro's is many."""

LANGUAGE_REGIONS = {
    "pl": ("PL",),
    "de": ("DE", "AT", "CH"),
    "sv": ("SE",),
    "fr": ("FR", "BE"),
    "es": ("ES",),
    "it": ("IT",),
    "nl": ("NL", "BE"),
    "cs": ("CZ",),
    "da": ("DK",),
}
"""Regions to try, in this order, for telephone numbers without a country code. English says nothing of it."""

DOMAIN_REGIONS = _words("""
    AT BE CH CZ DE DK ES FI FR HU IT NL NO PL SE SK UK
""")
"""Top-level domains that say in which country most of the people live."""
