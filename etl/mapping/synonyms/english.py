"""What English sheets call the contract's fields; the form is told in `synonyms`."""

NAMES = """
email: email, mail, email address, email addr, mail address, subscriber email, electronic mail, email 1, email 1
    value, email id, contact email
<first_name>: first name, given name, forename, fname, christian name, first
<last_name>: last name, surname, family name, lname, second name, last
contact.name: name, full name, contact name, customer name, client name, person, display name, contact person, first
    and last name, first name last name, recipient, account holder, contact full name, billing name, customer full
    name
contact.phone: phone, phone number, phone no, telephone, telephone number, mobile, mobile phone, mobile number,
    cell, cell phone, tel, tel no, mobile no, contact number, gsm, contact phone, work phone, home phone, sms, sms
    number, phone 1 value, mob, mobile telephone, whatsapp, primary phone, daytime phone, landline
contact.fax: fax, fax number, fax no, telefax
contact.company: company, company name, organisation, organization, business name, employer, organisation name,
    organization name, account name, organization 1 name, firm, company or organization, organisation or company
contact.address.streetAddress: street address, address, address line, address line 1, address 1, street and number,
    street and house number, postal address, mailing address, home address, address line one, street 1, billing
    street, shipping address, delivery address, billing address
<street>: street, street name, road
<house>: house number, house no, street number, building number, house, street no
<flat>: flat, flat number, flat no, apartment, apartment number, apt, unit number
contact.address.zipCode: zip code, zip, postcode, postal code, zip postal code, zip/postcode, pin code, eircode
contact.address.city: city, town, place, city town, locality, city of residence, town/city, suburb, municipality
contact.address.country: country, country code, country name, nation, country of residence, country/region, country
    or region
newEmail: new email, new email address, changed email, updated email, email new
tags: tags, tag, labels, label, segments, segment, groups, contact tags, interests, categories, contact groups,
    group membership
<consent>: consent, marketing consent, opt in, newsletter, newsletter consent, email consent, subscribed, gdpr, gdpr
    consent, permission, marketing permission, accepts marketing, accepts email marketing, double opt in, newsletter
    opt in, email opt in, email marketing consent, agreement, marketing opt in, email subscription, newsletter
    subscription, accepts newsletter
<opt_out>: opt out, opted out, unsubscribe, unsubscribed, unsubscriber, email opt out, do not contact, unsubscribed
    at, unsubscribe date, opt out date, opt out reason, unsubscribe reason, to delete, delete, deleted, removal,
    erasure, unsubscribes, optouts, date unsubscribed, do not email, suppression, suppressed, opted out of email,
    email opted out, opted out of marketing
<reason>: reason, comment, note, notes, remark, comments
<date>: date, timestamp, time, datetime, created at, order date, purchase date, transaction date, event date, date
    of purchase, invoice date, paid at, processed at, sale date, request date, payment date, ordered at, ordered on,
    order time, completed at, date created, day, created on, sales date, booking date, signup date
<currency>: currency, currency code
value: value, amount, total, total amount, price, total price, order value, order total, revenue, sum, turnover,
    purchase amount, grand total, amount paid, purchase value, sales, gross amount, order amount, dollar value,
    total value, transaction amount, total paid, net amount, event value, subtotal, order sum, spend, payment
    amount, amount charged, total sales, total inc vat
externalId: external id, order id, order number, order no, order, transaction id, transaction number, invoice
    number, invoice no, receipt number, order reference, receipt no, order ref, event id, invoice id, booking
    number, transaction no, purchase id, receipt id, transaction, document number, reservation number, receipt,
    order name, order code, order reference number, cart id, transaction reference, ref no
products: products, product, product id, product ids, sku, skus, item, items, article, product code, product sku,
    product name, item id, item sku, products bought, product number, lineitem sku, line items, lineitem name,
    product title, items purchased, article number, product list, item name
location: location, shop, store, branch, shop id, store id, point of sale, outlet, store name, shop name, salon,
    branch name, pos, pos location, outlet name
description: description, event description, details, summary
contactExtEventType: event type, type, event, activity type, type of event, contact ext event type, activity, action
    type
shopDomain: shop domain, store domain, domain, shop url, store url
<other>: county, gender, age, birth date, date of birth, birthday, title, salutation, job title, position, customer
    id, customer number, customer no, client id, id, language, website, url, ip, ip address, email status, email
    sent, email verified, phone type, phone verified, company size, company id, city id, country of birth, region,
    state, province, username, nickname, file name, product count, quantity, qty, tax, discount, shipping, tax id,
    vat id, vat number, unit price, currency rate, middle name, login, shoe size, source, status, account number,
    event name, campaign name, email type, email domain, email count, phone country code, segment id,
    phone model, job, occupation, department, prefix, suffix, name day, email opens, email clicks, total orders,
    orders count, discount code, coupon code, shipping method, payment method, payment status, order status,
    fulfillment status, delivery method, vat, currency symbol, event id type, description language, store manager,
    address type, address id, country of origin, city size, postal region, company type, company website, company
    phone type, middle initial, maiden name, notes count, mobile operator, mobile app, phone brand, fax machine, tag
    count, name prefix, name suffix, last login, last order, first order, last order date, first purchase, last
    visit, email client, email format
"""

QUALIFIERS = """
    customer customers client contact billing primary main business private work home personal your user buyer
    recipient the of in w my required optional subscriber member guest default payment invoice bill to current gross
    net
"""
