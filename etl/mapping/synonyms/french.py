"""What French sheets call the contract's fields; the form is told in `synonyms`."""

NAMES = """
email: courriel, adresse email, adresse mail, mel, e-mail, mail, adresse électronique, courrier électronique,
    adresse de messagerie, adresse courriel, email client, e mail 1, adresse email client, messagerie, boîte mail
<first_name>: prénom, prénoms, prénom client, prénom usuel, petit nom
<last_name>: nom de famille, nom, nom client, nom usuel, nom patronymique, patronyme
contact.name: nom complet, nom et prénom, prénom et nom, nom prénom, prénom nom, personne de contact, interlocuteur,
    contact, client, nom du contact, destinataire, acheteur, nom prénoms, nom et prénoms, nom contact, identité, nom
    affiché
contact.phone: téléphone société, radio téléphone, téléphone voiture, téléphone, portable, tél, téléphone portable,
    tel portable, mobile, numéro de téléphone, n° de téléphone, tél mobile, téléphone fixe, téléphone mobile, numéro
    de portable, n° téléphone, gsm, numéro de mobile, tél fixe, fixe, téléphone domicile, téléphone professionnel,
    téléphone 1, numéro téléphone, natel, n° portable, n° mobile, n° tél, téléphone bureau, tph
contact.fax: fax, télécopie, numéro de fax, télécopieur, n° de fax, télécopie bureau
contact.company: société, entreprise, raison sociale, nom de l'entreprise, organisme, compagnie, nom de la société,
    organisation, établissement, employeur, société client, nom société, nom entreprise, dénomination sociale
contact.address.streetAddress: adresse, adresse postale, adresse 1, adresse ligne 1, adresse de facturation, rue et
    numéro, n° et rue, numéro et rue, adresse de livraison, ligne d'adresse 1, adresse complète, adresse domicile,
    adresse du domicile, rue n°, n° et voie
<street>: rue, voie, nom de la rue, nom de voie, libellé voie, rue bureau
<house>: numéro de rue, n° de rue, numéro de voie, n° de voie, numéro de maison, n° voie
<flat>: appartement, numéro d'appartement, appt, n° appartement, bâtiment appartement
contact.address.zipCode: code postal, cp, code poste, code postal client, npa, zip
contact.address.city: ville, commune, localité, ville de résidence, bureau distributeur, ville de facturation
contact.address.country: pays, code pays, pays de résidence, pays/région, nom du pays, pays de facturation
newEmail: nouvel e-mail, nouvelle adresse e-mail, nouvelle adresse mail, nouveau mail, nouveau courriel, nouvelle
    adresse électronique
tags: étiquettes, mots-clés, segments, segment, groupes, groupe, groupe de clients, étiquette, libellés, catégories,
    centres d'intérêt, tags, tag, groupes clients
<consent>: consentement, accepte le marketing, opt-in newsletter, consentement rgpd, rgpd, accord, abonné,
    newsletter, accepte la newsletter, inscrit newsletter, autorisation, abonné à la newsletter, consentement
    marketing, inscription newsletter, accepte les offres, lettre d'information, optin
<opt_out>: désinscription, désinscrit, désabonné, date de désinscription, désabonnement, date de désabonnement,
    motif de désinscription, à supprimer, supprimer, ne plus contacter, ne pas contacter, désinscrits, opposition,
    résiliation, désabonné le, désinscrit le, supprimé, motif de désabonnement
<reason>: motif, raison, remarques, remarque, commentaire, commentaires, notes, note, observations, cause
<date>: date, date de commande, date d'achat, date de la commande, date et heure, heure, date commande, date de
    facture, date de paiement, date de création, date achat, horodatage, date de vente, date de transaction, créé
    le, date d'inscription, passée le
<currency>: devise, monnaie, code devise, code monnaie
value: montant, prix, montant ttc, montant total, total ttc, total, prix total, total payé, chiffre d'affaires, ca,
    montant ht, total ht, prix ttc, montant commande, montant de la commande, total commande, valeur, somme, montant
    payé, montant de l'achat, ca ttc, total de la commande, panier, montant facture, prix payé, recette, net à
    payer, ca ht, montant achat, total facture
externalId: numéro de commande, n° de commande, n° commande, référence commande, n° de facture, id commande,
    commande, numéro commande, numéro de facture, référence de commande, ref commande, facture, numéro de
    transaction, id transaction, numéro de ticket, ticket, numéro facture, id de commande, n° facture, référence, n°
    de ticket, numéro de reçu, numéro de réservation, n° de transaction
products: produit, produits, article, articles, référence produit, réf article, nom du produit, sku, ref produit,
    référence article, code article, code produit, id produit, nom produit, produits achetés, désignation, libellé
    produit, liste des produits, libellé article
location: magasin, boutique, point de vente, lieu, enseigne, nom du magasin, id magasin, nom de la boutique,
    succursale, agence, lieu d'achat, code magasin
description: description, détails, détail, libellé, description de la commande, intitulé
contactExtEventType: type d'événement, type d'activité, type, événement, type événement, type d'action
shopDomain: domaine de la boutique, domaine, domaine du site, nom de domaine, url de la boutique
<other>: date de naissance, anniversaire, naissance, civilité, sexe, genre, département, fonction, poste, numéro
    client, n° client, numéro de client, id client, code client, région, site web, site internet, langue, siret,
    siren, nom de jeune fille, nom d'utilisateur, identifiant, pseudo, effectif, effectif de la société, taille de
    l'entreprise, âge, modèle de téléphone, adresse ip, quantité, qté, mode de paiement, moyen de paiement, remise,
    réduction, statut, statut de la commande, état, tva, frais de port, livraison, mode de livraison, titre, id,
    source, origine, profession, métier, lieu de naissance, pointure, taille, code promo, coupon, fête, nationalité,
    nombre, nombre de commandes, indicatif, numéro de tva, n° de tva, deuxième prénom, service, prix unitaire, type
    de client, type client, dernière commande, date de dernière commande, mot de passe, rib, iban, catégorie
    socioprofessionnelle, situation familiale, pays de naissance
"""

QUALIFIERS = """
    autre
    client clients cliente du de la le les l d votre acheteur contact facturation principal principale personnel
    personnelle professionnel professionnelle domicile bureau livraison ttc ht utilisateur obligatoire abonné
    destinataire pro perso
"""
