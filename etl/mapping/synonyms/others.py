"""A few names in Dutch, Czech and Danish, by language; the form is told in `synonyms`."""

DUTCH = """
email: emailadres, mailadres
<first_name>: voornaam
<last_name>: achternaam
contact.name: naam
contact.phone: telefoon, telefoonnummer
contact.company: bedrijf
contact.address.streetAddress: adres
<street>: straat
<house>: huisnummer
contact.address.city: woonplaats
"""

CZECH = """
email: emailová adresa
<first_name>: jméno
<last_name>: příjmení
contact.address.zipCode: psč
"""

DANISH = """
email: emailadresse, epostadresse
<first_name>: fornavn
<last_name>: efternavn
"""
