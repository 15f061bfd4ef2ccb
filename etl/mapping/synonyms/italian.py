"""What Italian sheets call the contract's fields; the form is told in `synonyms`."""

NAMES = """
email: posta elettronica, indirizzo email, e-mail, mail, indirizzo di posta elettronica, indirizzo mail, email
    cliente, e mail 1, casella email, indirizzo di posta, posta elettronica cliente
<first_name>: nome, nome di battesimo, primo nome, nome cliente
<last_name>: cognome, cognomi, cognome cliente
contact.name: nome e cognome, nominativo, nome completo, cognome e nome, referente, nome cognome, cognome nome,
    contatto, cliente, persona di contatto, destinatario, intestatario, nome del cliente, nominativo cliente,
    persona di riferimento, acquirente, nome e cognome cliente
contact.phone: telefono, cellulare, tel, cell, numero di telefono, telefono cellulare, n telefono, telefono fisso,
    recapito telefonico, num cellulare, telefonino, numero di cellulare, numero cellulare, numero telefono,
    cellulare 1, mobile, fisso, tel cellulare, telefono casa, telefono ufficio, telefono 1, n di telefono, n
    cellulare, recapito, n tel, telefono mobile, n cell
contact.fax: fax, numero di fax, numero fax, telefax, fax ufficio, n fax
contact.company: azienda, ragione sociale, società, ditta, nome azienda, impresa, nome dell'azienda, organizzazione,
    ente, denominazione, nome società, denominazione sociale, nome ditta
contact.address.streetAddress: indirizzo, indirizzo 1, indirizzo di fatturazione, via e numero, indirizzo postale,
    via/piazza e n civico, indirizzo di spedizione, via e numero civico, via e n civico, riga indirizzo 1, indirizzo
    riga 1, indirizzo completo, indirizzo di residenza, domicilio, residenza, indirizzo fatturazione, indirizzo
    spedizione, indirizzo abitazione, via piazza, via e civico
<street>: via, nome della via, piazza, strada, nome via
<house>: numero civico, n civico, civico, nr civico, num civico
<flat>: interno, appartamento, n interno, scala interno
contact.address.zipCode: cap, codice postale, codice di avviamento postale, cod postale, codice avviamento postale,
    cap residenza, c postale, zip
contact.address.city: città, comune, località, città di residenza, comune di residenza, città di fatturazione
contact.address.country: paese, nazione, stato, codice paese, paese di residenza, codice nazione, paese/regione,
    stato di residenza, paese di fatturazione
newEmail: nuova e-mail, nuovo indirizzo e-mail, nuova mail, email aggiornata
tags: etichette, etichetta, segmenti, segmento, gruppi, gruppo, gruppo clienti, tag, categorie, interessi, gruppo
    cliente, parole chiave
<consent>: consenso, consenso marketing, consenso newsletter, consenso privacy, privacy, iscritto, autorizzazione,
    newsletter, iscritto alla newsletter, accetta marketing, consenso gdpr, gdpr, consenso al marketing, iscrizione
    newsletter, accetta newsletter, consenso al trattamento
<opt_out>: disiscritto, data disiscrizione, cancellato, disiscrizione, cancellazione, da cancellare, disiscritti,
    motivo disiscrizione, data cancellazione, revoca, revoca consenso, eliminare, da eliminare, non contattare,
    annullato iscrizione, disiscritto il
<reason>: motivo, motivazione, note, nota, commento, commenti, osservazioni, causa, causale disdetta
<date>: data, data ordine, data di acquisto, data dell'ordine, data acquisto, data e ora, ora, data creazione, data
    fattura, data pagamento, data vendita, data di creazione, data transazione, creato il, data documento, data
    registrazione, orario, data di iscrizione
<currency>: valuta, divisa, codice valuta
value: importo, importo totale, totale, totale ordine, prezzo totale, totale iva inclusa, fatturato, valore, somma,
    prezzo, importo ordine, totale fattura, totale pagato, imponibile, valore ordine, importo pagato, spesa, totale
    documento, ricavo, totale ivato, importo lordo, importo netto, totale con iva, vendite, spesa totale,
    corrispettivo, totale complessivo, totale acquisto
externalId: numero ordine, n ordine, nr ordine, id ordine, numero fattura, riferimento ordine, ordine, numero
    d'ordine, codice ordine, n fattura, fattura, numero di ordine, numero transazione, id transazione, numero
    scontrino, scontrino, numero documento, rif ordine, ricevuta, numero di fattura, numero ricevuta, numero
    prenotazione, ordine n
products: prodotto, prodotti, articolo, articoli, codice articolo, codice prodotto, nome prodotto, sku, id prodotto,
    nome articolo, nome del prodotto, riferimento prodotto, prodotti acquistati, codice prodotti, cod articolo, cod
    prodotto, lista prodotti
location: negozio, punto vendita, filiale, sede, luogo, nome negozio, id negozio, punto di vendita, store, luogo di
    acquisto
description: descrizione, dettagli, dettaglio, descrizione ordine, causale, descrizione evento
contactExtEventType: tipo evento, tipo di attività, tipo di evento, evento, tipo, tipo attività, azione
shopDomain: dominio negozio, dominio, dominio del negozio, url negozio
<other>: data di nascita, data nascita, compleanno, provincia, prov, sesso, genere, codice fiscale, cod fiscale,
    partita iva, p iva, codice cliente, numero cliente, id cliente, regione, sito web, sito internet, lingua,
    professione, luogo di nascita, nome utente, modello telefono, età, capitale sociale, titolo, quantità, qta,
    metodo di pagamento, modalità di pagamento, sconto, stato ordine, stato dell'ordine, iva, spedizione, spese di
    spedizione, qualifica, ruolo, id, fonte, origine, provenienza, nazionalità, stato civile, secondo nome, codice
    sconto, onomastico, comune di nascita, prefisso, numero ordini, taglia, utente, unità, codice univoco, codice
    sdi, pec, iban, tipo cliente, prezzo unitario, reparto, posizione, categoria merceologica, ultimo ordine, data
    ultimo ordine, dimensione azienda, metodo di spedizione, stato pagamento, paese di nascita
"""

QUALIFIERS = """
    cliente clienti del dello della dell dei di la il lo le l d tuo tua suo acquirente contatto fatturazione
    principale personale lavoro casa ufficio spedizione iva utente obbligatorio destinatario iscritto
"""
