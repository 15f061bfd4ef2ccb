"""What German sheets call the contract's fields; the form is told in `synonyms`."""

NAMES = """
email: emailadresse, mailadresse, elektronische post, email anschrift, e-mail, e-mail 1, mail, kontakt e-mail,
    emailadressen, mailanschrift
<first_name>: vorname, rufname, vornamen, vorn
<last_name>: nachname, familienname, zuname, nachn, name nachname
contact.name: name, vollständiger name, ansprechpartner, vor und nachname, vorname nachname, nachname vorname,
    kontaktperson, ansprechperson, kundenname, kunde, vorname und nachname, name vorname, vor nachname, vor und
    zuname, name des kunden, empfänger, besteller, kontaktname, kontakt
contact.phone: haupttelefon, telefon firma, autotelefon, telefonnr privat, telefon, telefonnummer, telefonnr, handy,
    handynummer, mobil, mobiltelefon, mobilnummer, rufnummer, festnetz, mobilfunk, mobilfunknummer, mobilnr,
    handynr, tel nr, tel nummer, tel, telefon mobil, mobilfunknr, telefon geschäftlich, telefon privat, tel privat,
    tel mobil, fon, mobilrufnummer, mobiltelefonnummer, kontaktnummer
contact.fax: fax, telefax, faxnummer, telefaxnummer, faxnr, faxgerät nummer
contact.company: firma, unternehmen, firmenname, unternehmensname, gesellschaft, betrieb, arbeitgeber, name der
    firma, organisation, firmenbezeichnung, institution, einrichtung, kundenfirma
contact.address.streetAddress: adresse, anschrift, straße und hausnummer, straße hausnummer, straße nr, straße und
    nr, postanschrift, wohnadresse, straßenanschrift, str nr, straße und hausnr, straße hausnr, rechnungsadresse,
    lieferadresse, adresszeile 1, adresse 1, straße geschäftlich, straße und nummer
<street>: straße, straßenname, str
<house>: hausnummer, hausnr, hnr
<flat>: wohnungsnummer, wohnung, wohnungsnr, türnummer
contact.address.zipCode: plz, postleitzahl, plz rechnung, plz ort code, postleitzahlen, plz nr
contact.address.city: ort, stadt, wohnort, ortschaft, gemeinde, stadt ort, ort geschäftlich, stadtname, ortsname
contact.address.country: land, staat, ländercode, länderkürzel, wohnsitzland, landeskürzel, land/region,
    länderkennzeichen, land iso
newEmail: neue email, neue emailadresse, neue mailadresse, neue email anschrift, geänderte email
tags: stichwörter, stichwort, tags, segment, label, schlagworte, schlagwort, schlagwörter, segmente, gruppen,
    etiketten, interessen, stichworte, markierungen, kategorien, kategorie, kundengruppe, gruppe, kundengruppen,
    verteiler
<consent>: einwilligung, zustimmung, werbeeinwilligung, dsgvo, newsletter einwilligung, einverständnis, newsletter
    zustimmung, werbung erlaubt, newsletter anmeldung, einwilligung newsletter, dsgvo zustimmung, marketing
    einwilligung, opt in, newsletter, erlaubnis, datenschutzeinwilligung, newsletter abonniert
<opt_out>: abmeldung, abgemeldet, abmeldedatum, abmeldegrund, abmelden, löschen, löschung, widerruf, widerrufen,
    abmeldungen, abgemeldet am, widerspruch, zu löschen, austragen, austragung, löschungen, widerrufsdatum,
    abmeldung am, gelöscht, newsletter abbestellt, abbestellt, kündigung
<reason>: notizen, bemerkungen, anmerkungen, grund, bemerkung, kommentar, anmerkung, notiz
<date>: datum, kaufdatum, bestelldatum, rechnungsdatum, zeitpunkt, zeitstempel, transaktionsdatum, buchungsdatum,
    auftragsdatum, zahlungsdatum, bestellt am, gekauft am, verkaufsdatum, zeit, uhrzeit, tag, bestellzeit, datum der
    bestellung, belegdatum, erstellt am, anlagedatum, angelegt am
<currency>: währung
value: umsatz, betrag, wert, summe, gesamtbetrag, gesamt, preis, gesamtsumme, bestellwert, rechnungsbetrag,
    kaufpreis, gesamtpreis, bruttobetrag, warenwert, bestellsumme, endbetrag, kaufbetrag, zahlbetrag, auftragswert,
    nettobetrag, kaufwert, verkaufspreis, gesamtumsatz, bestellbetrag, brutto, bruttosumme, auftragssumme, endpreis,
    gesamtwert, nettosumme, zahlungsbetrag, rechnungssumme, umsatz brutto
externalId: bestellnummer, bestellnr, auftragsnummer, rechnungsnummer, transaktionsnummer, bestell id, rechnungsnr,
    auftragsnr, belegnummer, belegnr, transaktionsid, bestellung, buchungsnummer, vorgangsnummer, bonnummer,
    quittungsnummer, auftrag, rechnung nr, bestellreferenz, kaufnummer, vorgangsnr, referenz, referenznummer
products: produkte, artikel, artikelnummer, artikelnr, produktnummer, produktname, ware, produktcode,
    artikelnummern, artikelname, gekaufte produkte, produktid, produktnr, artikelbezeichnung, warenbezeichnung,
    artikelliste, positionen, produktbezeichnung, art nr
location: standort, filiale, laden, geschäft, verkaufsstelle, filialnummer, niederlassung, filial nr, verkaufsort,
    shop, filialname, markt, geschäftsstelle, kasse
description: beschreibung, bezeichnung, verwendungszweck, details, bemerkung zur bestellung, beschreibung der
    bestellung, text, buchungstext
contactExtEventType: ereignistyp, ereignis, ereignisart, art, typ, aktivität, art des ereignisses, typ des
    ereignisses, vorgangsart, aktion
shopDomain: shopdomain, domäne, shop url, domain, domain des shops
<other>: bundesland kanton, weitere vornamen, telefon assistent, name assistent, startnummer, geschlecht, alter,
    geburtsdatum, geburtstag, geburtsort, anrede, titel, position, kundennummer, kunden nr, kundenid, sprache,
    bundesland, steuernummer, ust id, menge, anzahl, rabatt, mwst, webseite, status, quelle, benutzername,
    schuhgröße, geburtsname, einzelpreis, stückpreis, kontonummer, versandkosten, landkreis, kreis, postfach,
    handymodell, firmengröße, namenstag, zahlungsart, zahlungsmethode, versandart, bestellstatus, gutscheincode,
    rabattcode, telefonvorwahl, vorwahl, ustidnr, beruf, abteilung, familienstand, iban, bic, bank,
    staatsangehörigkeit, nationalität, größe, gewicht, farbe, zweiter vorname, titel nach dem namen, akademischer
    titel, letzte bestellung, anzahl bestellungen, startdatum, steuersatz, versand, kundentyp, kundenkategorie,
    profil, lieferstatus
"""

QUALIFIERS = """
    weitere weiterer weiteres
    kunden kunde rechnungs rechnung privat geschäftlich dienstlich haupt kontakt käufer käufers des der die das
    empfänger ihre ihr besteller bestellers eur euro brutto netto
"""
