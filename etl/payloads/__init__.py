"""columns of fields → bodies: JSON, written column by column, in either wire form."""

from etl.payloads.wire import bodies

__all__ = ["bodies"]
