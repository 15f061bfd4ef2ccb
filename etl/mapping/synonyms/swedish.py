"""What Swedish sheets call the contract's fields; the form is told in `synonyms`."""

NAMES = """
email: epost, epostadress, mejl, mejladress, mailadress, mail, e-postadresser, epost 1, e-post arbete, e-postkonto
<first_name>: förnamn, tilltalsnamn, fnamn
<last_name>: efternamn, släktnamn, enamn, familjenamn
contact.name: namn, fullständigt namn, kontaktperson, för och efternamn, förnamn och efternamn, kundnamn, kontakt,
    kontaktnamn, hela namnet, mottagare, beställare, förnamn efternamn, efternamn förnamn, namn på kunden
contact.phone: telefon, mobil, telefonnummer, mobilnummer, mobiltelefon, mobilnr, tel, telnr, telefonnr,
    mobiltelefonnummer, tfn, telefon arbete, telefon hem, tele, hemtelefon, arbetstelefon, tfn nr
contact.fax: fax, faxnummer, faxnr
contact.company: företag, företagsnamn, bolag, organisation, arbetsgivare, bolagsnamn, firma, firmanamn, företagets
    namn
contact.address.streetAddress: gatuadress, adress, postadress, adressrad 1, adress 1, faktureringsadress,
    leveransadress, fakturaadress, gata och nummer, gata och nr, besöksadress, utdelningsadress, hemadress,
    bostadsadress
<street>: gata, gatunamn, väg
<house>: husnummer, husnr, gatunummer, gatunr
<flat>: lägenhetsnummer, lgh, lägenhet, lgh nr, lägenhetsnr
contact.address.zipCode: postnummer, postnr, postkod, zip
contact.address.city: ort, stad, postort, bostadsort, tätort, kommunort, hemort
contact.address.country: land, landskod, land/region, hemland, nation
newEmail: ny epost, ny e-postadress, ny mejladress, ändrad e-post
tags: taggar, etiketter, etikett, kundgrupp, kundgrupper, segment, grupper, grupp, kategorier, intressen, nyckelord,
    märkningar
<consent>: samtycke, samtycke nyhetsbrev, godkänner marknadsföring, nyhetsbrev, marknadsföringssamtycke, gdpr
    samtycke, samtyckt, prenumererar, medgivande, godkännande, accepterar nyhetsbrev, samtycke till marknadsföring,
    godkänner nyhetsbrev
<opt_out>: avregistrerad, avprenumererad, avregistrering, avanmäld, avregistrerad datum, avanmälan, avslutad
    prenumeration, avregistreringsdatum, borttagen, ta bort, raderas, radera, uppsagd, tackat nej
<reason>: orsak, anledning, anteckningar, anteckning, kommentar, kommentarer, noteringar, notering, skäl
<date>: datum, orderdatum, köpdatum, beställningsdatum, inköpsdatum, tid, tidpunkt, fakturadatum, betalningsdatum,
    skapad, köpt datum, skapad datum, klockslag, transaktionsdatum, datum och tid, registreringsdatum
<currency>: valuta, valutakod
value: belopp, summa, värde, totalt, ordervärde, ordersumma, totalbelopp, pris, totalsumma, totalpris, köpesumma,
    köpbelopp, summa inkl moms, omsättning, att betala, betalt, beställningsvärde, intäkt, fakturabelopp,
    nettobelopp, bruttobelopp, försäljning, köpvärde
externalId: ordernummer, ordernr, fakturanummer, order, order id, beställningsnummer, beställningsnr, kvittonr,
    kvittonummer, fakturanr, transaktionsid, transaktionsnummer, orderreferens, bokningsnummer, köp id, faktura,
    kvitto
products: produkter, artiklar, produkt, artikel, artikelnummer, artikelnr, produktnamn, produktnummer, produktnr,
    produkt id, vara, varor, artikelnamn, köpta produkter, varunummer, produktkod, benämning, sku
location: butik, butiksnamn, filial, butik id, plats, affär, försäljningsställe, butiksnummer
description: beskrivning, orderbeskrivning, detaljer, händelsebeskrivning, beskrivning av händelse
contactExtEventType: händelsetyp, händelse, typ av händelse, typ, aktivitet, aktivitetstyp
shopDomain: domän, butikens domän, butiksdomän, webbutikens domän, domännamn
<other>: födelsedatum, födelsedag, personnummer, kön, län, titel, kundnummer, kundnr, kund id, landskap, webbplats,
    namnsdag, telefonmodell, kommun, organisationsnummer, orgnr, befattning, språk, ålder, antal, betalningssätt,
    rabatt, fraktsätt, frakt, status, källa, hemsida, moms, yrke, avdelning, mellannamn, användarnamn, rabattkod,
    orderstatus, betalsätt, region, skostorlek, id, födelseort, medlemsnummer, civilstånd, styckpris,
    företagsstorlek, leveranssätt, adresstyp, kundtyp, storlek, antal ordrar, senaste order, betalningsstatus,
    momsnummer, kontonummer, bank, nationalitet, medborgarskap, startdatum
"""

QUALIFIERS = """
    kund kunds kundens kunder arbete hem privat min din ditt köparens köpare mottagare mottagarens fakturering
    faktureringens huvud primär kontakt obligatoriskt kr inkl moms i på för av
"""
