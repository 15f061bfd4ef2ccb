"""columns of fields → issues: pandera schemas, one per action, derived from the contract."""

from etl.schemas.validate import judge

__all__ = ["judge"]
