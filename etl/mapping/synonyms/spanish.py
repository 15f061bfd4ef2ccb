"""What Spanish sheets call the contract's fields; the form is told in `synonyms`."""

NAMES = """
email: correo, correo electrónico, email, dirección de correo, dirección de correo electrónico, dirección de email,
    mail, correo e, e mail 1, cuenta de correo, dirección electrónica
<first_name>: nombre de pila, nombre, primer nombre, nombres, nombre propio, nombre cliente
<last_name>: apellido, apellidos, apellido 1, primer apellido, apellidos cliente, apellido paterno
contact.name: nombre completo, nombre y apellidos, nombre del cliente, nombre y apellido, persona de contacto,
    apellidos y nombre, nombre apellidos, nombre apellido, contacto, cliente, destinatario, nombre de contacto,
    titular, nombre del contacto, comprador, apellidos nombre
contact.phone: teléfono, móvil, teléfono móvil, tfno, tlf, tlfno, celular, número de teléfono, tel, tel móvil,
    teléfono de contacto, teléfono fijo, nº de teléfono, núm de teléfono, número de móvil, teléfono celular,
    teléfono particular, fijo, número de celular, móvil 1, teléfono 1, teléfono trabajo, whatsapp, núm móvil, tfno
    móvil
contact.fax: fax, número de fax, telefax, fax trabajo
contact.company: empresa, nombre de la empresa, razón social, compañía, sociedad, nombre empresa, organización,
    negocio, nombre de empresa, nombre comercial, entidad
contact.address.streetAddress: dirección, dirección postal, domicilio, dirección de facturación, dirección 1, calle
    y número, dirección de envío, dirección línea 1, línea de dirección 1, dirección completa, calle número, calle
    nº, dirección de entrega, dirección particular
<street>: calle, vía, nombre de la calle, nombre de la vía, avenida
<house>: número de casa, núm portal, número de portal, portal, número de la calle, número de calle, número exterior,
    nº portal
<flat>: piso, puerta, apartamento, piso y puerta, número interior, número de piso, depto
contact.address.zipCode: código postal, cp, cod postal, código zip, c postal, distrito postal, zip
contact.address.city: ciudad, población, localidad, municipio, ciudad de residencia, pueblo, ciudad de facturación
contact.address.country: país, país de residencia, código de país, país/región, código país, nombre del país,
    nación, país de facturación
newEmail: nuevo correo, nuevo correo electrónico, nuevo email, nueva dirección de correo, correo nuevo
tags: etiquetas, segmentos, etiqueta, grupos, grupo de clientes, segmento, grupo, categorías, intereses, palabras
    clave, tags, listas
<consent>: consentimiento, acepta publicidad, acepta marketing, consentimiento rgpd, rgpd, suscrito, boletín, acepta
    boletín, acepta newsletter, autorización, acepta comunicaciones, permiso, consentimiento marketing, newsletter,
    consentimiento lopd, suscrito al boletín, acepta comunicaciones comerciales
<opt_out>: baja, fecha de baja, dado de baja, cancelado, cancelación, motivo de baja, desuscrito, desuscripción,
    eliminar, borrar, bajas, no contactar, baja newsletter, darse de baja, cancelar suscripción, suscripción
    cancelada
<reason>: motivo, notas, nota, comentario, comentarios, observaciones, razón, causa, motivos
<date>: fecha, fecha del pedido, fecha de compra, fecha de pedido, fecha y hora, hora, fecha de creación, fecha
    pedido, fecha de factura, fecha de pago, fecha de venta, fecha compra, fecha de alta, fecha de la compra, fecha
    de transacción, creado el
<currency>: moneda, divisa, código de moneda, código de divisa
value: importe, precio, importe total, total, precio total, total del pedido, monto, total con iva, valor, suma,
    monto total, importe del pedido, total pedido, facturación, total pagado, importe pagado, ventas, valor del
    pedido, importe de la compra, base imponible, valor total, ingresos, importe con iva, importe neto, importe
    bruto, cantidad pagada, total factura, total compra
externalId: número de pedido, nº de pedido, núm pedido, id pedido, id de pedido, referencia del pedido, pedido,
    número pedido, nº pedido, número de factura, nº de factura, núm factura, factura, número de orden, id de
    transacción, referencia de pedido, referencia pedido, número de ticket, orden, número de compra, ticket, id
    transacción, nº de orden, número de transacción, referencia de la compra, número de recibo
products: producto, productos, artículo, artículos, referencia del producto, nombre del producto, sku, referencia
    producto, id producto, código de producto, código de artículo, código producto, nombre producto, artículos
    comprados, ref producto, referencia de artículo, id de producto, línea de pedido, productos comprados
location: tienda, sucursal, punto de venta, ubicación, nombre de la tienda, local, establecimiento, id tienda, lugar
    de compra, tienda física
description: descripción, detalles, detalle, concepto, descripción del pedido, descripción del evento
contactExtEventType: tipo de evento, tipo de actividad, tipo, evento, tipo evento, acción
shopDomain: dominio de la tienda, dominio, dominio tienda, url de la tienda
<other>: fecha de nacimiento, fecha nacimiento, cumpleaños, provincia, sexo, género, nif, dni, cif, nie, cargo,
    puesto, número de cliente, nº de cliente, id cliente, id de cliente, código de cliente, comunidad autónoma,
    página web, web, sitio web, idioma, edad, modelo de teléfono, tratamiento, título, nombre de usuario, usuario,
    tamaño de la empresa, estado civil, cantidad, unidades, método de pago, forma de pago, descuento, estado del
    pedido, estado, región, iva, impuesto, impuestos, envío, gastos de envío, segundo nombre, segundo apellido, id,
    origen, fuente, profesión, departamento, lugar de nacimiento, talla, código de descuento, cupón, método de
    envío, santo, nacionalidad, número de pedidos, prefijo, prefijo telefónico, código cliente, tipo de cliente,
    precio unitario, precio por unidad, estado del cliente, contraseña, cuenta bancaria, firma, última compra,
    último pedido, estado de pago, país de nacimiento
"""

QUALIFIERS = """
    cliente clientes del de la el los las su tu comprador compradora contacto facturación principal particular
    personal trabajo casa envío con iva sin usuario obligatorio suscriptor titular
"""
