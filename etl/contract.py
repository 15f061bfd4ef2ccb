"""The integration page as data: three actions, their fields, types and limits; one line a field.

Everything else is derived from these tables: schemas, payloads, `etl fields`, the mapping's checks and the docs.
Sources: "integration page" (version 3, which decides), "later versions" of it (marked `extension`), and the limits of
SALESmanago behind the gateway. Imports nothing from etl but its nouns.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from etl.endpoint import Endpoint

Wire = Literal["fields", "envelope"]
"""The two wire forms: as the page lists the fields, or flat, under names of the account's own, with a group key."""


class FieldType(StrEnum):
    """The page's types. `E-mail` is a String with a syntax of its own; `Enumeration` a String of listed values."""

    STRING = "String"
    EMAIL = "E-mail"
    FLOAT = "Float"
    LIST = "Array"
    DYNAMIC = "Dynamic"
    ENUMERATION = "Enumeration"


@dataclass(frozen=True, slots=True)
class Field:
    """One field of an action.

    `path`: the dotted path in the wire form `fields`; `max_length`: in characters, beyond which a warning is given (for
    Dynamic: of each value; for Array: of each item); `required`: our inference, the page requires nothing.
    """

    path: str
    type: FieldType
    description: str
    max_length: int | None = None
    values: tuple[str, ...] = ()
    required: bool = False
    extension: bool = False

    @property
    def flat_name(self) -> str:
        """The last part of the path: the field's own name in the wire form `envelope`."""
        return self.path.rsplit(".", 1)[-1]

    @property
    def clearable(self) -> bool:
        """Whether `blank: clear` may send an empty value (inference: the page is silent)."""
        return self.type in {FieldType.STRING, FieldType.LIST, FieldType.DYNAMIC}


@dataclass(frozen=True, slots=True)
class Action:
    """One of the three things the endpoint does.

    `person`: the path of the field that names the person (the lane of the order); `key`: the default of a record's
    `key`; `duplicates`: its default policy; `idempotent`: whether an unknown outcome may be repeated.
    """

    name: str
    endpoint: Endpoint
    description: str
    fields: tuple[Field, ...]
    person: str
    key: str
    duplicates: str
    idempotent: bool

    def field(self, path: str) -> Field | None:
        """Return the field that `path` names; `properties.KEY` names the Dynamic field before its first dot."""
        by_path = {field.path: field for field in self.fields}
        if path in by_path:
            return by_path[path]
        head, dot, key = path.partition(".")
        field = by_path.get(head)
        return field if dot and key and field is not None and field.type is FieldType.DYNAMIC else None


EVENT_TYPES = (
    "PURCHASE", "CART", "VISIT", "PHONE_CALL", "OTHER", "RESERVATION", "CANCELLED", "ACTIVATION", "MEETING", "OFFER",
    "DOWNLOAD", "LOGIN", "TRANSACTION",
)  # fmt: skip

EMAIL_LOCAL_MAX = 64
EMAIL_MAX = 254
VALUE_MAX_DIGITS = 19
VALUE_MAX_DECIMALS = 2
PAGE_DETAILS = 10
ALL_DETAILS = 20

_S, _E, _F = FieldType.STRING, FieldType.EMAIL, FieldType.FLOAT

_CONTACT = (
    Field("contact.email", _E, "who the contact is; found or created by it", EMAIL_MAX, required=True),
    Field("contact.fax", _S, "fax number"),
    Field("contact.name", _S, "first and last name"),
    Field("contact.phone", _S, "phone number"),
    Field("contact.company", _S, "company"),
    Field("contact.address.streetAddress", _S, "street and number"),
    Field("contact.address.zipCode", _S, "postcode, as text"),
    Field("contact.address.city", _S, "city"),
    Field("contact.address.country", _S, "country"),
    Field("newEmail", _E, "new address of the contact found by contact.email", EMAIL_MAX),
    Field("tags", FieldType.LIST, "tags; stored in capitals, accents folded, spaces as _", 255),
    Field("properties", FieldType.DYNAMIC, "additional details under keys of your own", 255),
    Field("dictionaryProperties", FieldType.DYNAMIC, "dictionary details under keys of your own", 255),
)

_DELETE = (Field("email", _E, "whose contact is deleted", EMAIL_MAX, required=True),)

_EVENT = (
    Field("email", _E, "whose event it is (later versions of the page)", EMAIL_MAX, extension=True),
    Field("description", _S, "free text", 2048),
    Field("products", _S, "product ids, comma separated", 512),
    Field("location", _S, "where it happened, such as a shop's id", 255),
    Field("value", _F, "amount: at most 19 digits, 2 decimals"),
    Field("contactExtEventType", FieldType.ENUMERATION, "what kind of event it is", values=EVENT_TYPES),
    Field("externalId", _S, "the event's id in your system", 255),
    Field("shopDomain", _S, "domain of the shop", 255),
    *(
        Field(f"detail{number}", _S, f"free detail {number}", 255, extension=number > PAGE_DETAILS)
        for number in range(1, ALL_DETAILS + 1)
    ),
)

ACTIONS: dict[str, Action] = {
    action.name: action
    for action in (
        Action(
            name="contact.upsert",
            endpoint=Endpoint("POST", "/contacts"),
            description="create a contact, or update the one with this e-mail",
            fields=_CONTACT,
            person="contact.email",
            key="contact.email",
            duplicates="last",
            idempotent=True,
        ),
        Action(
            name="contact.delete",
            endpoint=Endpoint("DELETE", "/contacts"),
            description="erase a contact",
            fields=_DELETE,
            person="email",
            key="email",
            duplicates="last",
            idempotent=True,
        ),
        Action(
            name="event.create",
            endpoint=Endpoint("POST", "/events"),
            description="create an external event: a purchase, a visit, a download",
            fields=_EVENT,
            person="email",
            key="externalId",
            duplicates="all",
            idempotent=False,
        ),
    )
}
